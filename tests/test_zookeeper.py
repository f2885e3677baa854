"""A cluster of the last Kafka with ZooKeeper, as the platform runs it today."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.zookeeper import zookeeper_cluster

Kafkactl = Callable[..., Outcome]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with zookeeper_cluster(tmp_path_factory.mktemp("zookeeper")) as address:
        yield address


@pytest.fixture(autouse=True)
def _surroundings(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", broker)
    Path("topics.yaml").write_text("topics: {a: {partitions: 2, retention: 7d}, b: {partitions: 1}}")


def test_the_main_job_on_zookeeper(kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {c: {partitions: 2, retention: 7d}, d: {partitions: 1}}")
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
