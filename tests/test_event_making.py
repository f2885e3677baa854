"""Events that are made: examples of contracts, and what produce --event writes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.contracts.example import example_of
from kafkactl.contracts.schema_files import compiled
from tests.conftest import Outcome, create

Run = Callable[..., Outcome]

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
CATALOGUE = """
topics:
  payment.created: {event: payment}
  any.type: {event: base, event_type: any}
  refund: {event: refund}
  impossible: {event: impossible}
events: {refund: refund.json, money: money.json, impossible: impossible.json}
"""
FIELDS = [f"--set={name}=x" for name in ("payment_id", "payment_no", "merchant_id", "status")]
VALID = ("produce", "payment.created", "--event", *FIELDS, "--set=amount=1999", "--set=currency=CNY")


@pytest.fixture
def platform(one_broker: str) -> str:
    """Topics with contracts, one of which refers to another file."""
    create(one_broker, NewTopic("payment.created", 1, 1), NewTopic("any.type", 1, 1), NewTopic("refund", 1, 1))
    Path("topics.yaml").write_text(CATALOGUE)
    Path("money.json").write_text('{"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}}}')
    kind = {"event_type": {"enum": ["refund.done", "refund"]}, "amount": {"$ref": "money.json"}}
    Path("refund.json").write_text(json.dumps({"$ref": "kafkactl:base", "properties": kind, "required": ["amount"]}))
    Path("impossible.json").write_text('{"type": "object", "required": ["a"], "properties": {"a": {"pattern": "^z"}}}')
    return one_broker


def written(run: Run, topic: str, count: int = 1) -> list[dict[str, Any]]:
    """The values of the last records of a topic."""
    out = run("tail", topic, "-n", str(count), "--no-follow", "-o", "raw", "--no-mask").out
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    "field",
    [
        {"type": "integer", "minimum": 5, "maximum": 9, "multipleOf": 4},
        {"type": "number", "exclusiveMaximum": -3},
        {"type": "integer", "exclusiveMinimum": 41},
        {"type": "array", "minItems": 2, "items": {"type": "boolean"}},
        {"type": ["null", "string"]},
        {"type": "string", "minLength": 40},
        {"type": "string", "maxLength": 2},
        {"type": "string", "format": "date"},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"oneOf": [{"type": "object", "required": ["x"]}, {"type": "null"}]},
        {"type": "object", "anyOf": [{"required": ["p"]}, {"required": ["q"]}]},
        {"allOf": [{"required": ["x"]}, {"properties": {"y": {"type": "integer"}}, "required": ["y"]}]},
        {"const": [1]},
        {"enum": [{"a": 1}]},
        {"type": "object", "properties": {"next": {"$ref": "#"}}},
        True,
    ],
)
def test_an_example_of_every_kind_is_valid(field: Any) -> None:
    schema = {"type": "object", "required": ["f"], "properties": {"f": field}}
    contract = compiled("c", schema, {}, "c")
    event = example_of(contract.inlined, "t", NOW)
    assert "f" in event
    assert contract.violations_of(event) == []


def test_examples_follow_references_and_name_the_type(kafkactl: Run, platform: str) -> None:
    for name in ("refund", "payment", "payment.created"):
        assert json.loads(kafkactl("events", "example", name).out)["event_type"] == name
    Path("topics.yaml").write_text("topics: {}\nevents: {refund: refund.json, money: money.json}\n")
    event = json.loads(kafkactl("events", "example", "refund").out)
    assert (event["event_type"], event["amount"]) == ("refund.done", {"v": 1})


def test_where_no_valid_example_can_be_made_none_is_printed(kafkactl: Run, platform: str) -> None:
    outcome = kafkactl("events", "example", "impossible")
    assert (outcome.code, outcome.out) == (1, "")
    assert "a does not match ^z" in outcome.err


def test_what_is_given_is_kept_and_the_rest_is_filled_in(kafkactl: Run, platform: str) -> None:
    outcome = kafkactl(*VALID, "--set=event_id=mine")
    assert outcome.code == 0, outcome.err
    (event,) = written(kafkactl, "payment.created")
    assert (event["event_id"], event["event_type"], event["amount"]) == ("mine", "payment.created", 1999)
    wrong = kafkactl(*VALID, "--set=event_type=payment.failed")
    assert (wrong.code, "event_type is not payment.created" in wrong.err) == (1, True)
    null = kafkactl(*VALID, "--set=amount=null")
    assert (null.code, "amount must be a whole number, not null" in null.err) == (1, True)


def test_every_one_of_several_events_has_an_id_of_its_own(kafkactl: Run, platform: str) -> None:
    assert kafkactl(*VALID, "--count", "5").code == 0
    assert len({event["event_id"] for event in written(kafkactl, "payment.created", 5)}) == 5
    assert kafkactl("events", "check", "payment.created").code == 0


def test_an_event_happened_when_its_record_says_so(kafkactl: Run, platform: str) -> None:
    outcome = kafkactl(*VALID, "--timestamp", "2h")
    assert outcome.code == 0, outcome.err
    assert kafkactl("events", "check", "payment.created").code == 0
    age = datetime.now(UTC) - datetime.fromisoformat(written(kafkactl, "payment.created")[0]["timestamp"])
    assert 1.9 < age.total_seconds() / 3600 < 2.1


@pytest.mark.parametrize(
    ("time", "why"),
    [("2999-01-01T00:00:00Z", "is after the record"), ("2001-01-01T00:00:00Z", "is more than a year before")],
)
def test_produce_judges_times_as_check_does(kafkactl: Run, platform: str, time: str, why: str) -> None:
    refused = kafkactl(*VALID, f"--set=timestamp={time}")
    assert (refused.code, why in refused.err) == (1, True)
    assert kafkactl(*VALID, f"--set=timestamp={time}", "--no-check").code == 0
    value = json.dumps(written(kafkactl, "payment.created")[0])
    assert why in kafkactl("produce", "payment.created", value).err
    Path("lines").write_text(value + "\n")
    assert why in kafkactl("produce", "payment.created", "-l", "lines").err
    assert kafkactl("events", "check", "payment.created").code == 1


def test_too_deep_values_are_told_and_refused(kafkactl: Run, platform: str) -> None:
    deep = '{"metadata": ' + "[" * 400 + "]" * 400 + "}"
    warned = kafkactl("produce", "any.type", deep)
    assert (warned.code, "is nested too deeply to be checked" in warned.err) == (0, True)
    assert kafkactl("produce", "any.type", deep, "--check").code == 1
    shown = kafkactl("tail", "any.type", "--no-follow", "--check")
    assert (shown.code, "is nested too deeply to be checked" in shown.out) == (0, True)
    assert kafkactl("events", "check", "any.type").code == 1


def test_tail_says_which_topics_it_cannot_judge(kafkactl: Run, platform: str) -> None:
    Path("topics.yaml").write_text("topics:\n  payment.created: {event: payment}\n  refund: {}\n")
    outcome = kafkactl("tail", "payment.created", "refund", "--no-follow", "--invalid")
    assert outcome.code == 0
    assert "Not checked, for want of a contract: refund." in outcome.err
