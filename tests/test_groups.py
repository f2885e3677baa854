"""What the offsets and members of groups mean, on made-up facts: the verdicts."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.doctor.facts import Facts, dump_facts, load_facts
from kafkactl.groups.lag import lag_of, lost_in
from kafkactl.groups.model import CommitLook, Group, Member, Partition, Sample, State, Waiting
from kafkactl.groups.observation import Observation, unrest
from kafkactl.groups.speed import COMMIT_INTERVAL
from kafkactl.groups.verdict import ERRORS, VERDICTS, GroupVerdict, Verdict, doubtful, judge, judge_group
from kafkactl.topics import TopicIdentity

OWNER = Member("m-1", "app-1", "10.0.0.1", None, (("t", 0), ("t", 1), ("t", 2)))
LONG = COMMIT_INTERVAL + 5
SHORT = 10.0

offsets = st.none() | st.integers(0, 2_000)
waitings = st.none() | st.builds(Waiting, st.none() | st.integers(0, 2_000), st.none() | st.integers(0, 10**12))
states: st.SearchStrategy[State] = st.sampled_from(
    ["Stable", "Empty", "Dead", "PreparingRebalance", "CompletingRebalance", "Reconciling", "Unknown"]
)

TRENDS = {"SLOW", "REWOUND", "STALLED"}  # what takes two samples


@st.composite
def groups(draw: st.DrawFn, ids: Sequence[int] = (0, 1, 2)) -> Group:
    """A group of any shape, also of those no broker would tell."""
    partitions = tuple(
        Partition("t", id, draw(offsets), draw(offsets), draw(offsets), draw(offsets), draw(waitings)) for id in ids
    )
    owned = tuple(("t", id) for id in ids if draw(st.booleans()))
    members = (Member("m", "c", "h", None, owned),) if draw(st.booleans()) else ()
    return Group(
        "g", draw(states), "classic", "range", 1, members, partitions, draw(st.sampled_from(["", "no answer"]))
    )


def one(
    committed: int | None,
    first: int | None = 0,
    end: int | None = 100,
    *,
    stable_end: int | None = None,
    waiting: Waiting | None = None,
) -> Partition:
    return Partition("t", 0, committed, first, end, stable_end, waiting)


def group(partition: Partition, state: State = "Stable", *members: Member) -> Group:
    return Group("g", state, "classic", "range", 1, members, (partition,))


def steadily(before: Group, now: Group, seconds: float) -> tuple[CommitLook, ...]:
    """Looks ten times a second at a group that commits all the time."""
    then = {p.place: p.committed for p in before.partitions}
    ends = {
        p.place: (then[p.place], p.committed)
        for p in now.partitions
        if then.get(p.place) is not None and p.committed is not None
    }
    looks = int(seconds * 10)
    return tuple(
        CommitLook(look * 100, tuple((place, a + (b - a) * look // looks) for place, (a, b) in ends.items()))
        for look in range(1, looks)
    )


def verdict(
    now: Partition,
    before: Partition | None = None,
    seconds: float = LONG,
    state: State = "Stable",
    members: Sequence[Member] = (OWNER,),
) -> Verdict:
    found, was = group(now, state, *members), group(before, state, *members) if before else None
    looks = steadily(was, found, seconds) if was else ()
    return judge_group(found, was, seconds, looks).partitions[0].verdict


@given(groups(), st.none() | groups(), st.floats(0, 3_600))
def test_lag_and_loss_are_never_negative(now: Group, before: Group | None, seconds: float) -> None:
    judged = judge_group(now, before, seconds)
    assert judged.lag >= 0
    for partition in judged.partitions:
        assert partition.lag is None or partition.lag >= 0
        assert partition.lost >= 0
        assert partition.drained is None or partition.drained >= 0
        assert partition.still in (0, seconds)


@given(groups(), st.none() | groups(), st.floats(0, 3_600))
def test_a_drained_partition_is_neither_slow_nor_stuck(now: Group, before: Group | None, seconds: float) -> None:
    for partition in judge_group(now, before, seconds).partitions:
        if partition.lag == 0:
            assert partition.verdict not in ("SLOW", "STALLED", "STOPPED", "REBALANCING")


@given(groups())
def test_one_sample_never_claims_a_trend(now: Group) -> None:
    judged = judge_group(now)
    assert {judged.verdict, *(partition.verdict for partition in judged.partitions)}.isdisjoint(TRENDS)
    assert (judged.rate_in, judged.rate_out, judged.drained) == (None, None, None)


@given(groups(), groups(), st.floats(0, COMMIT_INTERVAL))
def test_nobody_is_stuck_within_a_commit_interval(now: Group, before: Group, seconds: float) -> None:
    assert "STALLED" not in [partition.verdict for partition in judge_group(now, before, seconds).partitions]


@given(groups(), groups(), st.floats(0, 3_600), st.permutations([0, 1, 2]))
def test_verdicts_are_stable_under_relabelling(now: Group, before: Group, seconds: float, order: list[int]) -> None:
    def relabelled(group: Group) -> Group:
        return replace(
            group,
            partitions=tuple(
                sorted((msgspec.structs.replace(p, id=order[p.id]) for p in group.partitions), key=lambda p: p.id)
            ),
            members=tuple(
                replace(member, assigned=tuple((topic, order[id]) for topic, id in member.assigned))
                for member in group.members
            ),
        )

    plain, moved = judge_group(now, before, seconds), judge_group(relabelled(now), relabelled(before), seconds)
    assert (plain.verdict, plain.lag, plain.unknown) == (moved.verdict, moved.lag, moved.unknown)
    assert {order[p.partition]: p.verdict for p in plain.partitions} == {
        p.partition: p.verdict for p in moved.partitions
    }


@given(groups(), st.none() | groups(), st.floats(0, 3_600))
def test_a_group_is_as_bad_as_its_worst_partition(now: Group, before: Group | None, seconds: float) -> None:
    judged = judge_group(now, before, seconds)
    worst = max(VERDICTS.index(partition.verdict) for partition in judged.partitions)
    assert VERDICTS.index(judged.verdict) >= worst
    assert judged.verdict in ERRORS or worst <= VERDICTS.index("STOPPED")


@given(groups(), groups(), st.integers(0, 10**12), st.integers(0, 600_000))
def test_facts_survive_being_saved(now: Group, before: Group, taken: int, milliseconds: int) -> None:
    observation = Observation(
        Sample(taken + milliseconds, (now,), {"list": "no answer"}), Sample(taken, (before,)), 3, {"g": 2}, {"g": 1}
    )
    assert observation.verdicts  # also once they have been looked at
    facts = Facts(taken, "a test", (), groups=observation)
    again = load_facts(dump_facts(facts))
    assert again == facts
    assert again.groups is not None
    assert again.groups.verdicts == observation.verdicts


@pytest.mark.parametrize(
    ("partition", "lag", "lost"),
    [
        (one(40), 60, 0),
        (one(100), 0, 0),
        (one(0), 100, 0),
        (one(None), None, 0),  # nothing committed is not zero
        (one(40, None, None), None, 0),  # nobody answered
        (one(40, 70, 100), 30, 30),  # what is gone is lost, and does not wait
        (one(40, 100, 100), 0, 60),
        (one(150), 0, 0),
        (one(40, stable_end=60), 20, 0),  # open transactions do not wait either
        (one(60, stable_end=60), 0, 0),
        (one(80, stable_end=60), 0, 0),  # a reader of what is uncommitted
        (one(99, waiting=Waiting()), 0, 0),  # the marker of a transaction
        (one(40, waiting=Waiting(55, 1)), 60, 0),
    ],
)
def test_lag(partition: Partition, lag: int | None, lost: int) -> None:
    assert (lag_of(partition), lost_in(partition)) == (lag, lost)


@pytest.mark.parametrize(
    ("now", "before", "seconds", "expected"),
    [
        # One sample: states.
        (one(100), None, 0, "OK"),
        (one(40), None, 0, "OK"),  # it may be on its way
        (one(None), None, 0, "UNKNOWN"),  # where it begins is up to its auto.offset.reset
        (one(None, 7, 7), None, 0, "OK"),  # nothing is there
        (one(40, None, None), None, 0, "UNKNOWN"),
        (one(101), None, 0, "AHEAD"),
        (one(80, stable_end=60), None, 0, "OK"),  # not ahead: beyond what is committed, not beyond the end
        (one(10, 11), None, 0, "OUT_OF_RANGE"),
        # Two: trends.
        (one(40), one(40), LONG, "STALLED"),
        (one(40), one(40), SHORT, "OK"),
        (one(40, end=41), one(40, end=40), LONG, "OK"),  # it came a moment ago
        (one(41), one(40), LONG, "OK"),
        (one(100), one(100), LONG, "OK"),
        (one(30), one(40), SHORT, "REWOUND"),
        (one(5, 0, 10), one(40), SHORT, "OK"),  # not rewound: the topic was made anew
        (one(None), one(40), SHORT, "UNKNOWN"),
        (one(40), one(None), LONG, "OK"),
        (one(40, waiting=Waiting()), one(40), LONG, "OK"),
        (one(40, waiting=Waiting(55, 1)), one(40), LONG, "STALLED"),
    ],
)
def test_the_verdict_of_a_partition_with_an_owner(
    now: Partition, before: Partition | None, seconds: float, expected: Verdict
) -> None:
    assert verdict(now, before, seconds) == expected


@pytest.mark.parametrize(
    ("state", "members", "now", "before", "expected"),
    [
        ("Empty", (), one(40), None, "STOPPED"),
        ("Empty", (), one(100), None, "OK"),
        ("Empty", (), one(40), one(40), "STOPPED"),
        ("Empty", (), one(60), one(40), "OK"),  # somebody reads without being a member
        ("Empty", (), one(10, 20), None, "OUT_OF_RANGE"),
        ("Stable", (Member("m", "c", "h"),), one(40), None, "STOPPED"),
        ("PreparingRebalance", (Member("m", "c", "h"),), one(40), None, "REBALANCING"),
        ("CompletingRebalance", (), one(40), one(40), "REBALANCING"),
        ("Reconciling", (OWNER,), one(40), one(40), "REBALANCING"),
        ("PreparingRebalance", (), one(100), None, "OK"),
        ("Unknown", (), one(40), None, "UNKNOWN"),
    ],
)
def test_the_verdict_follows_the_state_of_the_group(
    state: State, members: tuple[Member, ...], now: Partition, before: Partition | None, expected: Verdict
) -> None:
    assert verdict(now, before, LONG, state, members) == expected


def test_slow_is_more_than_a_consumer_that_keeps_up_has_yet_to_commit() -> None:
    # 100/s arrive and 50/s are read, for 10 s.
    assert verdict(one(500, end=10_000), one(0, end=9_000), SHORT) == "SLOW"
    assert verdict(one(8_000, end=10_000), one(7_500, end=9_000), SHORT) == "OK"
    assert verdict(one(2_000, end=10_000), one(0, end=9_000), SHORT) == "OK"  # it catches up


def test_rates_and_the_time_until_nothing_waits() -> None:
    def judged(offset: int, looks: bool = True) -> GroupVerdict:
        now, before = group(one(offset, end=4_000), "Stable", OWNER), group(one(0, end=2_000))
        return judge_group(now, before, 10, steadily(before, now, 10) if looks else ())

    (partition,) = judged(3_000).partitions
    assert (partition.rate_in, partition.rate_out) == (200, 300)
    assert judged(3_000).drained == partition.drained == pytest.approx(10, rel=0.05)
    assert judged(500).drained == math.inf
    assert judged(500, looks=False).drained is None  # one commit was seen: it may commit rarely


def test_a_group_that_did_not_answer_is_unknown_and_a_rebalancing_one_says_so() -> None:
    assert judge_group(Group("g", "Unknown", missing="commits: no answer in time")).verdict == "UNKNOWN"
    assert judge_group(Group("g", "PreparingRebalance")).verdict == "REBALANCING"
    assert judge_group(Group("g", "Empty")).verdict == "OK"


def test_a_sample_is_compared_with_the_one_before_by_name() -> None:
    before = Sample(0, (replace(group(one(10), "Stable", OWNER), id="a"), group(one(40), "Stable", OWNER)))
    now = Sample(61_000, (group(one(40), "Stable", OWNER), replace(group(one(40), "Stable", OWNER), id="new")))
    assert [(judged.group, judged.verdict) for judged in judge(now, before)] == [("g", "STALLED"), ("new", "OK")]


@given(groups(), groups(), st.integers(1, 600))
def test_a_topic_that_was_recreated_is_compared_with_nothing(now: Group, before: Group, seconds: int) -> None:
    """It is its id, not its name: what its namesake held says nothing about it."""
    then = Sample(0, (before,), topics={"t": TopicIdentity("old", 3)})
    (judged,) = judge(Sample(seconds * 1000, (now,), topics={"t": TopicIdentity("new", 3)}), then)
    assert (judged.verdict, judged.rate_out) == (judge_group(now).verdict, None)
    (same,) = judge(Sample(seconds * 1000, (now,), topics={"t": TopicIdentity("", 3)}), then)  # not known
    assert same == judge_group(now, before, seconds)


def test_a_look_at_the_record_is_taken_only_where_nothing_moves_and_the_shortest_way_first() -> None:
    partitions = (Partition("t", 0, 10, 0, 100), Partition("t", 1, 98, 0, 100), Partition("t", 2, 100, 0, 100))
    stopped = Group("g", "Empty", partitions=partitions)
    assert doubtful(Sample(0, (stopped,))) == [(("t", 1), 98), (("t", 0), 10)]
    assert doubtful(Sample(0, (replace(stopped, state="Stable", members=(OWNER,)),))) == []


def test_how_restless_a_group_was() -> None:
    a, b = frozenset({"a"}), frozenset({"a", "b"})
    assert unrest([a, b, frozenset(), a]) == ({"a": 3, "b": 1}, {"a": 2, "b": 1})


def test_a_thousand_random_groups_are_judged_one_by_one_as_all_at_once() -> None:
    chance = random.Random(1)
    found = [
        Group(
            f"g{number}",
            "Stable" if chance.random() < 0.7 else "Empty",
            partitions=tuple(Partition("t", id, chance.randrange(90), chance.randrange(50), 100) for id in range(3)),
        )
        for number in range(1_000)
    ]
    assert [judged.verdict for judged in judge(Sample(0, tuple(found)))] == [judge_group(g).verdict for g in found]
