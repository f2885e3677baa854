"""What it takes to put things back as they were before an entry of the history, judged by how they are now. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kafkactl.access.rules import Rule, rule_of
from kafkactl.history.model import HistoryEntry, Step
from kafkactl.plan.differences import same_value
from kafkactl.plan.one_topic import TypedTopic
from kafkactl.text.remedies import Command, kafkactl
from kafkactl.text.units import value_text
from kafkactl.text.words import many
from kafkactl.topics import LiveTopic, Place


class Later(NamedTuple):
    """A step whose result somebody has changed since: `now` is what is there."""

    step: Step
    now: str | None


class Lasting(NamedTuple):
    """Steps that cannot be taken back, why not, and what comes nearest to it."""

    what: str
    why: str
    instead: Command | None = None


@dataclass(frozen=True)
class Undo:
    """How an entry is taken back. `settled` steps are already as they were."""

    topics: tuple[TypedTopic, ...] = ()
    offsets: Mapping[str, Mapping[Place, int | None]] = field(default_factory=dict)  # by group
    later: tuple[Later, ...] = ()
    lasting: tuple[Lasting, ...] = ()
    settled: int = 0


_SETTINGS = ("config", "override")


def undo_settings(entry: HistoryEntry, live: Mapping[str, LiveTopic], ids: Mapping[str, str]) -> Undo:
    """The settings to put back, and all that is not a setting as what lasts.

    `live` are the topics that are there; `ids` theirs, where Kafka told them.
    """
    later: list[Later] = []
    lasting: list[Lasting] = []
    settled = 0
    wanted: dict[str, list[Step]] = {}
    for step in entry.done:
        if step.kind not in _SETTINGS:
            continue
        if why := _not_there(step, live.get(step.name), ids.get(step.name, "")):
            lasting.append(Lasting(f"{step.name}: {step.key}", why))
            continue
        now = (live[step.name].config or {}).get(step.key)
        own = now.value if now is not None and now.overridden else None
        if _is(step.key, own, step.before if step.own else None):
            settled += 1
            continue
        if not _is(step.key, own, step.after):
            later.append(Later(step, own))
        wanted.setdefault(step.name, []).append(step)
    topics = tuple(
        TypedTopic(
            name,
            config={step.key: step.before for step in steps if step.own and step.before is not None},
            unset=tuple(step.key for step in steps if not step.own or step.before is None),
        )
        for name, steps in wanted.items()
    )
    return Undo(topics, later=tuple(later), lasting=(*lasting, *lasting_steps(entry.done)), settled=settled)


def _is(key: str, one: str | None, other: str | None) -> bool:
    return one is other if one is None or other is None else same_value(key, one, other)


def _not_there(step: Step, live: LiveTopic | None, id: str) -> str:
    if live is None:
        return "the topic is not there, or hidden from this user"
    if step.id and id and step.id != id:
        return "the topic was deleted and recreated since: it is another one"
    return "no permission to read its settings" if live.config is None else ""


def undo_offsets(entry: HistoryEntry) -> Mapping[str, Mapping[Place, int | None]]:
    """The offsets to put back, by group and partition; None for no commit."""
    found: dict[str, dict[Place, int | None]] = {}
    for step in entry.done:
        if step.kind == "offsets":
            place = Place.of_text(step.key)
            found.setdefault(step.name, {})[place] = None if step.before is None else int(step.before)
    return found


def undo_rules(entry: HistoryEntry) -> list[tuple[Literal["grant", "revoke"], Rule]]:
    """What takes its changes of access back, grants first. Raises ValueError for a step that cannot be read."""
    steps = [step for step in entry.done if step.kind == "access"]
    grants = [("grant", rule_of(step.before)) for step in steps if step.before is not None]
    revokes = [("revoke", rule_of(step.after)) for step in steps if step.after is not None]
    return [*grants, *revokes]  # type: ignore[list-item]


def lasting_steps(steps: Iterable[Step]) -> Sequence[Lasting]:
    """Of these steps, what no command takes back."""
    return [found for step in steps if (found := _lasting(step)) is not None]


def _lasting(step: Step) -> Lasting | None:
    if step.kind in _TAKEN_BACK:
        return None
    if step.kind not in _WHY_NOT:
        return Lasting(f"{step.name}: {step.kind}", "this version of kafkactl does not know it")
    what, why = _WHY_NOT[step.kind]
    words = what.format(name=step.name, key=step.key, before=step.before, after=step.after)
    return Lasting(words, why, _instead(step))


_TAKEN_BACK = frozenset({*_SETTINGS, "offsets", "group", "access", "replicas"})
_WHY_NOT: Mapping[str, tuple[str, str]] = {
    "create": ("{name} was created", "taking that back deletes its records"),
    "delete": ("{name} was deleted", "its records are gone"),
    "partitions": ("{name} was given {after} partitions instead of {before}", "Kafka cannot remove partitions"),
    "replication": ("{name} has {after} replicas instead of {before}", "that moves data"),
    "trim": ("records of {key} before offset {after} were deleted", "they do not come back"),
    "records": ("records were written to {name}", "Kafka takes no record back"),
    "replay": ("records were written to {name}", "Kafka takes no record back"),
    "repair": ("{name}: {after}", "a repair is not taken back"),
}


def _instead(step: Step) -> Command | None:
    """The command that comes nearest to taking it back."""
    if step.kind == "create":
        return kafkactl("topic delete", step.name, note="To delete it nevertheless")
    if step.kind == "replication" and (step.before or "").isdigit():
        return kafkactl("replicas move", step.name, options=["--replication", step.before or ""])
    return _creating(step) if step.kind == "delete" else None


def _creating(step: Step) -> Command | None:
    """The command that makes an empty topic like the one that was deleted."""
    try:
        shape = json.loads(step.before or "")
        options = ["--partitions", str(shape["partitions"]), "--replication", str(shape["replication"])]
        options += [word for key, value in shape["config"].items() for word in ("--set", f"{key}={value}")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return kafkactl("topic create", step.name, options=options, note="To make an empty one like it")


def summary_words(entry: HistoryEntry) -> str:
    """What an entry is about in a few words: its first step, and how many more there are."""
    offsets = [step for step in entry.steps if step.kind == "offsets"]
    if offsets:
        groups = list(dict.fromkeys(step.name for step in offsets))
        rest = f" and {many(len(groups) - 1, 'more group')}" if len(groups) > 1 else ""
        return f"{groups[0]}{rest}: {many(len(offsets), 'offset')}"
    more = len(entry.steps) + entry.left_out - 1
    first = step_words(entry.steps[0]) if entry.steps else "nothing"
    return first + (f", and {more:,} more" if more > 0 else "")


def step_words(step: Step) -> str:
    """A step in words, whatever became of it."""
    if step.kind not in _WORDS:
        return f"{step.name}: {step.key} {_value(step, step.before)} → {_value(step, step.after)}"
    return _WORDS[step.kind].format(
        name=step.name,
        key=step.key,
        before=step.before,
        after=step.after,
        records=_counted(step.after or ""),
        so_far=f": {step.after}" if step.after else "",
    )


_WORDS: Mapping[str, str] = {
    "create": "create {name}",
    "delete": "delete {name}",
    "group": "delete the group {name}",
    "records": "write {records} to {name}",
    "replay": "replay {key} to {name}{so_far}",
    "replicas": "replicas of {key} {before} → {after}",
    "trim": "delete records of {key} before offset {after}",
    "repair": "{key}: {after}",
    "access": "{key}",
}


def _counted(after: str) -> str:
    return many(int(after), "record") if after.isdigit() else after or "records"


def _value(step: Step, value: str | None) -> str:
    if value is None:
        return "no commit" if step.kind == "offsets" else "default" if step.kind in _SETTINGS else "none"
    return value_text(step.key, value)
