"""The report of lag: one line per group with the worst first, then advice for groups that need action."""

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kafkactl.groups.advice import advice
from kafkactl.groups.reasons import reason, word
from kafkactl.groups.report import Absent, GroupLine, Report
from kafkactl.groups.speed import COMMIT_INTERVAL, LONG_SAMPLE
from kafkactl.text.escapes import plain
from kafkactl.text.remedies import Command, Remedy, kafkactl, with_flags
from kafkactl.text.words import and_more, many
from kafkactl.view import group_table, output
from kafkactl.view.cases import Case, github, junit
from kafkactl.view.formats import LagFormat
from kafkactl.view.output import Cell, Coloured, Column, say

if TYPE_CHECKING:
    from kafkactl.cluster.client import ClusterInfo
    from kafkactl.metrics.model import Family

_WIDEST = 120  # cells; longer lines are hard to read
_ADVISED = 5  # how many groups get individual advice


def show_report(
    found: Report,
    cluster: "ClusterInfo",
    addresses: Sequence[str],
    form: LagFormat,
    flags: Sequence[str],
    *,
    partitions: bool,
) -> None:
    """Show it in the form asked for; `flags` are those that named the cluster."""
    match form:
        case LagFormat.JSON:
            output.document("lag", lag_document(found, cluster.id, addresses, partitions=partitions))
        case LagFormat.JUNIT:
            junit("lag", cases(found))
        case LagFormat.GITHUB:
            github("lag", cases(found))
        case LagFormat.PROMETHEUS:
            prometheus(found, len(cluster.brokers))
        case LagFormat.TABLE:
            show_table(found, partitions=partitions)
            advise(found, flags)
            for change in found.news:
                output.note(f"{change}.")
            output.note(f"\n{lag_summary(found)}" if found.lines or found.absent else "")
            tell_others(found.others, flags)


def tell_others(others: Mapping[str, str], flags: Sequence[str]) -> None:
    """Say how many groups are left out because their kind cannot be read."""
    if not others:
        return
    counts = Counter(others.values())
    kinds = ", ".join(many(number, kind) for kind, number in sorted(counts.items()))
    listed = with_flags(kafkactl("groups list"), flags).text
    output.note(f"Not shown, because kafkactl cannot read them yet: {kinds}. To list them: {listed}")


def show_table(found: Report, *, partitions: bool) -> None:
    """The groups; with `partitions` each with all it reads."""
    sampled = found.seconds > 0
    if partitions and found.lines:
        for number, line in enumerate(found.lines):
            if number:
                output.say()
            group_table.show_partitions(line, found.taken, sampled)
        return
    if not found.lines and not found.absent:
        output.say("No consumer groups." if not found.gaps else "No consumer groups could be read.")
        return
    columns = group_table.group_columns(sampled)
    rows = [group_table.group_cells(line, sampled) for line in found.lines]
    rows += [_absent_cells(entry, len(columns)) for entry in found.absent]
    reasons: list[Cell] = [*map(reason, found.lines), *map(_absent_reason, found.absent)]
    wide = [[*row, why] for row, why in zip(rows, reasons, strict=True)]
    if output.fits([*columns, Column("")], wide):
        columns, rows = [*columns, Column("")], wide
    output.table(columns, rows)


def _absent_cells(entry: Absent, width: int) -> list[Cell]:
    return [entry.group, *[None] * (width - 2), Coloured(entry.kind or "no group", "dim")]


def _absent_reason(entry: Absent) -> str:
    return f"declared to read {and_more(entry.topics)}: {', '.join(entry.services)}"


def advise(found: Report, flags: Sequence[str]) -> None:
    """A paragraph for each group that needs action, up to a limit."""
    told = [(line, remedies) for line in found.lines if (remedies := advice(line))]
    for line, remedies in told[:_ADVISED]:
        output.say()
        output.say(
            f"{output.style().paint(plain(line.group.id), 'bold')}  "
            f"{word(line)}{': ' if reason(line) else ''}{plain(reason(line))}"
        )
        for remedy in remedies:
            _paragraph(with_flags(remedy, flags))
    if len(told) > _ADVISED:
        rest = len(told) - _ADVISED
        shown = with_flags(kafkactl("lag", told[_ADVISED][0].group.id), flags)
        output.say(f"\n{many(rest, 'more group needs', 'more groups need')} attention. The next one: {shown.text}")


