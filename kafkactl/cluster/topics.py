"""Reading topics: what is there, who leads it, how it is set, how much is in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError
from confluent_kafka import TopicPartition as TP
from confluent_kafka.admin import ConfigResource, ConfigSource, OffsetSpec, ResourceType

from kafkactl.cluster.brokers import BrokerSettings, read_brokers
from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.words import reason
from kafkactl.topics import ConfigValue, LiveTopic, Partition

# ListOffsets answers are merged pairwise by librdkafka: beyond this many partitions a request it costs seconds.
_OFFSETS_AT_ONCE = 2000


@dataclass(frozen=True)
class Topics:
    """What the cluster shows of its topics. `denied`: topics asked for by name that we may not see, and why."""

    found: Mapping[str, LiveTopic]
    denied: Mapping[str, str] = field(default_factory=dict)


def read_topics(cluster: Cluster, asked: Iterable[str] = (), *, config_of: Iterable[str] | None = None) -> Topics:
    """Every topic we may see, and those of `asked` that exist; with settings (of `config_of` only, where given).

    A broker leaves out what a user may not see without a word, so the topics somebody counts on are asked for
    by name.
    """
    listed = {name: _partitions(topic) for name, topic in _metadata(cluster).topics.items()}
    missing = [name for name in asked if name not in listed]
    denied: dict[str, str] = {}
    for name, answer in _describe(cluster, missing).items():
        if isinstance(answer, KafkaError):
            if answer.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                denied[name] = reason(answer)
        else:
            listed[name] = _described_partitions(answer)
    wanted = [name for name in (listed if config_of is None else config_of) if name in listed]
    configs = read_configs(cluster, wanted)
    found = {
        name: LiveTopic(name, partitions, configs.get(name) if name in wanted else {})
        for name, partitions in listed.items()
    }
    return Topics(found, denied)


def _metadata(cluster: Cluster) -> Any:
    # Without a topic's name: with one, the request itself could create the topic (library trap 6).
    return cluster.call(cluster.admin.list_topics, timeout=WORK_LIMIT)


def _partitions(topic: Any) -> tuple[Partition, ...]:
    return tuple(
        Partition(p.id, p.leader if p.leader >= 0 else None, tuple(p.replicas), tuple(p.isrs))
        for _, p in sorted(topic.partitions.items())
    )


def _describe(cluster: Cluster, names: Sequence[str]) -> dict[str, Any]:
    from confluent_kafka import TopicCollection

    if not names:
        return {}
    return cluster.gather(cluster.admin.describe_topics(TopicCollection(list(names)), request_timeout=WORK_LIMIT))


def _described_partitions(description: Any) -> tuple[Partition, ...]:
    return tuple(
        Partition(
            p.id,
            p.leader.id if p.leader else None,
            tuple(n.id for n in p.replicas),
            tuple(n.id for n in p.isr),
        )
        for p in description.partitions
    )


def read_configs(cluster: Cluster, names: Sequence[str]) -> dict[str, Mapping[str, ConfigValue] | None]:
    """The settings of topics, in one request; None for a topic whose settings we may not read.

    A topic made a moment ago can still be unknown to the broker that answers: it is left out.
    """
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    answers = cluster.gather(cluster.admin.describe_configs(resources, request_timeout=WORK_LIMIT))
    configs: dict[str, Mapping[str, ConfigValue] | None] = {}
    for resource, answer in answers.items():
        if not isinstance(answer, KafkaError):
            configs[resource.name] = {key: _config_value(entry) for key, entry in answer.items()}
        elif answer.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            configs[resource.name] = None
    return _with_broker_defaults(cluster, configs)


def _config_value(entry: Any) -> ConfigValue:
    """A setting with the value it falls back to: the first synonym that is not the topic's own."""
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    fallback = next((s.value for s in entry.synonyms.values() if _source(s) != own), None)
    overridden = _source(entry) == own
    return ConfigValue(entry.value, fallback if overridden else entry.value, overridden)


