"""Hiding what must not be read over a shoulder: card numbers and named fields. Pure.

A card number is 13 to 19 digits (ISO/IEC 7812), with single spaces or dashes between them at most, whose last
digit passes the Luhn check. All but its last four digits become asterisks, so that two cards can be distinguished.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from kafkactl.records.model import Record

_DIGITS = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_HIDDEN = "***"


def luhn(digits: str) -> bool:
    """Whether a number's check digit is right: from the right, every second digit doubled, the sum ends in 0."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    figures = [int(digit) for digit in reversed(digits)]
    return sum(doubled[f] if place % 2 else f for place, f in enumerate(figures)) % 10 == 0


def mask_cards(text: str) -> str:
    """`text` with every card number hidden but for its last four digits."""

    def hide(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[0])
        return "*" * (len(digits) - 4) + digits[-4:] if luhn(digits) else match[0]

    return _DIGITS.sub(hide, text)


def mask(record: Record, fields: Sequence[str]) -> Record:
    """The record with card numbers hidden in key, value and headers, and these fields of a JSON value, too.

    A field is a dotted path ("card.number"); a step meets every element of a list. A header of that name is hidden
    as well. The same record where there is nothing to hide.
    """
    headers = tuple(
        (name, _HIDDEN.encode() if name in fields and value is not None else _mask_bytes(value))
        for name, value in record.headers
    )
    return msgspec.structs.replace(
        record, key=_mask_bytes(record.key), value=_mask_value(record.value, fields), headers=headers
    )


def _mask_bytes(data: bytes | None) -> bytes | None:
    if data is None:
        return None
    # latin-1 keeps every byte as it is, even if the text is not UTF-8.
    return mask_cards(data.decode("latin-1")).encode("latin-1")


def _mask_value(data: bytes | None, fields: Sequence[str]) -> bytes | None:
    if data is None or not fields or data.lstrip()[:1] not in (b"{", b"["):
        return _mask_bytes(data)
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _mask_bytes(data)
    hidden = False
    for field in fields:
        hidden |= _hide(document, field.split("."))
    return _mask_bytes(msgspec.json.encode(document) if hidden else data)


def _hide(node: Any, path: Sequence[str]) -> bool:
    if isinstance(node, list):
        return sum(_hide(element, path) for element in node) > 0  # every element, not only the first
    if not isinstance(node, dict) or path[0] not in node:
        return False
    if len(path) > 1:
        return _hide(node[path[0]], path[1:])
    node[path[0]] = _HIDDEN
    return True
