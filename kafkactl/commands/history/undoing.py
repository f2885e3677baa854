"""history undo: the plan against the present, the question, and the change back."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import typer

from kafkactl import consent
from kafkactl.access.access_plan import AccessChange, AccessPlan
from kafkactl.access.rules import Rule
from kafkactl.carrying_out.access_changes import AccessRun
from kafkactl.carrying_out.offset_changes import carry_out_offsets, refuse_members
from kafkactl.carrying_out.recorded import recorded
from kafkactl.carrying_out.restored_offsets import restoring
from kafkactl.carrying_out.topic_changes import TopicChange, carry_out_topics
from kafkactl.catalog.model import Catalog
from kafkactl.cluster.acls import read_access
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.identity import principals_of
from kafkactl.cluster.metadata import read_topic_ids, read_topics
from kafkactl.commands.history.agreeing import agree_to_later
from kafkactl.commands.history.moving_back import move_back
from kafkactl.consent import Asked
from kafkactl.errors import ExitCode, KafkactlError
from kafkactl.groups.journal import Saved
from kafkactl.history.gathered import gathered
from kafkactl.history.model import HistoryEntry, entry_document
from kafkactl.history.undo import Undo, summary_words, undo_offsets, undo_rules, undo_settings
from kafkactl.plan.differences import Plan, with_topic_ids
from kafkactl.plan.one_topic import plan_one
from kafkactl.text.remedies import with_flags
from kafkactl.text.units import value_text
from kafkactl.text.words import many
from kafkactl.topics import Place
from kafkactl.view import access_page, history_page, output


def take_back(asked: Asked, id: str, *, rate: int | None, later: bool) -> None:
    """Show what it takes, ask, and do it. Raises KafkactlError where nothing of it can be taken back."""
    kafka = connect(asked.target.connection)
    found = gathered(asked.target, kafka)
    entry = found.entry(id)
    if by := history_page.undone(found.entries).get(entry.id):
        output.note(f"{entry.id} was undone already, by {by}.")
    output.note(f"{entry.id}: {summary_words(entry)}, {history_page.when_and_who(entry)}.")
    names = list(dict.fromkeys(step.name for step in entry.done if step.kind in ("config", "override")))
    live = read_topics(kafka, names, config_of=names).found if names else {}
    ids = read_topic_ids(kafka, names)
    plan = undo_settings(entry, live, ids)
    _tell_lasting(asked, plan)
    offsets = undo_offsets(entry)
    if offsets:
        _put_back(kafka, asked, entry, offsets, later=later)
        return
    if any(step.kind == "replicas" for step in entry.done):
        move_back(kafka, asked, entry, rate, later=later)
        return
    if rules := undo_rules(entry):
        _put_rules_back(kafka, asked, entry, rules)
        return
    if not plan.topics:
        if plan.settled:
            output.note("Nothing to do: all that can be taken back is as it was.")
            raise typer.Exit(ExitCode.OK)
        raise KafkactlError(f"Nothing of {entry.id} can be taken back, and nothing was changed.")
    told = [f"{s.name}: {s.key} {value_text(s.key, now) if now is not None else 'default'}" for s, now in plan.later]
    agree_to_later(asked, told, later=later)
    names = [topic.name for topic in plan.topics]

    def look() -> Plan:
        now = read_topics(kafka, names, config_of=names).found
        parts = [plan_one(topic, now[topic.name]) for topic in plan.topics if topic.name in now]
        whole = Plan(tuple(change for part in parts for change in part.changes), names=tuple(names))
        return with_topic_ids(whole, read_topic_ids(kafka, names))

    name = names[0] if len(names) == 1 else many(len(names), "topic")
    carry_out_topics(kafka, asked, TopicChange(name, look, f"Undo {entry.id}", undoes=entry.id))


def _tell_lasting(asked: Asked, plan: Undo) -> None:
    for what, why, instead in plan.lasting:
        output.note(f"Not taken back: {what}: {why}.")
        if instead is not None:
            command = with_flags(instead, asked.target.flags)
            output.note(f"  {command.note or 'Instead'}: {command.text}")


def _put_back(
    kafka: Cluster, asked: Asked, entry: HistoryEntry, offsets: Mapping[str, Mapping[Place, int | None]], *, later: bool
) -> None:
    changes = []
    told: list[str] = []
    afters = {(s.name, s.key): s.after for s in entry.done if s.kind == "offsets"}
    ids = {s.key.rpartition("[")[0]: s.id for s in entry.done if s.kind == "offsets" and s.id}
    for group, places in offsets.items():
        refuse_members(kafka, group)
        words = f"entry {entry.id} of the history"
        change = restoring(kafka, Saved(group, entry.cluster, entry.begun, places, words, ids=ids))
        changes.append(change)
        for move in change.moves:
            after = afters[group, str(move.place)]
            if move.changes and move.old != (None if after is None else int(after)):
                told.append(f"{group} is at {'no commit' if move.old is None else f'{move.old:,}'} in {move.place}")
    agree_to_later(asked, told, later=later)
    carry_out_offsets(kafka, asked, changes, undoes=entry.id)


def _put_rules_back(
    kafka: Cluster, asked: Asked, entry: HistoryEntry, rules: Sequence[tuple[Literal["grant", "revoke"], Rule]]
) -> None:
    """Take changes of access back, as far as they are still so. Raises Exit with 1 where not all of it was done."""
    found = read_access(kafka)
    if found.state != "there":
        raise KafkactlError(f"Nothing was changed: {found.why}.")
    callers = principals_of(kafka.connection.properties)
    changes = []
    for verb, rule in rules:
        if (rule in found.authorizer.rules) is (verb == "revoke"):
            own = verb == "revoke" and rule.principal in callers
            changes.append(AccessChange(verb, rule, impossible="it admits this very client" if own else ""))
    access_page.show_access_plan(AccessPlan(tuple(changes)))
    if asked.dry_run or not changes:
        output.note("Dry run: nothing was changed." if asked.dry_run else "Nothing to do: it is as it was.")
        return
    catalog = asked.target.catalog
    target, addresses = asked.target, kafka.info.addresses
    consent.require_unprotected(target, kafka.info.id, asked.confirm, "change who may do what", addresses)
    if not asked.yes:
        consent.require_yes(f"\nUndo {entry.id} on {target.connection.label}?")
    run = AccessRun(kafka, catalog or Catalog(Path(), {}), None, allowed=True, plan=AccessPlan(tuple(changes)))
    with recorded(target, kafka, run.steps(), undoes=entry.id) as recording:
        try:
            run.make_so()
        finally:
            recording.end(run.steps())
    if asked.json:
        output.document("history-entry", entry_document(recording.entry))
    run.tell(dry_run=False)
    if catalog is not None and catalog.declares_access:
        output.note(f"{catalog.path.name} says who may do what: init-topics makes it so again.")
    raise typer.Exit(ExitCode.OK if run.successful(dry_run=False) else ExitCode.FOUND)
