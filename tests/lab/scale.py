"""A cluster of a size that few have: thousands of topics, and thousands of groups that have committed in them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

_AT_ONCE = 500  # topics or groups under way at once
_READS = 4  # topics that each group reads


def names(topics: int) -> list[str]:
    """The topics' names."""
    return [f"payments.{number:05}" for number in range(topics)]


def fill(brokers: str, topics: int, partitions: int, groups: int) -> None:
    """Create the topics, write a record to each of their partitions, and commit for the groups: half are at the end."""
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    every = names(topics)
    for some in _portions(every):
        _wait(admin.create_topics([NewTopic(name, partitions, 1) for name in some], request_timeout=120).values())
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0, "message.timeout.ms": 120_000})
    for some in _portions(every):
        for name in some:
            for partition in range(partitions):
                producer.produce(name, b"{}", partition=partition)
        producer.flush(120)
    commit(admin, every, partitions, groups)


def commit(admin: AdminClient, every: Sequence[str], partitions: int, groups: int) -> None:
    """Groups that have read some of these topics, the even ones all of them."""
    for numbers in _portions(range(groups)):
        futures: list[Future[Any]] = []
        for number in numbers:
            read = [every[(number * _READS + place) % len(every)] for place in range(_READS)]
            offsets = [TopicPartition(name, id, 1 - number % 2) for name in read for id in range(partitions)]
            wanted = [ConsumerGroupTopicPartitions(f"group-{number:05}", offsets)]
            futures += admin.alter_consumer_group_offsets(wanted, request_timeout=120).values()
        _wait(futures)


def _portions(entries: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(entries), _AT_ONCE):
        yield entries[start : start + _AT_ONCE]


def _wait(futures: "Any") -> None:
    for future in futures:
        future.result(120)
