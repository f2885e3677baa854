"""Reading records: partitions assigned by hand, from offsets that are known. Joins no group and commits nothing."""

import contextlib
import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
)
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text
from kafkactl.cluster.properties import client_properties
from kafkactl.errors import KafkactlError, NotPermittedError
from kafkactl.records.model import Record, TimestampType
from kafkactl.text.words import and_more
from kafkactl.topics import Place

# Bounds what is buffered for a slow reader. Many tiny records weigh more than their bytes, so their number is bounded
# too, and a fetch brings few; a pipe still runs at full speed.
_QUEUE = {
    "queued.max.messages.kbytes": 16_384,
    "queued.min.messages": 100_000,
    "fetch.max.bytes": 2_000_000,
    "fetch.queue.backoff.ms": 2,  # the default, a second, is what makes a pipe slow
}
# Of many partitions one record each: what comes after it is fetched for nothing.
_FEW = {"fetch.message.max.bytes": 65_536, "queued.min.messages": 1}
_BATCH = 1_000
_MANY = 100  # partitions
_GONE = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT)

# librdkafka looks for the coordinator of its group, which we do not use and may not be allowed to see.
_OF_THE_GROUP = (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.COORDINATOR_NOT_AVAILABLE)


# The topic is gone: whoever follows it looks for it, and says so; whoever reads to an end hears nothing more.
_NO_SUCH = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)


class Reader:
    """Partitions of some topics, read from given offsets.

    `told` receives messages for the user: brokers that went down and came back, offsets that retention deleted. With
    `few` it is quick where only the first records of each partition are wanted.
    """

    def __init__(
        self, cluster: Cluster, told: Callable[[str], None], *, uncommitted: bool = False, few: bool = False
    ) -> None:
        self._told = told
        self._timeout = cluster.connection.timeout
        self._away_since: float | None = None
        self._listed = False
        self._properties = {
            **_QUEUE,
            **(_FEW if few else {}),
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
        self._consumer = Consumer(self._properties)

    def renew(self) -> None:
        """Forget all partitions read so far: librdkafka keeps them, and gets slower with the square of their number."""
        self.close()
        self._consumer = Consumer(self._properties)
        self._listed = False

    def assign(self, offsets: Mapping[Place, int]) -> None:
        """Read these partitions, each from this offset, instead of those before."""
        if len(offsets) > _MANY and not self._listed:
            # Told of all topics at once; else librdkafka asks for those it does not know yet, a round a second. Only
            # once: it looks up each of them in a list of those that it reads.
            self._listed = True
            with contextlib.suppress(KafkaException):
                self._consumer.list_topics(timeout=self._timeout)
        self._consumer.assign([TP(*place, offset) for place, offset in offsets.items()])

    def join(self, offsets: Mapping[Place, int]) -> None:
        """Read these partitions, too."""
        self._consumer.incremental_assign([TP(*place, offset) for place, offset in offsets.items()])

    def leave(self, places: Iterable[Place]) -> None:
        """Read these partitions no more; messages of theirs that have come already are dropped."""
        self._consumer.incremental_unassign([TP(*place) for place in places])

    def messages(self, wait: float) -> tuple[list[Any], dict[Place, int]]:
        """librdkafka's messages of the next `wait` seconds, and the partitions whose end was reached, with that offset.

        Raises KafkactlError where reading cannot go on.
        """
        batch = self._consumer.consume(_BATCH, 0)
        if not batch:
            first = self._consumer.poll(wait)
            if first is None:
                return [], {}
            batch = [first, *self._consumer.consume(_BATCH, 0)]
        if not any(map(Message.error, batch)):
            self._back()
            return batch, {}
        good: list[Any] = []
        ends: dict[Place, int] = {}
        for message in batch:
            error = message.error()
            if error is None:
                good.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ends[Place(message.topic(), message.partition())] = message.offset()
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                self._start_again(message)
            elif error.code() not in (*_GONE, *_OF_THE_GROUP, *_NO_SUCH):
                if error.code() in DENIED:
                    raise NotPermittedError(f"{message.topic()}: no permission (needs Read on the topic).")
                raise KafkactlError(f"{message.topic()}: {error_text(error)}")
        if good or ends:
            self._back()
        return good, ends

    def held(self, places: Iterable[Place]) -> list[Place]:
        """Those of these partitions that are being read."""
        assigned = {Place(tp.topic, tp.partition) for tp in self._consumer.assignment()}
        return [place for place in places if place in assigned]

    def last_offsets(self, places: Iterable[Place]) -> dict[Place, int]:
        """The offset of the last message that came of each of these partitions; without those of which none did."""
        found = self._consumer.position([TP(*place) for place in places])
        return {Place(tp.topic, tp.partition): tp.offset - 1 for tp in found if tp.offset >= 0}

    def close(self) -> None:
        self._consumer.unassign()  # of thousands of partitions close() alone takes seconds
        self._consumer.close()

    def _start_again(self, message: Any) -> None:
        """Continue where there are records: at the first available offset, or at the end of a truncated log."""
        place, wanted = Place(message.topic(), message.partition()), message.offset()
        self.leave([place])
        try:
            first, end = self._consumer.get_watermark_offsets(TP(*place), timeout=self._timeout)
        except KafkaException:  # asked again when the next fetch fails
            self.join({place: wanted})
            return
        if wanted < first:
            self._told(f"{place}: offset {wanted} has been deleted; continuing at the first available one, {first}")
        elif wanted > end:
            self._told(
                f"{place}: offset {wanted} is beyond the end, {end}: the topic was recreated, or a broker lost records"
            )
        self.join({place: min(max(wanted, first), end)})

    def _error(self, error: Any) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._away_since is None:
            self._away_since = time.monotonic()
            self._told("Kafka does not answer; waiting for it to come back")

    def _back(self) -> None:
        if self._away_since is not None:
            self._told(f"Kafka is back after {time.monotonic() - self._away_since:.0f} s; nothing was skipped")
            self._away_since = None


# By librdkafka's kind of a timestamp.
_KINDS: Mapping[int, TimestampType] = {TIMESTAMP_CREATE_TIME: "create", TIMESTAMP_LOG_APPEND_TIME: "append"}


def as_record(message: Any) -> Record:
    """librdkafka's message as a record."""
    kind, timestamp = message.timestamp()
    headers = message.headers()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        timestamp if kind in _KINDS else None,
        _KINDS.get(kind),
        message.key(),
        message.value(),
        tuple(headers) if headers else (),
    )


