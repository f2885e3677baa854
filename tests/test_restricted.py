"""What each user of a secured Kafka is told: everything that is said is true for who asks, or says it is not known."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import NewTopic

from kafkactl.cluster.accounts import Permission
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, admin_client, commit, create
from tests.sandboxes import as_user, eventually, permit

Kafkactl = Callable[..., Outcome]

CATALOGUE = """
topics:
  payment.created: {partitions: 3, consumers: [accounting, analytics]}
  secret.audit: {partitions: 1, consumers: [auditor]}
services: {accounting: {}, analytics: {}, auditor: {group: hidden-only}}
"""
ALL_GROUPS = ["accounting-group", "analytics-group", "hidden-only", "reader"]


@pytest.fixture
def platform(secured_one: RunningSandbox) -> RunningSandbox:
    """Two topics, one of which most users may not see, and groups that read the one, the other, and both."""
    create(secured_one.internal, NewTopic("payment.created", 3, 1), NewTopic("secret.audit", 1, 1))
    producer = Producer({"bootstrap.servers": secured_one.internal})
    for number in range(10):
        for topic in ("payment.created", "secret.audit"):
            producer.produce(topic, str(number), partition=0)
    producer.flush(10)
    admin = admin_client(secured_one.internal)
    for group, topic, offset in (
        ("accounting-group", "payment.created", 10),
        ("analytics-group", "payment.created", 10),
        ("analytics-group", "secret.audit", 4),
        ("hidden-only", "secret.audit", 3),
        ("reader", "payment.created", 10),
    ):
        commit(admin, group, topic, offset)
    Path("topics.yaml").write_text(CATALOGUE)
    Path("nothing.yaml").write_text("topics: {}\n")
    return secured_one


Cell = tuple[str, int, tuple[str, ...], tuple[str, ...]]  # command, exit code, what is said, what is not
ONLY_GROUPS = "only groups that this user may describe are listed"
ONLY_TOPICS = "only topics that this user may describe are looked at"
NO_GROUP = "no permission for this group, or it does not exist"
NO_TOPIC = "no permission, or it does not exist"

TABLE: dict[str, list[Cell]] = {
    "admin": [
        ("groups list", 0, tuple(ALL_GROUPS), (ONLY_GROUPS,)),
        ("groups list nothing", 1, ("There is no group nothing",), (NO_GROUP,)),
        ("lag analytics-group", 1, ("analytics-group    6",), (ONLY_TOPICS,)),
        ("groups describe hidden-only", 0, ("secret.audit[0]",), ("hidden from",)),
        ("groups save hidden-only", 0, ('"offset": 3',), ("warning",)),
        ("describe payment.created", 0, ("accounting-group, analytics-group, reader",), ("incomplete",)),
        ("describe nothing", 1, ("There is no topic nothing",), (NO_TOPIC,)),
        ("tail z* --no-follow", 1, ("There is no topic that matches z*",), ("among those",)),
        ("export", 0, ("secret.audit",), ("may lack",)),
        ("diff", 0, ("2 as declared",), ()),
        ("whoami --for tail", 0, ("User:admin", "everything", "Enough for tail."), ()),
        ("whoami --for init-topics", 0, ("Enough for init-topics.",), ()),
    ],
    "operator": [
        ("groups list", 0, tuple(ALL_GROUPS), (ONLY_GROUPS,)),
        ("lag accounting-group --topic payment.*", 0, ("ok",), ("incomplete",)),
        ("lag accounting-group --topic payment.created", 0, ("ok",), ("incomplete",)),
        ("lag accounting-group", 3, ("ok", ONLY_TOPICS), ()),
        ("lag hidden-only", 3, ("UNKNOWN", "its topics may be hidden"), (" ok", "no response")),
        ("lag --topic s*", 1, ("There is no topic that matches s*", "among those that this user may describe"), ()),
        ("lag --topic secret.audit", 1, (NO_TOPIC,), ("There is no topic",)),
        ("groups describe hidden-only", 3, ("no offsets in topics that this user may describe",), ()),
        ("groups save hidden-only", 3, ("Nothing was written",), ("has no commits.",)),
        ("groups save analytics-group", 0, ("payment.created", "not saved"), ("secret.audit",)),
        ("describe payment.created", 0, ("accounting-group, analytics-group, reader",), (ONLY_GROUPS,)),
        ("describe secret.audit", 1, (NO_TOPIC,), ("There is no topic",)),
        ("describe", 3, ("1 declared topic is hidden", ONLY_TOPICS, "≥ 3 leaders"), ()),
        ("describe --unhealthy", 1, ("hidden: no permission",), ("healthy",)),
        ("tail payment.* -n 1 --no-follow", 0, ("9",), (ONLY_TOPICS,)),
        ("tail secret.audit --no-follow", 1, (NO_TOPIC,), ("There is no topic",)),
        ("tail s* --no-follow", 1, ("among those that this user may describe",), ()),
        ("export", 0, ("payment.created", "the file may lack others"), ("secret.audit",)),
        ("diff", 1, ("secret.audit", "could not be compared"), ("secret.audit  missing",)),
        ("init-topics", 1, ("1 topic could not be compared",), ("0 topics still differ", "Nothing else differs")),
        ("test", 1, ("needs Create on the topic or on the cluster", "This user may not test it"), ("does not work",)),
        ("groups delete accounting-group --yes", 2, ("cannot be saved", "--allow unsaved"), ("Done",)),
        ("whoami --for tail --only payment.*", 0, ("User:operator", "Enough for tail."), ()),
        ("whoami --for lag --only payment.*", 0, ("Enough for lag.",), ()),
        ("whoami --for tail", 1, ("a permission is missing for secret.audit",), ()),
        ("whoami --for init-topics --only payment.*", 1, ("Alter AlterConfigs",), ()),
        ("whoami", 0, ("this user may not describe the cluster",), ()),
    ],
    "reader": [
        ("groups list", 3, ("reader", ONLY_GROUPS), ("analytics-group",)),
        ("groups list reader", 0, ("reader",), ("incomplete",)),
        ("groups list a*", 1, ("There is no group that matches a*", "among those that this user may describe"), ()),
        ("lag", 3, ("reader", ONLY_GROUPS, ONLY_TOPICS), ("declared but missing", "no group")),
        ("lag reader --topic payment.created", 0, ("ok",), ("incomplete",)),
        ("lag accounting-group", 1, (NO_GROUP,), ("There is no group",)),
        ("groups describe accounting-group", 1, (NO_GROUP,), ("There is no group",)),
        ("groups reset accounting-group --topic payment.created --to-latest --yes", 1, (NO_GROUP,), ("Done",)),
        ("tail payment.created --group accounting-group --no-follow", 1, (NO_GROUP,), ("There is no group",)),
        ("tail payment.created -n 1 --no-follow", 0, ("9",), ()),
        ("tail * -n 1 --no-follow", 0, ("9", ONLY_TOPICS), ()),
        ("test --topic payment.created --count 1", 1, ("no permission", "read them back"), ("Purged", "none lost")),
        ("dlq list", 3, ("No topic that this user may describe",), ()),
        ("describe payment.created", 0, ("groups with commits: reader", ONLY_GROUPS), ()),
        ("whoami --for produce --only payment.*", 1, ("Write",), ()),
    ],
    "writer": [
        ("groups list", 3, ("No consumer groups could be read.", ONLY_GROUPS), ("No consumer groups.",)),
        ("describe payment.created", 0, ("groups with commits: not known",), ("none",)),
        (
            "describe payment.created --groups",
            0,
            ("No group that this user may see reads it.",),
            ("No group reads",),
        ),
        ("tail payment.created -n 1 --no-follow", 1, ("no permission (needs Read on the topic)",), ()),
        (
            "test --topic payment.created --count 1",
            1,
            ("needs Read on the topic", "may not test it"),
            ("lost",),
        ),
        ("groups reset reader --topic payment.created --to-latest --dry-run", 1, (NO_GROUP,), ("–",)),
        ("groups reset x --create --topic payment.created --to-latest --yes", 1, (NO_GROUP,), ("–",)),
        ("doctor groups", 3, ("Nothing could be checked. 0 checks passed",), ("Healthy",)),
        ("whoami --for produce --only payment.*", 0, ("Enough for produce.",), ()),
    ],
    "partial": [
        ("groups list", 3, ("analytics-group", ONLY_GROUPS), ("reader",)),
        ("lag analytics-group", 3, ("UNKNOWN", "its topics may be hidden"), (" ok",)),
        ("groups save analytics-group", 3, ("Nothing was written",), ()),
        ("groups delete-offsets analytics-group payment.created --yes", 1, (NO_TOPIC,), ("has no commits",)),
        ("groups reset analytics-group --topic payment.created --to-latest --yes", 1, (NO_TOPIC,), ("–",)),
        ("groups reset analytics-group --topic * --to-latest --yes", 1, ("that this user may describe",), ("at all.",)),
        ("groups copy analytics-group x --yes", 1, (NO_GROUP,), ("–",)),
        (
            "test --topic payment.created",
            1,
            (NO_TOPIC, "may not test it"),
            ("created: does not", "does not work"),
        ),
        ("doctor KD340", 1, ("2 of 2 declared topics are hidden",), ("Healthy",)),
        ("export", 0, ("topics: {}", "the file may lack others"), ()),
    ],
    "nobody": [
        ("groups list", 3, ("No consumer groups could be read.",), ("No consumer groups.",)),
        ("lag", 3, ("No consumer groups could be read.", ONLY_GROUPS), ("declared but missing",)),
        ("lag reader", 1, (NO_GROUP,), ("There is no group",)),
        ("describe payment.created", 1, (NO_TOPIC,), ("There is no topic", "none")),
        ("describe --file nothing.yaml --unhealthy", 3, ("No topic that this user may describe.",), ("healthy",)),
        ("doctor KD513", 3, ("Nothing could be checked",), ("passed. ", "1 check passed")),
        ("doctor KD5", 3, ("Nothing could be checked",), ("11 checks",)),
        ("doctor --ignore KD340 --ignore KD341", 0, ("No fault found in what this user may see",), ("Healthy",)),
        ("dlq list", 3, (ONLY_TOPICS,), ()),
        ("tail * --no-follow", 1, ("among those that this user may describe",), ()),
        ("tail payment.created --no-follow", 1, (NO_TOPIC,), ("There is no topic",)),
        ("export", 0, ("topics: {}", "the file may lack others"), ()),
        ("init-topics", 1, ("2 topics could not be compared",), ("still differ", "Nothing else")),
        ("diff", 1, ("2 not compared",), ()),
        ("test", 1, ("This user may not test it",), ("could not remove",)),
        ("doctor", 1, ("2 of 2 declared topics are hidden from User:nobody",), ("Healthy", "topics are empty")),
        ("doctor --fix --yes", 1, ("cannot fix any of this",), ()),
        ("groups delete reader --yes", 1, (NO_GROUP,), ("Done",)),
        ("whoami --for lag", 1, ("User:nobody", "hidden: no permission, or it does not exist"), ()),
        ("whoami --for init-topics", 1, ("a permission is missing",), ()),
    ],
}


@pytest.mark.parametrize("user", TABLE)
def test_what_each_user_is_told(user: str, platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    flags = as_user(platform, user)
    for command, code, said, unsaid in TABLE[user]:
        run = kafkactl(*command.split(), *flags)
        assert run.code == code, (command, run.text)
        for words in said:
            assert words in run.text, (command, words, run.text)
        for words in unsaid:
            assert words not in run.text, (command, words, run.text)


@pytest.mark.parametrize("command", ["lag", "groups list"])
def test_programs_are_told_that_a_list_is_not_whole(command: str, platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    for user, whole in (("admin", True), ("reader", False), ("nobody", False)):
        run = kafkactl(*command.split(), "-o", "json", *as_user(platform, user))
        document = json.loads(run.out)
        assert document["complete"] is whole
        assert bool(document["gaps"]) is not whole
        assert (run.code == 3) is not whole
    metrics = kafkactl("lag", "-o", "prometheus", *as_user(platform, "reader"))
    assert "kafkactl_lag_complete 0" in metrics.out
    assert "kafkactl_lag_complete 1" in kafkactl("lag", "-o", "prometheus", *as_user(platform, "admin")).out


def test_whoami_for_programs(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    flags = as_user(platform, "operator", "mtls")
    document = json.loads(kafkactl("whoami", "--for", "tail", "-o", "json", *flags).out)
    assert document["principal"] == "User:CN=operator,O=Sandbox"
    assert document["client_certificate"]["days_left"] > 0
    (broker,) = document["broker_certificates"].values()
    assert broker["issuer"] == "CN=Sandbox CA,O=Sandbox"
    assert document["cluster"]["operations"] is None
    topics = {entry["name"]: entry for entry in document["topics"]}
    assert topics["payment.created"]["exists"] is True
    assert "Read" in topics["payment.created"]["allowed"]
    assert topics["secret.audit"]["exists"] is None
    assert topics["secret.audit"]["missing"] == ["Describe", "Read"]
    assert "DescribeConfigs" in topics["secret.audit"]["not_known"]
    assert document["sufficient"] is False
    for kind, principal in (("plaintext", "User:ANONYMOUS"), ("plain", "User:admin"), ("oauth", "User:admin")):
        run = kafkactl("whoami", "-o", "json", *as_user(platform, "admin", kind))
        assert json.loads(run.out)["principal"] == principal, kind


def test_what_is_absent_is_not_known(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {payment.later: {partitions: 1}}")
    flags = as_user(platform, "operator")
    run = kafkactl("whoami", "--for", "tail", *flags)
    assert run.code == 3
    assert "Read?" in run.out
    assert kafkactl("whoami", "--for", "init-topics", *flags).code == 1  # Kafka was asked whether it may create it
    assert kafkactl("whoami", "--for", "init-topics", *as_user(platform, "admin")).code == 0
    assert "payment.later" not in admin_client(platform.internal).list_topics(timeout=10).topics


def test_an_operator_changes_groups_like_everyone(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    flags = as_user(platform, "operator")

    def committed(group: str) -> dict[int, int]:
        run = kafkactl("groups", "save", group, *as_user(platform, "admin"))
        return {entry["partition"]: entry["offset"] for entry in json.loads(run.out)["offsets"]}

    reset = kafkactl("groups", "reset", "reader", "--topic", "payment.created", "--by", "-4", "--yes", *flags)
    assert reset.code == 0, reset.text
    assert "payment.created[0]    10          6" in reset.out
    assert committed("reader") == {0: 6}
    undone = kafkactl("groups", "undo", "reader", "--yes", *flags)
    assert undone.code == 0, undone.text
    assert committed("reader") == {0: 10}
    copied = kafkactl("groups", "copy", "reader", "copy-of-reader", "--yes", *flags)
    assert copied.code == 0, copied.text
    assert committed("copy-of-reader") == {0: 10}
    part = kafkactl("groups", "copy", "analytics-group", "copy-of-analytics", "--yes", *flags)
    assert "commits in topics that this user may not describe are not copied" in part.out
    whole = kafkactl("groups", "copy", "analytics-group", "part", "--topic", "payment.*", "--yes", *flags)
    assert "not copied" not in whole.out
    undone = kafkactl("groups", "undo", "copy-of-reader", "--yes", *flags)
    assert undone.code == 0, undone.text
    assert "may have commits in topics that this user may not describe" in undone.out
    deleted = kafkactl("groups", "delete", "reader", "--yes", "--allow", "unsaved", *flags)
    assert deleted.code == 0, deleted.text
    assert kafkactl("groups", "undo", "reader", "--yes", *flags).code == 0
    assert committed("reader") == {0: 10}


def test_an_undo_by_somebody_else_says_what_is_hidden(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    flags = as_user(platform, "operator")
    assert kafkactl("groups", "reset", "reader", "--topic", "payment.created", "--by", "-1", "--yes", *flags).code == 0
    undone = kafkactl("groups", "undo", "reader", "--yes", *as_user(platform, "writer"))
    assert undone.code == 1
    assert NO_GROUP in undone.err
    permit(platform, Permission("nobody", "group", "reader", ("Read", "Describe")))
    undone = kafkactl("groups", "undo", "reader", "--yes", *as_user(platform, "nobody"))
    assert undone.code == 1
    assert NO_TOPIC in undone.err
    assert "recreated" not in undone.err


def test_a_group_deleted_with_hidden_commits_does_not_come_back_whole(
    platform: RunningSandbox, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    operator = as_user(platform, "operator")
    gone = kafkactl("groups", "delete", "analytics-group", "--yes", "--allow", "unsaved", *operator)
    assert gone.code == 0
    assert "warning" not in gone.err
    undone = kafkactl("groups", "undo", "--yes", *operator)
    assert undone.code == 0
    assert "they were not saved, and do not come back" in undone.err


def test_hidden_topics_neither_exist_nor_not(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    found = json.loads(kafkactl("describe", "-o", "json", *as_user(platform, "operator")).out)
    assert {topic["name"]: topic["exists"] for topic in found["topics"]} == {
        "payment.created": True, "secret.audit": None,
    }  # fmt: skip
    assert [broker["leaders"] for broker in found["brokers"]] == [None]
    listed = json.loads(kafkactl("dlq", "list", "-o", "json", *as_user(platform, "nobody")).out)
    assert (listed["complete"], listed["gaps"]) == (False, [ONLY_TOPICS])


def test_an_undo_that_is_half_applied_is_told_by_partition(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    flags = as_user(platform, "reader")  # it may write offsets, not delete them
    done = kafkactl("groups", "reset", "reader", "--topic", "payment.created", "--to-earliest", "--yes", *flags)
    assert done.code == 0, done.text
    undone = kafkactl("groups", "undo", "reader", "--yes", "-o", "json", *flags)
    assert undone.code == 1, undone.text
    assert "Changed: payment.created[0]" in undone.err
    assert "Not changed: payment.created[1,2]" in undone.err
    (group,) = json.loads(undone.out)["groups"]
    assert group["outcome"] == "partly"
    assert {entry["partition"]: entry["done"] for entry in group["partitions"]} == {0: True, 1: False, 2: False}


@contextmanager
def member(brokers: str, group: str, topic: str) -> Iterator[None]:
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "enable.auto.commit": False})
    consumer.subscribe([topic])
    assert eventually(lambda: consumer.poll(0.2) is not None or bool(consumer.assignment()))
    try:
        yield
    finally:
        consumer.close()


def test_a_member_of_a_hidden_topic_has_an_unknown_lag(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    with member(platform.internal, "watchers", "secret.audit"):
        run = kafkactl("lag", "watchers", *as_user(platform, "operator"))
    assert run.code == 3, run.text
    assert "UNKNOWN" in run.out
    assert "this user has no permission for secret.audit[0]" in run.out
    assert "gone" not in run.text
    assert f"secret.audit: {NO_TOPIC}" in run.err


def test_who_may_describe_the_cluster_sees_all_groups(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    permit(platform, Permission("partial", "cluster", "kafka-cluster", ("Describe",)))
    run = kafkactl("groups", "list", *as_user(platform, "partial"))
    assert all(group in run.out for group in ALL_GROUPS)
    assert ONLY_GROUPS not in run.text
    assert "reader: members: no permission for this group" in run.err


def test_a_glob_of_which_all_is_granted_is_whole(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    permit(platform, Permission("nobody", "group", "analytics-", ("Describe",), prefixed=True))
    flags = as_user(platform, "nobody")
    run = kafkactl("groups", "list", "analytics-*", *flags)
    assert run.code == 0, run.text
    assert ONLY_GROUPS not in run.text
    assert kafkactl("groups", "list", "a*", *flags).code == 3


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "127.0.0.2", "[::1]"])
def test_a_protected_cluster_is_recognised_by_any_address(
    address: str, platform: RunningSandbox, kafkactl: Kafkactl
) -> None:
    port = platform.secured.addresses["scram"].rpartition(":")[2]
    Path("topics.yaml").write_text(
        f"topics: {{payment.created: {{}}}}\n"
        f"environments: {{production: {{brokers: ['{address}:{port}'], protected: true}}}}\n"
    )
    run = kafkactl("groups", "reset", "reader", "--topic", "payment.created", "--to-latest", "--yes",
                   *as_user(platform, "operator"))  # fmt: skip
    assert run.code == 2, run.text
    assert "production is protected" in run.err
    # By a listener of another name and port, the advertised addresses are the same only where they say so.
    Path("topics.yaml").write_text(
        "topics: {payment.created: {}}\nenvironments: {production: {brokers: ['kafka.example:9092'], protected: true, "
        f"cluster_id: {admin_client(platform.internal).list_topics(timeout=10).cluster_id}}}}}\n"
    )
    for kind in ("scram", "plaintext"):
        written = kafkactl("groups", "delete", "reader", "--yes", *as_user(platform, "admin", kind))
        assert written.code == 2, written.text
        assert "production is protected" in written.err


def test_a_repair_that_is_refused_says_so_at_once(platform: RunningSandbox, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {payment.later: {partitions: 1}}")
    run = kafkactl("doctor", "--fix", "--yes", *as_user(platform, "operator"))
    assert run.code == 1, run.text
    assert "payment.later: no permission (needs Create on the topic or on the cluster)" in run.err
    assert "Not fixed: KD513" in run.err
    assert "have Create on payment.later, or on the cluster, granted to User:operator" in run.out
