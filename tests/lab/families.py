"""A broker of each family of images, as the family's quick start has it: the same Kafka, told in the family's way."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.docker.engine import Engine
from tests.lab.stacks import LabStack, Service, with_zookeeper

_SMALL = {"KAFKA_HEAP_OPTS": "-Xms128m -Xmx256m"}
_ALONE = {
    "AUTO_CREATE_TOPICS_ENABLE": "false",
    "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "TRANSACTION_STATE_LOG_MIN_ISR": "1",
}
_MAP = "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT"


@dataclass(frozen=True)
class Family:
    """How one family's broker is configured: its image, its data ("" on no volume), and what it is told.

    `variables` and `command` are for a port of this machine; `own` has the settings that have a name of their own, or
    none.
    """

    image: str
    data: str
    variables: Callable[[int], Mapping[str, str]]
    zookeeper: bool = False
    prefix: str = "KAFKA_"
    own: Mapping[str, str] = field(default_factory=dict)
    command: Callable[[int], str] | None = None


def _alone(prefix: str = "KAFKA_") -> dict[str, str]:
    return {f"{prefix}{name}": value for name, value in _ALONE.items()}


def _cp(port: int) -> dict[str, str]:
    return {
        "KAFKA_BROKER_ID": "1",
        "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
        "KAFKA_ADVERTISED_LISTENERS": f"INTERNAL://kafka:29092,EXTERNAL://localhost:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": _MAP,
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
    }


def _kraft(port: int, prefix: str = "KAFKA_") -> dict[str, str]:
    names = {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "CONTROLLER_QUORUM_VOTERS": "1@kafka:29093",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "LISTENERS": f"INTERNAL://:29092,CONTROLLER://:29093,EXTERNAL://:{port}",
        "ADVERTISED_LISTENERS": f"INTERNAL://kafka:29092,EXTERNAL://localhost:{port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": f"{_MAP},CONTROLLER:PLAINTEXT",
        "INTER_BROKER_LISTENER_NAME": "INTERNAL",
    }
    return {f"{prefix}{name}": value for name, value in names.items()}


FAMILIES: Mapping[str, Family] = {
    "cp with ZooKeeper": Family("confluentinc/cp-kafka", "/var/lib/kafka/data", _cp, zookeeper=True),
    "cp": Family(
        "confluentinc/cp-server",
        "/var/lib/kafka/data",
        lambda port: {**_kraft(port), "CLUSTER_ID": "pYm3nTk4fkaKRaftLocalQ"},
    ),
    "apache": Family(
        "apache/kafka",
        "/var/lib/kafka/data",
        lambda port: {**_kraft(port), "CLUSTER_ID": "pYm3nTk4fkaKRaftLocalQ", "KAFKA_LOG_DIRS": "/var/lib/kafka/data"},
    ),
    "bitnami with ZooKeeper": Family(
        "bitnami/kafka",
        "/bitnami/kafka",
        lambda port: {
            "ALLOW_PLAINTEXT_LISTENER": "yes",
            "KAFKA_CFG_ZOOKEEPER_CONNECT": "zookeeper:2181",
            "KAFKA_CFG_LISTENERS": f"INTERNAL://:9092,EXTERNAL://:{port}",
            "KAFKA_CFG_ADVERTISED_LISTENERS": f"INTERNAL://kafka:9092,EXTERNAL://localhost:{port}",
            "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP": _MAP,
            "KAFKA_CFG_INTER_BROKER_LISTENER_NAME": "INTERNAL",
        },
        zookeeper=True,
        prefix="KAFKA_CFG_",
    ),
    "bitnami": Family(
        "bitnamilegacy/kafka",
        "/bitnami/kafka",
        lambda port: {"ALLOW_PLAINTEXT_LISTENER": "yes", **_kraft(port, "KAFKA_CFG_")},
        prefix="KAFKA_CFG_",
    ),
    "wurstmeister": Family(
        "wurstmeister/kafka",
        "/kafka",
        lambda port: {
            "KAFKA_BROKER_ID": "1",
            "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
            "KAFKA_ADVERTISED_HOST_NAME": "localhost",
            "KAFKA_ADVERTISED_PORT": str(port),
            "KAFKA_LOG_DIRS": "/kafka/kafka-logs",
        },
        zookeeper=True,
    ),
    "debezium": Family(
        "debezium/kafka",
        "/kafka/data",
        lambda port: {
            "BROKER_ID": "1",
            "ZOOKEEPER_CONNECT": "zookeeper:2181",
            "KAFKA_LISTENERS": f"INTERNAL://0.0.0.0:9092,EXTERNAL://0.0.0.0:{port}",
            "KAFKA_ADVERTISED_LISTENERS": f"INTERNAL://kafka:9092,EXTERNAL://localhost:{port}",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": _MAP,
            "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
        },
        zookeeper=True,
        own={"ZOOKEEPER_CONNECT": "ZOOKEEPER_CONNECT", "BROKER_ID": "BROKER_ID"},
    ),
    "debezium with KRaft": Family(
        "kraft/debezium/kafka",
        "/kafka/data",
        lambda port: {
            "CLUSTER_ID": "pYm3nTk4fkaKRaftLocalQ",
            "NODE_ID": "1",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@kafka:29093",
            "KAFKA_LISTENERS": f"INTERNAL://:29092,CONTROLLER://:29093,EXTERNAL://:{port}",
            "KAFKA_ADVERTISED_LISTENERS": f"INTERNAL://kafka:29092,EXTERNAL://localhost:{port}",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": f"{_MAP},CONTROLLER:PLAINTEXT",
            "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
        },
        own={"NODE_ID": "NODE_ID"},
    ),
    "strimzi": Family(
        "strimzi/kafka",
        "",
        lambda port: {
            "LOG_DIR": "/tmp/logs",
            "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{port}",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://localhost:{port}",
            "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
        },
        zookeeper=True,
        command=lambda _: (
            "bin/kafka-server-start.sh config/server.properties --override listeners=$${KAFKA_LISTENERS}"
            " --override advertised.listeners=$${KAFKA_ADVERTISED_LISTENERS}"
            " --override zookeeper.connect=$${KAFKA_ZOOKEEPER_CONNECT} --override auto.create.topics.enable=false"
        ),
    ),
}


def tell(stack: LabStack, family: Family, **settings: str) -> None:
    """Give a family's broker settings (NODE_ID) by the variables, or the command, that its image takes them from."""
    for name, value in settings.items():
        environment, option = stack.kafka["environment"], f"--override {name.lower().replace('_', '.')}="
        variable = family.own.get(name, f"{family.prefix}{name}")
        if family.command is None or variable in environment:
            environment[variable] = value
        elif option in stack.kafka["command"][-1]:
            words = stack.kafka["command"][-1]
            stack.kafka["command"][-1] = re.sub(re.escape(option) + r"\S*", f"{option}{value}", words)
        else:
            stack.kafka["command"][-1] += f" {option}{value}"


def services_of_family(name: str, engine: Engine, project: str, port: int) -> dict[str, Service]:
    """The services of a stack of this family, with a ZooKeeper where it needs one; data on the volume kafka-data."""
    family = FAMILIES[name]
    broker: Service = {
        "image": engine.images.name(family.image),
        "container_name": f"{project}-kafka",
        "ports": [f"127.0.0.1:{port}:{port}"],
        "environment": {**_SMALL, **({} if family.command else _alone(family.prefix)), **family.variables(port)},
        "volumes": [f"kafka-data:{family.data}"] if family.data else [],
        "mem_limit": "512m",
        "stop_grace_period": "5s",
    }
    if family.command:
        broker["command"] = ["sh", "-c", family.command(port)]
    if not family.zookeeper:
        return {"kafka": broker}
    keeper = with_zookeeper(engine, project, port)["zookeeper"]
    return {"zookeeper": keeper, "kafka": {**broker, "depends_on": ["zookeeper"], "restart": "on-failure"}}
