"""dlq replay and purge: what a user types. Both ask before they change anything."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.commands.dlq.letter_options import DeadLetters, Error, Key, Since, Until, Where, selection
from kafkactl.errors import UsageError
from kafkactl.tab_names import complete_environment, complete_topic

if TYPE_CHECKING:
    from kafkactl.consent import Asked


class Allowed(StrEnum):
    """What a replay may do besides."""

    DUPLICATES = "duplicates"


@options.changes_cluster
def replay_letters(
    asked: "Asked",
    topic: DeadLetters,
    where: Where = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="At most N of them.", rich_help_panel="Which dead letters"),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TOPIC",
            help="Send all of them to TOPIC, instead of where each comes from.",
            autocompletion=complete_topic,
            rich_help_panel="How to send them",
        ),
    ] = None,
    to_env: Annotated[
        str | None,
        typer.Option(
            "--to-env",
            metavar="NAME",
            autocompletion=complete_environment,
            help="Send them to the cluster of this environment of topics.yaml: without transactions.",
            rich_help_panel="How to send them",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            metavar="N/s",
            parser=options.rate,
            help="At most so many records a second.",
            rich_help_panel="How to send them",
        ),
    ] = None,
    max_replays: Annotated[
        int,
        typer.Option(
            "--max-replays",
            metavar="N",
            min=1,
            help="Park what was sent back N times already.",
            rich_help_panel="How to send them",
        ),
    ] = 3,
    parked: Annotated[
        bool, typer.Option("--parked", help="Also those that were parked before.", rich_help_panel="Which dead letters")
    ] = False,
    keep_error_headers: Annotated[
        bool,
        typer.Option(
            "--keep-error-headers",
            help="Keep the headers that the dead letters' writer added.",
            rich_help_panel="How to send them",
        ),
    ] = False,
    keep_timestamp: Annotated[
        bool,
        typer.Option(
            "--keep-timestamp",
            help="Keep each record's first time, instead of the present one.",
            rich_help_panel="How to send them",
        ),
    ] = False,
    edit: Annotated[
        bool,
        typer.Option(
            "--edit",
            help="Open the one record that matches in $EDITOR before it is sent.",
            rich_help_panel="How to send them",
        ),
    ] = False,
    allow: Annotated[
        list[Allowed] | None,
        typer.Option(
            "--allow",
            help="duplicates: records older than dedup_window, replays without a transaction, and records that an "
            "earlier replay may have sent. Repeatable.",
        ),
    ] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="End another replay of this topic that seems to be running.")
    ] = False,
) -> None:
    """Send dead letters back to where they come from: shows the plan, asks, and notes what became of each.

    Key, value and the record's own headers stay byte for byte. Records and notes are sent in transactions, where this
    user may use one and nothing goes to another cluster; the plan says what else holds. A replay that is interrupted
    goes on where it was. What cannot be sent is parked, and blocks nothing.

    \b
    Examples:
      kafkactl dlq replay dlq.payment --dry-run
      kafkactl dlq replay dlq.payment --error Timeout --rate 100/s
      kafkactl dlq replay dlq.payment --to-env dr
      kafkactl dlq replay dlq.payment --key order-17 --edit
    """
    from kafkactl.commands.dlq.replay_scene import SendingBack
    from kafkactl.commands.dlq.sending_back import send_back

    if limit is not None and edit and limit != 1:
        raise UsageError("--edit opens one record: --limit cannot be more than 1.")
    send_back(
        asked,
        SendingBack(
            topic=topic,
            chosen=selection(where, error, since, until, key),
            limit=limit,
            to=to,
            to_env=to_env,
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


class Losing(StrEnum):
    """What a purge may delete besides."""

    PENDING = "pending"


@options.changes_cluster
def purge_letters(
    asked: "Asked",
    topic: DeadLetters,
    replayed: Annotated[bool, typer.Option("--replayed", help="Only those that were sent back.")] = False,
    parked: Annotated[
        bool,
        typer.Option(
            "--parked",
            help="Only those that were parked; with --replayed, either.",
            rich_help_panel="Which dead letters",
        ),
    ] = False,
    before: Annotated[
        str | None, typer.Option("--before", metavar="TIME", help="Only those given up before TIME (7d = 7 days ago).")
    ] = None,
    where: Where = None,
    error: Error = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FILE", help="Where they are saved first. Default: TOPIC.purged-TIME.jsonl, here."
        ),
    ] = None,
    allow: Annotated[
        list[Losing] | None, typer.Option("--allow", help="pending: also those that nothing was done with yet.")
    ] = None,
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
        asked,
        Purge(topic, selection(where, error, None, before, None), states, bool(allow), save),
    )
