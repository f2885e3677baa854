"""What a user sees when Kafka is not there, is something else, or goes away while a command looks."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome, three_lines
from tests.program import IN_A_SHELL
from tests.proxy import Proxy, relay
from tests.sandboxes import eventually, free_port

Kafkactl = Callable[..., Outcome]
LOOKS_ONCE = [("describe",), ("diff",), ("export",), ("init-topics",), ("test",), ("describe", "--broker")]


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 3}}", encoding="utf-8")


@contextlib.contextmanager
def listener(answer: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[int]:
    """A port where something answers each connection in its own way."""
    server = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    server.settimeout(0.1)
    stop = threading.Event()
    kept: list[socket.socket] = []

    def serve() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                kept.append(connection)
                answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        for connection in [*kept, server]:
            connection.close()


@pytest.mark.parametrize("arguments", LOOKS_ONCE[:4], ids=" ".join)
def test_nothing_listens(arguments: tuple[str, ...], kafkactl: Kafkactl) -> None:
    port = free_port()
    run = kafkactl(*arguments, "-b", f"localhost:{port}")
    assert run.code == 3
    lines = three_lines(run)
    assert lines[0] == f"Kafka does not answer at localhost:{port}: connection refused."
    assert "--brokers" in lines[1]
    assert "kafkactl sandbox up" in lines[2]
    assert run.out == ""


def test_test_says_the_same_as_a_failed_step(kafkactl: Kafkactl) -> None:
    run = kafkactl("test", "-b", f"127.0.0.1:{free_port()}")
    assert run.code == 3
    assert "connection refused" in run.out
    assert run.out.count("--  ") >= 6
    assert "Kafka does not work" in run.err


def test_where_the_address_came_from(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", f"127.0.0.1:{free_port()}")
    assert "The address comes from KAFKA_BROKERS." in kafkactl("describe").err


def test_a_name_that_does_not_resolve(kafkactl: Kafkactl) -> None:
    run = kafkactl("describe", "-b", "no-such-host.invalid:9092")
    assert run.code == 3
    assert "no-such-host.invalid does not resolve" in three_lines(run)[0]


def test_one_of_several_addresses_is_enough(one_broker: str, kafkactl: Kafkactl) -> None:
    addresses = f"no-such-host.invalid:9092,127.0.0.1:{free_port()},{one_broker}"
    assert kafkactl("describe", "-b", addresses).code == 0


def test_a_port_that_accepts_and_says_nothing(kafkactl: Kafkactl) -> None:
    with listener(lambda _: None) as port:
        run = kafkactl("describe", "-b", f"127.0.0.1:{port}")
    assert run.code == 3
    assert "accepts connections but never responds" in three_lines(run)[0]


def test_a_port_that_hangs_up(kafkactl: Kafkactl) -> None:
    with listener(lambda connection: connection.close()) as port:
        run = kafkactl("describe", "-b", f"127.0.0.1:{port}")
    assert run.code == 3
    assert "closes them before it speaks Kafka's protocol" in three_lines(run)[0]


def test_an_http_server(kafkactl: Kafkactl) -> None:
    def answer(connection: socket.socket) -> None:
        connection.settimeout(3)
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

    with listener(answer) as port:
        run = kafkactl("describe", "-b", f"127.0.0.1:{port}")
    assert run.code == 3
    assert "is an HTTP server, not Kafka" in three_lines(run)[0]


def test_a_patient_http_server(kafkactl: Kafkactl) -> None:
    """One that waits for the end of a request line, which Kafka's request does not have."""
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout
        port = server.stdout.readline().split(" port ")[1].split()[0]
        run = kafkactl("describe", "-b", f"127.0.0.1:{port}")
    finally:
        server.kill()
        server.communicate()
    assert run.code == 3
    assert "is an HTTP server, not Kafka" in three_lines(run)[0]


