"""What a plan for replicas has to know: who is up, where replicas are and how large, and what is being moved."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topics
from kafkactl.cluster.reassignments import Moving, Reassignments
from kafkactl.cluster.storage import read_replica_sizes
from kafkactl.placement.model import Assigned, Host
from kafkactl.topics import LiveTopic, Place

OF_KAFKA = "__"  # what topics begin with that are moved by name only


@dataclass(frozen=True)
class ReplicaScene:
    """A cluster's replicas at one moment.

    `sizes` are bytes by broker and partition; `unsized` says why some are not known, "" where all are. `down`: brokers
    that hold replicas and are not up.
    """

    hosts: tuple[Host, ...]
    topics: Mapping[str, LiveTopic]
    moving: Mapping[Place, Moving]
    sizes: Mapping[tuple[int, Place], int] = field(default_factory=dict)
    unsized: str = ""
    usable: Mapping[int, int] = field(default_factory=dict)  # bytes by broker, of those that tell

    @property
    def down(self) -> tuple[int, ...]:
        """The brokers that hold replicas and are not up."""
        up = {host.id for host in self.hosts}
        named = {id for topic in self.topics.values() for p in topic.partitions for id in p.replicas}
        return tuple(sorted(named - up))

    @property
    def leaders(self) -> dict[Place, int]:
        """Who leads each partition that has a leader."""
        return {
            Place(topic.name, p.id): p.leader
            for topic in self.topics.values()
            for p in topic.partitions
            if p.leader is not None
        }

    def size(self, place: Place, replicas: Iterable[int], leader: int | None) -> int | None:
        """Bytes of a partition: of its leader's replica where that is known, else of the largest; None if none is."""
        if leader is not None and (leader, place) in self.sizes:
            return self.sizes[leader, place]
        return max((self.sizes[id, place] for id in replicas if (id, place) in self.sizes), default=None)

    def assigned(self, wanted: Callable[[str], bool] = lambda _: True) -> list[Assigned]:
        """The partitions of topics with a wanted name, as they are; those that are moving as they will be."""
        found = []
        for topic in self.topics.values():
            if wanted(topic.name):
                for p in topic.partitions:
                    place = Place(topic.name, p.id)
                    moving = self.moving.get(place)
                    replicas = moving.after if moving else p.replicas
                    found.append(Assigned(place, replicas, self.size(place, p.replicas, p.leader), p.isr, p.leader))
        return found


def read_scene(kafka: Cluster, reassignments: Reassignments, names: Sequence[str] = ()) -> ReplicaScene:
    """Look at the whole cluster. `names` are asked for even where they are not listed. Raises KafkactlError."""
    moving = reassignments.listed()
    topics = read_topics(kafka, names).found
    sizes = read_replica_sizes(kafka)
    hosts = tuple(Host(broker.id, broker.rack) for broker in kafka.info.brokers)
    return ReplicaScene(hosts, topics, moving, sizes.of, sizes.missing, sizes.usable)


def with_settings_of(topics: Mapping[str, LiveTopic], known: Mapping[str, LiveTopic]) -> dict[str, LiveTopic]:
    """Topics that were looked at without their settings, with those that are known from before."""
    return {
        name: replace(topic, config=known[name].config) if name in known else topic for name, topic in topics.items()
    }


def moved_by_default(name: str) -> bool:
    """Whether a topic is moved where none is named."""
    return not name.startswith(OF_KAFKA)
