"""Changing topics, in batched calls: one request for all creates, one for all settings, never one per topic."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import ElectionType, KafkaError
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from kafkactl.catalog.model import Topic
from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import error_text
from kafkactl.errors import UnreachableError
from kafkactl.plan import Change, Kind


@dataclass(frozen=True)
class Outcome:
    """The result of a batch of changes. `failed` gives the reason for each topic and kind of change.

    `raced` are topics somebody else created in the same moment.
    """

    done: tuple[Change, ...] = ()
    failed: Mapping[tuple[str, Kind], str] = field(default_factory=dict)
    raced: frozenset[str] = frozenset()


def validate(cluster: Cluster, changes: Sequence[Change]) -> Outcome:
    """Ask the broker whether it would make these changes, without making them."""
    return _run(cluster, changes, validate_only=True)


def apply(cluster: Cluster, changes: Sequence[Change]) -> Outcome:
    """Make these changes; each topic's failure is reported and the others go on."""
    return _run(cluster, changes, validate_only=False)


def _run(cluster: Cluster, changes: Sequence[Change], *, validate_only: bool) -> Outcome:
    done: list[Change] = []
    failures: dict[tuple[str, Kind], str] = {}
    raced: set[str] = set()
    for group in (_creates, _configs, _partitions, _deletes):
        batch, futures = group(cluster, changes, validate_only)
        for name, answer in cluster.gather(futures).items():
            mine = [change for change in batch if change.topic == name]
            if not isinstance(answer, KafkaError):
                done.extend(mine)
            elif answer.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                raced.add(name)
            else:
                failures.update({(name, change.kind): error_text(answer) for change in mine})
    return Outcome(tuple(done), failures, frozenset(raced))


Batch = tuple[list[Change], dict[str, Any]]


def _creates(cluster: Cluster, changes: Sequence[Change], validate_only: bool) -> Batch:
    batch = [change for change in changes if change.kind == "create"]
    topics = [_new_topic(change.declared) for change in batch if change.declared]
    if not topics:
        return batch, {}
    return batch, cluster.admin.create_topics(
        topics, operation_timeout=WORK_LIMIT, request_timeout=WORK_LIMIT, validate_only=validate_only
    )


def _new_topic(topic: Topic) -> NewTopic:
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions or -1,
        replication_factor=topic.replication or -1,
        config=dict(topic.config),
    )


def _configs(cluster: Cluster, changes: Sequence[Change], validate_only: bool) -> Batch:
    batch = [change for change in changes if change.kind in ("config", "override")]
    resources: dict[str, ConfigResource] = {}
    for change in batch:
        resource = resources.setdefault(change.topic, ConfigResource(ResourceType.TOPIC, change.topic))
        if change.kind == "override":
            entry = ConfigEntry(change.key, None, incremental_operation=AlterConfigOpType.DELETE)
        else:
            entry = ConfigEntry(change.key, change.new, incremental_operation=AlterConfigOpType.SET)
        resource.add_incremental_config(entry)
    if not resources:
        return batch, {}
    futures = cluster.admin.incremental_alter_configs(
        list(resources.values()), request_timeout=WORK_LIMIT, validate_only=validate_only
    )
    return batch, {resource.name: future for resource, future in futures.items()}


def _partitions(cluster: Cluster, changes: Sequence[Change], validate_only: bool) -> Batch:
    batch = [change for change in changes if change.kind == "partitions"]
    if not batch:
        return batch, {}
    return batch, cluster.admin.create_partitions(
        [NewPartitions(change.topic, int(change.new or 0)) for change in batch],
        operation_timeout=WORK_LIMIT,
        request_timeout=WORK_LIMIT,
        validate_only=validate_only,
    )


def _deletes(cluster: Cluster, changes: Sequence[Change], validate_only: bool) -> Batch:
    batch = [change for change in changes if change.kind == "delete"]
    if not batch or validate_only:  # Kafka has no dry run for deleting
        return batch, {}
    return batch, cluster.admin.delete_topics(
        [change.topic for change in batch], operation_timeout=WORK_LIMIT, request_timeout=WORK_LIMIT
    )


def wait_for_leaders(cluster: Cluster, names: Iterable[str], timeout: float = 30.0) -> None:
    """Wait until every partition of these topics has a leader and every broker knows of it.

    Metadata propagates a moment after a create succeeds. Raises UnreachableError when `timeout` (seconds) is over.
    """
    waiting = set(names)
    deadline = time.monotonic() + timeout
    pause = 0.01
    while waiting:
        topics = cluster.call(cluster.admin.list_topics, timeout=WORK_LIMIT).topics
        waiting -= {
            name
            for name in waiting
            if name in topics
            and topics[name].partitions
            and all(p.leader >= 0 for p in topics[name].partitions.values())
        }
        if waiting and time.monotonic() > deadline:
            raise UnreachableError(
                f"{len(waiting)} new topics have no leader after {timeout:g} s, including {sorted(waiting)[0]}.",
                hint="To see them: kafkactl describe --unhealthy",
            )
        if waiting:
            time.sleep(pause)
            pause = min(pause * 2, 0.2)


def elect_preferred(cluster: Cluster) -> dict[str, str]:
    """Elect each partition's first replica as leader, if it is in sync; loses nothing.

    Returns the reason, by `topic[partition]`, for those that could not be changed. Raises KafkactlError.
    """
    # Without its timeouts: confluent-kafka 2.16.1 takes neither (SystemError).
    answers = cluster.wait(cluster.admin.elect_leaders(ElectionType.PREFERRED, None))
    errors = {f"{tp.topic}[{tp.partition}]": error for tp, error in answers.items() if error}
    return {
        place: error_text(error) for place, error in errors.items() if error.code() != KafkaError.ELECTION_NOT_NEEDED
    }
