"""How groups and their verdicts are shown: by lag, and by describe --groups."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kafkactl.groups.advice import advice
from kafkactl.groups.lag import behind
from kafkactl.groups.model import Group, Member
from kafkactl.groups.reasons import reason, word
from kafkactl.groups.report import GroupLine
from kafkactl.groups.speed import COMMIT_INTERVAL
from kafkactl.groups.verdict import ERRORS, PartitionVerdict, Verdict
from kafkactl.text.escapes import plain
from kafkactl.text.words import NAMED, many
from kafkactl.topics import in_short
from kafkactl.view import output
from kafkactl.view.output import Cell, Coloured, Column

if TYPE_CHECKING:
    from kafkactl.cluster.client import Cluster
    from kafkactl.cluster.other_groups import OtherGroup


_COLOURS = {"ok": "", "warning": "yellow", "error": "red"}
_PROBLEMS: frozenset[Verdict] = frozenset({"SLOW", "STALLED", "STOPPED"})


def brief(seconds: float) -> str:
    """A duration in a column: 0s, 12s, 6m 12s, 3h 5m, 4d 2h."""
    whole = int(seconds)
    for (unit, length), (small, part) in (
        (("d", 86_400), ("h", 3_600)),
        (("h", 3_600), ("m", 60)),
        (("m", 60), ("s", 1)),
    ):
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length}{unit} {rest}{small}" if rest else f"{whole // length}{unit}"
    return f"{whole}s"


def warn_of_gaps(gaps: Iterable[str]) -> None:
    """Say what of the groups is not known; the first reasons are enough."""
    for gap in list(gaps)[:NAMED]:
        output.warn(f"incomplete answer: {gap}")


def group_columns(sampled: bool) -> list[Column]:
    """The columns of a line; rates only where there were two looks."""
    rates = [Column("IN/S", True), Column("OUT/S", True), Column("DRAINED", True)] if sampled else []
    return [Column("GROUP"), Column("LAG", True), Column("BEHIND", True), *rates, Column("VERDICT")]


def group_cells(line: GroupLine, sampled: bool) -> list[Cell]:
    """One group as a row under `columns`."""
    judged = line.judged
    rates = _rates(judged.rate_in, judged.rate_out, judged.drained, judged.lag, judged.verdict) if sampled else []
    lag: Cell = f"{'≥ ' if judged.unknown else ''}{judged.lag:,}" if judged.known else None
    return [
        line.group.id,
        Coloured(str(lag), "red") if line.passed else lag,
        behind_cell(line.behind, line.all_known) if judged.known else None,
        *rates,
        verdict_cell(line),
    ]


def behind_cell(seconds: float | None, all_known: bool = True) -> Cell:
    """How far behind; marked as a minimum if some of it is unknown."""
    if seconds is None:
        return None
    return f"{'' if all_known else '≥ '}{brief(seconds)}"


def verdict_cell(line: GroupLine) -> Coloured:
    """The verdict in a word."""
    return Coloured(word(line), _COLOURS[line.level])


def _rates(
    rate_in: float | None, rate_out: float | None, drained: float | None, lag: int | None, verdict: Verdict
) -> list[Cell]:
    # Who keeps up is behind by what it will commit next, at any moment: that is not drained.
    keeps_up = verdict == "OK" and (lag or 0) <= (rate_in or 0) * COMMIT_INTERVAL
    return [_rate(rate_in), _rate(rate_out), None if keeps_up else _drained(drained, lag, verdict)]


def _rate(rate: float | None) -> Cell:
    if rate is None:
        return None
    return f"{rate:,.1f}" if 0 < abs(rate) < 10 else f"{rate:,.0f}"


def _drained(drained: float | None, lag: int | None, verdict: Verdict) -> Cell:
    """The time until nothing waits; never, only where the verdict says so."""
    if not lag or drained is None:
        return None
    if math.isinf(drained):
        return "never" if verdict in _PROBLEMS else None
    return brief(math.ceil(drained))


def coordinator_text(group: Group, kafka: "Cluster") -> str:
    """The broker that keeps a group: its id and address."""
    address = next((broker.address for broker in kafka.info.brokers if broker.id == group.coordinator), "")
    return f"{group.coordinator} {address}".strip() if group.coordinator is not None else "–"


def show_members(group: Group, kafka: "Cluster") -> None:
    """A group's protocol and coordinator, and who is in it."""
    words = [group.state, f"protocol {group.type}", group.assignor and f"assignor {group.assignor}"]
    say_head(group.id, [*words, f"coordinator {coordinator_text(group, kafka)}", group.missing])
    if not group.members:
        output.say("  no members\n")
        return
    output.table(
        [Column("CLIENT"), Column("HOST"), Column("READS"), Column("MEMBER"), Column("INSTANCE")],
        [[m.client, m.host, in_short(m.assigned) or "nothing", m.id, m.instance] for m in group.members],
    )
    output.say()


