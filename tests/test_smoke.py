"""kafkactl test on real brokers."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome, admin_client, create, golden

Kafkactl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _no_catalogue(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()


def names(brokers: str) -> list[str]:
    return [name for name in admin_client(brokers).list_topics(timeout=10).topics if not name.startswith("__")]


def test_a_healthy_broker_passes_every_step(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("test")
    assert run.code == 0, run.text
    assert "!!" not in run.out
    assert "write 300 records to 3 partitions, acks=all" in run.out
    assert "read 300 back: none lost, none duplicated, in order, intact" in run.out
    assert run.out.count("p50") == 2
    assert "Kafka works: 8 of 8 steps" in run.err
    assert names(one_broker) == []
    assert admin_client(one_broker).list_consumer_groups().result().valid == []


def test_the_whole_of_a_three_broker_cluster_is_written_to(three_brokers: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("test", "--count", "10", "-o", "json")
    document = json.loads(run.out)
    assert (run.code, document["passed"]) == (0, True)
    steps = [step["name"] for step in document["steps"]]
    assert "reach every advertised broker (3)" in steps
    assert "write 30 records to 3 partitions, acks=all" in steps


def test_each_format(one_broker: str, kafkactl: Kafkactl) -> None:
    suite = ET.fromstring(kafkactl("test", "--count", "1", "-o", "junit").out)
    assert (suite.attrib["failures"], suite.attrib["tests"]) == ("0", "8")
    assert kafkactl("test", "--count", "1", "-o", "github").out == ""
    document = json.loads(kafkactl("test", "--count", "1", "-o", "json").out)
    write = next(step for step in document["steps"] if step["name"].startswith("write"))
    assert set(write["latency_seconds"]) == {"p50", "p95", "p99"}


def test_declared_topics_that_are_missing_fail_their_step_only(one_broker: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {there.not: {}, neither: {}}")
    run = kafkactl("test", "--count", "1")
    assert run.code == 1
    assert "!!  2 declared topics exist and have leaders" in run.out
    assert "there.not: does not exist" in run.out
    assert "kafkactl init-topics" in run.out
    assert "ok  write 3 records" in run.out  # the round trip does not need them
    assert "annotations" not in run.out
    annotated = kafkactl("test", "--count", "1", "-o", "github")
    assert annotated.out.startswith("::error title=2 declared topics")


def test_a_named_topic_is_written_to_and_stays(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("business", 2, 1))
    run = kafkactl("test", "--topic", "business", "--count", "5", "--size", "0")
    assert run.code == 0, run.text
    again = kafkactl("test", "--topic", "business", "--count", "5")
    assert again.code == 0, again.text  # records of the first run are not taken for those of the second
    assert names(one_broker) == ["business"]
    described = json.loads(kafkactl("describe", "business", "-o", "json").out)
    assert described["topics"][0]["records"] == 20


def test_a_named_topic_that_is_missing_is_not_made(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("test", "--topic", "nowhere")
    assert run.code == 1
    assert "nowhere: does not exist" in run.out
    assert "needs: topic" in run.out
    assert names(one_broker) == []


def test_a_record_that_is_too_large_is_told(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("test", "--size", "2000000", "--count", "1")
    assert run.code == 1
    assert "!!  write 3 records" in run.out
    assert "large" in run.out.lower()
    assert "ok  commit and read a group's offset" in run.out
    assert names(one_broker) == []


def test_what_a_dead_cluster_makes_pointless_is_skipped(kafkactl: Kafkactl) -> None:
    run = kafkactl("test", "-b", "127.0.0.1:1", "-o", "json")
    document = json.loads(run.out)
    assert run.code == 3
    states = [step["state"] for step in document["steps"]]
    assert states[0] == "error"
    assert set(states[1:]) == {"skipped"}
    assert document["passed"] is False


def test_a_broker_that_dies_while_records_are_written(kafkactl: Kafkactl) -> None:
    """In the middle: the writing fails, says why, and what needs it is skipped."""
    import threading

    with throwaway() as sandbox:
        (node,) = sandbox.nodes
        admin = admin_client(sandbox.bootstrap)

        def strike() -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not any(
                name.startswith("kafkactl-test-") for name in admin.list_topics(timeout=10).topics
            ):
                time.sleep(0.01)
            time.sleep(0.5)
            sandbox.kill(node.id)

        striker = threading.Thread(target=strike)
        striker.start()
        run = kafkactl("test", "--count", "200000", "-b", sandbox.bootstrap)
        striker.join()
    assert run.code == 3, run.text
    assert "!!  write" in run.out
    assert "--  read" in run.out
    assert "could not remove: " in run.err  # what could not be removed is named
    assert "Traceback" not in run.text


def test_the_steps_of_a_dead_cluster_in_plain_text(kafkactl: Kafkactl) -> None:
    import re

    run = kafkactl("test", "-b", "127.0.0.1:1")
    golden("test-dead.txt", re.sub(r" +[\d.]+ m?s$", " TIME", run.out, flags=re.MULTILINE))
