"""kafkactl init-topics: bring the cluster in line with topics.yaml."""

from typing import Annotated

import typer

from kafkactl import options
from kafkactl.plan.risk import Risk
from kafkactl.settings import Target
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
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse", help="Try the plan on a copy in a temporary sandbox, without records; change nothing here."
        ),
    ] = False,
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
      kafkactl init-topics --env production --rehearse
      kafkactl init-topics --env production --allow partitions
      kafkactl init-topics --env production --allow replication --throttle 50MB/s
    """
    from kafkactl.commands.init_topics.whole_run import InitWish, init

    allowed = frozenset(allow or ())
    init(target, InitWish(wait, dry_run, allowed, rehearse, only, confirm, throttle, show is Format.JSON))
