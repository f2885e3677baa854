"""Consumers that behave, and consumers that do not: each a process of its own, ended at the end.

python -m tests.lab.consumers '{"group": …}'   is such a process: see `Consumes`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from tests.conftest import REPOSITORY


@dataclass(frozen=True)
class Consumes:
    """What a consumer does. It commits what it has handled, every half a second where `properties` say nothing else."""

    brokers: str
    group: str
    topic: str
    name: str = "app"
    handling: float = 0.0  # seconds a record takes
    stuck_after: int | None = None  # it hangs in the handling of the record after so many
    ends_after: int | None = None  # it leaves the group after so many
    life: float | None = None  # seconds after which it leaves the group and joins it again, for ever
    properties: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def consumer(what: Consumes) -> Iterator["subprocess.Popen[bytes]"]:
    """Such a consumer while the context lasts; then it leaves its group."""
    process = subprocess.Popen([sys.executable, "-m", "tests.lab.consumers", json.dumps(asdict(what))], cwd=REPOSITORY)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def consume_to_its_end(what: Consumes) -> None:
    """Such a consumer until it ends by itself."""
    with consumer(what) as process:
        assert process.wait(60) == 0


@contextmanager
def arriving(brokers: str, topic: str, rate: float) -> Iterator[None]:
    """So many records a second in partition 0 while the context lasts."""
    from confluent_kafka import Producer

    ended = threading.Event()

    def produce() -> None:
        producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
        start, sent = time.monotonic(), 0
        while not ended.wait(0.02):
            while sent < (time.monotonic() - start) * rate:
                producer.produce(topic, b"arriving", partition=0)
                sent += 1
            producer.poll(0)
        producer.flush(10)

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _run(what: Consumes) -> None:
    from confluent_kafka import Consumer

    handled = 0
    end = time.monotonic() + what.life if what.life else None
    reader = Consumer(
        {
            "bootstrap.servers": what.brokers,
            "group.id": what.group,
            "client.id": what.name,
            "auto.offset.reset": "earliest",
            "auto.commit.interval.ms": "500",
            "enable.auto.offset.store": "false",  # what is not handled is not committed
            "log_level": "0",
            **what.properties,
        }
    )
    try:
        reader.subscribe([what.topic])
        while (end is None or time.monotonic() < end) and (what.ends_after is None or handled < what.ends_after):
            message = reader.poll(0.1)
            if message is None or message.error():
                continue
            if handled == what.stuck_after:
                time.sleep(3_600)
            time.sleep(what.handling)
            reader.store_offsets(message)
            handled += 1
    finally:
        reader.close()


def main() -> None:
    """Consume as the argument says, until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    what = Consumes(**json.loads(sys.argv[1]))
    parent = os.getppid()
    while os.getppid() == parent:
        _run(what)
        if what.life is None:
            return


if __name__ == "__main__":
    main()
