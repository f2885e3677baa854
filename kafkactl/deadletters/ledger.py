"""What became of each dead letter: kafkactl's notes, in a compacted topic that every operator sees. Pure.

The key of a note is the dead-letter topic's id, a partition and an offset: a recreated topic begins with none. One more
note says who is replaying a topic at the moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import msgspec

from kafkactl.topics import OWN_PREFIX

LEDGER_TOPIC = f"{OWN_PREFIX}dlq.ledger"

# "sending" is written before a record goes where no transaction holds it and its note together.
State = Literal["replayed", "parked", "sending"]
T = TypeVar("T")
Spot = tuple[int, int]  # a partition of the dead-letter topic, and an offset in it


class LetterNote(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A note about one dead letter. `at` is in ms since 1970; `by` is who did it.

    `to` is the topic it was sent to; `why` the reason it was parked; `ends` the end of each of the target's partitions
    before it was sent, by their numbers. `cluster` is the id of the cluster it was sent to, "" for the ledger's own.
    """

    state: State
    at: int
    by: str
    to: str = ""
    why: str = ""
    ends: dict[int, int] = {}
    cluster: str = ""


class Lock(msgspec.Struct, frozen=True, gc=False):
    """Who replays a dead-letter topic, since when, when this was noted, and until when there will be another such note.

    All in ms since 1970.
    """

    by: str
    host: str
    pid: int
    since: int
    at: int
    due: int


@dataclass(frozen=True)
class LetterLedger:
    """The notes about one dead-letter topic, as they are up to offset `end` of the ledger.

    `exists`: whether there is a ledger at all. `missing`: why the notes are not known, "" where they are.
    """

    entries: Mapping[Spot, LetterNote] = field(default_factory=dict)
    lock: Lock | None = None
    end: int = 0
    exists: bool = False
    missing: str = ""

    def count(self, state: State, firsts: Mapping[int, int]) -> int:
        """How many notes of this state there are about records that are still there: none before `firsts`."""
        return sum(
            1 for (id, offset), entry in self.entries.items() if entry.state == state and offset >= firsts.get(id, 0)
        )

    def expired(self, firsts: Mapping[int, int]) -> list[Spot]:
        """The notes about records that are no longer there."""
        return [spot for spot in self.entries if spot[1] < firsts.get(spot[0], 0)]

    def settled(self, notes: Mapping[Spot, LetterNote | None]) -> "LetterLedger":
        """The ledger with other notes about some letters; None: with none about one."""
        entries = {**self.entries, **notes}
        return replace(self, entries={spot: note for spot, note in entries.items() if note is not None})

    def with_notes(self, notes: Iterable[tuple[bytes, bytes | None]], topic_id: str, end: int) -> "LetterLedger":
        """The ledger after more of its records, as (key, value), in their order; `end` is the offset after them."""
        prefix = f"{topic_id}/".encode()
        entries, lock = dict(self.entries), self.lock
        for key, value in notes:
            if not key.startswith(prefix):
                continue
            place = key[len(prefix) :]
            if place == _LOCK:
                lock = _decoded(_lock_decoder, value)
                continue
            id, _, offset = place.partition(b"/")
            if not (id.isdigit() and offset.isdigit()):
                continue
            spot = int(id), int(offset)
            entry = _decoded(_entry_decoder, value)
            if entry is None:
                entries.pop(spot, None)
            else:
                entries[spot] = entry
        return LetterLedger(entries, lock, end, exists=True)


_LOCK = b"lock"
_encoder = msgspec.json.Encoder()
_entry_decoder = msgspec.json.Decoder(LetterNote)
_lock_decoder = msgspec.json.Decoder(Lock)


def _decoded(decoder: "msgspec.json.Decoder[T]", value: bytes | None) -> T | None:
    """A note's value; None for a tombstone, and for what nobody wrote by these rules."""
    try:
        return decoder.decode(value) if value else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def entry_key(topic_id: str, spot: Spot) -> bytes:
    """The key of the note about one dead letter."""
    return f"{topic_id}/{spot[0]}/{spot[1]}".encode()


def lock_key(topic_id: str) -> bytes:
    """The key of the note that says who replays the topic."""
    return f"{topic_id}/".encode() + _LOCK


def encode_note(note: LetterNote | Lock) -> bytes:
    """A note as the ledger holds it."""
    return _encoder.encode(note)


def replay_id(topic_id: str, spot: Spot) -> str:
    """What marks the copy of a dead letter in the topic it was sent to: the same, however often it is tried."""
    return entry_key(topic_id, spot).decode()


def held_by(lock: Lock | None, now: int, host: str, alive: bool) -> Lock | None:
    """Who else is replaying, as far as the note tells. `alive`: whether a process of its number runs on this host."""
    if lock is None or now > lock.due or (lock.host == host and not alive):
        return None
    return lock
