"""KD4 in containers: ZooKeeper that does not answer, registrations that are stale or refused, fatal errors."""

import copy

import pytest

from tests.lab.examination import Doctor, after, shell, until_told
from tests.lab.stacks import LabStack, kraft


@pytest.fixture
def stack(zookeeper_stack: LabStack) -> LabStack:
    """ZooKeeper and one broker."""
    return zookeeper_stack


@pytest.fixture
def raft(kraft_stack: LabStack) -> LabStack:
    """One KRaft broker."""
    return kraft_stack


@pytest.mark.provokes("KD401", "ZooKeeper's process hangs")
def test_zookeeper_hangs(doctor: Doctor, stack: LabStack) -> None:
    stack.up()
    doctor("--wait", "60s").content()
    stack.engine.client.api.kill(stack.name("zookeeper"), signal="SIGSTOP")
    stack.until("zookeeper", "unhealthy")
    seen = doctor()
    seen.names("KD401")
    assert seen.command("KD401") == f"docker restart {stack.name('zookeeper')} && docker restart -t 60 {stack.name()}"
    after(seen.command("KD401"), "--wait", "90s").content()


@pytest.mark.provokes("KD401", "KAFKA_ZOOKEEPER_CONNECT has another name", healed="by the remedy, in the compose file")
def test_zookeeper_is_somewhere_else(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["environment"]["KAFKA_ZOOKEEPER_CONNECT"] = "zoo:2181"
    stack.up()
    seen = until_told(doctor, "KD401")
    seen.names("KD401")
    assert "zoo:2181" in seen.headline
    assert "KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181" in seen.remedies("KD401")[0]
    stack.kafka["environment"]["KAFKA_ZOOKEEPER_CONNECT"] = "zookeeper:2181"
    stack.write()
    after(seen.command("KD401"), "--wait", "60s").content()


@pytest.mark.provokes("KD101", "ZooKeeper is stopped, and its broker can't start")
def test_zookeeper_is_stopped(doctor: Doctor, stack: LabStack) -> None:
    stack.up("zookeeper")
    stack.until("zookeeper", "healthy")
    stack.compose("stop", "zookeeper")
    stack.up("--no-deps", "kafka")
    stack.until("kafka", "running")
    seen = doctor()
    seen.names("KD101")
    assert stack.name("zookeeper") in seen.headline
    assert any(
        line["what"] == "effect" and stack.name() in line["text"] for line in seen.findings("KD101")[0]["evidence"]
    )
    after(seen.command("KD101"), "--wait", "60s").content()


@pytest.mark.provokes("KD402", "docker kill, and started again at once")
def test_stale_registration(doctor: Doctor, stack: LabStack) -> None:
    stack.up()
    doctor("--wait", "60s").content()
    assert shell(f"docker kill {stack.name()} && docker start {stack.name()}").returncode == 0
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD402")
    after(seen.command("KD402"), "--wait", "60s").content()


@pytest.mark.provokes("KD404", "two brokers have one node id", healed="with an id of its own, and the remedy")
def test_registration_refused(doctor: Doctor, raft: LabStack, monkeypatch: pytest.MonkeyPatch) -> None:
    first = raft.kafka
    first["environment"] |= {
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@kafka:9091",
        "KAFKA_LISTENERS": "CONTROLLER://0.0.0.0:9091,INTERNAL://0.0.0.0:9092,EXTERNAL://0.0.0.0:9093",
    }
    for name, port in (("two", 1), ("three", 2)):
        service = copy.deepcopy(kraft(raft.engine, raft.project, raft.port + port))
        service["container_name"] = f"{raft.project}-kafka-{name}"
        service["volumes"] = []
        service["environment"] |= {
            "KAFKA_NODE_ID": "2",
            "KAFKA_PROCESS_ROLES": "broker",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@kafka:9091",
            "KAFKA_LISTENERS": "INTERNAL://0.0.0.0:9092,EXTERNAL://0.0.0.0:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"INTERNAL://kafka-{name}:9092,EXTERNAL://localhost:{raft.port + port}",
        }
        raft.services[f"kafka-{name}"] = service
    raft.up("kafka", "kafka-two")
    raft.until("kafka-two", "healthy")
    doctor("--wait", "60s", "--ignore", "KD201").content()
    raft.up()
    seen = until_told(doctor, "KD404", "--ignore", "KD201")
    seen.names("KD404")
    assert "DUPLICATE_BROKER_REGISTRATION" in seen.headline
    raft.services["kafka-three"]["environment"]["KAFKA_NODE_ID"] = "3"
    raft.write()
    after(seen.command("KD404"), "--wait", "60s", "--ignore", "KD201").content()


@pytest.mark.quick
@pytest.mark.provokes("KD405", "a setting that Kafka does not take", healed="with one that it takes")
def test_fatal(doctor: Doctor, raft: LabStack) -> None:
    raft.kafka["environment"]["KAFKA_NUM_NETWORK_THREADS"] = "0"
    raft.up()
    raft.until("kafka", "exited")
    seen = doctor()
    seen.names("KD405")
    assert "num.network.threads" in seen.headline
    assert shell(seen.command("KD405")).returncode == 0
    del raft.kafka["environment"]["KAFKA_NUM_NETWORK_THREADS"]
    raft.up()
    doctor("--wait", "60s").content()


@pytest.mark.provokes("KD406", "a controller that is not among its voters", healed="by the remedy")
def test_voters(doctor: Doctor, raft: LabStack) -> None:
    raft.kafka["environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"] = "2@kafka:9091"
    raft.up()
    raft.until("kafka", "exited")
    seen = doctor()
    seen.names("KD406")
    assert "a controller with node id 1, which is not among the voters" in seen.headline
    assert "KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9091" in seen.remedies("KD406")[0]
    raft.kafka["environment"]["KAFKA_CONTROLLER_QUORUM_VOTERS"] = "1@localhost:9091"
    raft.write()
    after(seen.command("KD406"), "--wait", "60s").content()


@pytest.mark.provokes("KD401", "a broker that gave up before ZooKeeper was there")
def test_a_broker_that_started_before_zookeeper(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["environment"]["KAFKA_ZOOKEEPER_CONNECTION_TIMEOUT_MS"] = "3000"
    del stack.kafka["depends_on"]
    stack.up("kafka")
    stack.until("kafka", "exited")
    stack.up("zookeeper")
    stack.until("zookeeper", "healthy")
    seen = doctor()
    seen.names("KD401")
    assert "was not ready; it is by now" in seen.headline
    after(seen.command("KD401"), "--wait", "60s").content()
