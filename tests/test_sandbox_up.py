"""`kafkactl sandbox up`, `down`, `status` and `logs`: a cluster that stays."""

import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.sandboxes import Shell, eventually, free_port, shell

# A killed broker is let in again when its session has run out: the tests need not wait as long as users do.
SOON = ("--set", "broker.session.timeout.ms=2000", "--set", "broker.heartbeat.interval.ms=400")


@dataclasses.dataclass(frozen=True)
class Detached:
    """A detached sandbox's commands, on a port of its own."""

    shell: Shell
    port: int

    def __call__(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.shell.run(command, "--port", str(self.port), *arguments)

    def status(self) -> dict[str, object]:
        return json.loads(self("status", "-o", "json").stdout)

    @property
    def record(self) -> Path:
        return self.shell.home / "state" / "sandbox" / str(self.port) / "sandbox.json"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Detached]:
    with shell(tmp_path) as here:
        yield Detached(here, free_port(3))


def test_up_twice_status_and_down(sandbox: Detached) -> None:
    assert sandbox("status").returncode == 1
    first = sandbox("up")
    assert first.returncode == 0, first.stderr
    assert f"up at localhost:{sandbox.port}" in first.stderr
    again = sandbox("up")
    assert again.returncode == 0
    assert "already up" in again.stderr
    assert len(sandbox.shell.brokers()) == 1

    shown = sandbox("status")
    assert shown.returncode == 0
    assert f"127.0.0.1:{sandbox.port}" in shown.stdout
    status = sandbox.status()
    assert status["state"] == "up"
    assert status["brokers"][0]["pid"] == sandbox.shell.brokers()[0].pid
    assert "Kafka Server started" in sandbox("logs").stdout

    other = sandbox("up", "--brokers", "3")
    assert other.returncode == 1
    assert "kafkactl sandbox down" in other.stderr

    gone = sandbox("down")
    assert gone.returncode == 0
    assert sandbox.shell.traces() == []
    assert not sandbox.record.parent.exists()
    nothing = sandbox("down")
    assert nothing.returncode == 0
    assert "No sandbox is up" in nothing.stderr
    assert sandbox("logs").returncode == 1


def test_a_sandbox_on_another_port_is_spoken_of(sandbox: Detached) -> None:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return sandbox.shell.run(*arguments)

    assert run("status").stdout == "No sandbox is up on port 40093. Start it: kafkactl sandbox up\n"
    assert sandbox("up").returncode == 0
    here = f"--port {sandbox.port}"

    shown = run("status")
    assert shown.returncode == 0
    assert f"at 127.0.0.1:{sandbox.port}: up" in shown.stdout
    assert shown.stderr == f"No sandbox is up on port 40093; this one is on port {sandbox.port}.\n"
    assert json.loads(run("status", "-o", "json").stdout)["port"] == sandbox.port
    named = run("status", "--port", "40093")
    assert named.returncode == 1
    assert named.stdout.endswith(f"There is one on port {sandbox.port}: kafkactl sandbox status {here}\n")

    logs = run("logs")
    assert logs.returncode == 1
    assert f"kafkactl sandbox logs {here}" in logs.stderr
    down = run("down")
    assert down.returncode == 0
    assert f"No sandbox is up on port 40093. There is one on port {sandbox.port}" in down.stderr
    assert len(sandbox.shell.brokers()) == 1  # it was not taken down by mistake
    command = down.stderr.strip().rpartition("kafkactl sandbox ")[2].split()
    assert run(*command, "--keep-data").returncode == 0
    kept = run("status")
    assert kept.returncode == 1
    assert f"The data of one is kept on port {sandbox.port}: kafkactl sandbox status {here}" in kept.stdout


