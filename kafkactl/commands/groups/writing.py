"""groups reset, undo, copy, delete-offsets, delete: what a user types."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options, settings
from kafkactl.commands.groups.asked import Asked
from kafkactl.errors import UsageError
from kafkactl.output import Format

Group = Annotated[str, typer.Argument(metavar="GROUP", help="The group. Never taken from the environment.")]
Yes = Annotated[bool, typer.Option("--yes", help="Answer the question beforehand.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")]


def reset(
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
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
    file: options.File = None,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Let a group without members read on elsewhere. Shows the plan, asks, saves what was, and says how to undo it.

    \b
    Examples:
      kafkactl groups reset accounting-group --topic payment.success --to-time 2h
      kafkactl groups reset accounting-group --topic 'payment.*' --by -100 --dry-run
      kafkactl groups reset accounting-group --from-file accounting.json --yes
    """
    from kafkactl.commands.groups import run
    from kafkactl.records.span import moment

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
    run.reset(
        _asked(brokers, env, client_config, file, timeout, verbose, yes, confirm, dry_run, show),
        group,
        run.Where(
            topics=tuple(topics or ()),
            partitions=tuple(partitions or ()),
            option=given[0],
            value=places[given[0]],
            time=moment(to_time, datetime.now().astimezone()) if to_time is not None else None,
            text=_read(from_file) if from_file is not None else "",
        ),
    )


def undo(
    group: Annotated[
        str | None, typer.Argument(metavar="[GROUP]", help="Default: the group that was changed last on this cluster.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
    file: options.File = None,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Put a group's offsets back as they were before its last change, made with kafkactl from here; also an undo.

    \b
    Examples:
      kafkactl groups undo
      kafkactl groups undo accounting-group --yes
    """
    from kafkactl.commands.groups import run

    run.undo(_asked(brokers, env, client_config, file, timeout, verbose, yes, confirm, dry_run, show), group)


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The group whose offsets are taken.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The group that gets them; it may be a new one.")],
    topics: Annotated[
        list[str] | None, typer.Option("--topic", metavar="GLOB", help="Only these topics. Repeatable. Default: all.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
    file: options.File = None,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Let a group read on where another one stands.

    \b
    Examples:
      kafkactl groups copy accounting-group accounting-next-group
    """
    from kafkactl.commands.groups import run

    asked = _asked(brokers, env, client_config, file, timeout, verbose, yes, confirm, dry_run, show)
    run.copy(asked, source, target, tuple(topics or ()))


def delete_offsets(
    group: Group,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic whose offsets the group forgets.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
    file: options.File = None,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Let a group forget a topic that it does not read any more.

    \b
    Examples:
      kafkactl groups delete-offsets analytics-group payment.failed
    """
    from kafkactl.commands.groups import run

    asked = _asked(brokers, env, client_config, file, timeout, verbose, yes, confirm, dry_run, show)
    run.delete_offsets(asked, group, topic)


def delete(
    groups: Annotated[list[str], typer.Argument(metavar="GROUP…", help="The groups, by their very names.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    confirm: options.Confirm = None,
    show: options.Output = Format.TABLE,
    file: options.File = None,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Delete groups without members, and their offsets with them. They are saved first: undo brings them back.

    \b
    Examples:
      kafkactl groups delete old-group
    """
    from kafkactl.commands.groups import run

    run.delete(_asked(brokers, env, client_config, file, timeout, verbose, yes, confirm, dry_run, show), groups)


def _asked(
    brokers: str | None,
    env: str | None,
    client_config: Path | None,
    file: Path | None,
    timeout: float,
    verbose: bool,
    yes: bool,
    confirm: str | None,
    dry_run: bool,
    show: Format,
) -> Asked:
    catalog = settings.open_catalog(file, env, required=False)
    connection = settings.resolve(
        brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
    )
    flags = options.typed_flags(brokers, env, client_config, file)
    return Asked(connection, catalog, flags, yes=yes, confirm=confirm, dry_run=dry_run, json=show is Format.JSON)


def _read(path: Path) -> str:
    """A file's text; `-` is stdin. Raises UsageError where it cannot be read."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}.") from None
