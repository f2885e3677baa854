"""How checked events are shown: a line for each topic, and below it one for each kind of problem."""

from collections.abc import Sequence
from typing import Any

from kafkactl.contracts.event_tally import EXACT_IDS, EventProblem, EventTally
from kafkactl.text.words import many
from kafkactl.view import cases, output
from kafkactl.view.cases import Case
from kafkactl.view.formats import ReportFormat
from kafkactl.view.output import Coloured, Column

_MOST = 20  # problems of a topic


def show_tallies(tallies: Sequence[EventTally], show: ReportFormat, gaps: Sequence[str]) -> None:
    """Show what was found, and what could not be read, in one of the formats of commands that judge."""
    match show:
        case ReportFormat.JSON:
            topics = [_document(tally) for tally in tallies]
            output.document("events-check", {"complete": not gaps, "gaps": list(gaps), "topics": topics})
        case ReportFormat.JUNIT:
            cases.junit("events check", _cases(tallies, gaps))
        case ReportFormat.GITHUB:
            cases.github("events check", _cases(tallies, gaps))
        case _:
            _table(tallies)


def _table(tallies: Sequence[EventTally]) -> None:
    columns = [Column("TOPIC"), Column("CONTRACT"), Column("RECORDS", True), Column("VALID", True)]
    columns += [Column("INVALID", True), Column("TOMBSTONES", True), Column("CAME BEFORE", True)]
    rows: list[list[output.Cell]] = []
    for tally in tallies:
        invalid = Coloured(f"{tally.invalid:,}", "red") if tally.invalid else tally.invalid
        about = "about " if tally.seen.approximate and tally.repeated else ""
        again = f"{about}{tally.repeated:,}"
        rows.append([tally.topic, tally.contract.name, tally.read, tally.valid, invalid, tally.tombstones, again])
    output.table(columns, rows)
    for tally in tallies:
        _problems(tally)
        if tally.seen.approximate:
            output.note(
                f"{tally.topic}: the first {EXACT_IDS:,} event_ids are known exactly; of those that came before, "
                f"about {round(tally.seen.by_chance):,} only seem so."
            )


def _problems(tally: EventTally) -> None:
    found = [*_worst(tally), *sorted(tally.again.values(), key=lambda p: -p.count)]
    if not found:
        return
    output.say(f"\n{output.style().paint(tally.topic, 'bold')}")
    rows: list[list[output.Cell]] = [[p.count, p.violation.text, _place(tally, p)] for p in found[:_MOST]]
    output.table([Column("RECORDS", True), Column("WHAT"), Column("FIRST AT")], rows)
    if len(found) > _MOST:
        output.say(f"  and {many(len(found) - _MOST, 'more kind')}")


def _worst(tally: EventTally) -> list[EventProblem]:
    return sorted(tally.problems.values(), key=lambda problem: (-problem.count, problem.violation.path))


def _place(tally: EventTally, problem: EventProblem) -> str:
    return f"{tally.topic}[{problem.partition}]@{problem.offset}"


def _cases(tallies: Sequence[EventTally], gaps: Sequence[str]) -> list[Case]:
    return [*map(_case, tallies), *(Case("incomplete answer", "error", gap) for gap in gaps)]


def _case(tally: EventTally) -> Case:
    if not tally.invalid:
        return Case(tally.topic, "ok", f"{many(tally.valid, 'event')} valid")
    worst = [f"{p.violation.text} ({p.count:,}, first at {_place(tally, p)})" for p in _worst(tally)[:_MOST]]
    return Case(tally.topic, "error", f"{tally.invalid:,} of {many(tally.read, 'event')} invalid: {'; '.join(worst)}")


def _document(tally: EventTally) -> dict[str, Any]:
    return {
        "topic": tally.topic,
        "contract": tally.contract.name,
        "records": tally.read,
        "valid": tally.valid,
        "invalid": tally.invalid,
        "tombstones": tally.tombstones,
        "came_before": {kind: problem.count for kind, problem in tally.again.items()},
        "came_before_first": {kind: _first(problem) for kind, problem in tally.again.items()},
        "came_before_by_chance": round(tally.seen.by_chance),
        "came_before_approximate": tally.seen.approximate,
        "problems": [
            {
                "path": problem.violation.path,
                "reason": problem.violation.reason,
                "records": problem.count,
                "first": _first(problem),
            }
            for problem in _worst(tally)
        ],
    }


def _first(problem: EventProblem) -> dict[str, int]:
    return {"partition": problem.partition, "offset": problem.offset}
