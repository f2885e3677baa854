"""Topics as the cluster has them. Pure facts: the cluster package fills them in, plan and describe judge them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal, NamedTuple

from kafkactl.text.units import is_number
from kafkactl.text.words import many

_TOPICS = 2  # how many topics of a longer list are named
_PARTITIONS = 6  # and of their partitions


class Place(NamedTuple):
    """A partition by its topic's name and its id; as text payment.created[2]."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"

    @classmethod
    def of_text(cls, text: str) -> "Place":
        """The partition that such a text names."""
        topic, _, id = text.rpartition("[")
        return cls(topic, int(id.rstrip("]")))


# What is said of an answer from which brokers left out, without a word, what this user may not describe.
SOME_GROUPS = "only groups that this user may describe are listed"
SOME_TOPICS = "only topics that this user may describe are looked at"
NO_SUCH_TIME = -1  # Kafka's answer where no record is at or after a time
LONGEST_NAME = 249
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._-]")


def impossible_name(name: str) -> str | None:
    """Why no topic can have this name (Kafka's Topic.validate), in a sentence; None for a possible one."""
    if not name:
        return "a topic's name is empty."
    if name in (".", ".."):
        return f'a topic cannot be named "{name}".'
    if len(name) > LONGEST_NAME:
        return f"the topic name {name[:20]}… has {len(name):,} characters; Kafka allows {LONGEST_NAME}."
    bad = _NOT_ALLOWED.search(name)
    if bad:
        what = "a space" if bad[0] == " " else f'"{bad[0]}"' if bad[0].isprintable() else f"U+{ord(bad[0]):04X}"
        return f'topic name {name!r} contains {what}. Kafka allows letters, digits, ".", "_" and "-".'
    return None


def is_glob(name: str) -> bool:
    """Whether a name is meant as a pattern."""
    return any(sign in name for sign in "*?[")


def beginning(glob: str) -> str:
    """What every name that matches a glob begins with: all that comes before its first sign."""
    return re.split(r"[*?[]", glob, maxsplit=1)[0]


def matches(name: str, pattern: str) -> bool:
    """Whether a topic is of this name or glob; a glob leaves Kafka's own topics out."""
    return name == pattern or (is_glob(pattern) and fnmatchcase(name, pattern) and not is_internal(name))


@cache
def place_of(topic: str, partition: int) -> Place:
    """The Place of a partition, made once: a thousand groups that read it each ask for it several times."""
    return Place(topic, partition)


def in_short(places: Iterable[Place]) -> str:
    """Partitions by their topics: payment.created[0,1,2], payment.failed[1] and 3 more topics."""
    topics: dict[str, list[int]] = {}
    for topic, id in places:
        topics.setdefault(topic, []).append(id)
    listed = [f"{topic}[{_ids(sorted(ids))}]" for topic, ids in list(topics.items())[:_TOPICS]]
    more = len(topics) - len(listed)
    return ", ".join(listed) + (f" and {many(more, 'more topic')}" if more else "")


def _ids(ids: Sequence[int]) -> str:
    return ",".join(map(str, ids[:_PARTITIONS])) + ("…" if len(ids) > _PARTITIONS else "")


@dataclass(frozen=True)
class LivePartition:
    """One partition of a live topic. `leader` is None where it has none."""

    id: int
    leader: int | None
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


class TopicIdentity(NamedTuple):
    """What makes a topic the one it is (KIP-516): its id, "" where not known, and how many partitions it has."""

    id: str
    partitions: int


def recreated_topics(before: Mapping[str, TopicIdentity], now: Mapping[str, TopicIdentity]) -> frozenset[str]:
    """The topics that have another id than before; without those of which one of the two is not known."""
    return frozenset(
        name for name, topic in now.items() if topic.id and name in before and before[name].id not in ("", topic.id)
    )


def topic_changes(before: Mapping[str, TopicIdentity], now: Mapping[str, TopicIdentity]) -> list[str]:
    """What became of topics between two looks, in a sentence each without its full stop."""
    others = recreated_topics(before, now)
    told = [f"{name} was deleted" for name in sorted(before.keys() - now.keys())]
    told += [f"{name} was deleted and recreated" for name in sorted(others)]
    for name in sorted((before.keys() & now.keys()) - others):
        added = range(before[name].partitions, now[name].partitions)
        if added:
            told.append(f"{in_short(Place(name, id) for id in added)} {'is' if len(added) == 1 else 'are'} new")
    return told + [f"{name} is a new topic" for name in sorted(now.keys() - before.keys())]


@dataclass(frozen=True)
class ConfigValue:
    """One setting of a live topic: its value, and the value it would have without the topic's own override."""

    value: str | None
    default: str | None
    overridden: bool  # set on the topic itself (Kafka's DYNAMIC_TOPIC_CONFIG)


@dataclass(frozen=True)
class LiveTopic:
    """A topic on the cluster. `config` is None where the broker did not let us read it."""

    name: str
    partitions: tuple[LivePartition, ...]
    config: Mapping[str, ConfigValue] | None = field(default_factory=dict)

    @property
    def replication(self) -> tuple[int, int]:
        """The fewest and the most replicas any partition has."""
        sizes = [len(partition.replicas) for partition in self.partitions] or [0]
        return min(sizes), max(sizes)


Health = Literal["ok", "warning", "error"]


OFFSETS_TOPIC = "__consumer_offsets"
TRANSACTIONS_TOPIC = "__transaction_state"
# Settings of a topic that a move of its replicas sets and takes away: whose replicas a throttle holds for.
THROTTLED_REPLICAS = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")


OWN_PREFIX = "kafkactl."  # of topics in which kafkactl keeps notes of its own


def is_internal(name: str) -> bool:
    """Whether Kafka (or a platform on it) owns the topic, or kafkactl itself: no declaration is about those."""
    return name.startswith(("__", OWN_PREFIX))


def health(topic: LiveTopic, reassigning: frozenset[int] = frozenset()) -> tuple[Health, str]:
    """The worst thing about a topic's partitions, in words ("ok" when there is none).

    A partition below min.insync.replicas refuses acks=all, so it ranks with one that has no leader. Since
    Kafka 3.7 the broker asks for no more than the replication factor (Partition.effectiveMinIsr).
    """
    required = _min_isr(topic)
    leaderless = [p.id for p in topic.partitions if p.leader is None]
    below = [p.id for p in topic.partitions if p.leader is not None and len(p.isr) < min(required, len(p.replicas))]
    behind = [p.id for p in topic.partitions if len(p.isr) < len(p.replicas) and p.id not in {*leaderless, *below}]
    moving = [p.id for p in topic.partitions if p.id in reassigning]
    found = [
        (leaderless, "without a leader"),
        (below, "under min ISR"),
        (behind, "under-replicated"),
        (moving, "reassigning"),
    ]
    words = [f"{len(ids)} of {len(topic.partitions)} {text}" for ids, text in found if ids]
    if not words:
        return "ok", "ok"
    return ("error" if leaderless or below else "warning"), ", ".join(words)


def _min_isr(topic: LiveTopic) -> int:
    setting = (topic.config or {}).get("min.insync.replicas")
    return int(setting.value) if setting and setting.value and is_number(setting.value) else 1
