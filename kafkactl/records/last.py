"""The last N records of many partitions, merged by time; N of those that match, not N that are then filtered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kafkactl.records.consume import Place, Reader, as_record, read_until
from kafkactl.records.model import Record

_MOST_AT_ONCE = 100_000  # offsets of one partition


@dataclass
class _Tail:
    """What is known of the end of one partition: from offset `begin` on, `kept` are the matching records."""

    first: int
    begin: int
    step: int
    kept: list[Record] = field(default_factory=list)
    oldest: int | None = None  # timestamp of the earliest record read


def last_records(
    reader: Reader,
    firsts: Mapping[Place, int],
    ends: Mapping[Place, int],
    count: int,
    keep: Callable[[Record], bool] | None,
    seconds: float,
) -> list[Record]:
    """The newest `count` matching records before `ends`, oldest first.

    Each partition is read backwards in growing steps until it has `count` matches or nothing before. Once there are
    `count` in all, a partition whose records are already older than all of them is read no further: within a
    partition time is taken to rise.
    """
    if not count:
        return []
    tails = {place: _Tail(firsts[place], end, count) for place, end in ends.items()}
    while True:
        newest = _newest(tails, count)
        floor = newest[0].timestamp if len(newest) >= count else None
        hungry = {
            place: tail
            for place, tail in tails.items()
            if tail.begin > tail.first and len(tail.kept) < count and not _too_old(tail, floor)
        }
        if not hungry:
            return newest
        stops = {place: tail.begin for place, tail in hungry.items()}
        starts = {place: max(tail.first, tail.begin - tail.step) for place, tail in hungry.items()}
        found: dict[Place, list[Record]] = {place: [] for place in hungry}
        for messages in read_until(reader, starts, stops, seconds):
            for message in messages:
                record = as_record(message)
                tail = hungry[record.topic, record.partition]
                if record.timestamp is not None:
                    tail.oldest = min(record.timestamp, tail.oldest or record.timestamp)
                if keep is None or keep(record):
                    found[record.topic, record.partition].append(record)
        for place, tail in hungry.items():
            tail.kept = [*found[place], *tail.kept][-count:]
            tail.begin = starts[place]
            tail.step = min(tail.step * 4, _MOST_AT_ONCE)


def _too_old(tail: _Tail, floor: int | None) -> bool:
    return floor is not None and tail.oldest is not None and tail.oldest < floor


def _newest(tails: Mapping[Place, _Tail], count: int) -> list[Record]:
    kept = [record for tail in tails.values() for record in tail.kept]
    # Stable within a partition: offsets decide where times are equal.
    kept.sort(key=lambda r: (r.timestamp if r.timestamp is not None else -1, r.topic, r.partition, r.offset))
    return kept[-count:]
