"""The doctor's codes, remedies and judgement, on made-up facts; its checks are proven in tests/lab."""

import re
import string
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import CATEGORIES, WHY_MISSING, Check, Code, Finding, NotApplicableError, codes
from kafkactl.doctor.diagnosis import Diagnosis, Ignored, diagnose
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
from kafkactl.text.remedies import Advice, Command, command, filled, kafkactl, parse_command, with_flags
from kafkactl.view.diagnosis_report import show_diagnosis
from kafkactl.view.formats import DoctorFormat
from tests.conftest import Outcome

Kafkactl = Callable[..., Outcome]
LAB = Path(__file__).parent / "lab"
PROVOKED = {
    code for path in LAB.glob("test_*.py") for code in re.findall(r'provokes\(\s*"(KD\d{3})"', path.read_text("utf-8"))
}


# The codes


@pytest.mark.parametrize("name", codes())
def test_every_code_is_whole(name: str) -> None:
    code = codes()[name]
    assert re.fullmatch(r"KD\d{3}", name)
    assert name[:3] in CATEGORIES
    assert re.fullmatch(r"[a-z0-9-]+", code.slug)
    assert code.title
    assert not code.title.endswith(".")
    assert code.says.endswith((".", "}"))
    assert code.explain.strip().endswith(".")
    assert code.heal
    assert name in CHECKS
    assert set(code.reasons) <= codes().keys()


@pytest.mark.parametrize("name", codes())
def test_every_code_is_provoked_in_the_laboratory(name: str) -> None:
    assert name in PROVOKED


def test_slugs_are_unique_and_every_check_has_a_code() -> None:
    assert len({code.slug for code in codes().values()}) == len(codes())
    assert CHECKS.keys() == codes().keys()


def test_what_explains_what_has_no_circle() -> None:
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join((*above, name))
        if name not in done:
            for earlier in codes()[name].reasons:
                visit(earlier, (*above, name))
            done.add(name)

    for name in codes():
        visit(name, ())


@pytest.mark.parametrize("name", codes())
def test_a_remedy_is_a_command_or_advice(name: str) -> None:
    from kafkactl.cli import COMMANDS

    for remedy in codes()[name].remedies:
        if isinstance(remedy, Command) and remedy.words[0] == "kafkactl":
            assert remedy.words[1] in COMMANDS
            assert "…" not in remedy.text
            assert not re.search(r"\b[A-Z]{4,}\b", remedy.text), "a placeholder cannot be run"


# Remedies


def test_a_commands_words_are_quoted_once() -> None:
    hostile = kafkactl("groups delete", "g; reboot", options=["-b", "h:1"])
    assert hostile.text == "kafkactl groups delete 'g; reboot' -b h:1"
    assert parse_command("docker stop a && docker start b").text == "docker stop a && docker start b"
    assert command("sleep", "3").then(command("docker", "start", "a b", note="now")) == Command(
        ("sleep", "3", "&&", "docker", "start", "a b"), "now"
    )


def test_names_that_begin_with_a_dash_go_behind_two() -> None:
    assert kafkactl("tail", "-x", options=["-n", "5"]).text == "kafkactl tail -n 5 -- -x"


def test_values_fill_words_and_make_no_new_ones() -> None:
    found = filled(parse_command("kafkactl tail {topic} -n 5", "shows {topic}"), {"topic": "a b"})
    assert found == Command(("kafkactl", "tail", "a b", "-n", "5"), "shows a b")
    assert filled(Advice("repair {topic}"), {"topic": "a b"}) == Advice("repair a b")


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("kafkactl diff", "kafkactl diff -b h:1"),
        ("kafkactl tail t -n 5", "kafkactl tail -b h:1 t -n 5"),
        ("kafkactl groups delete g", "kafkactl groups delete -b h:1 g"),
        ("kafkactl sandbox up --port 9", "kafkactl sandbox up --port 9"),
        ("kafkactl doctor -b x:2", "kafkactl doctor -b x:2"),
        ("docker stop a && kafkactl diff", "docker stop a && kafkactl diff -b h:1"),
        ("docker compose up -d", "docker compose up -d"),
    ],
)
def test_commands_reach_the_cluster_as_it_was_reached(text: str, flagged: str) -> None:
    assert with_flags(parse_command(text, "a note"), ["-b", "h:1"]) == parse_command(flagged, "a note")
    assert with_flags(parse_command(text), []) == parse_command(text)
    assert with_flags(Advice("use kafkactl diff"), ["-b", "h:1"]) == Advice("use kafkactl diff")


# The judge, on codes and checks of its own


def code(**fields: object) -> Code:
    texts = {"slug": "s", "severity": "error", "title": "T", "says": "{target} is bad.", "heal": ("do it",)}
    return Code(**{**texts, "explain": "E.", **fields})  # type: ignore[arg-type]


