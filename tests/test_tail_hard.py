"""tail where it is hard: compacted logs, thousands of partitions, a reader who sleeps, a user with few permissions."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome, admin_client, create
from tests.program import KAFKACTL
from tests.sandboxes import eventually
from tests.test_tail import BASE, numbers, send

Kafkactl = Callable[..., Outcome]
LIMIT_MB = 250


@pytest.fixture(autouse=True)
def _no_catalogue(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()


def produce(brokers: str, topic: str, value: bytes, count: int, partitions: int) -> None:
    settings = {"message.max.bytes": 20_000_000, "linger.ms": 20, "queue.buffering.max.kbytes": 100_000}
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0, **settings})
    for number in range(count):
        while True:
            try:
                producer.produce(topic, value, partition=number % partitions)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0


def read_slowly(*arguments: str, sleeps: float) -> tuple[int, int, int]:
    """Exit code, newlines read and the largest resident set (MB) of a tail whose reader sleeps before it reads on."""
    command = [*KAFKACTL, "tail", "--from-beginning", "--no-follow", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        assert run.stdout
        status = Path(f"/proc/{run.pid}/status")
        lines = run.stdout.read1(1000).count(b"\n")
        time.sleep(sleeps)
        most = 0
        while data := run.stdout.read1(1 << 20):
            lines += data.count(b"\n")
            if peak := re.search(r"VmHWM:\s+(\d+)", status.read_text()):  # none left of a process that has ended
                most = int(peak[1])
    return run.returncode, lines, most // 1024


@pytest.mark.lab
def test_a_reader_who_sleeps_does_not_make_it_grow(one_broker: str) -> None:
    """Longer than the poll interval, too, after which a member of a group would be thrown out."""
    create(one_broker, NewTopic("a", 3, 1))
    produce(one_broker, "a", b"x" * 230, 600_000, 3)
    Path("c.properties").write_text("max.poll.interval.ms=6000\nsession.timeout.ms=6000\n")
    code, lines, megabytes = read_slowly("a", "--client-config", "c.properties", sleeps=9)
    assert (code, lines) == (0, 600_000)
    assert megabytes < LIMIT_MB


@pytest.mark.parametrize(
    ("value", "count", "partitions"),
    [(b"x" * 5_000_000, 80, 8), pytest.param(b"y", 1_000_000, 100, marks=pytest.mark.lab)],
    ids=["large values", "tiny values in many partitions"],
)
def test_memory_is_bounded_whatever_the_records_are(value: bytes, count: int, partitions: int, one_broker: str) -> None:
    create(one_broker, NewTopic("a", partitions, 1, config={"max.message.bytes": "20000000"}))
    produce(one_broker, "a", value, count, partitions)
    code, lines, megabytes = read_slowly("a", sleeps=2)
    assert (code, lines) == (0, count)
    assert megabytes < LIMIT_MB


def test_a_compacted_topic(kafkactl: Kafkactl) -> None:
    """Offsets without records do not make the last N fewer, and the end is found."""
    eager = {"log.cleaner.backoff.ms": "100", "log.cleaner.min.cleanable.ratio": "0.01"}
    config = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    with throwaway(settings=eager) as sandbox:
        create(sandbox.bootstrap, NewTopic("a", 1, 1, config=config))

        def cleaned() -> bool:
            """Whether the log has at least ten offsets for a record; each record rolls a segment for the cleaner."""
            start = numbers(kafkactl(*look, "--from-beginning", "--format", "%o\\n"))
            if len(start) * 10 < start[-1]:
                return True
            send(sandbox.bootstrap, "a", [{"value": b"0", "key": b"roll"}])
            return False

        look = ("tail", "a", "--no-follow", "-b", sandbox.bootstrap)
        send(sandbox.bootstrap, "a", [{"value": b"%d" % n, "key": b"k%d" % (n % 10)} for n in range(1000)])
        assert eventually(cleaned, 60)
        kept = numbers(kafkactl(*look, "--from-beginning"))
        assert set(range(990, 1000)) <= set(kept)
        assert numbers(kafkactl(*look, "-n", "8")) == kept[-8:]
        assert numbers(kafkactl(*look, "-n", "1000")) == kept
        assert numbers(kafkactl(*look, "-n", "2", "--key", "k7")) == [997]


@pytest.mark.lab
def test_ten_thousand_partitions(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last N of all of them, merged by time; in memory that does not grow with their number."""
    if os.path.isdir("/dev/shm"):  # a broker syncs each partition's directory to disk
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    topics, partitions = 40, 250
    with throwaway(settings={"log.index.size.max.bytes": "4096"}) as sandbox:
        names = [f"t{number}" for number in range(topics)]
        for start in range(0, topics, 10):  # the controller refuses more at once
            ten = names[start : start + 10]
            create(sandbox.bootstrap, *(NewTopic(n, partitions, 1, config={"retention.ms": "-1"}) for n in ten))
        admin = admin_client(sandbox.bootstrap)
        assert eventually(
            lambda: all(
                p.leader >= 0 for t in admin.list_topics(timeout=30).topics.values() for p in t.partitions.values()
            ),
            120,
        )
        producer = Producer({"bootstrap.servers": sandbox.bootstrap, "log_level": 0, "linger.ms": 100})
        for number in range(topics * partitions):
            name, partition = names[number % topics], number // topics
            producer.produce(name, b"%d" % number, partition=partition, timestamp=BASE + number)
        assert producer.flush(60) == 0
        look = ("tail", "t*", "--no-follow", "-b", sandbox.bootstrap, "--timeout", "10s")
        assert numbers(kafkactl(*look, "-n", "25")) == list(range(9975, 10_000))
        assert numbers(kafkactl(*look, "-n", "3", "--grep", "^1..$")) == [197, 198, 199]
        code, lines, megabytes = read_slowly("t*", "-b", sandbox.bootstrap, "--timeout", "10s", sleeps=0)
        assert (code, lines) == (0, topics * partitions)
        assert megabytes < LIMIT_MB


def test_a_user_who_may_only_read_the_topic(kafkactl: Kafkactl) -> None:
    """No permission for any group is needed: none is joined."""
    secured = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
    }
    with throwaway(settings=secured) as sandbox:
        create(sandbox.bootstrap, NewTopic("a", 1, 1))
        send(sandbox.bootstrap, "a", [{"value": b"%d" % n} for n in range(20)])
        rule = AclBinding(
            ResourceType.GROUP, "*", ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", AclOperation.ALL,
            AclPermissionType.DENY,
        )  # fmt: skip
        admin = admin_client(sandbox.bootstrap)
        for future in admin.create_acls([rule]).values():
            future.result(10)

        def refused() -> bool:
            (future,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("g")]).values()
            error = future.exception(10)
            return error is not None and error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED

        assert eventually(refused)
        look = ("tail", "a", "-b", sandbox.bootstrap)
        assert numbers(kafkactl(*look, "-n", "2", "--no-follow")) == [18, 19]
        following = kafkactl(*look, "--from-beginning", "--until", str(int(time.time() * 1000) + 3000))
        assert numbers(following) == list(range(20))
        assert "permission" not in following.err