def show_partitions(line: GroupLine, taken: int, sampled: bool, *, head: bool = True) -> None:
    """One group with all its partitions."""
    group = line.group
    if head:
        say_head(group.id, [group.state, group.type, many(len(group.members), "member")])
    if not group.partitions:
        output.say("  no offsets" if not line.group.partial else "  no offsets in topics that this user may describe")
        return
    output.table(partition_columns(sampled), partition_rows(line, taken, sampled))


def partition_columns(sampled: bool) -> list[Column]:
    """The columns of a partition."""
    figures = ("COMMITTED", "END", "LAG", "BEHIND", *(("IN/S", "OUT/S", "DRAINED") if sampled else ()))
    return [Column("PARTITION"), *(Column(title, True) for title in figures), Column("VERDICT"), Column("OWNER")]


def partition_rows(line: GroupLine, taken: int, sampled: bool) -> list[list[Cell]]:
    """A group's partitions as rows under `partition_columns`."""
    rows: list[list[Cell]] = []
    for facts, judged in zip(line.group.partitions, line.judged.partitions, strict=True):
        rates = _rates(judged.rate_in, judged.rate_out, judged.drained, judged.lag, judged.verdict) if sampled else []
        distance = behind_cell(behind(facts, judged.lag, taken))
        figures = [facts.committed, facts.end, judged.lag, distance, *rates]
        rows.append([str(facts.place), *figures, _word(judged, facts.committed), owner_text(judged.owner)])
    return rows


def say_head(title: str, words: Iterable[str]) -> None:
    """A name in bold, and what goes with it."""
    output.say(" · ".join([output.style().paint(plain(title), "bold"), *(word for word in words if word)]))


def _word(judged: PartitionVerdict, committed: int | None) -> Cell:
    if judged.verdict == "OK":
        return "no commit" if committed is None else "ok"
    colour = "red" if judged.verdict in ERRORS else "yellow"
    return Coloured(judged.verdict.replace("_", " "), colour)


def owner_text(owner: Member | None) -> Cell:
    """Who reads a partition: client, and where from."""
    return f"{owner.client} at {owner.host}" if owner else None


def line_document(line: GroupLine, taken: int, *, partitions: bool) -> dict[str, Any]:
    """A group as JSON; its partitions where asked for."""
    group, judged = line.group, line.judged
    document = {
        "group": group.id,
        **group_document(group),
        "verdict": "REBALANCING" if line.restless else judged.verdict,
        "level": line.level,
        "lag": judged.lag if judged.known else None,
        "partitions_without_lag": judged.unknown,
        "behind_seconds": line.behind if judged.known else None,
        "behind_complete": line.all_known,
        **_rates_document(judged.rate_in, judged.rate_out, judged.drained),
        "reason": reason(line) or None,
        "advice": [output.remedy_document(remedy) for remedy in advice(line)],
        "thresholds_passed": [{"topic": p.topic or None, "lag": p.lag, "threshold": p.limit} for p in line.passed],
    }
    if partitions:
        document["partitions"] = _partition_documents(line, taken)
    return document


def group_document(group: Group) -> dict[str, Any]:
    """What Kafka knows of a group, as JSON, without its offsets."""
    return {
        "state": group.state,
        "type": group.type,
        "assignor": group.assignor or None,
        "coordinator": group.coordinator,
        "missing": group.missing or None,
        "members": [
            {
                "id": member.id,
                "client": member.client,
                "host": member.host,
                "instance": member.instance,
                "assigned": [{"topic": topic, "partition": id} for topic, id in member.assigned],
            }
            for member in group.members
        ],
    }


def other_document(group: "OtherGroup") -> dict[str, Any]:
    """A group that cannot be read, as JSON: what Kafka's list says of it."""
    return {
        "group": group.id,
        "state": group.state,
        "type": group.shown_type,
        "assignor": None,
        "coordinator": None,
        "missing": f"kafkactl cannot read {group.kind}s yet",
        "members": None,
    }


def _rates_document(rate_in: float | None, rate_out: float | None, drained: float | None) -> dict[str, Any]:
    finite = drained is not None and math.isfinite(drained)
    return {
        "in_per_second": rate_in,
        "out_per_second": rate_out,
        "drained_seconds": drained if finite else None,
        "drains": None if drained is None else finite,
    }


def _partition_documents(line: GroupLine, taken: int) -> list[dict[str, Any]]:
    return [
        {
            "topic": facts.topic,
            "partition": facts.id,
            "committed": facts.committed,
            "first_offset": facts.first,
            "end_offset": facts.end,
            "stable_end_offset": facts.stable_end,
            "lag": judged.lag,
            "lost": judged.lost,
            "behind_seconds": behind(facts, judged.lag, taken),
            **_rates_document(judged.rate_in, judged.rate_out, judged.drained),
            "verdict": judged.verdict,
            "owner": judged.owner and _owner_document(judged.owner),
        }
        for facts, judged in zip(line.group.partitions, line.judged.partitions, strict=True)
    ]


def _owner_document(owner: Member) -> dict[str, str]:
    return {"member": owner.id, "client": owner.client, "host": owner.host}
