"""How many dead letters wait in each topic, for metrics: counted by offsets and what was noted since the last time.

Nothing is scanned for it. What was handled is kept in the state directory, so that the ledger is read once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topic_ids, read_topics
from kafkactl.cluster.offsets import ranges_of, read_ranges, read_stable_ends
from kafkactl.deadletters.handled import HandledLetters
from kafkactl.deadletters.ledger import LEDGER_TOPIC
from kafkactl.deadletters.ledger_topic import LEDGER_PLACE, look_for_ledger, read_notes
from kafkactl.deadletters.topic_names import dead_letter_topics
from kafkactl.directories import state_directory
from kafkactl.errors import KafkactlError
from kafkactl.private_files import write_private
from kafkactl.topics import Place

_PATIENCE = 5.0  # seconds: a scrape does not wait long


class PendingCounts(NamedTuple):
    """How many dead letters wait in each topic, at most: markers of transactions count, too.

    `missing` says what is not known.
    """

    pending: Mapping[str, int]
    missing: tuple[str, ...] = ()


def read_pending(
    cluster: Cluster, catalog: Catalog | None, remembered: dict[str, HandledLetters] | None = None
) -> PendingCounts:
    """The counts of every dead-letter topic whose partitions answer. Raises KafkactlError if Kafka answers nothing.

    `remembered` is for whoever counts again and again: what was handled is kept there, too, by the cluster's id, and
    needs no file.
    """
    found = read_topics(cluster, config_of=()).found
    names = dead_letter_topics(found, catalog)
    if not names:
        return PendingCounts({})
    ranges = read_ranges(cluster, [found[name] for name in names])
    ids = read_topic_ids(cluster, [*names, LEDGER_TOPIC])
    path = state_directory() / "dead-letters" / f"{cluster.info.id.replace('/', '_')}.json"
    memory = {} if remembered is None else remembered
    handled = memory.get(cluster.info.id) or _load(path)
    if handled.ledger != ids.get(LEDGER_TOPIC, ""):
        handled = HandledLetters(ids.get(LEDGER_TOPIC, ""))
    before = handled.end
    if why := _catch_up(cluster, handled):
        memory.pop(cluster.info.id, None)  # half of what was noted may be in it
        return PendingCounts({}, (f"{LEDGER_TOPIC}: {why}",))
    pending: dict[str, int] = {}
    missing: list[str] = []
    for name in names:
        total = 0
        for partition in found[name].partitions:
            there = ranges.get(Place(name, partition.id))
            if there is None or there.first is None or there.end is None:
                missing.append(f"the leader of {Place(name, partition.id)} does not respond")
                break
            done = handled.count(ids.get(name, ""), partition.id, there.first, there.end)
            handled.forget(ids.get(name, ""), partition.id, there.first)
            total += there.end - there.first - done
        else:
            pending[name] = total
    if cluster.info.id not in memory or handled.end != before:
        _save(path, handled)
    memory[cluster.info.id] = handled
    return PendingCounts(pending, tuple(missing))


def _catch_up(cluster: Cluster, handled: HandledLetters) -> str:
    """Read what was noted since; why that is not known, "" where it is."""
    exists, why = look_for_ledger(cluster)
    if not exists:
        return why
    try:
        first = ranges_of(cluster, [LEDGER_PLACE])[LEDGER_PLACE].first
        end = read_stable_ends(cluster, [LEDGER_PLACE])[LEDGER_PLACE]
        if first is None or end is None:
            return "its leader does not respond"
        if handled.end > end:  # it lost what we had read
            handled.ranges, handled.end = {}, 0
        start = max(first, handled.end)
        if start >= end:
            return ""
        for notes in read_notes(cluster, start, end, lambda _: None, _PATIENCE):
            handled.note(notes, end)
        handled.end = end
    except KafkactlError as error:
        return error.message.rstrip(".")
    return ""


def _load(path: Path) -> HandledLetters:
    try:
        return msgspec.json.decode(path.read_bytes(), type=HandledLetters)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return HandledLetters()


def _save(path: Path, handled: HandledLetters) -> None:
    """Keep it for the next time; where that is not possible, the ledger is read again."""
    content = msgspec.json.encode(handled)
    try:
        write_private(path, content)
    except OSError:
        return
