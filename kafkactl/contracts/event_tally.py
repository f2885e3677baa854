"""The events of a topic, counted: how many keep to their contract, how others break it, which came twice. Pure.

Memory is bounded whatever comes: so many event_ids are remembered exactly, and later ones in a filter that takes some
new ids for known ones: `SeenIds.by_chance` says how many.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kafkactl.contracts.contract import Contract, Violation, decoded_event

EXACT_IDS = 1_000_000
_MOST_KINDS = 1_000  # of problems of one topic: names in them may be anything
_LONGEST_PATH = 300  # characters
_EARLY = 5 * 60_000  # ms: clocks differ
_OLD = 365 * 86_400_000  # ms
ANY_TYPE = "any"


@dataclass
class EventProblem:
    """One kind of problem: how many events have it, and where the first of them is."""

    violation: Violation
    count: int
    partition: int
    offset: int


class SeenIds:
    """The event_ids that came so far, each with what came with it.

    The first `exact` are known by 64 bits of them and of their content (of a million, two are alike once in 30 million
    runs), later ones by 4 bits of a filter of 2^27 (16 MiB). `by_chance` is how many of the "seen" are expected to be
    new ones that the filter took for known.
    """

    def __init__(self, exact: int = EXACT_IDS) -> None:
        self._exact = exact
        self._contents: dict[int, int] = {}
        self._others: set[tuple[int, int]] = set()  # further contents of the same ids
        self._filter = bytearray()
        self._filled = 0
        self.by_chance = 0.0
        self.approximate = False

    def add(self, id: str, value: bytes) -> str | None:
        """None for a new id; "same content" or "other content" for one that came before, "seen" if no more is known."""
        key = hash(id)
        before = self._contents.get(key)
        if before is not None:
            return self._again(key, before, hash(value))
        if len(self._contents) < self._exact:
            self._contents[key] = hash(value)
            return None
        return "seen" if self._in_filter(key) else None

    def _again(self, key: int, first: int, content: int) -> str:
        """Partitions are read in any order, so a content is another one only the first time it comes."""
        if content == first or (key, content) in self._others:
            return "same content"
        if len(self._others) < self._exact:
            self._others.add((key, content))
        return "other content"

    def forget(self) -> None:
        """Free the memory; what was counted stays."""
        self._contents, self._others, self._filter = {}, set(), bytearray()

    def _in_filter(self, key: int) -> bool:
        """Whether an id was in the filter; it then is."""
        if not self._filter:
            self._filter = bytearray(_BITS >> 3)
            self.approximate = True
        chance = (self._filled / _BITS) ** 4
        filled = self._filled
        low, high = key & 0xFFFFFFFF, (key >> 32) | 1
        for step in range(4):
            bit = (low + step * high) & (_BITS - 1)
            mask = 1 << (bit & 7)
            if not self._filter[bit >> 3] & mask:
                self._filled += 1
                self._filter[bit >> 3] |= mask
        if self._filled > filled:
            # A new one for sure; of so many, this share would have been taken for a known one.
            self.by_chance += chance / (1 - chance)
            return False
        return True


_BITS = 1 << 27


class EventClock:
    """What is wrong with when an event says it happened, by when its record was written (ms).

    Most events are of a few minutes: each is parsed once.
    """

    def __init__(self) -> None:
        self._minutes: dict[str, int] = {}  # the minute of an RFC 3339 time, in its zone: when it begins, in ms

    def wrong(self, text: str, time: int) -> str:
        """What is wrong with `text`, "" if nothing is or it is no time: of that the contract's format tells."""
        key = text[:16] + ("Z" if text[-1:] == "Z" else text[-6:])
        begin = self._minutes.get(key)
        if begin is None:
            if len(self._minutes) >= _MOST_MINUTES:
                self._minutes.clear()
            moment = _milliseconds(key)
            if moment is None:
                return ""
            begin = self._minutes[key] = round(moment)
        if -_OLD <= begin - time <= _EARLY - 60_000:
            return ""
        moment = _milliseconds(text)
        if moment is None or -_OLD <= moment - time <= _EARLY:
            return ""
        return (
            "is after the record was written" if moment > time else "is more than a year before the record was written"
        )


_MOST_MINUTES = 10_000


def _milliseconds(text: str) -> float | None:
    """A time with a zone, in ms since 1970; None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp() * 1000


@dataclass
class EventTally:
    """The events of one topic. `type` is what their event_type has to be, ANY_TYPE for whatever it is.

    `read` = `valid` + `invalid` + `tombstones`. `again` counts event_ids that came before; they do not make an event
    invalid.
    """

    topic: str
    contract: Contract
    type: str = ANY_TYPE
    read: int = 0
    valid: int = 0
    invalid: int = 0
    tombstones: int = 0
    problems: dict[Violation, EventProblem] = field(default_factory=dict)
    again: dict[str, EventProblem] = field(default_factory=dict)
    seen: SeenIds = field(default_factory=SeenIds)
    clock: EventClock = field(default_factory=EventClock)

    @property
    def repeated(self) -> int:
        """How many events have an event_id that came before."""
        return sum(problem.count for problem in self.again.values())

    def add(self, partition: int, offset: int, time: int | None, value: bytes | None) -> Sequence[Violation]:
        """Count a record, of which `time` is Kafka's timestamp in ms; how it breaks the contract."""
        self.read += 1
        if value is None:
            self.tombstones += 1
            return ()
        event, found = self.judge(time, value)
        if type(event) is dict:
            id = event.get("event_id")
            if type(id) is str and id and (again := self.seen.add(id, value)) is not None:
                _count(self.again, again, Violation("event_id", f"came before, {_AGAIN[again]}"), partition, offset)
        if not found:
            self.valid += 1
            return ()
        self.invalid += 1
        for violation in found:
            path = re.sub(r"(^|\.)\d+(?=\.|$)", r"\1*", violation.path[:_LONGEST_PATH])
            kind = Violation(path, violation.reason)
            if kind not in self.problems and len(self.problems) >= _MOST_KINDS:
                kind = _OTHER
            _count(self.problems, kind, kind, partition, offset)
        return found

    def judge(self, time: int | None, value: bytes) -> tuple[Any, Sequence[Violation]]:
        """The event, and how it breaks its contract or what an event says of itself."""
        event, unknown = decoded_event(value)
        if unknown:
            return None, unknown
        found = self.contract.violations_of(event)
        if type(event) is not dict:
            return event, found
        said = event.get("event_type")
        if self.type != ANY_TYPE and type(said) is str and said and said != self.type:
            found = [*found, Violation("event_type", f"is not {self.type}")]
        stamp = event.get("timestamp")
        if time is not None and type(stamp) is str and (wrong := self.clock.wrong(stamp, time)):
            found = [*found, Violation("timestamp", wrong)]
        return event, found


_AGAIN = {
    "same content": "with the same content",
    "other content": "with other content",
    "seen": "as far as is known (some by chance)",
}
_OTHER = Violation("", "breaks the contract in other ways")


def _count(problems: dict[Any, EventProblem], kind: Any, violation: Violation, partition: int, offset: int) -> None:
    known = problems.get(kind)
    if known is None:
        problems[kind] = EventProblem(violation, 1, partition, offset)
    else:
        known.count += 1
