"""A cluster of a size that few have: thousands of topics, and thousands of groups that have committed in them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

_AT_ONCE = 500  # topics or groups under way at once
_READS = 4  # topics that each group reads


def names(topics: int) -> list[str]:
    """The topics' names."""
    return [f"payments.{number:05}" for number in range(topics)]


def fill(brokers: str, topics: int, partitions: int, groups: int, *, filled: int | None = None) -> None:
    """Create the topics, write a record to each partition of the first `filled` ones (all where None), and commit for
    the groups: half are at the end.
    """
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    every = names(topics)
    _wait(admin.create_topics([NewTopic(every[0], partitions, 1)]).values())
    _first_group(admin, every[0])  # while the brokers have nothing else to do
    for some in _portions(every[1:], _AT_ONCE * 4 // partitions):  # Kafka bounds the partitions of a request
        _wait(admin.create_topics([NewTopic(name, partitions, 1) for name in some], request_timeout=120).values())
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0, "message.timeout.ms": 120_000})
    for some in _portions(every[:filled]):
        for name in some:
            for partition in range(partitions):
                producer.produce(name, b"{}", partition=partition)
        producer.flush(120)
    commit(admin, every[:filled], partitions, groups)


def _first_group(admin: AdminClient, topic: str) -> None:
    """Let Kafka make its topic of offsets, and its coordinators ready: until then a commit is refused."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        request = ConsumerGroupTopicPartitions("group-00000", [TopicPartition(topic, 0, 1)])
        with suppress(KafkaException):  # librdkafka may wait in vain for a coordinator: it is asked again
            (answer,) = _wait(admin.alter_consumer_group_offsets([request], request_timeout=5).values())
            if not any(place.error for place in answer.topic_partitions):
                return
        time.sleep(0.2)


def commit(admin: AdminClient, every: Sequence[str], partitions: int, groups: int) -> None:
    """Groups that have read some of these topics, the even ones all of them."""
    left = list(range(groups))
    until = time.monotonic() + 120
    while left and time.monotonic() < until:  # a broker may hear of a new topic, or of its groups, a moment later
        left = [number for numbers in _portions(left) for number in _refused(admin, every, partitions, numbers)]
    assert not left, left[:3]


def _refused(admin: AdminClient, every: Sequence[str], partitions: int, numbers: Sequence[int]) -> list[int]:
    futures: list[Future[Any]] = []
    for number in numbers:
        read = [every[(number * _READS + place) % len(every)] for place in range(_READS)]
        offsets = [TopicPartition(name, id, 1 - number % 2) for name in read for id in range(partitions)]
        wanted = [ConsumerGroupTopicPartitions(f"group-{number:05}", offsets)]
        futures += admin.alter_consumer_group_offsets(wanted, request_timeout=120).values()
    answers = zip(numbers, _wait(futures), strict=True)
    return [number for number, answer in answers if any(place.error for place in answer.topic_partitions)]


def _portions(entries: Sequence[Any], size: int = _AT_ONCE) -> Iterator[Sequence[Any]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


def _wait(futures: Iterable["Future[Any]"]) -> list[Any]:
    return [future.result(120) for future in futures]
