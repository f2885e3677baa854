"""Choosing the stack, and what a container is in it: pure, on made-up names."""

from pathlib import Path

import pytest

from kafkactl.containers.model import nanoseconds, role_of
from kafkactl.containers.stack import Listed, choose
from kafkactl.errors import UsageError


@pytest.mark.parametrize(
    ("service", "image", "role"),
    [
        ("kafka", "confluentinc/cp-kafka:7.9.2", "broker"),
        ("kafka-1", "apache/kafka:4.1.1", "broker"),
        ("broker", "bitnami/kafka", "broker"),
        ("broker", "localhost:5000/team/kafka@sha256:00", "broker"),
        ("redpanda-0", "redpandadata/redpanda:v26", "broker"),
        ("zookeeper", "confluentinc/cp-zookeeper:7.9.2", "zookeeper"),
        ("kafka-ui", "ghcr.io/kafbat/kafka-ui:v1.5.0", "ui"),
        ("kafka-exporter", "danielqsj/kafka-exporter:v1.9.0", "exporter"),
        ("metrics", "danielqsj/kafka-exporter:v1.9.0", "exporter"),
        ("init-topics", "confluentinc/cp-kafka:7.9.2", "other"),
        ("kafka-setup", "confluentinc/cp-kafka:7.9.2", "other"),
        ("connect", "confluentinc/cp-kafka-connect:7.9.2", "other"),
        ("payment-gateway", "payment/gateway:1", "other"),
        ("init-topics", "kafkactl", "other"),
    ],
)
def test_roles_by_name(service: str, image: str, role: str) -> None:
    assert role_of(service, image, f"payment-{service}-1") == role


@pytest.mark.parametrize(
    ("environment", "role"),
    [
        ({"KAFKA_ADVERTISED_LISTENERS": "A://a:1"}, "broker"),
        ({"KAFKA_CFG_PROCESS_ROLES": "broker,controller"}, "broker"),
        ({"KAFKA_PROCESS_ROLES": "controller"}, "controller"),
        ({"ZOOKEEPER_CLIENT_PORT": "2181"}, "zookeeper"),
        ({"KAFKA_CLUSTERS_0_NAME": "payment"}, "ui"),
        ({"KAFKA_ADVERTISED_LISTENERS": ""}, "other"),
        ({"KAFKA_BROKERS": "kafka:9092"}, "other"),
    ],
)
def test_variables_say_more_than_names(environment: dict[str, str], role: str) -> None:
    assert role_of("thing", "team/thing:1", "thing", environment) == role


def test_the_exporter_by_its_command() -> None:
    assert (
        role_of("metrics", "team/thing", "metrics", {}, ("kafka_exporter", "--kafka.server=kafka:9092")) == "exporter"
    )


def test_a_project_without_a_kafka_is_no_stack_and_names_are_the_last_resort() -> None:
    web = Listed("1", "web", "other")
    alone = Listed("2", None, "broker")
    stranger = Listed("3", None, "other")
    assert choose([web, alone, stranger], None, None) == ["2"]
    assert choose([web, stranger], None, None) == []
    assert choose([web, alone, Listed("4", "pay", "broker"), Listed("5", "pay", "other")], None, None) == ["4", "5"]


def test_where_one_stands_decides_then_what_runs() -> None:
    here = Listed("1", "here", "broker", "/src/here", running=False)
    there = Listed("2", "there", "broker", "/src/there")
    other = Listed("3", "other", "broker", "/src/other")
    assert choose([here, there, other], None, Path("/src/here/below")) == ["1"]
    assert choose([here, there], None, Path("/elsewhere")) == ["2"]
    assert choose([here, there, other], "other", Path("/src/here")) == ["3"]
    with pytest.raises(UsageError, match="2 compose projects run Kafka: other, there"):
        choose([here, there, other], None, Path("/elsewhere"))


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-11-23T07:22:54.200746452Z", 1795418574200746452),
        ("2026-11-23T07:22:54Z", 1795418574000000000),
        ("2026-11-23T15:22:54.2+08:00", 1795418574200000000),
        ("2026-11-23T02:22:54.200-05:00", 1795418574200000000),
        ("2026-11-23T07:22:54.2", None),
        ("INFO", None),
        ("", None),
    ],
)
def test_times_of_log_lines(stamp: str, expected: int | None) -> None:
    assert nanoseconds(stamp) == expected
