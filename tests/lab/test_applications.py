"""KD315–KD317, and KD310 by an application's own log. The Java client is real: it comes with the broker's image."""

from typing import Any

import pytest

from tests.lab.examination import Doctor, Examination, after
from tests.lab.stacks import LabStack, tiny


@pytest.fixture
def stack(kraft_stack: LabStack) -> LabStack:
    """One KRaft broker."""
    return kraft_stack


def create_orders(stack: LabStack) -> None:
    words = ["kafka-topics", "--bootstrap-server", "kafka:9092", "--create", "--topic", "orders"]
    assert stack.engine.client.containers.get(stack.name()).exec_run(words).exit_code == 0


def until_found(doctor: Doctor) -> Examination:
    """The first examination that finds something: the application needs some seconds to say it."""
    for _ in range(20):
        seen = doctor()
        if seen.cause:
            return seen
    return seen


def producing(
    stack: LabStack, topic: str, *, brokers: str = "kafka:9092", record: str = "echo x", more: str = ""
) -> Any:
    """A service that writes a record a second with Kafka's own producer, and says nothing of its configuration."""
    loop = f"while true; do {record}; sleep 1; done"
    script = f"sleep 4; ({loop}) | kafka-console-producer --bootstrap-server {brokers} --topic {topic} {more}"
    app = tiny(stack.engine, stack.project, "app")
    return {**app, "image": stack.kafka["image"], "command": ["sh", "-c", script.replace("$", "$$")]}


@pytest.mark.quick
@pytest.mark.provokes("KD315", "Kafka's own producer, and a misspelt topic", healed="by the right name")
def test_a_misspelt_topic(doctor: Doctor, stack: LabStack) -> None:
    stack.services["app"] = producing(stack, "ordres")
    stack.up()
    stack.until("kafka", "healthy")
    create_orders(stack)
    seen = until_found(doctor)
    seen.names("KD315")
    assert seen.headline == f"{stack.name('app')} uses ordres, which does not exist."
    assert "orders exists" in seen.remedies("KD315")[0]
    stack.services["app"] = producing(stack, "orders")
    stack.up()
    doctor("--wait", "20s").content()


@pytest.mark.provokes("KD310", "Kafka's own producer, told localhost by a file", healed="by the remedy")
def test_an_address_that_only_the_log_knows(doctor: Doctor, stack: LabStack) -> None:
    stack.services["app"] = producing(stack, "orders", brokers="$(echo localhost):9092")
    stack.up()
    stack.until("kafka", "healthy")
    seen = until_found(doctor)
    seen.names("KD310")
    assert "localhost:9092" in seen.headline
    assert "set kafka:9092 there" in seen.remedies("KD310")[0]
    stack.services["app"] = tiny(stack.engine, stack.project, "app")
    stack.write()
    after(seen.command("KD310"), "--wait", "20s").content()


@pytest.mark.provokes("KD316", "Kafka's own producer, and records of 2 MB", healed="by a smaller record")
def test_a_record_too_large(doctor: Doctor, stack: LabStack) -> None:
    large = "head -c 2000000 /dev/zero | tr '\\0' x; echo"
    stack.services["app"] = producing(stack, "orders", record=large)
    stack.up()
    stack.until("kafka", "healthy")
    create_orders(stack)
    seen = until_found(doctor)
    seen.names("KD316")
    assert "max.request.size" in seen.headline
    stack.services["app"] = producing(stack, "orders")
    stack.up()
    doctor("--wait", "20s").content()


@pytest.mark.provokes("KD317", "a plain client at a listener with SASL", healed="by the listener without it")
def test_a_plain_client_at_a_secured_listener(doctor: Doctor, stack: LabStack) -> None:
    environment = stack.kafka["environment"]
    environment["KAFKA_LISTENERS"] += ",SECURED://0.0.0.0:9094"
    environment["KAFKA_ADVERTISED_LISTENERS"] += ",SECURED://kafka:9094"
    environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] += ",SECURED:SASL_PLAINTEXT"
    environment["KAFKA_SASL_ENABLED_MECHANISMS"] = "PLAIN"
    environment["KAFKA_LISTENER_NAME_SECURED_PLAIN_SASL_JAAS_CONFIG"] = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice='secret-a';"
    )
    more = "--producer-property security.protocol=SASL_PLAINTEXT --producer-property sasl.mechanism=PLAIN"
    jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required username=alice password=wrong-b;"
    more += f" --producer-property 'sasl.jaas.config={jaas}'"
    stack.services["app"] = producing(stack, "orders", brokers="kafka:9094", more=more)
    stack.up()
    stack.until("kafka", "healthy")
    seen = until_found(doctor)
    seen.names("KD317")
    assert "kafka:9094: the listener SECURED there is SASL_PLAINTEXT" in seen.headline
    assert "wrong-b" not in str(seen.document)
    create_orders(stack)
    stack.services["app"] = producing(stack, "orders")
    stack.up()
    doctor("--wait", "30s").content()
