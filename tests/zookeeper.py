"""ZooKeeper and one broker, from the jars of the last Kafka that has it."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kafkactl.sandbox import java
from kafkactl.sandbox.preparation import prepare
from tests.sandboxes import free_port

VERSION = "3.9.2"


@contextmanager
def zookeeper_cluster(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The broker's address; both processes have ports and directories of their own, and are gone afterwards."""
    classes = prepare(VERSION, unverified=True, progress=lambda _: None).class_path
    keeper, port = free_port(), free_port()
    (home / "zoo.cfg").write_text(
        f"dataDir={home / 'zookeeper'}\nclientPort={keeper}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
    )
    properties = {
        "broker.id": "7",
        "zookeeper.connect": f"127.0.0.1:{keeper}",
        "log.dirs": str(home / "data"),
        "listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "auto.create.topics.enable": "false",
        **(settings or {}),
    }
    (home / "server.properties").write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    started = []
    try:
        for main, config in (
            ("org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg"),
            ("kafka.Kafka", "server.properties"),
        ):
            command = java.java_command(java.runtime(), classes, java.flags(None, full_jit=False), main, config)
            with (home / f"{config}.log").open("wb") as log:
                started.append(subprocess.Popen(command, cwd=home, stdout=log, stderr=log, env=java.java_environment()))
        yield f"127.0.0.1:{port}"
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
