"""Which dead letters are sent back, to where, and why others are not. Pure.

The same decision is made twice: for the plan that is shown, and for each record when it is sent. Only records that the
plan had are sent then.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from kafkactl.deadletters.ledger import LetterNote, Spot, replay_id
from kafkactl.deadletters.letters import Letter
from kafkactl.deadletters.origin import EDITED, ORIGINAL_TIME, REPLAY_COUNT, REPLAY_ID, HeaderReading
from kafkactl.records.model import Headers
from kafkactl.records.outgoing import ANY, NOW, Outgoing, Rules, checked

DEDUP_WINDOW = 24 * 3_600_000  # ms, by the guide: consumers remember the event_ids of a day


@dataclass(frozen=True)
class ReplayTarget:
    """A topic that records go to. `missing` is why nothing is known of it; `rules` is None where it does not exist."""

    name: str
    rules: Rules | None = None
    missing: str = ""


@dataclass(frozen=True)
class ReplayWish:
    """What the user asked for, apart from which letters: `to` is another topic than their own.

    `window` is how long consumers remember event_ids, in ms, -1 for ever; `duplicates`: older ones are agreed to, and
    those that an interrupted replay may have sent. `value_path` leads to the original value in a wrapped one. `cluster`
    is the id of another cluster that records go to.
    """

    to: str | None = None
    max_replays: int = 3
    keep_error_headers: bool = False
    keep_timestamp: bool = False
    parked: bool = False  # those, too, that were parked before
    duplicates: bool = False
    window: int = DEDUP_WINDOW
    value_path: tuple[str, ...] = ()
    cluster: str = ""


Placing = Literal["its partition", "its key", "any partition"]
Verb = Literal["send", "park", "withhold", "pass"]


@dataclass(frozen=True)
class Decision:
    """What is done with one letter; `why`, where it is not sent."""

    verb: Verb
    why: str = ""
    to: str = ""
    placing: Placing = "its key"
    record: Outgoing | None = None


REPLAYED, PARKED_BEFORE = "replayed already", "parked already"
IN_DOUBT = "an earlier replay may have sent it: its copy could not be looked for"
IN_DOUBT_ELSEWHERE = "an earlier replay may have sent it to another cluster than this one"
DUPLICATES = "older than the consumers remember event_ids (dedup_window)"


class _Unsent(Exception):
    """Why a letter is not sent, and what is done instead."""

    def __init__(self, verb: Verb, why: str) -> None:
        super().__init__(why)
        self.verb: Verb = verb


def decide(
    letter: Letter,
    noted: LetterNote | None,
    wish: ReplayWish,
    target_of: Callable[[str], ReplayTarget],
    reading: HeaderReading,
    topic_id: str,
    now: int,
) -> Decision:
    """What becomes of a letter; `noted` is what the ledger says of it, `now` the clock in ms."""
    to = wish.to or letter.origin.topic or ""
    try:
        _check_noted(noted, wish)
        rules = _check_target(letter, to, wish, target_of)
        value = unwrapped(letter.record.value, wish.value_path) if wish.value_path else letter.record.value
        placing, partition = _place(letter, to, rules)
        own = letter.record.headers if wish.keep_error_headers else reading.kept(letter.record.headers)
        record = Outgoing(
            value,
            letter.record.key,
            (*_without_ours(own), *marks(letter, topic_id)),
            timestamp=(letter.original_time or NOW) if wish.keep_timestamp else NOW,
            partition=partition,
        )
        _check_accepted(rules, record, to, now)
    except _Unsent as unsent:
        return Decision(unsent.verb, str(unsent), to)
    except ValueError as error:
        return Decision("park", str(error), to)
    time = letter.original_time
    if wish.window >= 0 and not wish.duplicates and (time is None or now - time > wish.window):
        return Decision("withhold", DUPLICATES, to, placing, record)
    return Decision("send", "", to, placing, record)


def _check_noted(noted: LetterNote | None, wish: ReplayWish) -> None:
    if noted is None:
        return
    if noted.state == "replayed":
        raise _Unsent("pass", REPLAYED)
    if noted.state == "sending":
        if wish.duplicates:
            return
        raise _Unsent("withhold", IN_DOUBT if noted.cluster == wish.cluster else IN_DOUBT_ELSEWHERE)
    if not wish.parked:
        raise _Unsent("pass", PARKED_BEFORE)


def _check_target(letter: Letter, to: str, wish: ReplayWish, target_of: Callable[[str], ReplayTarget]) -> Rules:
    """The rules of the topic it goes to. Raises _Unsent where it cannot go there."""
    if not to:
        raise _Unsent("park", "its headers name no source topic")
    if to == letter.record.topic:
        raise _Unsent("park", "its source is this dead-letter topic itself")
    replays = letter.origin.replays
    if replays >= wish.max_replays:
        times = "once" if replays == 1 else f"{replays} times"
        raise _Unsent("park", f"sent back {times} already (--max-replays {wish.max_replays})")
    target = target_of(to)
    if target.missing:
        raise _Unsent("withhold", f"{to}: {target.missing}")
    if target.rules is None:
        raise _Unsent("park", f"there is no topic {to}")
    return target.rules


def _place(letter: Letter, to: str, rules: Rules) -> tuple[Placing, int]:
    """Where in the target: a key's partition may have been another one before the topic grew."""
    origin = letter.origin
    if origin.partition is not None and origin.topic == to and origin.partition < rules.partitions:
        return "its partition", origin.partition
    return ("its key" if letter.record.key is not None else "any partition"), ANY


