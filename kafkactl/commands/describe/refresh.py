"""describe --watch: the page again and again, and what became of the topics in between."""

import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NoReturn

from kafkactl import process
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_identities
from kafkactl.connection import Connection
from kafkactl.errors import ExitCode, KafkactlError, UnreachableError
from kafkactl.text.words import many
from kafkactl.topics import TopicIdentity, is_glob, is_internal, matches, topic_changes
from kafkactl.view import output, screen
from kafkactl.view.output import say

_REFRESH = 2.0  # seconds between two refreshes
_CHANGES = 5  # how many changes are shown below a page

Look = Callable[[Cluster, list[str] | None], ExitCode]


def refresh(look: Look, connection: Connection, names: list[str] | None, *, topics: bool, page: bool) -> NoReturn:
    """Refresh until Ctrl-C, even while the cluster restarts.

    `page`: for people; else stdout gets documents alone. Raises KafkactlError when every topic that was named is gone.
    """
    seen = _Topics((names or None) if topics else [])
    if not (page and output.is_terminal(sys.stdout)):
        while True:
            _write(look, connection, names, seen, topics=topics, page=page)
    with screen.own_screen():
        drawn = _Screen(connection.label)
        while True:
            _draw(drawn, look, connection, names, seen, topics=topics)


def _write(
    look: Look, connection: Connection, names: list[str] | None, seen: "_Topics", *, topics: bool, page: bool
) -> None:
    """One look, for a pipe."""
    try:
        kafka = connect(connection)
        for change in seen.news(kafka):
            output.note(f"{change}.")
        look(kafka, seen.left if topics else names)
    except UnreachableError as error:
        output.note(error.message)
    if page:
        say(f"\n{time.strftime('%H:%M:%S%z')}  {connection.label}  every {_REFRESH:g} s, Ctrl-C to stop")
    _pause()


def _draw(
    drawn: "_Screen", look: Look, connection: Connection, names: list[str] | None, seen: "_Topics", *, topics: bool
) -> None:
    """One look, for a terminal."""
    try:
        kafka = connect(connection)
        for change in seen.news(kafka):
            drawn.changes.append(f"{time.strftime('%H:%M:%S')}  {change}")
        drawn.lines = screen.captured(lambda: look(kafka, seen.left if topics else names))
        drawn.answered = time.strftime("%H:%M:%S")
        drawn.show("")
    except UnreachableError as error:
        drawn.show(error.message)
    _pause()


def _pause() -> None:
    sys.stdout.flush()
    process.collect_garbage()
    time.sleep(_REFRESH)


class _Screen:
    """The last page, as much of it as fits, and below it what changed, and how it stands with Kafka."""

    def __init__(self, label: str) -> None:
        self._label = label
        self.lines: list[str] = []
        self.answered = ""
        self.changes: deque[str] = deque(maxlen=_CHANGES)

    def show(self, trouble: str) -> None:
        """Draw it; `trouble` is why there is no newer page."""
        foot = [output.fitted(change) for change in self.changes]
        if trouble:
            foot.append(output.style().paint(output.fitted(trouble), "red"))
            foot += [f"Above is the answer of {self.answered}."] if self.lines else []
        foot += [output.fitted(f"{time.strftime('%H:%M:%S%z')}  {self._label}  every {_REFRESH:g} s, Ctrl-C to stop")]
        room = shutil.get_terminal_size().lines - len(foot) - 1
        shown = self.lines if len(self.lines) <= room else self.lines[: max(0, room - 1)]
        with screen.redrawn():
            for line in shown:
                say(line)
            if hidden := len(self.lines) - len(shown):
                say(output.style().paint(f"… {many(hidden, 'more line')} than this window has", "dim"))
            say()
            sys.stdout.write("\n".join(foot))


class _Topics:
    """The topics that are watched; all but Kafka's own where none is named. Not frozen: they come and go."""

    def __init__(self, names: list[str] | None) -> None:
        self._names = names
        self._seen: Mapping[str, TopicIdentity] | None = None

    def _wanted(self, name: str) -> bool:
        return not is_internal(name) if self._names is None else any(matches(name, given) for given in self._names)

    @property
    def left(self) -> list[str] | None:
        """The names and globs that are still to be shown."""
        return self._names

    def news(self, kafka: Cluster) -> list[str]:
        """What became of them since the last look. Raises KafkactlError when nothing is left of what was named."""
        now = read_identities(kafka, self._wanted) if self._names != [] else {}
        before, self._seen = self._seen, now
        told = topic_changes(before, now) if before is not None else []
        if before and self._names:
            gone = before.keys() - now.keys()
            self._names = [name for name in self._names if is_glob(name) or name not in gone]
            if not self._names:
                raise KafkactlError(f"{', '.join(told)}. Nothing is left to watch.")
        return told