def finds(*targets: str, **fields: object) -> Check:
    def check(_: Facts) -> Iterator[Finding]:
        for target in targets:
            yield Finding(target, **fields)  # type: ignore[arg-type]

    return check


def crashes(_: Facts) -> Iterator[Finding]:
    raise ZeroDivisionError("by nothing")
    yield


NOTHING = Facts(0, "The address comes from KAFKA_BROKERS.", (Dial("h", 1, "kafka"),))


def judged(entries: dict[str, Code], found: dict[str, Check], facts: Facts = NOTHING, **wishes: object) -> Diagnosis:
    return diagnose(facts, entries, found, **wishes)  # type: ignore[arg-type]


def states(found: Diagnosis) -> dict[str, tuple[str, str]]:
    return {result.code: (result.state, result.because) for result in found.results}


CHAIN = {"KD301": code(), "KD302": code(after=("KD301",)), "KD303": code(after=("KD302",)), "KD304": code()}


def test_what_a_failed_check_explains_is_skipped_because_of_it() -> None:
    found = judged(CHAIN, dict.fromkeys(CHAIN, finds("x")) | {"KD304": finds()})
    assert states(found) == {
        "KD301": ("found", ""),
        "KD302": ("skipped", "KD301"),
        "KD303": ("skipped", "KD301"),
        "KD304": ("passed", ""),
    }
    assert found.headline
    assert found.headline.code == "KD301"
    assert found.explained_by("KD301") == ["KD302", "KD303"]
    assert all(result.reason for result in found.states("skipped"))


def test_what_is_found_of_another_target_is_told() -> None:
    entries = {"KD605": code(), "KD608": code(same=("KD605",))}
    for targets, state in ((("g",), ("skipped", "KD605")), (("g", "h"), ("found", "")), ((), ("passed", ""))):
        found = judged(entries, {"KD605": finds("g"), "KD608": finds(*targets)})
        assert states(found)["KD608"] == state
        assert [told.target for told in found.findings("error")] == ["g", *(t for t in targets if t == "h")]


def test_an_error_that_nothing_explains_is_told_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    entries = {
        "KD101": code(heal=("start {target}",)),
        "KD504": code(heal=("kafkactl describe {target}    shows it",)),
        "KD505": code(heal=("wait",), severity="warning"),
    }
    found = judged(entries, {"KD101": finds("kafka"), "KD504": finds("payment.created"), "KD505": finds("x")})
    show_diagnosis(found, DoctorFormat.TABLE, 0.5)
    assert capsys.readouterr().out.splitlines()[2:-2] == [
        "  fix        start kafka",
        "",
        "  also       error KD504: payment.created is bad.",
        "             kafkactl describe payment.created    shows it",
        "  also       warning KD505: x is bad.",
        "             wait",
    ]


@pytest.mark.parametrize("fields", [{"severity": "warning"}, {"blocks": False}])
def test_a_warning_or_a_fault_beside_others_explains_nothing(fields: dict[str, object]) -> None:
    found = judged(CHAIN, dict.fromkeys(CHAIN, finds()) | {"KD301": finds("x", **fields), "KD302": finds("y")})
    assert states(found)["KD302"] == ("found", "")


def test_an_error_leads_and_the_one_that_explains_most_of_them() -> None:
    entries = {"KD201": code(severity="warning"), "KD202": code(), **CHAIN}
    found = judged(entries, dict.fromkeys(entries, finds("x")))
    assert [told.code for told in found.findings("error", "warning")] == ["KD301", "KD202", "KD304", "KD201"]


def test_the_missing_part_is_the_reason_where_no_code_explains_it() -> None:
    entries = {"KD306": code(), "KD501": code(needs=("cluster",))}
    checks = {"KD306": finds(), "KD501": finds("x")}
    assert "KD306" in WHY_MISSING["cluster"]
    entries |= {name: code() for name in WHY_MISSING["cluster"] if name not in entries}
    checks |= {name: finds() for name in entries if name not in checks}
    facts = replace(NOTHING, missing={"cluster": "the moon is full"})
    (result,) = [r for r in judged(entries, checks, facts).results if r.code == "KD501"]
    assert (result.state, result.because, result.reason) == ("skipped", "", "the moon is full")
    checks["KD306"] = finds("x")
    assert states(judged(entries, checks, facts))["KD501"] == ("skipped", "KD306")
    assert states(judged(entries, checks))["KD501"] == ("found", "")  # the part is there: nothing is explained away


def test_what_does_not_apply_says_why() -> None:
    def check(_: Facts) -> Iterator[Finding]:
        raise NotApplicableError("one broker")
        yield

    (result,) = judged({"KD511": code()}, {"KD511": check}).results
    assert (result.state, result.reason) == ("skipped", "one broker")


