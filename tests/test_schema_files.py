"""Schema files: how they refer to each other, and what is said of bad ones, with the place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.catalog.model import Problem
from kafkactl.contracts.schema_files import SchemaError, built_in, compiled, load_contract, parse_schema
from kafkactl.contracts.schema_places import place_in
from tests.conftest import Outcome

Run = Callable[..., Outcome]

CATALOGUE = "topics: {refund: {event: refund}}\nevents:\n"
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def write(**schemas: Any) -> dict[str, Path]:
    """Schemas as files, and topics.yaml that lists them; `a__b` is b in the directory a."""
    events = {name: Path(name.replace("__", "/") + ".json") for name in schemas}
    for name, schema in schemas.items():
        events[name].parent.mkdir(exist_ok=True)
        events[name].write_text(schema if isinstance(schema, str) else json.dumps(schema))
    lines = (f"  {name}: {path}\n" for name, path in events.items())
    Path("topics.yaml").write_text(CATALOGUE + "".join(lines))
    return events


def single_spaced(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def paths_in(value: Any, path: tuple[object, ...] = ()) -> list[tuple[tuple[object, ...], Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for name, inner in members for found in paths_in(inner, (*path, name)))]


@given(values, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_value_of_a_file_has_its_place(value: Any, indent: int | None, ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    for path, inner in paths_in(value):
        line, column = place_in(text, path)
        at = sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column - 1
        assert json.JSONDecoder().raw_decode(text, at)[0] == inner
        if path and isinstance(path[-1], str):
            line, column = place_in(text, path, key=True)
            at = sum(len(before) + 1 for before in text.split("\n")[: line - 1]) + column - 1
            assert json.JSONDecoder().raw_decode(text, at)[0] == path[-1]


@given(st.integers(0, 400), st.integers(0, 400), st.binary(max_size=3))
def test_a_damaged_file_is_a_schema_or_an_error_with_a_place(begin: int, length: int, put: bytes) -> None:
    text = json.dumps(built_in("payment"), indent=1).encode()
    text = text[:begin] + put + text[begin + length :]
    problems: tuple[Problem, ...] = ()
    try:
        compiled("x", parse_schema(text, "x.json"), {}, "x.json", text, Path("x.json"))
    except SchemaError as error:
        problems = error.problems
    assert all(problem.position.line and problem.position.column for problem in problems)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n "type": "object",\n "properties": {]}', "s.json:3:17 not valid JSON: object keys must be strings."),
        ('{"a": 1', "s.json:1:8 not valid JSON: Input data was truncated."),
        ("[1]", "s.json:1:1 a JSON Schema is an object, which this is not."),
        ("", "s.json:1:1 not valid JSON: Input data was truncated."),
        (
            '{"properties": {"金额": {"type": "objet"}}}',
            's.json:1:32 properties.金额.type: "objet" is no type: one of array, boolean, integer, null, number, '
            'object, string, or a list of them. Did you mean "object"?',
        ),
        ('{"pattern": "(("}', 's.json:1:13 pattern: "((" is no valid regular expression.'),
        ('{"required": "a"}', 's.json:1:14 required: "a" is not of type "array".'),
        ('{"$ref": "gone.json"}', "s.json:1:10 $ref gone.json leads nowhere."),
        ('{"$ref": "#/$defs/a"}', "s.json:1:10 $ref #/$defs/a leads nowhere."),
        ('{"$ref": "kafkactl:paymnt"}', "s.json:1:10 $ref kafkactl:paymnt leads nowhere."),
        ('{"$ref": "http://127.0.0.1:9/x"}', "s.json:1:10 $ref http://127.0.0.1:9/x leads nowhere."),
        (
            '{"$schema": "http://json-schema.org/draft-07/schema#"}',
            "s.json:1:13 contracts are JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12/schema), "
            "not http://json-schema.org/draft-07/schema#.",
        ),
    ],
)
def test_lint_names_the_place_in_a_schema(kafkactl: Run, tmp_path: Path, text: str, told: str) -> None:
    write(refund=text)
    Path("refund.json").rename("s.json")
    Path("topics.yaml").write_text(CATALOGUE + "  refund: s.json\n")
    place, _, message = told.partition(" ")
    outcome = kafkactl("lint")
    assert (outcome.code, single_spaced(outcome.out)) == (2, [f"{place} {message}", "1 problem."])
    (problem,) = json.loads(kafkactl("lint", "-o", "json").out)["files"][0]["problems"]
    assert f"{problem['file']}:{problem['line']}:{problem['column']}" == place
    shown = kafkactl("events", "schema", "refund")
    assert (shown.code, shown.err.splitlines()[0].removeprefix("error: ")) == (2, f"{place}: {message}")


def test_lint_tells_all_files_and_warns_of_slips(kafkactl: Run, tmp_path: Path) -> None:
    properties = {"requierd": {"type": "object", "requierd": []}, "x": {"x-note": 1, "discriminator": 1}}
    write(good={"properties": properties}, bad="{", missing="{}", refund={})
    Path("missing.json").unlink()
    outcome = kafkactl("lint")
    assert outcome.code == 2
    assert single_spaced(outcome.out) == [
        "bad.json:1:2 not valid JSON: Input data was truncated.",
        'good.json:1:48 warning: "requierd" is no keyword of JSON Schema, and ignored. Did you mean "required"?',
        "missing.json: the file cannot be read: No such file or directory.",
        "2 problems, 1 warning.",
    ]
    write(good={"properties": properties}, refund={})
    assert kafkactl("lint").code == 0
    Path("topics.yaml").write_text("topics: {refund: {evnt: x}}\nevents: {bad: bad.json}\n")
    assert "bad.json:1:2" in kafkactl("lint").out


def test_files_of_one_name_in_two_directories_are_two(tmp_path: Path) -> None:
    events = write(
        a__value={"type": "integer"},
        b__value={"type": "string"},
        a__refund={"properties": {"v": {"$ref": "value.json"}, "w": {"$ref": "../b/value.json"}}},
    )
    contract = load_contract("a__refund", events)
    assert contract.violations_of({"v": 1, "w": "x"}) == []
    assert {v.path for v in contract.violations_of({"v": "x", "w": 1})} == {"v", "w"}
    assert [v.text for v in contract.violations_of({"v": 1.0})] == ["v must be a whole number, not one with a point"]


def test_files_with_addresses_of_their_own_are_known_by_these_and_by_their_names(tmp_path: Path) -> None:
    site = "https://example.com/schemas/"
    events = write(
        money={"$id": f"{site}money.json", "$defs": {"v": {"$anchor": "value", "type": "integer"}}},
        refund={"$id": f"{site}refund.json", "properties": {"v": {"$ref": "money.json#/$defs/v"}}},
        plain={"properties": {"v": {"$ref": "money.json#value"}}, "$ref": "kafkactl:base"},
    )
    for name, missing in (("refund", 0), ("plain", 3)):
        found = load_contract(name, events).violations_of({"v": "x"})
        assert [v.path for v in found if v.path == "v"] == ["v"]
        assert len(found) == 1 + missing


def test_schemas_in_a_circle_end(kafkactl: Run, tmp_path: Path) -> None:
    events = write(
        refund={"properties": {"next": {"$ref": "other.json"}}, "type": "object"},
        other={"properties": {"next": {"$ref": "refund.json"}}, "required": ["n"]},
    )
    contract = load_contract("refund", events)
    assert [v.text for v in contract.violations_of({"next": {"n": 1, "next": {"next": {}}}})] == [
        "next.next.next.n is missing"
    ]
    assert kafkactl("lint").code == 0
    assert kafkactl("events", "example", "refund").code == 0
    assert kafkactl("events", "diff", "refund", "other").code == 1
