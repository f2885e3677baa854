"""Where a broker listens, by the rules of each family of images; and what a container is."""

from dataclasses import replace

import pytest

from kafkactl.containers.broker_listeners import advertised, among_brokers, bound, listens_by_rule, unmapped_listener
from kafkactl.containers.families import family_of, program_of
from kafkactl.containers.model import Container, LogLine, Mount, Port, role_of
from kafkactl.containers.sought import sought_by
from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import Told, codes
from kafkactl.doctor.diagnosis import diagnose
from kafkactl.doctor.facts import EngineFacts, StackFacts
from kafkactl.doctor.signs import Sign, signs
from tests.test_doctor import sound
from tests.test_doctor_stack import container


def broker(image: str, *command: str, **environment: str) -> Container:
    return container("kafka", "broker", image=image, command=command, environment=environment)


@pytest.mark.parametrize(
    ("image", "family"),
    [
        ("confluentinc/cp-kafka:7.6.0", "cp"),
        ("docker.io/confluentinc/cp-server", "cp"),
        ("apache/kafka:4.1.1", "apache"),
        ("apache/kafka-native", "apache"),
        ("docker.io/bitnami/kafka:3.7", "bitnami"),
        ("bitnamilegacy/kafka", "bitnami"),
        ("registry.example:5000/bitnami/kafka@sha256:0123", "bitnami"),
        ("wurstmeister/kafka", "wurstmeister"),
        ("quay.io/debezium/kafka:2.7", "debezium"),
        ("quay.io/strimzi/kafka:0.45.0-kafka-3.9.0", "strimzi"),
        ("soldevelo/kafka:3.9", "bitnami"),
        ("docker.redpanda.com/redpandadata/redpanda:v24.1.1", "redpanda"),
        ("lensesio/fast-data-dev:3.9.0", "fast-data-dev"),
        ("spotify/kafka", "spotify"),
        ("example/kafka", "unknown"),
        ("kafka", "unknown"),
    ],
)
def test_families(image: str, family: str) -> None:
    assert family_of(image) == family


INSIDE, OUTSIDE = "INTERNAL://kafka:29092", "EXTERNAL://localhost:9092"


