"""Dead letters for tests: how they are written, and what is in a topic afterwards."""

from confluent_kafka import Consumer, Producer, TopicPartition

from kafkactl.records.model import Headers

FROM_ORDERS = (("x-original-topic", b"orders"), ("x-original-partition", b"1"), ("x-error", b"no such merchant"))


def bury(brokers: str, *letters: tuple[bytes | None, bytes | None, Headers], topic: str = "orders-dlq") -> None:
    """Write dead letters: key, value, headers."""
    producer = Producer({"bootstrap.servers": brokers})
    for key, value, headers in letters:
        producer.produce(topic, value, key, headers=list(headers))
    producer.flush(10)


def copies(
    brokers: str, topic: str, isolation: str = "read_committed"
) -> list[tuple[int, bytes | None, bytes | None, Headers]]:
    """All that is in a topic."""
    reader = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "nobody",
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    parts = reader.list_topics(topic, timeout=10).topics[topic].partitions
    reader.assign([TopicPartition(topic, id, 0) for id in parts])
    found, open_parts = [], len(parts)
    while open_parts:
        message = reader.poll(5)
        assert message is not None
        if message.error():
            open_parts -= 1
        else:
            found.append((message.partition(), message.key(), message.value(), tuple(message.headers() or ())))
    reader.close()
    return found
