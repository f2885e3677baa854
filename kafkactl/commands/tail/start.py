"""Where tail starts: in which partitions, and at which offset in each."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topics
from kafkactl.cluster.visibility import no_such_topic, topics_may_hide
from kafkactl.commands.tail.wishes import Shown
from kafkactl.errors import KafkactlError, NoTopicError, UsageError, WaitExpiredError
from kafkactl.records import span
from kafkactl.records.partitioning import Partitioner, partition_of
from kafkactl.text.escapes import printable
from kafkactl.text.words import and_more
from kafkactl.topics import SOME_TOPICS, LiveTopic, Place, beginning, is_glob, matches
from kafkactl.view import output

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog
    from kafkactl.commands.tail.marking import Marking

_RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Wanted:
    """What the user typed; `partitioner` says in which partition `key` must be."""

    topics: Sequence[str]
    partitions: Sequence[int] = ()
    key: bytes | None = None
    partitioner: Partitioner | None = None


@dataclass(frozen=True)
class Places:
    """Partitions with a leader, and those that have none at the moment."""

    led: Sequence[Place]
    leaderless: Sequence[Place]


def find_places(kafka: Cluster, wanted: Wanted) -> Places:
    """The partitions of these topics and globs. Raises KafkactlError for a topic or partition that is not there."""
    topics = read_topics(kafka, [name for name in wanted.topics if not is_glob(name)], config_of=())
    found: dict[Place, bool] = {}
    for pattern in wanted.topics:
        names = [pattern] if pattern in topics.found else []
        if is_glob(pattern):
            names = [name for name in topics.found if matches(name, pattern)]
        if not names:
            raise no_such_topic(kafka, pattern, topics)
        for name in names:
            ids = partitions_of(topics.found[name], wanted, strict=not is_glob(pattern))
            found |= {Place(name, p.id): p.leader is not None for p in topics.found[name].partitions if p.id in ids}
    return Places([place for place, led in found.items() if led], [place for place, led in found.items() if not led])


def await_places(kafka: Cluster, wanted: Wanted, seconds: float) -> Places:
    """As `find_places`, waiting so long for a topic that does not exist. Raises WaitExpiredError if it never does."""
    deadline = time.monotonic() + seconds
    told = ""
    while True:
        try:
            found = find_places(kafka, wanted)
        except NoTopicError as error:
            if not seconds:
                raise
            if time.monotonic() > deadline:
                raise WaitExpiredError(f"Waited {seconds:g} s. {error.message}", hint=error.hint) from None
            if error.message != told:
                output.note(f"waiting: {error.message}")
            told = error.message
            time.sleep(_RETRY_SECONDS)
        else:
            _tell_hidden(kafka, wanted)
            return found


def _tell_hidden(kafka: Cluster, wanted: Wanted) -> None:
    """Warn where a glob may match topics that this user may not describe."""
    globs = [pattern for pattern in wanted.topics if is_glob(pattern)]
    if globs and topics_may_hide(kafka, map(beginning, globs)):
        output.warn(f"incomplete answer: {SOME_TOPICS}")


def partitions_of(topic: LiveTopic, wanted: Wanted, *, strict: bool) -> set[int]:
    """The wanted partitions of a topic. Raises UsageError for one it does not have, if `strict`."""
    ids = {partition.id for partition in topic.partitions}
    missing = [number for number in wanted.partitions if number not in ids]
    if missing and strict:
        raise UsageError(f"{topic.name} has no partition {missing[0]}: its {len(ids)} partitions are numbered from 0.")
    if wanted.partitions:
        ids &= set(wanted.partitions)
    if wanted.partitioner is not None and wanted.key is not None:
        place = partition_of(wanted.key, len(topic.partitions), wanted.partitioner)
        if place not in ids and strict:
            raise UsageError(
                f"With {wanted.partitioner}, key {printable(wanted.key)} belongs in partition {place} of {topic.name}."
            )
        ids &= {place}
    return ids


@dataclass(frozen=True)
class Start:
    """Where to start, as the user typed it; if nothing else is given, at the last `number` records, or ten."""

    number: int | None  # None: not given
    from_beginning: bool
    since: int | None  # ms
    offset: int | None
    group: str | None

    def check(self) -> None:
        """Raise UsageError if several places to start are given."""
        starts = {
            "-n": self.number is not None,
            "--from-beginning": self.from_beginning,
            "--since": self.since is not None,
            "--offset": self.offset is not None,
            "--group": self.group is not None,
        }
        given = [name for name, asked in starts.items() if asked]
        if len(given) > 1:
            hint = "To stop after N records: -c N" if self.number is not None else ""
            raise UsageError(f"{' and '.join(given)} cannot be combined: each says where to start.", hint=hint)


Starts = Callable[[span.Bounds], Mapping[Place, int]]


def starts(kafka: Cluster, wish: Start, places: Sequence[Place]) -> Starts | None:
    """A function that returns the offsets to start at for partitions with these bounds; None for the last N records.

    Raises KafkactlError if the group has no commits in any of `places`.
    """
    if wish.since is not None:
        return since(kafka, wish.since)
    if wish.from_beginning:
        return lambda bounds: bounds.firsts
    if wish.offset is not None:
        offset = wish.offset
        return lambda bounds: {p: min(max(offset, first), bounds.ends[p]) for p, first in bounds.firsts.items()}
    if wish.group is not None:
        from kafkactl.groups.fetch import read_commits
        from kafkactl.groups.names import require_group

        committed = read_commits(kafka, wish.group, places)
        if not committed:
            require_group(kafka, wish.group)
            raise KafkactlError(f"Group {wish.group} has no commits in these topics.")
        return lambda bounds: {p: max(committed.get(p, end), bounds.firsts[p]) for p, end in bounds.ends.items()}
    return None


def since(kafka: Cluster, milliseconds: int) -> Starts:
    """Start at the first record at or after a time."""
    return lambda bounds: span.at_time(kafka, bounds.ends, milliseconds)


def tell_gone(wish: Start, bounds: span.Bounds) -> None:
    """Report partitions in which retention has deleted the offset to start at."""
    for place, first in bounds.firsts.items():
        if wish.offset is not None and wish.offset < first:
            output.note(
                f"{place}: offset {wish.offset} has been deleted; starting at the first available one, {first}."
            )
        if wish.offset is not None and wish.offset > bounds.ends[place]:
            output.note(f"{place}: offset {wish.offset} is beyond the end, {bounds.ends[place]}; starting there.")


class Latecomers:
    """Partitions whose leader did not answer at first; they are retried in the background."""

    def __init__(self, kafka: Cluster, places: frozenset[Place], uncommitted: bool, starts: Starts) -> None:
        self._kafka = kafka
        self._places = places
        self._uncommitted = uncommitted
        self._starts = starts
        self._asking: Future[Mapping[Place, int]] | None = None
        self._next = 0.0

    def come(self) -> Mapping[Place, int]:
        """The partitions that answer now, each with the offset to start at; they are then removed here. Never waits."""
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

    def forget(self, places: Collection[Place]) -> None:
        """These do not exist any more."""
        self._places -= frozenset(places)

    def _ask(self) -> Mapping[Place, int]:
        topics = read_topics(self._kafka, config_of=()).found
        led = {Place(topic.name, p.id) for topic in topics.values() for p in topic.partitions if p.leader is not None}
        bounds = span.bounds(self._kafka, sorted(self._places & led), uncommitted=self._uncommitted)
        return self._starts(bounds) if bounds.ends else {}


def contract_marking(topics: Collection[str], catalog: "Catalog | None", shown: Shown) -> "Marking":
    """What marks records that break their contract; loaded only where it is asked for. Raises UsageError."""
    from kafkactl.commands.tail.marking import Marking
    from kafkactl.contracts.record_check import RecordCheck

    check = RecordCheck(topics, catalog)
    if check.without:
        output.note(f"Not checked, for want of a contract: {and_more(check.without)}.")
    return Marking(check, invalid_only=shown.invalid, parsed=shown.parse)
