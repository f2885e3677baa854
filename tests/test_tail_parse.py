"""tail -o json --parse, and how far a read has come that shows nothing for long."""

import json
from collections.abc import Callable

import msgspec
import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.records.jsonlines import decode, encode_parsed
from kafkactl.records.model import Record
from tests.conftest import Outcome
from tests.test_terminal import Terminal

Run = Callable[..., Outcome]


def record(value: bytes | None) -> Record:
    return Record("t", 0, 7, 1, "create", b"k", value, ())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda x: st.lists(x) | st.dictionaries(st.text(max_size=3), x),
        max_leaves=6,
    )
)
def test_a_value_that_is_json_stands_there_as_it_is(value: object) -> None:
    line = encode_parsed(record(json.dumps(value, indent=1).encode()))
    assert b"\n" not in line
    assert json.loads(line)["value"] == value


@pytest.mark.parametrize("figure", ["1.10", "12345678901234567890123", "-0.0", "0.1000000000000000055"])
def test_figures_stay_as_they_were_written(figure: str) -> None:
    line = encode_parsed(record(f'{{"amount": {figure}}}'.encode()))
    assert f'"amount":{figure}'.encode() in line
    assert decode(line).value == f'{{"amount":{figure}}}'


@pytest.mark.parametrize("value", [None, b"", b"plain", b"\xff", b'{"a":', b"[" * 5000, b'{"a": NaN}'])
def test_what_is_no_json_stands_there_as_without(value: bytes | None) -> None:
    assert encode_parsed(record(value)) == encode_parsed(record(value))
    found = msgspec.json.decode(encode_parsed(record(value)))["value"]
    assert found is None or isinstance(found, str) or found.keys() == {"base64"}


def test_on_the_command_line(kafkactl: Run, orders: str) -> None:
    assert kafkactl("produce", "orders", '{"id": 1, "card": "4111111111111111"}', "-k", "k").code == 0
    run = kafkactl("tail", "orders", "--no-follow", "-o", "json", "--parse", "--mask", "id")
    line = json.loads(run.out)
    assert line["value"].keys() == {"id", "card"}
    assert line["masked"] is True
    assert "1111111111" not in run.out
    assert isinstance(json.loads(kafkactl("tail", "orders", "--no-follow", "-o", "json").out)["value"], str)
    for other in ([], ["-o", "raw"], ["-o", "json", "--jq", "."], ["--format", "%s"]):
        assert "--parse needs -o json" in kafkactl("tail", "orders", "--parse", *other).err


def test_a_long_read_that_shows_nothing_says_how_far_it_is(orders: str) -> None:
    producer = Producer({"bootstrap.servers": orders, "linger.ms": 20})
    for number in range(60_000):
        producer.produce("orders", b'{"n": %d}' % number)
        producer.poll(0)
    producer.flush(30)
    slow = "([range(500)] | length) == 500 and .value.n == 59999"
    run = Terminal("tail", "orders", "--from-beginning", "--no-follow", "--jq", slow, columns=80)
    assert run.end() == 0
    assert " of 60,000 records, 0 matched" in run.raw
    assert '"n":59999' in run.lines[-2].replace(" ", "")
    assert not any("scanned" in line for line in run.lines)
