"""One run of dlq purge: plan, consent, the file, and only then the deletion."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import typer

from kafkactl import consent
from kafkactl.carrying_out.recorded import recorded
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.deletion import delete_before
from kafkactl.cluster.metadata import read_configs
from kafkactl.commands.dlq.selection import Selection, conditions
from kafkactl.consent import Asked
from kafkactl.deadletters.ledger import LetterLedger, entry_key
from kafkactl.deadletters.ledger_topic import read_ledger
from kafkactl.deadletters.letters import DeadLetterTopic, Letter, Wanted, find_dead_letter_topic, read_letters
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.deadletters.purge_plan import PurgePlan, state_of
from kafkactl.deadletters.sessions import LostError, Replayer
from kafkactl.deadletters.without_transactions import PlainSession
from kafkactl.errors import ExitCode, KafkactlError, NotPermittedError, UsageError
from kafkactl.history.model import Step
from kafkactl.records.record_file import RecordFile
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import many
from kafkactl.topics import Place
from kafkactl.view import output, screen


@dataclass(frozen=True)
class Purge:
    """What to delete, as the user typed it. `pending` ones only if that was agreed to."""

    topic: str
    chosen: Selection
    states: frozenset[str]  # what became of them; empty: whatever did
    pending: bool
    save: Path | None


def purge(asked: Asked, what: Purge) -> None:
    """Show the plan, ask, save, delete, and say what stays and why."""
    kafka = connect(asked.target.connection)
    topic = find_dead_letter_topic(kafka, what.topic)
    _require_deletable(kafka, topic)
    ledger = read_ledger(kafka, topic.id, lambda text: output.note(f"{text}."))
    if ledger.missing:
        raise NotPermittedError(
            f"Nothing was deleted: which dead letters were replayed is not known: {ledger.missing}.",
            hint=kafkactl("whoami", note="To see what this user may do"),
        )
    reading = HeaderReading.of(asked.target.catalog)
    plan = PurgePlan(pending_too=what.pending)
    with conditions(what.chosen) as wanted:
        for letter in _letters(kafka, topic, reading):
            plan.add(letter, ledger.entries.get(letter.spot), wanted=_chosen(what, ledger, wanted, letter))
    plan.close(topic.ends)
    total = plan.deleted.total()
    if not asked.json:
        _show(topic, plan)
    if asked.dry_run or not total:
        _finish(asked, what, plan, None, "Dry run: nothing was deleted." if asked.dry_run else "Nothing was deleted.")
        return
    consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, "delete dead letters", kafka.info.addresses)
    if not asked.yes:
        consent.require_yes(f"\nDelete {many(total, 'dead letter')} of {what.topic}?")
    path = _saved(kafka, topic, reading, plan, what.save)
    failed = _delete(kafka, asked, topic, plan)
    if failed:
        place, why = min(failed.items())
        output.note(f"All {many(total, 'record')} of the plan are saved in {path}.")
        raise KafkactlError(f"Nothing was deleted in {many(len(failed), 'partition')}, such as {place}: {why}.")
    _tidy(kafka, topic, ledger, plan)
    _finish(asked, what, plan, path, f"{many(total, 'dead letter')} deleted; saved in {path}, which only you can read.")


def _require_deletable(kafka: Cluster, topic: DeadLetterTopic) -> None:
    """Raise UsageError where Kafka deletes no records on request: it does only with cleanup.policy delete."""
    config = topic.topic.config if topic.topic.config else read_configs(kafka, [topic.name]).get(topic.name)
    policy = (config or {}).get("cleanup.policy")
    if policy is not None and "delete" not in (policy.value or ""):
        raise UsageError(
            f"{topic.name} has cleanup.policy {policy.value}: Kafka deletes no records of such a topic on request."
        )


def _letters(kafka: Cluster, topic: DeadLetterTopic, reading: HeaderReading) -> Iterator[Letter]:
    read = 0
    with screen.progress(topic.name, topic.span) as show:
        for letters in read_letters(kafka, topic, reading, lambda text: output.note(f"{text}.")):
            yield from letters
            read += len(letters)
            show(read, f"{read:,} of {topic.span:,}")


def _chosen(what: Purge, ledger: LetterLedger, wanted: Wanted, letter: Letter) -> bool:
    state = state_of(ledger.entries.get(letter.spot))
    return (not what.states or state in what.states) and wanted(letter)


def _show(topic: DeadLetterTopic, plan: PurgePlan) -> None:
    output.say(f"{topic.name} · up to {many(topic.span, 'dead letter')}")
    rows: list[list[output.Cell]] = [["deleted", number, state] for state, number in plan.deleted.most_common()]
    rows += [["withheld", plan.withheld, "nothing was done with them yet"]] if plan.withheld else []
    rows += [["stay", plan.behind, "asked for, but behind one that stays"]] if plan.behind else []
    rows += [["stay", plan.kept, "not asked for"]] if plan.kept else []
    if rows:
        output.table([output.Column(""), output.Column("RECORDS", True), output.Column("")], rows)
    for id, (offset, why) in sorted(plan.stops.items()):
        if plan.behind or plan.withheld:
            output.note(f"{topic.name}[{id}]: the first that stays is at offset {offset}: {why}.")


def _saved(kafka: Cluster, topic: DeadLetterTopic, reading: HeaderReading, plan: PurgePlan, path: Path | None) -> Path:
    """The records to be deleted in a file. Raises KafkactlError where they are not all there: nothing is deleted."""
    now = datetime.now().strftime("%Y%m%dT%H%M%S")
    file = RecordFile(path or Path(f"{topic.name[:200]}.purged-{now}.jsonl"))
    try:
        for letter in _letters(kafka, topic, reading):
            if letter.record.offset < plan.cuts.get(letter.record.partition, 0):
                file.add(letter.record)
        file.close()
    except BaseException:
        file.discard()
        raise
    if file.count != plan.deleted.total():
        raise KafkactlError(
            f"Nothing was deleted: {file.path} has {many(file.count, 'record')}, the plan {plan.deleted.total():,}.",
            where="The topic changed meanwhile.",
            hint="Run it again to see a new plan.",
        )
    return file.path


def _delete(kafka: Cluster, asked: Asked, topic: DeadLetterTopic, plan: PurgePlan) -> dict[Place, str]:
    """Delete what the plan says, and note it; the partitions in which that failed, with the reasons."""
    cuts = {Place(topic.name, id): offset for id, offset in plan.cuts.items()}
    steps = [
        Step("trim", topic.name, str(place), str(topic.firsts[place.partition]), str(offset), id=topic.id)
        for place, offset in cuts.items()
    ]
    with recorded(asked.target, kafka, steps) as recording:
        failed = delete_before(kafka, cuts)
        whys = {str(place): why for place, why in failed.items()}
        recording.end(
            [replace(s, fate="failed" if s.key in whys else "done", why=whys.get(s.key, "")) for s in recording.steps]
        )
    return failed


def _tidy(kafka: Cluster, topic: DeadLetterTopic, ledger: LetterLedger, plan: PurgePlan) -> None:
    """Remove the notes about what is gone. Without the right to it they stay until the next replay."""
    if not ledger.exists:
        return
    gone = ledger.expired({**topic.firsts, **plan.cuts})
    if not gone:
        return
    identity = Replayer(topic.id, "", socket.gethostname(), os.getpid(), int(time.time() * 1000))
    with suppress(LostError, KafkactlError):
        session = PlainSession(kafka, identity)
        try:
            session.write(dict.fromkeys(entry_key(topic.id, spot) for spot in gone))
        finally:
            session.close()


def _finish(asked: Asked, what: Purge, plan: PurgePlan, path: Path | None, words: str) -> None:
    """Say what was done. Raises Exit with 1 where something that was asked for stays."""
    if asked.json:
        output.document(
            "dlq-purge",
            {
                "topic": what.topic,
                "dry_run": asked.dry_run,
                "deleted": dict(plan.deleted) if path else {},
                "planned": dict(plan.deleted),
                "withheld_pending": plan.withheld,
                "behind": plan.behind,
                "not_asked_for": plan.kept,
                "file": str(path) if path else None,
            },
        )
    output.note(f"\n{words}" if path is None else words)
    if plan.withheld:
        output.note(f"{many(plan.withheld, 'record')} nothing was done with yet: --allow pending deletes them, too.")
    if plan.withheld and not asked.dry_run:
        raise typer.Exit(ExitCode.FOUND)
