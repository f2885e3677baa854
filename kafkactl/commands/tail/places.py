"""Which partitions a look is about: topics, globs, --partition, and where a key must be."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kafkactl.cluster import Cluster
from kafkactl.cluster.topics import no_such_topic, read_topics
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.records.partitioners import Partitioner, partition_of
from kafkactl.topics import LiveTopic, Place, is_internal


@dataclass(frozen=True)
class Wanted:
    """What the user typed of it; `partitioner` says where `key` must be."""

    topics: Sequence[str]
    partitions: Sequence[int] = ()
    key: str | None = None
    partitioner: Partitioner | None = None


@dataclass(frozen=True)
class Places:
    """Partitions with a leader, and those that have none at the moment."""

    led: Sequence[Place]
    leaderless: Sequence[Place]


def find_places(kafka: Cluster, wanted: Wanted) -> Places:
    """The partitions of these topics and globs. Raises KafkactlError for a topic or partition that is not there."""
    topics = read_topics(kafka, [name for name in wanted.topics if not _is_glob(name)], config_of=())
    found: dict[Place, bool] = {}
    for pattern in wanted.topics:
        names = [pattern] if pattern in topics.found else []
        if _is_glob(pattern):
            names = [name for name in topics.found if fnmatchcase(name, pattern) and not is_internal(name)]
        if pattern in topics.denied:
            raise KafkactlError(f"{pattern}: {topics.denied[pattern]}.")
        if not names:
            kind = "no topic that matches" if _is_glob(pattern) else "no topic"
            raise no_such_topic(kafka, pattern, topics, kind)
        for name in names:
            ids = _partitions(topics.found[name], wanted, strict=not _is_glob(pattern))
            found |= {(name, p.id): p.leader is not None for p in topics.found[name].partitions if p.id in ids}
    return Places([place for place, led in found.items() if led], [place for place, led in found.items() if not led])


def _partitions(topic: LiveTopic, wanted: Wanted, *, strict: bool) -> set[int]:
    ids = {partition.id for partition in topic.partitions}
    missing = [number for number in wanted.partitions if number not in ids]
    if missing and strict:
        raise UsageError(f"{topic.name} has no partition {missing[0]}: it has {len(ids)}, counted from 0.")
    if wanted.partitions:
        ids &= set(wanted.partitions)
    if wanted.partitioner is not None and wanted.key is not None:
        place = partition_of(wanted.key.encode(), len(topic.partitions), wanted.partitioner)
        if place not in ids and strict:
            raise UsageError(f"By {wanted.partitioner}, {wanted.key!r} must be in partition {place} of {topic.name}.")
        ids &= {place}
    return ids


def _is_glob(name: str) -> bool:
    return any(sign in name for sign in "*?[")
