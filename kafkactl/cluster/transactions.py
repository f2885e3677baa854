"""Who holds transactions open. Uses kafka-python, since confluent-kafka has no such calls."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.properties import second_client
from kafkactl.errors import KafkactlError
from kafkactl.text.words import age
from kafkactl.topics import Place


class Holder(NamedTuple):
    """A producer with an open transaction in a partition. `name` is its transactional.id, "" where not known."""

    id: int
    name: str
    last: int | None  # ms, when it last wrote there

    def text(self, now: float) -> str:
        """The producer as people name it; `now` in ms."""
        details = [f"producer {self.id}"] if self.name else []
        details += [f"last wrote {age((now - self.last) / 1000)} ago"] if self.last else []
        return (self.name or f"producer {self.id}") + (f" ({', '.join(details)})" if details else "")


def read_holders(cluster: Cluster, places: Iterable[Place]) -> dict[Place, list[Holder]]:
    """Who holds transactions open in these partitions; nothing where Kafka does not tell (it takes Read on the topic).

    Names take Describe on the transactional ids.
    """
    try:
        return cluster.call(_read, cluster, list(places))
    except KafkactlError:
        return {}


def _read(cluster: Cluster, places: list[Place]) -> dict[Place, list[Holder]]:
    from kafka import TopicPartition
    from kafka.errors import KafkaError

    with second_client(cluster.connection) as admin:
        try:
            states = admin.describe_producers([TopicPartition(*place) for place in places])
        except KafkaError:
            return {}
        open_ones = {
            Place(tp.topic, tp.partition): [
                p for p in state.active_producers if p.current_transaction_start_offset >= 0
            ]
            for tp, state in states.items()
        }
        names = _names(admin, {producer.producer_id for found in open_ones.values() for producer in found})
    return {
        place: [
            Holder(p.producer_id, names.get(p.producer_id, ""), p.last_timestamp if p.last_timestamp > 0 else None)
            for p in found
        ]
        for place, found in open_ones.items()
    }


def _names(admin: Any, producers: set[int]) -> dict[int, str]:
    from kafka.errors import KafkaError

    if not producers:
        return {}
    try:
        listed = admin.list_transactions(producer_id_filters=sorted(producers))
    except KafkaError:
        return {}
    return {found.producer_id: found.transactional_id for part in listed.values() for found in part}
