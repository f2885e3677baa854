"""Write records with acks=all to every partition of a topic while a reader reads them back."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import error_text
from kafkactl.cluster.outage import Patience
from kafkactl.cluster.properties import client_properties
from kafkactl.errors import KafkactlError
from kafkactl.probe.comparison import Received, Verdict, compare, number_of, sample


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
    failures: list[str] = field(default_factory=list)
    sent_at: dict[tuple[int, int], float] = field(default_factory=dict)


def write(cluster: Cluster, load: Load, written: Written) -> None:
    """Write the load and wait for every acknowledgement; `written` is filled as they come.

    Raises UnreachableError when the cluster goes away, KafkactlError when records are refused.
    """
    producer = Producer(
        {
            **client_properties(cluster.connection),
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 0,
            "message.timeout.ms": int(load.timeout * 1000),
        }
    )
    # Metadata first: without it the first record waits half a second for it, which says nothing about the brokers.
    cluster.call(producer.list_topics, load.topic, timeout=load.timeout)
    producer.poll(0.05)
    patience = Patience(cluster.link, load.timeout)
    # A burst would measure our own queue: few are under way at once, so that the times are the brokers'.
    window = max(len(load.partitions) * 2, load.total // 200)
    try:
        for number in range(load.count):
            for partition in load.partitions:
                _produce(producer, load, partition, number, written, patience)
            producer.poll(0)
            # The first of each partition also opens connections and fetches a producer id: nothing overtakes it.
            while len(producer) > (window if number else 0) and patience.check():
                producer.poll(0.001)
        while len(producer) and patience.check():
            producer.poll(0.02)
        unanswered = len(producer)
    finally:
        producer.purge()
        producer.flush(0.2)
    if written.failures or unanswered:
        why = written.failures[0] if written.failures else f"no answer in {load.timeout:g} s"
        raise KafkactlError(f"{len(written.latencies):,} of {load.total:,} records were acknowledged: {why}")


def _produce(producer: Producer, load: Load, partition: int, number: int, written: Written, patience: Patience) -> None:
    record = sample(load.run, partition, number, load.size)

    def delivered(error: Any, message: Any) -> None:
        if error is not None:
            written.failures.append(error_text(error))
            return
        written.acknowledged.setdefault(partition, []).append(number)
        written.latencies[partition, number] = message.latency() or 0.0

    while True:
        written.sent_at[partition, number] = time.monotonic()
        try:
            producer.produce(
                load.topic,
                partition=partition,
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                on_delivery=delivered,
            )
        except BufferError:
            if not patience.check():
                raise KafkactlError(
                    f"the records do not leave: no room in the send queue for {load.timeout:g} s"
                ) from None
            producer.poll(0.1)
        except KafkaException as error:
            raise KafkactlError(error_text(error.args[0])) from None
        else:
            return


class ReadBack:
    """Reads a topic from where it ended before the writing, in a thread of its own, and keeps what is ours.

    Joins no group and commits nothing.
    """

    def __init__(self, cluster: Cluster, load: Load, starts: dict[int, int], sent_at: dict[tuple[int, int], float]):
        self.load = load
        self.received: list[Received] = []
        self.latencies: dict[tuple[int, int], float] = {}  # seconds from produce() to here
        self.error = ""
        self._sent_at = sent_at
        self._positions = dict(starts)
        self._ends: dict[int, int] | None = None
        self._stop = threading.Event()
        self._consumer = Consumer(
            {
                **client_properties(cluster.connection),
                "group.id": "kafkactl-test",  # librdkafka asks for one; assign() joins none
                "enable.auto.commit": False,
                "enable.partition.eof": True,  # the end is reached even where its last offset is no record
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 50,
                "allow.auto.create.topics": False,
            }
        )
        self._consumer.assign([TP(load.topic, partition, offset) for partition, offset in starts.items()])
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
                message = self._consumer.poll(0.05)
                if message is not None:
                    self._take([message, *self._consumer.consume(500, 0)])
        except (KafkaException, RuntimeError) as error:
            self.error = str(error)
        finally:
            self._consumer.close()

    def _done(self) -> bool:
        ends = self._ends
        return ends is not None and all(self._positions[p] >= end for p, end in ends.items())

    def _take(self, messages: Sequence[Any]) -> None:
        now = time.monotonic()
        for message in messages:
            error, partition = message.error(), message.partition()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    self._positions[partition] = max(message.offset(), self._positions[partition])
                elif error.code() not in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT):
                    self.error = error_text(error)
                    self._stop.set()
                continue
            self._positions[partition] = message.offset() + 1
            headers = message.headers()
            number = number_of(headers, self.load.run)
            if number is None:
                continue
            wanted = sample(self.load.run, partition, number, self.load.size)
            same = (message.key(), message.value() or b"", tuple(headers)) == (wanted.key, wanted.value, wanted.headers)
            self.received.append(Received(partition, number, same))
            self.latencies.setdefault((partition, number), now - self._sent_at.get((partition, number), now))