def test_a_crash_is_told_and_the_rest_goes_on() -> None:
    entries = {"KD301": code(), "KD302": code(after=("KD301",))}
    found = judged(entries, {"KD301": crashes, "KD302": finds("x")})
    assert states(found) == {"KD301": ("crashed", ""), "KD302": ("found", "")}
    assert found.states("crashed")[0].reason == "ZeroDivisionError: by nothing"


def test_only_what_is_wanted_and_what_explains_it() -> None:
    checks = dict.fromkeys(CHAIN, finds()) | {"KD301": finds("x"), "KD304": finds("y")}
    assert states(judged(CHAIN, checks, wanted=["KD302"])) == {"KD301": ("found", ""), "KD302": ("skipped", "KD301")}
    checks["KD301"] = finds()
    assert states(judged(CHAIN, checks, wanted=["KD302"])) == {"KD302": ("passed", "")}


@pytest.mark.parametrize(
    ("target", "kept"), [("*", []), ("tmp-*", ["orders"]), ("orders", ["tmp-1", "tmp-2"]), ("ORDERS", None)]
)
def test_ignored_findings_are_counted(target: str, kept: list[str] | None) -> None:
    entries, checks = {"KD503": code()}, {"KD503": finds("orders", "tmp-1", "tmp-2")}
    (result,) = judged(entries, checks, ignored=[Ignored("KD503", target)]).results
    wanted = ["orders", "tmp-1", "tmp-2"] if kept is None else kept
    assert [told.target for told in result.findings] == wanted
    assert result.ignored == 3 - len(wanted)
    assert result.state == ("found" if wanted else "passed")


# The checks, on a whole cluster of made-up facts


def sound() -> Facts:
    dial = Dial("127.0.0.1", 9092, "kafka", "it speaks Kafka")
    brokers = tuple(
        BrokerFacts(id, replace(dial, port=9091 + id), {"replica.fetch.max.bytes": "1048576"}, 10**12, 10**12 // 2)
        for id in (1, 2, 3)
    )
    partitions = tuple(PartitionFacts(i, 1 + i, (1 + i, 1 + (i + 1) % 3), (1, 2, 3)[:2], 0, 10, 5) for i in range(3))
    partitions = tuple(replace(p, isr=p.replicas) for p in partitions)
    config = {"min.insync.replicas": "1", "retention.ms": "604800000", "cleanup.policy": "delete"}
    topic = TopicFacts("a", partitions, config, bytes=1000, last_day=10)
    return Facts(
        taken=1_000_000,
        source="The address comes from KAFKA_BROKERS.",
        bootstrap=(dial,),
        brokers=brokers,
        cluster=ClusterFacts("id", "KRaft", brokers, (topic,), quorum_leader=1),
        declared=(DeclaredTopic("a", 3, 2),),
    )


def real(facts: Facts, **wishes: object) -> Diagnosis:
    return diagnose(facts, codes(), CHECKS, **wishes)  # type: ignore[arg-type]


def test_a_sound_cluster_has_no_finding() -> None:
    found = real(sound())
    assert not found.findings("error", "warning", "info")
    assert len(found.states("passed")) == len(codes()) - len(found.states("skipped"))


def broken() -> Facts:
    facts = sound()
    assert facts.cluster
    (topic,) = facts.cluster.topics
    odd = replace(topic.partitions[0], leader=None, isr=())
    dead = TopicFacts("dlq.x", (PartitionFacts(0, 1, (1,), (1,), 0, 3, 10**15),))
    cluster = replace(facts.cluster, topics=(replace(topic, partitions=(odd, *topic.partitions[1:])), dead))
    return replace(
        facts, cluster=cluster, declared=(DeclaredTopic("a", 9, 2), DeclaredTopic("b", 1, 1)), flags=("-b", "h:1")
    )


@pytest.mark.parametrize("facts", [sound(), broken(), NOTHING])
def test_saved_facts_give_the_same_findings(facts: Facts) -> None:
    again = load_facts(dump_facts(facts))
    assert again == facts
    assert dump_facts(again) == dump_facts(facts)
    assert real(again) == real(facts)


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[1]", b"\xff", b'{"taken": "yesterday"}', dump_facts(replace(NOTHING, schema_version=9))]
)
def test_what_is_no_facts_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        load_facts(text)


def test_every_headline_and_remedy_is_filled_in() -> None:
    for told in real(broken()).findings("error", "warning", "info"):
        for text in (told.headline, *(remedy.text for remedy in told.heal)):
            assert not [name for _, name, _, _ in string.Formatter().parse(text) if name and name.isidentifier()], text
