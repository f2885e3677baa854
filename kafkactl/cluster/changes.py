"""Changing topics, in batched calls: one request for up to 2,000 new partitions or settings, never one per topic."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import ElectionType, KafkaError, TopicPartition
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
from kafkactl.cluster.kafka_errors import DENIED, error_text
from kafkactl.cluster.metadata import Present, read_present
from kafkactl.errors import UnreachableError
from kafkactl.placement.model import Assigned, Host
from kafkactl.placement.planning import NewPlaces, place_new
from kafkactl.plan.differences import Change, Kind
from kafkactl.text.remedies import kafkactl
from kafkactl.topics import Place


class Refusal(NamedTuple):
    """A change that Kafka refused, and why."""

    change: Change
    why: str


@dataclass(frozen=True)
class Outcome:
    """What became of a batch of changes, each of which is in exactly one of these.

    `raced` are topics somebody else created in the same moment, `unanswered` what got no answer in time: it may have
    been done.
    """

    done: tuple[Change, ...] = ()
    failed: tuple[Refusal, ...] = ()
    raced: tuple[Change, ...] = ()
    unanswered: tuple[Change, ...] = ()


# Records that one request may make in the controller's log; Kafka refuses more than 10,000 (MAX_RECORDS_PER_USER_OP).
_MOST_RECORDS = 2_000
_ASSUMED_PARTITIONS = 4  # of a new topic that leaves the number to the broker


def batches(changes: Iterable[Change]) -> Iterator[tuple[Change, ...]]:
    """Changes in the order in which they are made: creates, settings, partitions, deletes, each batch one request."""
    by_kind: dict[int, dict[str, list[Change]]] = {}
    for change in changes:
        by_kind.setdefault(_ORDER[change.kind], {}).setdefault(change.topic, []).append(change)
    for _, topics in sorted(by_kind.items()):
        batch: list[Change] = []
        size = 0
        for together in topics.values():  # a topic's settings are changed all at once or not at all
            records = sum(map(_records, together))
            if batch and size + records > _MOST_RECORDS:
                yield tuple(batch)
                batch, size = [], 0
            batch += together
            size += records
        if batch:
            yield tuple(batch)


_ORDER: Mapping[Kind, int] = {"create": 0, "config": 1, "override": 1, "partitions": 2, "delete": 3, "replication": 4}


def _records(change: Change) -> int:
    """About how many records of the controller's log a change makes."""
    if change.kind == "create" and change.declared:
        return 1 + (change.declared.partitions or _ASSUMED_PARTITIONS) + len(change.declared.config)
    if change.kind == "partitions":
        return max(1, int(change.new or 0) - int(change.old or 0))
    return 1


def validate(cluster: Cluster, batch: Sequence[Change]) -> Outcome:
    """Ask the broker whether it would make a batch of changes, without making them."""
    return _request(cluster, batch, validate_only=True)


def apply(cluster: Cluster, batch: Sequence[Change]) -> Outcome:
    """Make a batch of changes; each topic's failure is reported and the others go on.

    Raises UnreachableError where the cluster is gone: what was done then is not known.
    """
    return _request(cluster, batch, validate_only=False)


def _request(cluster: Cluster, batch: Sequence[Change], *, validate_only: bool) -> Outcome:
    send = _SEND[_ORDER[batch[0].kind]]
    done: list[Change] = []
    failed: list[Refusal] = []
    raced: list[Change] = []
    unanswered: list[Change] = []
    answers = cluster.gather(send(cluster, batch, validate_only))
    for change in batch:
        answer = answers.get(change.topic)
        if not isinstance(answer, KafkaError):
            done.append(change)
        elif answer.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            raced.append(change)
        elif answer.code() in _UNANSWERED:
            unanswered.append(change)
        else:
            failed.append(Refusal(change, _why(change.kind, answer)))
    return Outcome(tuple(done), tuple(failed), tuple(raced), tuple(unanswered))


# What a user must be allowed to do for each kind of change.
_NEEDS: Mapping[Kind, str] = {
    "create": "Create on the topic or on the cluster",
    "config": "AlterConfigs on the topic",
    "override": "AlterConfigs on the topic",
    "partitions": "Alter on the topic",
    "delete": "Delete on the topic",
}


def _why(kind: Kind, error: KafkaError) -> str:
    return f"no permission (needs {_NEEDS[kind]})" if error.code() in DENIED and kind in _NEEDS else error_text(error)


_UNANSWERED = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._DESTROY,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
    }
)


def _creates(cluster: Cluster, batch: Sequence[Change], validate_only: bool) -> dict[str, Any]:
    topics = [change.declared for change in batch if change.declared]
    told = [t for t in topics if t.partitions and t.replication]
    placed = _places(cluster, lambda _: [NewPlaces(t.name, 0, t.partitions or 0, t.replication or 0) for t in told])
    futures: dict[str, Any] = cluster.admin.create_topics(
        [_new_topic(topic, placed.get(topic.name)) for topic in topics],
        operation_timeout=WORK_LIMIT,
        request_timeout=WORK_LIMIT,
        validate_only=validate_only,
    )
    return futures


