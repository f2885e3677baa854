"""tail while brokers are down, die and come back: nothing is skipped, nothing comes twice, and the user is told."""

import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome, admin_client, command, create
from tests.sandboxes import eventually
from tests.test_tail import send

Kafkactl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _no_catalogue(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()


def numbered(first: int, count: int, partitions: int) -> list[dict[str, object]]:
    return [{"value": b"%d" % n, "partition": n % partitions} for n in range(first, first + count)]


def leaders(brokers: str, topic: str) -> list[int]:
    return [p.leader for _, p in sorted(admin_client(brokers).list_topics(timeout=10).topics[topic].partitions.items())]


def lines(run: "subprocess.Popen[str]", count: int) -> list[int]:
    """The next records; a tail from which they do not come within a minute is killed, and the test fails."""
    assert run.stdout
    killer = threading.Timer(60, run.kill)
    killer.start()
    try:
        return [int(run.stdout.readline()) for _ in range(count)]
    finally:
        killer.cancel()


def ended(run: "subprocess.Popen[str]") -> tuple[str, str]:
    run.send_signal(signal.SIGINT)
    return run.communicate(timeout=20)


@pytest.mark.lab
def test_one_broker_of_three_down_at_the_start(kafkactl: Kafkactl) -> None:
    with throwaway(brokers=3) as sandbox:
        brokers = sandbox.bootstrap
        create(brokers, NewTopic("single", 6, 1), NewTopic("safe", 6, 3))
        send(brokers, "single", numbered(0, 60, 6))
        send(brokers, "safe", numbered(0, 60, 6))
        sandbox.stop(2)
        assert eventually(lambda: -1 in leaders(brokers, "single") and 2 not in leaders(brokers, "safe"))
        lost = [p for p, leader in enumerate(leaders(brokers, "single")) if leader == -1]
        there = [n for n in range(60) if n % 6 not in lost]

        look = ("tail", "-b", brokers, "--from-beginning", "--no-follow")
        whole = kafkactl(*look, "safe")
        assert (whole.code, sorted(map(int, whole.out.split()))) == (0, list(range(60)))
        part = kafkactl(*look, "single")
        assert (part.code, sorted(map(int, part.out.split()))) == (1, there)
        assert f"single[{lost[0]}]" in part.err
        assert "not respond" in part.err

        everything = command("tail", "single", "--from-beginning", "-b", brokers)
        at_offset = command("tail", "single", "--offset", "5", "-b", brokers)
        new = command("tail", "single", "-n", "0", "-b", brokers)
        try:
            assert sorted(lines(everything, len(there))) == there
            later = [n for n in there if n >= 30]
            assert sorted(lines(at_offset, len(later))) == later
            assert "waiting for a leader that responds" in new.next_line()
            sandbox.start(2)
            send(brokers, "single", numbered(60, 60, 6))
            assert sorted(there + lines(everything, 120 - len(there))) == list(range(120))
            assert sorted(later + lines(at_offset, 90 - len(later))) == list(range(30, 120))
            assert sorted(lines(new, 60)) == list(range(60, 120))

            sandbox.kill(3)  # the cluster takes it for alive for some seconds more
            at_once = command("tail", "safe", "--from-beginning", "-b", brokers)
            try:
                assert sorted(lines(at_once, 60)) == list(range(60))
            finally:
                ended(at_once)
        finally:
            rest = [ended(run) for run in (everything, at_offset, new)]
    assert [out for out, _ in rest] == ["", "", ""]  # nothing twice
    assert all("nothing was skipped" in err for _, err in rest)


@pytest.mark.lab
def test_a_broker_of_three_killed_and_restarted_while_following() -> None:
    """Each leads a partition; records are checked one by one."""
    with throwaway(brokers=3, settings={"broker.session.timeout.ms": "3000"}) as sandbox:
        brokers = sandbox.bootstrap
        create(brokers, NewTopic("a", 3, 3, config={"min.insync.replicas": "1"}))
        run = command("tail", "a", "--from-beginning", "-b", brokers)
        sent = 3000

        def produce() -> None:
            producer = Producer(
                {"bootstrap.servers": brokers, "log_level": 0, "acks": "all", "enable.idempotence": True}
            )
            for number in range(sent):
                producer.produce("a", b"%d" % number, partition=number % 3)
                producer.poll(0.002)
            assert producer.flush(60) == 0

        writing = threading.Thread(target=produce)
        writing.start()
        found = lines(run, 300)
        sandbox.kill(2)
        assert eventually(lambda: 2 not in leaders(brokers, "a"))
        sandbox.start(2)
        found += lines(run, sent - len(found))
        writing.join()
        rest, _ = ended(run)
    assert rest == ""
    assert sorted(found) == list(range(sent))
    for partition in range(3):
        own = [n for n in found if n % 3 == partition]
        assert own == sorted(own)


def test_the_only_broker_killed_and_restarted_while_following() -> None:
    with throwaway() as sandbox:
        brokers = sandbox.bootstrap
        create(brokers, NewTopic("a", 3, 1))
        send(brokers, "a", numbered(0, 30, 3))
        run = command("tail", "a", "--from-beginning", "-b", brokers)
        assert run.stderr
        assert sorted(lines(run, 30)) == list(range(30))
        sandbox.kill(1)
        assert "Kafka does not answer" in run.next_line()
        sandbox.start(1)
        send(brokers, "a", numbered(30, 30, 3))
        assert sorted(lines(run, 30)) == list(range(30, 60))
        out, err = ended(run)
    assert out == ""
    assert "Kafka is back" in err
