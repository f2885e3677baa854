"""What lag makes of verdicts, on made-up facts: order, thresholds, time behind, reasons, advice, and what changed."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from kafkactl.catalog.model import Catalog, Position, Service, Topic
from kafkactl.groups.advice import advice
from kafkactl.groups.history import WINDOW, History, VerdictChange, changes, sparkline, states
from kafkactl.groups.lag import behind, lag_of, worst_spots
from kafkactl.groups.model import Group, Member, Partition, Sample, Waiting
from kafkactl.groups.observation import Observation
from kafkactl.groups.reasons import reason, word
from kafkactl.groups.report import GroupLine, Thresholds, absent, make_report, thresholds
from kafkactl.groups.verdict import VERDICTS, judge_group
from kafkactl.text.remedies import Advice
from kafkactl.text.words import age
from kafkactl.topics import Place, in_short
from kafkactl.view import group_table
from tests.test_groups import LONG, OWNER, SHORT, group, groups, one, steadily

NOW = 1_000_000_000


def line(
    now: Group, before: Group | None = None, seconds: float = 0.0, limit: int = 1_000, restless: bool = False
) -> GroupLine:
    unrest = ({now.id: 9}, {now.id: 4}) if restless else ({}, {})
    then = Sample(NOW - int(seconds * 1000), (before,)) if before else None
    commits = {now.id: steadily(before, now, min(seconds, 100))} if before else {}
    return make_report(Observation(Sample(NOW, (now,)), then, 10, *unrest, commits), None, limit).lines[0]


def topic(name: str, *consumers: str, threshold: int | None = None) -> Topic:
    return Topic(name, 1, 1, {}, Position("topics.yaml", 1, 1), consumers=consumers, lag_threshold=threshold)


def catalog(*topics: Topic, **services: int | None) -> Catalog:
    known = {name: Service(name, f"{name}-group", lag_threshold=limit) for name, limit in services.items()}
    return Catalog(Path("topics.yaml"), {topic.name: topic for topic in topics}, services=known)


@given(groups(), st.none() | groups(), st.floats(0, 3_600), st.integers(0, 5_000), st.booleans())
def test_every_line_can_be_told_whatever_the_facts(
    now: Group, before: Group | None, seconds: float, limit: int, restless: bool
) -> None:
    found = line(now, before, seconds, limit, restless)
    assert found.behind is None or found.behind >= 0
    assert word(found)
    assert "None" not in reason(found)
    for remedy in advice(found):
        assert "None" not in remedy.text
        assert isinstance(remedy, Advice) or remedy.words[0] == "kafkactl"
    document = group_table.line_document(found, NOW, partitions=True)
    assert document["lag"] is None or document["lag"] >= 0
    assert len(group_table.group_cells(found, True)) == len(group_table.group_columns(True))


@given(st.lists(groups(), max_size=6))
def test_the_worst_comes_first(found: list[Group]) -> None:
    named = tuple(replace(group, id=f"g{number}") for number, group in enumerate(found))
    told = make_report(Observation(Sample(NOW, named)), None, 1_000).lines
    ranks = [(("error", "warning", "ok").index(line.level), -VERDICTS.index(line.judged.verdict)) for line in told]
    assert ranks == sorted(ranks)
    assert {line.group.id for line in told} == {group.id for group in named}


@given(groups(), st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_higher_threshold_never_fails_more(now: Group, one_limit: int, other: int) -> None:
    low, high = sorted((one_limit, other))
    assert bool(line(now, limit=high).passed) <= bool(line(now, limit=low).passed)
    assert bool(line(now, limit=low).passed) == (judge_group(now).lag > low)


def test_thresholds_of_topics_of_groups_and_typed() -> None:
    declared = catalog(topic("t", threshold=5), topic("u"), analytics=50)
    limits = thresholds(declared, None)
    assert limits == Thresholds(1_000, {"analytics-group": 50}, {"t": 5})
    assert thresholds(declared, 7) == Thresholds(7)
    assert thresholds(None, None) == Thresholds(1_000)
    both = Group(
        "analytics-group",
        "Empty",
        partitions=(one(94), structs.replace(one(40), topic="u"), structs.replace(one(80), id=1)),
    )
    judged = judge_group(both)
    assert limits.passed(judged) == (("t", 26, 5), ("", 60, 50))
    assert limits.passed(replace(judged, group="another")) == (("t", 26, 5),)


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        (one(100), 0.0),  # idle, whatever the age of its last record
        (one(40, waiting=Waiting(40, NOW - 90_000)), 90.0),
        (one(40, waiting=Waiting(40, NOW + 90_000)), 0.0),  # a producer's clock that runs ahead
        (one(40, waiting=Waiting(40, None)), None),
        (one(40, waiting=Waiting()), 0.0),  # markers
        (one(40), None),
        (one(None), None),
    ],
)
def test_how_far_behind_in_time(partition: Partition, expected: float | None) -> None:
    assert behind(partition, lag_of(partition), NOW) == expected


def test_a_group_is_behind_as_its_worst_partition_and_admits_what_was_not_looked_at() -> None:
    seen, unseen = one(40, waiting=Waiting(40, NOW - 5_000)), structs.replace(one(50), id=1)
    told = line(Group("g", "Empty", partitions=(seen, unseen)))
    assert (told.behind, told.all_known) == (5.0, False)
    assert group_table.group_cells(told, False)[2] == "≥ 5s"


def test_the_largest_lag_of_each_group_is_looked_at_first() -> None:
    a = Group("a", "Stable", partitions=(one(90), structs.replace(one(20), id=1)))
    b = Group("b", "Stable", partitions=(one(90), structs.replace(one(50), id=1)))
    assert worst_spots(Sample(NOW, (a, b))) == [(("t", 1), 20), (("t", 1), 50), (("t", 0), 90)]


M2 = Member("m-2", "app-2", "10.0.0.2", None, (("t", 1),))
M3 = Member("m-3", "app-3", "10.0.0.3", None, (("t", 2),))


def three(*committed: int, end: int = 100_000) -> tuple[Partition, ...]:
    return tuple(structs.replace(one(offset, end=end), id=id) for id, offset in enumerate(committed))


def slow(*members: Member) -> GroupLine:
    """120/s arrive in three partitions, 80/s are read, over ten seconds."""
    now = Group("g", "Stable", "classic", "range", 1, members, three(267, 267, 266))
    before = replace(now, partitions=three(0, 0, 0, end=99_600))
    return line(now, before, SHORT)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            (replace(OWNER, assigned=(("t", 0),)), M2, M3),
            "It reads 80/s of t, but 120/s arrive, with 3 members on 3 partitions: a fourth would be idle. Make the "
            "handler faster, or first raise t to 6 partitions in topics.yaml (breaks key order) and then run about 5 "
            "members:",
        ),
        (
            (replace(OWNER, assigned=(("t", 0), ("t", 1))), M3),
            "It reads 80/s of t, but 120/s arrive, with 2 members on 3 partitions. Start more members, up to 3; at "
            "this rate about 3 would keep up. Or make the handler faster.",
        ),
    ],
)
def test_slow_is_answered_with_the_guides_remedies_and_figures(members: tuple[Member, ...], words: str) -> None:
    found = slow(*members)
    assert found.judged.verdict == "SLOW"
    assert advice(found)[0].text == words
    assert reason(found) == f"{len(members)} members on 3 partitions of t"


def stuck(committed: Partition, seconds: float, *members: Member) -> GroupLine:
    return line(group(committed, "Stable", *members), group(committed, "Stable", *members), seconds)


def test_each_verdict_has_its_reason_and_its_command() -> None:
    stalled = stuck(one(40, waiting=Waiting(42, NOW)), LONG, OWNER)
    assert reason(stalled) == "t[0] at 40: no commit in 65 s"
    assert advice(stalled)[1].text == "kafkactl tail t --partition 0 --offset 42 -c 1 --no-follow"
    short = stuck(one(40), SHORT, OWNER)
    assert (word(short), reason(short), advice(short)) == ("ok", "no commit in 10 s", [])
    rewound = line(group(one(30), "Stable", OWNER), group(one(40), "Stable", OWNER), SHORT)
    assert reason(rewound) == "t[0] went back by 10 offsets"
    lost = line(group(one(10, 30), "Stable", OWNER))
    assert (word(lost), reason(lost)) == ("OUT OF RANGE", "up to 20 records deleted unread from t[0]")
    assert advice(lost)[1].text == "kafkactl groups reset g --topic t --partition 0 --to-earliest"
    ahead = line(group(one(110), "Stable", OWNER))
    assert reason(ahead) == "t[0]: committed 110, but the log ends at 100"
    stopped = line(group(one(99), "Empty"))
    assert advice(stopped)[0].text.startswith("Up to 1 record waits, but the group has no members")
    elsewhere = line(group(one(40), "Stable", Member("m", "c", "h", None, (("other", 0),))))
    assert reason(elsewhere) == "no member reads t[0]"
    assert advice(elsewhere)[1].text == "kafkactl groups delete-offsets g t"
    restless = line(group(one(40), "PreparingRebalance", OWNER), restless=True)
    assert (word(restless), restless.level) == ("REBALANCING", "error")
    once = line(group(one(40), "PreparingRebalance", OWNER))
    assert (word(once), once.level) == ("REBALANCING", "warning")
    gone = line(group(structs.replace(one(40, None, None), gone=True), "Empty"))
    assert reason(gone) == "t[0] is gone"
    assert Sample(0, (gone.group,)).gaps() == []
    silent = line(group(one(40, None, None), "Empty"))
    assert reason(silent) == "no response from the leader of t[0]"
    assert Sample(0, (silent.group,)).gaps() == ["no response from the leader of 1 partition"]
    uncommitted = line(group(one(None), "Stable", OWNER))
    assert reason(uncommitted) == "no commit yet in 1 of 1 partition"
    assert group_table.group_cells(uncommitted, False)[1:3] == [None, None]  # that is not zero
    assert reason(line(group(one(None, 0, 0), "Stable", OWNER))) == ""  # there is nothing to commit


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (one(40, end=5_000), None, "To see whether it falls behind, catches up or is stuck, take a sample:"),
        (one(400, end=5_000), one(40, end=4_900), "It is catching up: 36/s out, 10/s in. Wait."),
        (one(41, end=5_000), one(31, end=4_990), "Its lag hardly changes: 1/s out, 1/s in."),
        (
            one(140, end=5_000),
            one(40, end=3_500),
            "It falls behind: 10/s out, 150/s in. It is SLOW once more waits in a partition than arrives there in",
        ),
        (
            one(40, end=5_000),
            one(40, end=4_990),
            "It may commit only every 60 s. To see whether it falls behind, catches up or is stuck, take a longer",
        ),
    ],
)
def test_a_lag_above_the_threshold_is_put_in_its_place(now: Partition, before: Partition | None, words: str) -> None:
    was = group(before, "Stable", OWNER) if before else None
    found = line(group(now, "Stable", OWNER), was, SHORT if before else 0)
    assert (word(found), found.level) == ("above 1,000", "error")
    assert advice(found)[0].text.startswith(words)


def test_a_hostile_name_is_quoted_in_commands() -> None:
    hostile = replace(group(one(40), "Empty"), id="g; reboot")
    assert advice(line(hostile))[1].text == "kafkactl groups delete 'g; reboot'"


def test_declared_consumers_that_are_not_there_and_none_where_nobody_knows() -> None:
    declared = catalog(topic("t", "analytics", "*"), topic("u", "analytics", "risk"), analytics=None)
    there = Sample(NOW, (replace(group(one(1)), id="risk-group"),))
    assert absent(declared, there) == [("analytics-group", ("analytics",), ("t", "u"), "")]
    shared = replace(there, others={"analytics-group": "share group"})
    assert [entry.kind for entry in absent(declared, shared)] == ["share group"]
    assert absent(declared, replace(there, missing={"list": "a broker is silent"})) == []
    assert absent(None, there) == []


def test_partitions_are_named_by_topic_and_not_all_of_them() -> None:
    assert in_short([Place("t", 2), Place("t", 0), Place("u", 1)]) == "t[0,2], u[1]"
    assert in_short([Place(topic, 0) for topic in "abcd"]) == "a[0], b[0] and 2 more topics"
    assert in_short([Place("t", id) for id in range(9)]) == "t[0,1,2,3,4,5…]"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (372, "6m 12s"), (11_100, "3h 5m"), (180_000, "2d 2h"), (86_400, "1d")],
)
def test_durations(seconds: float, text: str) -> None:
    assert age(seconds) == text


def look(history: History, second: float, found: Group) -> Observation:
    return history.add(Sample(NOW + int(second * 1000), (found,)))


def test_looks_that_follow_one_another_find_who_is_stuck_only_after_a_commit_interval() -> None:
    history, stuck = History(), group(one(40), "Stable", OWNER)
    verdicts = {second: look(history, second, stuck).verdicts[0].verdict for second in range(0, 91, 2)}
    assert [second for second, verdict in verdicts.items() if verdict == "STALLED"] == list(range(62, 91, 2))
    assert history.lags("g")[-1] == 60
    moved = look(history, 92, group(one(41), "Stable", OWNER))
    assert moved.verdicts[0].verdict == "OK"
    assert moved.seconds <= WINDOW + 5


@given(st.lists(st.tuples(st.floats(0.5, 30), groups()), max_size=30))
def test_whatever_is_seen_one_after_the_other_is_judged_over_a_bounded_time(looks: list[tuple[float, Group]]) -> None:
    history, second = History(), 0.0
    for pause, found in looks:
        second += pause
        observed = look(history, second, found)
        assert 0 <= observed.seconds <= WINDOW + 30 + 5
        assert observed.verdicts[0].lag >= 0
        assert math.isfinite(observed.verdicts[0].lag)


def test_what_changed_between_two_looks() -> None:
    told = make_report(Observation(Sample(NOW, (group(one(40, end=5_000), "Empty"),))), None, None)
    assert states(told) == {"g": "STOPPED, above 1,000"}
    old, new = {"a": "ok", "b": "SLOW", "c": "ok"}, {"a": "ok", "b": "ok", "d": "STOPPED"}
    assert changes(old, new) == [
        VerdictChange("b", "SLOW", "ok"),
        VerdictChange("c", "ok", ""),
        VerdictChange("d", "", "STOPPED"),
    ]


@given(st.lists(st.integers(0, 10**9), max_size=40))
def test_a_sparkline_has_a_mark_for_each_value_and_the_highest_for_the_largest(values: Sequence[int]) -> None:
    drawn = sparkline(values)
    assert len(drawn) == len(values)
    assert not any(values) or drawn[values.index(max(values))] == "█"
