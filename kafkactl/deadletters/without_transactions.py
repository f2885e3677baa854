"""Sending dead letters back without a transaction: a note before each record and one after it.

A kill between them leaves a doubt: whoever comes next looks for the record in the topic it was sent to. It is the only
way into another cluster: no transaction spans two.
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
    """Batches without a transaction: a note before each record and one after it. A kill between leaves a doubt.

    Notes go to the ledger in `cluster`, records to `there`.
    """

    def __init__(self, cluster: Cluster, identity: Replayer, there: Cluster | None = None) -> None:
        self._there = there or cluster
        self._identity = identity
        settings = {"message.timeout.ms": int(_DELIVERY * 1000)}
        self._notes = Producing(cluster, settings)
        self._records = self._notes if self._there is cluster else Producing(self._there, settings)

    def send(self, batch: Sequence[Handled], pause: float = 0) -> Mapping[Spot, str]:
        now, who = now_ms(), self._identity
        sent = {item.spot: item.decision for item in batch if item.decision.verb == "send"}
        ends = self._ends({decision.to for decision in sent.values()})
        before: dict[bytes, bytes | None] = {
            entry_key(who.topic_id, spot): encode_note(
                LetterNote("sending", now, who.by, to=d.to, ends=ends[d.to], cluster=who.cluster)
            )
            for spot, d in sent.items()
        }
        before[lock_key(who.topic_id)] = encode_note(who.lock(now, pause))
        self.write(before)
        refused = self._deliver(sent)
        # A broker refuses a batch for one of its records: each of them is tried alone.
        refused = {spot: why for one in refused for spot, why in self._deliver({one: sent[one]}).items()}
        notes = notes_of(who, batch, now)
        for spot, why in refused.items():
            entry = LetterNote("parked", now, who.by, to=sent[spot].to, why=why, cluster=who.cluster)
            notes[entry_key(who.topic_id, spot)] = encode_note(entry)
        self.write(notes)
        return refused

    def _deliver(self, sent: Mapping[Spot, Decision]) -> dict[Spot, str]:
        """Send records; those that were refused, with the reasons."""
        refused: dict[Spot, str] = {}
        for spot, decision in sent.items():
            if decision.record is None:
                continue
            try:
                self._records.put(decision.to, decision.record, spot)
            except KafkaException as error:
                if error.args[0].code() not in REFUSED:
                    raise LostError(error_text(error.args[0])) from None
                refused[spot] = error_text(error.args[0])
        _flush(self._records)
        return refused | self._records.refused()

    def write(self, notes: Mapping[bytes, bytes | None]) -> None:
        try:
            for key, value in notes.items():
                self._notes.put(LEDGER_TOPIC, Outgoing(value, key, partition=0))
        except KafkaException as error:
            raise LostError(error_text(error.args[0])) from None
        _flush(self._notes)
        self._notes.raise_failures()

    def _ends(self, topics: set[str]) -> dict[str, dict[int, int]]:
        """Where the targets end now: a copy can only be behind that."""
        there = self._there
        listed = there.call(there.admin.list_topics, timeout=there.connection.timeout).topics
        places = [Place(t, id) for t in topics if t in listed for id in listed[t].partitions]
        found: dict[str, dict[int, int]] = {topic: {} for topic in topics}
        for place, offsets in ranges_of(there, places).items():
            if offsets.end is None:
                raise LostError(f"the leader of {place} does not respond")
            found[place.topic][place.partition] = offsets.end
        return found

    def close(self) -> None:
        for out in (self._records, self._notes):
            out.producer.purge()


def _flush(out: Producing) -> None:
    deadline = time.monotonic() + _DELIVERY + 5
    while len(out.producer) and time.monotonic() < deadline:
        out.producer.flush(SLICE)
    if len(out.producer):
        raise LostError("not acknowledged")
