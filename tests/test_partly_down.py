"""One of three brokers is dead: on every kind of listener each command says what it says on PLAINTEXT."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, admin_client, commit, create
from tests.sandboxes import as_user, eventually

Kafkactl = Callable[..., Outcome]
COMMANDS = (
    "describe",
    "describe orders",
    "describe --unhealthy",
    "lag",
    "groups list",
    "groups describe readers",
    "tail orders -n 3 --no-follow",
    "export",
    "diff",
    "groups save readers",
)


def steady(text: str) -> str:
    """Without what differs from listener to listener, and from moment to moment."""
    text = re.sub(r"(127\.0\.0\.1|localhost):\d+", "ADDRESS", text)
    text = re.sub(r" --client-config \S+", "", text)
    text = re.sub(r"\b\d+(\.\d+)? ?(ms|s|m|GiB|KiB|B)\b", "N", text)
    text = re.sub(r'"(taken|timestamp)": .*', "", text)
    text = re.sub(r"\d\d\d\d-\d\d-\d\d.\d\d:\d\d:\d\d\S*", "TIME", text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


@pytest.fixture
def two_of_three(secured_three: RunningSandbox) -> RunningSandbox:
    """Three brokers with a replicated topic and a group; then the third one is killed, and known to be gone."""
    create(secured_three.internal, NewTopic("orders", 3, 3, config={"min.insync.replicas": "2"}))
    producer = Producer({"bootstrap.servers": secured_three.internal})
    for number in range(9):
        producer.produce("orders", str(number), partition=number % 3)
    producer.flush(10)
    admin = admin_client(secured_three.internal)
    commit(admin, "readers", "orders", 1, 3)
    Path("topics.yaml").write_text("topics: {orders: {partitions: 3, replication: 3}}")
    secured_three.kill(3)

    def settled() -> bool:
        try:
            described = admin.list_topics(timeout=10)
        except KafkaException:  # it was asking the one that is gone
            return False
        topics = [described.topics[name] for name in ("orders", "__consumer_offsets")]
        partitions = [partition for topic in topics for partition in topic.partitions.values()]
        return len(described.brokers) == 2 and all(p.leader in (1, 2) and 3 not in p.isrs for p in partitions)

    assert eventually(settled, 60)
    return secured_three


def test_a_dead_broker_is_told_alike(two_of_three: RunningSandbox, kafkactl: Kafkactl) -> None:
    kinds = ("tls", "mtls", "scram", "plain", "oauth")
    for command in COMMANDS:
        plain = kafkactl(*command.split(), *as_user(two_of_three, "admin", "plaintext"))
        assert plain.code in (0, 1), (command, plain.text)
        for kind in kinds:
            secured = kafkactl(*command.split(), *as_user(two_of_three, "admin", kind))
            assert secured.code == plain.code, (command, kind, secured.text)
            assert steady(secured.text) == steady(plain.text), (command, kind)
    for kind in ("plaintext", *kinds):
        run = kafkactl("test", "--count", "5", *as_user(two_of_three, "admin", kind))
        assert run.code == 0, (kind, run.text)
        found = json.loads(kafkactl("doctor", "-o", "json", *as_user(two_of_three, "admin", kind)).out)
        assert found["cause"] == "KD501", (kind, found["cause"])
        who = kafkactl("whoami", "--for", "init-topics", *as_user(two_of_three, "admin", kind))
        assert who.code == 0, (kind, who.text)


def test_the_production_environment_on_a_secured_cluster(secured_three: RunningSandbox, kafkactl: Kafkactl) -> None:
    """The platform's own file: made by who may, then checked and used by an operator and a reader."""
    repository = Path(__file__).resolve().parent.parent
    home = secured_three.secured.home
    text = (repository / "topics.yaml").read_text()
    addresses = secured_three.secured.addresses["scram"].split(",")
    text = re.sub(r"brokers: \[kafka-1[^\]]*\]", f"brokers: [{', '.join(addresses)}]", text)
    text = re.sub(r"client_config: \S+", "client_config: production.properties", text)
    assert addresses[0] in text
    Path("topics.yaml").write_text(text)

    def become(user: str) -> None:
        Path("production.properties").unlink(missing_ok=True)
        Path("production.properties").touch(0o600)
        Path("production.properties").write_text(secured_three.secured.file(user, "scram").read_text())

    production = ["--env", "production"]
    become("admin")
    assert home.exists()
    assert kafkactl("whoami", "--for", "init-topics", *production).code == 0
    made = kafkactl("init-topics", *production, "--confirm", "production")
    assert made.code == 0, made.text
    assert kafkactl("diff", *production).code == 0
    become("operator")
    payment = ["--only", "payment.*"]
    assert kafkactl("diff", *production, *payment).code == 0
    assert kafkactl("whoami", "--for", "lag", *production, *payment).code == 0
    assert kafkactl("lag", *production, "--topic", "payment.*").code == 0
    assert kafkactl("describe", "payment.created", *production).code == 0
    refused = kafkactl("init-topics", *production, "--only", "order.*", "--confirm", "production")
    assert refused.code == 1
    assert "4 topics could not be compared" in refused.err
    become("writer")
    Path("value.json").write_text('{"amount": 1}')
    written = kafkactl("produce", "payment.created", "--key", "k", "--value-file", "value.json", *production,
                       "--confirm", "production")  # fmt: skip
    assert written.code == 0, written.text
    become("reader")
    assert kafkactl("whoami", "--for", "tail", *production, *payment).code == 0
    read = kafkactl("tail", "payment.created", "-n", "1", "--no-follow", *production)
    assert read.code == 0, read.text
    assert '"amount"' in read.out
