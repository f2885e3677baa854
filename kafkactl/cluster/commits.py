"""Changing what groups have committed. The caller has checked, asked, and saved the old offsets."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import error_text
from kafkactl.cluster.properties import second_client
from kafkactl.errors import KafkactlError
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import and_more
from kafkactl.topics import Place

_SOON = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)
_COORDINATOR_LIMIT = 15.0  # seconds


def set_commits(cluster: Cluster, group: str, offsets: Mapping[Place, int]) -> None:
    """Commit these offsets for an inactive group. Raises KafkactlError, which names what was not changed."""
    request = ConsumerGroupTopicPartitions(group, [TP(*place, offset) for place, offset in offsets.items()])
    until = time.monotonic() + _COORDINATOR_LIMIT
    while True:
        futures = cluster.admin.alter_consumer_group_offsets([request], request_timeout=WORK_LIMIT)
        answer = cluster.wait(futures[group])
        errors = {Place(tp.topic, tp.partition): tp.error for tp in answer.topic_partitions if tp.error}
        # A broker that has just become the group's coordinator says so for each partition.
        if not any(error.code() in _SOON for error in errors.values()) or time.monotonic() > until:
            break
        time.sleep(0.1)
    _raise_for(group, {place: reason_of(error) for place, error in errors.items()})


def remove_commits(cluster: Cluster, group: str, places: Iterable[Place]) -> None:
    """Delete a group's commits in these partitions. Raises KafkactlError, which names what was not changed."""
    answers = cluster.call(_remove, cluster, group, list(places))
    _raise_for(group, {place: why for place, why in answers.items() if why})


def _remove(cluster: Cluster, group: str, places: list[Place]) -> dict[Place, str]:
    """The error by partition, "" for success. Uses kafka-python, since confluent-kafka has no such call."""
    from kafka import TopicPartition
    from kafka.errors import KafkaError as Refusal

    with second_client(cluster.connection) as admin:
        try:
            answers = admin.delete_group_offsets(group, [TopicPartition(*place) for place in places])
        except (Refusal, ValueError) as error:
            return dict.fromkeys(places, _in_words(type(error).__name__))
    return {Place(tp.topic, tp.partition): _in_words(kind.__name__) for tp, kind in answers.items()}


def _in_words(name: str) -> str:
    if name == "NoError":
        return ""
    return {
        "GroupSubscribedToTopicError": "a member is subscribed to the topic",
        "GroupIdNotFoundError": "the group does not exist",
        "GroupAuthorizationFailedError": "no permission for this group",
        "NonEmptyGroupError": _MEMBERS,
    }.get(name, name.removesuffix("Error"))


def delete_group(cluster: Cluster, group: str) -> None:
    """Delete an inactive group and its commits. Raises KafkactlError."""
    answer = cluster.gather(cluster.admin.delete_consumer_groups([group], request_timeout=WORK_LIMIT))[group]
    if isinstance(answer, KafkaError):
        raise KafkactlError(
            f"{group} was not deleted: {reason_of(answer)}.", hint=kafkactl("groups describe", group, note="See")
        )


_MEMBERS = "it has active members again"


def reason_of(error: Any) -> str:
    """The reason in words: Kafka reports a group with members in two ways."""
    refusals = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.ILLEGAL_GENERATION)
    return _MEMBERS if error.code() in refusals else error_text(error)


def _raise_for(group: str, refused: Mapping[Place, str]) -> None:
    if not refused:
        return
    why = next(iter(refused.values()))
    raise KafkactlError(
        f"Offsets of {group} not changed in {and_more(refused, 1)}: {why}.",
        hint=kafkactl("groups describe", group, note="See"),
    )
