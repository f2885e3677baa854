"""The planner, by the hundred: pure facts in, a plan out, and a model cluster to apply it to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.catalog.model import Catalog, Position, Topic
from kafkactl.plan.account import Agreement
from kafkactl.plan.differences import Change, Plan, make_plan, same_value, waits_for_replicas
from kafkactl.plan.risk import Risk, config_risks
from kafkactl.topics import ConfigValue, LivePartition, LiveTopic

PLACE = Position("topics.yaml", 1, 1)
ALL = frozenset(Risk)


def permitted(plan: Plan, allowed: frozenset[Risk]) -> tuple[Change, ...]:
    """What may be done when these risks are allowed on the command line."""
    agreement = Agreement(allowed)
    return tuple(change for change in plan.everything if agreement.asks(change) and agreement.covers(change))


BROKER_DEFAULTS = {
    "retention.ms": "604800000",
    "cleanup.policy": "delete",
    "max.message.bytes": "1048588",
    "retention.bytes": "-1",
    "min.insync.replicas": "1",
}

names = st.sampled_from(["payment.created", "payment.failed", "order.created", "audit.logs", "dlq.payment", "tmp.x"])
values = {
    "retention.ms": st.sampled_from(["-1", "1000", "604800000", "1209600000"]),
    "cleanup.policy": st.sampled_from(["delete", "compact", "compact,delete", "delete,compact"]),
    "max.message.bytes": st.sampled_from(["1048588", "2000000"]),
    "retention.bytes": st.sampled_from(["-1", "1073741824", "5"]),
    "min.insync.replicas": st.sampled_from(["1", "2"]),
}
configs = st.fixed_dictionaries({}, optional=values)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    declared = draw(st.sets(names))
    topics = {
        name: Topic(
            name,
            draw(st.none() | st.integers(1, 6)),
            draw(st.none() | st.integers(1, 3)),
            draw(configs),
            PLACE,
        )
        for name in sorted(declared)
    }
    removed = draw(st.sets(names)) - declared
    return Catalog(Path("topics.yaml"), topics, removed=dict.fromkeys(sorted(removed), PLACE))


def live(name: str, partitions: int, replication: int, own: dict[str, str]) -> LiveTopic:
    config = {
        key: ConfigValue(own.get(key, default), default, overridden=key in own)
        for key, default in BROKER_DEFAULTS.items()
    }
    replicas = tuple(range(1, replication + 1))
    return LiveTopic(name, tuple(LivePartition(i, 1, replicas, replicas) for i in range(partitions)), config)


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, LiveTopic]:
    present = draw(st.sets(st.one_of(names, st.sampled_from(["__consumer_offsets", "stray"]))))
    return {
        name: live(name, draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(configs)) for name in sorted(present)
    }


def min_isr(topic: LiveTopic) -> int:
    return int((topic.config or {})["min.insync.replicas"].value or 1)


def own(topic: LiveTopic) -> dict[str, str]:
    return {key: v.value or "" for key, v in (topic.config or {}).items() if v.overridden}


def apply(cluster: dict[str, LiveTopic], changes: tuple[Change, ...]) -> dict[str, LiveTopic]:
    """What a broker would make of these changes."""
    after = dict(cluster)
    for change in changes:
        before = after.get(change.topic)
        if change.kind == "create":
            assert before is None
            assert change.declared
            topic = change.declared
            after[topic.name] = live(topic.name, topic.partitions or 1, topic.replication or 1, dict(topic.config))
            continue
        assert before is not None
        count, replication = len(before.partitions), before.replication[0]
        if change.kind == "delete":
            del after[change.topic]
        elif change.kind == "partitions":
            assert int(change.new or 0) > count
            after[change.topic] = live(change.topic, int(change.new or 0), replication, own(before))
        elif change.kind == "config":
            after[change.topic] = live(change.topic, count, replication, own(before) | {change.key: change.new or ""})
        elif change.kind == "override":
            kept = {key: value for key, value in own(before).items() if key != change.key}
            after[change.topic] = live(change.topic, count, replication, kept)
        else:
            after[change.topic] = live(change.topic, count, int(change.new or 0), own(before))
    return after


@given(catalogs(), clusters())
def test_a_plan_applied_leads_to_what_is_declared(catalog: Catalog, cluster: dict[str, LiveTopic]) -> None:
    plan = make_plan(catalog, cluster)
    after = apply(cluster, permitted(plan, ALL))
    for name, topic in catalog.topics.items():
        if name not in after:  # it would have more replicas in sync than it has
            assert int(topic.config["min.insync.replicas"]) > (topic.replication or 9)
            continue
        shrinks = name in cluster and topic.partitions and len(cluster[name].partitions) > topic.partitions
        if topic.partitions and not shrinks:
            assert len(after[name].partitions) == topic.partitions
        for key, value in topic.config.items():
            config = after[name].config
            assert config is not None
            # More replicas in sync than there are is never set.
            if key != "min.insync.replicas" or int(value) <= after[name].replication[0]:
                assert same_value(key, config[key].value, value)
        if topic.replication and int(topic.config.get("min.insync.replicas", "1")) <= topic.replication:
            assert after[name].replication == (topic.replication, topic.replication)
    assert not set(catalog.removed) & set(after)


@given(catalogs(), clusters())
def test_a_second_plan_is_empty_but_for_what_is_impossible(catalog: Catalog, cluster: dict[str, LiveTopic]) -> None:
    first = make_plan(catalog, cluster)
    second = make_plan(catalog, apply(cluster, permitted(first, ALL)))
    assert permitted(second, ALL) == ()
    assert all(change.impossible for change in second.changes)
    assert all(change.impossible for change in second.overrides)


@given(catalogs(), clusters(), st.frozensets(st.sampled_from(list(Risk))))
def test_nothing_happens_that_was_not_allowed(
    catalog: Catalog, cluster: dict[str, LiveTopic], allowed: frozenset[Risk]
) -> None:
    done = permitted(make_plan(catalog, cluster), allowed)
    after = apply(cluster, done)
    for change in done:
        assert change.risks <= allowed
        assert not change.topic.startswith("__")
        assert change.topic in catalog.topics or change.topic in catalog.removed
    for name, before in cluster.items():
        if name not in after:
            assert Risk.DELETE in allowed
            assert name in catalog.removed
            continue
        assert len(after[name].partitions) >= len(before.partitions)
        if Risk.PARTITIONS not in allowed:
            assert len(after[name].partitions) == len(before.partitions)
        if Risk.RETENTION not in allowed:
            old, new = before.config or {}, after[name].config or {}
            assert new["cleanup.policy"].value == old["cleanup.policy"].value
            limits = [float(c["retention.ms"].value or 0) for c in (old, new)]
            limits = [float("inf") if limit < 0 else limit for limit in limits]
            assert limits[1] >= limits[0]
        if Risk.OVERRIDES not in allowed:
            assert own(before).keys() <= own(after[name]).keys()
        if Risk.REPLICATION not in allowed:
            assert after[name].replication == before.replication
        if after[name].replication < before.replication and Risk.DURABILITY not in allowed:
            assert min_isr(after[name]) == min_isr(before) <= after[name].replication[0]
    assert after.get("stray") == cluster.get("stray")


@given(catalogs(), clusters())
def test_every_declared_topic_is_equal_or_different_or_overridden_or_unreadable(
    catalog: Catalog, cluster: dict[str, LiveTopic]
) -> None:
    plan = make_plan(catalog, cluster)
    other = (plan.differing | plan.overridden | set(plan.unreadable)) & set(catalog.topics)
    assert plan.equal + len(other) == len(catalog.topics) == plan.declared


def catalog_of(*topics: Topic, **more: object) -> Catalog:
    return Catalog(Path("topics.yaml"), {topic.name: topic for topic in topics}, **more)  # type: ignore[arg-type]


def plan_one(topic: Topic, found: LiveTopic) -> Plan:
    return make_plan(catalog_of(topic), {found.name: found})


def test_shrinking_is_impossible_and_says_what_to_do_instead() -> None:
    plan = plan_one(Topic("a", 2, 1, {}, PLACE), live("a", 3, 1, {}))
    (change,) = plan.changes
    assert "cannot remove partitions" in change.impossible
    assert "declare 3" in change.impossible
    assert permitted(plan, ALL) == ()


def test_a_replication_difference_is_never_equal_and_has_to_be_allowed() -> None:
    plan = plan_one(Topic("a", 3, 3, {}, PLACE), live("a", 3, 1, {}))
    (change,) = plan.changes
    assert (change.kind, change.old, change.new) == ("replication", "1", "3")
    assert plan.equal == 0
    assert permitted(plan, ALL - {Risk.REPLICATION}) == ()
    assert permitted(plan, frozenset({Risk.REPLICATION})) == (change,)


MIN_ISR = "min.insync.replicas"


def test_more_in_sync_waits_for_the_replicas_that_are_declared() -> None:
    topic = Topic("a", 3, 3, {MIN_ISR: "2"}, PLACE)
    replication, setting = plan_one(topic, live("a", 3, 1, {})).changes
    assert waits_for_replicas(setting)
    assert setting.risks == replication.risks == {Risk.REPLICATION}
    (setting,) = plan_one(topic, live("a", 3, 3, {})).changes
    assert not waits_for_replicas(setting)


def test_fewer_replicas_need_that_fewer_have_to_be_in_sync() -> None:
    found = live("a", 3, 3, {MIN_ISR: "2"})
    replication, setting = plan_one(Topic("a", 3, 1, {MIN_ISR: "1"}, PLACE), found).changes
    assert setting.risks == {Risk.DURABILITY}
    assert replication.risks == {Risk.REPLICATION, Risk.DURABILITY}
    (replication,) = plan_one(Topic("a", 3, 1, {}, PLACE), found).changes
    assert replication.risks == {Risk.REPLICATION, Risk.DURABILITY, Risk.OVERRIDES}
    (replication,) = plan_one(Topic("a", 3, 2, {}, PLACE), found).changes
    assert replication.risks == {Risk.REPLICATION}
    (replication,) = plan_one(Topic("a", 3, 1, {MIN_ISR: "2"}, PLACE), found).changes
    assert "min.insync.replicas 2 is more than the 1 replica" in replication.impossible


def test_which_replicas_a_throttle_holds_for_is_no_difference() -> None:
    key = "leader.replication.throttled.replicas"
    found = LiveTopic("a", live("a", 1, 1, {}).partitions, {key: ConfigValue("0:1,0:2", "", True)})
    assert plan_one(Topic("a", 1, 1, {}, PLACE), found).everything == ()
    assert plan_one(Topic("a", 1, 1, {key: "0:2"}, PLACE), found).everything == ()
    assert plan_one(Topic("a", 1, 1, {key: "0:3"}, PLACE), found).changes


def test_uneven_replication_is_a_difference_too() -> None:
    found = LiveTopic("a", (LivePartition(0, 1, (1, 2), (1,)), LivePartition(1, 1, (1,), (1,))), {})
    (change,) = plan_one(Topic("a", 2, 2, {}, PLACE), found).changes
    assert change.old == "1–2"


def test_a_value_equal_to_the_brokers_default_is_no_drift() -> None:
    assert plan_one(Topic("a", 3, 1, {"retention.ms": "604800000"}, PLACE), live("a", 3, 1, {})).changes == ()


def test_an_override_that_says_the_default_is_not_listed() -> None:
    assert plan_one(Topic("a", 3, 1, {}, PLACE), live("a", 3, 1, {"max.message.bytes": "1048588"})).overrides == ()


def test_taking_an_override_away_that_kept_records_longer_needs_both_risks() -> None:
    (change,) = plan_one(Topic("a", 3, 1, {}, PLACE), live("a", 3, 1, {"retention.ms": "-1"})).overrides
    assert change.risks == {Risk.OVERRIDES, Risk.RETENTION}


def test_a_hidden_topic_is_neither_created_nor_equal() -> None:
    plan = make_plan(catalog_of(Topic("a", 3, 1, {}, PLACE)), {}, unreadable={"a": "no permission"})
    assert plan.changes == ()
    assert plan.equal == 0
    assert plan.unreadable == {"a": "no permission"}


def test_settings_that_may_not_be_read_are_not_called_equal() -> None:
    found = LiveTopic("a", live("a", 3, 1, {}).partitions, None)
    plan = plan_one(Topic("a", 3, 1, {}, PLACE), found)
    assert (plan.equal, list(plan.unreadable)) == (0, ["a"])


def test_only_limits_creates_deletes_and_what_is_listed() -> None:
    catalog = catalog_of(Topic("pay.a", 1, 1, {}, PLACE), Topic("b", 1, 1, {}, PLACE), removed={"old": PLACE})
    plan = make_plan(catalog, {"old": live("old", 1, 1, {}), "pay.stray": live("pay.stray", 1, 1, {})}, only="pay.*")
    assert [change.topic for change in plan.changes] == ["pay.a"]
    assert plan.undeclared == ("pay.stray",)
    assert plan.declared == 1


def test_ignored_and_internal_topics_are_not_listed() -> None:
    cluster = {name: live(name, 1, 1, {}) for name in ("connect-x", "__consumer_offsets", "stray")}
    assert make_plan(catalog_of(ignore=("connect-*",)), cluster).undeclared == ("stray",)


@pytest.mark.parametrize(
    ("key", "one", "other", "same"),
    [
        ("cleanup.policy", "compact,delete", "delete, compact", True),
        ("cleanup.policy", "compact", "delete", False),
        ("min.cleanable.dirty.ratio", "0.5", "0.50", True),
        ("retention.ms", "0604800000", "604800000", True),
        ("preallocate", "True", "true", True),
        ("compression.type", "LZ4", "lz4", False),
        ("retention.ms", None, "1", False),
    ],
)
def test_same_value(key: str, one: str | None, other: str, same: bool) -> None:
    assert same_value(key, one, other) is same


@pytest.mark.parametrize(
    ("key", "old", "new", "risk"),
    [
        ("retention.ms", "2", "1", Risk.RETENTION),
        ("retention.ms", "1", "2", None),
        ("retention.ms", "-1", "1", Risk.RETENTION),
        ("retention.ms", "1", "-1", None),
        ("retention.ms", "1", None, Risk.RETENTION),
        ("retention.bytes", "-1", "1", Risk.RETENTION),
        ("cleanup.policy", "delete", "compact", Risk.RETENTION),
        ("remote.storage.enable", "true", "false", Risk.RETENTION),
        ("min.insync.replicas", "2", "1", Risk.DURABILITY),
        ("min.insync.replicas", "2", None, Risk.DURABILITY),
        ("min.insync.replicas", "1", "2", None),
        ("unclean.leader.election.enable", "false", "true", Risk.DURABILITY),
        ("unclean.leader.election.enable", "true", "false", None),
        ("max.message.bytes", "5242880", "1024", Risk.REJECTION),
        ("max.message.bytes", "1024", "5242880", None),
        ("message.timestamp.after.max.ms", "9223372036854775807", "3600000", Risk.REJECTION),
        ("segment.ms", "2", "1", None),
    ],
)
def test_what_a_setting_risks(key: str, old: str | None, new: str | None, risk: Risk | None) -> None:
    assert config_risks(key, old, new) == ({risk} if risk else set())


def test_asking_for_all_replicas_loses_nothing() -> None:
    (change,) = plan_one(
        Topic("a", 3, 1, {"min.insync.replicas": "1"}, PLACE), live("a", 3, 1, {"min.insync.replicas": "2"})
    ).changes
    assert change.risks == frozenset()
    (change,) = plan_one(
        Topic("a", 3, 2, {"min.insync.replicas": "1"}, PLACE), live("a", 3, 2, {"min.insync.replicas": "2"})
    ).changes
    assert change.risks == {Risk.DURABILITY}


def test_more_replicas_in_sync_than_there_are_is_impossible() -> None:
    topic = Topic("a", 3, None, {"min.insync.replicas": "2"}, PLACE)
    (change,) = plan_one(topic, live("a", 3, 1, {})).changes
    assert "min.insync.replicas 2 is more than the 1 replica" in change.impossible
    (create,) = make_plan(catalog_of(topic), {}, default_replication=1).changes
    assert create.impossible
    (create,) = make_plan(catalog_of(topic), {}).changes
    assert not create.impossible  # what the broker gives it is not known
