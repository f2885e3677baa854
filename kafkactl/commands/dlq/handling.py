"""dlq list, show, replay, purge, export: what a user types."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.view.output import Format

if TYPE_CHECKING:
    from kafkactl.commands.dlq.selection import Selection

DeadLetters = Annotated[
    str,
    typer.Argument(metavar="TOPIC", help="The dead-letter topic.", autocompletion=options.complete_topic),
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="JQ", help="Only records for which this jq expression is true: .value.amount > 0."),
]
Error = Annotated[
    str | None, typer.Option("--error", metavar="REGEX", help="Only those whose error class or message matches.")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Only those that were given up at or after TIME (15m = 15 minutes ago)."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only those that were given up before TIME.")
]
Key = Annotated[
    bytes | None,
    typer.Option(
        "--key", metavar="KEY", parser=options.escaped_bytes, help=r"Only records with this key; \x00 is a byte."
    ),
]


def _selection(
    where: str | None, error: str | None, since: str | None, until: str | None, key: bytes | None
) -> "Selection":
    """What was typed. Raises UsageError for times between which nothing can be."""
    from kafkactl.commands.dlq.selection import Selection

    chosen = Selection(
        where, error, options.moment(since) if since else None, options.moment(until) if until else None, key
    )
    if chosen.since is not None and chosen.until is not None and chosen.since >= chosen.until:
        raise UsageError("--until is not after --since: no record can be between them.")
    return chosen


@options.on_cluster(first_aid=True)
def list_letters(
    target: Target,
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]…",
            help="Topics, or globs. Default: those that topics.yaml names under dlq, dlq.*, *.DLT and *-dlq.",
            autocompletion=options.complete_topic,
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Read every record, however long that takes; else for 3 seconds.")
    ] = False,
    show: options.Output = Format.TABLE,
    utc: options.Utc = False,
) -> None:
    """Show how many dead letters wait, where they come from, and why they were given up. Changes nothing.

    \b
    Examples:
      kafkactl dlq list
      kafkactl dlq list 'dlq.*' -o json
    """
    from kafkactl.commands.dlq.counted_topics import show_overview

    show_overview(target, topics or [], whole=whole, show=show, utc=utc)


@options.on_cluster(first_aid=True)
def show_letters(
    target: Target,
    topic: DeadLetters,
    number: Annotated[
        int, typer.Option("-n", metavar="N", min=1, help="Show the last N of them.", show_default="10")
    ] = 10,
    where: Where = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    pending: Annotated[bool, typer.Option("--pending", help="Only those that nothing was done with yet.")] = False,
    parked: Annotated[bool, typer.Option("--parked", help="Only those that a replay parked.")] = False,
    pretty: Annotated[bool, typer.Option("--pretty", help="Unfold stack traces and JSON values.")] = False,
    no_mask: Annotated[bool, typer.Option("--no-mask", help="Mask nothing, whatever topics.yaml says.")] = False,
    show: options.Output = Format.TABLE,
    utc: options.Utc = False,
) -> None:
    """Show dead letters: where each comes from, its error, how often it was tried, its key and value. Changes nothing.

    \b
    Examples:
      kafkactl dlq show dlq.payment
      kafkactl dlq show dlq.payment --error Timeout --since 1h --pretty
      kafkactl dlq show dlq.payment --where '.value.amount > 100000' -o json
    """
    from kafkactl.commands.dlq.letter_pages import PageOptions, show_page

    if pretty and show is Format.JSON:
        raise UsageError(
            "-o json writes one line for each dead letter: --pretty cannot be added.", hint="-o json | jq ."
        )
    if pending and parked:
        raise UsageError("--pending and --parked cannot be combined: nothing is both.")
    shown = PageOptions(number, pending=pending, parked=parked, pretty=pretty, unmasked=no_mask, show=show, utc=utc)
    show_page(target, topic, _selection(where, error, since, until, key), shown)


@options.on_cluster()
def export_letters(
    target: Target,
    topic: DeadLetters,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, which only you can read.")],
    where: Where = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
) -> None:
    """Save dead letters to a file, unmasked, which `produce --json` reads. Changes nothing.

    \b
    Examples:
      kafkactl dlq export dlq.payment letters.jsonl
      kafkactl dlq export dlq.payment letters.jsonl --error Timeout
    """
    from kafkactl.commands.dlq.saved_letters import export_to

    export_to(target, topic, path, _selection(where, error, since, until, key))


class Allowed(StrEnum):
    """What a replay may do besides."""

    DUPLICATES = "duplicates"


@options.on_cluster()
def replay_letters(
    target: Target,
    topic: DeadLetters,
    where: Where = None,
    error: Error = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
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
    to_env: Annotated[
        str | None,
        typer.Option(
            "--to-env",
            metavar="NAME",
            help="Send them to the cluster of this environment of topics.yaml: without transactions.",
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
            help="duplicates: records older than dedup_window, replays without a transaction, and records that an "
            "earlier replay may have sent. Repeatable.",
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
    """Send dead letters back to where they come from: shows the plan, asks, and notes what became of each.

    Key, value and the record's own headers stay byte for byte. Records and notes are sent in transactions: a replay
    that is interrupted goes on where it was. What cannot be sent is parked, and blocks nothing.

    \b
    Examples:
      kafkactl dlq replay dlq.payment --dry-run
      kafkactl dlq replay dlq.payment --error Timeout --rate 100/s
      kafkactl dlq replay dlq.payment --to-env dr
      kafkactl dlq replay dlq.payment --key order-17 --edit
    """
    from kafkactl.commands.dlq.replay_scene import SendingBack
    from kafkactl.commands.dlq.sending_back import send_back
    from kafkactl.consent import Asked

    if limit is not None and edit and limit != 1:
        raise UsageError("--edit opens one record: --limit cannot be more than 1.")
    send_back(
        Asked(target, yes, confirm, dry_run, show is Format.JSON),
        SendingBack(
            topic=topic,
            chosen=_selection(where, error, since, until, key),
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


@options.on_cluster()
def purge_letters(
    target: Target,
    topic: DeadLetters,
    replayed: Annotated[bool, typer.Option("--replayed", help="Only those that were sent back.")] = False,
    parked: Annotated[
        bool, typer.Option("--parked", help="Only those that were parked; with --replayed, either.")
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
    from kafkactl.consent import Asked

    if not (replayed or parked or before or where or error):
        raise UsageError(
            "Nothing says which dead letters to delete.",
            hint="Use --replayed, --parked, --before TIME, --where JQ or --error REGEX",
        )
    states = frozenset([*(["replayed"] if replayed else []), *(["parked"] if parked else [])])
    purge(
        Asked(target, yes, confirm, dry_run, show is Format.JSON),
        Purge(topic, _selection(where, error, None, before, None), states, bool(allow), save),
    )
