"""Consumer groups, looked at from outside: nothing joins, nothing is committed, nothing is created."""

from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.topics import read_metadata
from kafkactl.errors import KafkactlError
from kafkactl.suggest import suggest
from kafkactl.topics import Place


def _list_groups(cluster: Cluster) -> list[str]:
    """Every group that the brokers which answer know."""
    listing = cluster.wait(cluster.admin.list_consumer_groups(request_timeout=cluster.connection.timeout))
    return [group.group_id for group in listing.valid]


def read_groups(cluster: Cluster, topic_names: Iterable[str]) -> dict[str, list[str]]:
    """Groups that have committed offsets in each of these topics, by topic."""
    wanted: dict[str, list[str]] = {name: [] for name in topic_names}
    requests = {group: ConsumerGroupTopicPartitions(group) for group in _list_groups(cluster)}
    futures = {
        group: cluster.admin.list_consumer_group_offsets([request])[group] for group, request in requests.items()
    }
    for group, answer in sorted(cluster.gather(futures).items()):
        if isinstance(answer, KafkaError):
            continue
        for name in {topic for topic, _ in _offsets(answer)}:
            if name in wanted:
                wanted[name].append(group)
    return wanted


def read_committed(cluster: Cluster, group: str, places: Sequence[Place]) -> dict[Place, int]:
    """The offsets a group has committed in these partitions; without those where it has none.

    Raises KafkactlError where there is no such group.
    """
    # Where no group ever was, asking for one's coordinator would make Kafka create its offsets topic. A group of a
    # moment ago is not in the list yet, and the topic may be hidden from us: either one is enough.
    if "__consumer_offsets" not in read_metadata(cluster).topics:
        known = _list_groups(cluster)
        if group not in known:
            raise KafkactlError(
                f"There is no group {group} on {cluster.connection.address}.{suggest(group, known, quoted=False)}"
            )
    request = ConsumerGroupTopicPartitions(group, [TP(*place) for place in places])
    return _offsets(cluster.wait(cluster.admin.list_consumer_group_offsets([request])[group]))


def _offsets(answer: Any) -> dict[Place, int]:
    return {(tp.topic, tp.partition): tp.offset for tp in answer.topic_partitions if not tp.error and tp.offset >= 0}
