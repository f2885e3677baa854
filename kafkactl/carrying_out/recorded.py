"""Changes noted in the history: what a plan's changes are there, and the note around what is done."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from kafkactl.cluster.client import Cluster, connect
from kafkactl.errors import KafkactlError
from kafkactl.history.command_line import told_command
from kafkactl.history.model import HistoryEntry, Step, StepFate, with_fate
from kafkactl.history.recording import Recording, new_entry
from kafkactl.history.shared import publish_entry
from kafkactl.plan.account import Account, Fate
from kafkactl.plan.differences import Change
from kafkactl.settings import Target
from kafkactl.topics import LiveTopic
from kafkactl.view import output


@contextmanager
def recorded(
    target: Target,
    kafka: Cluster | str,
    steps: Iterable[Step],
    *,
    private: Collection[str] = (),
    undoes: str = "",
) -> Iterator[Recording]:
    """Note what is about to be changed and, behind it, what became of it: whoever is inside says so with `end`.

    Of what it does not say, the end is not known. `kafka` is a cluster's id, or "", where Kafka may not answer.
    `private`: values on the command line that the history is not to hold.
    """
    cluster = kafka if isinstance(kafka, str) else kafka.info.id
    command = told_command(["kafkactl", *sys.argv[1:]], private)
    entry = new_entry(cluster, target.connection.address, command, tuple(steps), undoes=undoes)
    recording = Recording(entry, output.warn, _sharing(target, kafka))
    try:
        yield recording
    finally:
        if recording.entry.ended is None:
            left = [step if step.fate != "planned" else with_fate([step], "not known")[0] for step in recording.steps]
            recording.end(left)


def _sharing(target: Target, kafka: Cluster | str) -> Callable[[HistoryEntry], str] | None:
    topic = target.catalog.history if target.catalog else ""
    if not topic:
        return None
    return partial(_publish_late, target, topic) if isinstance(kafka, str) else partial(publish_entry, kafka, topic)


def _publish_late(target: Target, topic: str, entry: HistoryEntry) -> str:
    try:
        return publish_entry(connect(target.connection), topic, entry)
    except KafkactlError as error:
        return error.message.rstrip(".")


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
