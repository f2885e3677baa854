"""The sandbox as a library: three brokers that can be hurt, ports that are lost, settings, readiness."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from kafkactl.cluster.network import live_brokers
from kafkactl.errors import KafkactlError
from kafkactl.sandbox import running as running_brokers
from kafkactl.sandbox.broker import _escape, log_tail, properties
from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.model import Node
from kafkactl.sandbox.ports import free_ports, holder, these_ports
from kafkactl.services import BrokerLogs
from tests.sandboxes import eventually, free_port


@pytest.mark.lab
def test_three_brokers_can_be_killed_paused_and_started_again() -> None:
    soon = {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "400"}
    with throwaway(brokers=3, settings=soon) as running:
        assert [node.id for node in running.nodes] == [1, 2, 3]
        first, second, third = running.nodes
        assert running.bootstrap == f"{first.address},{second.address},{third.address}"
        admin = AdminClient({"bootstrap.servers": running.bootstrap})
        admin.create_topics([NewTopic("payments", 3, 3)])["payments"].result(20)

        running.kill(2)
        assert not running.running(2)
        assert live_brokers("127.0.0.1", second.port) == frozenset()
        running.start(2)
        assert running.nodes[1].port == second.port
        assert running.nodes[1].pid != second.pid
        assert live_brokers("127.0.0.1", second.port) == {1, 2, 3}

        running.pause(3)
        assert live_brokers("127.0.0.1", third.port, timeout=0.3) == frozenset()
        running.resume(3)
        assert eventually(lambda: 3 in live_brokers("127.0.0.1", third.port))

        running.stop(1)
        assert not running.running(1)
        assert eventually(lambda: live_brokers("127.0.0.1", second.port) == {2, 3})
        directory = first.directory
    assert not directory.exists()
    assert not any(live_brokers("127.0.0.1", node.port) for node in running.nodes)


def test_one_broker_has_the_settings_of_a_sandbox() -> None:
    with throwaway(settings={"log.retention.bytes": "4096"}) as running:
        admin = AdminClient({"bootstrap.servers": running.bootstrap})
        resource = ConfigResource(ConfigResource.Type.BROKER, "1")
        values = {name: entry.value for name, entry in admin.describe_configs([resource])[resource].result(10).items()}
    assert values["auto.create.topics.enable"] == "false"
    assert values["log.retention.hours"] == "168"
    assert values["log.retention.bytes"] == "4096"
    assert values["offsets.topic.replication.factor"] == "1"
    assert values["process.roles"] == "broker,controller"


def test_a_port_that_is_lost_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        lost = thief.getsockname()[1]
        calls = 0

        @contextlib.contextmanager
        def first_a_lost_one(count: int) -> Iterator[list[int]]:
            nonlocal calls
            calls += 1
            with free_ports(count) as ports:
                yield [lost, *ports[1:]] if calls == 1 else ports

        monkeypatch.setattr(running_brokers, "free_ports", first_a_lost_one)
        with throwaway() as running:
            assert calls == 2
            assert running.nodes[0].port != lost
            assert live_brokers("127.0.0.1", running.nodes[0].port) == {1}


def test_a_port_is_kept_for_a_broker_until_it_binds() -> None:
    with free_ports(2) as ports, socket.socket() as broker, socket.socket() as stranger:
        with pytest.raises(OSError):
            stranger.bind(("127.0.0.1", ports[0]))
        broker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        broker.bind(("127.0.0.1", ports[0]))
        broker.listen()


def test_a_port_in_use_is_an_error_with_its_holder() -> None:
    with socket.socket() as thief:
        thief.bind(("0.0.0.0", 0))
        thief.listen()
        port = thief.getsockname()[1]
        assert "(pid " in holder(port)
        with pytest.raises(KafkactlError, match=f"Port {port} is in use"), these_ports([port]):
            pass
    with these_ports([port]):
        pass


@pytest.mark.parametrize(
    "answer", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x04\0\0\0\x07", b"\0\0\0\x08"]
)
def test_what_is_no_broker_does_not_serve(answer: bytes | None) -> None:
    """A silent port, one that hangs up, one that speaks something else, and answers that are cut off."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                if answer is None:
                    done.wait(5)
                else:
                    connection.recv(4096)
                    connection.sendall(answer)

        done = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        assert live_brokers("127.0.0.1", server.getsockname()[1], timeout=0.3) == frozenset()
        done.set()
        thread.join()
    assert live_brokers("127.0.0.1", free_port()) == frozenset()


def test_properties_are_escaped_for_java() -> None:
    assert _escape("a=b:c\\d") == "a\\=b\\:c\\\\d"
    assert _escape(" lead") == "\\ lead"
    assert _escape("支付\n😀") == "\\u652f\\u4ed8\\n\\ud83d\\ude00"


def test_internal_topics_have_as_many_replicas_as_there_are_brokers(tmp_path: Path) -> None:
    for size in (1, 3):
        quorum = [Node(i + 1, 9000 + i, 9100 + i, tmp_path) for i in range(size)]
        chosen = properties(quorum[0], quorum, {"num.partitions": "7"})
        assert chosen["num.partitions"] == "7"
        for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
            assert chosen[f"{topic}.replication.factor"] == str(size)


def test_logs_are_read_from_their_end(tmp_path: Path) -> None:
    node = Node(1, 1, 2, tmp_path)
    assert log_tail(node.log, 3) == ([], 0)
    node.log.write_text("".join(f"{number} {'x' * 100}\n" for number in range(5000)) + "torn")
    lines, _ = log_tail(node.log, 3000)
    assert [line.split()[0] for line in lines] == [str(number) for number in range(2000, 5000)]
    assert log_tail(node.log, 0)[0] == []
    kept = BrokerLogs({"sandbox-1": node})
    assert kept.so_far(1, None, None)[0].text.startswith("4999 ")
    following = (line.text for batch in kept.follow() for line in batch)
    with node.log.open("a") as log:
        log.write(" and mended\n")
    assert next(following) == "torn and mended"
    node.log.write_text("a new log\n")
    assert next(following) == "a new log"
    node.log.unlink()
    assert list(following) == []


def test_brokers_end_with_the_process_that_started_them() -> None:
    code = (
        "import os; from kafkactl.sandbox.foreground import throwaway\n"
        "sandbox = throwaway().__enter__()\n"
        "print(sandbox.nodes[0].pid, sandbox.nodes[0].directory, flush=True)\n"
        "os._exit(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    pid, directory = done.stdout.split()
    assert eventually(lambda: not psutil.pid_exists(int(pid)) and not Path(directory).exists())
