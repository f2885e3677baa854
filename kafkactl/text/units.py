"""Times and sizes as people write them, and back. Exact: nothing is rounded in either direction. Pure."""

import re
from datetime import datetime, timedelta
from datetime import time as clock

from kafkactl.text.escapes import plain

INFINITE = -1
_LONG_MAX = 2**63 - 1  # Kafka's `long`

_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_BYTES_FOLDED = {name.lower(): factor for name, factor in _BYTES.items()} | {"bytes": 1, "byte": 1}

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(?: ?([A-Za-z]+))?")


def whole_number(text: str) -> int | None:
    """The number a text of plain decimal digits says, or None for anything else (`0x10`, `1_000`, `1:30`, `3.5`)."""
    # A number cannot have more digits than Kafka's `long`, and int() is slow on thousands of digits.
    return int(text) if len(text) <= 40 and _WHOLE.fullmatch(text) else None


def parse_retention(value: str | int) -> int:
    """Milliseconds from `7d`, `168h`, `30m`, `45s`, `500ms`, a number of milliseconds, or `infinite` (-1).

    Raises ValueError with a sentence that quotes the value.
    """
    amount = _parse(value, _MS)
    if amount == _TOO_MUCH:
        raise ValueError(f'"{_short(value)}" is too long; the longest is {_LONG_MAX // _MS["d"]}d.')
    if amount is None:
        raise ValueError(f'"{value}" is not a valid duration. Write 7d, 168h or a number of milliseconds.')
    return amount


def parse_size(value: str | int) -> int:
    """Bytes from `1GiB`, `512 MiB`, a number of bytes, or `infinite` (-1).

    Raises ValueError with a sentence that quotes the value; `1GB` is refused because it is two different sizes.
    """
    amount = _parse(value, _BYTES_FOLDED)
    if amount == _TOO_MUCH:
        raise ValueError(f'"{_short(value)}" is too large; the largest is {_LONG_MAX} bytes.')
    if amount is None:
        raise ValueError(f'"{value}" is not a valid size. Write 1GiB, 512MiB or a number of bytes.')
    return amount


_TOO_MUCH = -2  # more than Kafka's `long`


def _parse(value: str | int, factors: dict[str, int]) -> int | None:
    text = str(value).strip()
    if text in ("infinite", "-1"):
        return INFINITE
    match = _AMOUNT.fullmatch(text)
    factor = None if match is None else factors.get(match[2].lower()) if match[2] else 1
    if match is None or factor is None:
        return None
    # int() is slow on thousands of digits.
    if len(match[1]) > 19 or int(match[1]) * factor > _LONG_MAX:
        return _TOO_MUCH
    return int(match[1]) * factor


def _short(value: str | int) -> str:
    text = str(value).strip()
    return text if len(text) <= 40 else f"{text[:20]}…{text[-10:]}"


_PART = r"(\d{1,99}(?:\.\d{1,9})?)(ms|s|m|h|d|w)"
_SPAN = re.compile(rf"(?:{_PART})+", re.ASCII)
_SECONDS = re.compile(r"\d{1,10}(?:\.\d{1,9})?", re.ASCII)
_LONG_SECONDS = re.compile(r"\d{1,99}(?:\.\d{1,9})?", re.ASCII)
_RATE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(?:/(s|m|h))?", re.ASCII)
_CLOCK = re.compile(r"\d{2}:\d{2}(:\d{2})?", re.ASCII)

_LONGEST = 2**31 - 1  # ms, some 24 days: what librdkafka takes for a time to wait
_LATEST = 253_402_300_799_999  # the last ms of the year 9999


def is_number(text: str) -> bool:
    """Whether a text is a whole number of at most 19 digits, as a `long` has; ² and ٣ are digits, but not to Kafka."""
    return text.isascii() and text.isdigit() and len(text) <= 19


def _span(text: str) -> float | None:
    """Milliseconds of `1h30m`, or None for anything else."""
    if len(text) > 100 or not _SPAN.fullmatch(text):
        return None
    return sum(float(number) * _MS[unit] for number, unit in re.findall(_PART, text, re.ASCII))


