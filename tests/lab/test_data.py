"""KD2 in containers: data that is not where it lasts, not the broker's own, or can't be written."""

import os
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from tests.conftest import create
from tests.lab.examination import Doctor, after
from tests.lab.stacks import LabStack

DATA = "/var/lib/kafka/data"


@pytest.fixture
def stack(kraft_stack: LabStack) -> LabStack:
    """One KRaft broker."""
    return kraft_stack


@pytest.fixture
def with_zookeeper(zookeeper_stack: LabStack) -> LabStack:
    """ZooKeeper and one broker."""
    return zookeeper_stack


@pytest.mark.provokes("KD201", "no volume is mounted", healed="by the remedy, in the compose file")
def test_data_not_on_volume(doctor: Doctor, stack: LabStack) -> None:
    del stack.kafka["volumes"]
    stack.up()
    seen = doctor("--wait", "60s")
    seen.names("KD201", exit_code=0)
    assert DATA in seen.headline
    assert f'"kafka-data:{DATA}"' in seen.remedies("KD201")[0]
    stack.kafka["volumes"] = [f"kafka-data:{DATA}"]
    stack.write()
    after(seen.command("KD201"), "--wait", "60s", "--fail-on", "warn").content()


def test_a_volume_without_a_name(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["volumes"] = [DATA]
    stack.up()
    seen = doctor("--wait", "60s")
    seen.names("KD201", exit_code=0)
    assert "on an anonymous volume" in seen.headline


@pytest.mark.provokes("KD203", "a disk of 40 MiB that fills up", healed="with room, and the remedy")
def test_disk_full(doctor: Doctor, stack: LabStack, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a small disk (tmpfs) can only be mounted by root")
    import subprocess

    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=777", "tmpfs", disk], check=False).returncode:
        pytest.skip("this root may not mount a tmpfs")
    try:
        stack.kafka["volumes"] = [f"{disk}:{DATA}"]
        stack.kafka["environment"]["KAFKA_LOG_SEGMENT_BYTES"] = "1048576"
        stack.up()
        doctor("--wait", "60s", "--fail-on", "error")
        create(stack.brokers, NewTopic("a", 1, 1))
        producer = Producer({"bootstrap.servers": stack.brokers, "log_level": 0, "message.timeout.ms": 3000})
        for _ in range(50):
            producer.produce("a", os.urandom(900_000))
        producer.flush(20)
        stack.until("kafka", "exited", seconds=60)
        seen = doctor()
        seen.names("KD203")
        assert str(disk) in seen.remedies("KD203")[0]
        subprocess.run(["mount", "-o", "remount,size=400m", disk], check=True)
        after(seen.command("KD203"), "--wait", "60s").content()
    finally:
        stack.compose("down", "-v", "-t", "1", check=False)
        subprocess.run(["umount", disk], check=True)


@pytest.mark.quick
@pytest.mark.provokes("KD204", "a directory of the host that belongs to root")
def test_not_writable(doctor: Doctor, stack: LabStack, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a directory that is root's")
    for place in (tmp_path, *tmp_path.parents[:3]):
        place.chmod(0o755)  # the container's user has to get there
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    stack.kafka["volumes"] = [f"{data}:{DATA}"]
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD204")
    assert seen.command("KD204") == f"chown -R 1000:1000 {data} && docker restart {stack.name()}"
    after(seen.command("KD204"), "--wait", "60s").content()


@pytest.mark.provokes("KD204", "a volume that belongs to root")
def test_a_volume_that_is_not_writable(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["volumes"] = ["kafka-data:/data"]  # the image has no such directory, so the engine makes it root's
    stack.kafka["environment"]["KAFKA_LOG_DIRS"] = "/data"
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD204")
    assert f"-v {stack.project}_kafka-data:/data" in seen.command("KD204")
    after(seen.command("KD204"), "--wait", "60s").content()


@pytest.mark.provokes("KD205", "CLUSTER_ID was changed (KRaft)", healed="by the remedy, in the compose file")
def test_cluster_id(doctor: Doctor, stack: LabStack) -> None:
    stack.up()
    stack.until("kafka", "healthy")
    stack.kafka["environment"]["CLUSTER_ID"] = "pYm3nTk4fkaKRaftOther1"
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor("--wait", "60s")  # which ends at once: waiting does not heal it
    seen.names("KD205")
    assert "CLUSTER_ID: pYm3nTk4fkaKRaftLocalQ" in seen.remedies("KD205")[0]
    stack.kafka["environment"]["CLUSTER_ID"] = "pYm3nTk4fkaKRaftLocalQ"
    stack.write()
    after(seen.command("KD205"), "--wait", "60s").content()


@pytest.mark.provokes("KD205", "ZooKeeper lost its data, and the broker kept its own")
def test_cluster_id_with_zookeeper(doctor: Doctor, with_zookeeper: LabStack) -> None:
    stack = with_zookeeper
    stack.up()
    doctor("--wait", "60s").content()
    stack.compose("stop", "kafka")
    stack.compose("rm", "-sf", "zookeeper")  # it has no volume
    stack.up("zookeeper")
    stack.until("zookeeper", "healthy")
    stack.compose("start", "kafka")
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD205")
    after(seen.command("KD205"), "--wait", "60s").content()  # the last resort: both made anew


@pytest.mark.provokes("KD206", "KAFKA_NODE_ID was changed", healed="by the remedy, in the compose file")
def test_node_id(doctor: Doctor, stack: LabStack) -> None:
    stack.up()
    stack.until("kafka", "healthy")
    stack.kafka["environment"] |= {"KAFKA_NODE_ID": "7", "KAFKA_CONTROLLER_QUORUM_VOTERS": "7@localhost:9091"}
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD206")
    assert "KAFKA_NODE_ID: 1" in seen.remedies("KD206")[0]
    stack.kafka["environment"] |= {"KAFKA_NODE_ID": "1", "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9091"}
    stack.write()
    after(seen.command("KD206"), "--wait", "60s").content()


@pytest.mark.provokes("KD206", "KAFKA_BROKER_ID was changed (ZooKeeper)", healed="by the remedy, in the compose file")
def test_broker_id_with_zookeeper(doctor: Doctor, with_zookeeper: LabStack) -> None:
    stack = with_zookeeper
    stack.up()
    stack.until("kafka", "healthy")
    stack.kafka["environment"]["KAFKA_BROKER_ID"] = "7"
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD206")
    assert "KAFKA_BROKER_ID: 1" in seen.remedies("KD206")[0]
    stack.kafka["environment"]["KAFKA_BROKER_ID"] = "1"
    stack.write()
    after(seen.command("KD206"), "--wait", "60s").content()


@pytest.mark.provokes("KD207", "a start script that does not format", healed="with one that does, and the remedy")
def test_unformatted(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["command"] = [
        "sh",
        "-c",
        "sed '/kafka-storage format/d' /usr/bin/run >/tmp/run; exec sh /tmp/run kraft",
    ]
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD207")
    del stack.kafka["command"]
    stack.write()
    after(seen.command("KD207"), "--wait", "60s").content()


def test_a_log_of_long_ago_says_nothing_of_now(doctor: Doctor, stack: LabStack) -> None:
    """A broker that failed, was mended and started again has the old lines still in its log."""
    gate = (
        "test -e /var/lib/kafka/data/open || { touch /var/lib/kafka/data/open; export KAFKA_PROCESS_ROLES=nonsense; }"
    )
    stack.kafka["command"] = ["sh", "-c", f"{gate}; exec run kraft"]
    stack.up()
    stack.until("kafka", "exited")
    doctor().names("KD405")
    stack.compose("start", "kafka")
    doctor("--wait", "60s").content()
    assert "Exception" in stack.log()
