"""What a user with few permissions sees: an incomplete answer says so, and nothing hidden is called equal."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome, admin_client, create
from tests.sandboxes import eventually

Kafkactl = Callable[..., Outcome]


def rule(kind: ResourceType, name: str, operation: AclOperation, permission: AclPermissionType) -> AclBinding:
    return AclBinding(kind, name, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation, permission)


@pytest.fixture(scope="module")
def restricted() -> Iterator[str]:
    """A broker on which we may not see the topic `hidden`, not read settings of `shy`, and not ask for sizes."""
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
    }
    with throwaway(settings=settings) as sandbox:
        create(sandbox.bootstrap, NewTopic("open", 1, 1), NewTopic("hidden", 1, 1), NewTopic("shy", 1, 1))
        topic, cluster = ResourceType.TOPIC, ResourceType.BROKER
        rules = [
            rule(topic, "hidden", AclOperation.ALL, AclPermissionType.DENY),
            rule(topic, "shy", AclOperation.ALL, AclPermissionType.ALLOW),
            rule(topic, "shy", AclOperation.DESCRIBE_CONFIGS, AclPermissionType.DENY),
            rule(cluster, "kafka-cluster", AclOperation.ALL, AclPermissionType.ALLOW),
            rule(cluster, "kafka-cluster", AclOperation.DESCRIBE, AclPermissionType.DENY),
        ]
        admin = admin_client(sandbox.bootstrap)
        for future in admin.create_acls(rules).values():
            future.result(10)
        # A rule holds a moment after it is acknowledged.
        assert eventually(lambda: "hidden" not in admin.list_topics(timeout=10).topics)
        yield sandbox.bootstrap


@pytest.fixture(autouse=True)
def _catalogue(restricted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", restricted)
    Path("topics.yaml").write_text("topics: {open: {}, hidden: {}, shy: {}}")


def test_describe_calls_a_partial_answer_partial(kafkactl: Kafkactl) -> None:
    run = kafkactl("describe")
    assert run.code == 3
    assert "hidden: no permission" in run.out
    assert "incomplete answer: 1 declared topic is hidden" in run.err
    assert "no sizes on disk: no permission" in run.err
    document = json.loads(kafkactl("describe", "-o", "json").out)
    assert document["partial"] is True
    topics = {topic["name"]: topic for topic in document["topics"]}
    assert topics["open"]["size_bytes"] is None
    assert topics["open"]["records"] == 0
    assert topics["hidden"]["exists"] is None


def test_describing_a_hidden_topic_says_why(kafkactl: Kafkactl) -> None:
    run = kafkactl("describe", "hidden")
    assert run.code == 1
    assert "Cannot describe hidden" in run.err
    assert "no permission" in run.err


def test_settings_that_may_not_be_read_are_told(kafkactl: Kafkactl) -> None:
    run = kafkactl("describe", "shy")
    assert run.code == 0
    assert "no permission to read its settings" in run.out


def test_diff_does_not_call_equal_what_it_could_not_see(kafkactl: Kafkactl) -> None:
    run = kafkactl("diff", "-o", "json")
    document = json.loads(run.out)
    assert run.code == 1
    assert set(document["unreadable"]) == {"hidden", "shy"}
    assert document["equal"] == 1


def test_init_topics_does_not_create_what_is_only_hidden(kafkactl: Kafkactl) -> None:
    run = kafkactl("init-topics")
    assert run.code == 1
    assert "2 topics could not be compared" in run.err


def test_test_says_which_declared_topic_is_hidden(kafkactl: Kafkactl) -> None:
    run = kafkactl("test", "--count", "1")
    assert run.code == 1
    assert "hidden: no permission" in run.out


def test_the_doctor_says_what_it_may_not_see_of_groups(kafkactl: Kafkactl, restricted: str) -> None:
    admin = admin_client(restricted)
    for name, topic in (("seen", "open"), ("half-seen", "hidden")):
        offsets = ConsumerGroupTopicPartitions(name, [TopicPartition(topic, 0, 0)])
        while True:
            answer = admin.alter_consumer_group_offsets([offsets])[name]
            # The coordinator of a new cluster takes a moment.
            if not answer.exception(10) and (name == "half-seen" or not answer.result().topic_partitions[0].error):
                break
    document = json.loads(kafkactl("doctor", "groups", "-o", "json").out)
    assert {check["state"] for check in document["checks"]} <= {"passed", "skipped", "found"}
    deny = [rule(ResourceType.GROUP, "seen", AclOperation.ALL, AclPermissionType.DENY)]
    for future in admin.create_acls(deny).values():
        future.result(10)
    refused = kafkactl("tail", "open", "--group", "seen", "--no-follow")
    assert refused.code == 1
    assert "no permission for this group" in refused.err
