"""Brokers: how they are set, and whether the cluster runs on KRaft or ZooKeeper."""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError
from confluent_kafka.admin import ConfigResource, ConfigSource, ResourceType

from kafkactl.cluster.client import Broker, Cluster
from kafkactl.cluster.words import reason


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
        BrokerSettings(broker, {}, reason(answer))
        if isinstance(answer, KafkaError)
        else BrokerSettings(broker, {name: _setting(entry) for name, entry in answer.items()})
        for broker, answer in cluster.gather(futures, limit=cluster.connection.timeout).items()
    ]


def _setting(entry: object) -> Setting:
    source = getattr(entry, "source", None)
    builtin = ConfigSource.DEFAULT_CONFIG.value
    changed = int(getattr(source, "value", source) or 0) != builtin
    secret = bool(getattr(entry, "is_sensitive", False))
    return Setting(entry.name, None if secret else entry.value, changed)  # type: ignore[attr-defined]


def mode(settings: list[BrokerSettings]) -> str:
    """ "KRaft" or "ZooKeeper", by what a broker says of itself; "" where none would say."""
    for broker in settings:
        if broker.text("process.roles"):
            return "KRaft"
        if broker.text("zookeeper.connect"):
            return "ZooKeeper"
    return ""
