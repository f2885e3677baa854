"""groups reset, undo, copy, delete-offsets, delete: what a user types."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.commands.groups.change import Asked
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.view.output import Format

Group = Annotated[str, typer.Argument(metavar="GROUP", help="The group. Never taken from the environment.")]


@options.on_cluster()
def reset(
    target: Target,
    group: Group,
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            metavar="GLOB",
            help="Topics: a name, with all its partitions; or a glob, of those the group has committed in. Repeatable.",
            autocompletion=options.complete_topic,
        ),
    ] = None,
    partitions: Annotated[
        list[int] | None, typer.Option("--partition", metavar="N", min=0, help="Only this partition. Repeatable.")
    ] = None,
    to_earliest: Annotated[bool, typer.Option("--to-earliest", help="To the first record left.")] = False,
    to_latest: Annotated[bool, typer.Option("--to-latest", help="To the end: what waits is skipped.")] = False,
    to_time: Annotated[
        str | None,
        typer.Option("--to-time", metavar="TIME", help="To the first record 15m ago or later, or at a time."),
    ] = None,
    by: Annotated[int | None, typer.Option("--by", metavar="N", help="By so many records on; back with -100.")] = None,
    to_offset: Annotated[int | None, typer.Option("--to-offset", metavar="N", min=0, help="To this offset.")] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from-file", metavar="FILE", help="To what `groups save` wrote, or kafka-consumer-groups --export."
        ),
    ] = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Let a group without members read on elsewhere. Shows the plan, asks, saves what was, and says how to undo it.

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
        asked = f"{' and '.join(given)} each say where to: give one." if given else "Where to?"
        raise UsageError(asked, hint=f"Give one of {', '.join(places)}.")
    if not topics and from_file is None:
        raise UsageError("Of which topics?", hint=f"Name them, or a glob: --topic '*' {given[0]}")
    moves.reset_offsets(
        Asked(target, yes, confirm, dry_run, show is Format.JSON),
        group,
        moves.Where(
            topics=tuple(topics or ()),
            partitions=tuple(partitions or ()),
            option=given[0],
            value=places[given[0]],
            time=options.moment(to_time) if to_time is not None else None,
            text=_read(from_file) if from_file is not None else "",
        ),
    )


@options.on_cluster()
def undo(
    target: Target,
    group: Annotated[
        str | None, typer.Argument(metavar="[GROUP]", help="Default: the group that was changed last on this cluster.")
    ] = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Put a group's offsets back as they were before its last change, made with kafkactl from here; also an undo.

    \b
    Examples:
      kafkactl groups undo
      kafkactl groups undo accounting-group --yes
    """
    from kafkactl.commands.groups import moves

    moves.undo_change(Asked(target, yes, confirm, dry_run, show is Format.JSON), group)


@options.on_cluster()
def copy(
    target: Target,
    source: Annotated[str, typer.Argument(metavar="FROM", help="The group whose offsets are taken.")],
    to: Annotated[str, typer.Argument(metavar="TO", help="The group that gets them; it may be a new one.")],
    topics: Annotated[
        list[str] | None, typer.Option("--topic", metavar="GLOB", help="Only these topics. Repeatable. Default: all.")
    ] = None,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Let a group read on where another one stands.

    \b
    Examples:
      kafkactl groups copy accounting-group accounting-next-group
    """
    from kafkactl.commands.groups import moves

    asked = Asked(target, yes, confirm, dry_run, show is Format.JSON)
    moves.copy_offsets(asked, source, to, tuple(topics or ()))


@options.on_cluster()
def delete_offsets(
    target: Target,
    group: Group,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic whose offsets the group forgets.")],
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Let a group forget a topic that it does not read any more.

    \b
    Examples:
      kafkactl groups delete-offsets analytics-group payment.failed
    """
    from kafkactl.commands.groups import moves

    asked = Asked(target, yes, confirm, dry_run, show is Format.JSON)
    moves.forget_offsets(asked, group, topic)


@options.on_cluster()
def delete(
    target: Target,
    groups: Annotated[list[str], typer.Argument(metavar="GROUP…", help="The groups, by their very names.")],
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Delete groups without members, and their offsets with them. They are saved first: undo brings them back.

    \b
    Examples:
      kafkactl groups delete old-group
    """
    from kafkactl.commands.groups import moves

    moves.delete_groups(Asked(target, yes, confirm, dry_run, show is Format.JSON), groups)


def _read(path: Path) -> str:
    """A file's text; `-` is stdin. Raises UsageError where it cannot be read."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}.") from None
