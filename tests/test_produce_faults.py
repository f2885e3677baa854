"""produce when something breaks in the middle: every record is in the topic, or in the file of what was not sent."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import IO

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import admin_client, create, without_cluster
from tests.program import KAFKACTL
from tests.sandboxes import eventually
from tests.test_produce import feed, lines
from tests.test_tail_brokers import leaders
from tests.test_terminal import Terminal


@pytest.fixture(autouse=True)
def _no_catalogue(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()


def start(*arguments: str, brokers: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*KAFKACTL, "produce", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "KAFKA_BROKERS": brokers},
    )


def written(topic: str, brokers: str) -> "Counter[str]":
    run = feed(b"", "tail", topic, "--from-beginning", "--no-follow", "-b", brokers)
    assert run.code == 0, run.text
    return Counter(run.out.split())


def end(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Its exit code and stderr, once it has ended by itself; nothing more is written to it."""
    assert process.stderr
    try:
        err = without_cluster(process.stderr.read().decode())
        return process.wait(60), err
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def numbered(count: int) -> bytes:
    return b"".join(b"%d\n" % n for n in range(count))


def write_all(stream: IO[bytes], data: bytes) -> None:
    """Write from a thread of its own: the reader decides how much it takes."""

    def run() -> None:
        with contextlib.suppress(BrokenPipeError, ValueError):
            stream.write(data)
            stream.close()

    threading.Thread(target=run, daemon=True).start()


def until(topic: str, brokers: str, some: int) -> None:
    """Wait until so many records are there."""
    deadline = time.monotonic() + 30
    while sum(written(topic, brokers).values()) < some:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("number", "code", "name"),
    [(signal.SIGINT, 130, "Ctrl-C"), pytest.param(signal.SIGTERM, 143, "SIGTERM", marks=pytest.mark.lab)],
)
def test_a_signal_loses_nothing(one_broker: str, tmp_path: Path, number: int, code: int, name: str) -> None:
    create(one_broker, NewTopic("t", 3, 1))
    total = 400_000
    (tmp_path / "in.txt").write_bytes(numbered(total))
    process = start("t", "-l", "in.txt", "--rate", "50000/s", brokers=one_broker)
    until("t", one_broker, 1000)
    process.send_signal(number)
    ended, err = end(process)
    assert ended == code, err
    kept = [record["value"] for record in lines(tmp_path / "in.txt.unsent.jsonl")]
    there = written("t", one_broker)
    assert f"{sum(there.values()):,} of 400,000 records acknowledged; {len(kept):,} not sent: {name}." in err
    assert there + Counter(kept) == Counter(str(n) for n in range(total))
    again = feed(b"", "produce", "t", "--json", "-l", "in.txt.unsent.jsonl")
    assert (again.code, written("t", one_broker)) == (0, Counter(str(n) for n in range(total)))


