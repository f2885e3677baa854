"""The listener that a broker lacks: what it is given, and where nothing is offered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.containers.broker_listeners import advertised, bound, listener_protocol, unmapped_listener
from kafkactl.containers.model import Container, Port
from kafkactl.doctor.checks.second_listener import MAP, second_listener
from kafkactl.doctor.facts import Facts, StackFacts
from kafkactl.doctor.listeners import SPARE_PORTS
from kafkactl.text.remedies import Remedy, ServiceChange
from tests.test_doctor import sound
from tests.test_doctor_stack import container

INNER = {"KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://kafka:9092"}
ZOOKEEPER = {**INNER, "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181"}
BITNAMI = {"KAFKA_CFG_LISTENERS": "PLAINTEXT://:9092", "KAFKA_CFG_ADVERTISED_LISTENERS": "PLAINTEXT://kafka:9092"}


def broker(image: str, *published: int, **environment: str) -> Container:
    ports = tuple(Port(port, "tcp", "127.0.0.1", port) for port in published)
    return replace(container("kafka", "broker", image=image, environment=environment), ports=ports)


def facts(*containers: Container) -> Facts:
    files = ("docker-compose.yml",)
    there = StackFacts("payment", ("docker", "compose"), containers, files=files, free_ports=SPARE_PORTS[:6])
    return replace(sound(), stack=there, missing={})


def change_of(remedies: list[Remedy]) -> ServiceChange:
    (found,) = [remedy for remedy in remedies if isinstance(remedy, ServiceChange)]
    return found


def test_a_listener_for_this_machine() -> None:
    one = broker("confluentinc/cp-kafka", 9092, **ZOOKEEPER)
    remedies = second_listener(facts(one), one, "localhost")
    change = change_of(remedies)
    assert dict(change.variables) == {
        "KAFKA_LISTENERS": "PLAINTEXT://0.0.0.0:9092,EXTERNAL://0.0.0.0:9094",
        "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://kafka:9092,EXTERNAL://localhost:9094",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,EXTERNAL:PLAINTEXT",
    }
    assert change.ports == ("127.0.0.1:9094:9094",)
    assert remedies[-1].text == "export KAFKA_BROKERS=localhost:9094"


def test_a_listener_for_containers() -> None:
    given = {**BITNAMI, "KAFKA_CFG_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:9092"}
    one = broker("bitnami/kafka", 9092, 9094, **given)
    change = change_of(second_listener(facts(one), one, "kafka"))
    assert dict(change.variables)["KAFKA_CFG_ADVERTISED_LISTENERS"] == (
        "PLAINTEXT://localhost:9092,INTERNAL://kafka:19092"
    )
    assert change.ports == ()


@pytest.mark.parametrize(
    ("image", "environment"),
    [
        ("example/own", INNER),  # nobody knows where it listens
        ("redpandadata/redpanda", {}),
        ("apache/kafka", {}),  # its own file is not read any more once a variable is set
        ("wurstmeister/kafka", {"KAFKA_ADVERTISED_HOST_NAME": "kafka"}),
        ("confluentinc/cp-kafka", {"KAFKA_ADVERTISED_LISTENERS": "SASL_PLAINTEXT://kafka:9092"}),
        ("confluentinc/cp-kafka", {"KAFKA_ADVERTISED_LISTENERS": "A://kafka:1", f"KAFKA_{MAP}": "A:SSL"}),
        ("confluentinc/cp-kafka", {**INNER, "KAFKA_PROCESS_ROLES": "broker,controller"}),
    ],
)  # fmt: skip
def test_nothing_is_offered_where_it_may_be_wrong(image: str, environment: dict[str, str]) -> None:
    one = broker(image, 9092, **environment)
    assert second_listener(facts(one), one, "localhost") == []


@given(
    st.lists(st.sampled_from([9092, 9094, 19092, 29092, 39092]), unique=True, min_size=1, max_size=3),
    st.sampled_from(["localhost", "kafka"]),
    st.sampled_from(["confluentinc/cp-kafka", "bitnami/kafka", "apache/kafka", "debezium/kafka"]),
)
def test_what_comes_out_is_a_broker_that_starts(ports: list[int], host: str, image: str) -> None:
    prefix = "KAFKA_CFG_" if image == "bitnami/kafka" else "KAFKA_"
    names = ["PLAINTEXT", "INTERNAL", "EXTERNAL"][: len(ports)]
    environment = {
        f"{prefix}LISTENERS": ",".join(f"{name}://:{port}" for name, port in zip(names, ports, strict=True)),
        f"{prefix}ADVERTISED_LISTENERS": ",".join(f"{n}://x:{port}" for n, port in zip(names, ports, strict=True)),
        f"{prefix}LISTENER_SECURITY_PROTOCOL_MAP": ",".join(f"{name}:PLAINTEXT" for name in names),
    }
    one = broker(image, *ports, **environment)
    change = change_of(second_listener(facts(one), one, host))
    after = replace(one, environment={**environment, **dict(change.variables)})
    assert unmapped_listener(after) == ""
    assert len(bound(after)) == len(advertised(after)) == len(ports) + 1
    assert len({listener.port for listener in bound(after)}) == len(ports) + 1
    assert advertised(after)[-1].host == host
    assert listener_protocol(after, advertised(after)[-1].name) == "PLAINTEXT"
    assert set(bound(one)) < set(bound(after))
    assert set(advertised(one)) < set(advertised(after))


def test_no_port_is_taken_from_others() -> None:
    one = broker("confluentinc/cp-kafka", 9092, **ZOOKEEPER)
    there = facts(one)
    assert there.stack
    busy = replace(there, stack=replace(there.stack, free_ports=(29092,)))
    assert change_of(second_listener(busy, one, "localhost")).ports == ("127.0.0.1:29092:29092",)
    full = replace(there, stack=replace(there.stack, free_ports=()))
    assert second_listener(full, one, "localhost") == []
