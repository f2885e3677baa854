"""The changes of a plan as the history has them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kafkactl.history.model import Step, StepFate
from kafkactl.plan.account import Account, Fate
from kafkactl.plan.differences import Change
from kafkactl.topics import LiveTopic


def steps_of(changes: Iterable[Change]) -> list[Step]:
    """The changes of a plan as steps."""
    return [_step(change) for change in changes]


def _step(change: Change) -> Step:
    before, after = change.old, change.new
    if change.kind == "create" and change.declared:
        topic = change.declared
        after = _shape(topic.partitions, topic.replication, topic.config)
    elif change.kind == "delete" and change.was:
        before = shape_of(change.was)
    elif change.kind == "override":
        after = None
    return Step(change.kind, change.topic, change.key, before, after, change.own, change.topic_id)


def shape_of(live: LiveTopic) -> str:
    """A topic as it is in one text: what it takes to make an empty one like it."""
    own = {key: value.value for key, value in (live.config or {}).items() if value.overridden}
    return _shape(len(live.partitions), live.replication[0], own)


def _shape(partitions: int | None, replication: int | None, config: Mapping[str, str | None]) -> str:
    return json.dumps({"partitions": partitions, "replication": replication, "config": dict(sorted(config.items()))})


_FATES: Mapping[Fate, StepFate] = {Fate.DONE: "done", Fate.FAILED: "failed", Fate.UNKNOWN: "not known"}


def steps_accounted(account: Account) -> Sequence[Step]:
    """What became of each change that a run was to make; what was withheld or left alone is none of them."""
    tried = [entry for entry in account.entries if entry.fate in (*_FATES, Fate.NOT_DONE)]
    return [replace(_step(entry.change), fate=_FATES.get(entry.fate, "not done"), why=entry.reason) for entry in tried]
