"""Faults on demand: settings changed behind a broker's back, ports that misbehave, records and topics out of order."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.model import Node
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import admin_client, create
from tests.lab.consumers import Consumes
from tests.sandboxes import eventually, free_port

FAR = "9223372036854775807"  # ms: a topic that takes any timestamp


def set_properties(node: Node, settings: Mapping[str, str]) -> None:
    """Change a stopped broker's server.properties; the last of several lines with one key counts."""
    with (node.directory / "server.properties").open("a", encoding="ascii") as file:
        file.writelines(f"{key}={value}\n" for key, value in settings.items())


def restart(sandbox: RunningSandbox, id: int, settings: Mapping[str, str]) -> None:
    """Stop a broker, change its settings, and start it again."""
    sandbox.stop(id)
    set_properties(next(node for node in sandbox.nodes if node.id == id), settings)
    sandbox.start(id)


def second_listener(node: Node, advertised: str) -> tuple[int, dict[str, str]]:
    """A port for the host, and the settings of a broker whose other listener sends its clients to `advertised`."""
    host, internal = free_port(), node.port
    return host, {
        "listeners": f"CONTROLLER://127.0.0.1:{node.controller_port},PLAINTEXT://127.0.0.1:{internal},HOST://127.0.0.1:{host}",
        "advertised.listeners": f"PLAINTEXT://{advertised},HOST://127.0.0.1:{host}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT",
        "inter.broker.listener.name": "HOST",
    }


@contextmanager
def hanging_up(port: int = 0) -> Iterator[int]:
    """A port that accepts connections and closes them: what a published port does whose broker is not there yet."""
    with _serving(port, lambda _: None) as number:
        yield number


@contextmanager
def http() -> Iterator[int]:
    """A web server's port."""

    def answer(client: socket.socket) -> None:
        client.recv(1024)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with _serving(0, answer) as number:
        yield number


@contextmanager
def _serving(port: int, answer: Callable[[socket.socket], None]) -> Iterator[int]:
    server = socket.create_server(("127.0.0.1", port))

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client, suppress(OSError):
                answer(client)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(server.getsockname()[1])
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


@contextmanager
def silent() -> Iterator[int]:
    """A port that answers no attempt to connect: its queue is full, and the system drops what comes."""
    server = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = int(server.getsockname()[1])
    waiting = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        waiting.append(client)
    try:
        yield port
    finally:
        for one in (*waiting, server):
            one.close()


@contextmanager
def later(act: Callable[[], object], seconds: float = 1.0) -> Iterator[None]:
    """Do something in a while, in another thread."""
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def write(brokers: str, topic: str, number: int = 1, *, size: int = 10, acks: str = "all", **options: int) -> None:
    """Write records, each acknowledged."""
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0, "acks": acks, "message.timeout.ms": 20_000})
    failed = []
    for _ in range(number):
        producer.produce(topic, b"x" * size, on_delivery=lambda error, _: error and failed.append(error), **options)
        producer.poll(0)
    assert producer.flush(30) == 0
    assert not failed, failed


def until(true: Callable[[], object], what: str, seconds: float = 40) -> None:
    """Wait until something is so, and fail with its name where it does not come about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def partitions(brokers: str, topic: str) -> dict[int, object]:
    """The partitions of a topic as the library sees them."""
    found = admin_client(brokers).list_topics(timeout=10).topics.get(topic)
    return dict(found.partitions) if found else {}


def catalogue(text: str, **environments: str) -> None:
    """Write topics.yaml here: these topics, and environments with one address each."""
    lines = [f"  {name}: {{brokers: ['{address}']}}\n" for name, address in environments.items()]
    head = f"environments:\n{''.join(lines)}" if lines else ""
    Path("topics.yaml").write_text(f"{head}topics: {{{text}}}\n", encoding="utf-8")


def fill(brokers: str, topic: str, count: int, partition: int = 0) -> None:
    """Records whose values are their numbers, from 0."""
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5, "log_level": 0})
    for number in range(count):
        producer.produce(topic, str(number).encode(), partition=partition)
        producer.poll(0)
    assert producer.flush(10) == 0


def made_anew(app: Consumes) -> None:
    """Delete a topic of one partition and make it anew, under a consumer that has read 100 records and commits on."""
    fill(app.brokers, app.topic, 100)
    busy = Consumer(
        {
            "bootstrap.servers": app.brokers,
            "group.id": app.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    busy.subscribe([app.topic])
    read = 0
    while read < 100:
        read += len(busy.consume(100, 0.2))
    admin = admin_client(app.brokers)
    admin.delete_topics([app.topic])[app.topic].result(10)
    assert eventually(lambda: app.topic not in admin.list_topics(timeout=10).topics)
    create(app.brokers, NewTopic(app.topic, 1, 1))
    fill(app.brokers, app.topic, 5)
    busy.commit(offsets=[TopicPartition(app.topic, 0, 100)], asynchronous=False)
    busy.close()
