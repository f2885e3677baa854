"""kafkactl init-topics: bring the cluster in line with topics.yaml."""

from typing import Annotated

import typer

from kafkactl import consent, options
from kafkactl.errors import UsageError
from kafkactl.plan import Risk
from kafkactl.settings import Target
from kafkactl.view import output


@options.on_cluster()
def init_topics(
    target: Target,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="TIME",
            parser=options.duration,
            help="Wait up to TIME for brokers to start.",
            show_default="no wait",
        ),
    ] = 0.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show and validate the plan without changing anything.")
    ] = False,
    allow: Annotated[
        list[Risk] | None, typer.Option("--allow", metavar="RISK", help=f"Allow a risk: {', '.join(Risk)}. Repeatable.")
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="GLOB", help="Only topics whose name matches GLOB.")
    ] = None,
    confirm: options.Confirm = None,
    show: options.Output = output.Format.TABLE,
) -> None:
    """Create the topics that topics.yaml declares, and update their settings.

    Creating topics and increasing retention are safe. Changes that can break or lose something are shown but not made
    until you allow them by name. You can run this as often as you like: topics that match are not touched.

    \b
    Examples:
      kafkactl init-topics
      kafkactl init-topics --wait 60s               (as a compose init service)
      kafkactl init-topics --env production --allow partitions
    """
    catalog, allowed = target.declared, _allowed(allow)
    from kafkactl.cluster.client import wait_for
    from kafkactl.commands.init_topics.apply import Run, ask

    brokers_needed = max((topic.replication or 1 for topic in catalog.topics.values()), default=1)
    kafka = wait_for(
        target.connection, wait, brokers_needed, waiting=lambda why: output.note(f"Waiting up to {wait:g} s: {why}.")
    )
    run = Run(kafka, catalog, only, json=show is output.Format.JSON)
    run.look()
    if not dry_run:
        # Reading changes nothing; from here on the environment's protection counts.
        if run.plan.permitted(allowed) or run.plan.risks:
            consent.require_unprotected(target, kafka.info.id, confirm, "change its topics")
        allowed |= ask(run.plan, allowed)
    run.make_so(allowed, dry_run=dry_run)
    raise typer.Exit(run.finish(allowed, dry_run=dry_run))


def _allowed(allow: list[Risk] | None) -> frozenset[Risk]:
    if Risk.REPLICATION in (allow or ()):
        raise UsageError(
            "--allow replication is not supported yet: kafkactl does not move replicas.",
            hint="Use kafka-reassign-partitions; kafkactl diff shows when it is done.",
        )
    return frozenset(allow or ())