def raw_values(messages: Sequence[Any]) -> bytes:
    """The values as they are, a newline after each; a null is an empty line."""
    try:
        return b"\n".join([*map(Message.value, messages), b""])
    except TypeError:  # one of them is null
        return b"\n".join([*(message.value() or b"" for message in messages), b""])


def read_until(
    reader: Reader, starts: Mapping[Place, int], ends: Mapping[Place, int], seconds: float
) -> Iterator[Sequence[Any]]:
    """Batches of messages from `starts` up to `ends` (exclusive), to the very end of each partition's range.

    Compaction and transactions leave offsets without a record: a partition is done when its end is told (EOF), or a
    message at or beyond its last offset came; it is read no further then. Raises KafkactlError when nothing comes for
    `seconds`.
    """
    open_places = {place for place, end in ends.items() if starts[place] < end}
    if not open_places:
        return
    reader.assign({place: starts[place] for place in open_places})
    heard = time.monotonic()
    while open_places:
        messages, reached = reader.messages(0.1)
        if messages or reached:
            heard = time.monotonic()
        elif time.monotonic() - heard > seconds:
            raise KafkactlError(
                f"No records arrived from {and_more(sorted(open_places))} for {seconds:g} s, but there should be some."
            )
        # Of few partitions librdkafka is asked, of many the messages: either way with no line of Python for each.
        few = len(open_places) < len(messages)
        last = reader.last_offsets(open_places) if few else _last_offsets(messages)
        done = {place for place, offset in last.items() if offset >= ends[place] - 1} | reached.keys()
        if any(offset >= ends[place] for place, offset in last.items()):
            messages = [m for m in messages if m.offset() < ends[Place(m.topic(), m.partition())]]
        open_places -= done
        if open_places and done:
            reader.leave(done)  # else what comes behind its end would be read, and shown
        if messages:
            yield messages
            heard = time.monotonic()  # does not count the time a slow reader of our output took


