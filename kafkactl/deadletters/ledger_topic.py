"""The ledger's topic: read as far as transactions have ended, made where there is none."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import NewTopic

from kafkactl.cluster.changes import wait_for_leaders
from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text
from kafkactl.cluster.metadata import NOT_VISIBLE, topic_answers
from kafkactl.cluster.offsets import ranges_of, read_stable_ends
from kafkactl.deadletters.ledger import LEDGER_TOPIC, LetterLedger
from kafkactl.errors import KafkactlError, NotPermittedError, UnreachableError
from kafkactl.records.consume import Reader, read_until
from kafkactl.text.remedies import kafkactl
from kafkactl.topics import LiveTopic, Place

LEDGER_PLACE = Place(LEDGER_TOPIC, 0)
_PATIENCE = 30.0  # seconds: a transaction that was left open is aborted after 10


def read_ledger(cluster: Cluster, topic_id: str, told: Callable[[str], None] = lambda _: None) -> LetterLedger:
    """The notes about the topic of this id; `missing` says why they are not known, where this user may not read them.

    Raises UnreachableError where the ledger's leader does not answer.
    """
    exists, why = look_for_ledger(cluster)
    if not exists:
        return LetterLedger(missing=f"{LEDGER_TOPIC}: {why}" if why else "")
    try:
        return refreshed(cluster, topic_id, LetterLedger(exists=True), told)
    except NotPermittedError as error:
        return LetterLedger(exists=True, missing=error.message.rstrip("."))


def look_for_ledger(cluster: Cluster) -> tuple[bool, str]:
    """Whether this user sees a ledger; if not, why that is not known, "" where there is none."""
    answer = topic_answers(cluster, [LEDGER_TOPIC])[LEDGER_TOPIC]
    if not isinstance(answer, KafkaError):
        return True, ""
    if answer.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return False, ""
    return False, NOT_VISIBLE if answer.code() in DENIED else error_text(answer)


def read_notes(
    cluster: Cluster, start: int, end: int, told: Callable[[str], None], patience: float
) -> Iterator[list[tuple[bytes, bytes | None]]]:
    """The ledger's records from `start` up to `end`, as (key, value), some at a time. Raises KafkactlError."""
    reader = Reader(cluster, told)
    try:
        for messages in read_until(reader, {LEDGER_PLACE: start}, {LEDGER_PLACE: end}, patience):
            yield [(message.key() or b"", message.value()) for message in messages]
    finally:
        reader.close()


def refreshed(
    cluster: Cluster, topic_id: str, ledger: LetterLedger, told: Callable[[str], None] = lambda _: None
) -> LetterLedger:
    """The ledger with what was noted since, up to the end it has at this moment.

    Waits for transactions that are open there. Raises UnreachableError where they do not end, or its leader does not
    answer; NotPermittedError where this user may not read it.
    """
    found = ranges_of(cluster, [LEDGER_PLACE])[LEDGER_PLACE]
    if found.first is None or found.end is None:
        raise _silent()
    _await_stable(cluster, found.end, told)
    start = max(found.first, ledger.end)
    if start >= found.end:
        return replace(ledger, end=found.end)
    notes = [note for some in read_notes(cluster, start, found.end, told, _PATIENCE) for note in some]
    return ledger.with_notes(notes, topic_id, found.end)


def _await_stable(cluster: Cluster, end: int, told: Callable[[str], None]) -> None:
    """Wait until every transaction that began before this offset has ended: else its notes would not be seen."""
    deadline = time.monotonic() + _PATIENCE
    waited = False
    while True:
        stable = read_stable_ends(cluster, [LEDGER_PLACE])[LEDGER_PLACE]
        if stable is not None and stable >= end:
            return
        if time.monotonic() > deadline:
            if stable is None:
                raise _silent()
            raise UnreachableError(
                f"{LEDGER_TOPIC}: a transaction of another replay has been open for {_PATIENCE:g} s.",
                hint=kafkactl("doctor", note="Find out what is wrong"),
            )
        if not waited and time.monotonic() > deadline - _PATIENCE + 2:
            waited = True
            told(f"waiting for a transaction in {LEDGER_TOPIC} to end")
        time.sleep(0.05)


def _silent() -> UnreachableError:
    return UnreachableError(
        f"The leader of {LEDGER_PLACE} does not respond.",
        hint=kafkactl("describe", options=["--unhealthy"], note="See"),
    )


def ledger_settings(dead_letters: LiveTopic) -> dict[str, str]:
    """The settings of a new ledger: it is as safe as the dead-letter topic itself."""
    needed = (dead_letters.config or {}).get("min.insync.replicas")
    own = {"min.insync.replicas": needed.value} if needed and needed.value else {}
    return {"cleanup.policy": "compact", **own}


def create_ledger(cluster: Cluster, dead_letters: LiveTopic) -> None:
    """Make the ledger's topic: one partition, as many replicas as the dead-letter topic. Raises KafkactlError."""
    topic = NewTopic(LEDGER_TOPIC, 1, dead_letters.replication[0], config=ledger_settings(dead_letters))
    asked = cluster.admin.create_topics([topic], operation_timeout=WORK_LIMIT, request_timeout=WORK_LIMIT)
    answer: Any = cluster.gather(asked)[LEDGER_TOPIC]
    if isinstance(answer, KafkaError) and answer.code() != KafkaError.TOPIC_ALREADY_EXISTS:
        if answer.code() in DENIED:
            raise NotPermittedError(
                f"Nothing was changed: {LEDGER_TOPIC} could not be created: no permission (needs Create on the topic).",
                hint=kafkactl("whoami", note="To see what this user may do"),
            )
        raise KafkactlError(f"Nothing was changed: {LEDGER_TOPIC} could not be created: {error_text(answer)}.")
    wait_for_leaders(cluster, [LEDGER_TOPIC])
