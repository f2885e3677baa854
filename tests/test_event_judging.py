"""What is said of a value that breaks its contract, and what is counted of a million of them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.contracts import event_tally
from kafkactl.contracts.contract import Violation
from kafkactl.contracts.event_tally import EventClock, EventTally, SeenIds
from kafkactl.contracts.schema_files import compiled, load_contract

SECRET = "4111111111111111"
NOW = 1_790_000_000_000  # ms
MINUTE, YEAR = 60_000, 365 * 86_400_000


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({"oneOf": [{"type": "integer"}, {"type": "null"}]}, SECRET, "f is none of what the contract allows"),
        ({"oneOf": [{"type": "string"}, {}]}, SECRET, "f is several of what the contract allows one of"),
        ({"anyOf": [{"type": "integer"}, {"const": 1}]}, SECRET, "f is none of what the contract allows"),
        ({"not": {"type": "string"}}, SECRET, "f is what the contract rules out"),
        ({"const": "x"}, SECRET, 'f must be "x"'),
        ({"enum": ["x", "y"]}, SECRET, 'f is not one of "x" or "y"'),
        ({"maxLength": 2}, SECRET, "f is longer than 2 characters"),
        ({"contains": {"const": 1}}, [SECRET], "f lacks an item that the contract asks for"),
        ({"uniqueItems": True}, [SECRET, SECRET], "f has the same item twice"),
        ({"propertyNames": {"maxLength": 2}}, {SECRET: 1}, "f has a field whose name breaks the contract"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": SECRET}, "f.b is missing"),
        ({"unevaluatedItems": False}, [SECRET], "f has more items than the contract knows"),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": SECRET}, "f.b is not in the contract"),
        ({"unevaluatedProperties": False}, {"b": SECRET}, "f.b is not in the contract"),
        ({"additionalProperties": {"type": "integer"}}, {"b": SECRET}, "f.b must be a whole number, not text"),
        (False, SECRET, "f is not allowed"),
        ({"multipleOf": 3}, 7_654_321, "f is not a multiple of 3"),
        ({"maximum": 9}, 7_654_321, "f is greater than the maximum of 9"),
        ({"items": {"type": "integer"}}, [SECRET], "f.0 must be a whole number, not text"),
        ({"format": "email"}, SECRET, "f is no valid email"),
    ],
)
def test_every_keyword_in_words_that_quote_no_value(schema: Any, value: Any, told: str) -> None:
    contract = compiled("c", {"properties": {"f": schema}}, {}, "c")
    assert [violation.text for violation in contract.violations_of({"f": value})] == [told]


@given(st.integers(1, 3_000), st.sampled_from(['{"a":', "["]), st.booleans())
def test_values_nested_however_deeply_are_judged(depth: int, opening: str, inside: bool) -> None:
    value = opening * depth + "1" + ("}" if opening[0] == "{" else "]") * depth
    value = f'{{"metadata": {value}}}' if inside else value
    reasons = {violation.reason for violation in load_contract("payment", {}).violations(value.encode())}
    assert reasons
    assert ("is nested too deeply to be checked" in reasons) == (depth + inside > 255)
    assert "is not JSON" not in reasons


def test_names_of_any_length_cost_little_memory() -> None:
    tally = EventTally("t", compiled("c", {"additionalProperties": False, "properties": {"a": {}}}, {}, "c"))
    for offset in range(2_000):
        tally.add(0, offset, NOW, json.dumps({f"{offset}-" + "x" * 10_000: 1}).encode())
    assert tally.invalid == sum(problem.count for problem in tally.problems.values()) == 2_000
    assert len(tally.problems) == 1_001
    assert max(len(kind.path) for kind in tally.problems) <= 300


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.one_of(
    st.integers(NOW - 2 * YEAR, NOW + YEAR),
    st.sampled_from([NOW - YEAR, NOW, NOW + 5 * MINUTE]).flatmap(
        lambda near: st.integers(near - 90_000, near + 90_000)
    ),
)


@given(st.lists(st.tuples(moments, zones), max_size=20))
def test_times_are_judged_by_when_the_record_was_written(times: list[tuple[int, timezone]]) -> None:
    clock = EventClock()
    for moment, zone in times:
        text = datetime.fromtimestamp(moment / 1000, zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ahead = moment - NOW
        wrong = "is after" if ahead > 5 * MINUTE else "is more than a year before" if ahead < -YEAR else ""
        assert clock.wrong(text, NOW) == (wrong and f"{wrong} the record was written")


@pytest.mark.parametrize(
    "text", ["", "Z", "yesterday", "2026-13-01T00:00:00Z", "2026-11-27T10:00:00", "2016-12-31T23:59:60Z"]
)
def test_of_what_is_no_time_the_clock_says_nothing(text: str) -> None:
    late = 1_483_228_800_000 if text.startswith("2016") else NOW
    assert EventClock().wrong(text, late) == ""


def test_go_writes_nanoseconds_and_a_zero_time() -> None:
    tally = EventTally("t", load_contract("base", {}))
    now = datetime.fromtimestamp(NOW / 1000, UTC).isoformat(timespec="microseconds")[:-6]
    for offset, time in enumerate([f"{now}123Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"]):
        tally.add(0, offset, NOW, json.dumps({"event_type": "t", "event_id": time, "timestamp": time}).encode())
    old = Violation("timestamp", "is more than a year before the record was written")
    assert (tally.valid, {kind: problem.count for kind, problem in tally.problems.items()}) == (1, {old: 2})


def test_beyond_the_exact_ids_it_is_said_how_many_only_seem_to_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_tally, "_BITS", 1 << 17)
    seen = SeenIds(exact=1_000)
    wrong = sum(seen.add(f"id-{n}", b"") is not None for n in range(41_000))
    assert seen.approximate
    assert wrong > 1_000
    assert 0.8 * wrong < seen.by_chance < 1.25 * wrong
    assert all(seen.add(f"id-{n}", b"") is not None for n in range(41_000))


def test_null_is_no_tombstone() -> None:
    tally = EventTally("t", load_contract("base", {}))
    tally.add(0, 0, NOW, None)
    tally.add(0, 1, NOW, b"null")
    assert (tally.tombstones, tally.invalid) == (1, 1)
    assert [violation.text for violation in tally.problems] == ["must be an object, not null"]


records = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([b"1", b"2", b"3"])), max_size=30)


@given(records)
def test_what_came_before_does_not_depend_on_the_order(found: list[tuple[str, bytes]]) -> None:
    seen = SeenIds()
    said = [seen.add(id, value) for id, value in found]
    assert said.count(None) == len({id for id, _ in found})
    assert said.count("other content") == len(set(found)) - said.count(None)
    assert said.count("same content") == len(found) - len(set(found))
