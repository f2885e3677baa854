"""What produce does with the contract of its topic: makes events, warns of records that break it, or refuses them."""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kafkactl.catalog.model import Catalog
from kafkactl.contracts.event_tally import ANY_TYPE
from kafkactl.contracts.example import fresh_fields
from kafkactl.contracts.record_check import tally_of
from kafkactl.errors import UsageError
from kafkactl.records.outgoing import Check, Columns, Outgoing
from kafkactl.text.escapes import printable
from kafkactl.text.words import many
from kafkactl.view import output


class EventMaker:
    """Makes events of a topic: VALUE, if there is one, with what --set says, and what every event has.

    event_type, event_id and timestamp are filled in where they are not given; the time is `time` (ms), or now. Raises
    UsageError where the topic has no contract, or something is no JSON object or no NAME=VALUE.
    """

    def __init__(
        self, topic: str, catalog: Catalog | None, value: bytes | None, assignments: Sequence[bytes], time: int | None
    ) -> None:
        tally = tally_of(topic, catalog)
        if tally is None:
            raise UsageError(f"--event: {topic} has no contract in topics.yaml.", hint="Name one there: event: base")
        try:
            self._given = msgspec.json.decode(value, type=dict[str, Any]) if value is not None else {}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UsageError("--event: VALUE is not a JSON object.") from None
        for assignment in assignments:
            _set(self._given, assignment, tally.contract.inlined)
        self._type = topic if tally.type == ANY_TYPE else tally.type
        self._time = time

    def __call__(self) -> bytes:
        """The next event, with an id of its own unless one was given."""
        now = datetime.now() if self._time is None else datetime.fromtimestamp(self._time / 1000)
        return msgspec.json.encode(fresh_fields(self._type, now.astimezone()) | self._given)


def _set(event: dict[str, Any], assignment: bytes, schema: Mapping[str, Any]) -> None:
    """Put one NAME=VALUE into an event; dots lead into objects. VALUE is JSON, unless the contract wants text there."""
    name, equals, text = os.fsdecode(assignment).partition("=")
    if not name or not equals:
        raise UsageError(f"--set: {printable(assignment)} is not NAME=VALUE.")
    *way, last = name.split(".")
    there, inner = event, schema
    for step in way:
        there = there.setdefault(step, {})
        inner = (inner.get("properties") or {}).get(step) or {}
        if not isinstance(there, dict):
            raise UsageError(f"--set: {step} is not an object.")
    kind = ((inner.get("properties") or {}).get(last) or {}).get("type")
    try:
        there[last] = text if kind == "string" else msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        there[last] = text


class ContractCheck:
    """Looks at each record on its way.

    With `refuse` it raises ValueError for one that breaks the contract, else it warns once and counts.
    """

    def __init__(self, topic: str, catalog: Catalog | None, check: Check, *, refuse: bool) -> None:
        self._tally = tally_of(topic, catalog)
        self._check = check
        self._refuse = refuse
        self.broken = 0

    @property
    def exists(self) -> bool:
        """Whether the topic has a contract."""
        return self._tally is not None

    def __call__(self, record: Outgoing) -> None:
        self._check(record)
        self._look(record.value, record.timestamp or int(time.time() * 1000))

    def columns(self, columns: Columns | None) -> Columns | None:
        """The way many records take at once: none where one of them may have to be refused."""
        if columns is None or self._tally is None:
            return columns
        if self._refuse:
            return None

        def looked(lines: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes | None]] | None:
            found = columns(lines)
            now = int(time.time() * 1000)
            for value in found[0] if found is not None else ():
                self._look(value, now)
            return found

        return looked

    def _look(self, value: bytes | None, time: int) -> None:
        if self._tally is None or value is None:
            return
        _, found = self._tally.judge(time, value)
        if not found:
            return
        if self._refuse:
            raise ValueError(f"it breaks the contract {self._tally.contract.name}: {found[0].text}")
        self.broken += 1
        if self.broken == 1:
            output.warn(
                f"a record breaks the contract {self._tally.contract.name} of {self._tally.topic}: {found[0].text} "
                "(--check refuses such records, --no-check does not look)"
            )

    def tell(self) -> None:
        """How many records broke it, where that is more than the one that was told."""
        if self.broken > 1 and self._tally is not None:
            output.warn(f"{many(self.broken, 'record')} broke the contract {self._tally.contract.name}")
