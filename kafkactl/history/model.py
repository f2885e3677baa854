"""One entry of the history: who changed what, when, from where, and how it ended. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

# What became of a step. "planned": it was begun, and nobody wrote down how it ended.
StepFate = Literal["planned", "done", "failed", "not known", "not done"]
HistoryOutcome = Literal["begun", "done", "partly done", "not done", "not known"]


@dataclass(frozen=True)
class Step:
    """One thing that was to be changed: a topic's setting, a group's offset in a partition, records that were sent.

    `kind` is that of a change of a plan (create, config, override, partitions, replication, delete), or offsets,
    group, records, trim, access, repair. `name` is the topic or group, `key` the setting or the partition. `before` and
    `after` are as Kafka writes them, None for none; `own`: the topic had set `before` itself, it was no default. `id`
    is the topic's, "" where it was not told.
    """

    kind: str
    name: str
    key: str = ""
    before: str | None = None
    after: str | None = None
    own: bool = True
    id: str = ""
    fate: StepFate = "planned"
    why: str = ""


@dataclass(frozen=True)
class HistoryEntry:
    """One run of a command that changed something. Times are in ms since 1970; `ended` is None while nobody knows.

    `command` is what was typed, without secrets. `undoes` is the id of the entry that this one takes back. `left_out`:
    so many steps are not listed, since there are too many for a record.
    """

    id: str
    begun: int
    person: str
    host: str
    cluster: str
    address: str
    command: tuple[str, ...]
    steps: tuple[Step, ...]
    ended: int | None = None
    undoes: str = ""
    left_out: int = 0

    @property
    def outcome(self) -> HistoryOutcome:
        """How it ended, by its steps."""
        if self.ended is None:
            return "begun"
        fates = {step.fate for step in self.steps}
        if fates <= {"done"}:
            return "done"
        if "done" in fates:
            return "partly done"
        return "not known" if fates & {"not known", "planned"} else "not done"

    def about(self, name: str) -> bool:
        """Whether a topic or group of this name is among what was to be changed."""
        return any(step.name == name or step.key.rpartition("[")[0] == name for step in self.steps)

    @property
    def done(self) -> tuple[Step, ...]:
        """What was changed, and what may have been: nobody saw how that ended."""
        return tuple(step for step in self.steps if step.fate in ("done", "not known", "planned"))

    def closed(self, ended: int, steps: Sequence[Step]) -> "HistoryEntry":
        """The entry at its end. A step that was there at the beginning keeps the id of its topic."""
        ids = {(step.kind, step.name, step.key): step.id for step in self.steps}
        known = (replace(s, id=s.id or ids.get((s.kind, s.name, s.key), "")) for s in steps)
        return replace(self, ended=ended, steps=tuple(known))


def entry_document(entry: HistoryEntry) -> dict[str, Any]:
    """An entry as JSON; it is read back by `read_entry`."""
    found = asdict(entry)
    found["command"] = list(entry.command)
    found["steps"] = [asdict(step) for step in entry.steps]
    return {**found, "outcome": entry.outcome}


def read_entry(found: Any) -> HistoryEntry:
    """An entry from its document; keys that are not known are left out. Raises ValueError for what is none."""
    try:
        steps = tuple(_step(step) for step in found["steps"])
        ended = found.get("ended")
        texts = {name: str(found[name]) for name in ("id", "person", "host", "cluster", "address")}
        return HistoryEntry(
            **texts,
            begun=int(found["begun"]),
            command=tuple(map(str, found["command"])),
            steps=steps,
            ended=None if ended is None else int(ended),
            undoes=str(found.get("undoes", "")),
            left_out=int(found.get("left_out", 0)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an entry of the history: {error}") from None


def _step(found: Mapping[str, Any]) -> Step:
    fate = found.get("fate", "planned")
    if fate not in get_args(StepFate):
        raise ValueError(f"{fate} is no outcome of a step")
    before, after = found.get("before"), found.get("after")
    return Step(
        str(found["kind"]),
        str(found["name"]),
        str(found.get("key", "")),
        None if before is None else str(before),
        None if after is None else str(after),
        found.get("own", True) is True,
        str(found.get("id", "")),
        fate,
        str(found.get("why", "")),
    )


def merged(entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """Each entry once, the newest first: of two of one id that which tells how it ended."""
    found: dict[str, HistoryEntry] = {}
    for entry in entries:
        known = found.get(entry.id)
        if known is None or known.ended is None or (entry.ended is not None and known.left_out > entry.left_out):
            found[entry.id] = entry
    return sorted(found.values(), key=lambda entry: (entry.begun, entry.id), reverse=True)


def with_fate(steps: Iterable[Step], fate: StepFate, why: str = "") -> tuple[Step, ...]:
    """The steps, of which this became."""
    return tuple(replace(step, fate=fate, why=why) for step in steps)
