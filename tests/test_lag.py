"""kafkactl lag on a real broker: one look, in every format, narrowed, with thresholds, and never more than is known."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from tests.conftest import Outcome, admin_client, command, create, three_lines
from tests.lab.consumers import Consumes, consumer
from tests.sandboxes import eventually
from tests.test_lag_situations import commit, committed, fill
from tests.test_terminal import ESCAPE, Terminal

Run = Callable[..., Outcome]


@pytest.fixture
def orders(one_broker: str) -> str:
    """A broker with two topics of 20 records; a group that has read one of them, and stands at 12 in the other."""
    create(one_broker, NewTopic("orders", 2, 1), NewTopic("payments", 1, 1))
    for topic, partition in (("orders", 0), ("orders", 1), ("payments", 0)):
        fill(one_broker, topic, 20, partition)
    commit(admin_client(one_broker), "app", "orders", 12, partitions=2)
    commit(admin_client(one_broker), "app", "payments", 20)
    return one_broker


def group(run: Outcome, name: str = "app") -> dict[str, Any]:
    found = {group["group"]: group for group in json.loads(run.out)["groups"]}
    return found[name]  # type: ignore[no-any-return]


def test_one_look_tells_lag_time_and_state_and_what_it_cannot(kafkactl: Run, orders: str) -> None:
    run = kafkactl("lag")
    assert run.code == 0
    head, line, *advice = run.out.splitlines()
    assert head.split() == ["GROUP", "LAG", "BEHIND", "VERDICT"]
    assert line.split()[:2] == ["app", "16"]
    assert line.endswith("STOPPED  nobody reads orders[0,1]")
    assert advice[-1] == "    kafkactl groups delete app"
    hint = "For rates use --sample 35s, for stuck consumers --sample 65s, or --watch."
    assert run.err == f"\n1 group: 1 STOPPED. {hint}\n"
    found = group(kafkactl("lag", "-o", "json", "--partitions"))
    assert [(p["committed"], p["end_offset"], p["lag"], p["verdict"]) for p in found["partitions"]] == [
        (12, 20, 8, "STOPPED"),
        (12, 20, 8, "STOPPED"),
        (20, 20, 0, "OK"),
    ]
    assert found["partitions"][2]["behind_seconds"] == 0  # an idle topic
    assert 0 < found["behind_seconds"] < 60
    assert (found["in_per_second"], found["drained_seconds"]) == (None, None)


def test_the_time_behind_is_that_of_the_record_it_reads_next(kafkactl: Run, orders: str) -> None:
    create(orders, NewTopic("old", 1, 1))
    producer = Producer({"bootstrap.servers": orders, "log_level": 0})
    now = int(time.time() * 1000)
    for age in (7_200_000, 3_600_000, 60_000):
        producer.produce("old", b"x", timestamp=now - age)
    producer.flush(10)
    commit(admin_client(orders), "history", "old", 1)
    found = group(kafkactl("lag", "history", "-o", "json"), "history")
    assert 3_600 <= found["behind_seconds"] < 3_660
    assert (found["lag"], found["behind_complete"]) == (2, True)


def test_no_commit_is_not_zero(kafkactl: Run, orders: str) -> None:
    reader = Consumer({"bootstrap.servers": orders, "group.id": "new", "enable.auto.commit": False, "log_level": 0})
    reader.subscribe(["orders"])
    assert eventually(lambda: reader.poll(0.2) or reader.assignment())
    run = kafkactl("lag", "new")
    assert run.out.splitlines()[1].split(maxsplit=4) == [
        "new",
        "–",
        "–",
        "UNKNOWN",
        "no commit yet in 2 of 2 partitions",
    ]
    found = group(kafkactl("lag", "new", "-o", "json", "--partitions"), "new")
    assert (found["lag"], found["behind_seconds"], found["partitions_without_lag"]) == (None, None, 2)
    assert found["partitions"][0]["owner"]["client"] == "rdkafka"
    assert "lag{" not in kafkactl("lag", "new", "-o", "prometheus").out.replace("kafka_brokers", "")
    reader.close()


def test_what_compaction_has_removed_does_not_wait(kafkactl: Run, orders: str) -> None:
    settings = {
        "cleanup.policy": "compact",
        "segment.ms": "1",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "0",
    }
    create(orders, NewTopic("state", 1, 1, config=settings))
    producer = Producer({"bootstrap.servers": orders, "log_level": 0})
    for value in (b"x", None):
        for number in range(5):
            producer.produce("state", value, key=str(number).encode())
        producer.flush(10)
    commit(admin_client(orders), "table", "state", 10)
    assert group(kafkactl("lag", "table", "-o", "json"), "table")["lag"] == 0
    # The marker of a transaction is the last offset, and no record.
    transaction = Producer({"bootstrap.servers": orders, "transactional.id": "t", "log_level": 0})
    transaction.init_transactions(10)
    transaction.begin_transaction()
    transaction.produce("state", b"x", key=b"0")
    transaction.commit_transaction(10)
    commit(admin_client(orders), "table", "state", 11)
    found = group(kafkactl("lag", "table", "-o", "json", "--partitions"), "table")
    assert found["partitions"][0]["end_offset"] == 12
    assert (found["lag"], found["verdict"]) == (0, "OK")


def test_thresholds_typed_and_declared(kafkactl: Run, orders: str) -> None:
    assert kafkactl("lag", "--threshold", "16").code == 0
    run = kafkactl("lag", "--threshold", "15")
    assert run.code == 1
    assert "1 above the threshold" in run.err
    declared = "topics: {orders: {consumers: [app], lag_threshold: 15}, payments: {}}\nservices: {app: {group: app}}\n"
    Path("topics.yaml").write_text(declared)
    found = group(kafkactl("lag", "-o", "json"))
    assert found["thresholds_passed"] == [{"topic": "orders", "lag": 16, "threshold": 15}]
    assert kafkactl("lag").code == 1
    assert kafkactl("lag", "--threshold", "1000").code == 1  # the group of a declared consumer has no members
    Path("topics.yaml").write_text(
        "topics: {orders: {consumers: [app]}}\nservices: {app: {group: app, lag_threshold: 3}}\n"
    )
    assert kafkactl("lag").code == 1


def test_declared_consumers_without_a_group_are_listed(kafkactl: Run, orders: str) -> None:
    Path("topics.yaml").write_text("topics: {orders: {consumers: [app, analytics]}}\nservices: {app: {group: app}}\n")
    run = kafkactl("lag")
    assert run.out.splitlines()[2].split(maxsplit=5)[:5] == ["analytics-group", "–", "–", "no", "group"]
    assert "declared to read orders: analytics" in run.out
    assert run.code == 1  # app is declared, too, and has no members while records wait
    assert json.loads(kafkactl("lag", "-o", "json").out)["absent"] == [
        {"group": "analytics-group", "services": ["analytics"], "topics": ["orders"]}
    ]
    named = kafkactl("lag", "analytics-group")
    assert named.code == 1
    assert (
        three_lines(named)[1]
        == "  topics.yaml declares that it reads orders; Kafka creates it when its first consumer starts."
    )


def test_groups_and_topics_are_chosen_by_name_by_glob_and_by_the_environment(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(admin_client(orders), "apricot", "payments", 5)

    def shown(*words: str) -> dict[str, int]:
        return {g["group"]: g["lag"] for g in json.loads(kafkactl("lag", "-o", "json", *words).out)["groups"]}

    assert shown() == {"app": 16, "apricot": 15}
    assert shown("ap?") == {"app": 16}
    assert shown("--topic", "pay*") == {"app": 0, "apricot": 15}
    assert shown("--topic", "orders") == {"app": 16}
    monkeypatch.setenv("KAFKA_CONSUMER_GROUP", "apricot")
    assert shown() == {"apricot": 15}
    assert "Showing only apricot (KAFKA_CONSUMER_GROUP)." in kafkactl("lag").err
    assert shown("*") == {"app": 16, "apricot": 15}
    monkeypatch.setenv("KAFKA_TOPICS", "payments")
    assert shown("*") == {"app": 0, "apricot": 15}
    for words, message in (
        (("ap",), "There is no group ap on"),
        (("x*",), "There is no group that matches x* on"),
        (("--topic", "payment"), f"There is no topic payment on {orders}. Did you mean payments?"),
    ):
        run = kafkactl("lag", *words)
        assert (run.code, run.err.startswith(message)) == (1, True), run.err


def test_formats_for_programs(kafkactl: Run, orders: str) -> None:
    metrics = kafkactl("lag", "-o", "prometheus").out
    lines = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert 'kafka_consumergroup_lag{consumergroup="app",topic="orders",partition="0"} 8' in lines
    assert 'kafka_consumergroup_lag_sum{consumergroup="app",topic="orders"} 16' in lines
    assert 'kafka_consumergroup_current_offset{consumergroup="app",topic="payments",partition="0"} 20' in lines
    assert 'kafka_consumergroup_current_offset_sum{consumergroup="app",topic="orders"} 24' in lines
    assert 'kafka_consumergroup_members{consumergroup="app"} 0' in lines
    assert "kafka_brokers 1" in lines
    named = [line.split("{")[0].split(" ")[0] for line in lines]
    typed = [line.split(" ")[2] for line in metrics.splitlines() if line.startswith("# TYPE")]
    assert list(dict.fromkeys(named)) == typed  # a family is in one piece, behind its type
    suite = ElementTree.fromstring(kafkactl("lag", "--threshold", "1", "-o", "junit").out.split("\n", 1)[1])
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    annotations = kafkactl("lag", "-o", "github").out
    assert annotations == "::warning title=app::STOPPED: nobody reads orders[0,1]; lag 16\n"


def test_two_hundred_groups_at_once(kafkactl: Run, orders: str) -> None:
    admin = admin_client(orders)
    names = [f"group-{number:03}" for number in range(200)]
    places = [TopicPartition("orders", partition, number) for partition in range(2) for number in (5,)]
    futures = [admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(name, places)])[name] for name in names]
    for future in futures:
        future.result(20)
    found = {g["group"]: g for g in json.loads(kafkactl("lag", "group-*", "-o", "json").out)["groups"]}
    assert sorted(found) == names
    assert {(g["lag"], g["verdict"], g["behind_complete"]) for g in found.values()} == {(30, "STOPPED", True)}
    assert kafkactl("lag", "group-*").out.count("\n    kafkactl groups delete group-") == 5


def test_describe_judges_the_groups_of_a_topic_as_lag_does(kafkactl: Run, orders: str) -> None:
    run = kafkactl("describe", "orders", "--groups")
    assert run.code == 0
    assert run.out.splitlines()[-1].split()[:2] == ["app", "16"]
    (topic,) = json.loads(kafkactl("describe", "orders", "--groups", "-o", "json").out)["topics"]
    (judged,) = topic["judged_groups"]
    same = group(kafkactl("lag", "--topic", "orders", "-o", "json"))
    assert (judged["lag"], judged["verdict"], judged["reason"]) == (same["lag"], same["verdict"], same["reason"])
    assert kafkactl("describe", "--groups").code == 2


def test_usage_and_a_cluster_that_is_not_there(kafkactl: Run, orders: str) -> None:
    assert kafkactl("lag", "--watch", "--sample", "5s").code == 2
    assert kafkactl("lag", "--watch", "-o", "json").code == 2
    for words in (("lag",), ("lag", "--watch"), ("lag", "--sample", "5s"), ("groups", "list")):
        run = kafkactl(*words, "-b", "127.0.0.1:1")
        assert run.code == 3
        three_lines(run)


def test_a_cluster_where_nobody_ever_read(kafkactl: Run, one_broker: str) -> None:
    run = kafkactl("lag")
    assert (run.code, run.out.splitlines()) == (0, ["No consumer groups."])
    assert kafkactl("lag", "--partitions").out == run.out
    assert kafkactl("groups", "list").out == "No groups.\n"


def test_watching_on_a_terminal_redraws_in_place_and_ends_with_ctrl_c(orders: str) -> None:
    terminal = Terminal("lag", "--watch", columns=120)
    terminal.expect("IN/S")  # the second look
    commit(admin_client(orders), "app", "orders", 20, partitions=2)
    terminal.expect("STOPPED → ok")
    terminal.type("\x03")
    assert terminal.end() == 130
    frames = terminal.raw.split("\x1b[H")
    assert len(frames) > 3
    assert all("\x1b[2J" not in frame for frame in frames)  # it does not flicker
    assert "LAG OVER TIME" in ESCAPE.sub("", frames[-1])


def test_a_sample_is_ended_by_ctrl_c(orders: str) -> None:
    process = command("lag", "--sample", "60s")
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, "", "")


def test_members_of_a_group_of_the_new_protocol_are_owners(kafkactl: Run, orders: str) -> None:
    new = Consumes(orders, "modern", "orders", name="modern-app", properties={"group.protocol": "consumer"})
    with consumer(new):
        assert eventually(lambda: committed(orders, "modern", "orders") == 20)
        run = kafkactl("lag", "modern", "--partitions")
        assert run.out.splitlines()[0] == "modern · Stable · consumer · 1 member"
        assert "ok       modern-app at 127.0.0.1" in run.out
