"""Sending dead letters back in transactions: the records and the notes that say so are there together, or not at all.

The transaction's id is derived from the dead-letter topic's: whoever begins a replay puts an end to that of anybody
else.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text
from kafkactl.deadletters.ledger import LEDGER_TOPIC, Spot, encode_note, lock_key
from kafkactl.deadletters.sessions import (
    REFUSED,
    SLICE,
    Handled,
    LostError,
    Producing,
    RefusedRecordError,
    Replayer,
    notes_of,
    now_ms,
)
from kafkactl.errors import KafkactlError, NotPermittedError
from kafkactl.records.outgoing import Outgoing

# A replay that is killed holds back readers of committed records in its targets for so long.
TRANSACTION_TIMEOUT = 10.0  # seconds
_BEGIN_LIMIT = 30.0  # seconds for the coordinator of transactions to be found
_FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


class TransactionalSession:
    """Batches as transactions. Raises NotPermittedError where this user may not use the id, LostError without answer.

    Beginning one ends any other replay of the same topic, and what it had under way.
    """

    def __init__(self, cluster: Cluster, identity: Replayer, stopped: Callable[[], bool]) -> None:
        self._identity = identity
        self._out = Producing(
            cluster,
            {
                "transactional.id": identity.transactional_id,
                "transaction.timeout.ms": int(TRANSACTION_TIMEOUT * 1000),
            },
        )
        try:
            _repeated(self._out.producer.init_transactions, _BEGIN_LIMIT, stopped)
        except KafkaException as error:
            raise _judged(error, identity) from None

    def send(self, batch: Sequence[Handled], pause: float = 0) -> Mapping[Spot, str]:
        now = now_ms()
        notes = notes_of(self._identity, batch, now)
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
                    if error.args[0].code() not in REFUSED:
                        raise
                    self._abort()
                    raise RefusedRecordError(error_text(error.args[0])) from None
            for key, value in notes.items():
                self._out.put(LEDGER_TOPIC, Outgoing(value, key, partition=0))
            _repeated(producer.commit_transaction, TRANSACTION_TIMEOUT)
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                self._abort()
            if error.args[0].code() in REFUSED:
                raise RefusedRecordError(error_text(error.args[0])) from None
            self._out.raise_failures()
            raise _judged(error, self._identity) from None

    def _abort(self) -> None:
        try:
            _repeated(self._out.producer.abort_transaction, TRANSACTION_TIMEOUT)
        except KafkaException as error:
            raise _judged(error, self._identity) from None

    def close(self) -> None:
        self._out.producer.purge()


def _repeated(step: Callable[[float], None], limit: float, stopped: Callable[[], bool] = lambda: False) -> None:
    """Take a step of a transaction in slices, so that signals are noticed. Raises what the last one raised, once it may
    not be tried again, the limit (seconds) is over, or `stopped` says so.
    """
    deadline = time.monotonic() + limit
    while True:
        try:
            return step(SLICE)
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > deadline or stopped():
                raise


def _judged(error: KafkaException, identity: Replayer) -> Exception:
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
        super().__init__("Another replay of this topic began, and ended this one.")
