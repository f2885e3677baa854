"""Two faults at once: both are told where neither explains the other, and one where it does."""

import time
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import create
from tests.docker.engine import Engine
from tests.lab import faults
from tests.lab.examination import Doctor
from tests.lab.stacks import LabStack, lab_stack, tiny
from tests.sandboxes import free_port


def test_wrong_port_hides_missing_topics(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    faults.catalogue("a: {partitions: 1}")
    monkeypatch.setenv("KAFKA_BROKERS", f"127.0.0.1:{free_port()}")
    seen = doctor()
    seen.names("KD302")
    assert seen.checks["KD513"]["because"] == "KD302"


def test_dead_address_beside_an_unknown_name(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", f"kafka.invalid:9092,127.0.0.1:{free_port()}")
    doctor().names("KD301")


def test_wrong_listener_hides_missing_topics(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(settings={"auto.create.topics.enable": "true"}) as sandbox:
        _, settings = faults.second_listener(sandbox.nodes[0], "payment-kafka.invalid:9092")
        faults.restart(sandbox, 1, settings)
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        faults.catalogue("a: {partitions: 1}")
        seen = doctor()
        seen.names("KD305")
        assert seen.checks["KD513"]["because"] == "KD305"
        assert seen.checks["KD507"]["because"] == "KD305"


@pytest.mark.quick
def test_impossible_offsets_and_missing_topics(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(settings={"offsets.topic.replication.factor": "3"}) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        faults.catalogue("a: {partitions: 1}")
        doctor().names_both("KD506", "KD513")


def test_lost_quorum_and_dead_letters(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(3) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        create(sandbox.bootstrap, NewTopic("dlq.payment", 1, replica_assignment=[[1, 2, 3]]))
        faults.write(sandbox.bootstrap, "dlq.payment")
        sandbox.kill(2)
        sandbox.kill(3)
        faults.until(lambda: doctor().cause == "KD403", "the last controller has given up")
        doctor().names_both("KD403", "KD512")


def test_missing_broker_and_missing_topic(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(3) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        create(sandbox.bootstrap, NewTopic("a", 3, 3, config={"min.insync.replicas": "3"}))
        faults.catalogue("a: {partitions: 3, replication: 3}, b: {partitions: 1}")
        sandbox.kill(2)
        faults.until(lambda: "KD501" in doctor().found(), "broker 2 is missed")
        doctor().names_both("KD501", "KD513")


@pytest.mark.quick
def test_the_worse_one_first(doctor: Doctor, one_broker: str) -> None:
    create(one_broker, NewTopic("dlq.payment", 1, 1))
    faults.write(one_broker, "dlq.payment")
    faults.catalogue("a: {partitions: 1}")
    doctor().names_both("KD513", "KD512")


def test_two_warnings(doctor: Doctor, one_broker: str) -> None:
    config = {"min.insync.replicas": "2", "message.timestamp.after.max.ms": faults.FAR}
    create(one_broker, NewTopic("a", 1, 1, config=config))
    faults.write(one_broker, "a", timestamp=int((time.time() + 365 * 86_400) * 1000))
    seen = doctor()
    seen.names_both("KD505", "KD509")
    assert seen.exit_code == 0


# In containers


@pytest.fixture
def stack(zookeeper_stack: LabStack) -> LabStack:
    """ZooKeeper and one broker."""
    return zookeeper_stack


def test_stopped_service_and_wrong_port(doctor: Doctor, stack: LabStack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.services["gateway"] = tiny(stack.engine, stack.project, "gateway", "exit 1")
    stack.up()
    doctor("--wait", "60s")
    monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{free_port()}")
    doctor().names_both("KD302", "KD101")


def test_misrouted_service_and_missing_topics(doctor: Doctor, stack: LabStack) -> None:
    faults.catalogue("a: {partitions: 1}")
    stack.services["gateway"] = tiny(
        stack.engine, stack.project, "gateway", environment={"KAFKA_BROKERS": "localhost:9092"}
    )
    stack.up()
    stack.until("kafka", "healthy")
    doctor().names_both("KD310", "KD513")


def test_stopped_zookeeper_and_no_volume(doctor: Doctor, stack: LabStack) -> None:
    del stack.kafka["volumes"]
    stack.up()
    stack.until("kafka", "healthy")
    stack.compose("stop", "zookeeper")
    doctor().names_both("KD101", "KD201")


def test_killed_broker_and_a_large_heap(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx420m"
    stack.up()
    stack.until("kafka", "healthy")
    stack.compose("kill", "kafka")
    doctor().names_both("KD104", "KD108")


def test_two_brokers_of_two_stacks_are_not_mixed_up(
    doctor: Doctor, stack: LabStack, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    with lab_stack(engine, tmp_path / "other") as other:
        other.up()
        stack.up()
        stack.until("kafka", "healthy")
        other.compose("stop", "kafka")
        doctor("--wait", "20s").content()
        monkeypatch.setenv("KAFKA_BROKERS", other.brokers)
        doctor("--project", other.project).names("KD101")
