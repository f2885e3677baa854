"""Sending dead letters back without a transaction: a note before each record and one after it.

A kill between them leaves a doubt: whoever comes next looks for the record in the topic it was sent to.
"""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaException

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import error_text
from kafkactl.cluster.offsets import ranges_of
from kafkactl.deadletters.ledger import LEDGER_TOPIC, LetterNote, Spot, encode_note, entry_key, lock_key
from kafkactl.deadletters.replay_plan import Decision
from kafkactl.deadletters.sessions import (
    REFUSED,
    SLICE,
    Handled,
    LostError,
    Producing,
    Replayer,
    notes_of,
    now_ms,
)
from kafkactl.records.outgoing import Outgoing
from kafkactl.topics import Place

_DELIVERY = 30.0  # seconds


class PlainSession:
    """Batches without a transaction: a note before each record and one after it. A kill between leaves a doubt."""

    def __init__(self, cluster: Cluster, identity: Replayer) -> None:
        self._cluster = cluster
        self._identity = identity
        self._out = Producing(cluster, {"message.timeout.ms": int(_DELIVERY * 1000)})

    def send(self, batch: Sequence[Handled], pause: float = 0) -> Mapping[Spot, str]:
        now, id = now_ms(), self._identity.topic_id
        sent = {item.spot: item.decision for item in batch if item.decision.verb == "send"}
        ends = self._ends({decision.to for decision in sent.values()})
        before: dict[bytes, bytes | None] = {
            entry_key(id, spot): encode_note(LetterNote("sending", now, self._identity.by, to=d.to, ends=ends[d.to]))
            for spot, d in sent.items()
        }
        before[lock_key(id)] = encode_note(self._identity.lock(now, pause))
        self.write(before)
        refused = self._deliver(sent)
        # A broker refuses a batch for one of its records: each of them is tried alone.
        refused = {spot: why for one in refused for spot, why in self._deliver({one: sent[one]}).items()}
        notes = notes_of(self._identity, batch, now)
        for spot, why in refused.items():
            entry = LetterNote("parked", now, self._identity.by, to=sent[spot].to, why=why)
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
                if error.args[0].code() not in REFUSED:
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
            self._out.producer.flush(SLICE)
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
