"""What the doctor's KD6 make of groups, on made-up facts."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import codes
from kafkactl.doctor.diagnosis import Diagnosis, diagnose
from kafkactl.doctor.facts import (
    BrokerFacts,
    ClusterFacts,
    DeclaredTopic,
    Dial,
    Facts,
    PartitionFacts,
    TopicFacts,
    dump_facts,
    load_facts,
)
from kafkactl.groups.model import Group, Member, Partition, Sample, Waiting
from kafkactl.groups.observation import Observation
from tests.test_groups import LONG, OWNER, SHORT, group, one, steadily


def examined(observation: Observation | None, *, declared: Sequence[DeclaredTopic] = (), records: int = 0) -> Diagnosis:
    brokers = (BrokerFacts(1, Dial("h", 1, "kafka")),)
    partitions = (PartitionFacts(0, 1, (1,), (1,), 0, records),)
    cluster = ClusterFacts("", "KRaft", brokers, tuple(TopicFacts(topic.name, partitions) for topic in declared))
    missing = {} if observation else {"groups": "no permission"}
    facts = Facts(0, "", (), cluster=cluster, declared=tuple(declared), groups=observation, missing=missing)
    wanted = [code for code in codes() if code.startswith("KD6")]
    return diagnose(facts, codes(), CHECKS, wanted=wanted)


def seen(*found: Group, before: Group | None = None, seconds: float = 0, **missing: str) -> Observation:
    now = Sample(int(seconds * 1000), found, missing)
    commits = {found[0].id: steadily(before, found[0], seconds)} if before else {}
    return Observation(now, Sample(0, (before,)) if before else None, int(seconds * 2), commits=commits)


def told(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    assert not diagnosis.states("crashed"), diagnosis.states("crashed")
    return [(found.code, found.severity) for found in diagnosis.findings("error", "warning", "info")]


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (group(one(100), "Stable", OWNER), None, []),
        (group(one(10, 20), "Stable", OWNER), None, [("KD601", "error")]),
        (group(one(10, 100), "Empty"), None, [("KD601", "error")]),
        (group(one(110), "Stable", OWNER), None, [("KD602", "error")]),
        (group(one(10, 0, 0), "Empty"), None, [("KD602", "error")]),
        (group(one(10), "Empty"), None, [("KD603", "warning")]),
        (group(one(10), "Stable", replace(OWNER, assigned=(("t", 1),))), None, [("KD603", "warning")]),
        (group(one(10), "Stable", replace(OWNER, assigned=(("other", 1),))), None, [("KD603", "info")]),
        (group(one(10), "Stable", OWNER), one(10), [("KD604", "error")]),
        (group(one(11), "Stable", OWNER), one(10), []),
        (group(one(10), "Stable", OWNER, Member("m-2", "app-2", "h")), None, [("KD606", "info")]),
        (group(one(10), "PreparingRebalance", Member("m-2", "app-2", "h")), None, []),
    ],
)
def test_what_the_doctor_says_of_a_group(now: Group, before: Partition | None, expected: list[tuple[str, str]]) -> None:
    was = replace(now, partitions=(before,)) if before else None
    assert told(examined(seen(now, before=was, seconds=LONG if was else 0))) == expected


def test_a_remedy_names_the_group_the_topic_and_the_record_it_is_stuck_on() -> None:
    now = group(one(40, waiting=Waiting(42, 0)), "Stable", OWNER)
    was = group(one(40), "Stable", OWNER)
    (found,) = examined(seen(now, before=was, seconds=LONG)).findings("error")
    assert found.headline == "app-1 of g is stuck at t[0]: no commit in 65 s, up to 60 records wait."
    assert found.heal[0].text == "kafkactl tail t --partition 0 --offset 42 -c 1 --no-follow"
    assert found.evidence == (("seen", "t[0]: committed 40; the log spans 0 to 100"), ("owner", "m-1 at 10.0.0.1"))


def test_without_a_sample_trends_are_skipped_and_too_short_a_one_claims_nothing() -> None:
    stuck = group(one(40), "Stable", OWNER)
    skipped = {result.code: result.reason for result in examined(seen(stuck)).states("skipped")}
    assert skipped == dict.fromkeys(("KD604", "KD605", "KD608"), "no sample taken")
    short = examined(seen(stuck, before=stuck, seconds=SHORT))
    assert told(short) == []
    assert [result.code for result in short.states("skipped")] == ["KD604"]


@pytest.mark.parametrize(("looks", "begun", "found"), [(10, 1, True), (6, 3, True), (9, 2, False), (1, 1, False)])
def test_a_group_that_never_settles(looks: int, begun: int, found: bool) -> None:
    now = group(one(40), "PreparingRebalance", replace(OWNER, assigned=()))
    observation = Observation(Sample(10_000, (now,)), Sample(0, (now,)), 20, {"g": looks}, {"g": begun})
    assert (told(examined(observation)) == [("KD605", "error")]) is found


def test_falling_behind_is_answered_with_the_guides_remedies() -> None:
    now, was = group(one(500, end=10_000), "Stable", OWNER), group(one(0, end=9_000), "Stable", OWNER)
    # Its lag is above the threshold, as lag says, too: an error.
    (found,) = examined(seen(now, before=was, seconds=10)).findings("error")
    assert found.headline == "g falls behind in t[0]: 100/s arrive, it reads 50/s, and up to 9,500 records wait."
    assert found.heal[0].text == (
        "It reads 50/s of t, but 100/s arrive, with 1 member on 1 partition: a second would be idle. Make the handler "
        "faster, or first raise t to 2 partitions in topics.yaml (breaks key order) and then run about 2 members:"
    )
    assert found.heal[1].text == "kafkactl init-topics --allow partitions"


def test_declared_consumers_without_a_group() -> None:
    declared = [DeclaredTopic("t", 1, 1, {"analytics": "analytics-group"})]
    nobody, here = seen(), seen(replace(group(one(100), "Stable", OWNER), id="analytics-group"))
    assert told(examined(nobody, declared=declared)) == [("KD607", "info")]
    (found,) = examined(nobody, declared=declared, records=1).findings("warning")
    assert found.headline == (
        "analytics is declared to read t, which holds up to 1 record, but group analytics-group does not exist."
    )
    assert told(examined(here, declared=declared, records=1)) == []


def test_partial_answers_are_said_and_nothing_is_called_well() -> None:
    declared = [DeclaredTopic("t", 1, 1, {"analytics": "analytics-group"})]
    partial = examined(seen(group(one(100), "Stable", OWNER), list="a broker is silent"), declared=declared, records=5)
    assert told(partial) == []
    skipped = {result.code: result.reason for result in partial.states("skipped")}
    for code in ("KD601", "KD602", "KD603", "KD606", "KD607"):
        assert skipped[code] == "only some groups could be read: a broker is silent"
    # What is known to be wrong is told nevertheless.
    assert told(examined(seen(group(one(10, 20), "Stable", OWNER), list="a broker is silent"))) == [("KD601", "error")]
    assert {result.reason for result in examined(None).states("skipped")} == {"no permission"}


def test_a_state_the_model_does_not_know_is_no_facts_file() -> None:
    text = dump_facts(Facts(0, "", (), groups=seen(group(one(1), "Stable"))))
    with pytest.raises(ValueError, match="Invalid enum value 'Stale'"):
        load_facts(text.replace(b'"Stable"', b'"Stale"'))
    assert msgspec.json.decode(text)["groups"]["now"]["groups"][0]["state"] == "Stable"
