"""Kafka's throttle for replication: a rate on each broker, and lists of replicas on topics that it holds for.

A broker's rate can only be changed through that broker itself. The lists are edited entry by entry (APPEND, SUBTRACT):
another tool may have its own in them.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource, ResourceType

from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import error_text
from kafkactl.topics import THROTTLED_REPLICAS

RATES = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")  # bytes a second, of a broker
LISTS = THROTTLED_REPLICAS  # of a topic
EVERY = "*"  # in a list: all of the topic's replicas

_AT_ONCE = 500  # topics in a request
_PROPAGATION_SECONDS = 5.0  # until every broker knows of a change that the controller has made


def read_rates(cluster: Cluster, brokers: Iterable[int]) -> dict[int, Mapping[str, str | None] | str]:
    """The rates set on each broker itself, None for one that is not set; the reason where a broker does not tell."""
    futures = {}
    for id in brokers:
        resource = ConfigResource(ResourceType.BROKER, str(id))
        asked = cluster.admin.describe_configs([resource], request_timeout=max(1.0, cluster.connection.timeout))
        futures[id] = next(iter(asked.values()))
    found: dict[int, Mapping[str, str | None] | str] = {}
    for id, answer in cluster.gather(futures, limit=cluster.connection.timeout * 2).items():
        if isinstance(answer, KafkaError):
            found[id] = error_text(answer)
        else:
            found[id] = {key: _own(answer.get(key), ConfigSource.DYNAMIC_BROKER_CONFIG) for key in RATES}
    return found


def set_rates(cluster: Cluster, wanted: Mapping[int, Mapping[str, str | None]]) -> dict[int, str]:
    """Set rates of brokers, or take them away (None); why not, for those where that failed."""
    futures = {}
    for id, rates in wanted.items():
        resource = ConfigResource(ResourceType.BROKER, str(id))
        for key, value in rates.items():
            kind = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
            resource.add_incremental_config(ConfigEntry(key, value, incremental_operation=kind))
        asked = cluster.admin.incremental_alter_configs(
            [resource], request_timeout=max(1.0, cluster.connection.timeout)
        )
        futures[id] = next(iter(asked.values()))
    answers = cluster.gather(futures, limit=cluster.connection.timeout * 2)
    return {id: error_text(answer) for id, answer in answers.items() if isinstance(answer, KafkaError)}


def await_rates(cluster: Cluster, wanted: Mapping[int, Mapping[str, str | None]]) -> None:
    """Wait until brokers say that their rates are these: each learns of a change in its own time."""
    deadline = time.monotonic() + _PROPAGATION_SECONDS
    while time.monotonic() < deadline:
        found = read_rates(cluster, wanted)
        if all(isinstance(f, str) or all(f[key] == v for key, v in wanted[id].items()) for id, f in found.items()):
            return
        time.sleep(0.05)


def read_lists(cluster: Cluster, topics: Sequence[str]) -> dict[str, Mapping[str, frozenset[str] | None]]:
    """The entries of each topic's lists, None for a list that is not set. Without topics that are not shown."""
    found: dict[str, Mapping[str, frozenset[str] | None]] = {}
    for at in range(0, len(topics), _AT_ONCE):
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics[at : at + _AT_ONCE]]
        asked = cluster.admin.describe_configs(resources, request_timeout=WORK_LIMIT)
        for resource, answer in cluster.gather(asked).items():
            if not isinstance(answer, KafkaError):
                values = {key: _own(answer.get(key), ConfigSource.DYNAMIC_TOPIC_CONFIG) for key in LISTS}
                found[resource.name] = {
                    key: None if value is None else frozenset(filter(None, map(str.strip, value.split(","))))
                    for key, value in values.items()
                }
    return found


Lists = Mapping[str, Mapping[str, Iterable[str]]]  # topic → list → entries


def add_to_lists(cluster: Cluster, entries: Lists) -> dict[str, str]:
    """Add entries to topics' lists; why not, for the topics where that failed."""
    return _change_lists(cluster, entries, lambda key, text: _entry(key, text, AlterConfigOpType.APPEND))


def take_from_lists(cluster: Cluster, entries: Lists) -> dict[str, str]:
    """Take entries out of topics' lists, and away a list that is empty then; why not, for topics where that failed."""
    failed = _change_lists(cluster, entries, lambda key, text: _entry(key, text, AlterConfigOpType.SUBTRACT))
    left = _without(cluster, {topic: lists for topic, lists in entries.items() if topic not in failed})
    empty = {
        topic: {key: () for key, found in lists.items() if found is not None and not found and key in entries[topic]}
        for topic, lists in left.items()
    }
    emptied = {topic: keys for topic, keys in empty.items() if keys}
    return failed | _change_lists(cluster, emptied, lambda key, _: _entry(key, None, AlterConfigOpType.DELETE))


def _without(cluster: Cluster, entries: Lists) -> dict[str, Mapping[str, frozenset[str] | None]]:
    """The topics' lists, once the broker that is asked knows that these entries are gone."""
    deadline = time.monotonic() + _PROPAGATION_SECONDS
    while True:
        left = read_lists(cluster, list(entries))
        known = all(
            not (found or frozenset()) & frozenset(entries[topic].get(key, ()))
            for topic, lists in left.items()
            for key, found in lists.items()
        )
        if known or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def _entry(key: str, value: str | None, kind: AlterConfigOpType) -> Any:
    return ConfigEntry(key, value, incremental_operation=kind)


def _change_lists(cluster: Cluster, entries: Lists, entry: Callable[[str, str], Any]) -> dict[str, str]:
    failed = {}
    names = sorted(entries)
    for at in range(0, len(names), _AT_ONCE):
        resources = []
        for name in names[at : at + _AT_ONCE]:
            resource = ConfigResource(ResourceType.TOPIC, name)
            for key, texts in entries[name].items():
                resource.add_incremental_config(entry(key, ",".join(sorted(texts))))
            resources.append(resource)
        answers = cluster.gather(cluster.admin.incremental_alter_configs(resources, request_timeout=WORK_LIMIT))
        for resource, answer in answers.items():
            gone = isinstance(answer, KafkaError) and answer.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
            if isinstance(answer, KafkaError) and not gone:
                failed[resource.name] = error_text(answer)
    return failed


def _own(entry: Any, source: ConfigSource) -> str | None:
    """A setting's value where it is set at this very place, else None."""
    if entry is None:
        return None
    at = int(getattr(entry.source, "value", entry.source))
    return entry.value if at == source.value else None
