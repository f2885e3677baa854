"""kafkactl lint as a user runs it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import REPOSITORY, Outcome, golden, untimed

Run = Callable[..., Outcome]

BAD = """\
defaults: {partitions: 3, retention: 7d}

environments:
  production:
    brokers: [kafka-1.internal:9093, kafka-2.internal]
    topics:
      audit.lgos: {partitions: 12}

services:
  analytics: {}

topics:
  payment.created:
    partition: 3
    producers: [analitics]
  payment.refund.failed:
    retention: 7x
    config: {cleanup.policy: compac, confluent.tier.enable: true}
  order.created: {}
  audit.logs: {dlq: dlq.audit}
  order.created: {}
"""
DOUBTFUL = "topics:\n  a: {config: {confluent.tier.enable: true}}\n"


@pytest.mark.parametrize("form", ["table", "json", "junit", "github"])
def test_a_bad_file_in_every_format(kafkactl: Run, form: str) -> None:
    Path("topics.yaml").write_text(BAD)
    outcome = kafkactl("lint", "-o", form)
    assert outcome.code == 2
    assert outcome.err == ""
    golden(f"lint-{form}.txt", untimed(outcome.out))


@pytest.mark.parametrize("form", ["table", "json", "junit", "github"])
def test_warnings_pass_in_every_format(kafkactl: Run, form: str) -> None:
    Path("topics.yaml").write_text(DOUBTFUL)
    outcome = kafkactl("lint", "-o", form)
    assert outcome.code == 0
    golden(f"lint-warning-{form}.txt", untimed(outcome.out))


def test_the_platforms_catalogue_is_clean(kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY / "kafkactl")
    outcome = kafkactl("lint")
    assert outcome == Outcome(0, "../topics.yaml: 27 topics, 3 environments. No problems.\n", "")


@pytest.mark.parametrize("form", ["json", "junit", "github"])
def test_a_clean_file_in_other_formats(kafkactl: Run, form: str) -> None:
    Path("topics.yaml").write_text("topics: {a: {}}\n")
    outcome = kafkactl("lint", "topics.yaml", "-o", form)
    assert outcome.code == 0
    if form == "json":
        body = json.loads(outcome.out)
        assert body["kind"] == "lint"
        assert body["files"] == [{"file": "topics.yaml", "valid": True, "topics": 1, "environments": 0, "problems": []}]
    elif form == "junit":
        suite = ET.fromstring(outcome.out)
        assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    else:
        assert outcome.out == ""


def test_several_files(kafkactl: Run) -> None:
    Path("one.yaml").write_text("topics: {a: {}}\n")
    Path("two.yaml").write_text("topics: {a: {partitions: 0}}\n")
    Path("three.yaml").write_text(DOUBTFUL)
    outcome = kafkactl("lint", "one.yaml", "two.yaml", "three.yaml", "nope.yaml")
    assert outcome.code == 2
    assert outcome.out.splitlines() == [
        "one.yaml: 1 topic, 0 environments. No problems.",
        "two.yaml:1:26  a: partitions 0 is too low; the minimum is 1.",
        'three.yaml:2:16  warning: a: "confluent.tier.enable" is not a known Kafka config; the broker will decide.',
        "three.yaml: 1 topic, 0 environments. 1 warning.",
        "nope.yaml: the file does not exist.",
        "2 problems, 1 warning.",
    ]


def test_no_catalogue_at_all(kafkactl: Run) -> None:
    Path(".git").mkdir()
    outcome = kafkactl("lint")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.splitlines() == [
        "There is no topics.yaml here or in a parent directory.",
        "  Name a file, or set KAFKACTL_CATALOG.",
    ]


def test_the_variable_names_the_file(kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKACTL_CATALOG", "mine.yaml")
    outcome = kafkactl("lint")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.splitlines() == ["There is no file mine.yaml.", "  The name comes from KAFKACTL_CATALOG."]
    Path("mine.yaml").write_text("topics: {}\n")
    assert kafkactl("lint").out == "mine.yaml: 0 topics, 0 environments. No problems.\n"


def test_a_file_as_a_whole_is_annotated_at_its_top(kafkactl: Run) -> None:
    outcome = kafkactl("lint", "nope.yaml", "-o", "github")
    assert outcome.code == 2
    assert outcome.out == "::error file=nope.yaml,line=1,col=1,title=nope.yaml::the file does not exist.\n"


def test_the_schema(kafkactl: Run) -> None:
    outcome = kafkactl("lint", "--schema")
    assert outcome.code == 0
    assert json.loads(outcome.out)["title"] == "topics.yaml"


def test_help_has_an_example(kafkactl: Run) -> None:
    outcome = kafkactl("lint", "--help")
    assert outcome.code == 0
    assert "\n    kafkactl lint -o github --against origin/main\n" in outcome.out


def test_a_file_that_shows_control_characters_does_not_drive_the_terminal(kafkactl: Run) -> None:
    Path("topics.yaml").write_text('topics: {a: {"\\e[31mred\\n": 1}}\n')
    outcome = kafkactl("lint")
    assert outcome.out.splitlines()[0] == 'topics.yaml:1:14  a: unknown key "\\u001b[31mred\\u000a".'


@pytest.mark.parametrize("form", ["table", "json", "junit", "github"])
def test_it_needs_neither_kafka_nor_docker_nor_rich(form: str) -> None:
    code = (
        "import sys; from kafkactl.cli import main\n"
        f"sys.argv = ['kafkactl', 'lint', {str(REPOSITORY / 'topics.yaml')!r}, '-o', {form!r}]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'confluent_kafka', 'rich', 'docker', 'kafka', 'jsonschema', 'requests'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_hook_is_offered_to_pre_commit() -> None:
    import re

    import yaml

    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["entry"], hook["language"]) == ("kafkactl-lint", "kafkactl lint", "python")
    assert all(re.search(hook["files"], name) for name in ("topics.yaml", "deploy/topics.yml"))
    assert not re.search(hook["files"], "mytopics.yaml")
