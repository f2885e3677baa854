"""How a group is changed: show the plan, ask, save the old offsets, apply, verify, and say how to undo it."""

import time
from collections.abc import Mapping, Sequence

from kafkactl import consent
from kafkactl.carrying_out.offset_plan import GroupResult, OffsetChange, change_document, offset_steps, show_offset_plan
from kafkactl.carrying_out.recorded import recorded
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.cluster.visibility import hidden_groups
from kafkactl.consent import Asked
from kafkactl.errors import KafkactlError, NoGroupError, Terminated, UnreachableError, UsageError
from kafkactl.groups import journal
from kafkactl.groups.fetch import commits_if_any, describe_groups, read_commits
from kafkactl.groups.journal import Outcome, Saved
from kafkactl.groups.names import NameFilter, not_visible, refuse_other_kind
from kafkactl.text.escapes import plain
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.words import and_more, many
from kafkactl.topics import Place, in_short
from kafkactl.view import output


def refuse_members(kafka: Cluster, group: str, *, reading: str = "") -> None:
    """Raise KafkactlError if a group has members (with `reading`: members that read this topic), and name them.

    Raises UnreachableError if that could not be determined. A group that does not exist has no members; a share group,
    and one that this user may not describe, is refused with or without members.
    """
    sample = describe_groups(kafka, NameFilter.of(group))
    found = sample.group(group)
    if found is None:
        if hidden_groups(kafka, [group]):
            raise not_visible(group)
        refuse_other_kind(kafka, group)
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
        hint=kafkactl("groups describe", group, note=f"Stop {'them' if len(members) > 1 else 'it'}, then check"),
    )


def carry_out_offsets(kafka: Cluster, asked: Asked, changes: Sequence[OffsetChange], *, undoes: str = "") -> None:
    """Show, ask, save, apply, verify, group by group; say of each what was done.

    Raises UsageError if the user does not agree, KafkactlError if one of them fails; the others are tried nevertheless,
    unless Kafka does not answer.
    """
    todo = [change for change in changes if any(move.changes for move in change.moves) or change.always]
    results = {change.group: GroupResult() for change in changes}
    if not asked.json:
        for change in changes:
            show_offset_plan(change)
    if asked.dry_run or not todo:
        if asked.json:
            output.document("groups-change", change_document(kafka, changes, results, dry_run=asked.dry_run))
        output.note("\nDry run: nothing was changed." if asked.dry_run else "\nNothing to do: no offset would change.")
        return
    consent.require_unprotected(
        asked.target, kafka.info.id, asked.confirm, "move offsets of its groups", kafka.info.addresses
    )
    _require_saved(todo)
    if not asked.yes:
        consent.require_yes(f"\n{_question(todo)} on {asked.target.connection.label}. Proceed?")
    for change in todo:
        results[change.group] = GroupResult("not tried")
    error: BaseException | None = None
    planned = [step for change in todo for step in offset_steps(change, GroupResult())]
    with recorded(asked.target, kafka, planned, undoes=undoes) as recording:
        try:
            for change in todo:
                results[change.group] = GroupResult("pending")  # a signal may come in the middle
                results[change.group] = result = _do(kafka, asked, change)
                if isinstance(result.error, UnreachableError):
                    break
        except (KeyboardInterrupt, Terminated) as signal:
            error = signal
        finally:
            recording.end([step for change in todo for step in offset_steps(change, results[change.group])])
            if asked.json:
                output.document("groups-change", change_document(kafka, changes, results, dry_run=False))
    _tell_rest(todo, results, error)


def _require_saved(todo: Sequence[OffsetChange]) -> None:
    """Raise UsageError unless the user agrees to lose what cannot be saved: --yes alone does not say so."""
    names = [change.group for change in todo if change.unsaved]
    if names and not consent.agrees(f"\n{and_more(names)}: {UNSAVED}. Delete it nevertheless?"):
        raise UsageError(
            f"Nothing was changed: {UNSAVED}.",
            hint=f"To agree in advance: --allow {_ALLOW_UNSAVED}",
        )


UNSAVED = "commits in topics that this user may not describe cannot be saved, nor restored by undo"
_ALLOW_UNSAVED = "unsaved"


def _tell_rest(todo: Sequence[OffsetChange], results: Mapping[str, GroupResult], signal: BaseException | None) -> None:
    """Raise what went wrong, after a line for each group that was not changed; one group's error says it itself."""
    wrong = [(change.group, results[change.group]) for change in todo if results[change.group].outcome != "done"]
    errors = [result.error for _, result in wrong if result.error]
    if wrong and (len(todo) > 1 or signal is not None):
        for group, result in wrong:
            why = f": {result.error.message}" if result.error else ""
            output.note(f"{_OUTCOMES[result.outcome]} {group}{why}")
        output.note(f"{len(todo) - len(wrong)} of {many(len(todo), 'group')} done.")
    if signal is not None:
        raise signal
    if errors:
        raise errors[-1] if len(todo) == 1 else _not_all(errors)


