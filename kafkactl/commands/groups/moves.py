"""How each of the changing commands computes a group's new offsets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kafkactl.carrying_out.offset_changes import UNSAVED, carry_out_offsets, refuse_members
from kafkactl.carrying_out.offset_plan import OffsetChange
from kafkactl.carrying_out.restored_offsets import commits_of, delete_whole, existing_places, offset_change, restoring
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import NOT_VISIBLE, read_topics
from kafkactl.cluster.offsets import read_time_offsets
from kafkactl.cluster.visibility import hidden_topics, no_such_topic, topics_may_hide
from kafkactl.consent import Asked
from kafkactl.errors import KafkactlError, NotPermittedError, UsageError
from kafkactl.groups import journal
from kafkactl.groups.fetch import read_standing
from kafkactl.groups.journal import Saved, parse_offsets
from kafkactl.groups.model import Partition
from kafkactl.groups.names import refuse_other_kind, require_group
from kafkactl.groups.reset import Goal, Move, by, plan, to_earliest, to_latest, to_offset, to_these, to_time
from kafkactl.text.escapes import plain
from kafkactl.text.words import many
from kafkactl.topics import Place, beginning, is_glob, matches
from kafkactl.view import output


@dataclass(frozen=True)
class Where:
    """Where a group will continue: in which partitions, and the option that says so, with its value.

    `time` is that of --to-time in ms, `text` the content of --from-file.
    """

    topics: tuple[str, ...]
    partitions: tuple[int, ...]
    option: str
    value: Any
    time: int | None
    text: str
    create: bool = False  # the group may be a new one


def reset_offsets(asked: Asked, group: str, where: Where) -> None:
    """groups reset. Raises KafkactlError."""
    kafka = connect(asked.target.connection)
    if where.option == "--from-file":
        saved = parse_offsets(where.text, str(where.value), group)
        _tell_origin(kafka, group, saved)
        chosen = {place: o for place, o in saved.offsets.items() if _chosen(place, where.topics, where.partitions)}
        _require_places(kafka, chosen, str(where.value))
        refuse_members(kafka, group)
        moves = plan(read_standing(kafka, group, chosen), to_these(chosen))
    else:
        if not where.create:
            require_group(kafka, group, hint="If it is to be a new group: add --create")
        refuse_members(kafka, group)
        standing = read_standing(kafka, group, _places(kafka, group, where))
        moves = plan(standing, _wish(kafka, standing, where))
    change = offset_change(kafka, group, _words(where), moves)
    by_glob = where.topics if where.option != "--from-file" else ("-",)
    carry_out_offsets(kafka, asked, [replace(change, besides=_left_out(kafka, by_glob, "moved"))])


def _words(where: Where) -> str:
    if where.time is not None:
        when = datetime.fromtimestamp(where.time / 1000).astimezone().isoformat(sep=" ", timespec="seconds")
        return f"reset to {when}"
    return {
        "--to-earliest": "reset to the first available record",
        "--to-latest": "reset to the end",
        "--by": _shift(where.value) if where.option == "--by" else "",
        "--to-offset": f"reset to offset {where.value}",
        "--from-file": f"reset to the offsets in {where.value}",
    }[where.option]


def _shift(number: int) -> str:
    if number == 0:
        return "reset by 0 offsets"
    return f"reset {many(abs(number), 'offset')} {'ahead' if number > 0 else 'back'}"


def _wish(kafka: Cluster, standing: Sequence[Partition], where: Where) -> Goal:
    match where.option:
        case "--to-earliest":
            return to_earliest
        case "--to-latest":
            return to_latest
        case "--by":
            return by(where.value)
        case "--to-offset":
            return to_offset(where.value)
    assert where.time is not None
    found = read_time_offsets(kafka, [partition.place for partition in standing], where.time)
    silent = [place for place, offset in found.items() if offset is None]
    if silent:
        raise KafkactlError(f"Nothing was changed: the leader of {silent[0]} does not respond.")
    return to_time({place: offset for place, offset in found.items() if offset is not None})


def _places(kafka: Cluster, group: str, where: Where) -> list[Place]:
    """The selected partitions: all of a topic that is named; for a glob, those in which the group has commits.

    A group that is to be created has none: then a glob means all topics that match.
    """
    topics = read_topics(kafka, [topic for topic in where.topics if not is_glob(topic)], config_of=())
    committed = {} if where.create else commits_of(kafka, group)
    every = [Place(topic.name, p.id) for topic in topics.found.values() for p in topic.partitions]
    found: dict[Place, None] = {}
    for pattern in where.topics:
        if pattern in topics.found:
            found |= dict.fromkeys(Place(pattern, p.id) for p in topics.found[pattern].partitions)
        elif is_glob(pattern):
            found |= dict.fromkeys(
                place for place in (every if where.create else committed) if matches(place[0], pattern)
            )
        else:
            raise no_such_topic(kafka, pattern, topics)
    if not found:
        has = ", ".join(sorted({topic for topic, _ in committed}))
        raise KafkactlError(
            f"{group} has no commits in {' '.join(where.topics)}{_seen(kafka, where.topics)}.",
            where=_has(kafka, has),
            hint="To reset all partitions of a topic, name it without a glob.",
        )
    if absent := sorted(set(where.partitions) - {id for _, id in found}):
        raise UsageError(f"Partition {absent[0]} does not exist in {' '.join(where.topics)}.")
    return [place for place in found if not where.partitions or place[1] in where.partitions]


def _has(kafka: Cluster, topics: str) -> str:
    limits = ", as far as this user may see" if topics_may_hide(kafka) else ""
    return f"It has commits in {topics}{limits}." if topics else f"It has no commits at all{limits}."


def _chosen(place: Place, topics: Sequence[str], partitions: Sequence[int]) -> bool:
    topic, id = place
    return (not topics or any(matches(topic, pattern) for pattern in topics)) and (not partitions or id in partitions)


def _require_places(kafka: Cluster, places: Iterable[Place], source: str) -> None:
    """Raise KafkactlError if a file names a partition that does not exist on the cluster, or no partition at all."""
    listed = list(places)
    if not listed:
        raise UsageError(f"{source} contains no offsets of these topics.")
    there = existing_places(kafka, listed)
    if absent := [place for place in listed if place not in there]:
        raise KafkactlError(
            f"Nothing was changed: {absent[0]} does not exist on {kafka.connection.address}.",
            where=f"{source} names {many(len(absent), 'partition')} that do not exist."
            if len(absent) > 1
            else f"{source} names it.",
            hint="To use only a part of the file, add --topic or --partition.",
        )


def _tell_origin(kafka: Cluster, group: str, saved: Saved) -> None:
    if saved.group and saved.group != group:
        output.warn(f"these offsets were saved from another group, {saved.group}")
    if saved.cluster and saved.cluster != kafka.info.id:
        output.warn(
            f"these offsets were saved on another cluster, {saved.cluster}, where an offset is a different record"
        )


def undo_change(asked: Asked, group: str | None) -> None:
    """groups undo. Raises KafkactlError if nothing was changed from here."""
    kafka = connect(asked.target.connection)
    last = journal.latest(kafka.info.id, group)
    if last is None:
        if group:
            refuse_other_kind(kafka, group)
        raise KafkactlError(
            f"There is no change to {group or 'any group'} on this cluster to undo.",
            where="Only changes made with kafkactl on this machine by this user can be undone.",
        )
    _, saved = last
    refuse_members(kafka, saved.group)
    change = restoring(kafka, saved)
    when = datetime.fromtimestamp(saved.taken / 1000, UTC).astimezone().isoformat(sep=" ", timespec="seconds")
    output.note(
        f"The last change to {plain(saved.group)} from here: {saved.change}, at {when}{_OUTCOMES[saved.outcome]}."
    )
    if saved.hidden:
        output.warn(
            "that change may have deleted commits in topics that were hidden from this user: they were not saved, and "
            "do not come back"
        )
    carry_out_offsets(kafka, asked, [change])


_OUTCOMES = {
    "done": "",
    "partly": "; it was done in part",
    "pending": "; it was interrupted, and its outcome could not be determined",
    "refused": "; it was refused",
}


def copy_offsets(asked: Asked, source: str, target: str, topics: tuple[str, ...]) -> None:
    """groups copy. Raises KafkactlError."""
    if source == target:
        raise UsageError("FROM and TO are the same group.")
    kafka = connect(asked.target.connection)
    require_group(kafka, source)
    refuse_members(kafka, target)
    offsets: Mapping[Place, int | None] = {
        place: offset for place, offset in commits_of(kafka, source).items() if _chosen(place, topics, ())
    }
    if not offsets:
        raise KafkactlError(
            f"Nothing was changed: {source} has no commits{' in these topics' if topics else ''}{_seen(kafka, topics)}."
        )
    moves = plan(read_standing(kafka, target, offsets), to_these(offsets))
    change = offset_change(kafka, target, f"copy of {source}", moves)
    carry_out_offsets(kafka, asked, [replace(change, besides=_left_out(kafka, topics, "copied"))])


def _may_hide(kafka: Cluster, topics: Sequence[str]) -> bool:
    """Whether a group may have commits that this user cannot see, in the topics that these names and globs select."""
    unnamed = [""] if not topics else [beginning(topic) for topic in topics if is_glob(topic)]
    return bool(unnamed) and topics_may_hide(kafka, unnamed)


def _seen(kafka: Cluster, topics: Sequence[str]) -> str:
    return " that this user may describe" if _may_hide(kafka, topics) else ""


def _left_out(kafka: Cluster, topics: Sequence[str], done: str) -> str:
    hides = _may_hide(kafka, topics)
    return f"commits in topics that this user may not describe are not {done}" if hides else ""


def forget_offsets(asked: Asked, group: str, topic: str) -> None:
    """groups delete-offsets. Raises KafkactlError."""
    kafka = connect(asked.target.connection)
    require_group(kafka, group)
    refuse_members(kafka, group, reading=topic)
    committed = commits_of(kafka, group)
    offsets = {place: offset for place, offset in committed.items() if place[0] == topic}
    if not offsets:
        if hidden_topics(kafka, [topic]):
            raise NotPermittedError(f"Nothing was changed: {topic}: {NOT_VISIBLE}.")
        has = ", ".join(sorted({name for name, _ in committed}))
        raise KafkactlError(f"{group} has no commits in {topic}.", where=_has(kafka, has))
    moves = _forgotten(offsets)
    carry_out_offsets(kafka, asked, [offset_change(kafka, group, f"delete the offsets in {topic}", moves)])


def delete_groups(asked: Asked, groups: Sequence[str], *, unsaved: bool) -> None:
    """groups delete; with `unsaved` also where commits may be hidden. Raises KafkactlError.

    None is deleted where one cannot be.
    """
    kafka = connect(asked.target.connection)
    partial_view = topics_may_hide(kafka)
    changes = []
    for group in dict.fromkeys(groups):
        require_group(kafka, group)
        refuse_members(kafka, group)
        moves = _forgotten(commits_of(kafka, group))
        act = partial(delete_whole, kafka, group, [move.place for move in moves])
        besides = UNSAVED if partial_view else ""
        change = OffsetChange(group, "delete the group", moves, act, always=True, besides=besides)
        changes.append(replace(change, unsaved=partial_view and not unsaved, hides=partial_view))
    carry_out_offsets(kafka, asked, changes)


def _forgotten(offsets: Mapping[Place, int]) -> tuple[Move, ...]:
    return tuple(Move(*place, offset, None) for place, offset in sorted(offsets.items()))
