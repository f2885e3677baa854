"""Stacks that nothing is wrong with: no error, no warning, no false alarm."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kafkactl.doctor.codes import codes
from tests.conftest import REPOSITORY, Outcome
from tests.lab import faults
from tests.lab.consumers import Consumes, consume_to_its_end
from tests.lab.examination import Doctor, Examination, shell
from tests.sandboxes import free_port
from tests.zookeeper import zookeeper_cluster

pytestmark = pytest.mark.quick
CATALOGUE = str(REPOSITORY / "topics.yaml")


def skipped(seen: Examination) -> dict[str, str]:
    """Why checks of network, storage, coordination and cluster were skipped, those of containers left aside."""
    rooms = ("KD2", "KD3", "KD4", "KD5")
    return {
        code: check["reason"]
        for code, check in seen.checks.items()
        if check["state"] == "skipped" and code[:3] in rooms and "stack" not in codes()[code].needs
    }


def test_one_broker_with_the_platform_s_topics(
    doctor: Doctor, kafkactl: Callable[..., Outcome], one_broker: str
) -> None:
    assert kafkactl("init-topics", "--file", CATALOGUE).code == 0
    faults.write(one_broker, "payment.created", 50)
    for group in ("analytics-group", "notification-group"):
        consume_to_its_end(Consumes(one_broker, group, "payment.created", ends_after=50))
    seen = doctor("--file", CATALOGUE)
    seen.content()
    assert skipped(seen) == {"KD510": "no sample taken", "KD511": "only one broker"}


def test_three_brokers(doctor: Doctor, kafkactl: Callable[..., Outcome], three_brokers: str) -> None:
    faults.catalogue("a: {partitions: 6, replication: 3, config: {min.insync.replicas: 2}}")
    assert kafkactl("init-topics").code == 0
    faults.write(three_brokers, "a", 50)
    seen = doctor()
    seen.content()
    assert skipped(seen) == {"KD510": "no sample taken"}
    doctor("--probe").content()


def test_no_topics_yaml(doctor: Doctor, one_broker: str) -> None:
    seen = doctor()
    seen.content()
    assert seen.checks["KD513"]["reason"] == "no topics.yaml"


def test_the_sandbox(
    doctor: Doctor, kafkactl: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    port = str(free_port())
    monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{port}")
    try:
        assert shell(f"kafkactl sandbox up --port {port}").returncode == 0
        assert kafkactl("init-topics", "--file", CATALOGUE).code == 0
        doctor("--file", CATALOGUE).content()
        *news, verdict = kafkactl("doctor", "--file", CATALOGUE).out.splitlines()
        assert news[0].startswith("KD607  There is no group ")
        assert verdict.startswith("Healthy. ")
    finally:
        shell(f"kafkactl sandbox down --port {port}")


@pytest.mark.lab
def test_zookeeper(
    doctor: Doctor, kafkactl: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "zookeeper"
    home.mkdir()
    with zookeeper_cluster(home) as broker:
        monkeypatch.setenv("KAFKA_BROKERS", broker)
        faults.catalogue("a: {partitions: 3, replication: 1}")
        assert doctor("network", "--wait", "40s").found() == []  # from its first second on
        doctor().names("KD513")
        assert kafkactl("init-topics").code == 0
        seen = doctor("--wait", "20s")
        seen.content()
        assert seen.checks["KD403"]["reason"] == "ZooKeeper, not KRaft"


@pytest.mark.lab
def test_faults_on_zookeeper(
    doctor: Doctor, kafkactl: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "zookeeper"
    home.mkdir()
    settings = {"offsets.topic.replication.factor": "3", "auto.create.topics.enable": "true"}
    with zookeeper_cluster(home, settings) as broker:
        monkeypatch.setenv("KAFKA_BROKERS", broker)
        assert doctor("network", "--wait", "40s").found() == []
        doctor().names_both("KD506", "KD507")
