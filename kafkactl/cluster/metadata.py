"""Reading brokers and topics: which exist, who leads them, and their settings."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from sys import intern
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource, ResourceType

from kafkactl.cluster.client import WORK_LIMIT, Broker, Cluster
from kafkactl.cluster.kafka_errors import error_text, failure
from kafkactl.cluster.properties import client_properties
from kafkactl.known_names import remember_names
from kafkactl.text.units import is_number
from kafkactl.topics import ConfigValue, LivePartition, LiveTopic, TopicIdentity


@dataclass(frozen=True)
class Setting:
    """One broker setting. `changed`: it is not Kafka's built-in default. `value` is None where it is secret."""

    name: str
    value: str | None
    changed: bool


@dataclass(frozen=True)
class BrokerSettings:
    """A broker with its settings, or with the reason why they could not be read."""

    broker: Broker
    settings: Mapping[str, Setting]
    why_not: str = ""

    def text(self, name: str) -> str:
        found = self.settings.get(name)
        return (found.value or "") if found else ""


def read_brokers(cluster: Cluster, ids: list[int] | None = None) -> list[BrokerSettings]:
    """The settings of the brokers with these ids (all where None), each asked for at that broker itself."""
    brokers = [broker for broker in cluster.info.brokers if ids is None or broker.id in ids]
    futures = {}
    for broker in brokers:
        resource = ConfigResource(ResourceType.BROKER, str(broker.id))
        asked = cluster.admin.describe_configs([resource], request_timeout=cluster.connection.timeout * 0.8)
        futures[broker] = next(iter(asked.values()))
    return [
        BrokerSettings(broker, {}, error_text(answer))
        if isinstance(answer, KafkaError)
        else BrokerSettings(broker, {name: _setting(entry) for name, entry in answer.items()})
        for broker, answer in cluster.gather(futures, limit=cluster.connection.timeout).items()
    ]


def read_default_replication(cluster: Cluster) -> int | None:
    """How many replicas a new topic gets that does not say; None where no broker tells."""
    text = read_brokers(cluster, [cluster.info.brokers[0].id])[0].text("default.replication.factor")
    return int(text) if is_number(text) else None


def _setting(entry: object) -> Setting:
    source = getattr(entry, "source", None)
    builtin = ConfigSource.DEFAULT_CONFIG.value
    changed = int(getattr(source, "value", source) or 0) != builtin
    secret = bool(getattr(entry, "is_sensitive", False))
    return Setting(entry.name, None if secret else entry.value, changed)  # type: ignore[attr-defined]


def mode(settings: list[BrokerSettings]) -> str:
    """ "KRaft" or "ZooKeeper", according to a broker's settings; "" if no broker shows them."""
    for broker in settings:
        if broker.text("process.roles"):
            return "KRaft"
        if broker.text("zookeeper.connect"):
            return "ZooKeeper"
    return ""


NOT_VISIBLE = "no permission, or it does not exist"  # Kafka does not tell which


@dataclass(frozen=True)
class Topics:
    """The topics the cluster shows. `denied`: topics asked for by name that we may not see, and why."""

    found: Mapping[str, LiveTopic]
    denied: Mapping[str, str] = field(default_factory=dict)


def read_topics(
    cluster: Cluster,
    asked: Iterable[str] = (),
    *,
    config_of: Iterable[str] | None = None,
    limit: float = WORK_LIMIT,
) -> Topics:
    """Every topic we may see, and those of `asked` that exist; with settings (of `config_of` only, where given).

    `limit` (seconds) bounds the wait for settings: without a controller they may never come.

    A broker silently leaves out what a user may not see, so topics that matter are asked for by name.
    """
    listed = {name: _partitions(topic) for name, topic in read_metadata(cluster).topics.items()}
    missing = [name for name in dict.fromkeys(asked) if name not in listed]
    denied: dict[str, str] = {}
    for name, answer in topic_answers(cluster, missing).items():
        if isinstance(answer, KafkaError):
            if answer.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                denied[name] = NOT_VISIBLE
            elif answer.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                denied[name] = error_text(answer)
        else:
            listed[name] = _described_partitions(answer)
    wanted = dict.fromkeys(name for name in (listed if config_of is None else config_of) if name in listed)
    configs = read_configs(cluster, list(wanted), limit)
    found = {
        name: LiveTopic(name, partitions, configs.get(name) if name in wanted else {})
        for name, partitions in listed.items()
    }
    return Topics(found, denied)


