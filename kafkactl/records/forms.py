"""The forms a record is shown in: kcat's format strings, a line for people, JSON, the raw value. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import cast

import msgspec

from kafkactl.errors import UsageError
from kafkactl.records.filters import Filter
from kafkactl.records.jsonlines import encode, encode_lines, encode_parsed
from kafkactl.records.masking import mask
from kafkactl.records.model import Record
from kafkactl.records.query import Query
from kafkactl.text.escapes import SIGNS, printable


def length(data: bytes | None) -> int:
    """How many bytes; -1 for null."""
    return -1 if data is None else len(data)


def headers(record: Record) -> bytes:
    """name=value, with commas between them."""
    pairs = (name.encode() + b"=" + (b"NULL" if value is None else value) for name, value in record.headers)
    return b",".join(pairs)


# Token → conversion of bytes' %, and what of the record r it converts.
TOKENS = {
    "t": ("%b", "r.topic.encode()"),
    "p": ("%d", "r.partition"),
    "o": ("%d", "r.offset"),
    "k": ("%b", "r.key or b''"),
    "s": ("%b", "r.value or b''"),
    "T": ("%d", "-1 if r.timestamp is None else r.timestamp"),
    "h": ("%b", "headers(r)"),
    "S": ("%d", "length(r.value)"),
    "K": ("%d", "length(r.key)"),
    "R": ("%b", "length(r.value).to_bytes(4, 'big', signed=True)"),
}


def compile_format(text: str) -> Callable[[Record], bytes]:
    """A function from a record to its bytes. Raises UsageError for a token that does not exist."""
    template, arguments = b"", ""
    for literal, token, escape in re.findall(r"([^%\\]+)|%(.?)|\\(x[0-9a-fA-F]{1,2}|.?)", text, re.DOTALL):
        if literal or escape:
            template += (literal.encode() if literal else _escaped(escape)).replace(b"%", b"%%")
        elif token == "%":
            template += b"%%"
        elif token in TOKENS:
            conversion, argument = TOKENS[token]
            template += conversion.encode()
            arguments += f"{argument}, "
        else:
            names = " ".join(f"%{name}" for name in (*TOKENS, "%"))
            raise UsageError(f"%{token} is not a valid token of --format.", hint=f"Valid tokens: {names}.")
    # One expression for the whole record, of the pieces above alone: a call for each token takes twice as long.
    given = {"template": template, "headers": headers, "length": length}
    return cast("Callable[[Record], bytes]", eval(f"lambda r: template % ({arguments})", given))


def _escaped(escape: str) -> bytes:
    if escape[0] == "x" and len(escape) > 1:
        return bytes([int(escape[1:], 16)])
    return SIGNS.get(escape, b"\\" + escape.encode())


Paint = Callable[[str, str], str]


def when(timestamp: int | None, today: datetime) -> str:
    """A timestamp (ms) as local time in the zone of `today`, with the date where it is another day."""
    if timestamp is None or timestamp < 0:
        return "no timestamp"
    zone: tzinfo | None = today.tzinfo
    try:
        moment = datetime.fromtimestamp(timestamp / 1000, zone)
    except (OverflowError, ValueError, OSError):
        return f"{timestamp} ms"
    clock = f"{moment:%H:%M:%S}.{timestamp % 1000:03d}"
    return clock if moment.date() == today.date() else f"{moment:%Y-%m-%d} {clock}"


def readable_line(record: Record, today: datetime, paint: Paint, *, headers: bool, pretty: bool) -> str:
    """The record in a line: time, topic[partition]@offset, key, value; `pretty` unfolds JSON below it."""
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    parts = [paint(when(record.timestamp, today), "dim"), paint(place, "cyan")]
    parts.append(paint("∅", "dim") if record.key is None else paint(printable(record.key), "bold"))
    if headers and record.headers:
        pairs = (f"{printable(n.encode())}={'∅' if v is None else printable(v)}" for n, v in record.headers)
        parts.append(paint("{" + ", ".join(pairs) + "}", "dim"))
    return "  ".join([*parts, _value(record.value, paint, pretty=pretty)])


def _value(value: bytes | None, paint: Paint, *, pretty: bool) -> str:
    if value is None:
        return paint("∅ tombstone", "dim")
    if not value:
        return paint('""', "dim")
    if value.lstrip()[:1] in (b"{", b"["):
        try:
            # Only the white space changes: figures stay as they were written.
            folded = msgspec.json.format(value, indent=2 if pretty else -1)
        except (msgspec.DecodeError, RecursionError):
            pass
        else:
            return ("\n" if pretty else "") + printable(folded, lines=pretty)
    return printable(value)


Form = Callable[[Record], bytes]


@dataclass(frozen=True)
class Emitter:
    """Which records are shown, and how.

    `form` writes one record, its end of line included; None means as JSON, in which a value that is JSON is text, or,
    where `parsed`, what it is. `masks` are the fields to hide, by
    topic; a topic that is not there is not masked. `keep` sees records as they are; `query`, which is jq, sees
    what is shown of them; its results are written in place of the record, indented if `pretty`, unless it only filters.
    """

    form: Form | None = None
    query: Query | None = None
    masks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keep: Filter | None = None
    pretty: bool = False
    query_only_filters: bool = False
    parsed: bool = False

    @property
    def shows_all(self) -> bool:
        """Whether every record is shown, as it is."""
        return self.keep is None and self.query is None and not self.masks

    def text(self, record: Record) -> bytes | None:
        """What is written for a record; None where it is not shown."""
        if self.keep is not None and not self.keep(record):
            return None
        fields = self.masks.get(record.topic)
        shown = record if fields is None else mask(record, fields)
        if self.query is not None:
            results = self.query(shown)
            if not results:
                return None
            if results != [b"true"] and not self.query_only_filters:
                indent = 2 if self.pretty else -1
                return b"".join(msgspec.json.format(result, indent=indent) + b"\n" for result in results)
        if self.form is not None:
            return self.form(shown)
        write = encode_parsed if self.parsed else encode
        return write(shown, masked=shown is not record and shown != record) + b"\n"

    def texts(self, records: Sequence[Record]) -> bytes:
        """What is written for these records."""
        if not self.shows_all:
            return b"".join([text for record in records if (text := self.text(record)) is not None])
        if self.form is not None:
            return b"".join(map(self.form, records))
        if self.parsed:
            return b"".join([encode_parsed(record) + b"\n" for record in records])
        return encode_lines(records)


def raw(record: Record) -> bytes:
    """The value as it is, and a newline."""
    return (record.value or b"") + b"\n"
