"""dlq purge: what a user types."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.commands.dlq import selection
from kafkactl.consent import Asked
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.view.output import Format


class Losing(StrEnum):
    """What a purge may delete besides."""

    PENDING = "pending"


@options.on_cluster()
def purge_letters(
    target: Target,
    topic: selection.DeadLetters,
    replayed: Annotated[bool, typer.Option("--replayed", help="Only those that were sent back.")] = False,
    parked: Annotated[
        bool, typer.Option("--parked", help="Only those that were parked; with --replayed, either.")
    ] = False,
    before: Annotated[
        str | None, typer.Option("--before", metavar="TIME", help="Only those given up before TIME (7d = 7 days ago).")
    ] = None,
    where: selection.Where = None,
    error: selection.Error = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FILE", help="Where they are saved first. Default: TOPIC.purged-TIME.jsonl, here."
        ),
    ] = None,
    allow: Annotated[
        list[Losing] | None, typer.Option("--allow", help="pending: also those that nothing was done with yet.")
    ] = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Delete dead letters, after saving them to a file. Kafka deletes from a partition's beginning only: what stands
    behind one that stays, stays.

    \b
    Examples:
      kafkactl dlq purge dlq.payment --replayed --dry-run
      kafkactl dlq purge dlq.payment --before 7d --allow pending
    """
    from kafkactl.commands.dlq.purging import Purge, purge

    if not (replayed or parked or before or where or error):
        raise UsageError(
            "Nothing says which dead letters to delete.",
            hint="Use --replayed, --parked, --before TIME, --where JQ or --error REGEX",
        )
    states = frozenset([*(["replayed"] if replayed else []), *(["parked"] if parked else [])])
    purge(
        Asked(target, yes, confirm, dry_run, show is Format.JSON),
        Purge(topic, selection.selection(where, error, None, before, None), states, bool(allow), save),
    )