def test_a_signal_keeps_what_was_in_the_pipe(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    process = start("t", "--rate", "100/s", brokers=one_broker)
    assert process.stdin
    process.stdin.write(numbered(5000) + b"cut")
    process.stdin.flush()
    until("t", one_broker, 10)
    process.send_signal(signal.SIGINT)
    ended, err = end(process)
    assert ended == 130, err
    kept = Counter(record["value"] for record in lines(tmp_path / "t.unsent.jsonl"))
    assert written("t", one_broker) + kept == Counter(str(n) for n in range(5000))
    assert "the input was not read to its end" in err


def test_a_signal_with_nothing_left_says_so(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    process = start("t", brokers=one_broker)
    assert process.stdin
    process.stdin.write(b"a\nb\n")
    process.stdin.flush()
    until("t", one_broker, 2)
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    ended, err = end(process)
    assert (ended, err.split(" (")[0]) == (130, "2 records acknowledged")
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.lab
def test_a_broker_that_dies_for_good(tmp_path: Path) -> None:
    """Nothing is in neither place, and the file sends exactly what is missing; what may be in both is said."""
    with throwaway() as sandbox:
        create(sandbox.bootstrap, NewTopic("t", 3, 1))
        total = 300_000
        (tmp_path / "in.txt").write_bytes(b"".join(b"k%d:%d\n" % (n % 50, n) for n in range(total)))
        process = start(
            "t", "-K", ":", "-l", "in.txt", "--rate", "60000/s", "--delivery-timeout", "3s", brokers=sandbox.bootstrap
        )
        until("t", sandbox.bootstrap, 1000)
        sandbox.kill(1)
        ended, err = end(process)
        assert ended == 3, err
        assert "Kafka does not answer; waiting for it to come back." in err
        assert "of 300,000 records acknowledged" in err
        assert "not sent: Kafka does not answer at" in err
        sandbox.start(1)
        there = written("t", sandbox.bootstrap)
        kept = lines(tmp_path / "in.txt.unsent.jsonl")
        everything = Counter(str(n) for n in range(total))
        assert not everything - (there + Counter(record["value"] for record in kept))
        both = there & Counter(record["value"] for record in kept)
        if both:
            assert "may also be in the topic" in err
        for key in ("k0", "k49"):  # what goes again goes in its order
            own = [int(record["value"]) for record in kept if record["key"] == key]
            assert own == sorted(own)
        again = feed(b"", "produce", "t", "--json", "-l", "in.txt.unsent.jsonl", "-b", sandbox.bootstrap)
        assert (again.code, again.err.split(" (")[0]) == (0, f"{len(kept):,} records acknowledged")
        assert written("t", sandbox.bootstrap) == everything + both


def test_a_broker_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    with throwaway() as sandbox:
        create(sandbox.bootstrap, NewTopic("t", 3, 1))
        process = start("t", "--rate", "20000/s", brokers=sandbox.bootstrap)
        assert process.stdin
        write_all(process.stdin, numbered(100_000))
        until("t", sandbox.bootstrap, 1000)
        sandbox.kill(1)
        assert process.stderr
        assert process.stderr.readline().startswith(b"Kafka at ")
        assert process.stderr.readline() == b"Kafka does not answer; waiting for it to come back.\n"
        sandbox.start(1)
        ended, err = end(process)
        assert ended == 0, err
        assert "Kafka is back." in err
        assert "100,000 records acknowledged" in err
        assert written("t", sandbox.bootstrap) == Counter(str(n) for n in range(100_000))
        assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.lab
def test_a_broker_that_hangs_is_given_up(tmp_path: Path) -> None:
    with throwaway() as sandbox:
        create(sandbox.bootstrap, NewTopic("t", 1, 1))
        process = start("t", "--delivery-timeout", "2s", brokers=sandbox.bootstrap)
        assert process.stdin
        process.stdin.write(b"0\n")
        process.stdin.flush()
        until("t", sandbox.bootstrap, 1)
        sandbox.pause(1)
        try:
            process.stdin.write(numbered(100)[2:])
            process.stdin.close()
            ended, err = end(process)
        finally:
            sandbox.resume(1)
        assert ended == 3, err
        assert "1 of 100 records acknowledged; 99 not sent: " in err
        assert "may also be in the topic" in err
        assert len(lines(tmp_path / "t.unsent.jsonl")) == 99


def test_an_impatient_user_is_not_kept(tmp_path: Path) -> None:
    """Twice Ctrl-C while the broker hangs: the records go to the file at once."""
    with throwaway() as sandbox:
        create(sandbox.bootstrap, NewTopic("t", 1, 1))
        process = start("t", brokers=sandbox.bootstrap)
        assert process.stdin
        process.stdin.write(b"0\n")
        process.stdin.flush()
        until("t", sandbox.bootstrap, 1)
        sandbox.pause(1)
        try:
            process.stdin.write(numbered(100)[2:])
            process.stdin.flush()
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            ended, err = end(process)
        finally:
            sandbox.resume(1)
        assert ended == 130, err
        assert "99 not sent: Ctrl-C" in err
        assert [int(record["value"]) for record in lines(tmp_path / "t.unsent.jsonl")] == list(range(1, 100))


@pytest.mark.lab
def test_one_of_three_brokers_killed_and_started_again() -> None:
    with throwaway(brokers=3, settings={"broker.session.timeout.ms": "3000"}) as sandbox:
        config = {"min.insync.replicas": "2"}
        create(sandbox.bootstrap, NewTopic("t", 6, 3, config=config))
        settle(sandbox)
        process = start("t", "-K", ":", "--rate", "20000/s", brokers=sandbox.bootstrap)
        assert process.stdin
        total = 160_000
        write_all(process.stdin, b"".join(b"k%d:%d\n" % (n % 100, n) for n in range(total)))
        until("t", sandbox.bootstrap, 1000)
        sandbox.kill(2)
        assert eventually(lambda: 2 not in leaders(sandbox.bootstrap, "t"))
        sandbox.start(2)
        ended, err = end(process)
        assert ended == 0, err
        assert f"{total:,} records acknowledged" in err
        run = feed(b"", "tail", "t", "--from-beginning", "--no-follow", "--format", r"%k %s\n", "-b", sandbox.bootstrap)
        found = [line.split() for line in run.out.splitlines()]
        assert Counter(int(value) for _, value in found) == Counter(range(total))  # none lost, none twice
        for key in ("k0", "k57"):
            own = [int(value) for k, value in found if k == key]
            assert own == sorted(own)


def settle(sandbox: RunningSandbox) -> None:
    """Wait until every replica is in sync."""
    admin = admin_client(sandbox.bootstrap)
    while not all(len(p.isrs) == 3 for p in admin.list_topics(timeout=10).topics["t"].partitions.values()):
        time.sleep(0.1)


@pytest.mark.lab
def test_too_few_replicas_in_sync_is_what_is_said() -> None:
    with throwaway(brokers=3, settings={"broker.session.timeout.ms": "3000"}) as sandbox:
        create(sandbox.bootstrap, NewTopic("t", 1, replica_assignment=[[1, 2]], config={"min.insync.replicas": "2"}))
        sandbox.kill(2)
        admin = admin_client(sandbox.bootstrap.split(",")[0])
        while len(admin.list_topics(timeout=10).topics["t"].partitions[0].isrs) > 1:
            time.sleep(0.1)
        run = feed(b"x", "produce", "t", "--delivery-timeout", "2s", "-b", sandbox.bootstrap)
        assert run.code == 3, run.err
        assert "0 of 1 record acknowledged; 1 not sent: " in run.err
        assert "under min ISR" in run.err


def test_a_topic_deleted_meanwhile(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    process = start("t", "--delivery-timeout", "5s", brokers=one_broker)
    assert process.stdin
    process.stdin.write(b"0\n")
    process.stdin.flush()
    until("t", one_broker, 1)
    admin_client_deletes(one_broker, "t")
    process.stdin.write(b"1\n2\n")
    process.stdin.close()
    ended, err = end(process)
    assert ended in (1, 3), err
    assert "1 of 3 records acknowledged; 2 " in err
    assert [record["value"] for record in lines(tmp_path / "t.unsent.jsonl")] == ["1", "2"]


def admin_client_deletes(brokers: str, topic: str) -> None:
    admin = admin_client(brokers)
    admin.delete_topics([topic])[topic].result(10)
    while topic in admin.list_topics(timeout=10).topics:
        pass


def test_no_broker_at_all_is_known_at_once(tmp_path: Path) -> None:
    run = feed(b"x", "produce", "t", "-b", "127.0.0.1:1")
    assert (run.code, "Kafka does not answer at 127.0.0.1:1" in run.err) == (3, True)
    assert not list(tmp_path.glob("*.jsonl"))


def test_a_file_has_a_progress_bar_on_a_terminal(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    (tmp_path / "in.txt").write_bytes(numbered(3000))
    terminal = Terminal("produce", "t", "-l", "in.txt", "--rate", "2000/s", "-b", one_broker, columns=80)
    terminal.expect("Writing to t")
    terminal.expect("━")
    terminal.expect("3,000 records acknowledged")
    assert terminal.end() == 0


def test_a_terminal_is_told_what_to_type(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    terminal = Terminal("produce", "t", "-b", one_broker, columns=80)
    terminal.expect("Enter one record per line; Ctrl-D ends.")
    terminal.type("first\n")
    until("t", one_broker, 1)
    terminal.type("\x04")
    terminal.expect("1 record acknowledged")
    assert terminal.end() == 0
    assert json.dumps(dict(written("t", one_broker))) == '{"first": 1}'
