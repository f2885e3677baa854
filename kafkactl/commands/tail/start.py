"""Where a look starts in each partition, also in one that could not be asked when it began."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from kafkactl import output
from kafkactl.cluster import Cluster
from kafkactl.cluster.topics import read_topics
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.groups.facts import read_commits
from kafkactl.records import span
from kafkactl.topics import Place

_RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Start:
    """Where to start, as the user typed it; without any of these, with the last `number` records."""

    number: int
    from_beginning: bool
    since: int | None  # ms
    offset: int | None
    group: str | None

    def check(self) -> None:
        """Raise UsageError where several places to start are given."""
        starts = {
            "--from-beginning": self.from_beginning,
            "--since": self.since is not None,
            "--offset": self.offset is not None,
            "--group": self.group is not None,
        }
        given = [name for name, asked in starts.items() if asked]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} each say where to start: give one.")


Starts = Callable[[span.Bounds], Mapping[Place, int]]


def starts(kafka: Cluster, wish: Start, places: Sequence[Place]) -> Starts | None:
    """What tells the offsets to start at for partitions with these bounds; None for the last N records.

    Raises KafkactlError where the group has committed nothing in any of `places`.
    """
    if wish.since is not None:
        return since(kafka, wish.since)
    if wish.from_beginning:
        return lambda bounds: bounds.firsts
    if wish.offset is not None:
        offset = wish.offset
        return lambda bounds: {p: min(max(offset, first), bounds.ends[p]) for p, first in bounds.firsts.items()}
    if wish.group is not None:
        committed = read_commits(kafka, wish.group, places)
        if not committed:
            raise KafkactlError(f"The group {wish.group} has committed nothing in these topics.")
        return lambda bounds: {p: max(committed.get(p, end), bounds.firsts[p]) for p, end in bounds.ends.items()}
    return None


def since(kafka: Cluster, milliseconds: int) -> Starts:
    """Start at the first record at or after a time."""
    return lambda bounds: span.at_time(kafka, bounds.ends, milliseconds)


def tell_gone(wish: Start, bounds: span.Bounds) -> None:
    """Say where retention has removed the offset to start at."""
    for place, first in bounds.firsts.items():
        if wish.offset is not None and wish.offset < first:
            output.note(f"{span.name(place)}: offset {wish.offset} is gone; the first one left is {first}.")


class Latecomers:
    """Partitions whose leader did not answer at first: asked again, in the background, until it does."""

    def __init__(self, kafka: Cluster, places: frozenset[Place], uncommitted: bool, starts: Starts) -> None:
        self._kafka = kafka
        self._places = places
        self._uncommitted = uncommitted
        self._starts = starts
        self._asking: Future[Mapping[Place, int]] | None = None
        self._next = 0.0

    def come(self) -> Mapping[Place, int]:
        """Those that answer now, each with the offset to start at; they are late no more. Never waits."""
        if not self._places:
            return {}
        if self._asking is None:
            if time.monotonic() >= self._next:
                self._asking = self._kafka.start(self._ask)
            return {}
        if not self._asking.done():
            return {}
        asked, self._asking = self._asking, None
        self._next = time.monotonic() + _RETRY_SECONDS
        if isinstance(asked.exception(), KafkactlError):  # not yet
            return {}
        come = asked.result()
        self._places -= come.keys()
        return come

    def _ask(self) -> Mapping[Place, int]:
        topics = read_topics(self._kafka, config_of=()).found
        led = {(topic.name, p.id) for topic in topics.values() for p in topic.partitions if p.leader is not None}
        bounds = span.bounds(self._kafka, sorted(self._places & led), uncommitted=self._uncommitted)
        return self._starts(bounds) if bounds.ends else {}
