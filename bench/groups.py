"""Many consumer groups: their lag and what it means, beside Kafka's own tool."""

import random
import sys
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import kafka_scripts
from kafka_scripts import Tools
from measure import Contest, Entry

from kafkactl.sandbox.foreground import throwaway

KAFKACTL = str(Path(sys.executable).parent / "kafkactl")
_GROUPS, _TOPICS, _PARTITIONS, _RECORDS = 1_000, 27, 3, 100
_AT_ONCE = 100
_WAIT = 60.0  # seconds


def groups() -> Generator[Contest, None, None]:
    """1,000 groups without members, each with commits in 81 partitions; every second one has records to read in all."""
    with throwaway(full_jit=True) as broker, tempfile.TemporaryDirectory() as scratch:
        _fill(broker.bootstrap)
        tools, here = Tools.find(), Path(scratch)
        environment = {**tools.environment, "KAFKA_BROKERS": broker.bootstrap}
        script = f'{kafka_scripts.tool("kafka-consumer-groups")} --bootstrap-server "$KAFKA_BROKERS"'
        lag = f"{KAFKACTL} lag --threshold 10000"

        def entry(label: str, line: str, least: int, unavailable: str = "", factor: float | None = None) -> Entry:
            """A shell line that must write so many lines to its pipe."""
            command = ("bash", "-c", f'set -o pipefail; test "$({line} | wc -l)" -ge {least}')
            return Entry(
                label, command, environment, here, slow=bool(factor), least_factor=factor, unavailable=unavailable
            )

        yield Contest(
            "lag: 1,000 groups × 81 partitions",
            [
                entry("kafkactl lag --threshold 10000", lag, _GROUPS),
                entry("… --partitions", f"{lag} --partitions", _GROUPS * _TOPICS * _PARTITIONS),
                entry("… -o json", f"{lag} -o json", _GROUPS),
                entry("… -o prometheus", f"{lag} -o prometheus", _GROUPS * _TOPICS * _PARTITIONS),
                entry(
                    "kafka-consumer-groups --describe --all-groups",
                    f"{script} --describe --all-groups",
                    _GROUPS * _TOPICS * _PARTITIONS,
                    tools.unavailable,
                    8.0,
                ),
            ],
            note="kafkactl also reads the first record that waits, for how far behind each group is in time, and says "
            "what each lag means; Kafka's tool shows a line a partition, as --partitions does.",
        )


def _fill(brokers: str) -> None:
    from confluent_kafka import Producer  # a library that is loaded would be part of every process's memory
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 0})
    topics = [f"bench.topic-{number:02}" for number in range(_TOPICS)]
    for future in admin.create_topics([NewTopic(topic, _PARTITIONS, 1) for topic in topics]).values():
        future.result(_WAIT)
    places = [(topic, partition) for topic in topics for partition in range(_PARTITIONS)]
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5, "log_level": 0})
    for topic, partition in places:
        for _ in range(_RECORDS):
            producer.produce(topic, bytes(230), partition=partition)
    producer.flush(_WAIT)
    pending = [f"bench-{number:04}" for number in range(_GROUPS)]
    while pending:  # the coordinator of a new cluster takes a moment, and says so for each partition
        batches = [pending[start : start + _AT_ONCE] for start in range(0, len(pending), _AT_ONCE)]
        pending = [name for batch in batches for name in _refused(admin, batch, places)]


def _refused(admin: Any, names: Sequence[str], places: Sequence[tuple[str, int]]) -> list[str]:
    """Commit for these groups, all at once; those that it did not work for."""
    from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

    chance = random.Random(names[0])
    futures = {}
    for number, name in enumerate(names):
        behind = chance.randrange(1, _RECORDS) if number % 2 else 0
        offsets = [TopicPartition(*place, _RECORDS - behind) for place in places]
        futures[name] = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(name, offsets)])[name]
    return [
        name
        for name, future in futures.items()
        if future.exception(_WAIT) or any(place.error for place in future.result().topic_partitions)
    ]
