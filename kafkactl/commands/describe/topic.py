"""Single topics: partitions, settings, who produces and consumes them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kafkactl import groupview, output, words
from kafkactl.catalog.model import Catalog
from kafkactl.commands.describe.row import admit_gaps, replication, row_document
from kafkactl.errors import ExitCode, KafkactlError
from kafkactl.groups.words import reason
from kafkactl.output import Column, ListFormat, say
from kafkactl.planview import value_text
from kafkactl.words import many

if TYPE_CHECKING:
    from kafkactl.cluster import Cluster
    from kafkactl.cluster.overview import Overview, TopicRow
    from kafkactl.groups.report import Report


def describe_topics(
    kafka: "Cluster",
    catalog: Catalog | None,
    names: list[str],
    show: ListFormat,
    *,
    unhealthy: bool,
    judge_groups: bool = False,
) -> ExitCode:
    from kafkactl.cluster.overview import read_overview
    from kafkactl.groups.facts import groups_by_topic

    view = read_overview(kafka, catalog.topics if catalog else (), only=names)
    found = {row.name: row for row in view.topics}
    rows = [found[name] for name in dict.fromkeys(names) if name in found]
    if unhealthy:
        rows = [row for row in rows if row.state != "ok"]
    groups = groups_by_topic(kafka, [row.name for row in rows]) if rows and show is not ListFormat.NAME else {}
    judged = _judged(kafka, catalog, [row.name for row in rows]) if judge_groups else {}
    match show:
        case ListFormat.NAME:
            for row in rows:
                say(row.name)
        case ListFormat.JSON:
            topics = [
                {
                    **row_document(row, view, catalog is not None),
                    "groups": groups[row.name],
                    **_judged_document(judged.get(row.name)),
                    **_catalogued(row.name, catalog),
                }
                for row in rows
            ]
            output.document("topics", {"topics": topics, "missing": dict(view.storage.missing)})
        case ListFormat.TABLE:
            for number, row in enumerate(rows):
                if number:
                    say()
                _show_topic(row, view, catalog, groups[row.name])
                if row.name in judged:
                    _show_judged(judged[row.name])
    admit_gaps(view)
    for name in names:
        if name not in found:
            raise _unknown(kafka, catalog, name, view.hidden)
    return ExitCode.FOUND if unhealthy and rows else ExitCode.OK


def _judged(kafka: "Cluster", catalog: Catalog | None, topics: list[str]) -> dict[str, "Report"]:
    """The groups that read each of these topics, judged by what they read of it; all of them looked at once."""
    from kafkactl.groups.facts import Scope
    from kafkactl.groups.observe import observe
    from kafkactl.groups.report import report

    seen = observe(kafka, scope=Scope(topics=topics.__contains__), times=True)
    return {
        topic: report(replace(seen, now=seen.now.of_topic(topic)), catalog, None, everything=False) for topic in topics
    }


def _judged_document(found: "Report | None") -> dict[str, Any]:
    if found is None:
        return {}
    lines = [groupview.line_document(line, found.taken, partitions=True) for line in found.lines]
    return {"judged_groups": lines, "groups_complete": not found.gaps}


def _show_judged(found: "Report") -> None:
    say()
    if found.lines:
        columns = [*groupview.columns(sampled=False), Column("")]
        output.table(columns, [[*groupview.cells(line, sampled=False), reason(line)] for line in found.lines])
    else:
        say("No group reads it.")
    for gap in found.gaps[:3]:
        output.warn(f"a partial answer: {gap}")


def _unknown(kafka: "Cluster", catalog: Catalog | None, name: str, hidden: Any) -> KafkactlError:
    from kafkactl.cluster.topics import read_topics
    from kafkactl.suggest import suggest

    if name in hidden:
        return KafkactlError(f"{name} cannot be described on {kafka.connection.address}: {hidden[name]}.")
    known = read_topics(kafka, config_of=()).found
    declared = "" if not catalog or name not in catalog.topics else "It is declared: kafkactl init-topics creates it."
    slip = "" if declared else suggest(name, known, quoted=False)
    message = f"There is no topic {name} on {kafka.connection.address}.{slip}"
    return KafkactlError(message, hint=declared or "List them: kafkactl describe -o name")


def _catalogued(name: str, catalog: Catalog | None) -> dict[str, Any]:
    topic = catalog.topics.get(name) if catalog else None
    if topic is None:
        return {}
    return {
        "description": topic.description,
        "producers": list(topic.producers),
        "consumers": list(topic.consumers),
        "declared_at": str(topic.position),
    }


def _show_topic(row: "TopicRow", view: "Overview", catalog: Catalog | None, groups: list[str]) -> None:
    live = row.live
    assert live is not None
    topic = catalog.topics.get(row.name) if catalog else None
    say(output.style().paint(row.name, "bold") + (f" · {topic.description}" if topic and topic.description else ""))
    facts = [
        many(len(live.partitions), "partition"),
        f"replication {replication(row)}",
        f"{row.records:,} records" if row.records is not None else "records unknown",
        words.size(row.size) if row.size is not None else "size unknown",
        row.words,
    ]
    say("  " + " · ".join(facts))
    if topic:
        say(f"  produced by {_who(topic.producers)}; consumed by {_who(topic.consumers)}")
        say(f"  declared at {topic.position.file}:{topic.position.line}")
    elif catalog:
        say(f"  not declared in {catalog.path}")
    say(f"  groups with commits: {', '.join(groups) or 'none'}")
    say()
    _show_partitions(row, view)
    _show_settings(row, topic.config if topic else {})


def _who(services: Sequence[str]) -> str:
    return ", ".join("every service" if name == "*" else name for name in services) or "nobody"


def _show_partitions(row: "TopicRow", view: "Overview") -> None:
    titles = ("PARTITION", "LEADER", "REPLICAS", "ISR", "FIRST", "END", "RECORDS", "SIZE")
    columns = [Column(title, right=title not in ("REPLICAS", "ISR")) for title in titles]
    rows: list[list[output.Cell]] = []
    for p in row.live.partitions if row.live else ():
        known = view.ranges.get((row.name, p.id))
        size = view.storage.sizes.get((row.name, p.id))
        rows.append([
            p.id, "none" if p.leader is None else p.leader, ",".join(map(str, p.replicas)), ",".join(map(str, p.isr)),
            known.first if known else None, known.end if known else None, known.records if known else None,
            words.size(size),
        ])  # fmt: skip
    output.table(columns, rows)


def _show_settings(row: "TopicRow", declared: Any) -> None:
    config = row.live.config if row.live else {}
    if config is None:
        say("\nIts settings may not be read by this user.")
        return
    names = sorted({key for key, value in config.items() if value.overridden} | set(declared))
    if not names:
        say("\nNo settings of its own.")
        return
    say()
    output.table(
        [Column("SETTING"), Column("VALUE", right=True), Column("DEFAULT", right=True), Column("DECLARED", right=True)],
        [
            [
                key,
                value_text(key, config[key].value) if key in config else None,
                value_text(key, default) if key in config and (default := config[key].default) is not None else None,
                value_text(key, declared[key]) if key in declared else None,
            ]
            for key in names
        ],
    )
