"""The events of a topic, counted: how many keep to their contract, how others break it, which came twice. Pure.

Memory is bounded whatever comes: so many event_ids are remembered exactly, and later ones in a filter that takes some
new ids (of 10 million one in 200) for known ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from kafkactl.contracts.contract import NOT_JSON, Contract, Violation

EXACT_IDS = 1_000_000
_MOST_KINDS = 1_000  # of problems of one topic: names in them may be anything
_EARLY = 5 * 60_000  # ms: clocks differ
_OLD = 365 * 86_400_000  # ms
ANY_TYPE = "any"

_decode = msgspec.json.Decoder().decode


@dataclass
class EventProblem:
    """One kind of problem: how many events have it, and where the first of them is."""

    violation: Violation
    count: int
    partition: int
    offset: int


class SeenIds:
    """The event_ids that came so far, each with what came with it."""

    def __init__(self, exact: int = EXACT_IDS) -> None:
        self._exact = exact
        self._contents: dict[bytes, bytes] = {}
        self._filter = bytearray()
        self.approximate = False

    def add(self, id: str, value: bytes) -> str | None:
        """None for a new id; "same content" or "other content" for one that came before, "seen" if no more is known."""
        key, content = _digest(id.encode("utf-8", "surrogatepass")), _digest(value)
        before = self._contents.get(key)
        if before is not None:
            return "same content" if before == content else "other content"
        if len(self._contents) < self._exact:
            self._contents[key] = content
            return None
        return "seen" if self._in_filter(key) else None

    def _in_filter(self, key: bytes) -> bool:
        """Whether an id was in the filter; it then is. 4 of 2^27 bits an id: of 10 million one in 200 is wrong."""
        if not self._filter:
            self._filter = bytearray(1 << 24)
            self.approximate = True
        known = True
        low, high = int.from_bytes(key[:4]), int.from_bytes(key[4:])
        for step in range(4):
            bit = (low + step * high) & ((1 << 27) - 1)
            mask = 1 << (bit & 7)
            if not self._filter[bit >> 3] & mask:
                known = False
                self._filter[bit >> 3] |= mask
        return known


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


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
        if type(event) is dict and type(id := event.get("event_id")) is str and id:
            again = self.seen.add(id, value)
            if again is not None:
                _count(self.again, again, Violation("event_id", f"came before, with {again}"), partition, offset)
        if not found:
            self.valid += 1
            return ()
        self.invalid += 1
        for violation in found:
            kind = Violation(re.sub(r"(^|\.)\d+(?=\.|$)", r"\1*", violation.path), violation.reason)
            if kind not in self.problems and len(self.problems) >= _MOST_KINDS:
                kind = _OTHER
            _count(self.problems, kind, kind, partition, offset)
        return found

    def judge(self, time: int | None, value: bytes) -> tuple[Any, Sequence[Violation]]:
        """The event, and how it breaks its contract or what an event says of itself."""
        try:
            event = _decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None, NOT_JSON
        found = self.contract.violations_of(event)
        if type(event) is not dict:
            return event, found
        said = event.get("event_type")
        if self.type != ANY_TYPE and type(said) is str and said and said != self.type:
            found = [*found, Violation("event_type", f"is not {self.type}")]
        if time is not None and type(stamp := event.get("timestamp")) is str:
            wrong = _wrong_time(stamp, time)
            if wrong:
                found = [*found, Violation("timestamp", wrong)]
        return event, found


_OTHER = Violation("", "breaks the contract in other ways")


def _wrong_time(text: str, time: int) -> str:
    """What is wrong with when an event says it happened, by when its record was written."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""  # the contract's format says so
    if moment.tzinfo is None:
        return ""
    ahead = moment.timestamp() * 1000 - time
    if ahead > _EARLY:
        return "is after the record was written"
    return "is more than a year before the record was written" if ahead < -_OLD else ""


def _count(problems: dict[Any, EventProblem], kind: Any, violation: Violation, partition: int, offset: int) -> None:
    known = problems.get(kind)
    if known is None:
        problems[kind] = EventProblem(violation, 1, partition, offset)
    else:
        known.count += 1
