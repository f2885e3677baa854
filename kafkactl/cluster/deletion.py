"""Deleting the oldest records of partitions."""

from collections.abc import Mapping

from confluent_kafka import KafkaError
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text
from kafkactl.topics import Place


def delete_before(cluster: Cluster, offsets: Mapping[Place, int]) -> dict[Place, str]:
    """Delete what is before these offsets; return the partitions in which that failed, with the reasons.

    Raises UnreachableError where the cluster is gone: what was deleted then is not known.
    """
    asked = {place: TP(*place, offset) for place, offset in offsets.items()}
    futures = cluster.admin.delete_records(list(asked.values()), request_timeout=WORK_LIMIT)
    answers = cluster.gather({place: futures[tp] for place, tp in asked.items()})
    return {place: _why(answer) for place, answer in answers.items() if isinstance(answer, KafkaError)}


def _why(error: KafkaError) -> str:
    return "no permission (needs Delete on the topic)" if error.code() in DENIED else error_text(error)
