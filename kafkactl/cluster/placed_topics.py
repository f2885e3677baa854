"""Creating topics whose replicas are placed by hand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from confluent_kafka import KafkaError
from confluent_kafka.admin import NewTopic

from kafkactl.cluster.changes import wait_for_leaders
from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import error_text

_AT_ONCE = 2_000  # records of the controller's log that a request makes


class ByHand(Protocol):
    """A topic with the brokers of each partition."""

    @property
    def name(self) -> str: ...
    @property
    def replicas(self) -> Sequence[Sequence[int]]: ...
    @property
    def config(self) -> Mapping[str, str]: ...


def create_placed(cluster: Cluster, topics: Sequence[ByHand]) -> dict[str, str]:
    """Make these topics, and wait for their leaders; what could not be made as it is, with the reason.

    A topic whose settings are refused is made without them. Raises UnreachableError.
    """
    refused = _create(cluster, topics, bare=False)
    again = [topic for topic in topics if topic.name in refused]
    lost = _create(cluster, again, bare=True)
    wait_for_leaders(cluster, [topic.name for topic in topics if topic.name not in lost])
    return {
        name: (f"not made: {lost[name]}" if name in lost else f"without its settings: {why}")
        for name, why in refused.items()
    }


def _create(cluster: Cluster, topics: Sequence[ByHand], *, bare: bool) -> dict[str, str]:
    refused: dict[str, str] = {}
    for some in _portions(topics):
        asked: dict[str, Any] = cluster.admin.create_topics(
            [
                NewTopic(
                    topic.name,
                    num_partitions=len(topic.replicas),
                    replica_assignment=[list(replicas) for replicas in topic.replicas],
                    config={} if bare else dict(topic.config),
                )
                for topic in some
            ],
            operation_timeout=WORK_LIMIT,
            request_timeout=WORK_LIMIT,
        )
        answers = cluster.gather(asked)
        refused |= {name: error_text(answer) for name, answer in answers.items() if isinstance(answer, KafkaError)}
    return refused


def _portions(topics: Sequence[ByHand]) -> Iterator[list[ByHand]]:
    some: list[ByHand] = []
    size = 0
    for topic in topics:
        records = 1 + len(topic.replicas) + len(topic.config)
        if some and size + records > _AT_ONCE:
            yield some
            some, size = [], 0
        some.append(topic)
        size += records
    if some:
        yield some
