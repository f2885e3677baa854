"""`produce --json`: what a line may hold, what is said of one that is no record, and how corrected lines are sent."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.records import corrections
from kafkactl.records.corrections import Reading
from kafkactl.records.outgoing import Given, Outgoing, from_json
from tests.conftest import Outcome, create

Run = Callable[..., Outcome]
read = from_json(Given(), keep_partition=False)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
NAMES = ["value", "key", "headers", "partition", "timestamp", "masked", "invalid", "text", "json", "key_separator", "x"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('{"amount": 1.50, "id": 12345678901234567890}', b'{"amount": 1.50, "id": 12345678901234567890}'),
        ("[1, 2]", b"[1, 2]"),
        ("5", b"5"),
        ("1.0e3", b"1.0e3"),
        ("true", b"true"),
        ('"text"', b"text"),
        ("null", None),
        ('{"base64": "/w=="}', b"\xff"),
        ('{"base64": "/w==", "more": 1}', b'{"base64": "/w==", "more": 1}'),
    ],
)
def test_any_json_is_a_value_a_key_and_a_header(written: str, value: bytes | None) -> None:
    assert read(b'{"value":%s}' % written.encode()) == Outgoing(value)
    assert read(b'{"value":"v","key":%s}' % written.encode()) == Outgoing(b"v", value)
    for headers in (f'{{"h": {written}}}', f'[["h", {written}]]'):
        found = read(f'{{"value":"v","headers":{headers}}}'.encode())
        assert found == Outgoing(b"v", None, (("h", value),))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "it is not valid JSON: it ends too early"),
        (b'{"value" 1}', "it is not valid JSON: byte 10 of the line is unexpected"),
        (b"[]", "it is not a JSON object"),
        (b'{"key":"k"}', 'it has no "value"'),
        (b'{"value":{"base64":5}}', 'the base64 of its "value" is not text'),
        (b'{"value":"v","headers":5}', 'its "headers" are neither'),
        (b'{"value":"v","headers":["a"]}', 'its "headers" are neither'),
        (b'{"value":"v","timestamp":"now"}', 'its "timestamp" is not a whole number'),
        (b'{"value":"\xff"}', "it is not UTF-8: byte 11"),
        (b'{"value":' + b"[" * 100_000, "its JSON is nested too deeply"),
    ],
)
def test_what_is_wrong_is_told_in_our_words(line: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read(line)


@given(st.dictionaries(st.sampled_from(NAMES), anything).map(lambda d: json.dumps(d).encode()) | st.binary())
def test_no_line_is_told_in_a_librarys_words(line: bytes) -> None:
    for parse in (read, Reading(as_json=True, keep_partition=True).parse()):
        error: Exception = ValueError()
        try:
            parse(line)
        except ValueError as found:
            error = found
        assert not re.search(r"field `|\$\.|Expected|malformed|truncated|codec", str(error))
        assert type(error) is ValueError


@given(st.binary(max_size=20), st.integers(0, 9), st.booleans())
def test_a_kept_line_fails_as_before_and_becomes_a_record_once_corrected(text: bytes, place: int, typed: bool) -> None:
    reading = Reading(Given(None, (("h", b"1"),), 7, place), separator=b":", typed=typed)
    again = Reading(as_json=True, keep_partition=True).parse()
    line = text.replace(b":", b"")
    with pytest.raises(ValueError) as first:
        reading.parse()(line)
    kept = corrections.as_invalid(line, 3, str(first.value), reading)
    with pytest.raises(ValueError, match=re.escape(str(first.value))):
        again(kept)
    assert corrections.as_invalid(kept.rstrip(b"\n"), 1, "?", Reading(as_json=True)) == kept
    corrected = json.dumps({**json.loads(kept), "text": "k:v"}).encode()
    assert again(corrected) == Outgoing(b"v", b"k", (("h", b"1"),), 7, place)


@pytest.mark.parametrize(
    ("options", "lines", "correction"),
    [
        (("-K", ":", "-H", "h=1"), "a:1\nnone\nb:2\n", "c:3"),
        (("--json",), '{"value":{"x":1}}\nnone\n{"value":2}\n', '{"value":3,"key":"c"}'),
        (("--json", "--keep-partition"), '{"value":1,"partition":1}\n{"value":2}\n', '{"value":3,"partition":1}'),
        (("-K", ":", "--partition", "1"), "a:1\nnone\n", "c:3"),
    ],
)
def test_the_printed_command_sends_what_was_corrected(
    one_broker: str, kafkactl: Run, options: tuple[str, ...], lines: str, correction: str
) -> None:
    create(one_broker, NewTopic("t", 2, 1))
    Path("in.txt").write_text(lines)
    run = kafkactl("produce", "t", *options, "-l", "in.txt")
    assert run.code == 1
    why = next(line for line in run.err.splitlines() if line.startswith("in.txt:2: "))[len("in.txt:2: ") :]
    command = shlex.split(run.err.rsplit("then send it: ", 1)[-1])
    assert command[:2] == ["kafkactl", "produce"], run.err
    again = kafkactl(*command[1:])
    assert again.code == 1
    assert why in again.err  # uncorrected it fails for the same reason
    path = Path(command[-1])
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "text": correction}) + "\n" for line in kept))
    assert kafkactl(*command[1:]).code == 0
    shown = kafkactl("tail", "t", "--no-follow", "-o", "json").out.splitlines()
    last = next(record for record in map(json.loads, shown) if record["value"] == "3")
    assert last["key"] in ("c", None)
    assert last["headers"] == ([["h", "1"]] if "-H" in options else [])
    assert last["partition"] == 1 or {"--partition", "--keep-partition"}.isdisjoint(options)


def test_a_bad_value_argument_is_an_argument_not_line_1(one_broker: str, kafkactl: Run) -> None:
    create(one_broker, NewTopic("t", 1, 1, config={"max.message.bytes": "1000"}))
    run = kafkactl("produce", "t", "novalue", "-K", ":")
    assert (run.code, run.err) == (2, "VALUE: it does not contain the key separator ':'.\n")
    run = kafkactl("produce", "t", "{}", "--json")
    assert (run.code, run.err) == (2, 'VALUE: it has no "value"; null would be a tombstone.\n')
    run = kafkactl("produce", "t", "x" * 2000, "--count", "3")
    assert run.code == 1
    assert run.err.count("VALUE: it needs 2,070 bytes") == 1
    assert "line 1" not in run.err
    assert kafkactl("produce", "t", "--json", '{"value": {"a": 1}, "headers": {"n": 5}}').code == 0
    assert '"value":"{\\"a\\": 1}"' in kafkactl("tail", "t", "--no-follow", "-o", "json").out


@pytest.mark.parametrize(
    "options",
    [
        ("v", "-l", "-"),
        ("v", "--delimiter", ";"),
        ("--value-file", "f", "--lines", "f"),
        ("v", "--partitioner", "crc32", "--partition", "0"),
        ("--json", "--partitioner", "crc32", "--keep-partition"),
    ],
)
def test_nothing_that_was_typed_is_ignored(one_broker: str, kafkactl: Run, options: tuple[str, ...]) -> None:
    Path("f").write_text("x")
    run = kafkactl("produce", "t", *options)
    assert (run.code, "cannot be combined" in run.err) == (2, True), run.err
