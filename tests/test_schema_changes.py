"""Whom a change of a contract breaks: told by events that are valid under one schema and not under the other."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from kafkactl.contracts.schema_changes import SchemaChange, schema_changes
from tests.conftest import Outcome

Run = Callable[..., Outcome]

NAMES = ["a", "b", "c"]
texts = st.sampled_from(["", "a", "bb", "ccc", "2026-11-27"])
scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from([0.5, 1.0, 2.5]) | texts
events = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"]
ends = st.integers(0, 3)


def keywords(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Keywords with what they may say. Both sides name the same fields: of others, custom decides."""
    lists = st.lists(inner, min_size=1, max_size=2)
    some_names = st.lists(st.sampled_from(NAMES), unique=True)
    return {
        "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, unique=True),
        "enum": st.lists(scalars, min_size=1, max_size=4),
        "const": scalars,
        **dict.fromkeys(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], ends),
        **dict.fromkeys(["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"], ends),
        "pattern": st.sampled_from(["^a", "c"]),
        "format": st.just("date"),
        "multipleOf": st.integers(1, 2),
        "uniqueItems": st.booleans(),
        "required": some_names,
        "properties": st.fixed_dictionaries(dict.fromkeys(NAMES, inner)),
        "prefixItems": lists,
        "minContains": st.integers(0, 2),
        "maxContains": ends,
        **dict.fromkeys(["additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames"], inner),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "c"]), inner, max_size=2),
        "dependentRequired": st.dictionaries(st.sampled_from(NAMES), some_names),
        "dependentSchemas": st.dictionaries(st.sampled_from(NAMES), inner, max_size=1),
        **dict.fromkeys(["allOf", "anyOf", "oneOf"], lists),
        **dict.fromkeys(["not", "if", "then", "else", "items", "contains"], inner),
        "title": texts,
        "x-own": texts,
    }


leaves = st.booleans() | st.fixed_dictionaries({}, optional={"type": st.sampled_from(TYPES), "minimum": ends})


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> Any:
    """A few keywords, with schemas of less depth inside."""
    known = keywords(schemas(depth - 1) if depth > 1 else leaves)
    chosen = draw(st.lists(st.sampled_from(sorted(known)), max_size=4, unique=True))
    return {key: draw(known[key]) for key in chosen}


@st.composite
def changed(draw: st.DrawFn) -> tuple[Any, Any]:
    """A schema, and the same with some keywords taken from another one."""
    old, other = draw(schemas()), draw(schemas())
    kept = [key for key in old if draw(st.booleans())]
    return old, {**{key: old[key] for key in kept}, **{key: other[key] for key in other if draw(st.booleans())}}


