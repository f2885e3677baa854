"""What the tests of moving replicas share: topics with records, where their replicas are, which throttles are set."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from tests.conftest import admin_client, command, create
from tests.sandboxes import eventually

VALUE = bytes(range(256)) * 4  # 1 KiB that does not compress


def topic_with(brokers: str, name: str, assignment: Sequence[Sequence[int]], records: int = 0, **config: str) -> None:
    """A topic whose partitions have these replicas, and so many records of 1 KiB in each."""
    settings = {key.replace("_", "."): value for key, value in config.items()}
    create(brokers, NewTopic(name, len(assignment), replica_assignment=[list(a) for a in assignment], config=settings))
    producer = Producer({"bootstrap.servers": brokers, "acks": "all", "linger.ms": 20})
    for number in range(records):
        for partition in range(len(assignment)):
            producer.produce(name, VALUE, partition=partition)
        if number % 1000 == 999:
            producer.flush(60)
    assert producer.flush(60) == 0


def replicas(brokers: str, name: str) -> list[list[int]]:
    """The replicas of each partition, the preferred leader first."""
    partitions = _partitions(brokers, name)
    return [list(partitions[id].replicas) for id in sorted(partitions)]


def _partitions(brokers: str, name: str) -> Any:
    """The partitions of a topic, which a broker may hear of later than another one."""
    admin, found = admin_client(brokers), {}

    def there() -> bool:
        found.update(admin.list_topics(timeout=10).topics)
        return name in found and bool(found[name].partitions)

    assert eventually(there, 20), name
    return found[name].partitions


def leaders(brokers: str, name: str) -> list[int]:
    """Who leads each partition."""
    partitions = _partitions(brokers, name)
    return [partitions[id].leader for id in sorted(partitions)]


def throttles(brokers: str, ids: Sequence[int] = (1, 2, 3)) -> dict[str, str]:
    """Every throttle that is set: on brokers, and on topics, as place/setting → value."""
    admin = admin_client(brokers)
    names = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")]
    asked = [[ConfigResource(ResourceType.TOPIC, name) for name in names]] if names else []
    asked += [[ConfigResource(ResourceType.BROKER, str(id))] for id in ids]
    found = {}
    for resources in asked:
        for resource, future in admin.describe_configs(resources, request_timeout=10).items():
            for key, entry in future.result(10).items():
                if "throttled" in key and entry.value and not entry.is_default and entry.source in (1, 2):
                    found[f"{resource.name}/{key}"] = entry.value
    return found


def set_throttle(brokers: str, name: str, key: str, value: str | None) -> None:
    """Set a throttle's setting behind kafkactl's back: of a topic, or of a broker by its id; None removes it."""
    kind = ResourceType.BROKER if name.isdigit() else ResourceType.TOPIC
    step = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
    resource = ConfigResource(kind, name, incremental_configs=[ConfigEntry(key, value, incremental_operation=step)])
    admin = admin_client(brokers)  # it has to outlive its futures
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)


def no_throttle(brokers: str, ids: Sequence[int] = (1, 2, 3)) -> bool:
    """Whether no throttle is set, as soon as every broker knows."""
    return eventually(lambda: not throttles(brokers, ids), 10)


@contextmanager
def a_slow_move(topic: str) -> Iterator[None]:
    """kafkactl moves replicas of a topic at 200 kB/s meanwhile; at the end it is killed, and leaves all as it is."""
    words = ("replicas", "move", topic, "--replication", "2", "--throttle", "200kB/s", "--yes")
    process = command(*words)
    try:
        brokers = os.environ["KAFKA_BROKERS"]
        assert eventually(lambda: moved_now(brokers), 30), process.communicate()
        yield
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _second_client(brokers: str) -> Iterator[Any]:
    from kafka.admin import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=brokers.split(","))
    try:
        yield admin
    finally:
        admin.close()


def moved_now(brokers: str) -> dict[Any, Any]:
    """What Kafka lists as being moved."""
    with _second_client(brokers) as admin:
        found: dict[Any, Any] = admin.list_partition_reassignments()
        return found


def begin_behind(brokers: str, topic: str, partition: int, replicas: list[int]) -> None:
    """Move a partition behind kafkactl's back."""
    from kafka import TopicPartition

    with _second_client(brokers) as admin:
        answer = admin.alter_partition_reassignments({TopicPartition(topic, partition): replicas})
        assert set(answer.values()) == {None}


def cancel_behind(brokers: str) -> None:
    """Cancel everything that is being moved, behind kafkactl's back, and wait until Kafka has done so."""
    with _second_client(brokers) as admin:
        admin.alter_partition_reassignments(dict.fromkeys(admin.list_partition_reassignments()))
        assert eventually(lambda: not admin.list_partition_reassignments())


class Load:
    """A producer at work: numbered records with acks=all, each accounted for."""

    def __init__(self, brokers: str, topic: str, partitions: int) -> None:
        self.acknowledged: set[int] = set()
        self.refused: list[str] = []
        self._brokers, self._topic, self._partitions = brokers, topic, partitions
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self._brokers,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": 120_000,
                "log_level": 0,
            }
        )
        number = 0

        def heard(error: object, record: object) -> None:
            if error is not None:
                self.refused.append(str(error))
            else:
                self.acknowledged.add(int(record.key()))  # type: ignore[attr-defined]

        while not self._stop.is_set():
            producer.produce(
                self._topic, b"x" * 100, str(number).encode(), partition=number % self._partitions, on_delivery=heard
            )
            producer.poll(0)
            number += 1
            time.sleep(0.002)
        assert producer.flush(120) == 0

    def stop(self) -> None:
        """Stop writing, and wait until all is acknowledged."""
        self._stop.set()
        self._thread.join(150)

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()


@contextmanager
def under_load(brokers: str, topic: str, partitions: int) -> Iterator[Load]:
    """Write numbered records meanwhile; afterwards each one that was acknowledged has to be there, once."""
    load = Load(brokers, topic, partitions)
    load.start()
    try:
        yield load
    finally:
        load.stop()
    assert load.refused == []
    assert len(load.acknowledged) > 50
    wanted = Counter(load.acknowledged)
    found = Counter(numbers(brokers, topic, partitions))
    deadline = time.monotonic() + 30  # a leader that has just come back tells of its last records a moment later
    while wanted - found and time.monotonic() < deadline:
        time.sleep(0.5)
        found = Counter(numbers(brokers, topic, partitions))
    lost, more = wanted - found, found - wanted
    assert (len(lost), len(more)) == (0, 0), (sorted(lost)[:10], more.most_common(10), len(wanted))


def numbers(brokers: str, topic: str, partitions: int) -> list[int]:
    """The keys of all records that have one, as numbers."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "none",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    consumer.assign([TopicPartition(topic, id, 0) for id in range(partitions)])
    ended: set[int] = set()
    found = []
    while len(ended) < partitions:
        for record in consumer.consume(5000, 0.5):
            if record.error():
                ended.add(record.partition())
            elif record.key():
                found.append(int(record.key()))
    consumer.close()
    return found
