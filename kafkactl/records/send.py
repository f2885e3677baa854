"""Writing records: acks=all, idempotent, and every record accounted for.

Only failures are reported one by one: what was taken, is neither waiting nor reported back, is acknowledged.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from operator import length_hint
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import error_text, wrong_configuration
from kafkactl.cluster.properties import client_properties
from kafkactl.records.outgoing import Outgoing
from kafkactl.records.partitioning import Partitioner

# librdkafka's names for what users know by the function. A key that is null goes anywhere, in all of them.
_PARTITIONERS = {
    Partitioner.MURMUR2: "murmur2_random",
    Partitioner.CRC32: "consistent_random",
    Partitioner.FNV1A: "fnv1a_random",
}

# These are about the one record; any other error would meet every record after it as well.
_ABOUT_ONE = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_MSG,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._INVALID_ARG,
        KafkaError._INVALID_DIFFERENT_RECORD,
    }
)
# After these errors it is unknown whether the record was written.
_UNKNOWN_FATE = frozenset({KafkaError._PURGE_INFLIGHT, KafkaError._MSG_TIMED_OUT, KafkaError._TRANSPORT})
# Failures come back out of order at the end: first records in flight, then queued ones, then those that found no room.
_GIVEN_BACK = {
    KafkaError._PURGE_INFLIGHT: 1,
    KafkaError._PURGE_QUEUE: 2,
    KafkaError._QUEUE_FULL: 3,
    KafkaError._FATAL: 3,
}


@dataclass(frozen=True)
class Failure:
    """A record that was not acknowledged, and the code of librdkafka's error."""

    record: Outgoing
    code: int
    why: str

    @property
    def may_be_written(self) -> bool:
        """Whether only the acknowledgement may be missing."""
        return self.code in _UNKNOWN_FATE

    @property
    def refused(self) -> bool:
        """Whether a broker rejected this record, rather than never received or never acknowledged it."""
        return self.code not in _UNKNOWN_FATE and self.code not in _GIVEN_BACK


# Who may write to any topic gets a producer id; before 2.8 that took IdempotentWrite on the cluster (KIP-679).
_WITHOUT_WRITE = (KafkaError.CLUSTER_AUTHORIZATION_FAILED,)
_NO_WRITING = "no permission to write, neither to a topic (Write) nor on the cluster (IdempotentWrite)"


