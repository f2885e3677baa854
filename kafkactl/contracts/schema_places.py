"""Where something is in the text of a JSON file: lines and columns, counted from 1. Pure."""

import json
import re
from collections.abc import Iterator, Sequence

_SPACE = re.compile(r"[ \t\r\n]*")
_scan = json.JSONDecoder().raw_decode


def place_in(text: str, path: Sequence[object], *, key: bool = False) -> tuple[int, int]:
    """Where the value at this path of valid JSON begins (or its key): as far down the path as the text goes."""
    at = begin = _after_space(text, 0)
    for step in path:
        found = [(key_at, value_at) for name, key_at, value_at in _members(text, at) if str(name) == str(step)]
        if not found:
            break
        begin, at = found[-1]  # of a key that is there twice the last one counts
    return _place(text, begin if key else at)


def place_of_byte(data: bytes, offset: int) -> tuple[int, int]:
    """Where the byte at this offset of a text is."""
    before = data[:offset].decode("utf-8", "replace")
    return _place(before, len(before))


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _members(text: str, at: int) -> Iterator[tuple[object, int, int]]:
    """The members of an object, or the items of a list: name or number, where it begins, where its value begins."""
    closing = {"{": "}", "[": "]"}.get(text[at : at + 1])
    number = 0
    at = _after_space(text, at + 1)
    while closing and text[at : at + 1] != closing:
        try:
            name, value_at = (number, at) if closing == "]" else _scan(text, at)
            if closing == "}":
                value_at = _after_space(text, _after_space(text, value_at) + 1)  # behind the colon
            _, end = _scan(text, value_at)
        except (ValueError, RecursionError):
            return
        yield name, at, value_at
        number += 1
        at = _after_space(text, end)
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
