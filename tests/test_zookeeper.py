"""A cluster of the last Kafka with ZooKeeper, as the platform runs it today."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.sandbox import java
from kafkactl.sandbox.preparation import prepare
from tests.conftest import Outcome, free_port

Kafkactl = Callable[..., Outcome]
VERSION = "3.9.2"


@pytest.fixture(scope="module")
def zookeeper_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """ZooKeeper and one broker, from the jars of Kafka 3.9, on ports of their own."""
    home = tmp_path_factory.mktemp("zookeeper")
    classes = prepare(VERSION, unverified=True, progress=lambda _: None).class_path
    keeper, port = free_port(), free_port()
    (home / "zoo.cfg").write_text(
        f"dataDir={home / 'zookeeper'}\nclientPort={keeper}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
    )
    (home / "server.properties").write_text(
        f"broker.id=7\nzookeeper.connect=127.0.0.1:{keeper}\nlog.dirs={home / 'data'}\n"
        f"listeners=PLAINTEXT://127.0.0.1:{port}\noffsets.topic.replication.factor=1\n"
        "offsets.topic.num.partitions=4\nauto.create.topics.enable=false\n"
    )
    started = []
    try:
        for main, config in (
            ("org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg"),
            ("kafka.Kafka", "server.properties"),
        ):
            command = java.command(java.runtime(), classes, java.flags(None, full_jit=False), main, config)
            with (home / f"{config}.log").open("wb") as log:
                started.append(subprocess.Popen(command, cwd=home, stdout=log, stderr=log, env=java.environment()))
        yield f"127.0.0.1:{port}"
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def _surroundings(zookeeper_cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", zookeeper_cluster)
    Path("topics.yaml").write_text("topics: {a: {partitions: 2, retention: 7d}, b: {partitions: 1}}")


def test_the_main_job_on_zookeeper(kafkactl: Kafkactl) -> None:
    created = kafkactl("init-topics", "--wait", "60s")
    assert created.code == 0, created.text
    assert "2 created" in created.err
    assert "Nothing to do" in kafkactl("init-topics").err
    assert kafkactl("diff").code == 0
    proven = kafkactl("test", "--count", "10")
    assert proven.code == 0, proven.text


def test_describe_says_zookeeper_and_the_real_controller(kafkactl: Kafkactl) -> None:
    assert kafkactl("init-topics", "--wait", "60s").code == 0
    deadline = time.monotonic() + 20
    while (run := kafkactl("describe")).code or "missing" in run.out:
        assert time.monotonic() < deadline, run.text
    assert "· ZooKeeper · 1 broker · controller 7" in run.out
    assert run.err == ""  # sizes come with it; the quorum that is not there is no news
    document = json.loads(kafkactl("describe", "-o", "json").out)
    assert document["cluster"]["mode"] == "ZooKeeper"
    assert document["topics"][0]["size_bytes"] is not None