# Settings whose broker-wide value may be given in another unit: then the topic's override hides it from its
# synonyms. The broker's settings in their order of precedence, with their unit in ms (KafkaConfig).
_IN_OTHER_UNITS = {
    "retention.ms": {"log.retention.ms": 1, "log.retention.minutes": 60_000, "log.retention.hours": 3_600_000},
    "segment.ms": {"log.roll.ms": 1, "log.roll.hours": 3_600_000},
    "segment.jitter.ms": {"log.roll.jitter.ms": 1, "log.roll.jitter.hours": 3_600_000},
}


def _with_broker_defaults(
    cluster: Cluster, configs: dict[str, Mapping[str, ConfigValue] | None]
) -> dict[str, Mapping[str, ConfigValue] | None]:
    hidden = {
        (name, key)
        for name, config in configs.items()
        for key, value in (config or {}).items()
        if value.overridden and value.default is None and key in _IN_OTHER_UNITS
    }
    if not hidden:
        return configs
    broker = read_brokers(cluster, [cluster.info.brokers[0].id])[0]
    defaults = {key: _broker_default(broker, units) for key, units in _IN_OTHER_UNITS.items()}
    return {
        name: config
        and {
            key: replace(value, default=defaults[key]) if (name, key) in hidden else value
            for key, value in config.items()
        }
        for name, config in configs.items()
    }


def _broker_default(broker: BrokerSettings, units: Mapping[str, int]) -> str | None:
    for setting, factor in units.items():
        text = broker.text(setting)
        if text:
            return text if int(text) < 0 else str(int(text) * factor)
    return None


def _source(entry: Any) -> int:
    return int(getattr(entry.source, "value", entry.source))


@dataclass(frozen=True)
class Range:
    """The offsets a partition holds: the first one left and the one after the last. None where not known."""

    first: int | None
    end: int | None

    @property
    def records(self) -> int | None:
        """How many offsets that is; compaction and transactions make the records fewer."""
        return None if self.first is None or self.end is None else max(0, self.end - self.first)


def read_ranges(cluster: Cluster, topics: Iterable[LiveTopic]) -> dict[tuple[str, int], Range]:
    """First and end offset of every partition that has a leader, by (topic, partition).

    What no leader answers for within the connection's timeout is None: one broker down must not hide the rest.
    """
    asked = [TP(topic.name, p.id) for topic in topics for p in topic.partitions if p.leader is not None]
    first, end = (_offsets(cluster, asked, spec()) for spec in (OffsetSpec.earliest, OffsetSpec.latest))
    return {(tp.topic, tp.partition): Range(first.get(tp), end.get(tp)) for tp in asked}


def _offsets(cluster: Cluster, asked: Sequence[TP], spec: Any) -> dict[TP, int | None]:
    futures: dict[TP, Any] = {}
    for start in range(0, len(asked), _OFFSETS_AT_ONCE):
        chunk = asked[start : start + _OFFSETS_AT_ONCE]
        futures |= cluster.admin.list_offsets(
            dict.fromkeys(chunk, spec),
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=cluster.connection.timeout * 0.8,
        )
    answers = cluster.gather(futures, limit=cluster.connection.timeout)
    # An unreachable leader comes back as success with a negative offset (library trap 1).
    return {
        tp: None if isinstance(answer, KafkaError) or answer.offset < 0 else answer.offset
        for tp, answer in answers.items()
    }


def read_groups(cluster: Cluster, topic_names: Iterable[str]) -> dict[str, list[str]]:
    """Groups that have committed offsets in each of these topics, by topic.

    Asked only where Kafka has its offsets topic: looking up a group's coordinator would create it.
    """
    wanted: dict[str, list[str]] = {name: [] for name in topic_names}
    if "__consumer_offsets" not in _metadata(cluster).topics:
        return wanted
    listing = cluster.wait(cluster.admin.list_consumer_groups(request_timeout=cluster.connection.timeout))
    futures = {
        group.group_id: cluster.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group.group_id)])[
            group.group_id
        ]
        for group in listing.valid
    }
    for group, answer in sorted(cluster.gather(futures).items()):
        if isinstance(answer, KafkaError):
            continue
        for name in {tp.topic for tp in answer.topic_partitions if tp.error is None and tp.offset >= 0}:
            if name in wanted:
                wanted[name].append(group)
    return wanted
