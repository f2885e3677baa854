"""Words the checks share. Pure."""

from collections.abc import Iterable

NAMED = 3  # of many alike, so many are named


def and_more(names: Iterable[str]) -> str:
    """Up to three names, and how many more there are."""
    listed = list(names)
    more = len(listed) - NAMED
    return ", ".join(listed[:NAMED]) + (f" and {more} more" if more > 0 else "")


def many(number: int, noun: str) -> str:
    """A number of things: 1 record, 2 records."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
