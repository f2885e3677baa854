"""lag --watch: a live table on a terminal; in a pipe a line for each change of a verdict, and nothing else."""

import shutil
import sys
import time
from collections import deque
from typing import NoReturn

from kafkactl import cluster, garbage, groupview, output
from kafkactl.catalog.model import Catalog
from kafkactl.cluster import Cluster
from kafkactl.commands.lag.run import Wish, judged, scope, tell_narrowed
from kafkactl.commands.lag.show import summary
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.escapes import plain
from kafkactl.groups.facts import Scope, read_groups
from kafkactl.groups.history import Change, History, changes, sparkline, states
from kafkactl.groups.report import Report
from kafkactl.groups.waiting import with_waiting
from kafkactl.groups.words import reason
from kafkactl.output import Column
from kafkactl.settings import Connection

_REFRESH = 2.0  # seconds between two looks
_CHANGES = 5  # that are shown below the table
_FRAME = 5  # lines of a screen that are no group: headings, summary, and the line of the clock


def watch(connection: Connection, catalog: Catalog | None, wish: Wish) -> NoReturn:
    """Look again and again, also through a restart of the cluster. Raises UnreachableError where there is none yet."""
    kafka = cluster.connect(connection)
    chosen = scope(kafka, catalog, wish)
    tell_narrowed(wish)
    view = _Screen(connection) if output.is_terminal(sys.stdout) else _Lines()
    history = History()
    while True:
        start = time.monotonic()
        try:
            found = _look(kafka, chosen, history, catalog, wish)
        except UnreachableError as error:
            view.unreachable(error)
        else:
            view.show(found, history)
        garbage.collect()
        time.sleep(max(0.2, _REFRESH - (time.monotonic() - start)))


def _look(kafka: Cluster, chosen: Scope, history: History, catalog: Catalog | None, wish: Wish) -> Report:
    sample = with_waiting(kafka, read_groups(kafka, chosen, committed=True), history.before, times=True)
    return judged(history.add(sample), catalog, wish)


def _clock() -> str:
    return time.strftime("%H:%M:%S")


def _change_text(change: Change, found: Report) -> str:
    line = next((line for line in found.lines if line.group.id == change.group), None)
    words = f"lag {line.judged.lag:,}  {reason(line)}".rstrip() if line else ""
    old, new = (text.replace("_", " ") if text != "OK" else "ok" for text in (change.old, change.new))
    move = f"{old} → {new or 'gone'}" if old else new
    return plain(f"{change.group}  {move}  {words}".rstrip())


class _Lines:
    """For a pipe: at first who is not well, then what changes."""

    def __init__(self) -> None:
        self._states: dict[str, str] | None = None
        self._away = False

    def show(self, found: Report, history: History) -> None:
        now = states(found)
        told = changes(self._states or {}, now)
        for change in told if self._states is not None else [change for change in told if change.new != "OK"]:
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

    def __init__(self, connection: Connection) -> None:
        self._label = connection.label
        self._states: dict[str, str] | None = None
        self._changes: deque[str] = deque(maxlen=_CHANGES)
        self._last: tuple[Report, History] | None = None

    def show(self, found: Report, history: History) -> None:
        now = states(found)
        if self._states is not None:
            self._changes += [f"{_clock()}  {_change_text(change, found)}" for change in changes(self._states, now)]
        self._states, self._last = now, (found, history)
        self._draw("")

    def unreachable(self, error: KafkactlError) -> None:
        self._draw(error.message)

    def _draw(self, trouble: str) -> None:
        with output.redrawn():
            if self._last:
                _table(*self._last, room=shutil.get_terminal_size().lines - _FRAME - len(self._changes))
            for text in self._changes:
                output.say(text[: output.width()])
            words = f"{_clock()}  {self._label}  every {_REFRESH:g} s, Ctrl-C ends"
            output.say(output.style().paint(trouble, "red") if trouble else "")
            output.say(output.style().paint(words[: output.width()], "dim"))


def _table(found: Report, history: History, room: int) -> None:
    shown = found.lines[: max(1, room)]
    sampled = found.seconds > 0
    marks = "▁▂▃▄▅▆▇█" if output.style().colour else "_.-=+*#"
    columns = [*groupview.columns(sampled), Column("LAG OVER TIME"), Column("")]
    rows = [
        [*groupview.cells(line, sampled), sparkline(history.lags(line.group.id), marks), reason(line)] for line in shown
    ]
    while len(columns) > len(groupview.columns(sampled)) and not groupview.fits(columns, rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    output.table(columns, rows)
    hidden = len(found.lines) - len(shown)
    output.say(summary(found, live=True) + (f" {hidden:,} more do not fit here." if hidden else ""))
