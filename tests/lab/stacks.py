"""Small stacks in containers, to be broken: a compose file of the test's own, on the tests' engine."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docker.compose import command
from tests.docker.engine import Engine
from tests.sandboxes import free_port

Service = dict[str, Any]


@dataclass
class LabStack:
    """A compose project whose services a test changes. `port` is where programs of this machine find Kafka."""

    engine: Engine
    file: Path
    project: str
    port: int
    services: dict[str, Service]
    volumes: dict[str, Any] = field(default_factory=dict)

    @property
    def kafka(self) -> Service:
        return self.services["kafka"]

    @property
    def brokers(self) -> str:
        return f"localhost:{self.port}"

    def name(self, service: str = "kafka") -> str:
        """The name of a service's container."""
        return str(self.services[service]["container_name"])

    def write(self) -> None:
        """Write the compose file as the services are now."""
        self.file.write_text(json.dumps({"services": self.services, "volumes": self.volumes}), encoding="utf-8")

    def up(self, *services: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Make what has changed, and start it."""
        self.write()
        done = self.compose("up", "-d", *services, check=False)
        if "iptables failed" in done.stderr:  # two engines that change the host's rules at once
            done = self.compose("up", "-d", *services, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def compose(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [*command(), "-p", self.project, "-f", str(self.file), *arguments],
            env={**os.environ, "DOCKER_HOST": self.engine.host},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def state(self, service: str = "kafka") -> dict[str, Any]:
        """The engine's word on a service's container."""
        return self.engine.client.api.inspect_container(self.name(service))["State"]  # type: ignore[no-any-return]

    def until(self, service: str, *statuses: str, seconds: float = 40) -> None:
        """Wait until a container is in one of these states, or its health check says one of them."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.state(service)
            if state["Status"] in statuses or state.get("Health", {}).get("Status") in statuses:
                return
            assert time.monotonic() < deadline, (service, state)
            time.sleep(0.2)

    def log(self, service: str = "kafka") -> str:
        return self.engine.client.api.logs(self.name(service)).decode(errors="replace")  # type: ignore[no-any-return]


def kraft(engine: Engine, project: str, port: int) -> Service:
    """One broker that is its own controller."""
    return {
        "image": engine.images.name("kraft"),
        "container_name": f"{project}-kafka",
        "ports": [f"127.0.0.1:{port}:9093"],
        "environment": {
            "CLUSTER_ID": "pYm3nTk4fkaKRaftLocalQ",
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9091",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENERS": "CONTROLLER://localhost:9091,INTERNAL://0.0.0.0:9092,EXTERNAL://0.0.0.0:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"INTERNAL://kafka:9092,EXTERNAL://localhost:{port}",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT",
            **_COMMON,
        },
        "volumes": ["kafka-data:/var/lib/kafka/data"],
        "mem_limit": "512m",
        "stop_grace_period": "5s",
        "healthcheck": _LISTENS,
    }


def with_zookeeper(engine: Engine, project: str, port: int) -> dict[str, Service]:
    """The last Kafka with ZooKeeper, and that."""
    broker = kraft(engine, project, port)
    broker["image"] = engine.images.name("kafka")
    broker["depends_on"] = ["zookeeper"]
    broker["environment"] = {
        "KAFKA_BROKER_ID": "1",
        "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
        "KAFKA_LISTENERS": "INTERNAL://0.0.0.0:9092,EXTERNAL://0.0.0.0:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"INTERNAL://kafka:9092,EXTERNAL://localhost:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT",
        **_COMMON,
    }
    zookeeper = {
        "image": engine.images.name("zookeeper"),
        "container_name": f"{project}-zookeeper",
        "ports": [f"127.0.0.1:{free_port()}:2181"],
        "environment": {"ZOOKEEPER_CLIENT_PORT": "2181", "KAFKA_HEAP_OPTS": "-Xmx64m"},
        "mem_limit": "256m",
        "healthcheck": {**_LISTENS, "test": ["CMD-SHELL", "echo srvr | nc -w 2 127.0.0.1 2181 | grep -q Mode:"]},
    }
    return {"zookeeper": zookeeper, "kafka": broker}


_COMMON = {
    "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
    "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_HEAP_OPTS": "-Xms128m -Xmx256m",
}
_LISTENS = {
    "test": ["CMD-SHELL", "nc -w 2 127.0.0.1 9093 </dev/null"],
    "interval": "1s",
    "timeout": "3s",
    "retries": 3,
    "start_period": "20s",
}


def tiny(engine: Engine, project: str, service: str, script: str = "", **options: Any) -> Service:
    """A shell that stands where a service would: for faults of the container itself."""
    wait = "trap exit TERM; sleep 3600 & wait"
    return {
        "image": engine.images.name("tiny"),
        "container_name": f"{project}-{service}",
        "command": ["sh", "-c", (script or wait).replace("$", "$$")],
        **options,
    }


@contextmanager
def lab_stack(engine: Engine, home: Path, *, zookeeper: bool = False, empty: bool = False) -> Iterator[LabStack]:
    """A stack, not started yet: one KRaft broker, or one with ZooKeeper, or nothing. It is gone at the end."""
    project, port = f"lab{uuid.uuid4().hex[:6]}", free_port()
    services = {} if empty else with_zookeeper(engine, project, port) if zookeeper else {
        "kafka": kraft(engine, project, port)
    }  # fmt: skip
    there = LabStack(engine, home / "lab.yml", project, port, services, {} if empty else {"kafka-data": None})
    try:
        yield there
    finally:
        there.compose("down", "-v", "--remove-orphans", "-t", "1", check=False)
