"""What a failure looks like in documents: a topics.yaml with problems, and JUnit that a dashboard can follow."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import Outcome
from tests.sandboxes import free_port

Run = Callable[..., Outcome]
BAD = "topics:\n  a: {partitions: 0}\n  b: {retention: 7x}\n"


@pytest.mark.parametrize("command", ["init-topics", "diff"])
def test_every_problem_of_a_catalogue_is_in_the_document(command: str, kafkactl: Run) -> None:
    Path("topics.yaml").write_text(BAD)
    run = kafkactl(command, "-o", "json")
    assert run.code == 2
    document = json.loads(run.out)
    assert (document["kind"], document["exit_code"]) == ("error", 2)
    places = [(problem["file"], problem["line"], problem["column"]) for problem in document["problems"]]
    assert [(Path(file).name, *place) for file, *place in places] == [("topics.yaml", 2, 19), ("topics.yaml", 3, 18)]
    assert document["problems"] == json.loads(kafkactl("lint", "-o", "json").out)["files"][0]["problems"]


@pytest.mark.parametrize(
    "command",
    ["groups list -b 127.0.0.1:1", "env show nowhere", "events diff one other", "dlq show dlq.payment -b 127.0.0.1:1"],
)
def test_a_document_says_which_command_failed_by_the_name_that_is_typed(command: str, kafkactl: Run) -> None:
    """Whether it asks a cluster or not."""
    run = kafkactl(*command.split(), "-o", "json")
    document = json.loads(run.out)
    assert (document["kind"], document["exit_code"]) == ("error", run.code)
    assert command.startswith(document["command"])
    assert document["command"].count(" ") == 1


def test_and_in_cases(kafkactl: Run) -> None:
    Path("topics.yaml").write_text(BAD)
    assert kafkactl("diff", "-o", "github").out == kafkactl("lint", "-o", "github").out
    suite = ET.fromstring(kafkactl("diff", "-o", "junit").out)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")


def suites(kafkactl: Run, *arguments: str) -> ET.Element:
    begin = time.monotonic()
    run = kafkactl(*arguments, "-o", "junit")
    taken = time.monotonic() - begin
    suite = ET.fromstring(run.out)
    assert 0 < float(suite.get("time", "0")) <= taken
    return suite


def names(suite: ET.Element) -> list[str]:
    found = [case.get("name", "") for case in suite.iter("testcase")]
    assert len(set(found)) == len(found)
    return found


def test_names_are_the_same_whatever_the_address_and_the_counts(one_broker: str, kafkactl: Run) -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 2}, b: {partitions: 2, retention: 1d}}")
    dead = f"127.0.0.1:{free_port()}"
    first = names(suites(kafkactl, "test", "--count", "1"))
    assert kafkactl("init-topics").code == 0
    Path("topics.yaml").write_text("topics: {b: {partitions: 3, retention: 2d}, a: {partitions: 2}}")
    again = names(suites(kafkactl, "test", "--count", "3"))
    without = names(suites(kafkactl, "test", "-b", dead))
    assert first == again
    assert set(without) < set(first)
    assert set(names(suites(kafkactl, "diff"))) == {"a", "b"}  # a difference or not
    for command in ("lag", "diff", "doctor"):
        for address in (one_broker, dead):
            for name in names(suites(kafkactl, command, "-b", address)):
                assert not re.search(r":\d|\d+ ", name), name


def test_the_time_is_the_real_time(one_broker: str, kafkactl: Run) -> None:
    begin = time.monotonic()
    assert float(suites(kafkactl, "lag", "--sample", "2s").get("time", "0")) >= 1.9
    assert time.monotonic() - begin < 30