@pytest.mark.parametrize(
    ("image", "command", "environment", "listens", "sends"),
    [
        # The listeners follow from the advertised ones.
        ("confluentinc/cp-kafka", (), {"KAFKA_ADVERTISED_LISTENERS": f"{INSIDE},{OUTSIDE}"}, "29092 9092",
         "kafka:29092 localhost:9092"),
        ("apache/kafka", (), {"KAFKA_ADVERTISED_LISTENERS": OUTSIDE}, "9092", "localhost:9092"),
        ("apache/kafka", (), {"KAFKA_LISTENERS": "A://:19092,CONTROLLER://:9093"}, "19092 9093", ""),
        ("apache/kafka", (), {}, "9092", "localhost:9092"),
        ("bitnami/kafka", (), {"KAFKA_CFG_LISTENERS": "A://:9094"}, "9094", ""),
        ("bitnami/kafka", (), {"KAFKA_CFG_ADVERTISED_LISTENERS": "P://localhost:9092"}, "9092", "localhost:9092"),
        ("bitnami/kafka", (), {"KAFKA_CFG_ZOOKEEPER_CONNECT": "zookeeper:2181"}, "9092", ""),
        ("wurstmeister/kafka", (), {"KAFKA_ADVERTISED_HOST_NAME": "kafka"}, "9092", "kafka:9092"),
        ("landoop/fast-data-dev", (), {"ADV_HOST": "127.0.0.1"}, "9092", "127.0.0.1:9092"),
        ("lensesio/fast-data-dev", (), {"BROKER_PORT": "9192"}, "9192", ""),
        ("spotify/kafka", (), {"ADVERTISED_HOST": "kafka", "ADVERTISED_PORT": "9093"}, "9093", "kafka:9093"),
        ("wurstmeister/kafka", (), {"KAFKA_ADVERTISED_HOST_NAME": "h", "KAFKA_PORT": "19092"}, "19092", "h:19092"),
        ("debezium/kafka", (), {"KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181"}, "9092", ""),
        ("debezium/kafka", (), {"ADVERTISED_HOST_NAME": "h", "ADVERTISED_PORT": "9094"}, "9092", "h:9094"),
        # Kafka's own script reads no variables, but what its words say.
        ("strimzi/kafka", ("sh", "-c", f"bin/kafka-server-start.sh x --override listeners=A://:9094 {OUTSIDE}"), {},
         "9094", ""),
        ("strimzi/kafka", ("sh", "-c", "bin/kafka-server-start.sh x --override advertised.listeners=${WHERE}"),
         {"WHERE": OUTSIDE, "KAFKA_LISTENERS": "A://:1"}, "", "localhost:9092"),
        ("strimzi/kafka", ("bin/kafka-server-start.sh", "x", "--override", f"advertised.listeners={OUTSIDE}"), {}, "",
         "localhost:9092"),
        ("strimzi/kafka", ("sh", "-c", "bin/kafka-server-start.sh config/mine.properties"), {}, "", ""),
        ("strimzi/kafka", ("bin/kafka-server-start.sh", "x", "--override", "listeners=${UNKNOWN}"), {}, "", ""),
        ("redpandadata/redpanda",
         ("redpanda", "start", "--kafka-addr", "internal://0.0.0.0:9092,external://0.0.0.0:19092",
          "--advertise-kafka-addr=internal://redpanda:9092,external://localhost:19092"), {},
         "9092 19092", "redpanda:9092 localhost:19092"),
        ("redpandadata/redpanda", ("redpanda", "start"), {}, "", ""),
        ("example/kafka", (), {"BROKER_ID": "1"}, "", ""),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_listeners(image: str, command: tuple[str, ...], environment: dict[str, str], listens: str, sends: str) -> None:
    found = broker(image, *command, **environment)
    assert " ".join(str(one.port) for one in bound(found)) == listens
    assert " ".join(one.address for one in advertised(found)) == sends


def test_who_is_a_client_of_no_listener() -> None:
    found = broker(
        "apache/kafka",
        KAFKA_PROCESS_ROLES="broker,controller",
        KAFKA_INTER_BROKER_LISTENER_NAME="INTERNAL",
        KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
    )
    assert among_brokers(found) == {"CONTROLLER", "INTERNAL"}
    assert not listens_by_rule(broker("example/kafka", KAFKA_ADVERTISED_LISTENERS=OUTSIDE))
    assert listens_by_rule(broker("example/kafka", KAFKA_LISTENERS="A://:1"))


@pytest.mark.parametrize(
    ("service", "image", "environment", "role"),
    [
        ("kafka", "example/own", {}, "broker"),
        ("kafka-consumer", "node:20", {}, "other"),
        ("kafka-streams-app", "example/app", {"KAFKA_BROKERS": "kafka:9092"}, "other"),
        ("events", "confluentinc/cp-kafka", {"KAFKA_ADVERTISED_LISTENERS": OUTSIDE}, "broker"),
        ("kafka-producer", "python:3", {}, "other"),
        ("k1", "wurstmeister/kafka", {"KAFKA_ADVERTISED_HOST_NAME": "k1"}, "broker"),
        ("kafka-ui", "provectuslabs/kafka-ui", {}, "ui"),
    ],
)
def test_roles(service: str, image: str, environment: dict[str, str], role: str) -> None:
    assert role_of(service, image, f"project-{service}-1", environment) == role


BROKER = replace(
    broker("confluentinc/cp-kafka", KAFKA_ADVERTISED_LISTENERS=f"{INSIDE},{OUTSIDE}"),
    ports=(Port(9092, "tcp", "127.0.0.1", 9092),),
)


@pytest.mark.parametrize(
    ("environment", "command", "address"),
    [
        ({"SPRING_KAFKA_BOOTSTRAP_SERVERS": "localhost:9092"}, (), "localhost:9092"),
        ({"KAFKA_URL": "localhost:9092"}, (), "localhost:9092"),
        ({"KAFKA_HOST": "localhost", "KAFKA_PORT": "9092"}, (), "localhost:9092"),
        ({"ADDR": "PLAINTEXT://127.0.0.1:9092"}, (), "127.0.0.1:9092"),
        ({"SPRING_APPLICATION_JSON": '{"spring":{"kafka":{"bootstrap-servers":"kafka:9092"}}}'}, (), "kafka:9092"),
        (
            {"AKHQ_CONFIGURATION": "akhq:\n  a:\n    bootstrap.servers: kafka:9092"},
            (),
            "kafka:9092",
        ),
        ({}, ("run", "--broker-list", "localhost:9092"), "localhost:9092"),
        ({}, ("run", "--bootstrap-server=localhost:9092"), "localhost:9092"),
        ({}, ("java", "-Dspring.kafka.bootstrap-servers=localhost:9092"), "localhost:9092"),
        ({"KAFKA_BROKER": "kafk:29092"}, (), "kafk:29092"),
        ({"KAFKA_BROKERCONNECT": "host.docker.internal:9092"}, (), "host.docker.internal:9092"),
        ({"DATABASE_URL": "postgres://user:secret@localhost:5432/x", "REDIS": "localhost:6379"}, (), ""),
        ({"KAFKA_REST_URL": "http://localhost:8082", "SCHEMA_REGISTRY_URL": "http://localhost:8081"}, (), ""),
        ({"HEALTH": "http://localhost:9092/health"}, (), ""),
        ({"BROKER": "kafka.example:9092"}, (), ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_client_is_found_by_value(environment: dict[str, str], command: tuple[str, ...], address: str) -> None:
    app = container("app", "other", image="example/app", environment=environment, command=command)
    found = sought_by(app, [BROKER])
    assert [one.address for one in found] == ([address] if address else [])
    assert "secret" not in str(found)
    if address:
        stack = StackFacts("x", ("docker", "compose"), (BROKER, app), sought={app.name: found})
        facts = replace(sound(), engine=EngineFacts("unix:///x", ""), stack=stack, brokers=(), missing={})
        (told,) = diagnose(facts, codes(), CHECKS, wanted=["KD310"]).findings("error")
        assert address in told.headline


def test_an_application_that_fails_for_its_address_is_told_by_it() -> None:
    app = container("app", "other", "restarting", restarts=5, exit_code=1, environment={"KAFKA_URL": "localhost:9092"})
    stack = StackFacts("x", ("docker", "compose"), (BROKER, app))
    facts = replace(sound(), engine=EngineFacts("unix:///x", ""), stack=stack, brokers=(), missing={})
    found = diagnose(facts, codes(), CHECKS, wanted=["KD101", "KD105", "KD310"])
    assert [told.code for told in found.findings("error", "warning")] == ["KD310"]


APP = {"KAFKA_BROKERS": "kafka:29092"}
HEALTHY = {
    "cp: only advertised": broker("confluentinc/cp-kafka", KAFKA_ADVERTISED_LISTENERS=f"{INSIDE},{OUTSIDE}"),
    "debezium: neither": broker("debezium/kafka", KAFKA_ZOOKEEPER_CONNECT="zookeeper:2181"),
    "unknown image": broker("example/kafka", KAFKA_ADVERTISED_LISTENERS=OUTSIDE),
    "redpanda": broker("redpandadata/redpanda", "redpanda", "start", "--kafka-addr", "i://0.0.0.0:29092"),
    "controller also advertised": broker(
        "apache/kafka",
        KAFKA_PROCESS_ROLES="broker,controller",
        KAFKA_LISTENERS="PLAINTEXT://:29092,CONTROLLER://:29093,HOST://:9092",
        KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://kafka:29092,CONTROLLER://localhost:29093,{OUTSIDE}",
        KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
    ),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_stack_has_no_error(name: str) -> None:
    there = replace(HEALTHY[name], ports=(Port(9092, "tcp", "127.0.0.1", 9092),))
    app = container("app", "other", image="example/app", environment=APP)
    if name.startswith("debezium"):
        app = replace(app, environment={"BOOTSTRAP_SERVERS": "kafka:9092"})
    stack = StackFacts("x", ("docker", "compose"), (there, app))
    facts = replace(sound(), engine=EngineFacts("unix:///x", ""), stack=stack, brokers=(), missing={})
    found = diagnose(facts, codes(), CHECKS, wanted=["KD308", "KD309", "KD310"])
    assert [told.headline for told in found.findings("error", "warning")] == []


def found_of(code: str, *containers: Container, **signs: Sign) -> Told:
    """The one finding of a check where these containers' logs show these signs."""
    told = {f"payment-{name.replace('_', '-')}": (sign,) for name, sign in signs.items()}
    stack = StackFacts("payment", ("docker", "compose"), containers, signs=told)
    facts = replace(sound(), engine=EngineFacts("unix:///x", ""), stack=stack, brokers=(), missing={})
    (found,) = diagnose(facts, codes(), CHECKS, wanted=[code]).findings("error", "warning")
    return found


def ended(image: str, **environment: str) -> Container:
    return replace(broker(image, **environment), status="exited", exit_code=1)


@pytest.mark.parametrize(
    ("image", "user", "number"),
    [
        ("confluentinc/cp-kafka", "appuser", "1000"),
        ("bitnami/kafka", "1001", "1001"),
        ("bitnami/kafka", "kafka", "1001"),
        ("redpandadata/redpanda", "redpanda", "101"),
        ("example/kafka", "2000:0", "2000"),
        ("example/kafka", "somebody", ""),
    ],
)
def test_chown_names_the_number_of_the_images_user(image: str, user: str, number: str) -> None:
    mounts = (Mount("bind", "/srv/kafka", "/var/lib/kafka/data"),)
    (line,) = signs([LogLine(0, "kafka", "mkdir: cannot create directory ‘/var/lib/kafka/data/x’: Permission denied")])
    told = found_of("KD204", replace(ended(image), user=user, mounts=mounts), kafka=line)
    words = str(told.heal)
    assert (f"'{number}:{number}'" in words) if number else ("'id'" in words and "chown" not in words)


def test_a_nodes_id_is_changed_among_the_voters_too() -> None:
    line = Sign("node-id", "x", 0, {"stored": "1", "wanted": "2"})
    voters = {"KAFKA_CFG_PROCESS_ROLES": "broker,controller", "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS": "2@kafka:9093"}
    told = found_of("KD206", ended("bitnami/kafka", **voters), kafka=line)
    assert "KAFKA_CFG_NODE_ID: 1 and KAFKA_CFG_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093" in told.heal[0].text
    voters["KAFKA_CFG_CONTROLLER_QUORUM_VOTERS"] = "9@controller:9093"
    assert "VOTERS" not in str(found_of("KD206", ended("bitnami/kafka", **voters), kafka=line).heal[0])


@pytest.mark.parametrize(
    ("image", "program"),
    [
        ("confluentinc/cp-kafka", "kafka-topics"),
        ("apache/kafka", "/opt/kafka/bin/kafka-topics.sh"),
        ("bitnami/kafka", "/opt/bitnami/kafka/bin/kafka-topics.sh"),
        ("wurstmeister/kafka", "/opt/kafka/bin/kafka-topics.sh"),
        ("redpandadata/redpanda", ""),
        ("apache/kafka-native", ""),
    ],
)
def test_where_kafkas_programs_are(image: str, program: str) -> None:
    assert program_of(broker(image), "kafka-topics") == program


def test_a_listener_without_a_protocol_is_found_where_the_log_is_silent() -> None:
    given = {"KAFKA_CFG_LISTENERS": "INSIDE://:9092", "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP": "OUTSIDE:PLAINTEXT"}
    silent = ended("bitnami/kafka", **given)
    stack = StackFacts("x", ("docker", "compose"), (silent,))
    facts = replace(sound(), engine=EngineFacts("unix:///x", ""), stack=stack, brokers=(), missing={})
    found = diagnose(facts, codes(), CHECKS, wanted=["KD101", "KD311"])
    assert [told.headline for told in found.findings("error")] == [
        "payment-kafka cannot start: No security protocol defined for listener INSIDE."
    ]
    mapped = {**given, "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP": "INSIDE:PLAINTEXT"}
    assert unmapped_listener(ended("bitnami/kafka", **mapped)) == ""
    kraft = {"KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093", "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER"}
    assert unmapped_listener(ended("apache/kafka", **kraft)) == ""


def test_a_registration_that_is_there_is_anothers_or_its_own() -> None:
    line = Sign("ephemeral", "x", 0, {"path": "/brokers/ids/1"})
    given = {"KAFKA_BROKER_ID": "1", "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181"}
    one = ended("confluentinc/cp-kafka", **given)
    assert "sleep 18" in found_of("KD402", one, kafka=line).heal[0].text
    slow = ended("confluentinc/cp-kafka", **given, KAFKA_ZOOKEEPER_SESSION_TIMEOUT_MS="30000")
    assert "sleep 30" in found_of("KD402", slow, kafka=line).heal[0].text
    two = container("kafka-2", "broker", image="confluentinc/cp-kafka", environment=given)
    told = found_of("KD402", one, two, kafka=line)
    assert "payment-kafka-2 is running as broker 1, too" in told.headline
    assert told.heal[0].text == "in the compose file, under kafka, set KAFKA_BROKER_ID: 2, then"


def test_remedies_are_podmans_where_that_is_the_engine() -> None:
    stopped = container("kafka", "broker", "exited", exit_code=1)
    for address, program in (("unix:///run/podman/podman.sock", "podman"), ("unix:///var/run/docker.sock", "docker")):
        facts = replace(
            sound(),
            engine=EngineFacts(address, ""),
            stack=StackFacts("x", ("docker", "compose"), (stopped,)),
            brokers=(),
            missing={},
        )
        (told,) = diagnose(facts, codes(), CHECKS, wanted=["KD101"]).findings("error")
        assert f"{program} start payment-kafka" in [remedy.text for remedy in told.heal]


def test_a_container_that_was_started_by_hand_gets_no_compose_command() -> None:
    alone = replace(broker("bitnami/kafka", KAFKA_NUM_PARTITIONS="3"), project=None)
    stack = StackFacts(None, (), (alone,))
    facts = replace(sound(), engine=EngineFacts("unix:///x", ""), stack=stack, brokers=(), missing={})
    (told,) = diagnose(facts, codes(), CHECKS, wanted=["KD113"]).findings("warning")
    (advice,) = told.heal
    assert "was started by hand" in advice.text
    assert "KAFKA_CFG_NUM_PARTITIONS instead of KAFKA_NUM_PARTITIONS" in advice.text


def test_the_start_of_kafkas_own_scripts_tells_the_role() -> None:
    started = ("sh", "-c", "bin/zookeeper-server-start.sh config/zookeeper.properties")
    assert role_of("zoo", "quay.io/strimzi/kafka:0.38.0-kafka-3.6.0", "x", {}, started) == "zookeeper"
    started = ("sh", "-c", "bin/kafka-server-start.sh config/server.properties")
    assert role_of("bus", "example/own", "x", {}, started) == "broker"


def test_apaches_words_for_what_is_missing() -> None:
    (sign,) = signs([LogLine(0, "kafka", "CLUSTER_ID environment variable not set")])
    assert (sign.kind, sign.found["name"]) == ("required", "CLUSTER_ID")
    words = "KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller"
    (sign,) = signs([LogLine(0, "kafka", f"{words}.")])
    assert (sign.kind, sign.found["why"]) == ("required", words)
    (sign,) = signs([LogLine(0, "kafka", "mkdir: can't create directory '/kafka/data/1': Permission denied")])
    assert (sign.kind, sign.found["path"]) == ("not-writable", "/kafka/data/1")