def read_metadata(cluster: Cluster) -> Any:
    """librdkafka's metadata of every topic; asking for it creates none."""
    admin, seconds = cluster.admin, cluster.connection.timeout
    while True:
        # Without a topic's name: with one, the request itself could create the topic (library trap 6).
        (answer,) = cluster.gather({0: cluster.start(admin.list_topics, timeout=seconds)}).values()
        if not isinstance(answer, KafkaError):
            brokers = {str(id): f"{broker.host}:{broker.port}" for id, broker in answer.brokers.items()}
            addresses = [*cluster.connection.brokers, *brokers.values()]
            remember_names(answer.cluster_id, addresses, topics=answer.topics, brokers=brokers)
            return answer
        seconds *= 2
        if seconds > WORK_LIMIT:
            raise failure(answer, "The cluster")
        # Any one broker is asked, and a client stays with it, even if it hangs: another client may find another.
        admin = AdminClient(client_properties(cluster.connection))


@dataclass(frozen=True)
class Present:
    """The brokers that are up, and every topic's partitions, at one moment."""

    brokers: frozenset[int]
    topics: Mapping[str, tuple[LivePartition, ...]]


def read_present(cluster: Cluster) -> Present:
    """Who is up, and where replicas are, as one broker knows it. Raises KafkactlError."""
    answer = read_metadata(cluster)
    return Present(frozenset(answer.brokers), {name: _partitions(topic) for name, topic in answer.topics.items()})


def _partitions(topic: Any) -> tuple[LivePartition, ...]:
    return tuple(
        LivePartition(p.id, p.leader if p.leader >= 0 else None, tuple(p.replicas), tuple(p.isrs))
        for _, p in sorted(topic.partitions.items())
    )


def topic_answers(cluster: Cluster, names: Sequence[str]) -> dict[str, Any]:
    """The description of each of these topics, or the KafkaError instead; asking for them creates none."""
    from confluent_kafka import TopicCollection

    if not names:
        return {}
    return cluster.gather(cluster.admin.describe_topics(TopicCollection(list(names)), request_timeout=WORK_LIMIT))


def read_topic_ids(cluster: Cluster, names: Sequence[str]) -> dict[str, str]:
    """The ids of these topics; without those that are not told: a zero id, or no permission, means not known."""
    answers = topic_answers(cluster, names)
    ids = {name: str(answer.topic_id) for name, answer in answers.items() if not isinstance(answer, KafkaError)}
    return {name: id for name, id in ids.items() if id and id != _NO_ID}


def read_identities(cluster: Cluster, wanted: Callable[[str], bool]) -> dict[str, TopicIdentity]:
    """What the topics with a wanted name are at this moment."""
    found = {name: topic for name, topic in read_metadata(cluster).topics.items() if wanted(name)}
    ids = read_topic_ids(cluster, list(found))
    return {name: TopicIdentity(ids.get(name, ""), len(topic.partitions)) for name, topic in found.items()}


_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"  # 16 bytes of zero, as Kafka writes them


def _described_partitions(description: Any) -> tuple[LivePartition, ...]:
    return tuple(
        LivePartition(
            p.id,
            p.leader.id if p.leader else None,
            tuple(n.id for n in p.replicas),
            tuple(n.id for n in p.isr),
        )
        for p in description.partitions
    )


def read_configs(
    cluster: Cluster, names: Sequence[str], limit: float = WORK_LIMIT
) -> dict[str, Mapping[str, ConfigValue] | None]:
    """The settings of topics; None for a topic whose settings we may not read. `limit` is in seconds.

    A topic created a moment ago may still be unknown to the broker that answers: it is left out. A request is for as
    many topics as do not hurt: an answer is held as Python objects, each setting with all it could fall back to.
    """
    configs: dict[str, Mapping[str, ConfigValue] | None] = {}
    until = time.monotonic() + limit
    shared: dict[tuple[str | None, str | None, bool], ConfigValue] = {}  # thousands of topics differ in few settings
    for start in range(0, len(names), _CONFIGS_AT_ONCE):
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names[start : start + _CONFIGS_AT_ONCE]]
        asked = cluster.admin.describe_configs(resources, request_timeout=WORK_LIMIT)
        for resource, answer in cluster.gather(asked, limit=max(0.0, until - time.monotonic())).items():
            if not isinstance(answer, KafkaError):
                configs[resource.name] = {
                    intern(key): shared.setdefault(found, ConfigValue(*found))
                    for key, entry in answer.items()
                    for found in [_config_value(entry)]
                }
            elif answer.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                configs[resource.name] = None
    return _with_broker_defaults(cluster, configs)


_CONFIGS_AT_ONCE = 500  # topics


def _config_value(entry: Any) -> tuple[str | None, str | None, bool]:
    """A setting's value, the value it falls back to (its first synonym that is not the topic's own), and if it does."""
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    if _source(entry) != own:
        return entry.value, entry.value, False
    return entry.value, next((s.value for s in entry.synonyms.values() if _source(s) != own), None), True


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