def parse_duration(text: str) -> float:
    """Seconds from what a user types: 30s, 500ms, 1h30m, or a number of seconds. Raises ValueError."""
    text = text.strip()
    milliseconds = float(text) * 1000 if _LONG_SECONDS.fullmatch(text) else _span(text)
    if milliseconds is None:
        raise ValueError(f"{text!r} is not a valid duration. Write 30s, 500ms, 2m or a number of seconds.")
    if milliseconds > _LONGEST:
        raise ValueError(f"'{_short(text)}' is too long; the longest is 24d.")
    return milliseconds / 1000


def parse_rate(text: str) -> float:
    """Records a second from what a user types: 100/s, 6000/m, or a number a second. Raises ValueError."""
    match = _RATE.fullmatch(text.strip())
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is not a valid rate. Write 100/s or 6000/m.")
    return float(match[1]) * 1000 / _MS[match[2] or "s"]


_BYTE_RATE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?(B|[kKMGT]B|[KMGT]iB)(?:/s)?", re.ASCII)
_DECIMAL = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_byte_rate(text: str) -> int:
    """Bytes a second from what a user types: 50MB/s (50,000,000), 50MiB/s (52,428,800). Raises ValueError."""
    match = _BYTE_RATE.fullmatch(text.strip())
    rate = int(float(match[1]) * (_DECIMAL | _BYTES)[match[2]]) if match else 0
    if not 0 < rate <= _LONG_MAX:
        raise ValueError(f"{_short(text)!r} is not a valid rate. Write 50MB/s or 50MiB/s.")
    return rate


def parse_moment(text: str, now: datetime) -> int:
    """Milliseconds since 1970 from what a user types. Raises ValueError, also before 1970 and after 9999.

    `15m`, `1h30m` or a number of seconds: so long ago. `now`, `today`, `yesterday`: the latter two at midnight.
    `22:50`: when it was that time last. `2026-11-22T10:00[:00][Z|+08:00]`, or milliseconds since 1970 as `-o json`
    prints them. A time without a zone is in the zone of `now`.
    """
    text = text.strip()
    moment = _moment(text, now)
    if moment is None:
        raise ValueError(f"{text!r} is not a valid time.")
    if not 0 <= moment <= _LATEST:
        raise ValueError(f"{text!r} is not a valid time: it is {'before 1970' if moment < 0 else 'after 9999'}.")
    return int(moment)


def _moment(text: str, now: datetime) -> float | None:
    if is_number(text) and len(text) >= 11:
        return int(text)
    ago = float(text) * 1000 if _SECONDS.fullmatch(text) else _span(text)
    if ago is not None:
        return int(now.timestamp() * 1000) - int(ago)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}.get(text)
    try:
        if named is None and _CLOCK.fullmatch(text):
            named = datetime.combine(now.date(), clock.fromisoformat(text), now.tzinfo)
            named -= timedelta(days=1) if named > now else timedelta()
        given = named or datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=now.tzinfo)).timestamp() * 1000
    except (ValueError, OverflowError):
        return None


def retention_text(milliseconds: int) -> str:
    """A time in the largest unit that says it exactly: 7d, 36h, 30m, 45s, else "1500 ms"; -1 is "infinite"."""
    if milliseconds == INFINITE:
        return "infinite"
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % _MS[unit] == 0:
            return f"{milliseconds // _MS[unit]}{unit}"
    return f"{milliseconds} ms"


def size_text(number: int) -> str:
    """Bytes in the largest unit that says them exactly: 5 MiB, else "1048588 bytes"; -1 is "infinite"."""
    if number == INFINITE:
        return "infinite"
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if number and number % _BYTES[unit] == 0:
            return f"{number // _BYTES[unit]} {unit}"
    return f"{number} bytes"


def value_text(key: str, value: str | None) -> str:
    """A setting's value as people write it: 7d, 5 MiB; as Kafka has it where there is no better spelling."""
    if value is None:
        return "unset"
    number = value.lstrip("-")
    if is_number(number):
        if key == "retention.ms" or key.endswith(".retention.ms"):
            return retention_text(int(value))
        if key.endswith(".bytes") and int(value) > 0:
            return size_text(int(value))
    return plain(value)
