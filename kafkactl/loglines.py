"""Lines of services' logs, whatever keeps them: containers or the sandbox."""

from datetime import datetime
from typing import NamedTuple


class LogLine(NamedTuple):
    """A line of a service's log, without its end. `time`: nanoseconds since the epoch; 0 where it is not known."""

    time: int
    service: str
    text: str


def merged(lines: list[LogLine]) -> list[LogLine]:
    """Lines in the order of time; those of one time, and so of one service, stay as they came."""
    return sorted(lines, key=lambda line: line.time)


def nanoseconds(stamp: str) -> int | None:
    """Nanoseconds since the epoch from RFC 3339 (2026-11-23T07:22:54.200746452Z); None for anything else."""
    head, _, rest = stamp.partition(".")
    digits = rest.rstrip("Z").partition("+")[0].partition("-")[0]
    try:
        whole = datetime.fromisoformat(head + rest[len(digits) :])
    except ValueError:
        return None
    if whole.tzinfo is None or not (digits.isdigit() or not digits):
        return None
    return int(whole.timestamp()) * 1_000_000_000 + int(digits.ljust(9, "0")[:9])
