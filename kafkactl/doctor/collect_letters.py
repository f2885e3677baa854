"""Facts about dead letters: how many nobody has replayed, and what the latest ones say."""

import time
from collections.abc import Iterable, Mapping

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.deadletters.ledger_topic import read_ledger
from kafkactl.deadletters.letters import DeadLetterTopic, read_letters
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.deadletters.summary import short_class, summary_of
from kafkactl.deadletters.topic_names import dead_letter_topics
from kafkactl.doctor.facts import LetterFacts, TopicFacts
from kafkactl.errors import KafkactlError
from kafkactl.topics import LiveTopic

_LATEST = 2_000  # offsets at the end of each partition
_SECONDS = 2.0  # for all topics together


def read_letter_facts(
    cluster: Cluster, found: Mapping[str, LiveTopic], topics: Iterable[TopicFacts], catalog: Catalog | None
) -> dict[str, LetterFacts]:
    """What is known of each dead-letter topic that holds anything and whose leaders answered."""
    named = set(dead_letter_topics(found, catalog))
    filled = [topic for topic in topics if topic.name in named and topic.span]
    ids = read_topic_ids(cluster, [topic.name for topic in filled])
    reading = HeaderReading.of(catalog)
    until = time.monotonic() + _SECONDS
    facts: dict[str, LetterFacts] = {}
    for topic in filled:
        if topic.name not in ids or time.monotonic() > until:
            continue
        firsts = {p.id: p.first for p in topic.partitions if p.first is not None}
        ends = {p.id: p.end for p in topic.partitions if p.end is not None}
        there = firsts.keys() & ends.keys()
        seen = DeadLetterTopic(
            found[topic.name], ids[topic.name], {id: firsts[id] for id in there}, {id: ends[id] for id in there}
        )
        try:
            facts[topic.name] = _facts(cluster, seen, reading)
        except KafkactlError:
            continue
    return facts


def _facts(cluster: Cluster, topic: DeadLetterTopic, reading: HeaderReading) -> LetterFacts:
    ledger = read_ledger(cluster, topic.id)
    summary = summary_of(topic.name, topic.firsts, topic.span, ledger)
    if summary.pending == 0:
        return LetterFacts(0)
    latest = None
    waiting = 0
    starts = {id: end - _LATEST for id, end in topic.ends.items()}
    for letters in read_letters(cluster, topic, reading, lambda _: None, starts=starts):
        for letter in letters:
            if letter.spot in ledger.entries:
                continue
            waiting += 1
            if latest is None or (letter.record.timestamp or 0) >= (latest.record.timestamp or 0):
                latest = letter
    # Markers of transactions take offsets, too: where all was read, the records themselves are counted.
    whole = all(starts[id] <= first for id, first in topic.firsts.items())
    pending = waiting if whole and not ledger.missing else summary.pending
    if latest is None:
        return LetterFacts(pending, missing=summary.missing)
    return LetterFacts(pending, latest.origin.topic or "", short_class(latest.origin.error_class), summary.missing)
