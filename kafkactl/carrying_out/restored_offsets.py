"""How a group's offsets are put back as they were saved, and what every change of offsets is made of."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial

from kafkactl.carrying_out.offset_plan import OffsetChange
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.commits import delete_group, remove_commits, set_commits
from kafkactl.cluster.metadata import read_topic_ids, read_topics
from kafkactl.cluster.visibility import no_such_topic, topics_may_hide
from kafkactl.errors import KafkactlError
from kafkactl.groups.fetch import Scope, read_groups, read_standing
from kafkactl.groups.journal import Saved
from kafkactl.groups.names import NameFilter, list_group_ids
from kafkactl.groups.reset import Move, plan, to_these
from kafkactl.topics import Place, in_short
from kafkactl.view import output


def restoring(kafka: Cluster, saved: Saved) -> OffsetChange:
    """The change that puts a group's offsets back. Raises KafkactlError where none of their topics is there."""
    offsets = _left(kafka, saved)
    words = _back(saved.change)
    moves = plan(read_standing(kafka, saved.group, offsets), to_these(offsets), exact=True)
    change = offset_change(kafka, saved.group, words, moves)
    return _undo_of_creation(kafka, change) if saved.created and not change.creates else change


def _undo_of_creation(kafka: Cluster, change: OffsetChange) -> OffsetChange:
    """The undo of what created a group: the group is deleted, too, unless it has other commits by now."""
    removed = {move.place for move in change.moves if move.new is None}
    kept = sorted(commits_of(kafka, change.group).keys() - removed)
    if kept:
        return replace(change, besides=f"the group stays: it has commits in {in_short(kept)}, too")
    if topics_may_hide(kafka):
        return replace(change, besides="the group stays: it may have commits in topics that this user may not describe")
    act = partial(delete_whole, kafka, change.group, removed)
    return replace(change, besides="delete the group, which was created then", act=act, always=True)


def delete_whole(kafka: Cluster, group: str, shown: Collection[Place]) -> None:
    """Delete a group whose commits are those that were shown. Raises KafkactlError if it has others by now."""
    if more := sorted(commits_of(kafka, group).keys() - set(shown)):
        raise KafkactlError(
            f"Nothing was changed: {group} has committed in {in_short(more)} since the plan was shown.",
            hint="Run it again to see a new plan.",
        )
    delete_group(kafka, group)


def _left(kafka: Cluster, saved: Saved) -> dict[Place, int | None]:
    """The saved offsets of partitions that still exist; a warning names the others. Raises KafkactlError for none."""
    there = existing_places(kafka, saved.offsets)
    ids = read_topic_ids(kafka, sorted({place.topic for place in there}))
    there = {place for place in there if saved.ids.get(place.topic, ids.get(place.topic)) == ids.get(place.topic)}
    gone = [place for place in saved.offsets if place not in there]
    if len(gone) == len(saved.offsets):
        raise KafkactlError(
            f"That cannot be undone, and nothing was changed: {in_short(gone)} was deleted, or recreated, since."
        )
    if gone:
        output.warn(f"left out, because they were deleted or recreated since that change: {in_short(gone)}")
    return {place: offset for place, offset in saved.offsets.items() if place in there}


def existing_places(kafka: Cluster, places: Iterable[Place]) -> set[Place]:
    """Those that exist. Raises KafkactlError if one is of a topic that this user may not describe."""
    topics = read_topics(kafka, {topic for topic, _ in places}, config_of=())
    for name in topics.denied:
        raise no_such_topic(kafka, name, topics)
    return {Place(topic.name, p.id) for topic in topics.found.values() for p in topic.partitions}


def _back(change: str) -> str:
    """What restoring is called: for a change its undo, for an undo its redo."""
    what, colon, rest = change.partition(": ")
    return {"undo": f"redo: {rest}", "redo": f"undo: {rest}"}.get(what if colon else "", f"undo: {change}")


def commits_of(kafka: Cluster, group: str) -> dict[Place, int]:
    """Where a group has commits. Raises KafkactlError where they cannot be read."""
    sample = read_groups(kafka, Scope(NameFilter.of(group)))
    found = sample.group(group)
    if found is None or found.missing:
        why = found.missing if found else next(iter(sample.missing.values()), "it no longer exists")
        raise KafkactlError(f"Nothing was changed: could not read the offsets of {group}: {why}.")
    return {p.place: p.committed for p in found.partitions if p.committed is not None}


def offset_change(kafka: Cluster, group: str, words: str, moves: tuple[Move, ...]) -> OffsetChange:
    """The change that makes these moves."""

    def act() -> None:
        written = {move.place: move.new for move in moves if move.changes and move.new is not None}
        removed = [move.place for move in moves if move.changes and move.new is None]
        if written:
            set_commits(kafka, group, written)
        if removed:
            remove_commits(kafka, group, removed)

    new = all(move.old is None for move in moves) and group not in list_group_ids(kafka).ids
    return OffsetChange(group, words, moves, act, creates=new)
