"""A record as a person reads it on a terminal. Pure; nothing a record holds can drive the terminal."""

from collections.abc import Callable
from datetime import datetime, tzinfo

import msgspec

from kafkactl.escapes import plain
from kafkactl.records.model import Record

Paint = Callable[[str, str], str]


def printable(data: bytes, *, lines: bool = False) -> str:
    """Bytes as text that cannot drive a terminal; what is no UTF-8 is shown as escapes. `lines` keeps newlines."""
    return plain(data.decode("utf-8", "backslashreplace"), lines=lines)


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


def show(record: Record, today: datetime, paint: Paint, *, headers: bool, pretty: bool) -> str:
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
        except msgspec.DecodeError:
            pass
        else:
            return ("\n" if pretty else "") + printable(folded, lines=pretty)
    return printable(value)
