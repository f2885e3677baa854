"""describe on real brokers, as a user runs it."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from tests.conftest import Outcome, admin_client, command, commit, create, golden, steady

Kafkactl = Callable[..., Outcome]

CATALOGUE = """
topics:
  payment.created:
    description: 支付创建事件
    producers: [payment-gateway]
    consumers: [analytics, notification]
    partitions: 3
    retention: 7d
  audit.logs: {producers: ["*"], partitions: 2}
"""


@pytest.fixture
def filled(one_broker: str, kafkactl: Kafkactl) -> str:
    """The catalogue's two topics, an undeclared one, some records and a group."""
    Path("topics.yaml").write_text(CATALOGUE, encoding="utf-8")
    assert kafkactl("init-topics").code == 0
    create(one_broker, NewTopic("stray", 1, 1, config={"cleanup.policy": "compact"}))
    producer = Producer({"bootstrap.servers": one_broker})
    for number in range(10):
        producer.produce("payment.created", b"x" * 100, partition=number % 2)
    producer.flush(10)
    commit(admin_client(one_broker), "analytics-group", "payment.created", 3)
    return one_broker


def test_the_list_of_topics(filled: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("describe")
    assert (run.code, run.err) == (0, "")
    rows = {line.split()[0]: line.split() for line in run.out.splitlines() if line[:1].isalpha()}
    #              PARTITIONS REPL RETENTION RECORDS SIZE      DECLARED HEALTH
    assert rows["payment.created"][1:5] == ["3", "1", "7d", "10"]
    assert rows["payment.created"][-2:] == ["yes", "ok"]
    assert rows["stray"][1:5] == ["1", "1", "compact", "0"]
    assert rows["stray"][-2:] == ["no", "ok"]
    assert "__consumer_offsets" not in run.out
    assert run.out.splitlines()[0].endswith("· KRaft · 1 broker · controller 1")
    assert "free" in run.out.splitlines()[1]
    assert "__consumer_offsets" in kafkactl("describe", "--internal").out


def test_offsets_of_a_compacted_topic_are_not_called_records(filled: str, kafkactl: Kafkactl) -> None:
    producer = Producer({"bootstrap.servers": filled})
    for number in range(6):
        producer.produce("stray", b"%d" % number, key=b"the same")
    producer.flush(10)
    assert "RECORDS ≤" in kafkactl("describe").out
    assert " · up to 6 records · " in kafkactl("describe", "stray").out
    topics = {t["name"]: t for t in json.loads(kafkactl("describe", "-o", "json").out)["topics"]}
    assert (topics["stray"]["offsets"], topics["stray"]["records"]) == (6, None)
    assert (topics["payment.created"]["offsets"], topics["payment.created"]["records"]) == (10, 10)


def test_names_only(filled: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("describe", "-o", "name").out.split() == ["audit.logs", "payment.created", "stray"]


def test_a_declared_topic_that_is_missing_is_listed(one_broker: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text(CATALOGUE, encoding="utf-8")
    run = kafkactl("describe", "--unhealthy")
    assert run.code == 1
    assert run.out.count("missing: declared but not on the cluster") == 2
    assert kafkactl("describe").code == 0


def test_one_topic(filled: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("describe", "payment.created")
    assert run.code == 0
    golden("describe-topic.txt", steady(run.out, filled))


@pytest.mark.parametrize(("arguments", "name"), [((), "cluster"), (("payment.created", "stray"), "topics")])
def test_as_json(arguments: tuple[str, ...], name: str, filled: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("describe", *arguments, "-o", "json")
    document = json.loads(run.out)
    assert document["kind"] == name
    topic = next(topic for topic in document["topics"] if topic["name"] == "payment.created")
    assert topic["records"] == 10
    assert [p["end_offset"] for p in topic["partitions"]] == [5, 5, 0]
    assert topic["size_bytes"] > 1000
    assert topic["config"]["retention.ms"] == {"value": "604800000", "default": "604800000", "overridden": True}
    if arguments:
        assert topic["groups"] == ["analytics-group"]
        assert topic["description"] == "支付创建事件"


def test_an_unknown_topic_gets_a_suggestion_and_the_others_are_shown(filled: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("describe", "paymnet.created", "stray")
    assert run.code == 1
    assert run.out.startswith("stray")
    assert f"There is no topic paymnet.created on {filled}." in run.err
    assert "Did you mean" in run.err
    assert "payment.created" in run.err


def test_looking_creates_nothing(one_broker: str, kafkactl: Kafkactl) -> None:
    kafkactl("describe", "no.such.topic")
    kafkactl("describe")
    assert "no.such.topic" not in admin_client(one_broker).list_topics(timeout=10).topics


def test_a_broker(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("describe", "--broker")
    assert run.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in run.out.splitlines()[1:] if line.strip()}
    assert rows["num.network.threads"][-1] == "default"
    assert rows["advertised.listeners"][0] == f"PLAINTEXT://{one_broker}"
    assert rows["auto.create.topics.enable"] == ["false", "changed"]
    document = json.loads(kafkactl("describe", "--broker", "1", "-o", "json").out)
    assert document["brokers"][0]["settings"]["num.io.threads"] == {"value": "8", "changed": False}
    unknown = kafkactl("describe", "--broker", "7")
    assert (unknown.code, "There is no broker 7" in unknown.err) == (2, True)


def test_three_brokers_with_their_leaders(three_brokers: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 6, replication: 3}}")
    assert kafkactl("init-topics").code == 0
    document = json.loads(kafkactl("describe", "-o", "json").out)
    assert [broker["id"] for broker in document["brokers"]] == [1, 2, 3]
    assert sum(broker["leaders"] for broker in document["brokers"]) >= 6
    assert document["cluster"]["controller"] in (1, 2, 3)
    assert document["topics"][0]["replication"] == "3"
    assert kafkactl("describe", "--unhealthy").code == 0


def test_watch_refreshes_until_ctrl_c(one_broker: str) -> None:
    run = command("describe", "--watch")
    assert run.stdout
    for _ in range(2):
        assert any("cluster " in line for line in iter(run.stdout.readline, ""))
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=10)
    assert run.returncode == 130
    assert "Traceback" not in err
