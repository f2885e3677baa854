"""Contracts of events: shown, compared, checked on a real broker, kept by produce, marked by tail."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kafkactl.contracts.contract import Violation
from kafkactl.contracts.event_tally import EventTally, SeenIds
from kafkactl.contracts.example import example_of
from kafkactl.contracts.schema_changes import schema_changes
from kafkactl.contracts.schema_files import built_in, load_contract
from kafkactl.errors import UsageError
from tests.conftest import Outcome, create

Run = Callable[..., Outcome]

CATALOGUE = """
topics:
  payment.created: {event: payment, mask: [payment_no]}
  audit.logs: {event: base, event_type: any}
  refund: {event: refund}
  plain: {}
events: {refund: refund.json, money: money.json}
"""
NOW = datetime.now(UTC)


@pytest.fixture
def platform(one_broker: str) -> str:
    """Three topics, two of which have contracts."""
    create(one_broker, NewTopic("payment.created", 2, 1), NewTopic("audit.logs", 1, 1), NewTopic("plain", 1, 1))
    Path("topics.yaml").write_text(CATALOGUE)
    Path("money.json").write_text('{"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}}}')
    Path("refund.json").write_text(
        '{"allOf": [{"$ref": "kafkactl:base"}], "properties": {"amount": {"$ref": "money.json"}}, "type": "object"}'
    )
    return one_broker


def payment(**changed: Any) -> dict[str, Any]:
    event = example_of(built_in("payment"), "payment.created", NOW)
    return {k: v for k, v in {**event, **changed}.items() if v != "absent"}


@pytest.mark.parametrize("name", ["payment", "base"])
def test_the_built_in_contracts_are_schemas_and_their_examples_keep_them(name: str) -> None:
    schema = built_in(name)
    Draft202012Validator.check_schema(schema)
    event = example_of(schema, "payment.created", NOW)
    assert load_contract(name, {}).violations_of(event) == []
    assert list(Draft202012Validator(schema).iter_errors(event)) == []


@pytest.mark.parametrize(
    ("changed", "violations"),
    [
        ({}, []),
        ({"metadata": None}, []),
        ({"metadata": {"a": [1]}}, []),
        ({"amount": "12"}, ["amount must be a whole number, not text"]),
        ({"amount": 12.0}, ["amount must be a whole number, not one with a point"]),
        ({"amount": 12.5}, ["amount must be a whole number, not one with a point"]),
        ({"amount": None}, ["amount must be a whole number, not null"]),
        ({"currency": "cny"}, ["currency does not match ^[A-Z]{3}$"]),
        ({"status": ""}, ["status is empty"]),
        ({"timestamp": "yesterday"}, ["timestamp is no valid date-time"]),
        ({"event_id": "absent", "timestamp": "absent"}, ["event_id is missing", "timestamp is missing"]),
    ],
)
def test_how_an_event_breaks_its_contract(changed: dict[str, Any], violations: list[str]) -> None:
    found = load_contract("payment", {}).violations(msgspec.json.encode(payment(**changed)))
    assert [violation.text for violation in found] == violations


def test_the_guides_own_sending_example_lacks_two_fields() -> None:
    """Its chapter on sending, field by field."""
    sent = payment(event_id="absent", timestamp="absent", created_at="2026-11-27T10:00:00Z")
    found = load_contract("payment", {}).violations_of(sent)
    assert found == [Violation("event_id", "is missing"), Violation("timestamp", "is missing")]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(values, st.sampled_from(["amount", "event_id", "timestamp", "metadata", "other"]))
def test_it_judges_as_the_reference_does_and_quotes_nothing(value: Any, name: str) -> None:
    """As another implementation of the standard, but for whole numbers with a point and the formats of dates."""
    event = payment(**{name: value})
    ours = load_contract("payment", {}).violations_of(event)
    theirs = Draft202012Validator(built_in("payment")).is_valid(event)
    if name == "timestamp" or (name == "amount" and isinstance(value, float)):
        assert theirs or ours
    else:
        assert theirs == (not ours)
    if isinstance(value, str) and len(value) > 6:
        assert all(value not in violation.text for violation in ours)


def test_contracts_refer_to_each_other_and_nothing_is_fetched(platform: str) -> None:
    events = {name: Path(f"{name}.json") for name in ("refund", "money", "far", "bad", "gone")}
    Path("far.json").write_text('{"$ref": "http://127.0.0.1:9/x.json"}')
    Path("bad.json").write_text('{"type": "objet"}')
    found = load_contract("refund", events).violations(b'{"event_type": "r", "amount": {"v": "x"}}')
    assert {violation.text for violation in found} == {
        "amount.v must be a whole number, not text", "event_id is missing", "timestamp is missing",
    }  # fmt: skip
    wrong = {
        "far": r"far.json:1:10: .* leads nowhere",
        "bad": r"bad.json:1:10: .*no type.* Did you mean \"object\"",
        "gone": "gone.json: the file cannot be read",
        "x": "no contract",
    }
    for name, why in wrong.items():
        with pytest.raises(UsageError, match=why):
            load_contract(name, events)


def test_event_ids_that_came_before() -> None:
    seen = SeenIds(exact=2)
    assert [seen.add("a", b"1"), seen.add("a", b"1"), seen.add("a", b"2")] == [None, "same content", "other content"]
    assert (seen.add("b", b"1"), seen.approximate) == (None, False)
    assert (seen.add("c", b"1"), seen.add("c", b"1"), seen.approximate) == (None, "seen", True)
    assert sum(seen.add(f"new-{n}", b"") is not None for n in range(20_000)) < 20


@given(st.lists(st.sampled_from([b"x", b"{}", None, b"\xff", b"[1]", b'{"event_id": "a"}']), max_size=30))
def test_a_tally_adds_up(found: list[bytes | None]) -> None:
    tally = EventTally("t", load_contract("base", {}), "t")
    for offset, value in enumerate(found):
        tally.add(0, offset, 1, value)
    assert tally.read == tally.valid + tally.invalid + tally.tombstones == len(found)


def test_what_a_change_breaks() -> None:
    old_fields = {"a": {"type": "integer"}, "b": {"enum": ["x", "y"]}, "c": {"maxLength": 5}}
    new_fields: dict[str, Any] = {
        "a": {"type": ["integer", "null"]},
        "b": {"enum": ["x", "z"]},
        "c": {"maxLength": 4},
        "d": {},
        "e": {},
    }
    old = {"required": ["a"], "properties": old_fields}
    new = {"required": ["a", "d"], "properties": new_fields}
    assert {(c.path, c.what): c.breaks for c in schema_changes(old, new)} == {
        ("a", "type integer becomes integer or null"): "readers",
        ("b", "allows new value z"): "readers",
        ("b", "allows no longer y"): "writers",
        ("c", "maxLength 5 becomes 4"): "writers",
        ("d", "becomes required"): "writers",
        ("e", "added, optional"): "nobody",
    }
    assert list(schema_changes(old, old)) == []


def test_checked_on_a_broker(kafkactl: Run, platform: str) -> None:
    long_ago = payment(timestamp="2019-01-01T00:00:00Z")
    for event in (payment(), payment(), payment(amount="1"), payment(event_type="payment.failed"), long_ago):
        assert kafkactl("produce", "payment.created", json.dumps(event), "--no-check").code == 0
    again = json.dumps(payment(event_id="same", timestamp=datetime.now(UTC).isoformat()))
    for value in (again, again, again.replace('"amount": 1', '"amount": 2')):
        kafkactl("produce", "payment.created", value, "--partition", "0")
    kafkactl("produce", "payment.created", "--tombstone", "-k", "k")
    run = kafkactl("events", "check", "payment.created", "-o", "json")
    assert run.code == 1
    (topic,) = json.loads(run.out)["topics"]
    assert (topic["records"], topic["invalid"], topic["tombstones"]) == (9, 3, 1)
    reasons = {f"{problem['path']} {problem['reason']}": problem["records"] for problem in topic["problems"]}
    assert reasons["amount must be a whole number, not text"] == 1
    assert reasons["event_type is not payment.created"] == 1
    assert reasons["timestamp is more than a year before the record was written"] == 1
    assert topic["came_before"] == {"same content": 1, "other content": 1}
    for form in ("table", "junit", "github"):
        shown = kafkactl("events", "check", "payment.created", "-o", form)
        assert shown.code == 1
        assert "amount must be a whole number, not text" in shown.out
    assert kafkactl("events", "check", "plain").code == 2
    assert kafkactl("events", "check", "plain", "--contract", "base").code == 0
    assert kafkactl("events", "check", "payment.created", "--contract", "paymnt").code == 2
    assert kafkactl("events", "check", "*", "--since", "1h").code == 1
    assert kafkactl("events", "check", "audit.logs").code == 0


def test_produce_keeps_the_contract(kafkactl: Run, platform: str) -> None:
    fields = [f"--set={name}=1" for name in ("payment_id", "payment_no", "merchant_id", "status", "amount")]
    good = kafkactl("produce", "payment.created", "--event", *fields, "--set=currency=CNY", "--set=metadata.a.b=[1]")
    assert good.code == 0, good.err
    event = json.loads(kafkactl("tail", "payment.created", "-n", "1", "--no-follow", "-o", "raw", "--no-mask").out)
    assert (event["payment_no"], event["amount"], event["metadata"]) == ("1", 1, {"a": {"b": [1]}})
    assert event["event_type"] == "payment.created"
    bad = kafkactl("produce", "payment.created", "--event", "--set", "amount=12.5")
    assert bad.code == 1
    assert "breaks the contract payment" in bad.err
    warned = kafkactl("produce", "payment.created", "{}")
    assert (warned.code, warned.err.count("warning:")) == (0, 1)
    Path("lines").write_text("{}\n" * 3 + json.dumps(payment()) + "\n")
    counted = kafkactl("produce", "payment.created", "-l", "lines")
    assert counted.code == 0
    assert "3 records broke the contract payment" in counted.err
    refused = kafkactl("produce", "payment.created", "-l", "lines", "--check")
    assert refused.code == 1
    assert "1 of 4 records acknowledged" in refused.err
    assert kafkactl("produce", "plain", "{}").err.count("warning") == 0
    assert kafkactl("produce", "plain", "{}", "--check").code == 2
    assert kafkactl("produce", "payment.created", "{}", "--set", "a=b").code == 2


def test_tail_marks_what_breaks_the_contract(kafkactl: Run, platform: str) -> None:
    kafkactl("produce", "payment.created", json.dumps(payment(payment_no="secret-no")), "--no-check")
    kafkactl("produce", "payment.created", json.dumps(payment(payment_no="secret-no", amount="5")), "--no-check")
    options = ("tail", "payment.created", "--no-follow")
    marked = kafkactl(*options, "--check").out
    assert marked.count("amount must be a whole number, not text") == 1
    assert marked.count("payment.created[") == 2
    assert "secret-no" not in marked
    only = kafkactl(*options, "--invalid", "-o", "json").out.splitlines()
    assert [json.loads(line)["invalid"] for line in only] == [["amount must be a whole number, not text"]]
    assert json.loads(only[0])["masked"] is True
    assert kafkactl(*options, "--check", "-o", "raw").code == 2
    assert kafkactl("tail", "plain", "--no-follow", "--check").code == 2


def test_offline(kafkactl: Run, platform: str, tmp_path: Path) -> None:
    schema = kafkactl("events", "schema", "payment")
    assert json.loads(schema.out)["title"] == "payment"
    example = json.loads(kafkactl("events", "example", "payment.created").out)
    assert example["event_type"] == "payment.created"
    assert kafkactl("events", "example", "plain").code == 2
    assert kafkactl("events", "example", "paymnt.created").code == 2
    Path("old.json").write_text(schema.out)
    assert kafkactl("events", "diff", "old.json", "payment").code == 0
    changed = kafkactl("events", "diff", "base", "payment", "-o", "json")
    assert (changed.code, json.loads(changed.out)["breaks"]) == (1, True)
    Path("broken.json").write_text("{")
    assert kafkactl("events", "diff", "broken.json", "payment").code == 2
