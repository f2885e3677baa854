"""The note in the history around what is done."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.errors import KafkactlError
from kafkactl.history.command_line import told_command
from kafkactl.history.model import HistoryEntry, Step, with_fate
from kafkactl.history.recording import Recording, new_entry
from kafkactl.settings import Target
from kafkactl.topics import Place
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
    planned = tuple(steps) if isinstance(kafka, str) else _with_ids(kafka, tuple(steps))
    entry = new_entry(cluster, target.connection.address, command, planned, undoes=undoes)
    recording = Recording(entry, output.warn, _sharing(target, kafka))
    try:
        yield recording
    finally:
        if recording.entry.ended is None:
            left = [step if step.fate != "planned" else with_fate([step], "not known")[0] for step in recording.steps]
            recording.end(left)


_KEPT = (
    "config",
    "override",
    "partitions",
    "offsets",
    "trim",
    "replicas",
)  # of a topic that is there before and behind


def _with_ids(kafka: Cluster, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps with the ids of their topics: a topic that is recreated later is another one."""
    topics = {step: Place.of_text(step.key).topic if step.key.endswith("]") else step.name for step in steps}
    wanted = {topics[step] for step in steps if step.kind in _KEPT and not step.id}
    ids = read_topic_ids(kafka, sorted(wanted))
    return tuple(replace(s, id=s.id or (ids.get(topics[s], "") if s.kind in _KEPT else "")) for s in steps)


def _sharing(target: Target, kafka: Cluster | str) -> Callable[[HistoryEntry], str] | None:
    topic = target.catalog.history if target.catalog else ""
    if not topic:
        return None
    from kafkactl.history.shared import publish_entry

    return partial(_publish_late, target, topic) if isinstance(kafka, str) else partial(publish_entry, kafka, topic)


def _publish_late(target: Target, topic: str, entry: HistoryEntry) -> str:
    from kafkactl.history.shared import publish_entry

    try:
        return publish_entry(connect(target.connection), topic, entry)
    except KafkactlError as error:
        return error.message.rstrip(".")
