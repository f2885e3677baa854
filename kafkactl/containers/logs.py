"""Containers' logs: existing lines merged by time, and new lines as they come, across restarts.

The engine's frames are entries, not lines: one that is longer than 16 KiB comes in several, and in a container with
a terminal they are cut anywhere. A stream ends when its container does; following goes on with the next start, even
of a container that was recreated under the same name.
"""

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from kafkactl.containers.endpoint import EngineError
from kafkactl.containers.engine import Engine
from kafkactl.containers.model import Container, LogLine, merged_by_time, nanoseconds
from kafkactl.text.escapes import without_colours

_POLL_SECONDS = 0.5
# The engine answered a moment ago, and may have to search a large log for its last lines.
_SILENT_SECONDS = 10.0
_GONE_SECONDS = 5.0
_MERGE_SECONDS = 0.1  # what arrives within it is put into the order of its time


class _Position:
    """How far a container's log was read.

    The engine is asked for lines since the microsecond of the newest one, so that none is lost; those of them that
    were read already come first, and are counted off. Times may go back a little: stdout and stderr race.
    """

    def __init__(self) -> None:
        self._times: deque[int] = deque()
        self._newest = 0

    def read(self, line: LogLine) -> None:
        """This line was read."""
        self._newest = max(self._newest, line.time)
        self._times.append(line.time)
        while self._times[0] < self._newest - 1_000_000:
            self._times.popleft()

    def resume(self, since: float | None) -> tuple[float | None, int]:
        """Since when (s since the epoch) to ask for lines, and how many of those are known. `since`: the user's."""
        if not self._newest:
            return since, 0
        start = max(self._newest // 1000 / 1e6, since or 0.0)
        exactly = int(Decimal(repr(start)) * 1_000_000_000)
        return start, sum(moment >= exactly for moment in self._times)


@dataclass(frozen=True)
class _Ended:
    """A reader's last word; the error it ended with, if it did."""

    error: EngineError | None = None


class ContainerLogs:
    """The logs of some containers of one engine."""

    def __init__(self, engine: Engine, containers: Sequence[Container]) -> None:
        self._engine = engine
        self._containers = containers
        self._positions = {container.name: _Position() for container in containers}
        scaled = Counter(container.service for container in containers)
        self._labels = {c.name: c.service if scaled[c.service] == 1 else c.name for c in containers}
        self._since: float | None = None
        self.unreadable: dict[str, str] = {}  # services whose log the engine does not give, and what it says

    @property
    def names(self) -> list[str]:
        """The names lines are shown under: of services; of containers where a service has several."""
        return list(self._labels.values())

    def so_far(self, tail: int | None, since: float | None, keep: Callable[[str], bool] | None) -> list[LogLine]:
        """The last `tail` lines of each container (None: all) since a time (s since the epoch), merged by time.

        `keep` chooses lines before the last ones are taken. Raises EngineError; an engine that falls silent is hung.
        """
        self._since = since
        if tail == 0:
            self._since = time.time()
            return []
        whole = None if keep else tail
        lines: queue.Queue[LogLine | _Ended] = queue.Queue()
        for container in self._containers:
            self._read_in_background(container, lines, tail="all" if whole is None else whole)
        found: dict[str, list[LogLine]] = {label: [] for label in self._labels.values()}
        for line in _until_ended(lines, len(self._containers), self._silent):
            if keep is None or keep(line.text):
                found[line.service].append(line)
        cut = (kept[max(0, len(kept) - tail) :] if tail is not None else kept for kept in found.values())
        return merged_by_time([line for kept in cut for line in kept])

    def _silent(self) -> EngineError:
        meant = self._engine.endpoint
        return EngineError("hung", f"The Docker engine at {meant.address} stopped answering.", where=meant.source)

    def _read_in_background(self, container: Container, lines: "queue.Queue[LogLine | _Ended]", tail: Any) -> None:
        def read() -> None:
            try:
                for line in self._stream(container, tail=tail, follow=False):
                    lines.put(line)
                lines.put(_Ended())
            except EngineError as error:
                lines.put(self._ended(container, error))

        threading.Thread(target=read, daemon=True).start()

    def _stream(self, container: Container, *, tail: Any, follow: bool) -> Iterator[LogLine]:
        """The new lines of a container's log, from where it was read to."""
        position = self._positions[container.name]
        since, known = position.resume(self._since)
        frames = self._engine.call(
            self._engine.client.logs,
            container.name,
            stream=True,
            follow=follow,
            timestamps=True,
            tail=tail,
            since=since,
        )
        whole = self._engine.stream(frames)
        for line in islice((_raw if container.tty else _entries)(whole, self._labels[container.name]), known, None):
            position.read(line)
            yield line

    def follow(self) -> Iterator[list[LogLine]]:
        """What is added from now on, in batches in the order of time, until the containers are removed.

        An empty batch comes several times a second, for the caller to breathe. Raises EngineError.
        """
        lines: queue.Queue[LogLine | _Ended] = queue.Queue()
        readable = [container for container in self._containers if container.service not in self.unreadable]
        for container in readable:
            threading.Thread(target=self._follow_one, args=(container, lines), daemon=True).start()
        left = len(readable)
        while left:
            batch = []
            deadline = time.monotonic() + _MERGE_SECONDS
            while (wait := deadline - time.monotonic()) > 0:
                try:
                    item = lines.get(timeout=wait)
                except queue.Empty:
                    break
                if isinstance(item, _Ended):
                    left -= 1
                    if item.error:
                        raise item.error
                else:
                    batch.append(item)
            yield merged_by_time(batch)

    def _follow_one(self, container: Container, lines: "queue.Queue[LogLine | _Ended]") -> None:
        id = container.id
        try:
            while True:
                try:
                    for line in self._stream(container, tail="all", follow=True):
                        lines.put(line)
                except EngineError as error:
                    if error.kind == "failed":
                        raise
                    # The stream broke. Whether the engine did, too, is asked next.
                id = self._next_start(container.name, id)
                time.sleep(_MERGE_SECONDS)
        except _Removed:
            lines.put(_Ended())
        except EngineError as error:
            lines.put(self._ended(container, error))

    def _ended(self, container: Container, error: EngineError) -> "_Ended":
        """The end of a reader. That the engine keeps no log of a container (its logging driver) ends no other."""
        if error.kind != "failed":
            return _Ended(error)
        self.unreadable[container.service] = error.message
        return _Ended()

    def _next_start(self, name: str, id: str) -> str:
        """Wait until a container that ended runs again, under its old id or as a new one of its name."""
        gone_since = None
        while True:
            found = self._engine.inspect([name])
            if found and found[0].id != id:
                self._positions[name] = _Position()
                return found[0].id
            if found and found[0].status in ("running", "paused"):
                return id
            # Compose removes a container before it gives its name to the new one.
            gone_since = None if found else gone_since or time.monotonic()
            if gone_since and time.monotonic() - gone_since > _GONE_SECONDS:
                raise _Removed
            time.sleep(_POLL_SECONDS)


class _Removed(Exception):
    """The container is gone, and none of its name has come."""


def _until_ended(
    lines: "queue.Queue[LogLine | _Ended]", readers: int, silent: Callable[[], EngineError]
) -> Iterator[LogLine]:
    """What this number of readers put, until all have ended. Raises the EngineError that ended one, if any."""
    while readers:
        try:
            item = lines.get(timeout=_SILENT_SECONDS)
        except queue.Empty:
            raise silent() from None
        if isinstance(item, _Ended):
            readers -= 1
            if item.error:
                raise item.error
        else:
            yield item


def _entries(frames: Iterator[bytes], service: str) -> Iterator[LogLine]:
    """Lines from the engine's frames. Each begins with its time, also one that goes on with an unfinished line."""
    time_ns, begun = 0, b""
    for frame in frames:
        stamp, _, text = frame.partition(b" ")
        if not begun:
            time_ns = nanoseconds(stamp.decode("ascii", "replace")) or 0
        begun += text
        if begun.endswith(b"\n"):
            yield LogLine(time_ns, service, _text(begun))
            begun = b""
    if begun:
        yield LogLine(time_ns, service, _text(begun))


def _raw(pieces: Iterator[bytes], service: str) -> Iterator[LogLine]:
    """Lines from what a terminal shows, which comes in pieces of any size."""
    begun = b""
    for piece in pieces:
        *whole, begun = (begun + piece).split(b"\n")
        for line in whole:
            yield from _entries(iter([line + b"\n"]), service)
    if begun:
        yield from _entries(iter([begun]), service)


def _text(line: bytes) -> str:
    return without_colours(line.rstrip(b"\r\n").decode(errors="replace"))
