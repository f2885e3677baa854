"""What Prometheus is told of brokers, topics and partitions. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from kafkactl.metrics.model import Family, Labels, single
from kafkactl.topics import LivePartition, LiveTopic, Place

if TYPE_CHECKING:
    from kafkactl.cluster.client import Broker
    from kafkactl.cluster.offsets import Range

_PLACE = ("topic", "partition")
Series = Iterator[tuple[Labels, float]]


def broker_families(brokers: Iterable["Broker"], topics: Iterable[LiveTopic]) -> Iterator[Family]:
    """The brokers that the cluster's metadata lists, and those that only hold replicas: they are gone."""
    listed = {broker.id: broker for broker in brokers}
    holding = {id for topic in topics for partition in topic.partitions for id in partition.replicas}
    yield single("kafka_brokers", "Brokers in the cluster.", len(listed))
    yield Family(
        "kafka_broker_info",
        "1 for each broker in the cluster.",
        ("id", "address"),
        (((broker.id, broker.address), 1) for broker in listed.values()),
    )
    yield Family(
        "kafkactl_broker_in_cluster",
        "1 if the cluster lists the broker, 0 if it only holds replicas.",
        ("id",),
        (((id,), int(id in listed)) for id in sorted(holding | listed.keys())),
    )


def topic_families(
    topics: Iterable[LiveTopic], ranges: Mapping[Place, "Range"], min_isr: Mapping[str, int]
) -> Iterator[Family]:
    """The topics' partitions. `min_isr` is each topic's min.insync.replicas, where it is known."""
    every = [(Place(topic.name, partition.id), partition) for topic in topics for partition in topic.partitions]

    def family(name: str, help: str, series: Series) -> Family:
        return Family(name, help, _PLACE, series)

    yield Family(
        "kafka_topic_partitions",
        "Partitions of the topic.",
        ("topic",),
        (((topic.name,), len(topic.partitions)) for topic in topics),
    )
    yield family(
        "kafka_topic_partition_current_offset",
        "The offset after the partition's last record.",
        ((place, ranges[place].end or 0) for place, _ in every if place in ranges and ranges[place].end is not None),
    )
    yield family(
        "kafka_topic_partition_oldest_offset",
        "The partition's first offset.",
        ((p, ranges[p].first or 0) for p, _ in every if p in ranges and ranges[p].first is not None),
    )
    yield family(
        "kafka_topic_partition_leader",
        "The broker that leads the partition; -1: none does.",
        ((place, -1 if p.leader is None else p.leader) for place, p in every),
    )
    yield family(
        "kafka_topic_partition_leader_is_preferred",
        "1 if the partition's first replica leads it.",
        ((place, int(p.leader == p.replicas[0])) for place, p in every if p.replicas and p.leader is not None),
    )
    yield family(
        "kafka_topic_partition_replicas", "Replicas of the partition.", ((place, len(p.replicas)) for place, p in every)
    )
    yield family(
        "kafka_topic_partition_in_sync_replica",
        "Replicas of the partition that are in sync.",
        ((place, len(p.isr)) for place, p in every),
    )
    yield family(
        "kafka_topic_partition_under_replicated_partition",
        "1 if a replica of the partition is not in sync.",
        ((place, int(len(p.isr) < len(p.replicas))) for place, p in every),
    )
    yield family(
        "kafkactl_topic_partition_under_min_isr",
        "1 if fewer replicas are in sync than min.insync.replicas asks for: acks=all is refused.",
        ((place, _under(p, min_isr[place.topic])) for place, p in every if place.topic in min_isr),
    )


def _under(partition: LivePartition, required: int) -> int:
    """Since Kafka 3.7 a broker asks for no more than there are replicas (Partition.effectiveMinIsr)."""
    return int(len(partition.isr) < min(required, len(partition.replicas)))


def unknown_of_topics(
    topics: Iterable[LiveTopic], ranges: Mapping[Place, "Range"], min_isr: Mapping[str, int]
) -> dict[str, int]:
    """How much is not known of the partitions, by what it is."""
    places = [Place(topic.name, partition.id) for topic in topics for partition in topic.partitions]
    silent = [place for place in places if place not in ranges or None in (ranges[place].first, ranges[place].end)]
    return {"offsets": len(silent), "min_isr": sum(topic.name not in min_isr for topic in topics)}
