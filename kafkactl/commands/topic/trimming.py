"""One run of topic trim: the plan, partition by partition, the file, and only then the deletion."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kafkactl import consent
from kafkactl.carrying_out.recorded import recorded
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.deletion import delete_before
from kafkactl.cluster.visibility import require_topic
from kafkactl.consent import Asked
from kafkactl.errors import KafkactlError, UnreachableError, UsageError
from kafkactl.groups.fetch import groups_by_topic, read_commits_of
from kafkactl.history.model import Step, with_fate
from kafkactl.records import span
from kafkactl.records.consume import Reader, as_record, read_until
from kafkactl.records.record_file import RecordFile
from kafkactl.text.words import and_more, many
from kafkactl.topics import LiveTopic, Place
from kafkactl.view import output, screen

_PATIENCE = 30.0  # seconds without any record


@dataclass(frozen=True)
class Trim:
    """What to delete, as it was typed: before a time (ms) or an offset, in these partitions (none: in all of them)."""

    topic: str
    time: int | None
    offset: int | None
    partitions: tuple[int, ...]
    save: Path | None
    unread: bool


@dataclass(frozen=True)
class _Cuts:
    """First and end offset of each partition, and where it is to begin."""

    firsts: Mapping[Place, int]
    ends: Mapping[Place, int]
    cuts: Mapping[Place, int]
    notes: Mapping[Place, str]

    @property
    def offsets(self) -> int:
        return sum(cut - self.firsts[place] for place, cut in self.cuts.items())

    @property
    def todo(self) -> dict[Place, int]:
        return {place: cut for place, cut in self.cuts.items() if cut > self.firsts[place]}


def trim_one(asked: Asked, what: Trim) -> None:
    """Show the plan, ask, save, delete, and say what was done. Raises KafkactlError where not all of it was."""
    kafka = connect(asked.target.connection)
    topic = require_topic(kafka, what.topic)
    _require_deletable(topic)
    plan = _plan(kafka, topic, what)
    unread, gap = _unread(kafka, what.topic, plan)
    if not asked.json:
        _show(plan)
    for group, number in sorted(unread.items()):
        output.note(f"{group} has not read {many(number, 'offset')} of them.")
    if gap:
        output.note(f"Whether other groups have read them is not known: {gap}.")
    if asked.dry_run or not plan.todo:
        _document(asked, what, plan, unread, {}, None)
        output.note("\nDry run: nothing was deleted." if asked.dry_run else "\nNothing to do: no such record is there.")
        return
    consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, "delete records", kafka.info.addresses)
    if unread and not what.unread and not consent.agrees(f"\n{and_more(sorted(unread))} would lose records. Go on?"):
        raise UsageError(
            f"Nothing was deleted: {and_more(sorted(unread))} has not read all of them.",
            hint="To agree in advance: --allow unread --yes",
        )
    if not asked.yes:
        consent.require_yes(f"\nDelete {many(plan.offsets, 'offset')} of {what.topic}?")
    path = _saved(kafka, what, plan) if what.save else None
    failed = _delete(kafka, asked, plan)
    _document(asked, what, plan, unread, failed, path)
    kept = f"; saved in {path}, which only you can read" if path else ""
    done = sum(cut - plan.firsts[place] for place, cut in plan.todo.items() if place not in failed)
    output.note(f"\n{many(done, 'offset')} of {what.topic} deleted{kept}.")
    if failed:
        place, why = min(failed.items())
        raise KafkactlError(f"Nothing was deleted in {many(len(failed), 'partition')}, such as {place}: {why}.")


def _require_deletable(topic: LiveTopic) -> None:
    """Raise UsageError where Kafka deletes no records on request: it does only with cleanup.policy delete."""
    policy = (topic.config or {}).get("cleanup.policy")
    if policy is not None and "delete" not in (policy.value or ""):
        raise UsageError(
            f"{topic.name} has cleanup.policy {policy.value}: Kafka deletes no records of such a topic on request."
        )


def _plan(kafka: Cluster, topic: LiveTopic, what: Trim) -> _Cuts:
    known = {partition.id for partition in topic.partitions}
    if absent := sorted(set(what.partitions) - known):
        raise UsageError(f"Partition {absent[0]} does not exist in {topic.name}.")
    chosen = [Place(topic.name, id) for id in sorted(known) if not what.partitions or id in what.partitions]
    found = span.bounds(kafka, chosen, uncommitted=False)
    if found.silent:
        raise UnreachableError(f"The leader of {min(found.silent)} does not respond.", hint=span.HINT)
    wished = (
        span.at_time(kafka, found.ends, what.time) if what.time is not None else dict.fromkeys(chosen, what.offset or 0)
    )
    cuts = {place: min(max(wished[place], found.firsts[place]), found.ends[place]) for place in chosen}
    notes = {place: f"{wished[place]:,} is beyond the end" for place in chosen if wished[place] > found.ends[place]}
    return _Cuts(found.firsts, found.ends, cuts, notes)


def _unread(kafka: Cluster, topic: str, plan: _Cuts) -> tuple[dict[str, int], str]:
    """How many offsets of those to be deleted each group has not read; and why others are not known, "" if they are."""
    committers = groups_by_topic(kafka, [topic])
    found: dict[str, int] = {}
    for group, commits in read_commits_of(kafka, committers.by_topic[topic]).items():
        behind = sum(max(0, cut - max(commits[p], plan.firsts[p])) for p, cut in plan.todo.items() if p in commits)
        if behind:
            found[group] = behind
    return found, next(iter(committers.missing.values()), "")


def _show(plan: _Cuts) -> None:
    columns = [
        output.Column("PARTITION"),
        output.Column("FIRST", True),
        output.Column("END", True),
        output.Column("NEW FIRST", True),
        output.Column("DELETED", True),
        *([output.Column("")] if plan.notes else []),
    ]
    rows: list[list[output.Cell]] = []
    for place, cut in sorted(plan.cuts.items()):
        first = plan.firsts[place]
        note: list[output.Cell] = [plan.notes.get(place, "")] if plan.notes else []
        rows.append([str(place), first, plan.ends[place], cut, cut - first, *note])
    output.table(columns, rows)


def _saved(kafka: Cluster, what: Trim, plan: _Cuts) -> Path:
    """The records to be deleted in a file. Raises KafkactlError where they could not be read: nothing is deleted."""
    assert what.save is not None
    file = RecordFile(what.save)
    todo = plan.todo
    reader = Reader(kafka, lambda text: output.note(f"{text}."))
    try:
        with screen.progress(what.topic, plan.offsets) as show:
            for messages in read_until(reader, {p: plan.firsts[p] for p in todo}, todo, _PATIENCE):
                for message in messages:
                    file.add(as_record(message))
                show(file.count, f"{file.count:,} saved")
        file.close()
    except BaseException:
        file.discard()
        raise
    finally:
        reader.close()
    output.note(f"{many(file.count, 'record')} saved in {file.path}.")
    return file.path


def _delete(kafka: Cluster, asked: Asked, plan: _Cuts) -> dict[Place, str]:
    """Delete them, and note it; the partitions in which that failed, with the reasons."""
    todo = plan.todo
    steps = {
        place: Step("trim", place.topic, str(place), str(plan.firsts[place]), str(cut)) for place, cut in todo.items()
    }
    with recorded(asked.target, kafka, steps.values()) as recording:
        failed = delete_before(kafka, todo)
        done = with_fate([step for place, step in steps.items() if place not in failed], "done")
        recording.end([*done, *(replace(steps[p], fate="failed", why=why) for p, why in failed.items())])
    return failed


def _document(
    asked: Asked,
    what: Trim,
    plan: _Cuts,
    unread: Mapping[str, int],
    failed: Mapping[Place, str],
    path: Path | None,
) -> None:
    if not asked.json:
        return
    output.document(
        "topic-trim",
        {
            "topic": what.topic,
            "dry_run": asked.dry_run,
            "file": str(path) if path else None,
            "unread_by": dict(sorted(unread.items())),
            "partitions": [
                {
                    "partition": place.partition,
                    "first": plan.firsts[place],
                    "end": plan.ends[place],
                    "new_first": cut,
                    "failed": failed.get(place),
                }
                for place, cut in sorted(plan.cuts.items())
            ],
        },
    )
