"""What was written against what came back. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

Header = tuple[str, bytes]
RUN_HEADER = "kafkactl-test"


@dataclass(frozen=True)
class TestRecord:
    """The record that run `run` writes as number `number` (from 0) to a partition: the same bytes each time it is made.

    Keys, headers and values contain what pipelines tend to damage: bytes that are not UTF-8, zeros, repeated names.
    """

    key: bytes
    value: bytes
    headers: tuple[Header, ...]


def sample(run: str, partition: int, number: int, size: int) -> TestRecord:
    """The record to write; `size` is its value's length in bytes."""
    noise = Random(f"{run}/{partition}/{number}").randbytes(size)
    return TestRecord(
        key=f"{partition}-{number}-".encode() + b"\x00\xff",
        value=noise,
        headers=((RUN_HEADER, run.encode()), ("number", str(number).encode()), ("number", b"\xfe\x00 twice")),
    )


def number_of(headers: Sequence[tuple[str, bytes | None]], run: str) -> int | None:
    """The number of a record that this run wrote; None for anybody else's record."""
    found: Mapping[str, bytes | None] = dict(reversed(headers))
    if found.get(RUN_HEADER) != run.encode():
        return None
    text = found.get("number") or b""
    return int(text) if text.isdigit() else None


def number_of_key(key: bytes) -> int:
    """The number of the record with this key, which `sample` made."""
    return int(key.split(b"-")[1])


@dataclass(frozen=True)
class Received:
    """One of our records as it came back."""

    partition: int
    number: int
    intact: bool


@dataclass(frozen=True)
class Verdict:
    """How many records are wrong, and in which way."""

    expected: int
    received: int
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    damaged: int = 0

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.reordered or self.damaged)

    def words(self) -> str:
        """The verdict as a phrase: "none lost, none duplicated, in order, intact", or what went wrong."""
        if self.good:
            return "none lost, none duplicated, in order, intact"
        counts = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "out of order": self.reordered,
            "damaged": self.damaged,
        }
        return ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)


def compare(acknowledged: Mapping[int, Iterable[int]], received: Iterable[Received]) -> Verdict:
    """Compare the acknowledged numbers of each partition with what was read, in the order it was read.

    A record that was never acknowledged may or may not be there: it is neither lost nor too much.
    """
    wanted = {(partition, number) for partition, numbers in acknowledged.items() for number in numbers}
    seen: Counter[tuple[int, int]] = Counter()
    last: dict[int, int] = {}
    reordered = damaged = 0
    for record in received:
        place = (record.partition, record.number)
        seen[place] += 1
        damaged += not record.intact
        if seen[place] == 1:
            reordered += record.number < last.get(record.partition, -1)
            last[record.partition] = max(record.number, last.get(record.partition, -1))
    return Verdict(
        expected=len(wanted),
        received=sum(seen.values()),
        lost=len(wanted - seen.keys()),
        duplicated=sum(times - 1 for times in seen.values()),
        reordered=reordered,
        damaged=damaged,
    )


_ROUNDING = 1e-9  # 100 · 0.99 is 99.00000000000001 to the processor


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of some seconds; `share` from 0 to 1. 0.0 where there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share - _ROUNDING) - 1)] if ordered else 0.0
