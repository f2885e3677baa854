"""What lag says: a line a group with the worst first, then what to do about those that need something done."""

import textwrap
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kafkactl import groupview, output
from kafkactl.cases import Case, github, junit
from kafkactl.cluster import Cluster
from kafkactl.commands.lag import LagFormat
from kafkactl.commands.lag.prometheus import prometheus
from kafkactl.doctor.remedies import split, with_flags
from kafkactl.escapes import plain
from kafkactl.groups.advice import advice
from kafkactl.groups.report import Absent, Report
from kafkactl.groups.verdict import COMMIT_INTERVAL
from kafkactl.groups.words import reason, word
from kafkactl.output import Cell, Coloured, Column
from kafkactl.words import and_more, many

if TYPE_CHECKING:
    from kafkactl.commands.lag.run import Wish

_WIDEST = 120  # cells; longer lines are hard to read
_ADVISED = 5  # groups that are advised one by one


def show(found: Report, kafka: Cluster, wish: "Wish") -> None:
    """Show it in the form asked for."""
    match wish.show:
        case LagFormat.JSON:
            output.document("lag", document(found, kafka, partitions=wish.partitions))
        case LagFormat.JUNIT:
            junit("lag", cases(found))
        case LagFormat.GITHUB:
            github(cases(found))
        case LagFormat.PROMETHEUS:
            prometheus(found, len(kafka.info.brokers))
        case LagFormat.TABLE:
            table(found, partitions=wish.partitions)
            advise(found, wish.flags)
            output.note(f"\n{summary(found)}" if found.lines or found.absent else "")


def table(found: Report, *, partitions: bool) -> None:
    """The groups; with `partitions` each with all it reads."""
    sampled = found.seconds > 0
    if partitions and found.lines:
        for number, line in enumerate(found.lines):
            if number:
                output.say()
            groupview.show_partitions(line, found.taken, sampled)
        return
    if not found.lines and not found.absent:
        output.say("No consumer groups." if not found.gaps else "No consumer groups answered.")
        return
    columns = groupview.columns(sampled)
    rows = [groupview.cells(line, sampled) for line in found.lines]
    rows += [_absent_cells(entry, len(columns)) for entry in found.absent]
    reasons: list[Cell] = [*map(reason, found.lines), *map(_absent_reason, found.absent)]
    wide = [[*row, why] for row, why in zip(rows, reasons, strict=True)]
    if output.fits([*columns, Column("")], wide):
        columns, rows = [*columns, Column("")], wide
    output.table(columns, rows)


def _absent_cells(entry: Absent, width: int) -> list[Cell]:
    return [entry.group, *[None] * (width - 2), Coloured("no group", "dim")]


def _absent_reason(entry: Absent) -> str:
    return f"declared: {', '.join(entry.services)} reads {and_more(entry.topics)}"


def advise(found: Report, flags: str) -> None:
    """A paragraph for each group that needs something done, the first ones only."""
    told = [(line, lines) for line in found.lines if (lines := advice(line))]
    for line, lines in told[:_ADVISED]:
        output.say()
        output.say(
            f"{output.style().paint(plain(line.group.id), 'bold')}  "
            f"{word(line)}{': ' if reason(line) else ''}{plain(reason(line))}"
        )
        for text in lines:
            _paragraph(with_flags(text, flags))
    if len(told) > _ADVISED:
        output.say(f"\n{len(told) - _ADVISED:,} more groups need something done: kafkactl lag GROUP")


def _paragraph(text: str) -> None:
    """A remedy: a command stays in one line, whatever its length."""
    command, words = split(text)
    if command:
        output.say(f"    {output.style().paint(plain(command), 'bold')}")
        return
    room = min(output.width(), _WIDEST) - 2
    for line in textwrap.wrap(plain(words), room, break_long_words=False, break_on_hyphens=False):
        output.say(f"  {line}")


def summary(found: Report, *, live: bool = False) -> str:
    """All of it in a line: how many groups, their verdicts, and what so short a look cannot tell."""
    counts = Counter("ok" if line.judged.verdict == "OK" and not line.restless else word(line) for line in found.lines)
    words = [f"{number:,} {verdict}" for verdict, number in counts.most_common() if verdict != "ok"]
    words += [f"{counts['ok']:,} ok"] if counts["ok"] else []
    passed = sum(bool(line.passed) for line in found.lines)
    parts = [f"{many(len(found.lines), 'group')}: {', '.join(words)}" if words else ""]
    parts += [f"{passed:,} above the threshold"] if passed else []
    parts += [f"{len(found.absent):,} declared and not there"] if found.absent else []
    said = f"{' · '.join(part for part in parts if part)}."
    if found.lines and not live and not found.seconds:
        said += " Rates, and who is stuck, take two looks: --sample 35s, or --watch."
    elif found.lines and not live and found.seconds <= COMMIT_INTERVAL:
        said += " A consumer may commit every 30 s: who is stuck takes --sample 35s."
    return textwrap.fill(said, min(output.width(), _WIDEST), break_long_words=False, break_on_hyphens=False)


def document(found: Report, kafka: Cluster, *, partitions: bool) -> dict[str, object]:
    """All of it as JSON."""
    return {
        "cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)},
        "taken": datetime.fromtimestamp(found.taken / 1000, UTC).isoformat(timespec="milliseconds"),
        "sample_seconds": found.seconds,
        "complete": not found.gaps,
        "gaps": list(found.gaps),
        "groups": [groupview.line_document(line, found.taken, partitions=partitions) for line in found.lines],
        "absent": [
            {"group": entry.group, "services": list(entry.services), "topics": list(entry.topics)}
            for entry in found.absent
        ],
    }


def cases(found: Report) -> list[Case]:
    """A case a group; and one for what is not known."""
    told = [
        Case(
            line.group.id,
            line.level,
            f"{word(line)}: {reason(line) or 'all is read'}; lag {line.judged.lag:,}",
        )
        for line in found.lines
    ]
    told += [Case(entry.group, "skipped", f"no such group; {_absent_reason(entry)}") for entry in found.absent]
    told += [Case("partial answer", "error", gap) for gap in found.gaps]
    return told
