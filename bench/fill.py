"""Write the lines of a file, key:value, to a topic: `python bench/fill.py HOST:PORT TOPIC FILE`.

A process of its own, as in delete_topics.py.
"""

import sys

from confluent_kafka import Producer


def main() -> int:
    """The exit code: 1 where a record was not acknowledged."""
    brokers, topic, path = sys.argv[1:]
    failed = []
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 20, "enable.idempotence": True})

    def reported(error: object, _: object) -> None:
        if error:
            failed.append(error)

    with open(path, "rb") as file:
        for line in file:
            key, _, value = line.rstrip(b"\n").partition(b":")
            while True:
                try:
                    producer.produce(topic, value, key, on_delivery=reported)
                    break
                except BufferError:
                    producer.poll(0.1)
    return 1 if producer.flush(60) or failed else 0


if __name__ == "__main__":
    sys.exit(main())
