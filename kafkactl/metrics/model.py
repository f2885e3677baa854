"""A metric with its series, and what is not known. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Labels = tuple[str | int, ...]


class Family(NamedTuple):
    """A gauge: `series` are the values of its labels, in the order of `labels`, each with its value.

    What is not known has no series. `series` may be an iterator: it is read once.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    series: Iterable[tuple[Labels, float]]


def single(name: str, help: str, value: float) -> Family:
    """A metric without labels."""
    return Family(name, help, (), [((), value)])


def unknown_family(counts: Mapping[str, int]) -> Family:
    """How much of each kind of fact the last look could not learn; 0 where it learnt all of it."""
    about = "How many facts of a kind are not known; their series are absent."
    return Family("kafkactl_unknown", about, ("what",), [((what,), count) for what, count in sorted(counts.items())])
