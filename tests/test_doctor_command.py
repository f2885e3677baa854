"""kafkactl doctor as it is typed: its formats, exit codes, saved facts, waiting and healing."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import codes
from kafkactl.doctor.facts import Facts, dump_facts
from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome, create
from tests.lab import faults
from tests.sandboxes import free_port
from tests.test_doctor import broken, crashes, sound

Kafkactl = Callable[..., Outcome]
FORMATS = ("table", "short", "json", "junit", "github")


@pytest.fixture
def facts_file(tmp_path: Path) -> Callable[[Facts], str]:
    def write(facts: Facts) -> str:
        (tmp_path / "facts.json").write_bytes(dump_facts(facts))
        return str(tmp_path / "facts.json")

    return write


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("facts", "flags", "exit_code"),
    [
        (sound(), (), 0),
        (broken(), (), 1),
        (broken(), ("KD512",), 0),
        (broken(), ("KD512", "--fail-on", "warn"), 1),
        (broken(), ("KD512", "--fail-on", "warn", "--ignore", "KD512=dlq.*"), 0),
    ],
)
def test_exit_codes_are_the_same_in_every_format(
    facts: Facts, flags: tuple[str, ...], exit_code: int, form: str, kafkactl: Kafkactl, facts_file: Callable[..., str]
) -> None:
    run = kafkactl("doctor", *flags, "--from", facts_file(facts), "-o", form)
    assert run.code == exit_code, run.text
    assert run.err == ""
    if form == "json":
        assert json.loads(run.out)["schema_version"] == 1
    if form == "junit":
        assert ET.fromstring(run.out).get("name") == "kafkactl doctor"
    if form in ("short", "github") and exit_code == 0 and not flags:
        assert run.out == ""


@pytest.mark.parametrize("form", FORMATS)
def test_a_crash_is_exit_code_3_in_every_format(
    form: str, kafkactl: Kafkactl, facts_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kafkactl.commands.doctor.examine.CHECKS", {**CHECKS, "KD505": crashes})
    run = kafkactl("doctor", "--from", facts_file(broken()), "-o", form)
    assert run.code == 3
    assert "KD502" in run.out
    assert "KD505" in run.out


def test_the_text_fits_80_columns(
    kafkactl: Kafkactl, facts_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kafkactl.view.output.width", lambda: 80)
    run = kafkactl("doctor", "--from", facts_file(broken()))
    commands = [line for line in run.out.splitlines() if "kafkactl" in line]
    assert [line for line in run.out.splitlines() if len(line) > 80 and line not in commands] == []
    lines = run.out.splitlines()
    assert lines[0].endswith("KD502")
    assert any(line.startswith("  seen ") for line in lines)
    assert any(line.startswith("  fix ") for line in lines)
    assert any("warning KD512:" in line for line in lines)
    assert lines[-1].endswith("more: kafkactl doctor --explain KD502")


def test_saving_and_judging_again(kafkactl: Kafkactl, one_broker: str) -> None:
    faults.catalogue("a: {partitions: 1}")
    live = kafkactl("doctor", "-o", "json", "--save", "facts.json")
    again = kafkactl("doctor", "-o", "json", "--from", "facts.json", "-b", f"127.0.0.1:{free_port()}")
    assert live.code == again.code == 1
    assert json.loads(live.out)["checks"] == json.loads(again.out)["checks"]


def test_a_bundle_for_a_colleague(kafkactl: Kafkactl, one_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faults.catalogue("a: {partitions: 1}")
    monkeypatch.setenv("PASSWORD", "s3cret-of-alice")
    Path("client.properties").write_text("sasl.password=${PASSWORD}\nsasl.username=alice\n")
    assert kafkactl("doctor", "--bundle", "all.zip", "--client-config", "client.properties").code == 1
    with zipfile.ZipFile("all.zip") as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    assert set(texts) == {"facts.json", "findings.json"}
    assert not [name for name, text in texts.items() if b"s3cret-of-alice" in text]
    Path("facts.json").write_bytes(texts["facts.json"])
    again = json.loads(kafkactl("doctor", "--from", "facts.json", "-o", "json").out)
    assert again["checks"] == json.loads(texts["findings.json"])["checks"]
    assert kafkactl("doctor", "--bundle", "no/such/directory/all.zip").code == 1


@pytest.mark.parametrize("content", [None, "nonsense"])
def test_facts_that_cannot_be_read(kafkactl: Kafkactl, content: str | None) -> None:
    if content:
        Path("facts.json").write_text(content)
    run = kafkactl("doctor", "--from", "facts.json")
    assert run.code == 2
    assert "facts.json" in run.err
    assert "Traceback" not in run.err


def test_facts_that_cannot_be_saved(kafkactl: Kafkactl, facts_file: Callable[..., str]) -> None:
    run = kafkactl("doctor", "--from", facts_file(sound()), "--save", "no/such/directory/facts.json")
    assert run.code == 1
    assert "Cannot write" in run.err


@pytest.mark.parametrize(
    ("word", "meant"),
    [("KD999", ""), ("netwrok", "network"), ("bootstrap-refusd", "bootstrap-refused"), ("engine-x", "")],
)
def test_an_unknown_check(kafkactl: Kafkactl, word: str, meant: str) -> None:
    for arguments in ((word,), ("--explain", word), ("--ignore", f"{word}=x")):
        run = kafkactl("doctor", *arguments)
        assert run.code == 2
        assert f"There is no check {word}." in run.err
        assert (f"Did you mean {meant}?" in run.err) if meant else True
        assert "kafkactl doctor --list" in run.err


@pytest.mark.parametrize("word", ["network", "KD3", "kd3", "KD305", "advertised-unresolvable"])
def test_what_to_look_for(kafkactl: Kafkactl, facts_file: Callable[..., str], word: str) -> None:
    run = kafkactl("doctor", word, "--from", facts_file(broken()), "-o", "json")
    assert run.code == 0  # what is wrong is elsewhere
    assert {check["code"][:3] for check in json.loads(run.out)["checks"]} == {"KD3"}


@pytest.mark.parametrize("name", codes())
def test_explain_says_what_a_code_means(kafkactl: Kafkactl, name: str) -> None:
    run = kafkactl("doctor", "--explain", name)
    assert run.code == 0
    assert codes()[name].slug in run.out
    assert codes()[name].title in run.out
    assert "{" not in " ".join(run.out.split()).replace("config: {", "")


def test_list_has_every_code(kafkactl: Kafkactl) -> None:
    run = kafkactl("doctor", "--list")
    assert run.code == 0
    assert len(run.out.splitlines()) == len(codes()) + 1
    listed = json.loads(kafkactl("doctor", "--list", "-o", "json").out)["checks"]
    assert [entry["code"] for entry in listed] == list(codes())


# Waiting


def test_waiting_ends_at_once_for_what_it_cannot_heal(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("kafkactl.commands.doctor.examine.time.sleep", slept.append)
    run = kafkactl("doctor", "--wait", "600s", "-b", "kafka.invalid:9092")
    assert run.code == 1
    assert "KD301" in run.out
    assert slept == []


def test_waiting_that_runs_out(kafkactl: Kafkactl) -> None:
    run = kafkactl("doctor", "--wait", "1s", "-b", f"127.0.0.1:{free_port()}")
    assert run.code == 4
    assert "KD302" in run.out


@pytest.mark.lab
def test_waiting_until_a_broker_is_there(kafkactl: Kafkactl) -> None:
    with throwaway() as sandbox:
        sandbox.kill(1)
        with faults.later(lambda: sandbox.launch(1)):
            run = kafkactl("doctor", "--wait", "60s", "-b", sandbox.bootstrap)
        assert run.code == 0, run.text
        assert run.out.startswith("Healthy. ")


# What a check must not do


def test_looking_creates_nothing(kafkactl: Kafkactl) -> None:
    with throwaway(settings={"auto.create.topics.enable": "true"}) as sandbox:
        create(sandbox.bootstrap, NewTopic("a", 1, 1))
        faults.catalogue("missing.topic: {partitions: 1}")
        assert kafkactl("doctor", "-b", sandbox.bootstrap).code == 1
        assert faults.partitions(sandbox.bootstrap, "a")
        assert not faults.partitions(sandbox.bootstrap, "missing.topic")


def test_a_wrong_client_configuration(kafkactl: Kafkactl, one_broker: str) -> None:
    Path("client.properties").write_text("no.such.property=1\n")
    run = kafkactl("doctor", "--client-config", "client.properties")
    assert run.code == 1, run.text
    assert "no.such.property" in run.out
    assert "KD335" in run.out
    assert "Traceback" not in run.err


# Healing


def test_fix_creates_what_is_missing_and_looks_again(kafkactl: Kafkactl, one_broker: str) -> None:
    create(one_broker, NewTopic("b", 1, 1))
    faults.catalogue("a: {partitions: 2}, b: {partitions: 3}")
    asked = kafkactl("doctor", "--fix")
    assert asked.code == 2
    assert "Nothing was changed" in asked.err
    assert not faults.partitions(one_broker, "a")
    run = kafkactl("doctor", "--fix", "--yes")
    assert run.code == 0, run.text
    assert "KD513 is fixed." in run.err
    assert len(faults.partitions(one_broker, "a")) == 2
    assert len(faults.partitions(one_broker, "b")) == 1  # it grows nothing
    again = kafkactl("doctor", "--fix", "--yes", "-o", "json")
    assert again.code == 0
    assert json.loads(again.out)["cause"] == "KD514"
    assert "--fix cannot fix any of this" in again.err


def test_fix_leaves_a_protected_environment_alone(kafkactl: Kafkactl, one_broker: str) -> None:
    Path("topics.yaml").write_text(
        f"environments: {{live: {{brokers: ['{one_broker}'], protected: true}}}}\ntopics: {{a: {{partitions: 1}}}}\n"
    )
    run = kafkactl("doctor", "--fix", "--yes")
    assert run.code == 2
    assert "live is protected" in run.err
    assert not faults.partitions(one_broker, "a")
    assert kafkactl("doctor", "--fix", "--yes", "--confirm", "live").code == 0


def test_fix_needs_a_cluster(kafkactl: Kafkactl, facts_file: Callable[..., str]) -> None:
    run = kafkactl("doctor", "--fix", "--from", facts_file(broken()))
    assert run.code == 2
    assert "--fix" in run.err
