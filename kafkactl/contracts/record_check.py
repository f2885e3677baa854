"""Records against the contracts of their topics: for tail, produce, and dead letters that are corrected by hand."""

import time
from collections.abc import Iterable, Sequence

from kafkactl.catalog.model import Catalog
from kafkactl.contracts.contract import Violation
from kafkactl.contracts.event_tally import EventTally
from kafkactl.contracts.schema_files import load_contract
from kafkactl.errors import UsageError


def tally_of(topic: str, catalog: Catalog | None, contract: str | None = None) -> EventTally | None:
    """A topic's count with its contract (or another one), as topics.yaml declares it; None where it has none.

    Raises UsageError for a contract that cannot be used.
    """
    declared = catalog.topics.get(topic) if catalog else None
    wanted = contract or (declared.event if declared else None)
    if wanted is None:
        return None
    known = load_contract(wanted, catalog.events if catalog else {})
    if declared is None:
        return EventTally(topic, known)
    return EventTally(topic, known, declared.event_type or topic)


class RecordCheck:
    """How records of some topics break their contracts. `without` are the topics that have none.

    Raises UsageError where none of the topics has one.
    """

    def __init__(self, topics: Iterable[str], catalog: Catalog | None) -> None:
        found = {topic: tally_of(topic, catalog) for topic in topics}
        self.without = sorted(topic for topic, tally in found.items() if tally is None)
        self._tallies = {topic: tally for topic, tally in found.items() if tally is not None}
        if not self._tallies:
            raise UsageError(
                "None of these topics has a contract in topics.yaml.",
                hint="Name one there, under the topic: event: base",
            )

    def __call__(self, topic: str, timestamp: int | None, value: bytes | None) -> Sequence[Violation]:
        """How a record of this topic and time (ms; None for now) breaks its contract. A tombstone breaks none."""
        tally = self._tallies.get(topic)
        if tally is None or value is None:
            return ()
        _, found = tally.judge(int(time.time() * 1000) if timestamp is None else timestamp, value)
        return found