def _paragraph(remedy: Remedy) -> None:
    """A remedy: a command stays in one line, whatever its length."""
    if isinstance(remedy, Command):
        output.say(f"    {output.style().paint(plain(remedy.text), 'bold')}")
        return
    room = min(output.width(), _WIDEST) - 2
    for line in textwrap.wrap(plain(remedy.text), room, break_long_words=False, break_on_hyphens=False):
        output.say(f"  {line}")


def lag_summary(found: Report, *, live: bool = False) -> str:
    """A one-line summary: the number of groups, their verdicts, and what a longer sample would show."""
    counts = Counter("ok" if line.judged.verdict == "OK" and not line.restless else word(line) for line in found.lines)
    words = [f"{number:,} {verdict}" for verdict, number in counts.most_common() if verdict != "ok"]
    words += [f"{counts['ok']:,} ok"] if counts["ok"] else []
    passed = sum(bool(line.passed) for line in found.lines)
    parts = [f"{many(len(found.lines), 'group')}: {', '.join(words)}" if words else ""]
    parts += [f"{passed:,} above the threshold"] if passed else []
    missing = sum(not entry.kind for entry in found.absent)
    parts += [f"{missing:,} declared but missing"] if missing else []
    if not any(parts):
        return ""
    said = f"{' · '.join(part for part in parts if part)}."
    if found.lines and not live and not found.seconds:
        said += f" For rates use --sample 35s, for stuck consumers --sample {LONG_SAMPLE}, or --watch."
    elif found.lines and not live and found.seconds <= COMMIT_INTERVAL:
        said += (
            f" To detect stuck consumers, which may commit only every {COMMIT_INTERVAL:.0f} s, "
            f"use --sample {LONG_SAMPLE}."
        )
    return textwrap.fill(said, min(output.width(), _WIDEST), break_long_words=False, break_on_hyphens=False)


def lag_document(found: Report, cluster: str, addresses: Sequence[str], *, partitions: bool) -> dict[str, object]:
    """All of it as JSON."""
    return {
        "cluster": {"id": cluster, "brokers": list(addresses)},
        "taken": datetime.fromtimestamp(found.taken / 1000, UTC).isoformat(timespec="milliseconds"),
        "sample_seconds": found.seconds,
        "complete": not found.gaps,
        "gaps": list(found.gaps),
        "topics_changed": list(found.news),
        "groups": [group_table.line_document(line, found.taken, partitions=partitions) for line in found.lines],
        "absent": [
            {"group": entry.group, "services": list(entry.services), "topics": list(entry.topics)}
            for entry in found.absent
            if not entry.kind
        ],
        "not_readable": [{"group": group, "kind": kind} for group, kind in sorted(found.others.items())],
    }


def cases(found: Report) -> list[Case]:
    """A case a group; and one for what is not known."""
    told = [
        Case(
            line.group.id,
            line.level,
            "; ".join([": ".join(filter(None, [word(line), reason(line)])), _lag_text(line)]),
        )
        for line in found.lines
    ]
    told += [
        Case(
            entry.group,
            "skipped",
            f"{f'a {entry.kind}, which cannot be read' if entry.kind else 'the group does not exist'}; "
            f"{_absent_reason(entry)}",
        )
        for entry in found.absent
    ]
    told += [Case("incomplete answer", "error", gap) for gap in found.gaps]
    return told


def _lag_text(line: GroupLine) -> str:
    if not line.judged.known:
        return "lag not known"
    return f"lag {'at least ' if line.judged.unknown else ''}{line.judged.lag:,}"


def prometheus(found: Report, brokers: int) -> None:
    """Write the metrics. A group without a commit has no series, rather than 0 or the exporter's -1."""
    from kafkactl.metrics.group_families import group_families
    from kafkactl.metrics.model import single

    _metric(single("kafka_brokers", "Brokers in the cluster.", brokers))
    for family in group_families(found):
        _metric(family)


def prometheus_of_letters(pending: Mapping[str, int], *, complete: bool) -> None:
    """Write the metrics of dead letters. What is not known has no series."""
    from kafkactl.metrics.group_families import letter_families

    for family in letter_families(pending, complete=complete):
        _metric(family)


def _metric(family: "Family") -> None:
    series = list(family.series)
    if not series:
        return
    say(f"# HELP {family.name} {family.help}")
    say(f"# TYPE {family.name} gauge")
    for labels, value in series:
        pairs = zip(family.labels, labels, strict=True)
        inside = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in pairs)
        number = "+Inf" if value == math.inf else value
        say(f"{family.name}{{{inside}}} {number}" if inside else f"{family.name} {number}")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
