"""Offsets of partitions, as reported by their leaders."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError
from confluent_kafka import TopicPartition as TP
from confluent_kafka.admin import OffsetSpec

from kafkactl.cluster.client import Cluster
from kafkactl.topics import NO_SUCH_TIME, LiveTopic, Place

# ListOffsets answers are merged pairwise by librdkafka: beyond this many partitions a request it costs seconds.
_AT_ONCE = 2000
# Partitions asked about at a time: each is a future, of some 2 KB, until it is answered.
_UNDER_WAY = 4 * _AT_ONCE


@dataclass(frozen=True)
class Range:
    """The offsets a partition holds: the first available one and the one after the last. None if unknown."""

    first: int | None
    end: int | None

    @property
    def span(self) -> int | None:
        """How many offsets that is; compaction and transactions make the records fewer."""
        return None if self.first is None or self.end is None else max(0, self.end - self.first)


def read_ranges(cluster: Cluster, topics: Iterable[LiveTopic]) -> dict[Place, Range]:
    """First and end offset of every partition that has a leader.

    If a leader does not answer within the connection's timeout, they are None: one broker down must not hide the rest.
    """
    return ranges_of(
        cluster, [Place(topic.name, p.id) for topic in topics for p in topic.partitions if p.leader is not None]
    )


def ranges_of(cluster: Cluster, places: Sequence[Place], *, committed: bool = False) -> dict[Place, Range]:
    """As `read_ranges`, for these partitions; `committed` ends one before its first open transaction."""
    began = time.monotonic()
    ranges = _ranges(cluster, places, committed=committed)
    late = [place for place, found in ranges.items() if found.span is None]
    # A leader that is new refuses at once, and answers a moment later; one that is dead takes its time to say nothing.
    if late and time.monotonic() - began < _QUICK:
        time.sleep(_MOMENT)
        ranges |= _ranges(cluster, late, committed=committed)
    return ranges


_QUICK, _MOMENT = 0.5, 0.2  # seconds


def _ranges(cluster: Cluster, places: Sequence[Place], *, committed: bool) -> dict[Place, Range]:
    ranges: dict[Place, Range] = {}
    for some in _portions(places):
        firsts, ends = _ask(cluster, some, OffsetSpec.earliest()), _ask(cluster, some, OffsetSpec.latest(), committed)
        first, end = _offsets(cluster, firsts), _offsets(cluster, ends)
        ranges |= {place: Range(first[place], end[place]) for place in some}
    return ranges


def read_stable_ends(cluster: Cluster, places: Sequence[Place]) -> dict[Place, int | None]:
    """How far a reader of committed transactions gets in each partition; None where no leader answers in time."""
    found: dict[Place, int | None] = {}
    for some in _portions(places):
        found |= _offsets(cluster, _ask(cluster, some, OffsetSpec.latest(), committed=True))
    return found


def read_time_offsets(cluster: Cluster, places: Iterable[Place], milliseconds: int) -> dict[Place, int | None]:
    """The first offset of each partition whose record is at or after a time; NO_SUCH_TIME where there is none.

    None where no leader answers within the connection's timeout.
    """
    found: dict[Place, int | None] = {}
    for some in _portions(list(places)):
        found |= _offsets(cluster, _ask(cluster, some, OffsetSpec.for_timestamp(milliseconds)), least=NO_SUCH_TIME)
    return found


def read_newest(cluster: Cluster, places: Iterable[Place]) -> dict[Place, int | None]:
    """The latest timestamp (ms) of each partition's records; None if there is none, or if no leader answers."""
    found: dict[Place, int | None] = {}
    for some in _portions(list(places)):
        answers = cluster.gather(_ask(cluster, some, OffsetSpec.max_timestamp()), limit=cluster.connection.timeout)
        found |= {
            place: None if isinstance(answer, KafkaError) or answer.timestamp < 0 else answer.timestamp
            for place, answer in answers.items()
        }
    return found


def _portions(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    for start in range(0, len(places), _UNDER_WAY):
        yield places[start : start + _UNDER_WAY]


def _ask(cluster: Cluster, places: Iterable[Place], spec: Any, committed: bool = False) -> dict[Place, Any]:
    """The futures of what the leaders answer to an OffsetSpec: all are under way at once."""
    asked = {place: TP(*place) for place in places}
    keys = list(asked.values())
    futures: dict[TP, Any] = {}
    for start in range(0, len(keys), _AT_ONCE):
        futures |= cluster.admin.list_offsets(
            dict.fromkeys(keys[start : start + _AT_ONCE], spec),
            isolation_level=IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED,
            request_timeout=cluster.connection.timeout * 0.8,
        )
    return {place: futures[key] for place, key in asked.items()}


def _offsets(cluster: Cluster, futures: dict[Place, Any], least: int = 0) -> dict[Place, int | None]:
    answers = cluster.gather(futures, limit=cluster.connection.timeout)
    # An unreachable leader comes back as success with a negative offset (library trap 1).
    return {
        place: None if isinstance(answer, KafkaError) or answer.offset < least else answer.offset
        for place, answer in answers.items()
    }
