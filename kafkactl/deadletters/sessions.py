"""Sending dead letters back together with the notes that say so.

In a transaction both are there for readers of committed records, or neither is. Its id is derived from the dead-letter
topic's: whoever begins a replay puts an end to that of anybody else. Without the right to that id the notes are written
before and after the records, and what is in doubt is looked for in the target.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text, wrong_configuration
from kafkactl.cluster.offsets import ranges_of
from kafkactl.cluster.properties import client_properties
from kafkactl.deadletters.ledger import LEDGER_TOPIC, Entry, Lock, Spot, encode_note, entry_key, lock_key
from kafkactl.deadletters.replay_plan import Decision
from kafkactl.errors import KafkactlError, NotPermittedError
from kafkactl.records.outgoing import Outgoing
from kafkactl.topics import Place

# A replay that is killed holds back readers of committed records in its targets for so long.
TRANSACTION_TIMEOUT = 10.0  # seconds
_SLICE = 1.0  # seconds: how soon a signal is noticed
_BEGIN_LIMIT = 30.0  # seconds for the coordinator of transactions to be found

_FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
# These are about a record, or about the topic it goes to: it would be refused again.
_REFUSED = frozenset(
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
class Identity:
    """Who replays which topic: what stands in the notes. Times are in ms."""

    topic_id: str
    by: str
    host: str
    pid: int
    since: int

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

    transactional: bool

    def send(self, batch: Sequence[Handled], pause: float = 0) -> Mapping[Spot, str]:
        """Send a batch with its notes; return what was refused and is noted as parked, with the reasons.

        Raises RefusedRecordError where nothing was sent for one of its records, LostError, KafkactlError.
        """

    def write(self, notes: Mapping[bytes, bytes | None]) -> None:
        """Write notes alone. Raises as `send` does."""

    def close(self) -> None: ...


def _now() -> int:
    return int(time.time() * 1000)


def _notes(identity: Identity, batch: Sequence[Handled], now: int) -> dict[bytes, bytes | None]:
    found: dict[bytes, bytes | None] = {}
    for item in batch:
        decision = item.decision
        state: Any = "replayed" if decision.verb == "send" else "parked"
        entry = Entry(state, now, identity.by, to=decision.to, why=decision.why)
        found[entry_key(identity.topic_id, item.spot)] = encode_note(entry)
    return found


class _Producing:
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
        if any(spot is None or error.code() not in _REFUSED for _, spot, error in self.failed):
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
            if error.code() in _REFUSED:
                raise RefusedRecordError(error_text(error))
        if failed:
            raise LostError(error_text(failed[0][2]))


class TransactionalSession:
    """Batches as transactions. Raises NotPermittedError where this user may not use the id, LostError without answer.

    Beginning one ends any other replay of the same topic, and what it had under way.
    """

    transactional = True

    def __init__(self, cluster: Cluster, identity: Identity, stopped: Callable[[], bool]) -> None:
        self._identity = identity
        self._out = _Producing(
            cluster,
            {
                "transactional.id": identity.transactional_id,
                "transaction.timeout.ms": int(TRANSACTION_TIMEOUT * 1000),
            },
        )
        deadline = time.monotonic() + _BEGIN_LIMIT
        while True:
            try:
                self._out.producer.init_transactions(_SLICE)
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > deadline or stopped():
                    raise _judged(error, identity) from None
            else:
                return

    def send(self, batch: Sequence[Handled], pause: float = 0) -> Mapping[Spot, str]:
        now = _now()
        notes = _notes(self._identity, batch, now)
        notes[lock_key(self._identity.topic_id)] = encode_note(self._identity.lock(now, pause))
        records = [(i.decision.to, i.decision.record) for i in batch if i.decision.record and i.decision.verb == "send"]
        self._transact(records, notes)
        return {}

    def write(self, notes: Mapping[bytes, bytes | None]) -> None:
        self._transact([], notes)

    def _transact(self, records: Sequence[tuple[str, Outgoing]], notes: Mapping[bytes, bytes | None]) -> None:
        producer = self._out.producer
        try:
            producer.begin_transaction()
            for topic, record in records:
                try:
                    self._out.put(topic, record)
                except KafkaException as error:
                    if error.args[0].code() not in _REFUSED:
                        raise
                    self._abort()
                    raise RefusedRecordError(error_text(error.args[0])) from None
            for key, value in notes.items():
                self._out.put(LEDGER_TOPIC, Outgoing(value, key, partition=0))
            self._commit()
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                self._abort()
            if error.args[0].code() in _REFUSED:
                raise RefusedRecordError(error_text(error.args[0])) from None
            self._out.raise_failures()
            raise _judged(error, self._identity) from None

    def _commit(self) -> None:
        deadline = time.monotonic() + TRANSACTION_TIMEOUT
        while True:
            try:
                self._out.producer.commit_transaction(_SLICE)
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > deadline:
                    raise
            else:
                return

    def _abort(self) -> None:
        deadline = time.monotonic() + TRANSACTION_TIMEOUT
        while True:
            try:
                self._out.producer.abort_transaction(_SLICE)
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > deadline:
                    raise _judged(error, self._identity) from None
            else:
                return

    def close(self) -> None:
        self._out.producer.purge()


def _judged(error: KafkaException, identity: Identity) -> Exception:
    """What an error of the transaction's own amounts to."""
    code = error.args[0].code()
    if code in _FENCED:
        return FencedError()
    if code in DENIED:
        return NotPermittedError(
            f"No permission for the transactional id {identity.transactional_id} (needs Write on it)."
        )
    return LostError(error_text(error.args[0]))


