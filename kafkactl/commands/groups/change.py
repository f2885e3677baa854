"""How a group is changed: show the plan, ask, save the old offsets, apply, verify, and say how to undo it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kafkactl import consent
from kafkactl.cluster.client import Cluster
from kafkactl.errors import KafkactlError, UnreachableError, UsageError
from kafkactl.groups.reset import Move
from kafkactl.settings import Target
from kafkactl.text.escapes import plain
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.words import and_more, many
from kafkactl.topics import in_short
from kafkactl.view import output
from kafkactl.view.output import Cell, Column

if TYPE_CHECKING:
    pass


class Asked(NamedTuple):
    """What the user typed besides the change itself: which cluster, and what was agreed to in advance."""

    target: Target
    yes: bool
    confirm: str | None
    dry_run: bool
    json: bool


@dataclass(frozen=True)
class OffsetChange:
    """A change of one group's offsets. `words` describe it: "reset to the first available record"."""

    group: str
    words: str
    moves: tuple[Move, ...]
    act: Callable[[], None]


def refuse_members(kafka: Cluster, group: str, *, reading: str = "") -> None:
    """Raise KafkactlError if a group has members (with `reading`: members that read this topic), and name them.

    Raises UnreachableError if that could not be determined. A group that does not exist has no members.
    """
    from kafkactl.groups.fetch import describe_groups

    sample = describe_groups(kafka, group.__eq__)
    found = sample.group(group)
    gap = found.missing if found else next(iter(sample.missing.values()), "")
    if gap:
        raise UnreachableError(f"Nothing was changed: could not determine whether {group} has members: {gap}.")
    members = found.members if found else ()
    if reading:
        members = tuple(m for m in members if reading in {topic for topic, _ in m.assigned} or not m.assigned)
    if not members:
        return
    who = and_more(f"{m.client} at {m.host}" + (f" ({in_short(m.assigned)})" if m.assigned else "") for m in members)
    count = many(len(members), "active member") + (f" on {reading}" if reading else "")
    raise KafkactlError(
        f"Nothing was changed: {group} has {count}; "
        f"{'they' if len(members) > 1 else 'it'} would overwrite the new offsets.",
        where=f"{'Members' if len(members) > 1 else 'Member'}: {who}.",
        hint=f"Stop {'them' if len(members) > 1 else 'it'}, then check: {kafkactl('groups describe', group).text}",
    )


def carry_out(kafka: Cluster, asked: Asked, changes: Sequence[OffsetChange]) -> None:
    """Show, ask, save, apply, verify. Raises UsageError if the user does not agree, KafkactlError if it fails."""
    todo = [change for change in changes if any(move.changes for move in change.moves) or not change.moves]
    if not asked.json:
        for change in changes:
            show_plan(change)
    if asked.dry_run or not todo:
        if asked.json:
            output.document("groups-change", change_document(kafka, changes, [], dry_run=asked.dry_run))
        output.note(
            "\nDry run: nothing was changed." if asked.dry_run else "\nNothing to do: the offsets are already there."
        )
        return
    consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, "move offsets of its groups")
    if not asked.yes and not consent.agrees(f"\n{_question(todo)} on {asked.target.connection.label}. Proceed?"):
        raise UsageError("Nothing was changed.", hint="To agree in advance: --yes")
    paths = [_do(kafka, asked, change) for change in todo]
    if asked.json:
        output.document("groups-change", change_document(kafka, changes, paths, dry_run=False))


def _question(todo: Sequence[OffsetChange]) -> str:
    again = sum(move.again or 0 for change in todo for move in change.moves)
    skipped = sum(move.skipped or 0 for change in todo for move in change.moves)
    effects = [f"{again:,} to be read again" if again else "", f"{skipped:,} skipped" if skipped else ""]
    said = ", ".join(effect for effect in effects if effect)
    listed = and_more(change.group for change in todo)
    return f"{listed}: {todo[0].words}{f' ({said})' if said else ''}"


def _do(kafka: Cluster, asked: Asked, change: OffsetChange) -> str:
    """Apply one change; returns the path of the offsets saved before."""
    from kafkactl.groups import journal
    from kafkactl.groups.journal import Saved

    offsets = {move.place: move.old for move in change.moves if move.changes}
    path = journal.keep(Saved(change.group, kafka.info.id, int(time.time() * 1000), offsets, change.words))
    change.act()
    _verify(kafka, change)
    moved = sum(move.changes for move in change.moves)
    undo = with_flags(kafkactl("groups undo", change.group), asked.target.flags)
    output.note(
        f"\nDone. {change.group}: {change.words}, {many(moved, 'partition')}.\n"
        f"  To undo: {undo.text}\n  Old offsets: {path}"
    )
    return str(path)


def _verify(kafka: Cluster, change: OffsetChange) -> None:
    """Read back what was written. Raises KafkactlError if it is not there."""
    from kafkactl.groups.fetch import read_standing

    wanted = {move.place: move.new for move in change.moves if move.changes}
    found = {p.place: p.committed for p in read_standing(kafka, change.group, wanted)}
    wrong = [place for place, offset in wanted.items() if found[place] != offset]
    if wrong:
        stands = "no commit" if found[wrong[0]] is None else f"{found[wrong[0]]:,}"
        raise KafkactlError(
            f"{change.group} has {stands} in {wrong[0]} right after the change: another client commits there.",
            hint=f"See: {kafkactl('groups describe', change.group).text}",
        )


def show_plan(change: OffsetChange) -> None:
    """The plan, partition by partition."""
    output.say(f"{output.style().paint(plain(change.group), 'bold')} · {plain(change.words)}")
    if not change.moves:
        output.say("  no committed offsets")
        return
    columns = [
        Column("PARTITION"),
        Column("FROM", True),
        Column("TO", True),
        Column("AGAIN", True),
        Column("SKIPPED", True),
    ]
    noted = any(move.note for move in change.moves)
    output.table([*columns, *([Column("")] if noted else [])], [_cells(move, noted) for move in change.moves])


def _cells(move: Move, noted: bool) -> list[Cell]:
    to: Cell = move.new if move.changes else output.Coloured("unchanged", "dim")
    if move.new is None and move.changes:
        to = "no commit"
    return [str(move.place), move.old, to, move.again, move.skipped, *([move.note] if noted else [])]


def change_document(
    kafka: Cluster, changes: Sequence[OffsetChange], paths: Sequence[str], *, dry_run: bool
) -> dict[str, Any]:
    """The plan and what was done, as JSON."""
    return {
        "cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)},
        "dry_run": dry_run,
        "done": bool(paths),
        "saved": list(paths),
        "groups": [
            {
                "group": change.group,
                "change": change.words,
                "partitions": [
                    {
                        "topic": move.topic,
                        "partition": move.partition,
                        "from": move.old,
                        "to": move.new,
                        "read_again": move.again,
                        "skipped": move.skipped,
                        "note": move.note or None,
                    }
                    for move in change.moves
                ],
            }
            for change in changes
        ],
    }
