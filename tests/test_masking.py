"""Masked means masked: cards wherever they stand, fields however they are written, and nothing that is neither."""

import json
import random
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kafkactl.records.masking import HIDDEN, is_card, luhn, mask, mask_cards
from kafkactl.records.model import Record

PREFIXES = {"4": 16, "41": 13, "51": 16, "2221": 16, "34": 15, "37": 15, "36": 14, "6011": 16, "3528": 16, "62": 19}


@st.composite
def cards(draw: st.DrawFn) -> str:
    """A card number of a known issuer."""
    prefix, length = draw(st.sampled_from(sorted(PREFIXES.items())))
    body = prefix + draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    return next(body + check for check in "0123456789" if luhn(body + check))


@st.composite
def written(draw: st.DrawFn) -> str:
    """A card as people write it: in one piece, or in groups with one kind of separator."""
    number, separator = draw(cards()), draw(st.sampled_from(["", " ", "-"]))
    return separator.join(re.findall(".{1,4}", number)) if separator else number


around = st.text(st.characters(exclude_categories=["Cs", "Nd"]), max_size=8)
neighbours = st.sampled_from(["", "12/25 ", "order-1-", "123 ", "id 7, ", "20251125 ", '"', "pan:", "x="])


def record(value: bytes | None, key: bytes | None = None, headers: tuple = ()) -> Record:
    return Record("t", 0, 0, None, None, key, value, headers)


def digits_of(text: str) -> str:
    return re.sub(r"\D", "", text)


@given(around, neighbours, written(), st.sampled_from(["", " 12/25", " 123", "-1", ", 7", '"', "."]), around)
def test_a_card_planted_anywhere_is_hidden(before: str, near: str, card: str, behind: str, after: str) -> None:
    shown = mask_cards(f"{before}{near}{card}{behind}{after}")
    assert card not in shown
    assert digits_of(card)[:-4] not in digits_of(shown)


@given(written(), st.booleans())
def test_a_card_in_json_is_hidden_and_the_document_stays_json(card: str, as_number: bool) -> None:
    value = int(digits_of(card)) if as_number else f"paid with {card} 12/25"
    document = {"a": [1, {"b": value}], "n": None, "text": "ü", "amount": 1.10}
    hidden = json.loads(mask(record(json.dumps(document).encode()), ["x"]).value or b"")
    assert digits_of(card)[:-4] not in digits_of(json.dumps(hidden["a"]))
    assert (hidden["n"], hidden["text"], hidden["amount"]) == (None, "ü", 1.10)


moments = st.datetimes(datetime(2001, 9, 10), datetime(2095, 1, 1)).map(lambda t: t.replace(tzinfo=UTC).timestamp())


@given(moments, st.sampled_from([10**3, 10**6, 10**9]))
def test_timestamps_are_no_cards(seconds: float, scale: int) -> None:
    text = str(int(seconds * scale))
    assume(not is_card(text))
    assert mask_cards(text) == text
    assert mask_cards(f"at {text} and {text}") == f"at {text} and {text}"
    value = f'{{"ts":{text}}}'.encode()
    assert mask(record(value), ["x"]).value == value


def test_hardly_any_timestamp_of_our_days_looks_like_a_card() -> None:
    now = 1_764_000_000_000
    assert not any(is_card(str(now + step)) for step in range(20_000))
    assert not any(is_card(str((now + step) * 1_000)) for step in range(20_000))


@given(st.uuids())
def test_a_uuid_is_no_card(value: UUID) -> None:
    assert mask_cards(f"id {value}.") == f"id {value}."


@given(st.integers(10**16, 2**63 - 1))
def test_an_id_is_hidden_only_where_all_of_it_is_a_card(number: int) -> None:
    assert (mask_cards(str(number)) == str(number)) is not is_card(str(number))


@given(st.dates(datetime(2000, 1, 1).date(), datetime(2199, 12, 31).date()), st.integers(0, 10**9))
def test_a_date_coded_number_is_no_card(day: object, number: int) -> None:
    text = f"{day:%Y%m%d}{number:010d}"
    assert mask_cards(text) == text
    assert mask_cards(f"PAY{text}") == f"PAY{text}"


@pytest.mark.parametrize("text", ["4111111111111112", "1700000000123", "12345678901234567890123", "2026-11-22"])
def test_other_figures_stay(text: str) -> None:
    assert mask_cards(text) == text


@given(st.integers(10**12, 10**18))
def test_luhn_accepts_one_of_ten_check_digits(number: int) -> None:
    assert sum(luhn(f"{number}{digit}") for digit in range(10)) == 1


def test_fields_are_hidden_at_any_depth_and_the_rest_stays_as_it_was_written() -> None:
    value = (
        b'{"card": {"number":"x","n":1},"list":[{"cvv":{"a":[1]}},{"cvv":2}],"amount":1.10, "big":12345678901234567890}'
    )
    hidden = mask(record(value, headers=(("cvv", b"123"), ("o", b"1"))), ["card.number", "list.cvv", "cvv"])
    assert hidden.value == (
        b'{"card": {"number":"***","n":1},"list":[{"cvv":"***"},{"cvv":"***"}],"amount":1.10,'
        b' "big":12345678901234567890}'
    )
    assert hidden.headers == (("cvv", b"***"), ("o", b"1"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'{"cvv":NaN,"a":NaN}', b'{"cvv":"***","a":NaN}'),
        (b'\xef\xbb\xbf{"cvv":1}', b'\xef\xbb\xbf{"cvv":"***"}'),
        (b'{"card.number":"1"}', b'{"card.number":"***"}'),
        (b'{"card":{"number":"1"}}', b'{"card":{"number":"***"}}'),
        (b'{"cv\\u0076":"1"}', b'{"cv\\u0076":"***"}'),
        (b'{"cvv":"1","cvv":"2"}', b'{"cvv":"***","cvv":"***"}'),
        (b'{"cvv":"1"', b"***"),
        (b"cvv=123", b"***"),
        (b"\xff\xfe", b"***"),
        (b'{"cvv":"1"} {"cvv":"2"}', b"***"),
        (b"[" * 100_000, b"***"),
        (b"", b""),
        (None, None),
        (b"{}", b"{}"),
        (b'"text"', b'"text"'),
    ],
)
def test_what_cannot_be_parsed_is_hidden_whole(value: bytes | None, shown: bytes | None) -> None:
    assert mask(record(value), ["cvv", "card.number"]).value == shown


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), st.sampled_from([None, 2]), st.booleans())
def test_a_named_field_is_hidden_in_any_document(document: dict[str, object], indent: int | None, ascii: bool) -> None:
    secret = f"s3cr3t-{random.random()}"
    text = json.dumps({**document, "card": {"number": [secret]}, "x": [document]}, indent=indent, ensure_ascii=ascii)
    hidden = mask(record(text.encode("utf-8", "surrogatepass")), ["card.number"]).value or b""
    assert secret.encode() not in hidden
    if hidden != HIDDEN.encode():
        again = json.loads(hidden.decode("utf-8", "surrogatepass"))
        assert again["card"] == {"number": HIDDEN}