def _check_accepted(rules: Rules, record: Outgoing, to: str, now: int) -> None:
    try:
        checked(rules, lambda: now)(record)
    except ValueError as error:
        raise _Unsent("park", f"{to} would refuse it: {_reason(str(error))}") from None


def _reason(text: str) -> str:
    """The check's words without the figures of one record: reasons are counted."""
    return "it is larger than max.message.bytes" if "max.message.bytes" in text else text


def _without_ours(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0] not in (REPLAY_COUNT, REPLAY_ID, ORIGINAL_TIME, EDITED))


def marks(letter: Letter, topic_id: str) -> Headers:
    """What kafkactl adds: how often the record came back, what identifies this copy, and when it was first written."""
    first = next((value for name, value in letter.record.headers if name == ORIGINAL_TIME and value), None)
    time = letter.original_time
    return (
        (REPLAY_COUNT, str(letter.origin.replays + 1).encode()),
        (REPLAY_ID, replay_id(topic_id, letter.spot).encode()),
        *([(ORIGINAL_TIME, first or str(time).encode())] if first or time is not None else []),
    )


_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def written_at(value: bytes | None, path: tuple[str, ...]) -> bytes:
    """What is at a path of a JSON document, as it is written there. Raises ValueError where nothing is."""
    inner = msgspec.Raw(value or b"")
    for step in path:
        try:
            inner = _object.decode(inner)[step]
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, RecursionError):
            raise ValueError(f"its value has no {'.'.join(path)} (dlq_value)") from None
    return bytes(inner).strip()


def unwrapped(value: bytes | None, path: tuple[str, ...]) -> bytes | None:
    """The value that a dead-letter writer put into a JSON document of its own: text stands for its bytes, other JSON
    for itself as it is written there. Raises ValueError where it is not there."""
    written = written_at(value, path)
    if written == b"null":
        return None
    return msgspec.json.decode(written, type=str).encode() if written[:1] == b'"' else written


class Agreed:
    """The letters of a plan, by partition: eight bytes for each, and they come in the order of their offsets."""

    def __init__(self) -> None:
        self._offsets: dict[int, array[int]] = {}

    def add(self, spot: Spot) -> None:
        self._offsets.setdefault(spot[0], array("q")).append(spot[1])

    def __contains__(self, spot: Spot) -> bool:
        offsets = self._offsets.get(spot[0])
        if offsets is None:
            return False
        place = bisect_left(offsets, spot[1])
        return place < len(offsets) and offsets[place] == spot[1]

    def __len__(self) -> int:
        return sum(map(len, self._offsets.values()))

    @property
    def starts(self) -> dict[int, int]:
        """The first offset of each partition that has any."""
        return {id: offsets[0] for id, offsets in self._offsets.items()}

    @property
    def ends(self) -> dict[int, int]:
        """The offset after the last one of each partition that has any."""
        return {id: offsets[-1] + 1 for id, offsets in self._offsets.items()}


@dataclass
class ReplayPlan:
    """What a replay would do, counted. `looked` are all letters that were read, `matching` those that were asked for.

    `agreed` are those to be sent or parked. By target and placing: `sent`. By reason: `parked`, `withheld`, `passed`.
    `expired` are those to be sent that are older than the target's retention, by target; `beyond`, over --limit.
    """

    looked: int = 0
    matching: int = 0
    sent: Counter[tuple[str, Placing]] = field(default_factory=Counter)
    parked: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    expired: Counter[str] = field(default_factory=Counter)
    beyond: int = 0
    agreed: Agreed = field(default_factory=Agreed)
    groups_failed: Counter[str] = field(default_factory=Counter)  # those that gave records up, by their headers

    @property
    def to_send(self) -> int:
        return sum(self.sent.values())

    def add(
        self, letter: Letter, decision: Decision, target_of: Callable[[str], ReplayTarget], now: int, limit: int | None
    ) -> None:
        """Count a letter that was asked for."""
        self.matching += 1
        if decision.verb == "pass":
            self.passed[decision.why] += 1
        elif decision.verb == "withhold":
            self.withheld[decision.why] += 1
        elif limit is not None and len(self.agreed) >= limit:
            self.beyond += 1
        elif decision.verb == "park":
            self.parked[decision.why] += 1
            self.agreed.add(letter.spot)
        else:
            self.sent[decision.to, decision.placing] += 1
            self.agreed.add(letter.spot)
            rules, time = target_of(decision.to).rules, letter.original_time
            if rules and rules.retention is not None and time is not None and now - time > rules.retention:
                self.expired[decision.to] += 1
            if letter.origin.group:
                self.groups_failed[letter.origin.group] += 1

    def targets(self) -> Mapping[str, int]:
        """How many go to each topic."""
        found: Counter[str] = Counter()
        for (to, _), number in self.sent.items():
            found[to] += number
        return found


def as_corrected(decision: Decision, record: Outgoing, headers: Headers) -> Outgoing:
    """What is sent in place of a letter whose key, value or headers were corrected by hand; a header says so."""
    assert decision.record is not None
    ours = tuple(p for p in decision.record.headers if p[0] in (REPLAY_COUNT, REPLAY_ID, ORIGINAL_TIME))
    return msgspec.structs.replace(
        decision.record, key=record.key, value=record.value, headers=(*_without_ours(headers), *ours, (EDITED, b"true"))
    )
