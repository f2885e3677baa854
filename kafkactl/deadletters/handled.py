"""Which dead letters were handled, in little room: ranges of offsets, that grow with the ledger. Pure."""

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from kafkactl.deadletters.ledger import LetterNote

_DONE = ("replayed", "parked")


class HandledLetters(msgspec.Struct):
    """What the ledger says up to offset `end`: of each topic's id and partition the ranges [first, behind the last).

    `ledger` is the id of the ledger's topic: a recreated one begins anew.
    """

    ledger: str = ""
    end: int = 0
    ranges: dict[str, dict[int, list[tuple[int, int]]]] = {}

    def note(self, notes: Iterable[tuple[bytes, bytes | None]], end: int) -> None:
        """Take in more of the ledger's records, as (key, value), in their order; `end` is the offset after them."""
        for key, value in notes:
            before, _, offset = key.rpartition(b"/")
            topic, _, id = before.rpartition(b"/")  # a topic's id may hold a slash
            if not (id.isdigit() and offset.isdigit()):
                continue
            there = self.ranges.setdefault(topic.decode("utf-8", "replace"), {}).setdefault(int(id), [])
            change = _with if value is not None and _state(value) in _DONE else _without
            change(there, int(offset))
        self.end = end

    def count(self, topic_id: str, partition: int, first: int, end: int) -> int:
        """How many of the offsets from `first` up to `end` were handled."""
        there = self.ranges.get(topic_id, {}).get(partition, [])
        return sum(max(0, min(end, behind) - max(first, begin)) for begin, behind in there)

    def forget(self, topic_id: str, partition: int, first: int) -> None:
        """Drop what is about records that are no longer there."""
        there = self.ranges.get(topic_id, {}).get(partition)
        if there:
            there[:] = [(max(first, begin), behind) for begin, behind in there if behind > first]


def _state(value: bytes) -> str:
    try:
        return _decoder.decode(value).state
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


_decoder = msgspec.json.Decoder(LetterNote)


_LAST = 1 << 63  # behind every offset


def _with(ranges: list[tuple[int, int]], offset: int) -> None:
    at = bisect_right(ranges, (offset, _LAST))
    if at and ranges[at - 1][1] > offset:
        return
    begin, behind = offset, offset + 1
    if at < len(ranges) and ranges[at][0] == behind:
        behind = ranges.pop(at)[1]
    if at and ranges[at - 1][1] == begin:
        at -= 1
        begin = ranges.pop(at)[0]
    ranges.insert(at, (begin, behind))


def _without(ranges: list[tuple[int, int]], offset: int) -> None:
    at = bisect_right(ranges, (offset, _LAST)) - 1
    if at < 0 or ranges[at][1] <= offset:
        return
    begin, behind = ranges.pop(at)
    ranges[at:at] = [part for part in ((begin, offset), (offset + 1, behind)) if part[0] < part[1]]
