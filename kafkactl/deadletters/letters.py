"""Reading dead letters, in the order of their offsets, and choosing among them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.cluster.visibility import require_topic
from kafkactl.deadletters.ledger import Spot
from kafkactl.deadletters.origin import HeaderReading, Origin
from kafkactl.errors import KafkactlError, UnreachableError, UsageError
from kafkactl.records import span
from kafkactl.records.consume import Reader, as_record, read_until
from kafkactl.records.filters import Filter
from kafkactl.records.model import Record
from kafkactl.text.escapes import plain
from kafkactl.text.words import and_more
from kafkactl.topics import LiveTopic, Place

_PATIENCE = 30.0  # seconds without any record


class Letter(NamedTuple):
    """A dead letter: its record in the dead-letter topic, and what its headers tell."""

    record: Record
    origin: Origin

    @property
    def spot(self) -> Spot:
        return self.record.partition, self.record.offset

    @property
    def original_time(self) -> int | None:
        """When the record was first written, in ms: by its headers, else its own time."""
        return self.origin.timestamp if self.origin.timestamp is not None else self.record.timestamp


@dataclass(frozen=True)
class DeadLetterTopic:
    """A dead-letter topic as it was found: `id` is Kafka's, the offsets those of every partition at that moment."""

    topic: LiveTopic
    id: str
    firsts: Mapping[int, int]
    ends: Mapping[int, int]

    @property
    def name(self) -> str:
        return self.topic.name

    @property
    def span(self) -> int:
        """How many offsets it holds; markers of transactions and what compaction removed count, too."""
        return sum(self.ends[id] - first for id, first in self.firsts.items())


def find_dead_letter_topic(cluster: Cluster, name: str) -> DeadLetterTopic:
    """The topic of this name, whatever it holds. Raises KafkactlError where it is not there or not whole."""
    topic = require_topic(cluster, name)
    leaderless = [p.id for p in topic.partitions if p.leader is None]
    found = span.bounds(
        cluster, [Place(name, p.id) for p in topic.partitions if p.leader is not None], uncommitted=False
    )
    silent = [*found.silent, *(Place(name, id) for id in leaderless)]
    if silent:
        raise UnreachableError(f"The leader of {and_more(sorted(silent))} does not respond.", hint=span.HINT)
    id = read_topic_ids(cluster, [name]).get(name, "")
    if not id:
        raise KafkactlError(
            f"{name}: Kafka does not tell the topic's id, by which notes about its dead letters are kept.",
            where="It takes Kafka 2.8 or later, and Describe on the topic.",
        )
    return DeadLetterTopic(
        topic,
        id,
        {place.partition: first for place, first in found.firsts.items()},
        {place.partition: end for place, end in found.ends.items()},
    )


def read_letters(
    cluster: Cluster,
    topic: DeadLetterTopic,
    reading: HeaderReading,
    told: Callable[[str], None],
    *,
    starts: Mapping[int, int] | None = None,
) -> Iterator[Sequence[Letter]]:
    """Batches of the dead letters up to the ends that were found; of committed transactions only.

    Raises KafkactlError when nothing comes any more.
    """
    places = {Place(topic.name, id): end for id, end in topic.ends.items()}
    first = {place: max(topic.firsts[place.partition], (starts or {}).get(place.partition, 0)) for place in places}
    first = {place: min(offset, places[place]) for place, offset in first.items()}
    reader = Reader(cluster, told)
    try:
        for messages in read_until(reader, first, places, _PATIENCE):
            records = map(as_record, messages)
            yield [Letter(record, reading.origin(record.headers)) for record in records]
    finally:
        reader.close()


Wanted = Callable[[Letter], bool]


def by_error(pattern: str) -> Wanted:
    """Letters in whose error class or message the pattern is found. Raises UsageError for a bad pattern."""
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"--error: {plain(pattern)} is not a valid regular expression: {error}.") from None
    return lambda letter: bool(search(letter.origin.error_class) or search(letter.origin.error))


def between(since: int | None, until: int | None) -> Wanted:
    """Letters written to the dead-letter topic at or after one time and before another, in ms."""

    def inside(letter: Letter) -> bool:
        time = letter.record.timestamp
        if time is None:
            return False
        return (since is None or time >= since) and (until is None or time < until)

    return inside


def of_record(keep: Filter) -> Wanted:
    """Letters whose record passes a filter."""
    return lambda letter: keep(letter.record)


def all_wanted(conditions: Sequence[Wanted]) -> Wanted:
    """Letters that meet all of these."""
    return lambda letter: all(wanted(letter) for wanted in conditions)
