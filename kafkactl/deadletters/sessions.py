"""What both ways of sending dead letters back share: who sends, with which notes, and what may go wrong."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text, wrong_configuration
from kafkactl.cluster.properties import client_properties
from kafkactl.deadletters.ledger import LetterNote, Lock, Spot, encode_note, entry_key
from kafkactl.deadletters.replay_plan import Decision
from kafkactl.errors import NotPermittedError
from kafkactl.records.outgoing import Outgoing

SLICE = 1.0  # seconds: how soon a signal is noticed

# These are about a record, or about the topic it goes to: it would be refused again.
REFUSED = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_MSG,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.POLICY_VIOLATION,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._INVALID_ARG,
        KafkaError._INVALID_DIFFERENT_RECORD,
    }
)


class LostError(Exception):
    """The session is of no use any more; what became of its last batch is not known until the ledger is read again."""


class RefusedRecordError(Exception):
    """A batch was refused for one of its records, and nothing of it was sent; the argument says why.

    The session is of no use any more: librdkafka leaves a gap in its sequence numbers, and Kafka refuses what follows
    (OUT_OF_ORDER_SEQUENCE_NUMBER).
    """


class Handled(Protocol):
    """A letter with what is done with it."""

    @property
    def spot(self) -> Spot: ...
    @property
    def decision(self) -> Decision: ...


@dataclass(frozen=True)
class Replayer:
    """Who replays which topic: what stands in the notes. Times are in ms.

    `cluster` is the id of the cluster that records go to, "" where it is the dead-letter topic's own.
    """

    topic_id: str
    by: str
    host: str
    pid: int
    since: int
    cluster: str = ""

    def lock(self, now: int, pause: float) -> Lock:
        """The note that says who is at it; the next one comes within `pause` and some seconds."""
        return Lock(self.by, self.host, self.pid, self.since, now, now + round((pause + 20) * 1000))

    @property
    def transactional_id(self) -> str:
        return transactional_id(self.topic_id)


def transactional_id(topic_id: str) -> str:
    """The transactional.id of every replay of the dead-letter topic of this id."""
    return f"kafkactl-dlq-{topic_id}"


class Session(Protocol):
    """A way to send batches."""

    def send(self, batch: Sequence[Handled], pause: float = 0) -> Mapping[Spot, str]:
        """Send a batch with its notes; return what was refused and is noted as parked, with the reasons.

        Raises RefusedRecordError where nothing was sent for one of its records, LostError, KafkactlError.
        """

    def write(self, notes: Mapping[bytes, bytes | None]) -> None:
        """Write notes alone. Raises as `send` does."""

    def close(self) -> None: ...


def now_ms() -> int:
    return int(time.time() * 1000)


def notes_of(identity: Replayer, batch: Sequence[Handled], now: int) -> dict[bytes, bytes | None]:
    found: dict[bytes, bytes | None] = {}
    for item in batch:
        decision = item.decision
        state: Any = "replayed" if decision.verb == "send" else "parked"
        entry = LetterNote(state, now, identity.by, to=decision.to, why=decision.why, cluster=identity.cluster)
        found[entry_key(identity.topic_id, item.spot)] = encode_note(entry)
    return found


class Producing:
    """A producer whose failures are kept: by the topic, and by the letter, that each was of."""

    def __init__(self, cluster: Cluster, settings: Mapping[str, Any]) -> None:
        self.failed: list[tuple[str, Spot | None, Any]] = []
        properties = {
            "linger.ms": 5,
            "queue.buffering.max.messages": 100_000,
            "message.max.bytes": 1_000_000_000,  # the topic decides
            "batch.size": 900_000,  # Kafka's default for max.message.bytes is some more
            **client_properties(cluster.connection),
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "error_cb": lambda _: None,
            **settings,
        }
        try:
            self.producer = Producer(properties)
        except KafkaException as error:
            raise wrong_configuration(error, cluster.connection) from None

    def put(self, topic: str, record: Outgoing, spot: Spot | None = None) -> None:
        """Take a record. Raises KafkaException where it cannot be taken."""
        while True:
            try:
                self.producer.produce(
                    topic,
                    record.value,
                    record.key,
                    record.partition,
                    partial(self._reported, topic, spot),
                    timestamp=record.timestamp,
                    headers=list(record.headers),
                )
            except BufferError:
                self.producer.poll(0.1)
            else:
                return

    def _reported(self, topic: str, spot: Spot | None, error: Any, _: Any) -> None:
        if error is not None:
            self.failed.append((topic, spot, error))

    def refused(self) -> dict[Spot, str]:
        """The letters whose records were refused, with the reasons, if nothing else went wrong. Raises as below."""
        if any(spot is None or error.code() not in REFUSED for _, spot, error in self.failed):
            self.raise_failures()
        failed, self.failed = self.failed, []
        return {spot: error_text(error) for _, spot, error in failed if spot is not None}

    def raise_failures(self) -> None:
        """Raise what the failures amount to: a permission that is missing, a record that is refused, or LostError."""
        failed, self.failed = self.failed, []
        for topic, _, error in failed:
            if error.code() in DENIED:
                raise NotPermittedError(f"{topic}: no permission (needs Write on the topic).")
        for _, _, error in failed:
            if error.code() in REFUSED:
                raise RefusedRecordError(error_text(error))
        if failed:
            raise LostError(error_text(failed[0][2]))
