"""init-topics --rehearse: the plan on a copy, on real brokers; and what a copy is made of."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.rehearsal.original import MOST_BROKERS, OriginalBroker, OriginalCluster, copy_plan
from kafkactl.sandbox.running import RunningSandbox
from kafkactl.topics import ConfigValue, LivePartition, LiveTopic
from tests.conftest import Outcome, command, create
from tests.lab.faults import fill
from tests.moved_replicas import replicas
from tests.sandboxes import eventually
from tests.test_init_topics import partitions, settings_of

Kafkactl = Callable[..., Outcome]


def test_what_works_and_what_is_refused(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("orders", 3, 1, config={"retention.ms": "604800000", "segment.bytes": "16777216"}))
    fill(one_broker, "orders", 5, 0)
    before = settings_of(one_broker, "orders")
    Path("topics.yaml").write_text(
        "topics:\n"
        "  orders: {partitions: 6, retention: 1d, config: {segment.bytes: 16777216}}\n"
        "  refunds: {partitions: 2, replication: 3}\n"
    )
    run = kafkactl("init-topics", "--rehearse", "-o", "json")
    assert run.code == 1, run.text
    told = json.loads(run.out)
    assert (told["works"], told["test_before"], told["test_after"]) == (False, True, True)
    assert (told["copy"]["brokers"], told["copy"]["topics"]) == (1, 1)
    assert told["copy"]["another_plan_for"] == []
    assert told["copy"]["not_as_on_the_cluster"] == []
    done = {(change["topic"], change["key"]) for change in told["changes"]["done"]}
    assert done == {("orders", "partitions"), ("orders", "retention.ms")}
    (refused,) = told["refused_by_the_cluster"]
    assert (refused["topic"], "replication factor" in refused["reason"]) == ("refunds", True)
    assert partitions(one_broker) == {"orders": 3}
    assert settings_of(one_broker, "orders") == before
    assert json.loads(kafkactl("history", "-o", "json").out)["entries"] == []


def test_the_report_and_what_it_takes_there(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("orders", 3, 1))
    Path("topics.yaml").write_text("topics: {orders: {partitions: 6}}\n")
    run = kafkactl("init-topics", "--rehearse")
    assert run.code == 0, run.text
    assert "On a copy: Kafka 4.4.0, 1 broker, 1 topic, no records" in run.out
    assert "1 change: 1 done" in run.out
    assert "test after: Kafka works" in run.out
    assert "nothing was changed on" in run.err
    assert "There it needs --allow partitions." in run.err
    assert partitions(one_broker) == {"orders": 3}
    Path("topics.yaml").write_text("topics: {orders: {partitions: 3}}\n")
    assert "Nothing to rehearse" in kafkactl("init-topics", "--rehearse").err


def test_replicas_and_racks_are_rehearsed(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    create(three_racks.bootstrap, NewTopic("orders", 3, 1))
    Path("topics.yaml").write_text("topics: {orders: {replication: 3, config: {min.insync.replicas: 2}}}\n")
    run = kafkactl("init-topics", "--rehearse", "-o", "json")
    assert run.code == 0, run.text
    told = json.loads(run.out)
    done = {(change["topic"], change["key"]) for change in told["changes"]["done"]}
    assert done == {("orders", "replication"), ("orders", "min.insync.replicas")}
    assert told["copy"]["not_as_on_the_cluster"] == []
    assert told["copy"]["brokers"] == 3
    assert replicas(three_racks.bootstrap, "orders") != []
    assert all(len(found) == 1 for found in replicas(three_racks.bootstrap, "orders"))


def test_ctrl_c_leaves_nothing_behind(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("orders", 3, 1))
    Path("topics.yaml").write_text("topics: {orders: {partitions: 6}}\n")
    (tmp_path / "own").mkdir()
    run = command("init-topics", "--rehearse", env={**os.environ, "TMPDIR": str(tmp_path / "own")})
    eventually(lambda: any((tmp_path / "own").glob("kafkactl-sandbox-*")))
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 130
    eventually(lambda: not any((tmp_path / "own").iterdir()))
    assert partitions(one_broker) == {"orders": 3}


# What is pure.

BROKERS = st.dictionaries(st.integers(0, 1000), st.sampled_from(["", "a", "b", "c"]), min_size=1, max_size=9)


@st.composite
def clusters(draw: st.DrawFn) -> OriginalCluster:
    brokers = draw(BROKERS)
    ids = list(brokers)
    topics = {}
    for name in draw(st.lists(st.sampled_from(["a", "b", "__consumer_offsets", "c"]), unique=True)):
        found = []
        for number in range(draw(st.integers(1, 4))):
            replicas = tuple(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4, unique=True)))
            found.append(LivePartition(number, replicas[0], replicas, replicas))
        own = draw(st.booleans())
        topics[name] = LiveTopic(name, tuple(found), {"retention.ms": ConfigValue("5", "7", own)})
    return OriginalCluster([OriginalBroker(id, rack, {"num.partitions": "3"}) for id, rack in brokers.items()], topics)


@given(clusters())
def test_a_copy_is_like_the_cluster(original: OriginalCluster) -> None:
    plan = copy_plan(original)
    assert plan.brokers == min(MOST_BROKERS, len(original.brokers))
    assert len(plan.racks) == plan.brokers
    assert plan.settings == {"num.partitions": "3"}
    assert {topic.name for topic in plan.topics} == original.topics.keys() - {"__consumer_offsets"}
    for topic in plan.topics:
        live = original.topics[topic.name]
        assert len(topic.replicas) == len(live.partitions)
        assert topic.config == ({"retention.ms": "5"} if live.config and live.config["retention.ms"].overridden else {})
        for placed, partition in zip(topic.replicas, live.partitions, strict=True):
            assert len(set(placed)) == len(placed) == min(plan.brokers, len(partition.replicas))
            assert set(placed) <= set(range(1, plan.brokers + 1))
    if len(original.brokers) > MOST_BROKERS:
        assert f"the cluster has {len(original.brokers)} brokers, the copy {MOST_BROKERS}" in plan.left_out
    else:
        assert list(plan.racks) == [b.rack or None for b in sorted(original.brokers, key=lambda b: b.id)]
        assert plan.left_out == []


def test_what_is_not_known_is_said() -> None:
    hidden = LiveTopic("a", (LivePartition(0, 1, (1,), (1,)),), None)
    plan = copy_plan(OriginalCluster([OriginalBroker(1, "", None, "no permission")], {"a": hidden}, partial=True))
    assert list(plan.left_out) == [
        "the brokers' settings (no permission)",
        "the settings of 1 topic (no permission to read them)",
        "topics that this user may not describe",
    ]
    policy = {"create.topic.policy.class.name": "com.example.Policy"}
    plan = copy_plan(OriginalCluster([OriginalBroker(1, "", policy)], {}))
    assert list(plan.left_out) == ["com.example.Policy, which may refuse more"]