def test_kept_data_is_there_again(sandbox: Detached) -> None:
    assert sandbox("up", "--set", "log.retention.ms=123456789").returncode == 0
    address = f"localhost:{sandbox.port}"
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic("payments", 1, 1)])["payments"].result(10)
    producer = Producer({"bootstrap.servers": address})
    producer.produce("payments", b"one")
    assert producer.flush(10) == 0
    cluster = admin.cluster_id()

    kept = sandbox("down", "--keep-data")
    assert "kept" in kept.stderr
    assert sandbox.shell.brokers() == []
    assert sandbox.status()["state"] == "kept"
    assert sandbox("up", "--brokers", "3").returncode == 1

    assert sandbox("up").returncode == 0
    status = sandbox.status()
    assert status["settings"] == {"log.retention.ms": "123456789"}
    assert status["cluster_id"] == cluster
    consumer = Consumer({"bootstrap.servers": address, "group.id": "none", "enable.auto.commit": False})
    consumer.list_topics(timeout=10)
    consumer.assign([TopicPartition("payments", 0, 0)])
    message = consumer.poll(10)
    consumer.close()
    assert message is not None
    assert message.value() == b"one"

    assert sandbox("down", "--keep-data").returncode == 0
    assert "removed" in sandbox("down").stderr
    assert not sandbox.record.parent.exists()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_who_holds_the_port_is_named(sandbox: Detached, address: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as holder:
        try:
            holder.bind((address, sandbox.port))
        except OSError:
            pytest.skip("no IPv6 here")
        holder.listen()
        done = sandbox("up")
    assert done.returncode == 1
    assert f"Port {sandbox.port} is in use" in done.stderr
    assert f"{psutil.Process().name()} (pid {os.getpid()})" in done.stderr
    assert sandbox.shell.brokers() == []


@pytest.mark.lab
def test_a_crashed_broker_is_seen_and_started_again(sandbox: Detached) -> None:
    assert sandbox("up", *SOON).returncode == 0
    (broker,) = sandbox.shell.brokers()
    broker.kill()
    assert eventually(lambda: not sandbox.shell.brokers())
    shown = sandbox("status")
    assert shown.returncode == 1
    assert "dead" in shown.stdout
    assert "Kafka Server started" in shown.stdout
    assert sandbox.status()["state"] == "broken"
    assert sandbox("up").returncode == 0
    assert sandbox("status").returncode == 0
    sandbox("down")


def test_a_strangers_process_is_left_alone(sandbox: Detached) -> None:
    assert sandbox("up").returncode == 0
    (broker,) = sandbox.shell.brokers()
    broker.kill()
    stranger = subprocess.Popen(["sleep", "300"])
    try:
        record = json.loads(sandbox.record.read_text())
        # The pid was given to somebody else; even a creation time that agrees does not make it ours.
        for created in (psutil.Process(stranger.pid).create_time(), 1.0):
            record["processes"]["1"] = {"pid": stranger.pid, "created": created}
            sandbox.record.write_text(json.dumps(record))
            assert sandbox("status").returncode == 1
            assert sandbox("down", "--keep-data").returncode == 0
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_record_that_cannot_be_read_is_told(sandbox: Detached) -> None:
    sandbox.record.parent.mkdir(parents=True)
    sandbox.record.write_text("{")
    for command in ("up", "status", "down"):
        done = sandbox(command)
        assert done.returncode == 1
        assert str(sandbox.record) in done.stderr
        assert "Traceback" not in done.stderr


def test_a_broker_that_cannot_start_leaves_its_log_and_no_record(sandbox: Detached) -> None:
    done = sandbox("up", "--set", "log.retention.ms=soon")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) <= 3
    assert "soon" in done.stderr
    log = re.search(r"Its log: (.*)", done.stderr)
    assert log
    assert Path(log[1]).is_file()
    assert sandbox.status()["state"] == "down"
    assert sandbox.shell.brokers() == []


def test_two_at_once_both_end_well(sandbox: Detached) -> None:
    both = [sandbox.shell.start("up", "--port", str(sandbox.port)) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("already up" in text for text in said) == 1
    assert len(sandbox.shell.brokers()) == 1
    sandbox("down")


def test_interrupting_up_stops_what_it_started(sandbox: Detached) -> None:
    process = sandbox.shell.start("up", "--port", str(sandbox.port))
    assert eventually(sandbox.shell.brokers, 60)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert sandbox.shell.brokers() == []
    assert sandbox.status()["state"] == "down"


@pytest.mark.lab
def test_three_brokers_and_their_logs(sandbox: Detached) -> None:
    assert sandbox("up", "--brokers", "3", *SOON).returncode == 0
    addresses = [broker["address"] for broker in sandbox.status()["brokers"]]
    assert addresses == [f"127.0.0.1:{sandbox.port + offset}" for offset in range(3)]
    metadata = AdminClient({"bootstrap.servers": addresses[0]}).list_topics(timeout=10)
    assert sorted(metadata.brokers) == [1, 2, 3]

    following = sandbox.shell.start("logs", "--port", str(sandbox.port), "-f", "-n", "1")
    first = [following.stdout.readline() for _ in range(3)]
    assert sorted(line[:2] for line in first) == ["1|", "2|", "3|"]  # by time, which each broker has for itself
    sandbox.shell.brokers()[0].kill()
    assert following.stdout.readline()  # the others miss it
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=10)
    assert following.returncode == 130

    broken = sandbox("status")
    assert broken.returncode == 1
    assert sum("serving" in line for line in broken.stdout.splitlines()) == 2
    assert "3 brokers" in sandbox("up").stderr
    assert sandbox("status").returncode == 0
    assert sandbox("down").returncode == 0
    assert sandbox.shell.traces() == []
