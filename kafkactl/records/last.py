"""The last N records of many partitions, merged by time; N of those that are shown, not N that are then filtered."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from kafkactl.records.consume import Reader, as_record, read_until
from kafkactl.records.model import Record
from kafkactl.topics import Place

_MOST_AT_ONCE = 100_000  # offsets of one partition
_PLACES_AT_ONCE = 2_500  # what is kept of each is then compared with the others

Found = tuple[int, str, int, int, bytes]  # time, topic, partition, offset, text


@dataclass
class _Tail:
    """What is known of the end of one partition: from offset `begin` on, `matches` records are shown."""

    first: int
    begin: int
    step: int
    matches: int = 0
    oldest: int | None = None  # timestamp of the earliest record read


def last_records(
    reader: Reader,
    firsts: Mapping[Place, int],
    ends: Mapping[Place, int],
    count: int,
    text: Callable[[Record], bytes | None],
    seconds: float,
) -> list[bytes]:
    """The texts of the newest `count` records before `ends` that have one, oldest first.

    Each partition is read backwards in growing steps until it has `count` of them or nothing before. Once there are
    `count` in all, a partition whose records are already older than all of them is read no further: within a
    partition time is taken to rise. What is held at a time is bounded, however many partitions there are.
    """
    newest: list[Found] = []  # a heap: the oldest first
    tails = {place: _Tail(firsts[place], end, count) for place, end in ends.items() if firsts[place] < end}
    while tails and count:
        for group in _groups(tails, _PLACES_AT_ONCE):
            for kept in _read_back(reader, group, count, text, seconds).values():
                for found in kept:
                    (heapq.heappush if len(newest) < count else heapq.heappushpop)(newest, found)
        floor = newest[0][0] if len(newest) == count else None
        tails = {place: tail for place, tail in tails.items() if _hungry(tail, count, floor)}
    return [found[-1] for found in sorted(newest)]


def _groups(tails: Mapping[Place, _Tail], size: int) -> Iterator[dict[Place, _Tail]]:
    items = iter(tails.items())
    while group := dict(islice(items, size)):
        yield group


def _read_back(
    reader: Reader,
    tails: Mapping[Place, _Tail],
    count: int,
    text: Callable[[Record], bytes | None],
    seconds: float,
) -> Mapping[Place, Sequence[Found]]:
    """Read one step further back in these partitions: the last records of each that are shown, and still wanted."""
    stops = {place: tail.begin for place, tail in tails.items()}
    starts = {place: max(tail.first, tail.begin - tail.step) for place, tail in tails.items()}
    kept: dict[Place, deque[Found]] = {place: deque(maxlen=count - tail.matches) for place, tail in tails.items()}
    for messages in read_until(reader, starts, stops, seconds):
        for record in map(as_record, messages):
            place = (record.topic, record.partition)
            tail = tails[place]
            time = -1 if record.timestamp is None else record.timestamp
            if tail.oldest is None or time < tail.oldest:
                tail.oldest = time
            if (shown := text(record)) is not None:
                kept[place].append((time, *place, record.offset, shown))
    for place, tail in tails.items():
        tail.matches += len(kept[place])
        tail.begin = starts[place]
        tail.step = min(tail.step * 4, _MOST_AT_ONCE)
    return kept


def _hungry(tail: _Tail, count: int, floor: int | None) -> bool:
    too_old = floor is not None and tail.oldest is not None and tail.oldest < floor
    return tail.begin > tail.first and tail.matches < count and not too_old