class FencedError(KafkactlError):
    """Somebody else began a replay of the same topic."""

    def __init__(self) -> None:
        super().__init__("Another replay of this topic began, which ended this one.")


_DELIVERY = 30.0  # seconds


class PlainSession:
    """Batches without a transaction: a note before each record and one after it. A kill between leaves a doubt."""

    transactional = False

    def __init__(self, cluster: Cluster, identity: Identity, stopped: Callable[[], bool]) -> None:
        self._cluster = cluster
        self._identity = identity
        self._stopped = stopped
        self._out = _Producing(cluster, {"message.timeout.ms": int(_DELIVERY * 1000)})

    def send(self, batch: Sequence[Handled], pause: float = 0) -> Mapping[Spot, str]:
        now, id = _now(), self._identity.topic_id
        sent = {item.spot: item.decision for item in batch if item.decision.verb == "send"}
        ends = self._ends({decision.to for decision in sent.values()})
        before: dict[bytes, bytes | None] = {
            entry_key(id, spot): encode_note(Entry("sending", now, self._identity.by, to=d.to, ends=ends[d.to]))
            for spot, d in sent.items()
        }
        before[lock_key(id)] = encode_note(self._identity.lock(now, pause))
        self.write(before)
        refused = self._deliver(sent)
        # A broker refuses a batch for one of its records: each of them is tried alone.
        refused = {spot: why for one in refused for spot, why in self._deliver({one: sent[one]}).items()}
        notes = _notes(self._identity, batch, now)
        for spot, why in refused.items():
            entry = Entry("parked", now, self._identity.by, to=sent[spot].to, why=why)
            notes[entry_key(id, spot)] = encode_note(entry)
        self.write(notes)
        return refused

    def _deliver(self, sent: Mapping[Spot, Decision]) -> dict[Spot, str]:
        """Send records; those that were refused, with the reasons."""
        refused: dict[Spot, str] = {}
        for spot, decision in sent.items():
            if decision.record is None:
                continue
            try:
                self._out.put(decision.to, decision.record, spot)
            except KafkaException as error:
                if error.args[0].code() not in _REFUSED:
                    raise LostError(error_text(error.args[0])) from None
                refused[spot] = error_text(error.args[0])
        self._flush()
        return refused | self._out.refused()

    def write(self, notes: Mapping[bytes, bytes | None]) -> None:
        try:
            for key, value in notes.items():
                self._out.put(LEDGER_TOPIC, Outgoing(value, key, partition=0))
        except KafkaException as error:
            raise LostError(error_text(error.args[0])) from None
        self._flush()
        self._out.raise_failures()

    def _flush(self) -> None:
        deadline = time.monotonic() + _DELIVERY + 5
        while len(self._out.producer) and time.monotonic() < deadline:
            self._out.producer.flush(_SLICE)
        if len(self._out.producer):
            raise LostError("not acknowledged")

    def _ends(self, topics: set[str]) -> dict[str, dict[int, int]]:
        """Where the targets end now: a copy can only be behind that."""
        listed = self._cluster.call(self._cluster.admin.list_topics, timeout=self._cluster.connection.timeout).topics
        places = [Place(t, id) for t in topics if t in listed for id in listed[t].partitions]
        found: dict[str, dict[int, int]] = {topic: {} for topic in topics}
        for place, offsets in ranges_of(self._cluster, places).items():
            if offsets.end is None:
                raise LostError(f"the leader of {place} does not respond")
            found[place.topic][place.partition] = offsets.end
        return found

    def close(self) -> None:
        self._out.producer.purge()
