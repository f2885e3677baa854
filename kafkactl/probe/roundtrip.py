"""Write records with acks=all to every partition of a topic while a reader reads them back."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.outage import Patience
from kafkactl.errors import KafkactlError, NotPermittedError
from kafkactl.probe.comparison import Received, Verdict, compare, number_of, number_of_key, sample
from kafkactl.records.consume import Reader, as_record
from kafkactl.records.outgoing import Outgoing
from kafkactl.records.partitioning import Partitioner
from kafkactl.records.send import Sender
from kafkactl.topics import Place


@dataclass(frozen=True)
class Load:
    """What to write where: `count` records of `size` bytes to each partition of a topic."""

    run: str
    topic: str
    partitions: tuple[int, ...]
    count: int
    size: int
    timeout: float  # seconds, for the writing and for the reading

    @property
    def total(self) -> int:
        return self.count * len(self.partitions)


@dataclass
class Written:
    """What the brokers acknowledged: numbers by partition, and how long each (partition, number) took (seconds)."""

    acknowledged: dict[int, list[int]] = field(default_factory=dict)
    latencies: dict[tuple[int, int], float] = field(default_factory=dict)
    sent_at: dict[tuple[int, int], float] = field(default_factory=dict)

    def take(self, message: Any) -> None:
        """A record was acknowledged; its key says which one."""
        partition, number = message.partition(), number_of_key(message.key())
        self.acknowledged.setdefault(partition, []).append(number)
        self.latencies[partition, number] = message.latency() or 0.0


def write(cluster: Cluster, load: Load, written: Written) -> None:
    """Write the load and wait for every acknowledgement; `written` is filled as they come.

    Raises UnreachableError when the cluster goes away, KafkactlError when records are refused.
    """
    patience = Patience(cluster.link, load.timeout)
    sender = Sender(
        cluster,
        load.topic,
        partitioner=Partitioner.MURMUR2,
        max_bytes=max(1_000_000, load.size + 1_000),
        timeout=load.timeout,
        stopped=lambda: not patience.check(),
        acknowledged=written.take,
    )
    # A burst would measure our own queue: few are under way at once, so that the times are the brokers'.
    window = max(len(load.partitions) * 2, load.total // 200)
    try:
        for number in range(load.count):
            for partition in load.partitions:
                written.sent_at[partition, number] = time.monotonic()
                sender.send(_outgoing(load, partition, number))
            sender.poll()
            # The first of each partition also opens connections and fetches a producer id: nothing overtakes it.
            while sender.waiting > (window if number else 0) and patience.check():
                sender.poll(0.001)
        while sender.waiting and patience.check():
            sender.poll(0.02)
        failures, unanswered = sender.failures(), sender.waiting
    finally:
        sender.take_back()
    if failures or unanswered:
        why = sender.given_up or (failures[0].why if failures else f"no answer in {load.timeout:g} s")
        raise KafkactlError(f"{len(written.latencies):,} of {load.total:,} records were acknowledged: {why}")


def _outgoing(load: Load, partition: int, number: int) -> Outgoing:
    record = sample(load.run, partition, number, load.size)
    return Outgoing(record.value, record.key, record.headers, partition=partition)


class Echo:
    """Reads a topic from where it ended before the writing, in a thread of its own, and keeps what is ours.

    Joins no group and commits nothing.
    """

    def __init__(self, cluster: Cluster, load: Load, starts: dict[int, int], sent_at: dict[tuple[int, int], float]):
        self.load = load
        self.received: list[Received] = []
        self.latencies: dict[tuple[int, int], float] = {}  # seconds from send() to here
        self.error = ""
        self.denied = False  # this user may not read it: nothing is known of what came back
        self._sent_at = sent_at
        self._positions = dict(starts)
        self._ends: dict[int, int] | None = None
        self._stop = threading.Event()
        self._reader = Reader(cluster, lambda _: None)
        self._reader.assign({Place(load.topic, partition): offset for partition, offset in starts.items()})
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def reach(self, ends: dict[int, int], patience: Patience) -> bool:
        """Read up to these end offsets; whether they were reached in time."""
        self._ends = ends
        while self._thread.is_alive() and patience.check():
            self._thread.join(0.02)
        return not self._thread.is_alive() and not self.error

    def judged(self, written: Written) -> Verdict:
        """What came back against what was acknowledged."""
        return compare(written.acknowledged, self.received)

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join(2)

    def _read(self) -> None:
        try:
            while not self._stop.is_set() and not self._done():
                messages, ends = self._reader.messages(0.05)
                self._take(messages)
                for place, offset in ends.items():  # the end is reached even where its last offset is no record
                    self._positions[place.partition] = max(offset, self._positions[place.partition])
        except KafkactlError as error:
            self.error, self.denied = error.message, isinstance(error, NotPermittedError)
        finally:
            self._reader.close()

    def _done(self) -> bool:
        ends = self._ends
        return ends is not None and all(self._positions[p] >= end for p, end in ends.items())

    def _take(self, messages: Sequence[Any]) -> None:
        now = time.monotonic()
        for record in map(as_record, messages):
            self._positions[record.partition] = record.offset + 1
            number = number_of(record.headers, self.load.run)
            if number is None:
                continue
            wanted = sample(self.load.run, record.partition, number, self.load.size)
            same = (record.key, record.value or b"", record.headers) == (wanted.key, wanted.value, wanted.headers)
            self.received.append(Received(record.partition, number, same))
            place = record.partition, number
            self.latencies.setdefault(place, now - self._sent_at.get(place, now))