def test_an_advertised_address_that_cannot_be_reached(kafkactl: Kafkactl) -> None:
    nowhere = free_port()
    with throwaway(settings={"advertised.listeners": f"PLAINTEXT://kafka.invalid:{nowhere}"}) as sandbox:
        run = kafkactl("describe", "-b", sandbox.bootstrap)
        lines = three_lines(run)
        assert run.code == 3
        assert lines[0].startswith(
            f"Kafka answers at {sandbox.bootstrap} but sends its clients to kafka.invalid:{nowhere}"
        )
        assert "advertised.listeners" in lines[1]


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root to give localhost two addresses"
)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_where_only_one_of_two_addresses_serves(host: str, one_broker: str) -> None:
    Path("hosts").write_text("::1 localhost\n127.0.0.1 localhost\n")
    with relay(int(one_broker.rpartition(":")[2]), host) as port:
        script = f"mount --bind hosts /etc/hosts && exec {IN_A_SHELL} describe -b localhost:{port}"
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


_SAMPLE = (("describe",), ("init-topics",))


@pytest.mark.parametrize("fault", ["kill", "pause"])
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(words, id=" ".join(words), marks=[] if words in _SAMPLE else [pytest.mark.lab])
        for words in LOOKS_ONCE
    ],
)
def test_a_broker_killed_or_hung_while_a_command_looks(
    arguments: tuple[str, ...], fault: str, kafkactl: Kafkactl
) -> None:
    """The fault strikes when the command has connected and asks its first real question."""
    proxy = Proxy()
    settings = {"advertised.listeners": f"PLAINTEXT://127.0.0.1:{proxy.port}"}
    with throwaway(settings=settings) as sandbox:
        (node,) = sandbox.nodes
        proxy.forward(node.port)
        assert kafkactl("init-topics", "-b", f"127.0.0.1:{proxy.port}").code == 0

        def strike() -> None:
            if fault == "kill":
                proxy.vanish()
                sandbox.kill(node.id)
            else:
                sandbox.pause(node.id)

        proxy.arm(strike)
        run = kafkactl(*arguments, "-b", f"127.0.0.1:{proxy.port}")
        proxy.vanish()
    assert run.code == 3, run.text
    assert "Traceback" not in run.text
    assert "%3|" not in run.text
    assert "does not answer" in run.text or "has not answered" in run.text
    if arguments != ("test",):
        lines = run.err.strip().splitlines()[-3:]  # init-topics has named its cluster before
        assert [line.startswith("  ") for line in lines] == [False, True, True], run.err


def test_one_of_three_brokers_down_is_shown_and_the_rest_works(kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 6, replication: 3}, single: {partitions: 6}}")
    with throwaway(brokers=3) as sandbox:
        assert kafkactl("init-topics", "-b", sandbox.bootstrap).code == 0
        sandbox.kill(2)
        at_once = kafkactl("describe", "-b", sandbox.bootstrap)  # the cluster still takes it for alive
        assert at_once.code == 0
        assert "no sizes on disk" not in at_once.err
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            run = kafkactl("describe", "--unhealthy", "-o", "json", "-b", sandbox.bootstrap)
            assert run.code in (0, 1), run.text
            topics = {topic["name"]: topic for topic in json.loads(run.out)["topics"]}
            if "without a leader" in topics.get("single", {}).get("reason", "") and "a" in topics:
                break
            time.sleep(0.5)
        _keep_moving(sandbox.bootstrap, "a")  # to a broker that is dead: it never ends
        described = kafkactl("describe", "a", "--unhealthy", "-b", sandbox.bootstrap)
        assert described.code == 1
        assert "reassigning" in described.out
        assert topics["a"]["health"] == "warning"
        assert "under-replicated" in topics["a"]["reason"]
        assert topics["single"]["health"] == "error"
        assert topics["single"]["records"] is None  # some of them nobody can count
        assert topics["a"]["records"] == 0


def _keep_moving(brokers: str, topic: str) -> None:
    """Take replicas away and add them again, which waits for the broker that is gone."""
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=brokers.split(","))
    admin.alter_partition_reassignments({TopicPartition(topic, 0): [1, 3]})
    assert eventually(lambda: not admin.list_partition_reassignments())
    admin.alter_partition_reassignments({TopicPartition(topic, 0): [1, 3, 2]})
    admin.close()
