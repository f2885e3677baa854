"""What of a cluster is copied, and what its copy in a sandbox can be. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kafkactl.access.rules import Rule
from kafkactl.text.words import many
from kafkactl.topics import LiveTopic, is_internal

MOST_BROKERS = 5  # of a copy

# Settings of brokers that decide what becomes of a change of a topic.
DECIDING = (
    "allow.everyone.if.no.acl.found",
    "compression.type",
    "default.replication.factor",
    "delete.topic.enable",
    "log.cleanup.policy",
    "log.retention.bytes",
    "log.retention.hours",
    "log.retention.minutes",
    "log.retention.ms",
    "log.segment.bytes",
    "message.max.bytes",
    "min.insync.replicas",
    "num.partitions",
    "unclean.leader.election.enable",
)
# What a sandbox has no code for: the cluster's own classes.
_OWN_CODE = ("create.topic.policy.class.name", "alter.config.policy.class.name")


_COPIED_RULES = ("topic", "group", "transactional_id", "cluster")


@dataclass(frozen=True)
class OriginalBroker:
    """A broker: its rack, "" for none, and its settings; None where they cannot be read, `why` says so."""

    id: int
    rack: str
    settings: Mapping[str, str] | None
    why: str = ""


@dataclass(frozen=True)
class OriginalCluster:
    """A cluster as far as this user sees it. `metadata_version` is the newest its brokers support, 0: not known."""

    brokers: Sequence[OriginalBroker]
    topics: Mapping[str, LiveTopic]
    metadata_version: int = 0
    partial: bool = False  # there may be more topics
    rules: Sequence[Rule] | None = None  # access rules; None where they are of no account, or there is no authorizer
    unruled: str = ""  # why rules that matter are not known


@dataclass(frozen=True)
class PlacedTopic:
    """A topic as it is to be made: the brokers of each partition, the preferred leader first."""

    name: str
    replicas: Sequence[Sequence[int]]
    config: Mapping[str, str]


@dataclass(frozen=True)
class CopyPlan:
    """What the copy is made of; broker 1 stands for the first of the cluster's. `left_out`: what it lacks, and why."""

    brokers: int
    racks: Sequence[str | None]
    settings: Mapping[str, str]
    topics: Sequence[PlacedTopic]
    left_out: Sequence[str] = field(default_factory=list)
    rules: Sequence[Rule] | None = None
    places: Mapping[int, int] = field(default_factory=dict)  # the cluster's brokers → those of the copy


def copy_plan(original: OriginalCluster) -> CopyPlan:
    """The copy of a cluster, which has at most five brokers."""
    ids = sorted(broker.id for broker in original.brokers)
    number = max(1, min(len(ids), MOST_BROKERS))
    place = {id: at % number + 1 for at, id in enumerate(ids)}
    racks = [next((b.rack or None for b in original.brokers if place[b.id] == at), None) for at in range(1, number + 1)]
    settings, left_out = _settings(original)
    topics = [_placed(topic, place, number) for name, topic in sorted(original.topics.items()) if not is_internal(name)]
    if number < len(ids):
        left_out.insert(0, f"the cluster has {len(ids):,} brokers, the copy {number}")
    fewer = sum(
        len(set(to.replicas[at])) < len(partition.replicas)
        for to in topics
        for at, partition in enumerate(original.topics[to.name].partitions)
    )
    if fewer:
        left_out.append(
            f"{many(fewer, 'partition has', 'partitions have')} fewer replicas: the copy has too few brokers"
        )
    unread = sum(topic.config is None for topic in original.topics.values())
    if unread:
        left_out.append(f"the settings of {many(unread, 'topic')} (no permission to read them)")
    if original.unruled:
        left_out.append(f"access rules ({original.unruled})")
    if original.partial:
        left_out.append("topics that this user may not describe")
    rules = None if original.rules is None else [rule for rule in original.rules if rule.resource in _COPIED_RULES]
    return CopyPlan(number, racks, settings, topics, left_out, rules, place)


def _settings(original: OriginalCluster) -> tuple[dict[str, str], list[str]]:
    known = next((broker.settings for broker in original.brokers if broker.settings is not None), None)
    if known is None:
        why = next((broker.why for broker in original.brokers if broker.why), "no broker tells them")
        return {}, [f"the brokers' settings ({why})"]
    policies = [known[key] for key in _OWN_CODE if known.get(key)]
    left_out = [f"{', '.join(policies)}, which may refuse more"] if policies else []
    return {key: known[key] for key in DECIDING if known.get(key)}, left_out


def _placed(topic: LiveTopic, place: Mapping[int, int], brokers: int) -> PlacedTopic:
    replicas = []
    for partition in sorted(topic.partitions, key=lambda partition: partition.id):
        wanted = min(len(partition.replicas), brokers)
        there = list(dict.fromkeys(place.get(id, id % brokers + 1) for id in partition.replicas))
        there += [id for id in range(1, brokers + 1) if id not in there]
        replicas.append(tuple(there[: max(1, wanted)]))
    config = {key: value.value for key, value in (topic.config or {}).items() if value.overridden and value.value}
    return PlacedTopic(topic.name, tuple(replicas), config)
