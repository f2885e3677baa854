"""Reading records: partitions assigned by hand, from offsets that are known. Joins no group and commits nothing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.properties import client_properties
from kafkactl.cluster.words import reason
from kafkactl.errors import KafkactlError
from kafkactl.records.model import Record

Place = tuple[str, int]  # topic, partition

# Small enough for memory to stay bounded, large enough for a pipe to run at full speed.
_QUEUE_KIB = 65_536
_BATCH = 5_000
_GONE = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT)


class Reader:
    """Partitions of some topics, read from given offsets (None: from the first one left).

    `told` hears what a user should know: brokers that went away and came back, offsets that retention removed.
    """

    def __init__(self, cluster: Cluster, told: Callable[[str], None], *, uncommitted: bool = False) -> None:
        self._told = told
        self._away_since: float | None = None
        self._consumer = Consumer(
            {
                "fetch.queue.backoff.ms": 2,  # the default, a second, is what makes a pipe slow
                "queued.min.messages": 200_000,
                "queued.max.messages.kbytes": _QUEUE_KIB,
                "fetch.wait.max.ms": 100,
                **client_properties(cluster.connection),
                "group.id": "kafkactl",  # librdkafka asks for one; assign() joins none
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "allow.auto.create.topics": False,
                "isolation.level": "read_uncommitted" if uncommitted else "read_committed",
                "error_cb": self._error,
            }
        )

    def assign(self, offsets: Mapping[Place, int]) -> None:
        """Read these partitions, each from this offset, instead of those before."""
        self._consumer.assign([TP(topic, partition, offset) for (topic, partition), offset in offsets.items()])

    def messages(self, wait: float) -> tuple[list[Any], list[Place]]:
        """librdkafka's messages that have come within `wait` seconds, and the partitions whose end was reached.

        Raises KafkactlError where reading cannot go on.
        """
        batch = self._consumer.consume(_BATCH, 0)
        if not batch:
            first = self._consumer.poll(wait)
            if first is None:
                return [], []
            batch = [first, *self._consumer.consume(_BATCH, 0)]
        if not any(message.error() for message in batch):
            self._back()
            return batch, []
        good, ends = [], []
        for message in batch:
            error = message.error()
            if error is None:
                good.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ends.append((message.topic(), message.partition()))
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                self._start_again(message)
            elif error.code() not in _GONE:
                raise KafkactlError(f"{message.topic()}: {reason(error)}")
        if good or ends:
            self._back()
        return good, ends

    def close(self) -> None:
        self._consumer.close()

    def _start_again(self, message: Any) -> None:
        """Go on at the first offset left where the wanted one is gone."""
        place = (message.topic(), message.partition())
        first, _ = self._consumer.get_watermark_offsets(TP(*place), timeout=10)
        self._told(f"{place[0]}[{place[1]}]: offset {message.offset()} is gone; the first one left is {first}")
        self._consumer.incremental_unassign([TP(*place)])
        self._consumer.incremental_assign([TP(*place, first)])

    def _error(self, error: Any) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._away_since is None:
            self._away_since = time.monotonic()
            self._told("Kafka does not answer; waiting for it to come back")

    def _back(self) -> None:
        if self._away_since is not None:
            self._told(f"Kafka is back after {time.monotonic() - self._away_since:.0f} s; nothing was skipped")
            self._away_since = None


def as_record(message: Any) -> Record:
    """librdkafka's message as a record."""
    kind, timestamp = message.timestamp()
    none = kind == TIMESTAMP_NOT_AVAILABLE
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        None if none else timestamp,
        None if none else "create" if kind == TIMESTAMP_CREATE_TIME else "append",
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


def read_until(
    reader: Reader, starts: Mapping[Place, int], ends: Mapping[Place, int], seconds: float
) -> Iterator[Sequence[Any]]:
    """Batches of messages from `starts` up to `ends` (exclusive), to the very end of each partition's range.

    Compaction and transactions leave offsets without a record: a partition is done when its end is told (EOF), or a
    message at or beyond its last offset came. Raises KafkactlError when nothing comes for `seconds`.
    """
    open_places = {place for place, end in ends.items() if starts[place] < end}
    if not open_places:
        return
    reader.assign({place: starts[place] for place in open_places})
    heard = time.monotonic()
    while open_places:
        messages, reached = reader.messages(0.1)
        now = time.monotonic()
        heard = now if messages or reached else heard
        if now - heard > seconds:
            names = ", ".join(f"{topic}[{partition}]" for topic, partition in sorted(open_places)[:3])
            raise KafkactlError(f"No records came from {names} for {seconds:g} s, though there should be some.")
        wanted = [m for m in messages if m.offset() < ends.get((m.topic(), m.partition()), 0)]
        for message in messages:
            place = (message.topic(), message.partition())
            if message.offset() >= ends.get(place, 0) - 1:
                open_places.discard(place)
        open_places.difference_update(reached)
        if wanted:
            yield wanted
