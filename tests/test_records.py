"""What a record looks like, in each form and back again; which are kept; what is hidden. Pure."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.errors import UsageError
from kafkactl.records import filters, jsonlines
from kafkactl.records.forms import compile_format, printable, readable_line, when
from kafkactl.records.model import Record
from kafkactl.records.query import Jq

maybe_bytes = st.none() | st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
names = st.text(st.characters(exclude_categories=["Cs"]))
records = st.builds(
    Record,
    st.just("t"),
    st.integers(0, 99),
    st.integers(0, 2**62),
    st.none() | st.integers(0, 2**52),
    st.sampled_from(["create", "append"]),
    maybe_bytes,
    maybe_bytes,
    st.lists(st.tuples(names, maybe_bytes), max_size=4).map(tuple),
)


def record(value: bytes | None = b"v", key: bytes | None = b"k", headers: tuple = ()) -> Record:
    return Record("pay", 1, 7, 1_700_000_000_123, "create", key, value, headers)


@given(records)
def test_a_line_of_json_holds_everything(given_record: Record) -> None:
    text = jsonlines.encode(given_record)
    assert b"\n" not in text
    line = jsonlines.decode(text)
    assert jsonlines.data(line.key) == given_record.key
    assert jsonlines.data(line.value) == given_record.value
    assert jsonlines.header_data(line) == given_record.headers
    assert (line.topic, line.partition, line.offset) == ("t", given_record.partition, given_record.offset)
    assert (line.timestamp, line.timestamp_type) == (given_record.timestamp, given_record.timestamp_type)


def test_null_is_not_empty_and_bytes_are_marked() -> None:
    line = json.loads(jsonlines.encode(record(value=None, key=b"", headers=(("h", b"\xff"), ("h", None)))))
    assert line["value"] is None
    assert line["key"] == ""
    assert line["headers"] == [["h", {"base64": "/w=="}], ["h", None]]
    assert "masked" not in line
    assert json.loads(jsonlines.encode(record(), masked=True))["masked"] is True


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"key":"k"}', b'{"value":{"base64":3}}', b"\xff"])
def test_a_line_that_is_none_is_told(line: bytes) -> None:
    with pytest.raises(ValueError):
        jsonlines.data(jsonlines.decode(line).value)


def test_base64_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="base64"):
        jsonlines.data(jsonlines.decode(b'{"value":{"base64":"*"}}').value)


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("%t %p %o %k %s %T\\n", b"pay 1 7 k v 1700000000123\n"),
        ("%S %K %h%%", b"1 1 a=1,b=NULL%"),
        ("\\t\\x41\\0\\\\", b"\tA\0\\"),
        ("%R", b"\0\0\0\1"),
    ],
)
def test_kcats_tokens(form: str, wanted: bytes) -> None:
    assert compile_format(form)(record(headers=(("a", b"1"), ("b", None)))) == wanted


def test_a_tombstone_in_a_format_has_length_minus_one() -> None:
    assert compile_format("%s|%S")(record(value=None)) == b"|-1"


@pytest.mark.parametrize("form", ["%x", "50%", "%q\\n"])
def test_an_unknown_token_is_told(form: str) -> None:
    with pytest.raises(UsageError, match="not a valid token"):
        compile_format(form)


class TestFilters:
    def test_key_is_exact(self) -> None:
        keep = filters.by_key(b"k")
        assert keep(record())
        assert not keep(record(key=None))
        assert not keep(record(key=b"kk"))

    def test_grep_looks_everywhere(self) -> None:
        keep = filters.by_pattern(b"time.?out")
        assert keep(record(value=b"a timeout"))
        assert keep(record(key=b"time-out"))
        assert keep(record(headers=(("e", b"timeout"),)))
        assert not keep(record(value=None, key=None))
        with pytest.raises(UsageError, match="not a valid regular expression"):
            filters.by_pattern(b"(")

    def test_header(self) -> None:
        found = record(headers=(("a", b"1"), ("a", b"2"), ("n", None)))
        assert filters.by_header(b"a=2")(found)
        assert filters.by_header(b"n")(found)
        assert not filters.by_header(b"n=")(found)
        assert not filters.by_header(b"b=1")(found)
        with pytest.raises(UsageError):
            filters.by_header(b"=x")

    def test_jq_keeps_drops_and_rewrites(self) -> None:
        payment = record(value=b'{"amount": 1999}')

        def results(expression: str, given: Record = payment) -> list[bytes]:
            with Jq(expression) as query:
                return query(given)

        assert results(".value.amount > 1000") == [b"true"]
        assert results(".value.amount > 9999") == []
        assert results(".value.none") == []
        assert results("{key, a: .value.amount}") == [b'{"key":"k","a":1999}']
        assert results(".value.amount > 1000", record(value=b"no json")) == []
        assert results(".value.amount.x.y") == []  # fails on this record: no match
        with pytest.raises(UsageError, match="--jq"):
            Jq(".a >")


NOW = datetime(2023, 11, 14, 23, 0, tzinfo=UTC)


def shown(given_record: Record, **options: bool) -> str:
    wish = {"headers": False, "pretty": False, **options}
    return readable_line(given_record, NOW, lambda text, _: text, **wish)


def test_a_record_in_a_line() -> None:
    assert shown(record(b'{"a": 1.10,\n "b": [1, 2]}')) == '22:13:20.123  pay[1]@7  k  {"a":1.10,"b":[1,2]}'
    assert shown(record(None, None)) == "22:13:20.123  pay[1]@7  ∅  ∅ tombstone"
    assert shown(record(b"", b"")).endswith('""')
    assert shown(record(headers=(("h", None),)), headers=True).endswith("{h=∅}  v")
    assert shown(record(b'{"a":1}'), pretty=True).endswith('\n{\n  "a": 1\n}')


def test_another_day_has_its_date() -> None:
    assert when(0, NOW) == "1970-01-01 00:00:00.000"
    assert when(None, NOW) == "no timestamp"
    assert when(2**60, NOW).endswith("ms")


@given(st.binary(), st.booleans())
def test_no_record_drives_the_terminal(data: bytes, pretty: bool) -> None:
    text = shown(record(data, data, (("h", data),)), headers=True, pretty=pretty)
    for character in text.replace("\n", "") if pretty else text:
        assert character >= " " or character == "\t", repr(text)
        assert not "\x7f" <= character <= "\x9f"
    assert "\x1b" not in printable(b"\x1b[2J")
