"""Records as JSON, one object a line, and back. Pure; nothing is lost in either direction.

    {"topic":"t","partition":0,"offset":7,"timestamp":1700000000000,"timestamp_type":"create",
     "key":"k","value":"v","headers":[["name","value"],["name",null]]}

What is not an exact copy says so: "masked":true, "decoded_with":"value 7" (a schema's id).

Bytes that are UTF-8 are text; others are base64 and marked: {"base64": "/w=="}. null is Kafka's null.

What people write is read, too: a key, value or header that is any other JSON stands for its own text, as it was
written, and headers may be an object of names and values.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

import msgspec

from kafkactl.records.model import Headers, Record, TimestampType


class Base64(msgspec.Struct, forbid_unknown_fields=True):
    """Bytes that are not UTF-8."""

    base64: str


Text = str | Base64 | None


class RecordLine(msgspec.Struct, omit_defaults=True):
    """One line: a record, or as much of one as is needed to write it. Unknown keys are ignored."""

    value: Text
    key: Text = None
    headers: list[tuple[str, Text]] = []
    topic: str = ""
    partition: int | None = None
    offset: int | None = None
    timestamp: int | None = None
    timestamp_type: TimestampType | None = None
    masked: bool = False
    decoded_with: str = ""


class _Written(msgspec.Struct, gc=False):
    """A line as it is written: its keys are in this order."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    timestamp_type: TimestampType | None
    key: Text
    value: Any
    headers: list[tuple[str, Text]] | tuple[()]


class _Changed(_Written, gc=False, omit_defaults=True):
    """A line that is no exact copy: something is hidden in it, or it was made readable with a schema."""

    decoded_with: str = ""
    masked: bool = False


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RecordLine)


def encode(record: Record, *, masked: bool = False) -> bytes:
    """The record's line, without its newline. `masked`: something in it was hidden, so it is not an exact copy."""
    return _encoder.encode(_line(record, as_text(record.value), masked=masked))


def encode_lines(records: Iterable[Record]) -> bytes:
    """The lines of many records, each with its newline."""
    return _encoder.encode_lines([_line(record, as_text(record.value)) for record in records])


def encode_parsed(record: Record, *, masked: bool = False) -> bytes:
    """As `encode`, but a value that is JSON stands there as what it is, its figures as they were written."""
    value = record.value or b""
    try:
        msgspec.json.decode(value)
        return _encoder.encode(_line(record, msgspec.Raw(msgspec.json.format(value, indent=-1)), masked=masked))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # none, or nested too deeply to be parsed
        return encode(record, masked=masked)


def _line(record: Record, value: Any, *, masked: bool = False) -> _Written:
    line = _Written(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.timestamp_type,
        as_text(record.key),
        value,
        [(name, as_text(data)) for name, data in record.headers] if record.headers else (),
    )
    if masked or record.decoded_with:
        return _Changed(**msgspec.structs.asdict(line), decoded_with=record.decoded_with, masked=masked)
    return line


def as_text(data: bytes | None) -> Text:
    """Bytes as a line holds them."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Base64(b64encode(data).decode())


def encode_line(line: RecordLine) -> bytes:
    """What of a line is not left at its default, without its newline."""
    return _encoder.encode(line)


def decode(line: bytes) -> RecordLine:
    """Parse a line. Raises ValueError with what is wrong with it, without quoting the line's content."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _as_people_write_it(fields(line))


def fields(line: bytes) -> dict[str, msgspec.Raw]:
    """The line's keys, each with its JSON as it was written. Raises ValueError where it is no JSON object."""
    try:
        line.decode()
        return _fields.decode(line)
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8: byte {error.start + 1} of the line begins no character") from None
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    except msgspec.ValidationError:
        raise ValueError('it is not a JSON object such as {"key": "k", "value": "v"}') from None
    except msgspec.DecodeError as error:
        at = re.search(r"byte (\d+)", str(error))
        where = f"byte {int(at[1]) + 1} of the line is unexpected" if at else "it ends too early, or an escape is wrong"
        raise ValueError(f"it is not valid JSON: {where}") from None


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _as_people_write_it(found: dict[str, msgspec.Raw]) -> RecordLine:
    """A record whose parts may be any JSON."""
    if "value" not in found:
        raise ValueError('it has no "value"; null would be a tombstone')
    return RecordLine(
        value=text_of("value", found["value"]),
        key=text_of("key", found["key"]) if "key" in found else None,
        headers=headers_of(found["headers"]) if "headers" in found else [],
        partition=integer_of("partition", found["partition"]) if "partition" in found else None,
        timestamp=integer_of("timestamp", found["timestamp"]) if "timestamp" in found else None,
        masked=bytes(found.get("masked", b"false")) not in (b"false", b"null"),
        decoded_with="a schema" if bytes(found.get("decoded_with", b'""')) not in (b'""', b"null") else "",
    )


def text_of(name: str, raw: msgspec.Raw) -> Text:
    """What one part of a record is: a text, marked bytes, null, or any other JSON as its own text."""
    written = bytes(raw).strip()
    try:
        if written[:1] == b'"':
            return msgspec.json.decode(written, type=str)
        if written == b"null":
            return None
        if written[:1] == b"{" and (only := _fields.decode(written)).keys() == {"base64"}:
            return Base64(msgspec.json.decode(only["base64"], type=str))
        msgspec.json.decode(written)
    except msgspec.ValidationError:
        raise ValueError(f'the base64 of its "{name}" is not text') from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError(f'its "{name}" is not valid JSON') from None
    return written.decode()


def headers_of(raw: msgspec.Raw) -> list[tuple[str, Text]]:
    """Headers, as pairs or as an object."""
    try:
        written = bytes(raw).strip()
        if written == b"null":
            return []
        if written[:1] == b"{":
            return [(name, text_of(f"headers.{name}", value)) for name, value in _fields.decode(written).items()]
        pairs = msgspec.json.decode(written, type=list[tuple[str, msgspec.Raw]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError('its "headers" are neither [["name", "value"], …] nor {"name": "value", …}') from None
    return [(name, text_of(f"headers.{name}", value)) for name, value in pairs]


def integer_of(name: str, raw: msgspec.Raw) -> int | None:
    """A whole number, or None for null."""
    try:
        return msgspec.json.decode(raw, type=int | None)
    except msgspec.DecodeError:
        raise ValueError(f'its "{name}" is not a whole number') from None


def data(given: Text) -> bytes | None:
    """The bytes a text of a line stands for. Raises ValueError for invalid base64."""
    if given is None:
        return None
    if isinstance(given, str):
        return given.encode()
    try:
        return b64decode(given.base64, validate=True)
    except ValueError:
        raise ValueError("invalid base64") from None


def header_data(line: RecordLine) -> Headers:
    """The headers of a line, in their order: names may repeat. Raises ValueError as `data` does."""
    return tuple((name, data(value)) for name, value in line.headers)
