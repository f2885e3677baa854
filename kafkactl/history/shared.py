"""The history that a team shares: records in the topic that topics.yaml names under `history:`."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from confluent_kafka import KafkaError

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text
from kafkactl.cluster.metadata import NOT_VISIBLE, topic_answers
from kafkactl.cluster.offsets import ranges_of, read_time_offsets
from kafkactl.errors import KafkactlError
from kafkactl.history.model import HistoryEntry, entry_document, read_entry
from kafkactl.records.consume import Reader, read_until
from kafkactl.records.outgoing import Outgoing
from kafkactl.records.partitioning import Partitioner
from kafkactl.records.send import Sender
from kafkactl.topics import Place

_LARGEST = 900_000  # bytes: below Kafka's default limit for a record
_PATIENCE = 10.0  # seconds


def publish_entry(cluster: Cluster, topic: str, entry: HistoryEntry) -> str:
    """Write an entry to the topic; "" where it was acknowledged, else why it was not."""
    try:
        if why := _no_topic(cluster, topic):
            return why
        sender = Sender(
            cluster,
            topic,
            partitioner=Partitioner.MURMUR2,
            max_bytes=_LARGEST * 2,
            timeout=_PATIENCE,
            stopped=lambda: False,
            acknowledged=lambda _: None,
        )
        sender.send(Outgoing(_value(entry), entry.id.encode()))
        deadline = time.monotonic() + _PATIENCE
        while sender.waiting and not sender.given_up and time.monotonic() < deadline:
            sender.poll(0.05)
        sender.take_back()
    except KafkactlError as error:
        return error.message.rstrip(".")
    failed = sender.failures()
    return failed[0].why if failed else ""


def _no_topic(cluster: Cluster, topic: str) -> str:
    """Why a topic cannot be written to or read; "" where it is there. One that is missing is never made on the way."""
    answer = topic_answers(cluster, [topic])[topic]
    if not isinstance(answer, KafkaError):
        return ""
    if answer.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return f"there is no topic {topic}"
    return f"{topic}: {NOT_VISIBLE}" if answer.code() in DENIED else f"{topic}: {error_text(answer)}"


def _value(entry: HistoryEntry) -> bytes:
    """An entry as a record's value; of one that is too large the steps that fit."""
    while True:
        value = json.dumps(
            {"schema_version": 1, "kind": "history-entry", **entry_document(entry)}, ensure_ascii=False
        ).encode("utf-8", "backslashreplace")
        if len(value) <= _LARGEST or not entry.steps:
            return value
        kept = entry.steps[: len(entry.steps) // 2]
        entry = replace(entry, steps=kept, left_out=entry.left_out + len(entry.steps) - len(kept))


def read_shared(cluster: Cluster, topic: str, since: int | None) -> tuple[Sequence[HistoryEntry], str]:
    """The topic's entries since a time (ms; None: all of them), and why they are not all known, "" if they are."""
    try:
        if why := _no_topic(cluster, topic):
            return (), why
        listed = cluster.call(cluster.admin.list_topics, topic, timeout=cluster.connection.timeout).topics[topic]
        places = [Place(topic, id) for id in listed.partitions]
        ranges = ranges_of(cluster, places)
        silent = [place for place, found in ranges.items() if found.first is None or found.end is None]
        if silent:
            return (), f"the leader of {silent[0]} does not respond"
        ends = {place: found.end or 0 for place, found in ranges.items()}
        starts = {place: found.first or 0 for place, found in ranges.items()}
        if since is not None:
            times = read_time_offsets(cluster, places, since)
            starts = {p: ends[p] if (at := times.get(p)) is None or at < 0 else max(at, starts[p]) for p in places}
        return _entries(cluster, starts, ends), ""
    except KafkactlError as error:
        return (), error.message.rstrip(".")


def _entries(cluster: Cluster, starts: dict[Place, int], ends: dict[Place, int]) -> list[HistoryEntry]:
    found: list[HistoryEntry] = []
    reader = Reader(cluster, lambda _: None)
    try:
        for messages in read_until(reader, starts, ends, _PATIENCE):
            for message in messages:
                with suppress(ValueError):  # of somebody else, or of a later version
                    found.append(read_entry(json.loads(message.value() or b"")))
    finally:
        reader.close()
    return found