_OUTCOMES = {
    "done": "Done:",
    "refused": "Not changed:",
    "partly": "Changed in part:",
    "pending": "Could not determine whether it was changed:",
    "planned": "Not changed:",
    "not tried": "Not tried:",
}


def _not_all(errors: Sequence[KafkactlError]) -> KafkactlError:
    """One error for several, of the kind of the last: an outage is one whatever failed before it."""
    kind = UnreachableError if isinstance(errors[-1], UnreachableError) else KafkactlError
    return kind("Not every group was changed.", hint=kafkactl("groups list", note="To see them"))


def _question(todo: Sequence[OffsetChange]) -> str:
    again = sum(move.again or 0 for change in todo for move in change.moves)
    skipped = sum(move.skipped or 0 for change in todo for move in change.moves)
    effects = [f"{again:,} to be read again" if again else "", f"{skipped:,} skipped" if skipped else ""]
    said = ", ".join(effect for effect in effects if effect)
    words = {change.text: ", ".join(plain(c.group) for c in todo if c.text == change.text) for change in todo}
    return f"{'; '.join(f'{groups}: {text}' for text, groups in words.items())}{f' ({said})' if said else ''}"


def _do(kafka: Cluster, asked: Asked, change: OffsetChange) -> GroupResult:
    """Apply one change, as it was shown, and keep what became of it beside the offsets saved before."""
    try:
        _require_as_shown(kafka, change)
        offsets = {move.place: move.old for move in change.moves if move.changes}
        ids = read_topic_ids(kafka, sorted({place.topic for place in offsets}))
        now = int(time.time() * 1000)
        saved = Saved(
            change.group, kafka.info.id, now, offsets, change.words, "pending", ids, change.creates, change.hides
        )
        path = journal.keep(saved) if offsets else None  # else there is nothing that could be put back
    except KafkactlError as error:
        return GroupResult("refused", error=error)
    try:
        change.act()
        failure = None
    except KafkactlError as error:
        failure = error
    outcome, why, wrong = _look_back(kafka, change, failure)
    if path:
        journal.keep_outcome(path, saved, outcome)
    if outcome in ("done", "partly"):
        undo = with_flags(kafkactl("groups undo", change.group), asked.target.flags)
        moved = (
            f", {many(sum(move.changes for move in change.moves), 'partition')}" if path and outcome == "done" else ""
        )
        output.note(f"\n{_OUTCOMES[outcome].rstrip(':')}. {plain(change.group)}: {change.text}{moved}.")
        if outcome == "partly":
            right = [move.place for move in change.moves if move.changes and move.place not in wrong]
            output.note(f"  Changed: {in_short(right) or 'none'}\n  Not changed: {in_short(wrong)}")
        if path:
            output.note(f"  To undo: {undo.text}\n  Old offsets: {path}")
    return GroupResult(outcome, str(path or ""), why, tuple(wrong))


def _require_as_shown(kafka: Cluster, change: OffsetChange) -> None:
    """Raise KafkactlError if the group has moved since the plan was shown: the yes was for another change."""
    shown = {move.place: move.old for move in change.moves}
    found = commits_if_any(kafka, change.group, list(shown)) if shown else {}
    moved = [place for place, offset in shown.items() if found.get(place) != offset]
    if moved:
        raise KafkactlError(
            f"Nothing was changed: {change.group} was at {_commit_text(shown[moved[0]])} in {moved[0]}"
            f" when the plan was shown, and now is at {_commit_text(found.get(moved[0]))}.",
            hint="Run it again to see a new plan.",
        )


def _commit_text(offset: int | None) -> str:
    return "no commit" if offset is None else f"{offset:,}"


def _look_back(
    kafka: Cluster, change: OffsetChange, failure: KafkactlError | None
) -> tuple[Outcome, KafkactlError | None, list[Place]]:
    """What became of a change, by what the group has committed now; the error to end with; what is not as planned."""
    wanted = {move.place: move.new for move in change.moves if move.changes}
    try:
        # A group that was deleted is not asked for.
        stays = any(offset is not None for offset in wanted.values())
        found = (read_commits if stays else _if_there)(kafka, change.group, list(wanted)) if wanted else {}
    except KafkactlError as error:
        if failure is None:  # Kafka acknowledged it
            output.warn(f"{change.group} was changed, but its offsets could not be read back: {error.message}")
            return "done", None, []
        return "pending", failure, []
    wrong = [place for place, offset in wanted.items() if found.get(place) != offset]
    if failure is not None:
        partly = len(wrong) < len(wanted)
        return ("partly" if partly else "refused"), failure, wrong
    if not wrong:
        return "done", None, []
    now = _commit_text(found.get(wrong[0]))
    other = KafkactlError(
        f"{change.group} has {now} in {wrong[0]} right after the change: another client commits there.",
        hint=kafkactl("groups describe", change.group, note="See"),
    )
    return "partly", other, wrong


def _if_there(kafka: Cluster, group: str, places: Sequence[Place]) -> dict[Place, int]:
    """The commits of a group that may be gone."""
    try:
        return read_commits(kafka, group, places)
    except NoGroupError:
        return {}