def names_fields_alike(one: Any, other: Any) -> bool:
    """Whether nothing is left to custom: where one side names fields, the other does, too."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return "properties" not in json.dumps([one, other])
    return ("properties" in one) == ("properties" in other) and all(
        names_fields_alike(one.get(key, {}), other.get(key, {})) for key in {*one, *other} - {"enum", "const"}
    )


@pytest.mark.property
@given(changed(), st.lists(events, max_size=12))
@example(({"enum": [1]}, {"enum": [True]}), [True, 1])
@example(({"properties": {"a": True}}, {"properties": {"a": False}}), [{"a": 1}])
@example(({"contains": {}}, {"contains": {}, "minContains": 0}), [[]])
def test_no_change_that_breaks_somebody_is_missed(pair: tuple[Any, Any], values: list[Any]) -> None:
    old, new = pair
    found = {change.breaks for change in schema_changes(old, new)}
    before, after = (Draft202012Validator(schema, validate_formats=True) for schema in pair)
    for value in values if names_fields_alike(old, new) else ():
        was, is_now = before.is_valid(value), after.is_valid(value)
        if was and not is_now:
            assert found & {"writers", "both"}, value
        if is_now and not was:
            assert found & {"readers", "both"}, value


@given(schemas())
def test_the_same_schema_differs_in_nothing(schema: Any) -> None:
    assert schema_changes(schema, json.loads(json.dumps(schema))) == []
    assert (
        schema_changes(schema, {**schema, "title": "new", "description": "x", "examples": [1], "$comment": "y"}) == []
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"required": ["a"]}, {}, [("a", "is no longer required", "readers")]),
        ({"items": {"type": "integer"}}, {}, [("[]", "type integer becomes anything", "readers")]),
        ({}, {"uniqueItems": True}, [("", "uniqueItems added", "writers")]),
        ({"type": "number"}, {"type": ["integer", "number"]}, []),
        ({"enum": [1]}, {"enum": [1.0]}, []),
        (
            {"enum": [1]},
            {"enum": [True]},
            [("", "allows new value true", "readers"), ("", "allows no longer 1", "writers")],
        ),
        ({"const": "a"}, {"enum": ["a", "b"]}, [("", "allows new value b", "readers")]),
        ({"properties": {"a": {}}}, {"properties": {"a": True}}, []),
        ({}, {"properties": {"a": {"type": "string"}}}, [("a", "added, optional", "nobody")]),
        ({"properties": {"a": {"type": "string"}}}, {}, [("a", "removed", "nobody")]),
        ({"properties": {"a": {}}, "required": ["a"]}, {}, [("a", "removed", "readers")]),
        (
            {"properties": {}, "additionalProperties": False},
            {"properties": {"a": {}}, "additionalProperties": False},
            [("a", "added, optional", "readers")],
        ),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"additionalProperties": False},
            [("a", "removed", "writers")],
        ),
        ({}, {"additionalProperties": False}, [("", "additionalProperties refused", "writers")]),
        (
            {"additionalProperties": {"type": "integer"}},
            {"additionalProperties": {"type": "string"}},
            [("*", "type integer becomes string", "both")],
        ),
        (
            {"allOf": [{"properties": {"a": {"type": "integer"}}}]},
            {"allOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["a"]}]},
            [("a", "type integer becomes string", "both"), ("a", "becomes required", "writers")],
        ),
        (
            {"allOf": [{}], "unevaluatedProperties": False},
            {"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False},
            [("a", "added, optional", "readers")],
        ),
    ],
)
def test_what_is_told_of_a_change(old: Any, new: Any, told: list[tuple[str, str, str]]) -> None:
    assert schema_changes(old, new) == [SchemaChange(*change) for change in told]


def test_a_change_behind_a_reference_is_seen(kafkactl: Run, tmp_path: Path) -> None:
    Path("topics.yaml").write_text("topics: {}\nevents: {money: money.json}\n")
    Path("money.json").write_text('{"type": "object", "properties": {"v": {"type": "integer"}}}')
    for name, kind in (("old", "integer"), ("new", "string")):
        beside = {"$ref": "money.json", "properties": {"w": {"type": kind}}}
        here = {"$defs": {"m": {"type": kind}}, "properties": {"a": {"$ref": "#/$defs/m"}, "b": beside}}
        Path(f"{name}.json").write_text(json.dumps(here))
    outcome = kafkactl("events", "diff", "old.json", "new.json", "-o", "json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["changes"] == [
        {"path": path, "what": "type integer becomes string", "breaks": "both"} for path in ("a", "b.w")
    ]
    assert kafkactl("events", "diff", "old.json", "old.json").code == 0


def git(*words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def test_lint_tells_what_a_changed_contract_breaks(kafkactl: Callable[..., Outcome]) -> None:
    Path("contracts").mkdir()
    order, money = Path("contracts/order.json"), Path("money.json")
    Path("topics.yaml").write_text(
        "topics: {a: {event: order}}\nevents: {order: contracts/order.json, money: money.json}\n"
    )
    order.write_text('{"required": ["a"], "properties": {"a": {"$ref": "../money.json"}}}')
    money.write_text('{"type": "integer"}')
    assert kafkactl("lint").code == 0  # no git at all
    assert kafkactl("lint", "--against", "HEAD").code == 2
    git("init", "-q")
    assert kafkactl("lint").code == 0  # no commit yet
    git("add", ".")
    git("commit", "-qm", "first")
    git("tag", "first")
    assert "breaks" not in kafkactl("lint").text
    money.write_text('{"type": "string"}')
    run = kafkactl("lint")
    assert run.code == 0, run.text
    assert "warning" in run.text
    assert "since git's HEAD" in run.text
    assert "that breaks services that read and write" in run.text
    git("commit", "-qam", "second")
    assert "breaks" not in kafkactl("lint").text
    run = kafkactl("lint", "--against", "first")
    assert run.code == 2, run.text
    assert "since first, a" in run.text  # the file is as it was, and what it refers to is not
    for wrong in ("nowhere", "--help", "-x"):
        assert kafkactl("lint", f"--against={wrong}").code == 2
    new = Path("contracts/new.json")
    new.write_text("{}")
    Path("topics.yaml").write_text("topics: {a: {event: new}}\nevents: {new: contracts/new.json}\n")
    assert kafkactl("lint", "--against", "first").code == 0  # it has no past
