"""Hiding what must not be read over a shoulder: card numbers and named fields. Pure.

A card number has 13 to 19 digits (ISO/IEC 7812), the prefix and length of a known issuer, and a last digit that is
right by Luhn's sum. It is written in one piece, or in groups of digits with single blanks or dashes between them. All
but its last four digits become asterisks, so that two cards can be told apart.
"""

import json
import re
from collections.abc import Iterator, Sequence

import msgspec

from kafkactl.records.model import Record

HIDDEN = "***"

_DIGITS = re.compile(r"[0-9]+")
_RUN = re.compile(r"[0-9]+(?:[ -][0-9]+)*")
_UUID = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F-])")
_SHORTEST, _LONGEST = 13, 19
_WIDEST = range(16, 20)
# Prefixes (first, last) and lengths of the issuers' cards, as their public numbering ranges give them.
_ISSUERS: tuple[tuple[str, str, Sequence[int]], ...] = (
    ("4", "4", (13, 16, 18, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("36", "36", range(14, 20)),  # Diners Club
    ("300", "305", _WIDEST),
    ("300", "305", (14,)),
    ("3095", "3095", _WIDEST),
    ("38", "39", _WIDEST),
    ("38", "39", (14,)),
    ("6011", "6011", _WIDEST),  # Discover
    ("644", "649", _WIDEST),
    ("65", "65", _WIDEST),
    ("3528", "3589", _WIDEST),  # JCB
    ("62", "62", _WIDEST),  # UnionPay
    ("81", "81", _WIDEST),  # UnionPay, RuPay
    ("2200", "2204", _WIDEST),  # Mir
    ("508", "508", (16,)),  # RuPay
    ("60", "60", (16,)),
    ("82", "82", (16,)),
    ("5018", "5018", range(13, 20)),  # Maestro
    ("5020", "5020", range(13, 20)),
    ("5038", "5038", range(13, 20)),
    ("5612", "5612", range(13, 20)),
    ("5893", "5893", range(13, 20)),
    ("6304", "6304", range(13, 20)),
    ("6390", "6390", range(13, 20)),
    ("6759", "6763", range(13, 20)),
    ("506099", "506198", _WIDEST),  # Verve
    ("9792", "9792", (16,)),  # Troy
)


def luhn(digits: str) -> bool:
    """Whether a number's check digit is right: from the right, every second digit doubled, the sum ends in 0."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    figures = [int(digit) for digit in reversed(digits)]
    return sum(doubled[f] if place % 2 else f for place, f in enumerate(figures)) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether so many digits, without anything between them, are a card number."""
    if not _SHORTEST <= len(digits) <= _LONGEST or not _DIGITS.fullmatch(digits):
        return False
    return luhn(digits) and any(
        first <= digits[: len(first)] <= last and len(digits) in lengths for first, last, lengths in _ISSUERS
    )


def mask_cards(text: str) -> str:
    """`text` with every card number hidden but for its last four digits.

    In a run of groups of digits a card begins and ends where a group does, whatever stands beside it. What has the form
    of a UUID is none.
    """
    if not _has_enough_digits(text):
        return text
    spared = [match.span() for match in _UUID.finditer(text)]
    shown = list(text)
    for run in _RUN.finditer(text):
        for start, end in _cards(run[0]):
            place = run.start() + start
            if not any(begin <= place < over for begin, over in spared):
                _hide_digits(shown, place, run.start() + end)
    return "".join(shown)


def _has_enough_digits(text: str) -> bool:
    return sum(map(text.count, "0123456789")) >= _SHORTEST


def _cards(run: str) -> Iterator[tuple[int, int]]:
    """Where cards stand in a run of groups; of those that begin at one place the longest."""
    groups = [match.span() for match in _DIGITS.finditer(run)]
    for place, (start, _) in enumerate(groups):
        found = None
        digits = ""
        for begin, end in groups[place:]:
            digits += run[begin:end]
            if len(digits) > _LONGEST:
                break
            if is_card(digits):
                found = start, end
        if found:
            yield found


def _hide_digits(shown: list[str], start: int, end: int) -> None:
    digits = [place for place in range(start, end) if shown[place].isdigit() or shown[place] == "*"]
    for place in digits[:-4]:
        shown[place] = "*"


def mask(record: Record, fields: Sequence[str]) -> Record:
    """The record with card numbers hidden in key, value and headers, and these fields of a JSON value, too.

    A field is a dotted path ("card.number"); a step meets every element of a list. A header of that name is hidden
    as well. A value that is no JSON is hidden whole: nobody can tell where its fields are. The same record where there
    is nothing to hide.
    """
    headers = tuple(
        (name, HIDDEN.encode() if name in fields and value is not None else _masked(value))
        for name, value in record.headers
    )
    return msgspec.structs.replace(
        record, key=_masked(record.key), value=_masked_value(record.value, fields), headers=headers
    )


def _masked(data: bytes | None) -> bytes | None:
    """Cards hidden; in JSON, so that it stays JSON."""
    if data is None:
        return None
    if data.lstrip()[:1] in (b"{", b"[", b'"') and (text := _json(data)) is not None:
        return _encoded(_masked_json(text, ()))
    # latin-1 keeps every byte as it is, also where the text is no UTF-8.
    return mask_cards(data.decode("latin-1")).encode("latin-1")


def _masked_value(data: bytes | None, fields: Sequence[str]) -> bytes | None:
    if not data or not fields:
        return _masked(data)
    text = _json(data)
    return HIDDEN.encode() if text is None else _encoded(_masked_json(text, fields))


def _json(data: bytes) -> str | None:
    """A JSON document's text; None where it is none. NaN and a byte order mark, which others write, are let through."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return text


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def _masked_json(text: str, fields: Sequence[str]) -> str:
    """A document with cards hidden in its strings and whole numbers, and fields hidden whole; else as written."""
    parts: list[str] = []
    keys: list[str | None] = []  # of the objects that are open, the key whose value comes; None in a list
    done = hidden = 0  # how far the text is written; how deep the value that is hidden is nested
    key_comes = False
    for token in _TOKEN.finditer(text):
        word = token[0]
        if hidden:
            hidden += (word in "{[") - (word in "}]")
            if not hidden:
                parts.append(json.dumps(HIDDEN))
                done = token.end()
            continue
        if word in "}]":
            keys.pop()
            key_comes = False
        elif word == ",":
            key_comes = bool(keys) and keys[-1] is not None
        elif key_comes:
            keys[-1] = json.loads(word, strict=False)
            key_comes = False
            parts += [text[done : token.start()], _masked_token(word)]
            done = token.end()
        elif word != ":":
            is_hidden = bool(fields) and ".".join(key for key in keys if key) in fields
            parts.append(text[done : token.start()])
            done = token.end()
            if word in "{[":
                if is_hidden:
                    hidden = 1
                    continue
                keys.append("" if word == "{" else None)
                key_comes = word == "{"
                parts.append(word)
            else:
                parts.append(json.dumps(HIDDEN) if is_hidden else _masked_token(word))
    return "".join([*parts, text[done:]])


def _masked_token(word: str) -> str:
    """A string or number of a document; a number that is a card becomes a string."""
    if word[0] == '"':
        said = json.loads(word, strict=False)
        shown = mask_cards(said)
        return word if shown == said else json.dumps(shown, ensure_ascii=False)
    return json.dumps(mask_cards(word)) if is_card(word) else word
