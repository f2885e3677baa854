"""groups reset, undo, copy, delete-offsets, delete: what a user types."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.consent import Asked
from kafkactl.errors import UsageError
from kafkactl.tab_names import complete_group, complete_topic

Group = Annotated[
    str,
    typer.Argument(
        metavar="GROUP", help="Group name; never taken from the environment.", autocompletion=complete_group
    ),
]


class Loss(StrEnum):
    """What `groups delete` may lose for good."""

    UNSAVED = "unsaved"


@options.changes_cluster
def reset(
    asked: Asked,
    group: Group,
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            metavar="GLOB",
            help="Topic name (all its partitions), or glob (partitions with commits of the group). Repeatable.",
            autocompletion=complete_topic,
            rich_help_panel="Which offsets",
        ),
    ] = None,
    partitions: Annotated[
        list[int] | None,
        typer.Option(
            "--partition", metavar="N", min=0, help="Only this partition. Repeatable.", rich_help_panel="Which offsets"
        ),
    ] = None,
    to_earliest: Annotated[
        bool, typer.Option("--to-earliest", help="Move to the first available record.", rich_help_panel="Where to")
    ] = False,
    to_latest: Annotated[
        bool,
        typer.Option("--to-latest", help="Move to the end, skipping all unread records.", rich_help_panel="Where to"),
    ] = False,
    to_time: Annotated[
        str | None,
        typer.Option(
            "--to-time",
            metavar="TIME",
            help="Move to the first record at or after TIME (15m = 15 minutes ago).",
            rich_help_panel="Where to",
        ),
    ] = None,
    by: Annotated[
        int | None,
        typer.Option("--by", metavar="N", help="Shift by N records; negative goes back.", rich_help_panel="Where to"),
    ] = None,
    to_offset: Annotated[
        int | None,
        typer.Option("--to-offset", metavar="N", min=0, help="Move to offset N.", rich_help_panel="Where to"),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from-file",
            metavar="FILE",
            help="Move to the offsets in FILE, from `groups save` or kafka-consumer-groups --export.",
            rich_help_panel="Where to",
        ),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="GROUP may be a new one.")] = False,
) -> None:
    """Move the committed offsets of an inactive group. Shows the plan, asks, saves the old offsets, and can be undone.

    \b
    Examples:
      kafkactl groups reset accounting-group --topic payment.success --to-time 2h
      kafkactl groups reset accounting-group --topic 'payment.*' --by -100 --dry-run
      kafkactl groups reset accounting-group --from-file accounting.json --yes
    """
    from kafkactl.commands.groups import moves

    places = {
        "--to-earliest": to_earliest or None,
        "--to-latest": to_latest or None,
        "--to-time": to_time,
        "--by": by,
        "--to-offset": to_offset,
        "--from-file": from_file,
    }
    given = [option for option, value in places.items() if value is not None]
    if len(given) != 1:
        why = f"{' and '.join(given)} cannot be combined." if given else "No target given."
        raise UsageError(why, hint=f"Use one of {', '.join(places)}.")
    if not topics and from_file is None:
        raise UsageError("No topic given.", hint=f"Name topics, or use a glob: --topic '*' {given[0]}")
    moves.reset_offsets(
        asked,
        group,
        moves.Where(
            topics=tuple(topics or ()),
            partitions=tuple(partitions or ()),
            option=given[0],
            value=places[given[0]],
            time=options.moment(to_time) if to_time is not None else None,
            text=_read(from_file) if from_file is not None else "",
            create=create,
        ),
    )


@options.changes_cluster
def undo(
    asked: Asked,
    group: Annotated[
        str | None,
        typer.Argument(metavar="[GROUP]", help="Group name. Default: the group last changed on this cluster."),
    ] = None,
) -> None:
    """Undo the last change that kafkactl made to a group from this machine; undoing an undo works too.

    \b
    Examples:
      kafkactl groups undo
      kafkactl groups undo accounting-group --yes
    """
    from kafkactl.commands.groups import moves

    moves.undo_change(asked, group)


@options.changes_cluster
def copy(
    asked: Asked,
    source: Annotated[str, typer.Argument(metavar="FROM_GROUP", help="The group to copy from.")],
    to: Annotated[str, typer.Argument(metavar="TO_GROUP", help="The group to copy to; it may be new.")],
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            metavar="GLOB",
            help="Only these topics. Repeatable. Default: all.",
            rich_help_panel="Which offsets",
        ),
    ] = None,
) -> None:
    """Copy one group's committed offsets to another group.

    \b
    Examples:
      kafkactl groups copy accounting-group accounting-next-group
    """
    from kafkactl.commands.groups import moves

    moves.copy_offsets(asked, source, to, tuple(topics or ()))


@options.changes_cluster
def delete_offsets(
    asked: Asked,
    group: Group,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic whose committed offsets are deleted.")],
) -> None:
    """Delete a group's committed offsets in a topic that it no longer reads.

    \b
    Examples:
      kafkactl groups delete-offsets analytics-group payment.failed
    """
    from kafkactl.commands.groups import moves

    moves.forget_offsets(asked, group, topic)


@options.changes_cluster
def delete(
    asked: Asked,
    groups: Annotated[
        list[str],
        typer.Argument(metavar="GROUP…", help="Group names; globs are not allowed.", autocompletion=complete_group),
    ],
    allow: Annotated[
        list[Loss] | None,
        typer.Option(
            "--allow", metavar="RISK", help="Allow a risk: unsaved (delete commits in topics hidden from you)."
        ),
    ] = None,
) -> None:
    """Delete inactive groups and their committed offsets. Saves the offsets first, so `groups undo` can restore them.

    Offsets in topics that you may not describe cannot be saved: this needs --allow unsaved, or a typed yes.

    \b
    Examples:
      kafkactl groups delete old-group
    """
    from kafkactl.commands.groups import moves

    moves.delete_groups(asked, groups, unsaved=bool(allow))


def _read(path: Path) -> str:
    """A file's text; `-` is stdin. Raises UsageError if it cannot be read."""
    try:
        return options.contents(path).decode()
    except UnicodeDecodeError:
        raise UsageError(f"Cannot read {path}: it is not UTF-8.") from None
