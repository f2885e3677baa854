"""-o yaml: the same documents as -o json, another way to write them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Outcome
from tests.program import commands
from tests.test_cluster_line import TYPED

Run = Callable[..., Outcome]
# How those are typed that are not in the other table.
ALSO = {
    "lint": [],
    "env list": [],
    "env show": ["here"],
    "ps": [],
    "sandbox status": [],
    "events diff": ["base", "payment"],
    "groups undo": ["nobody"],
    "access check": ["nobody"],
}


def shape(found: Any) -> Any:
    """A document without its values: they change from run to run."""
    if isinstance(found, dict):
        return {name: shape(value) for name, value in found.items()}
    if isinstance(found, list):
        return [shape(value) for value in found]
    return "figure" if found is None or isinstance(found, (int, float)) else type(found)


def formats(kafkactl: Run, name: str) -> str:
    page = kafkactl(*name.split(), "--help").out
    return page.split("-o, --output", 1)[1].split(">", 1)[0] if "-o, --output" in page else ""


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_the_same_document(kafkactl: Run, orders: str, name: str) -> None:
    Path("topics.yaml").write_text(
        f"environments: {{here: {{brokers: ['{orders}']}}}}\ntopics: {{orders: {{partitions: 3, event: base}}}}\n",
        encoding="utf-8",
    )
    offered = formats(kafkactl, name)
    if "yaml" not in offered:
        assert "json" not in offered or "line" in offered or name in ("dlq show",), offered
        return
    typed = [*name.split(), *(ALSO[name] if TYPED.get(name) is None else TYPED[name] or [])]
    as_json, as_yaml = kafkactl(*typed, "-o", "json"), kafkactl(*typed, "-o", "yaml")
    assert as_yaml.code == as_json.code
    assert as_yaml.out.startswith("---\n"), as_yaml.text
    (document,) = yaml.safe_load_all(as_yaml.out)
    assert shape(document) == shape(json.loads(as_json.out))


def test_one_does_not_stay_with_the_next(kafkactl: Run, orders: str) -> None:
    assert kafkactl("groups", "list", "-o", "yaml").out.startswith("---")
    assert kafkactl("groups", "list", "-o", "json").out.startswith("{")


def test_names_that_are_no_words_of_yaml(kafkactl: Run, orders: str) -> None:
    Path("topics.yaml").write_text(
        "environments: {'no': {brokers: ['h:1']}, '1_0': {brokers: ['h:1']}, '订单': {brokers: ['h:1']}}\ntopics: {}\n",
        encoding="utf-8",
    )
    (document,) = yaml.safe_load_all(kafkactl("env", "list", "-o", "yaml").out)
    assert [environment["name"] for environment in document["environments"]] == ["no", "1_0", "订单"]