class Sender:
    """A producer for one topic that must exist. `stopped` says when to stop waiting for room in its queue.

    `told` hears that the brokers went away and came back; `acknowledged`, where it is given, gets librdkafka's message
    of each acknowledged record, and none then waits for others to share its batch. Raises UsageError for a
    client configuration it refuses.
    """

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        *,
        partitioner: Partitioner,
        max_bytes: int,
        timeout: float,
        stopped: Callable[[], bool],
        told: Callable[[str], None] = lambda _: None,
        acknowledged: Callable[[Any], None] | None = None,
    ) -> None:
        self.topic = topic
        self._stopped = stopped
        self._told = told
        self._on_acknowledged = acknowledged
        self._failures: list[Failure] = []
        self._again: list[Outgoing] = []
        self._stuck: int | None = None  # how many waited when the brokers went
        self.taken = 0
        self.failed = 0
        self.given_up = ""  # why nothing can be sent any more
        self.lost = False  # whether that is because nobody answered
        settings = {
            "linger.ms": 0 if acknowledged else 5,
            # Room for what comes while the brokers work on what went before; in bytes it is bounded, too.
            "queue.buffering.max.messages": 400_000,
            "queue.buffering.max.kbytes": 131_072,
            **client_properties(cluster.connection),
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": _PARTITIONERS[partitioner],
            "message.max.bytes": min(max(max_bytes, 1000), 1_000_000_000),
            "message.timeout.ms": int(timeout * 1000),
            "delivery.report.only.error": acknowledged is None,
            "on_delivery": partial(self._reported, ()),
            "error_cb": self._error,
        }
        try:
            self._producer = Producer(settings)
        except KafkaException as error:
            raise wrong_configuration(error, cluster.connection) from None
        # Left alone for a moment it gets its producer id; asked for metadata before, it may take half a second to.
        self._serve(0.05)
        cluster.call(self._producer.list_topics, topic, timeout=cluster.connection.timeout)

    def send(self, record: Outgoing) -> None:
        """Take a record. It is acknowledged or comes back as a failure, whatever happens."""
        self.taken += 1
        self._put(record)

    def send_all(self, values: Sequence[bytes], keys: Sequence[bytes | None]) -> None:
        """As `send` for records that have nothing but a value and a key, with no Python between them."""
        self.taken += len(values)
        next_value, next_key = iter(values), iter(keys)
        while True:
            try:
                deque(map(self._producer.produce, repeat(self.topic), next_value, next_key), maxlen=0)
            except (BufferError, KafkaException):
                left = length_hint(next_value)
                at = len(values) - left - 1  # the record that was not taken
                self._put(Outgoing(values[at], keys[at]))
                if self.given_up or self._stopped():
                    for value, key in zip(next_value, next_key, strict=True):
                        self._fail(Outgoing(value, key), KafkaError(KafkaError._QUEUE_FULL))
                    return
            else:
                return

    def _put(self, record: Outgoing) -> None:
        while True:
            try:
                if record.headers:
                    self._producer.produce(
                        self.topic,
                        record.value,
                        record.key,
                        record.partition,
                        partial(self._reported, record.headers),  # the report itself carries no headers
                        timestamp=record.timestamp,
                        headers=list(record.headers),
                    )
                else:
                    self._producer.produce(
                        self.topic, record.value, record.key, record.partition, timestamp=record.timestamp
                    )
            except BufferError:
                self.poll(0.1)
                if self.given_up or self._stopped():
                    self._fail(record, KafkaError(KafkaError._QUEUE_FULL))
                    return
            except KafkaException as error:
                if error.args[0].code() == KafkaError._FATAL:
                    self._serve(0)  # which says why
                    self._give_up(error.args[0])
                self._fail(record, error.args[0])
                return
            else:
                return

    def poll(self, seconds: float = 0) -> None:
        """Process delivery reports for up to so many seconds."""
        self._serve(seconds)
        if self._stuck is not None and len(self._producer) < self._stuck and not self.given_up:
            self._stuck = None
            self._told("Kafka is back")
        if self.given_up:
            self._producer.purge(blocking=False)
        while self._again:
            self._put(self._again.pop(0))

    def _serve(self, seconds: float) -> None:
        """Let librdkafka call us for up to so many seconds.

        It raises its fatal errors from there, and nothing can be sent any more: what is queued is to be given back.
        """
        try:
            self._producer.poll(seconds)
        except KafkaException as error:
            self._give_up(error.args[0])

    def _give_up(self, error: Any) -> None:
        if self.given_up:
            return
        self.given_up = _NO_WRITING if error.code() in _WITHOUT_WRITE else error_text(error)
        self.lost = error.code() in _UNKNOWN_FATE

    @property
    def waiting(self) -> int:
        """Records that are neither acknowledged nor given back."""
        return len(self._producer)

    def take_back(self) -> None:
        """Abort what is still queued: it comes back as failures."""
        deadline = time.monotonic() + 5
        while self.waiting and time.monotonic() < deadline:
            self._producer.purge(blocking=False)
            self._serve(0.05)
        for record in self._again:
            self._fail(record, KafkaError(KafkaError._INVALID_DIFFERENT_RECORD))
        self._again = []

    def failures(self) -> Sequence[Failure]:
        """What came back since this was last asked, in the order it was sent, as far as that is known."""
        found = sorted(self._failures, key=lambda failure: _GIVEN_BACK.get(failure.code, 0))
        self._failures = []
        return found

    @property
    def acknowledged(self) -> int:
        """Records the brokers have acknowledged, all in-sync replicas having them."""
        return self.taken - self.failed - self.waiting - len(self._again)

    def _reported(self, headers: Any, error: Any, message: Any) -> None:
        if error is None:
            if self._on_acknowledged:
                self._on_acknowledged(message)
            return
        _, timestamp = message.timestamp()
        record = Outgoing(message.value(), message.key(), headers, max(timestamp, 0), message.partition())
        if error.code() == KafkaError._INVALID_DIFFERENT_RECORD:
            self._again.append(record)  # the broker refuses a batch for one of its records
        else:
            self._fail(record, error)

    def _fail(self, record: Outgoing, error: Any) -> None:
        self.failed += 1
        self._failures.append(Failure(record, error.code(), error_text(error)))
        if error.code() not in _ABOUT_ONE | _GIVEN_BACK.keys():
            self._give_up(error)

    def _error(self, error: Any) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._stuck is None and not self.given_up:
            self._stuck = self.waiting
            self._told("Kafka does not answer; waiting for it to come back")
