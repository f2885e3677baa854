"""The shapes of well-known public stacks: healthy, they give no error; with one fault in them, that is found."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kafkactl.containers.model import Container, Mount, Port, role_of
from kafkactl.containers.sought import sought_by
from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import codes
from kafkactl.doctor.diagnosis import Diagnosis, diagnose
from kafkactl.doctor.facts import EngineFacts, StackFacts
from kafkactl.doctor.redact import redacted_environment
from tests.test_doctor import sound
from tests.test_doctor_stack import container

OF_CONTAINERS = [code for code, entry in codes().items() if entry.needs == ("stack",)]
DATA = (Mount("volume", "data", "/"),)


def service(name: str, image: str, *command: str, ports: tuple[int, ...] = (), **environment: str) -> Container:
    """A healthy container with the role that its facts give it, in the network of the stack."""
    given = {key.replace("__", "-"): value for key, value in environment.items()}
    role = role_of(name, image, f"x-{name}-1", given, command)
    published = tuple(Port(port, "tcp", "0.0.0.0", port) for port in ports)
    return replace(
        container(name, role, image=image, command=command, environment=given, aliases=(name,)),
        ports=published,
        mounts=DATA,
    )


STACKS: dict[str, Callable[[], list[Container]]] = {
    "sentry with ZooKeeper": lambda: [
        service("zookeeper", "confluentinc/cp-zookeeper:5.5.7", ZOOKEEPER_CLIENT_PORT="2181"),
        service(
            "kafka",
            "confluentinc/cp-kafka:5.5.7",
            KAFKA_ZOOKEEPER_CONNECT="zookeeper:2181",
            KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://kafka:9092",
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
        ),
        service("snuba-api", "getsentry/snuba", DEFAULT_BROKERS="kafka:9092", REDIS_HOST="redis"),
        service("relay", "getsentry/relay", KAFKA_BOOTSTRAP_SERVERS="kafka:9092"),
    ],
    "sentry": lambda: [
        service(
            "kafka",
            "confluentinc/cp-kafka:7.6.1",
            KAFKA_PROCESS_ROLES="broker,controller",
            KAFKA_NODE_ID="1001",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1001@127.0.0.1:29093",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_LISTENERS="PLAINTEXT://0.0.0.0:29092,INTERNAL://0.0.0.0:9093,EXTERNAL://0.0.0.0:9092,"
            "CONTROLLER://0.0.0.0:29093",
            KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://127.0.0.1:29092,INTERNAL://kafka:9093,EXTERNAL://kafka:9092",
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
            KAFKA_INTER_BROKER_LISTENER_NAME="PLAINTEXT",
        ),
        service("snuba-consumer", "getsentry/snuba", DEFAULT_BROKERS="kafka:9092"),
    ],
    "debezium's tutorial": lambda: [
        service("zookeeper", "quay.io/debezium/zookeeper:2.7", ports=(2181, 2888, 3888)),
        service("kafka", "quay.io/debezium/kafka:2.7", ports=(9092,), ZOOKEEPER_CONNECT="zookeeper:2181"),
        service("connect", "quay.io/debezium/connect:2.7", ports=(8083,), BOOTSTRAP_SERVERS="kafka:9092", GROUP_ID="1"),
        service("mysql", "quay.io/debezium/example-mysql", ports=(3306,), MYSQL_ROOT_PASSWORD="debezium"),
    ],
    "debezium's KRaft broker": lambda: [
        service(
            "kafka",
            "quay.io/debezium/kafka:3.1",
            ports=(9092,),
            CLUSTER_ID="5Yr1SIgYQz-b-dgRabWx4g",
            NODE_ID="1",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1@kafka:9093",
            KAFKA_LISTENERS="PLAINTEXT://kafka:9092,CONTROLLER://kafka:9093",
            KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://kafka:9092",
        ),
        service("connect", "quay.io/debezium/connect:3.1", ports=(8083,), BOOTSTRAP_SERVERS="kafka:9092"),
    ],
    "debezium's broker with an id that it does not read": lambda: [
        service("zookeeper", "quay.io/debezium/zookeeper:2.7"),
        service(
            "kafka",
            "quay.io/debezium/kafka:2.7",
            ports=(9092,),
            ZOOKEEPER_CONNECT="zookeeper:2181",
            KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://kafka:9092",
            KAFKA_BROKER_ID="1",
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
        ),
    ],
    "a quick start of Quarkus": lambda: [
        service(
            "zookeeper",
            "quay.io/strimzi/kafka:0.38.0-kafka-3.6.0",
            "sh",
            "-c",
            "bin/zookeeper-server-start.sh config/zookeeper.properties",
            ports=(2181,),
            LOG_DIR="/tmp/logs",
        ),
        service(
            "broker",
            "quay.io/strimzi/kafka:0.38.0-kafka-3.6.0",
            "sh",
            "-c",
            "bin/kafka-server-start.sh config/server.properties --override listeners=${KAFKA_LISTENERS} "
            "--override advertised.listeners=${KAFKA_ADVERTISED_LISTENERS} "
            "--override zookeeper.connect=${KAFKA_ZOOKEEPER_CONNECT}",
            ports=(9092,),
            LOG_DIR="/tmp/logs",
            KAFKA_BROKER_ID="1",
            KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://localhost:9092",
            KAFKA_LISTENERS="PLAINTEXT://0.0.0.0:9092",
            KAFKA_ZOOKEEPER_CONNECT="zookeeper:2181",
        ),
    ],
    "strimzi's image with a file of its own": lambda: [
        service(
            "broker",
            "quay.io/strimzi/kafka:0.26.1-kafka-3.0.0",
            "sh",
            "-c",
            "bin/kafka-storage.sh format -t x -c custom/server.properties && "
            "bin/kafka-server-start.sh custom/server.properties",
            ports=(29092,),
            KAFKA_JVM_PERFORMANCE_OPTS="-Xmx1000m -Xms1000m",
        ),
    ],
    "opentelemetry's demo": lambda: [
        service(
            "kafka",
            "ghcr.io/open-telemetry/demo:latest-kafka",
            KAFKA_LISTENERS="PLAINTEXT://kafka:9092,CONTROLLER://kafka:9093",
            KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://kafka:9092",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1@kafka:9093",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_PROCESS_ROLES="controller,broker",
            KAFKA_NODE_ID="1",
            KAFKA_HEAP_OPTS="-Xmx400m -Xms400m",
        ),
        service("checkout", "ghcr.io/open-telemetry/demo:latest-checkout", KAFKA_ADDR="kafka:9092"),
        service("accounting", "ghcr.io/open-telemetry/demo:latest-accounting", KAFKA_ADDR="kafka:9092"),
    ],
    "redpanda's quick start": lambda: [
        service(
            "redpanda-0", "docker.redpanda.com/redpandadata/redpanda:v24.1.1",
            "redpanda", "start", "--kafka-addr", "internal://0.0.0.0:9092,external://0.0.0.0:19092",
            "--advertise-kafka-addr", "internal://redpanda-0:9092,external://localhost:19092", "--smp", "1",
            ports=(18081, 18082, 19092, 19644),
        ),
        service(
            "console", "docker.redpanda.com/redpandadata/console:v2.5.2", "-c", "/app/console",
            ports=(8080,), CONSOLE_CONFIG_FILE="kafka:\n  brokers: ['redpanda-0:9092']\n",
        ),
    ],
    "confluent's all in one": lambda: [
        service(
            "broker",
            "confluentinc/cp-server:7.6.0",
            ports=(9092, 9101),
            KAFKA_NODE_ID="1",
            KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092",
            KAFKA_LISTENERS="PLAINTEXT://broker:29092,CONTROLLER://broker:29093,PLAINTEXT_HOST://0.0.0.0:9092",
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT",
            KAFKA_PROCESS_ROLES="broker,controller",
            KAFKA_CONTROLLER_QUORUM_VOTERS="1@broker:29093",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_JMX_HOSTNAME="localhost",
            KAFKA_CONFLUENT_SCHEMA_REGISTRY_URL="http://schema-registry:8081",
            CONFLUENT_METRICS_REPORTER_BOOTSTRAP_SERVERS="broker:29092",
        ),
        service(
            "schema-registry",
            "confluentinc/cp-schema-registry:7.6.0",
            ports=(8081,),
            SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS="broker:29092",
            SCHEMA_REGISTRY_LISTENERS="http://0.0.0.0:8081",
        ),
        service(
            "connect",
            "cnfldemos/cp-server-connect-datagen:0.6.4",
            ports=(8083,),
            CONNECT_BOOTSTRAP_SERVERS="broker:29092",
            CONNECT_REST_ADVERTISED_HOST_NAME="connect",
            CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL="http://schema-registry:8081",
        ),
        service(
            "ksqldb-server",
            "confluentinc/cp-ksqldb-server:7.6.0",
            ports=(8088,),
            KSQL_BOOTSTRAP_SERVERS="broker:29092",
            KSQL_LISTENERS="http://0.0.0.0:8088",
        ),
    ],
    "a Spring sample": lambda: [
        service(
            "kafka",
            "bitnami/kafka:3.7",
            ports=(9094,),
            KAFKA_CFG_NODE_ID="0",
            KAFKA_CFG_PROCESS_ROLES="controller,broker",
            KAFKA_CFG_CONTROLLER_QUORUM_VOTERS="0@kafka:9093",
            KAFKA_CFG_LISTENERS="PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094",
            KAFKA_CFG_ADVERTISED_LISTENERS="PLAINTEXT://kafka:9092,EXTERNAL://localhost:9094",
            KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP="CONTROLLER:PLAINTEXT,EXTERNAL:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            KAFKA_CFG_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            ALLOW_PLAINTEXT_LISTENER="yes",
        ),
        service("orders-service", "example/orders", ports=(8080,), SPRING_KAFKA_BOOTSTRAP_SERVERS="kafka:9092"),
    ],
    "a Nest sample": lambda: [
        service("zookeeper", "wurstmeister/zookeeper", ports=(2181,)),
        service(
            "kafka",
            "wurstmeister/kafka",
            ports=(9092,),
            KAFKA_ZOOKEEPER_CONNECT="zookeeper:2181",
            KAFKA_ADVERTISED_HOST_NAME="kafka",
            KAFKA_CREATE_TOPICS="orders:1:1",
        ),
        service("api", "node:20", "npm", "start", ports=(3000,), KAFKA_BROKER="kafka:9092", KAFKA_CLIENT_ID="api"),
    ],
    "plain apache/kafka": lambda: [
        service("broker", "apache/kafka:latest", ports=(9092,)),
        service("app", "example/app", DATABASE_URL="postgres://u:p@db:5432/x"),
    ],
    "fast-data-dev on the host's network": lambda: [
        replace(service("kafka-dev", "lensesio/fast-data-dev", ADV_HOST="127.0.0.1"), networks=("host",)),
    ],
}  # fmt: skip


def seen(containers: list[Container]) -> Diagnosis:
    """What the checks of containers find, on what the doctor keeps of them."""
    kept = tuple(replace(one, environment=redacted_environment(one.environment)) for one in containers)
    brokers = [one for one in containers if one.role == "broker"]
    others = [one for one in containers if one.role not in ("broker", "controller", "zookeeper")]
    sought = {one.name: found for one in others if (found := sought_by(one, brokers))}
    stack = StackFacts("payment", ("docker", "compose"), kept, sought=sought)
    facts = replace(sound(), engine=EngineFacts("unix:///x", ""), stack=stack, brokers=(), missing={})
    return diagnose(facts, codes(), CHECKS, wanted=OF_CONTAINERS)


@pytest.mark.parametrize("name", STACKS)
def test_a_healthy_stack_gives_no_finding(name: str) -> None:
    found = seen(STACKS[name]())
    assert [told.headline for told in found.findings("error", "warning")] == []
    assert found.states("crashed") == []


@pytest.mark.parametrize("name", [name for name in STACKS if "host's network" not in name])
def test_an_application_that_is_told_localhost_is_found_in_each(name: str) -> None:
    containers = STACKS[name]()
    app = service("added", "example/added", "run", "--url", "localhost:9092", EVENTS="x")
    (head,) = seen([*containers, app]).findings("error")
    assert (head.code, head.target) == ("KD310", app.name)


@pytest.mark.parametrize("name", STACKS)
def test_a_broker_that_is_stopped_is_found_in_each(name: str) -> None:
    containers = STACKS[name]()
    stopped = [replace(one, status="exited", exit_code=1) if one.role == "broker" else one for one in containers]
    heads = seen(stopped).findings("error")
    assert [head.code for head in heads] == ["KD101"], [head.headline for head in heads]
