"""A window of time: which of librdkafka's messages and of our records are inside, and how far it has to be read.

Timestamps need not rise in a log: producers set them (CreateTime), a replay keeps them. So a window is a filter, and
its end is looked for behind the first later record.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafkactl.cluster.client import Cluster
from kafkactl.records.model import Record
from kafkactl.records.span import at_time
from kafkactl.topics import Place


@dataclass
class Window:
    """From `since` (inclusive) to `until` (exclusive), in ms since 1970; None is no limit.

    `unordered` are the partitions of which records were left out that stand among others that were not; `timeless`
    counts records without a timestamp, which are in no window.
    """

    since: int | None = None
    until: int | None = None

    def __post_init__(self) -> None:
        self.unordered: set[Place] = set()
        self.timeless = 0

    @property
    def open(self) -> bool:
        """Whether everything is inside."""
        return self.since is None and self.until is None

    def holds(self, record: Record) -> bool:
        """Whether a record is inside; what is not is remembered."""
        if self._inside(record.timestamp):
            return True
        self._left_out(record.topic, record.partition, record.timestamp)
        return False

    def inside(self, messages: Sequence[Any]) -> Sequence[Any]:
        """Those of librdkafka's messages that are inside."""
        if self.open:
            return messages
        kept = []
        for message in messages:
            kind, timestamp = message.timestamp()
            if self._inside(timestamp if kind else None):
                kept.append(message)
            else:
                self._left_out(message.topic(), message.partition(), timestamp if kind else None)
        return kept

    def _inside(self, timestamp: int | None) -> bool:
        if self.open:
            return True
        if timestamp is None:
            return False
        return (self.since is None or timestamp >= self.since) and (self.until is None or timestamp < self.until)

    def _left_out(self, topic: str, partition: int, timestamp: int | None) -> None:
        if timestamp is None:
            self.timeless += 1
        elif self.since is not None and timestamp < self.since:
            # Reading starts at the first record that is not: whatever older one follows is out of order.
            self.unordered.add(Place(topic, partition))


@dataclass(frozen=True)
class Reach:
    """How far to read for a window that has ended: offsets, and the partitions that have records behind them."""

    ends: Mapping[Place, int]
    cut: frozenset[Place]


def window_end(
    cluster: Cluster, ends: Mapping[Place, int], until: int, late: float | None, appended: Collection[str]
) -> Reach:
    """Where to stop reading for records before `until` (ms), at the latest at `ends`.

    In topics whose broker sets the timestamps (`appended`, LogAppendTime) time rises: the first later record is the
    end. In others records may be late: reading goes on to the first record `late` seconds after that, or with None
    to the end. Raises KafkactlError where a leader does not answer.
    """
    stops = at_time(cluster, {place: end for place, end in ends.items() if place.topic in appended}, until)
    others = {place: end for place, end in ends.items() if place.topic not in appended}
    if late is None or not others:
        return Reach({**stops, **others}, frozenset())
    found = at_time(cluster, others, until + round(late * 1000))
    return Reach({**stops, **found}, frozenset(place for place, stop in found.items() if stop < others[place]))
