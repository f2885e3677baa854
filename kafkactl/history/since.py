"""How things were at a moment, as far as the history tells, beside how they are. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafkactl.history.model import HistoryEntry, Step
from kafkactl.plan.differences import same_value
from kafkactl.topics import LiveTopic

THERE = "there"


@dataclass(frozen=True)
class Then:
    """One thing that was changed since a moment: as it was then, None for not there, no commit, or a default.

    `entries` are the ids of those that changed it, the oldest first.
    """

    kind: str  # topic, setting, partitions, replication or offset
    name: str
    key: str
    before: str | None
    entries: tuple[str, ...]

    def is_so(self, now: str | None) -> bool:
        """Whether it is now as it was then."""
        if self.before is None or now is None:
            return self.before is now
        return same_value(self.key, self.before, now)


_KINDS: Mapping[str, str] = {
    "create": "topic",
    "delete": "topic",
    "config": "setting",
    "override": "setting",
    "partitions": "partitions",
    "replication": "replication",
    "offsets": "offset",
}


def things_changed(entries: Iterable[HistoryEntry]) -> list[Then]:
    """What these entries changed, or may have changed, each thing once, as it was before the first of them."""
    found: dict[tuple[str, str, str], Then] = {}
    for entry in sorted(entries, key=lambda entry: (entry.begun, entry.id)):
        for step in entry.done:
            kind = _KINDS.get(step.kind)
            if kind is None:
                continue
            if (made := found.get(("topic", step.name, ""))) and made.before is None and kind != "offset":
                kind = "topic"  # of a topic that was not there, nothing was otherwise
            place = (kind, step.name, step.key if kind in ("setting", "offset") else "")
            known = found.get(place)
            before, ids = (known.before, known.entries) if known else (_before(step), ())
            found[place] = Then(kind, step.name, place[2], before, tuple(dict.fromkeys([*ids, entry.id])))
    return list(found.values())


def _before(step: Step) -> str | None:
    if step.kind == "create":
        return None
    if step.kind == "delete":
        return THERE
    return step.before if step.own else None


def topic_now(then: Then, live: LiveTopic | None) -> str | None:
    """How it is now, in the words of `before`, of what is not an offset."""
    if then.kind == "topic" or live is None:
        return THERE if live is not None else None
    if then.kind == "partitions":
        return str(len(live.partitions))
    if then.kind == "replication":
        fewest, most = live.replication
        return str(fewest) if fewest == most else f"{fewest}–{most}"
    value = (live.config or {}).get(then.key)
    return value.value if value is not None and value.overridden else None
