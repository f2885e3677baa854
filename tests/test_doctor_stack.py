"""What the doctor makes of logs, listeners and containers: pure, on made-up facts. The real ones are in tests/lab."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kafkactl.containers.broker_listeners import Listener, parse_listeners
from kafkactl.containers.model import Container, Death, Health, LogLine, Port, Role
from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.checks.troubles import troubles
from kafkactl.doctor.codes import codes
from kafkactl.doctor.collect_stack import told_since
from kafkactl.doctor.diagnosis import diagnose
from kafkactl.doctor.facts import Dial, Facts, StackFacts
from kafkactl.doctor.listeners import advertised_for, for_host
from kafkactl.doctor.signs import Kind, first, signs
from tests.test_doctor import sound

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LISTENERS = {
    "KAFKA_LISTENERS": "INTERNAL://0.0.0.0:9092,EXTERNAL://0.0.0.0:9093",
    "KAFKA_ADVERTISED_LISTENERS": "INTERNAL://kafka:9092,EXTERNAL://localhost:40093",
}


def container(name: str, role: Role, status: str = "running", **changes: object) -> Container:
    made = Container(
        id=name, name=f"payment-{name}", service=name, project="payment", role=role, image="x", status=status,
        exit_code=0, error="", oom_killed=False, restarts=0, restart_policy="unless-stopped", created=NOW,
        started=NOW - timedelta(hours=1), finished=None, health=None, ports=(), mounts=(), networks=("payment",),
        memory_limit=None, command=(), healthcheck=(), image_id="i",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def health(status: str, streak: int = 0, output: str = "") -> Health:
    return Health(status, streak, 1, output)


def facts(*containers: Container, **changes: object) -> Facts:
    there = StackFacts("payment", "docker compose -p payment", containers, **changes)  # type: ignore[arg-type]
    return replace(sound(), taken=int(NOW.timestamp() * 1000), stack=there)


def told(seen: Facts) -> list[tuple[str, str]]:
    return [(trouble.container.service, trouble.code) for trouble in troubles(seen)]


# Signs


@pytest.mark.parametrize(
    ("line", "kind", "found"),
    [
        (
            "The Cluster ID abc doesn't match stored clusterId Some(def) in meta.properties.",
            "cluster-id",
            {"wanted": "abc", "stored": "def"},
        ),
        (
            "Invalid cluster.id in: /d/meta.properties. Expected abc, but read def",
            "cluster-id",
            {"wanted": "abc", "stored": "def"},
        ),
        (
            "Configured broker.id 2 doesn't match stored broker.id Some(1) in meta.properties.",
            "node-id",
            {"wanted": "2", "stored": "1"},
        ),
        ("No `meta.properties` found in /d (have you run `kafka-storage.sh`?)", "unformatted", {}),
        ("===> Check if /var/lib/kafka/data is writable ...\n", None, {}),
        ('Command [/usr/local/bin/dub path /var/lib/kafka/data writable] FAILED !', "not-writable",
         {"path": "/var/lib/kafka/data"}),
        ("java.io.IOException: No space left on device", "disk-full", {}),
        ("Shutdown broker because all log dirs in /d have failed", "log-dir-failed", {"path": "/d"}),
        ("Unable to register broker 2 because the controller returned error DUPLICATE_BROKER_REGISTRATION",
         "registration", {"id": "2", "why": "DUPLICATE_BROKER_REGISTRATION"}),
        ("INFO [KafkaServer id=1] started", None, {}),
    ],
)  # fmt: skip
def test_lines_that_tell(line: str, kind: Kind | None, found: dict[str, str]) -> None:
    seen = signs([LogLine(1, "kafka", line)])
    assert [sign.kind for sign in seen] == ([kind] if kind else [])
    assert [sign.found for sign in seen] == ([found] if kind else [])


def test_a_fatal_line_brings_its_exception_and_no_secret() -> None:
    lines = [
        "ERROR Exiting Kafka due to fatal exception (kafka.Kafka$)",
        "org.apache.kafka.common.config.ConfigException: Invalid value x for ssl.key.password=hunter2",
        "\tat kafka.Kafka$.main(Kafka.scala)",
    ]
    (sign,) = signs([LogLine(at, "kafka", text) for at, text in enumerate(lines)])
    assert sign.found["cause"].startswith("org.apache.kafka.common.config.ConfigException: Invalid value x")
    assert "hunter2" not in sign.text


def test_what_says_most_comes_first() -> None:
    lines = ["Fatal error during KafkaServer startup", "NodeExists", "java.io.IOException: No space left on device"]
    seen = signs([LogLine(at, "kafka", text) for at, text in enumerate(lines)])
    assert [sign.kind for sign in seen] == ["disk-full", "fatal"]
    assert first(seen, "listener", "fatal") == seen[1]
    assert first(seen, "listener") is None


def test_of_many_alike_the_last_are_kept() -> None:
    seen = signs([LogLine(at, "kafka", f"Unable to resolve address: zk{at}/<unresolved>:2181") for at in range(50)])
    assert [sign.time for sign in seen] == [47, 48, 49]


# Listeners


def test_listeners_are_read_and_what_is_none_is_left_out() -> None:
    assert parse_listeners("A://kafka:9092, B://[::1]:9093,nonsense,C://:9094,D://x:y") == (
        Listener("A", "kafka", 9092),
        Listener("B", "::1", 9093),
        Listener("C", "", 9094),
    )


def test_which_listener_is_whose() -> None:
    ports = (Port(9092, "tcp", "127.0.0.1", 40092), Port(9093, "tcp", "127.0.0.1", 40093), Port(9999, "tcp"))
    kafka = container("kafka", "broker", environment=LISTENERS, ports=ports)
    assert advertised_for(kafka, 40092) == Listener("INTERNAL", "kafka", 9092)
    assert advertised_for(kafka, 40099) is None
    assert for_host(kafka) == Listener("EXTERNAL", "localhost", 40093)


# Containers


def test_what_is_well_is_in_no_trouble() -> None:
    well = (
        container("zookeeper", "zookeeper", health=health("healthy")),
        container("kafka", "broker", health=health("healthy")),
        container("init-topics", "other", "exited", restart_policy="no"),
        container("kafka-ui", "ui", health=health("starting")),
    )
    assert told(facts(*well)) == []


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (container("kafka", "broker", "exited", exit_code=143), "KD101"),
        (container("kafka", "broker", "paused"), "KD101"),
        (container("kafka", "broker", "created"), "KD101"),
        (
            container("kafka", "broker", "created", error="Bind for 127.0.0.1:1 failed: port is already allocated"),
            "KD102",
        ),
        (container("kafka", "broker", "exited", exit_code=137, oom_killed=True), "KD103"),
        (container("kafka", "broker", "exited", exit_code=137), "KD104"),
        (container("kafka", "broker", "restarting", exit_code=1, restarts=3), "KD105"),
        (container("kafka", "broker", health=health("unhealthy", 3)), "KD106"),
        (container("kafka", "broker", health=health("unhealthy", 3, "sh: nc: not found")), "KD107"),
        (container("kafka", "broker", health=health("starting")), "KD112"),
        (container("init-topics", "other", "exited", exit_code=2, restart_policy="no"), "KD101"),
    ],
)
def test_one_container_is_told_by_one_code(one: Container, code: str) -> None:
    assert told(facts(one)) == [(one.service, code)]


def test_a_port_is_taken_also_where_the_engine_keeps_no_word_of_it() -> None:
    waits = container("kafka", "broker", "created", ports=(Port(9093, "tcp", "127.0.0.1", 40093),))
    assert told(facts(waits)) == [("kafka", "KD101")]
    assert told(facts(waits, holders={"40093": "container taker"})) == [("kafka", "KD102")]


def test_a_broker_that_answers_has_a_check_that_lies_only_if_it_ran_again() -> None:
    dials = {"payment-kafka": (Dial("127.0.0.1", 1, "kafka"),)}
    assert told(facts(container("kafka", "broker", health=health("unhealthy", 3)), dials=dials)) == [("kafka", "KD107")]
    assert told(facts(container("kafka", "broker", health=health("unhealthy", 0)), dials=dials)) == []


def test_a_loop_is_seen_while_it_runs_for_a_moment_and_for_want_of_what() -> None:
    moment = container("kafka", "broker", restarts=2, started=NOW - timedelta(seconds=1), health=health("starting"))
    assert told(facts(moment)) == [("kafka", "KD105")]
    assert told(facts(moment, deaths={"payment-kafka": Death(137, True)})) == [("kafka", "KD103")]
    assert told(facts(moment, deaths={"payment-kafka": Death(137, False)})) == [("kafka", "KD104")]
    long_ago = replace(moment, started=NOW - timedelta(minutes=10), health=health("healthy"))
    assert told(facts(long_ago)) == []


def test_who_suffers_from_another_is_told_with_it() -> None:
    zookeeper = container("zookeeper", "zookeeper", "exited", exit_code=143)
    kafka = container("kafka", "broker", health=health("unhealthy", 3))
    topics = container("init-topics", "other", "created")
    seen = facts(zookeeper, kafka, topics)
    (only,) = troubles(seen)
    assert only.code == "KD101"
    assert [follower.service for follower in only.followers] == ["kafka", "init-topics"]
    found = diagnose(seen, codes(), CHECKS, wanted=["KD101", "KD106"])
    assert [finding.target for finding in found.findings("error", "warning")] == ["payment-zookeeper"]
    assert ("effect", "payment-kafka is unhealthy, payment-init-topics never started") in found.findings("error")[
        0
    ].evidence


def test_what_was_stopped_besides_is_told_besides() -> None:
    both = (
        container("zookeeper", "zookeeper", "exited", exit_code=143),
        container("kafka", "broker", "exited", exit_code=143),
    )
    assert told(facts(*both)) == [("zookeeper", "KD101"), ("kafka", "KD101")]


def test_a_majority_that_is_gone_takes_the_others_with_it() -> None:
    brokers = [container(f"kafka-{id}", "broker", "exited", exit_code=143) for id in (1, 2)]
    left = container("kafka-3", "broker", health=health("unhealthy", 3))
    assert told(facts(*brokers, left)) == [("kafka-1", "KD101"), ("kafka-2", "KD101")]


def test_without_a_stack_its_checks_are_skipped_with_the_reason() -> None:
    seen = replace(sound(), missing={**sound().missing, "stack": "there is no Docker engine at unix:///x"})
    found = diagnose(seen, codes(), CHECKS)
    skipped = {result.code: result.reason for result in found.states("skipped")}
    assert skipped["KD101"] == skipped["KD201"] == skipped["KD702"] == "there is no Docker engine at unix:///x"
    assert not found.findings("error", "warning")


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 61),  # what it said before the engine had noted its start
        ({"finished": NOW - timedelta(seconds=60.2)}, 60.2),  # and nothing of the run before
        ({"finished": NOW - timedelta(seconds=90)}, 61),
        ({"status": "exited", "finished": NOW - timedelta(seconds=59)}, 61),
        ({"status": "exited", "finished": NOW - timedelta(seconds=60.001)}, 61),  # seen with an engine that is busy
        ({"restarts": 3}, 180),
        ({"started": None}, None),
    ],
)
def test_the_log_of_a_start_begins_with_its_first_words(changes: dict[str, object], seconds: float | None) -> None:
    seen = container("kafka", "broker", **{"started": NOW - timedelta(seconds=60), **changes})  # type: ignore[arg-type]
    since = told_since(seen, NOW.timestamp())
    assert since == (None if seconds is None else pytest.approx(NOW.timestamp() - seconds))
