"""kafkactl init-topics: bring the cluster in line with topics.yaml."""

from typing import Annotated

import typer

from kafkactl import consent, options
from kafkactl.errors import ExitCode, KafkactlError, Terminated
from kafkactl.plan.risk import Risk
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.view import output
from kafkactl.view.formats import Format


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
    throttle: Annotated[
        int | None,
        typer.Option(
            "--throttle",
            metavar="RATE",
            parser=options.byte_rate,
            help="Copy replicas no faster than RATE (50MB/s) per broker. Protected clusters need one.",
            show_default=False,
        ),
    ] = None,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Create the topics that topics.yaml declares, and update their settings.

    Creating topics and increasing retention are safe. Changes that can break or lose something are shown but not made
    until you allow them by name. You can run this as often as you like: topics that match are not touched.

    \b
    Examples:
      kafkactl init-topics
      kafkactl init-topics --wait 60s               (as a compose init service)
      kafkactl init-topics --env production --allow partitions
      kafkactl init-topics --env production --allow replication --throttle 50MB/s
    """
    catalog, allowed = target.declared, frozenset(allow or ())
    from kafkactl.cluster.client import wait_for
    from kafkactl.commands.init_topics.apply import Run, heading
    from kafkactl.commands.init_topics.replica_changes import ReplicaChanges
    from kafkactl.plan.account import Fate
    from kafkactl.plan.differences import require_chosen
    from kafkactl.view import account_report, plan_table

    chosen = require_chosen(catalog, only)
    brokers_needed = max((topic.replication or 1 for topic in chosen), default=1)
    kafka = wait_for(
        target.connection, wait, brokers_needed, waiting=lambda why: output.note(f"Waiting up to {wait:g} s: {why}.")
    )
    json = show is Format.JSON
    run = Run(kafka, catalog, only, allowed, ReplicaChanges(kafka, target, throttle, quiet=json))
    run.look()
    if not json:
        output.note(heading(kafka, catalog))
        plan_table.show_plan(run.plan, removing=Risk.OVERRIDES in allowed)
    run.check()
    foreseen = run.account(dry_run=dry_run).of(Fate.FAILED)
    if not json:
        account_report.tell_failures(foreseen)
    stopped: BaseException | None = None
    if not dry_run:
        # Reading changes nothing; from here on the environment's protection counts.
        if run.todo() or run.plan.risks:
            consent.require_unprotected(target, kafka.info.id, confirm, "change its topics", kafka.info.addresses)
        run.ask()
        try:
            run.make_so(quiet=json)
        except (KafkactlError, KeyboardInterrupt, Terminated) as error:
            stopped = error  # what was done until then is told first
    account = run.account(dry_run=dry_run)
    if json:
        output.document("init-topics", account_report.account_document(account, kafka))
    else:
        account_report.tell_failures(entry for entry in account.of(Fate.FAILED) if entry not in foreseen)
        again = _again(target, only, allowed, throttle)
        allowing = kafkactl("init-topics", options=[*again, *account_report.allowing(account)])
        output.note(
            f"\n{account_report.summary(account, run.seconds)}".lstrip("\n" if not account.of(Fate.DONE) else "")
        )
        if account.missing:
            output.note(f"To allow it: {allowing.text}")
    if stopped is not None:
        raise stopped
    raise typer.Exit(ExitCode.OK if account.successful else ExitCode.FOUND)


def _again(target: Target, only: str | None, allowed: frozenset[Risk], throttle: int | None) -> list[str]:
    """The options of this run, for a command that does the same and more."""
    given = [word for risk in Risk if risk in allowed for word in ("--allow", risk)]
    rate = ["--throttle", f"{throttle}B/s"] if throttle is not None else []
    return [*target.flags, *(["--only", only] if only is not None else []), *given, *rate]
