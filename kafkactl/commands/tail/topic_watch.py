"""Looking at the topics again while tail follows them: partitions come, topics go, and come back as others.

A topic is its id, not its name (KIP-516). Where the id is not told, as by an old broker, only names and partitions are
compared.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topic_ids, read_topics
from kafkactl.commands.tail.start import Wanted, partitions_of
from kafkactl.errors import KafkactlError
from kafkactl.records import span
from kafkactl.topics import Place, matches

_SECONDS = 3.0  # between two looks


@dataclass(frozen=True)
class Seen:
    """What one look found: the wanted partitions, the ids of their topics where told, and where new ones begin."""

    places: frozenset[Place]
    ids: Mapping[str, str] = field(default_factory=dict)
    firsts: Mapping[Place, int] = field(default_factory=dict)


@dataclass(frozen=True)
class News:
    """What has changed: partitions to read no more, those to read from their start, and a line for each reason."""

    leave: frozenset[Place] = frozenset()
    join: Mapping[Place, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    nothing_left: bool = False


def _is_another(topic: str, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a topic has another id than before; not where one of the two is not known."""
    return topic in before and topic in now and before[topic] != now[topic]


def news(before: Seen, now: Seen) -> News:
    """What has changed between two looks. Pure."""
    topics, there = {p.topic for p in before.places}, {p.topic for p in now.places}
    gone = topics - there
    recreated = {topic for topic in topics & there if _is_another(topic, before.ids, now.ids)}
    leave = {place for place in before.places if place.topic in gone | recreated or place not in now.places}
    join = {p: first for p, first in now.firsts.items() if p not in before.places or p.topic in recreated}
    told = [f"{topic} was deleted" for topic in sorted(gone)]
    told += [
        f"{topic} was deleted and recreated; continuing at its start. The last {_SECONDS:g} s may show records of both"
        for topic in sorted(recreated)
    ]
    grown = sorted(p for p in join if p.topic in topics and p.topic not in recreated)
    told += [f"{place} is a new partition; reading it from its start" for place in grown]
    told += [f"{topic} is a new topic; reading it from its start" for topic in sorted(there - topics)]
    return News(frozenset(leave), join, tuple(told), nothing_left=not now.places)


class TopicWatch:
    """Looks at the topics now and then, in the background; never waits."""

    def __init__(self, kafka: Cluster, wanted: Wanted, places: frozenset[Place], *, uncommitted: bool) -> None:
        self._kafka = kafka
        self._wanted = wanted
        self._uncommitted = uncommitted
        self._seen = Seen(places)
        self._looking: Future[Seen] | None = None
        self._next = 0.0

    @property
    def topics(self) -> Sequence[str]:
        """The names and globs that are followed."""
        return self._wanted.topics

    def news(self) -> News | None:
        """What has changed since the last look; None where nothing has, or nobody answered."""
        if self._looking is None:
            if time.monotonic() >= self._next:
                self._looking = self._kafka.start(self._look)
            return None
        if not self._looking.done():
            return None
        looking, self._looking = self._looking, None
        self._next = time.monotonic() + _SECONDS
        if isinstance(looking.exception(), KafkactlError):  # an outage is told by the reader
            return None
        before, self._seen = self._seen, looking.result()
        found = news(before, self._seen)
        return found if found.leave or found.join or found.told else None

    def _look(self) -> Seen:
        topics = read_topics(self._kafka, config_of=()).found
        names = [n for n in topics if any(matches(n, pattern) for pattern in self._wanted.topics)]
        ids = read_topic_ids(self._kafka, names)
        places = frozenset(
            Place(name, id) for name in names for id in partitions_of(topics[name], self._wanted, strict=False)
        )
        before = self._seen
        fresh = [p for p in sorted(places) if p not in before.places or _is_another(p.topic, before.ids, ids)]
        led = {Place(name, p.id) for name in names for p in topics[name].partitions if p.leader is not None}
        bounds = span.bounds(self._kafka, [p for p in fresh if p in led], uncommitted=self._uncommitted)
        # A new partition without a leader yet is new at the next look.
        unread = frozenset(fresh) - bounds.firsts.keys()
        return Seen(places - unread, ids, bounds.firsts)
