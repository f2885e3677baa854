"""How far a dead-letter topic can be emptied: Kafka deletes records from the beginning only. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from kafkactl.deadletters.ledger import LetterNote
from kafkactl.deadletters.letters import Letter

Stays = str  # why a record stays


def state_of(entry: LetterNote | None) -> str:
    """What became of a letter, in a word."""
    if entry is None:
        return "pending"
    return "in doubt" if entry.state == "sending" else entry.state


@dataclass
class PurgePlan:
    """What a purge would delete, counted as letters come in the order of their offsets.

    `cuts`: by partition, the offset before which everything is deleted. `deleted` counts letters by what became of
    them; `behind` those that were asked for and stay, since one before them stays. `withheld` are those that were asked
    for and nothing was done with yet. `stops` is the first letter of each partition that stays, and why.
    """

    pending_too: bool
    deleted: Counter[str] = field(default_factory=Counter)
    cuts: dict[int, int] = field(default_factory=dict)
    behind: int = 0
    withheld: int = 0
    kept: int = 0
    stops: dict[int, tuple[int, Stays]] = field(default_factory=dict)

    def add(self, letter: Letter, entry: LetterNote | None, *, wanted: bool) -> bool:
        """Count the next letter of its partition; whether it is deleted."""
        id, offset = letter.spot
        state = state_of(entry)
        waits = state in ("pending", "in doubt") and not self.pending_too
        if not wanted or waits:
            if wanted:
                self.withheld += 1
            else:
                self.kept += 1
            self.stops.setdefault(id, (offset, f"it is {state}" if wanted else "it was not asked for"))
            return False
        if id in self.stops:
            self.behind += 1
            return False
        self.deleted[state] += 1
        self.cuts[id] = offset + 1
        return True

    def close(self, ends: Mapping[int, int]) -> None:
        """All was read: what holds nothing that stays is emptied to its end, markers of transactions included."""
        for id in self.cuts.keys() - self.stops.keys():
            self.cuts[id] = ends[id]
