"""lag --watch: a live table on a terminal; in a pipe, only a line for each change of a verdict."""

import shutil
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, NoReturn

from kafkactl import process
from kafkactl.cluster.client import connect
from kafkactl.commands.lag.once import LagOptions, judged_report, scope, tell_narrowed
from kafkactl.connection import Connection
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.groups.fetch import Scope, read_groups
from kafkactl.groups.history import History, VerdictChange, changes, sparkline, states
from kafkactl.groups.reasons import reason
from kafkactl.groups.report import Report
from kafkactl.groups.sampling import with_waiting
from kafkactl.settings import Target
from kafkactl.text.escapes import plain
from kafkactl.view import group_table, output, screen
from kafkactl.view.lag_report import lag_summary
from kafkactl.view.output import Cell, Column

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog

_REFRESH = 2.0  # seconds between two refreshes
_CHANGES = 5  # how many changes are shown below the table
_FRAME = 5  # screen lines that are not groups: headings, summary, clock


def watch(target: Target, wish: LagOptions) -> NoReturn:
    """Refresh until Ctrl-C, even while the cluster restarts. Raises UnreachableError if it never answered."""
    connection, catalog = target.connection, target.catalog
    chosen = scope(connect(connection), catalog, wish)
    tell_narrowed(wish, target.flags)
    view = _Screen(connection, partitions=wish.partitions) if output.is_terminal(sys.stdout) else _Lines()
    history = History()
    while True:
        start = time.monotonic()
        try:
            found = _look(connection, chosen, history, catalog, wish)
        except UnreachableError as error:
            view.unreachable(error)
        else:
            view.show(found, history)
        process.collect_garbage()
        time.sleep(max(0.2, _REFRESH - (time.monotonic() - start)))


def _look(
    connection: Connection, chosen: Scope, history: History, catalog: "Catalog | None", wish: LagOptions
) -> Report:
    # Each refresh uses its own client once the cluster answers: librdkafka 2.16 aborts the process if an abandoned
    # request to a coordinator completes when the broker returns (librdkafka#4605).
    kafka = connect(connection)
    sample = read_groups(kafka, chosen, committed=True, identified=True)
    sample = with_waiting(kafka, sample, history.before, times=True)
    return judged_report(history.add(sample), catalog, wish)


def _clock() -> str:
    return time.strftime("%H:%M:%S")


def _change_text(change: VerdictChange, found: Report) -> str:
    line = next((line for line in found.lines if line.group.id == change.group), None)
    words = f"{f'lag {line.judged.lag:,}  ' if line.judged.known else ''}{reason(line)}" if line else ""
    move = f"{change.old} → {change.new or 'gone'}" if change.old else change.new
    return plain(f"{change.group}  {move}  {words}".rstrip())


class _Lines:
    """For a pipe: first the groups in trouble, then every change."""

    def __init__(self) -> None:
        self._states: dict[str, str] | None = None
        self._away = False

    def show(self, found: Report, history: History) -> None:
        now = states(found)
        for news in history.news:
            output.say(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')}  {news}")
        told = changes(self._states or {}, now)
        for change in told if self._states is not None else [change for change in told if change.new != "ok"]:
            output.say(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')}  {_change_text(change, found)}")
        if self._away:
            output.note("Kafka is back.")
        self._states, self._away = now, False
        sys.stdout.flush()

    def unreachable(self, error: KafkactlError) -> None:
        if not self._away:
            output.note(error.message)
        self._away = True


class _Screen:
    """For a terminal: the groups with the worst first, as many as fit, and the latest changes."""

    def __init__(self, connection: Connection, *, partitions: bool) -> None:
        self._partitions = partitions
        self._label = connection.label
        self._states: dict[str, str] | None = None
        self._changes: deque[str] = deque(maxlen=_CHANGES)
        self._last: tuple[Report, History] | None = None

    def show(self, found: Report, history: History) -> None:
        now = states(found)
        self._changes += [f"{_clock()}  {news}" for news in history.news]
        if self._states is not None:
            self._changes += [f"{_clock()}  {_change_text(change, found)}" for change in changes(self._states, now)]
        self._states, self._last = now, (found, history)
        self._draw("")

    def unreachable(self, error: KafkactlError) -> None:
        self._draw(error.message)

    def _draw(self, trouble: str) -> None:
        with screen.redrawn():
            if self._last:
                room = max(1, shutil.get_terminal_size().lines - _FRAME - len(self._changes))
                found, history = self._last
                hidden = _partitions(found, room) if self._partitions else _groups(found, history, room)
                output.say(
                    f"{lag_summary(found, live=True)}{f' {hidden:,} more do not fit on the screen.' if hidden else ''}"
                )
            for text in self._changes:
                output.say(output.fitted(text))
            words = f"{_clock()}  {self._label}  every {_REFRESH:g} s, Ctrl-C to stop"
            output.say(output.style().paint(trouble, "red") if trouble else "")
            output.say(output.style().paint(output.fitted(words), "dim"))


def _groups(found: Report, history: History, room: int) -> int:
    """A table of the groups; how many of them did not fit."""
    shown = found.lines[:room]
    sampled = found.seconds > 0
    marks = "▁▂▃▄▅▆▇█" if output.style().colour else "_.-=+*#"
    columns = [*group_table.group_columns(sampled), Column("LAG OVER TIME"), Column("")]
    rows: list[list[Cell]] = [
        [*group_table.group_cells(line, sampled), sparkline(history.lags(line.group.id), marks), reason(line)]
        for line in shown
    ]
    while len(columns) > len(group_table.group_columns(sampled)) and not output.fits(columns, rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    output.table(columns, rows)
    return len(found.lines) - len(shown)


def _partitions(found: Report, room: int) -> int:
    """A table of the groups' partitions; how many of them did not fit."""
    sampled = found.seconds > 0
    rows = [
        [line.group.id, *row] for line in found.lines for row in group_table.partition_rows(line, found.taken, sampled)
    ]
    output.table([Column("GROUP"), *group_table.partition_columns(sampled)], rows[:room])
    return len(rows) - len(rows[:room])
