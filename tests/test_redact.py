"""What leaves with facts and bundles holds no secret."""

import pytest

from kafkactl.doctor import redact


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("DB_PASSWORD=hunter2 HOST=db", "DB_PASSWORD=[hidden] HOST=db"),
        ("  POSTGRES_PASSWORD: hunter2\n  PORT: 1", "  POSTGRES_PASSWORD: [hidden]\n  PORT: 1"),
        ('"apiKey": "hunter2", "id": 7', '"apiKey": [hidden], "id": 7'),
        ("ssl.keystore.password = 'hun ter2'", "ssl.keystore.password = [hidden]"),
        ("amqp://bob:hunter2@mq:5672/x", "amqp://[hidden]@mq:5672/x"),
        (
            'sasl.jaas.config=org.x.PlainLoginModule required username="a" password="hunter2";',
            "sasl.jaas.config=[hidden]",
        ),
        ("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\nok", "[hidden]\nok"),
        ("nothing to hide: kafka:9092", "nothing to hide: kafka:9092"),
    ],
)
def test_texts(words: str, kept: str) -> None:
    shown = redact.redacted(words)
    assert "hunter2" not in shown
    assert "ter2" not in shown
    assert shown.startswith(kept) if "jaas" in words else shown == kept


def test_only_the_variables_that_checks_look_at() -> None:
    kept = redact.redacted_environment(
        {
            "KAFKA_ADVERTISED_LISTENERS": "A://kafka:9092",
            "KAFKA_HEAP_OPTS": "-Xms1g -Xmx2g -Djavax.net.ssl.keyStorePassword=hunter2",
            "KAFKA_BROKERS": "kafka:9092",
            "SPRING_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
            "KAFKA_BROKERS_PASSWORD": "hunter2",
            "DB_PASSWORD": "hunter2",
            "GREETING": "hello",
            "KAFKA_LISTENER_NAME_X_PLAIN_SASL_JAAS_CONFIG": "hunter2",
        }
    )
    assert kept == {
        "KAFKA_ADVERTISED_LISTENERS": "A://kafka:9092",
        "KAFKA_HEAP_OPTS": "-Xms1g -Xmx2g",
        "KAFKA_BROKERS": "kafka:9092",
        "SPRING_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    }