def _last_offsets(messages: Sequence[Any]) -> dict[Place, int]:
    """The last offset of each partition among these messages."""
    places: Any = zip(map(Message.topic, messages), map(Message.partition, messages), strict=True)  # as good as Places
    return dict(zip(places, map(Message.offset, messages), strict=True))


_MOST_AT_ONCE = 100_000  # offsets of one partition
_PLACES_AT_ONCE = 2_500  # what is kept of each is then compared with the others

Found = tuple[int, str, int, int, bytes]  # time, topic, partition, offset, text


@dataclass
class _Tail:
    """What is known of the end of one partition: from offset `begin` on, `matches` records are shown.

    `ceiling` is the time (ms) of the first record read, and none before it counts as later: None where none was read.
    """

    first: int
    begin: int
    step: int
    matches: int = 0
    ceiling: int | None = None


def last_records(
    reader: Reader,
    firsts: Mapping[Place, int],
    ends: Mapping[Place, int],
    count: int,
    text: Callable[[Record], bytes | None],
    seconds: float,
    read: Callable[[Any], Record] | None = None,
) -> list[bytes]:
    """The texts of the newest `count` records before `ends` that have one, oldest first.

    Of each partition the last ones, without a hole and in the order of their offsets, whatever their timestamps: a
    record counts as no older than those before it. Across partitions they are chosen and merged by that time. Each
    partition is read backwards in growing steps until it has `count` of them, or nothing before could be among them.
    What is held at a time is bounded, however many partitions there are.
    """
    newest: list[Found] = []  # a heap: the oldest first
    tails = {place: _Tail(firsts[place], end, count) for place, end in ends.items() if firsts[place] < end}
    while tails and count:
        for number, group in enumerate(_groups(tails, _PLACES_AT_ONCE)):
            if number:
                reader.renew()
            for kept in _read_back(reader, group, count, text, seconds, read or as_record).values():
                for found in kept:
                    (heapq.heappush if len(newest) < count else heapq.heappushpop)(newest, found)
        floor = newest[0][0] if len(newest) == count else None
        tails = {place: tail for place, tail in tails.items() if _hungry(tail, count, floor)}
    return [found[-1] for found in sorted(newest)]


def _groups(tails: Mapping[Place, _Tail], size: int) -> Iterator[dict[Place, _Tail]]:
    items = iter(tails.items())
    while group := dict(islice(items, size)):
        yield group


def _read_back(
    reader: Reader,
    tails: Mapping[Place, _Tail],
    count: int,
    text: Callable[[Record], bytes | None],
    seconds: float,
    read: Callable[[Any], Record],
) -> Mapping[Place, Sequence[Found]]:
    """Read one step further back in these partitions: the last records of each that are shown, and still wanted."""
    stops = {place: tail.begin for place, tail in tails.items()}
    starts = {place: max(tail.first, tail.begin - tail.step) for place, tail in tails.items()}
    kept: dict[Place, deque[Found]] = {place: deque(maxlen=count - tail.matches) for place, tail in tails.items()}
    oldest: dict[Place, int] = {}
    latest: dict[Place, int] = {}
    for messages in read_until(reader, starts, stops, seconds):
        for record in map(read, messages):
            place = Place(record.topic, record.partition)
            time = -1 if record.timestamp is None else record.timestamp
            oldest.setdefault(place, time)
            latest[place] = time = max(time, latest.get(place, time))
            ceiling = tails[place].ceiling
            if (shown := text(record)) is not None:
                kept[place].append((time if ceiling is None else min(time, ceiling), *place, record.offset, shown))
    for place, tail in tails.items():
        tail.matches += len(kept[place])
        tail.begin = starts[place]
        tail.step = min(tail.step * 4, _MOST_AT_ONCE)
        if place in oldest:
            tail.ceiling = oldest[place] if tail.ceiling is None else min(tail.ceiling, oldest[place])
    return kept


def _hungry(tail: _Tail, count: int, floor: int | None) -> bool:
    too_old = floor is not None and tail.ceiling is not None and tail.ceiling < floor
    return tail.begin > tail.first and tail.matches < count and not too_old
