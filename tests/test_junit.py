"""-o junit: what Maven Surefire's schema (surefire-test-report.xsd) asks of a report, of every command that has it."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import Outcome
from tests.sandboxes import free_port

Run = Callable[..., Outcome]

# By element: its attributes (True: required), and its children in the order that the schema gives them.
ELEMENTS: dict[str, tuple[dict[str, bool], list[str]]] = {
    "testsuite": (
        {"name": True, "tests": True, "errors": True, "skipped": True, "failures": True, "time": False, "group": False},
        ["properties", "testcase"],
    ),
    "testcase": (
        {"name": True, "time": True, "classname": False, "group": False},
        ["failure", "rerunFailure", "flakyFailure", "skipped", "error", "rerunError", "flakyError", "system-out"],
    ),
    "failure": ({"type": True, "message": False}, []),
    "error": ({"type": True, "message": False}, []),
    "skipped": ({"message": False}, []),
    "system-out": ({}, []),
}


def require_valid(element: ET.Element) -> None:
    attributes, children = ELEMENTS[element.tag]
    given = set(element.keys())
    assert {name for name, required in attributes.items() if required} <= given <= attributes.keys()
    if "time" in given:
        assert re.fullmatch(r"[0-9]+(\.[0-9]{0,3})?", element.get("time", ""))
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order)
    for child in element:
        require_valid(child)


COMMANDS = ["lint", "diff", "test --count 1", "doctor", "lag", "events check orders"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", ["as declared", "other than declared", "a broken file", "no Kafka"])
def test_every_report_is_one_of_surefires(kafkactl: Run, orders: str, command: str, state: str) -> None:
    kafkactl("produce", "orders", "no event")
    partitions = {"as declared": "3", "a broken file": "many"}.get(state, "5")
    orders_yaml = f"orders: {{partitions: {partitions}, event: base}}"
    Path("topics.yaml").write_text(f"topics: {{{orders_yaml}, orders-dlq: {{partitions: 3}}}}\n", encoding="utf-8")
    address = [] if state != "no Kafka" or command == "lint" else ["-b", f"127.0.0.1:{free_port()}"]
    suite = ET.fromstring(kafkactl(*command.split(), *address, "-o", "junit").out)
    require_valid(suite)
    cases = suite.findall("testcase")
    assert int(suite.get("tests", "")) == len(cases) > 0 or command == "lag", suite.attrib  # there is no group
    assert int(suite.get("failures", "")) == sum(case.find("failure") is not None for case in cases)
    assert int(suite.get("skipped", "")) == sum(case.find("skipped") is not None for case in cases)
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)
    assert sum(float(case.get("time", "")) for case in cases) <= float(suite.get("time", "")) + 0.01
