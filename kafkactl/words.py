"""Words for numbers, sizes and times, the same in every command, verdict and check. Pure."""

from collections.abc import Iterable

NAMED = 3  # of many alike, so many are named


def and_more(names: Iterable[str]) -> str:
    """Up to three names, and how many more there are."""
    listed = list(names)
    more = len(listed) - NAMED
    return ", ".join(listed[:NAMED]) + (f" and {more} more" if more > 0 else "")


def many(number: int, noun: str, plural: str = "") -> str:
    """A number of things: 1 record, 2 records, 1,204 records."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(number: float | None) -> str:
    """Bytes as a person says them: 14 MiB; the exact figure is in the JSON. None is a dash."""
    if number is None:
        return "–"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if number >= 10 or number == int(number) else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def span(seconds: float) -> str:
    """A stretch of time in one unit: 40 s, 3 min, 2 h, 5 d."""
    for unit, length in (("s", 60), ("min", 60), ("h", 24)):
        if seconds < length:
            return f"{max(0, seconds):.0f} {unit}"
        seconds /= length
    return f"{seconds:.0f} d"


def duration(seconds: float) -> str:
    """How long something took: 3 ms, 0.4 s, 2 min 5 s."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
