"""dlq replay: what a user types."""

from enum import StrEnum
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.commands.dlq import selection
from kafkactl.consent import Asked
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.view.output import Format


class Allowed(StrEnum):
    """What a replay may do besides."""

    DUPLICATES = "duplicates"


@options.on_cluster()
def replay_letters(
    target: Target,
    topic: selection.DeadLetters,
    where: selection.Where = None,
    error: selection.Error = None,
    since: selection.Since = None,
    until: selection.Until = None,
    key: selection.Key = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most N of them.")] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TOPIC",
            help="Send all of them to TOPIC, instead of where each comes from.",
            autocompletion=options.complete_topic,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", metavar="N/s", parser=options.rate, help="At most so many records a second."),
    ] = None,
    max_replays: Annotated[
        int, typer.Option("--max-replays", metavar="N", min=1, help="Park what was sent back N times already.")
    ] = 3,
    parked: Annotated[bool, typer.Option("--parked", help="Also those that were parked before.")] = False,
    keep_error_headers: Annotated[
        bool, typer.Option("--keep-error-headers", help="Keep the headers that the dead letters' writer added.")
    ] = False,
    keep_timestamp: Annotated[
        bool, typer.Option("--keep-timestamp", help="Keep each record's first time, instead of the present one.")
    ] = False,
    edit: Annotated[
        bool, typer.Option("--edit", help="Open the one record that matches in $EDITOR before it is sent.")
    ] = False,
    allow: Annotated[
        list[Allowed] | None,
        typer.Option(
            "--allow",
            help="duplicates: records older than dedup_window, and replays without a transaction. Repeatable.",
        ),
    ] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="End another replay of this topic that seems to be running.")
    ] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Send dead letters back to where they come from: shows the plan, asks, and notes of each what became of it.

    Key, value and the record's own headers stay byte for byte. Records and notes are sent in transactions: a replay
    that is interrupted goes on where it was. What cannot be sent is parked, and blocks nothing.

    \b
    Examples:
      kafkactl dlq replay dlq.payment --dry-run
      kafkactl dlq replay dlq.payment --error Timeout --rate 100/s
      kafkactl dlq replay dlq.payment --key order-17 --edit
    """
    from kafkactl.commands.dlq.sending_back import SendingBack, send_back

    if limit is not None and edit and limit != 1:
        raise UsageError("--edit opens one record: --limit cannot be more than 1.")
    send_back(
        Asked(target, yes, confirm, dry_run, show is Format.JSON),
        SendingBack(
            topic=topic,
            chosen=selection.selection(where, error, since, until, key),
            limit=limit,
            to=to,
            rate=rate,
            max_replays=max_replays,
            parked=parked,
            keep_error_headers=keep_error_headers,
            keep_timestamp=keep_timestamp,
            edit=edit,
            duplicates=bool(allow),
            take_over=take_over,
        ),
    )
