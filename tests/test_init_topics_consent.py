"""What was agreed to is done, and nothing else: the cluster changes while a question waits for its answer."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, ResourceType

from tests.conftest import admin_client, create
from tests.test_terminal import Terminal


@pytest.fixture
def brokers(one_broker: str) -> str:
    Path("topics.yaml").write_text(
        "topics: {grown: {partitions: 4, replication: 1, retention: 1d}}\nremoved: [old.one]\n"
    )
    create(
        one_broker,
        NewTopic("grown", 1, 1, config={"retention.ms": "604800000"}),
        NewTopic("old.one", 1, 1),
    )
    return one_broker


def configured(brokers: str, topic: str) -> str:
    admin = admin_client(brokers)
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return str(future.result(10)["retention.ms"].value)


def test_a_topic_recreated_during_the_question_is_not_deleted(brokers: str) -> None:
    terminal = Terminal("init-topics", "--only", "old.one")
    terminal.expect("Type yes:")
    admin = admin_client(brokers)
    admin.delete_topics(["old.one"])["old.one"].result(10)
    while "old.one" in admin.list_topics(timeout=10).topics:
        pass
    create(brokers, NewTopic("old.one", 1, 1))
    terminal.type("yes\r")
    terminal.raw = ""
    terminal.expect("Type yes:")  # this is another topic: asked again
    terminal.type("no\r")
    assert terminal.end() == 1
    assert "old.one" in admin.list_topics(timeout=10).topics


def test_a_change_that_was_not_shown_is_asked_about_again(brokers: str) -> None:
    terminal = Terminal("init-topics", "--only", "grown")
    terminal.expect("Type yes:")
    admin = admin_client(brokers)
    admin.create_partitions([NewPartitions("grown", 2)])["grown"].result(10)
    entry = ConfigEntry("retention.ms", str(30 * 86_400_000), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, "grown", incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(10)
    terminal.type("yes\ryes\r")
    terminal.expect("What differs now:")
    terminal.type("no\rno\r")
    assert terminal.end() == 1
    assert configured(brokers, "grown") == str(30 * 86_400_000)
    assert len(admin.list_topics("grown", timeout=10).topics["grown"].partitions) == 2
