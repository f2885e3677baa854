"""Words for numbers, sizes and spans of time, the same in every command, verdict and check. Pure."""

from collections.abc import Iterable
from itertools import pairwise

NAMED = 3  # how many items of a longer list are named
_SPANS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def and_more(names: Iterable[object], most: int = NAMED, separator: str = ", ") -> str:
    """The first of some names, and how many more there are."""
    listed = list(map(str, names))
    more = len(listed) - most
    return separator.join(listed[:most]) + (f" and {more:,} more" if more > 0 else "")


def many(number: int, noun: str, plural: str = "") -> str:
    """A number of things: 1 record, 2 records, 1,204 records."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def up_to(number: int, noun: str = "record") -> str:
    """At most so many things: offsets may be fewer records, since compaction leaves gaps and transactions markers."""
    return f"up to {many(number, noun)}"


def that_wait(number: int) -> str:
    """That so many offsets wait to be read: up to 601 records wait."""
    return f"{up_to(number)} {'waits' if number == 1 else 'wait'}"


def sentence(text: str) -> str:
    """A text with its first letter as a sentence begins."""
    return text[:1].upper() + text[1:]


def size(number: float | None) -> str:
    """Bytes as a person says them: 14 MiB; the exact figure is in the JSON. None is a dash."""
    if number is None:
        return "–"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if number >= 10 or number == int(number) else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def age(seconds: float) -> str:
    """A span of time in its two largest units: 0s, 12s, 6m 12s, 3h 5m, 4d 2h."""
    whole = max(0, int(seconds))
    for (unit, length), (small, part) in pairwise(_SPANS):
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length}{unit} {rest}{small}" if rest else f"{whole // length}{unit}"
    return f"{whole}s"


def took(seconds: float) -> str:
    """How long something took: 3 ms, 0.4 s, 2 min 5 s."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"
