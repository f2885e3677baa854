"""kafkactl logs: the services' logs, interleaved by time."""

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TextIO

import typer

from kafkactl.containers.model import LogLine, merged_by_time
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.options import Project, positive_duration
from kafkactl.private_files import open_private
from kafkactl.text.escapes import plain
from kafkactl.text.units import is_number
from kafkactl.text.words import many
from kafkactl.view import output
from kafkactl.view.formats import LineFormat

if TYPE_CHECKING:
    from kafkactl.services import Found

_DEFAULT_TAIL = 100
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue")


class _Source(Protocol):
    """A source of logs: containers, or a sandbox."""

    @property
    def unreadable(self) -> Mapping[str, str]: ...

    def so_far(self, tail: int | None, since: float | None, keep: Callable[[str], bool] | None, /) -> list[LogLine]: ...

    def follow(self) -> Iterator[list[LogLine]]: ...


def logs(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICE]…", help="Services, containers or brokers. Default: all.")
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep showing new lines until Ctrl-C.")] = False,
    tail: Annotated[
        str | None,
        typer.Option(
            "-n",
            "--lines",
            "--tail",
            metavar="N|all",
            help="Last N lines of each service. Default: 100; all with --since or --save.",
        ),
    ] = None,
    since: Annotated[
        float | None,
        typer.Option(
            "--since", metavar="TIME", parser=positive_duration, help="Only lines of the last TIME: 10m, 2h, 30s."
        ),
    ] = None,
    grep: Annotated[str | None, typer.Option("--grep", metavar="REGEX", help="Only lines that match REGEX.")] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write to FILE (overwritten if it exists).")
    ] = None,
    project: Project = None,
    show: Annotated[LineFormat, typer.Option("-o", "--output", help="Output format.")] = LineFormat.LINE,
) -> None:
    """Show the logs of the stack and the sandbox, interleaved by time and coloured by service.

    With --follow, logs continue when a container restarts.

    \b
    Examples:
      kafkactl logs
      kafkactl logs kafka -f
      kafkactl logs --since 10m --grep 'ERROR|WARN'
      kafkactl logs kafka --save kafka.log
    """
    from kafkactl.services import find_services

    count = _count(tail, everything=since is not None or save is not None)
    keep = _pattern(grep)
    found = find_services(project, Path.cwd())
    sources, names = _sources(found, services or [])
    start = time.time() - since if since is not None else None
    with _opened(save) as file:
        write = _writer(names, show, file)
        lines = merged_by_time([line for source in sources for line in source.so_far(count, start, keep)])
        written = write(lines)
        for source in sources:
            for name, why in source.unreadable.items():
                output.warn(f"{name}: {why}")
        try:
            if follow:
                for batch in _followed(sources):
                    written += write([line for line in batch if keep is None or keep(line.text)])
        finally:
            if save:
                output.note(f"Wrote {many(written, 'line')} to {save}.")


def _count(tail: str | None, *, everything: bool) -> int | None:
    """How many lines of each service; None is all. Raises UsageError."""
    if tail is None:
        return None if everything else _DEFAULT_TAIL
    if tail != "all" and not is_number(tail):
        raise UsageError(f"--tail {tail}: not a number of lines.", hint="For example: --tail 100, or --tail all")
    return None if tail == "all" else int(tail)


def _pattern(text: str | None) -> Callable[[str], bool] | None:
    if text is None:
        return None
    try:
        search = re.compile(text).search
    except re.error as error:
        raise UsageError(f"--grep: {error}.", where=f"The pattern is {text!r}.") from None
    return lambda line: search(line) is not None


def _sources(found: "Found", asked: Sequence[str]) -> tuple[list[_Source], list[str]]:
    """The log sources of these services, and their names in the order of colours."""
    from kafkactl.containers.logs import ContainerLogs
    from kafkactl.services import BrokerLogs

    containers, brokers = found.only(asked)
    sources: list[_Source] = []
    names = list(brokers)
    if containers and found.engine:
        kept = ContainerLogs(found.engine, containers)
        sources.append(kept)
        names = [*kept.names, *names]
    if brokers:
        sources.append(BrokerLogs(brokers))
    return sources, names


def _followed(sources: Sequence[_Source]) -> Iterator[list[LogLine]]:
    """New lines from each source in turn; none blocks for long. Ends when all sources have ended."""
    pending = [source.follow() for source in sources]
    while pending:
        for one in list(pending):
            try:
                yield next(one)
            except StopIteration:
                pending.remove(one)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """The file to write to; stdout if none is named."""
    if path is None:
        yield sys.stdout
        return
    try:
        file = io.TextIOWrapper(open_private(path), encoding="utf-8")
    except OSError as error:
        raise KafkactlError(f"Cannot write {path}: {error.strerror}.") from None
    with file:
        yield file


def _writer(names: Sequence[str], show: LineFormat, file: TextIO) -> Callable[[Sequence[LogLine]], int]:
    """A function that writes lines, flushes, and returns how many it wrote."""
    style = output.style(file)
    colours = {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)}
    widest = max(map(len, names), default=0)
    # Lines are prefixed with the service's name only if there are several services.
    prefix = {name: style.paint(f"{name:<{widest}} |", colours[name]) + " " if len(names) > 1 else "" for name in names}
    clean = plain if output.is_terminal(file) else str

    def write(lines: Sequence[LogLine]) -> int:
        if show is LineFormat.JSON:
            file.writelines(_json(line) for line in lines)
        else:
            file.writelines(f"{prefix[line.service]}{clean(line.text)}\n" for line in lines)
        if lines:
            file.flush()
        return len(lines)

    return write


def _json(line: LogLine) -> str:
    moment = datetime.fromtimestamp(line.time // 1_000_000_000, UTC)
    fraction = f"{line.time % 1_000_000_000:09d}"
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction}Z" if line.time else None
    return json.dumps({"time": stamp, "service": line.service, "line": line.text}, ensure_ascii=False) + "\n"