def _places(cluster: Cluster, wanted: Callable[[Present], list[NewPlaces]]) -> dict[str, list[list[int]]]:
    """Where the replicas of new partitions should be; without topics for which Kafka itself has to decide, or refuse.

    Kafka spreads them, too, but each topic from a broker drawn at random, whatever the brokers hold.
    """
    if len(cluster.info.brokers) < 2:
        return {}
    present = read_present(cluster)
    hosts = [Host(broker.id, broker.rack) for broker in cluster.info.brokers if broker.id in present.brokers]
    if len(hosts) < len(present.brokers):  # one came meanwhile, whose rack is not known
        return {}
    places = [new for new in wanted(present) if 0 < new.replication <= len(hosts) and 0 < new.number <= _MOST_RECORDS]
    there = [Assigned(Place(name, p.id), p.replicas) for name, ps in present.topics.items() for p in ps]
    return place_new(places, there, hosts) if places else {}


def _new_topic(topic: Topic, places: list[list[int]] | None) -> NewTopic:
    if places:
        return NewTopic(topic.name, len(places), replica_assignment=places, config=dict(topic.config))
    return NewTopic(
        topic.name,
        num_partitions=topic.partitions or -1,
        replication_factor=topic.replication or -1,
        config=dict(topic.config),
    )


def _configs(cluster: Cluster, batch: Sequence[Change], validate_only: bool) -> dict[str, Any]:
    resources: dict[str, ConfigResource] = {}
    for change in batch:
        resource = resources.setdefault(change.topic, ConfigResource(ResourceType.TOPIC, change.topic))
        if change.kind == "override":
            entry = ConfigEntry(change.key, None, incremental_operation=AlterConfigOpType.DELETE)
        else:
            entry = ConfigEntry(change.key, change.new, incremental_operation=AlterConfigOpType.SET)
        resource.add_incremental_config(entry)
    futures = cluster.admin.incremental_alter_configs(
        list(resources.values()), request_timeout=WORK_LIMIT, validate_only=validate_only
    )
    return {resource.name: future for resource, future in futures.items()}


def _partitions(cluster: Cluster, batch: Sequence[Change], validate_only: bool) -> dict[str, Any]:
    def wanted(present: Present) -> list[NewPlaces]:
        had = {change.topic: present.topics.get(change.topic, ()) for change in batch}
        return [
            NewPlaces(c.topic, len(had[c.topic]), int(c.new or 0) - len(had[c.topic]), len(had[c.topic][0].replicas))
            for c in batch
            if len(had[c.topic]) == int(c.old or 0) > 0
        ]

    placed = _places(cluster, wanted)
    futures: dict[str, Any] = cluster.admin.create_partitions(
        [_new_partitions(change, placed.get(change.topic)) for change in batch],
        operation_timeout=WORK_LIMIT,
        request_timeout=WORK_LIMIT,
        validate_only=validate_only,
    )
    return futures


def _new_partitions(change: Change, places: list[list[int]] | None) -> NewPartitions:
    if places:
        return NewPartitions(change.topic, int(change.new or 0), replica_assignment=places)
    return NewPartitions(change.topic, int(change.new or 0))


def _deletes(cluster: Cluster, batch: Sequence[Change], validate_only: bool) -> dict[str, Any]:
    if validate_only:  # Kafka has no dry run for deleting
        return {}
    futures: dict[str, Any] = cluster.admin.delete_topics(
        [change.topic for change in batch], operation_timeout=WORK_LIMIT, request_timeout=WORK_LIMIT
    )
    return futures


_SEND = (_creates, _configs, _partitions, _deletes)


def wait_for_leaders(cluster: Cluster, names: Iterable[str], timeout: float = 30.0) -> None:
    """Wait until a broker tells of a leader for every partition of these topics.

    Metadata reaches a broker a moment after a create succeeds; each of several brokers in its own time. Raises
    UnreachableError when `timeout` (seconds) is over.
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
                hint=kafkactl("describe", options=["--unhealthy"], note="To see them"),
            )
        if waiting:
            time.sleep(pause)
            pause = min(pause * 2, 0.2)


def elect_preferred(cluster: Cluster, places: Iterable[Place] | None = None) -> dict[str, str]:
    """Elect each partition's first replica as leader, of these or of all, if it is in sync; loses nothing.

    Returns the reason, by `topic[partition]`, for those that could not be changed. Raises KafkactlError.
    """
    # Without its timeouts: confluent-kafka 2.16.1 takes neither (SystemError).
    wanted = None if places is None else [TopicPartition(*place) for place in places]
    answers = cluster.wait(cluster.admin.elect_leaders(ElectionType.PREFERRED, wanted))
    errors = {f"{tp.topic}[{tp.partition}]": error for tp, error in answers.items() if error}
    return {
        place: error_text(error) for place, error in errors.items() if error.code() != KafkaError.ELECTION_NOT_NEEDED
    }
