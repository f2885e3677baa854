"""Lines that are no valid records, in the file of unsent ones: kept so that they can be corrected there and sent. Pure.

    {"invalid":"it does not contain the key separator ':'","line":2,"text":"a","key_separator":":"}

Such a line says how it was read, so that its text, once corrected, becomes the record it was meant to be.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kafkactl.records.jsonlines import Text, as_text, data, fields, headers_of, integer_of, text_of
from kafkactl.records.outgoing import Given, Outgoing, Parse, from_json, keyed, unkeyed

TERMINAL_LINE = 4095  # bytes: what a terminal passes on of a line, without a word about the rest
_MARK = b'"invalid"'


@dataclass(frozen=True)
class Reading:
    """How lines are read: as JSON, as key and value, or as a value; `given` is what is said of every record."""

    given: Given = field(default_factory=Given)
    separator: bytes | None = None
    as_json: bool = False
    keep_partition: bool = False
    typed: bool = False  # on a terminal, which may have cut them

    def parse(self) -> Parse:
        """The function that reads a line."""
        if self.as_json:
            parse = resent(self.given, keep_partition=self.keep_partition)
        elif self.separator is not None:
            parse = keyed(self.separator, self.given)
        else:
            parse = unkeyed(self.given)
        return _uncut(parse, lambda size: size >= TERMINAL_LINE) if self.typed else parse


def _uncut(parse: Parse, cut: Callable[[int], bool]) -> Parse:
    def whole(line: bytes) -> Outgoing | None:
        if cut(len(line)):
            raise ValueError(
                f"a terminal passes on {TERMINAL_LINE:,} bytes of a line, so this one may be cut; "
                "send it from a file: --value-file, --lines"
            )
        return parse(line)

    return whole


def as_invalid(line: bytes, number: int, why: str, reading: Reading) -> bytes:
    """An invalid line as it is kept, with its newline; one that was kept before stays what it was."""
    if reading.as_json and _kept(line) is not None:
        return line + b"\n"
    given = reading.given
    entry: dict[str, Any] = {"invalid": why, "line": number, "text": as_text(line)}
    if reading.as_json:
        entry["json"] = True
    if reading.separator is not None:
        entry["key_separator"] = as_text(reading.separator)
    if reading.typed:
        entry["typed"] = True
    if given.key is not None:
        entry["key"] = as_text(given.key)
    if given.headers:
        entry["headers"] = [(name, as_text(value)) for name, value in given.headers]
    if given.timestamp is not None:
        entry["timestamp"] = given.timestamp
    if given.partition is not None:
        entry["partition"] = given.partition
    return msgspec.json.encode(entry) + b"\n"


def resent(given: Given, *, keep_partition: bool) -> Parse:
    """As `from_json`, for files of unsent records, too: the text of a line that was invalid is read again."""
    record = from_json(given, keep_partition=keep_partition)

    def parse(line: bytes) -> Outgoing | None:
        kept = _kept(line) if _MARK in line else None
        return record(line) if kept is None else _again(kept, given, keep_partition=keep_partition)

    return parse


def _kept(line: bytes) -> dict[str, msgspec.Raw] | None:
    """What a line that was invalid says; None for any other line, such as one that has got a value."""
    try:
        found = fields(line)
    except ValueError:
        return None
    return found if {"invalid", "text"} <= found.keys() and "value" not in found else None


def _again(kept: dict[str, msgspec.Raw], given: Given, *, keep_partition: bool) -> Outgoing | None:
    def part(name: str) -> Text:
        return text_of(name, kept[name]) if name in kept else None

    def number(name: str) -> int | None:
        return integer_of(name, kept[name]) if name in kept else None

    said = headers_of(kept["headers"]) if "headers" in kept else []
    reading = Reading(
        Given(
            data(part("key")),
            (*((name, data(value)) for name, value in said), *given.headers),
            number("timestamp") if given.timestamp is None else given.timestamp,
            number("partition") if keep_partition and given.partition is None else given.partition,
        ),
        separator=data(part("key_separator")) or None,
    )
    text = data(part("text")) or b""
    if "json" in kept:
        placed = "partition" in kept  # what the first run was told of all records stands above the record's own
        parse = from_json(reading.given, keep_partition=keep_partition and not placed)
    else:
        parse = reading.parse()
    if "typed" in kept:  # exactly what a terminal leaves of it: it was not corrected
        parse = _uncut(parse, lambda size: size == TERMINAL_LINE)
    record = parse(text)
    if record is None:
        raise ValueError('its "text" is empty')
    return record
