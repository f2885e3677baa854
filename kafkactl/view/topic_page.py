"""Single topics: partitions, settings, who produces and consumes them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kafkactl.groups.reasons import reason
from kafkactl.text import words
from kafkactl.text.units import value_text
from kafkactl.text.words import many, up_to
from kafkactl.topics import Place
from kafkactl.view import group_table, output
from kafkactl.view.cluster_page import replication, row_document
from kafkactl.view.output import Column, say

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog
    from kafkactl.cluster.overview import Overview, TopicRow
    from kafkactl.groups.report import Report


def _judged_document(found: "Report | None") -> dict[str, Any]:
    if found is None:
        return {}
    lines = [group_table.line_document(line, found.taken, partitions=True) for line in found.lines]
    return {"judged_groups": lines, "groups_complete": not found.gaps}


def show_judged(found: "Report") -> None:
    say()
    if found.lines:
        columns = [*group_table.group_columns(sampled=False), Column("")]
        output.table(columns, [[*group_table.group_cells(line, sampled=False), reason(line)] for line in found.lines])
    else:
        say("No group that this user may see reads it." if found.gaps else "No group reads it.")


def topic_document(
    row: "TopicRow", view: "Overview", catalog: "Catalog | None", groups: list[str], judged: "Report | None"
) -> dict[str, Any]:
    """A topic as JSON, with what topics.yaml says of it and, where they were asked for, its groups judged."""
    return {
        **row_document(row, view, catalog is not None),
        "groups": groups,
        **_judged_document(judged),
        **_catalogued(row.name, catalog),
    }


def _catalogued(name: str, catalog: "Catalog | None") -> dict[str, Any]:
    topic = catalog.topics.get(name) if catalog else None
    if topic is None:
        return {}
    return {
        "description": topic.description,
        "producers": list(topic.producers),
        "consumers": list(topic.consumers),
        "declared_at": str(topic.position),
    }


def show_topic(
    row: "TopicRow", view: "Overview", catalog: "Catalog | None", groups: list[str], *, complete: bool
) -> None:
    """One topic; `complete`: whether every group could be asked."""
    live = row.live
    assert live is not None
    topic = catalog.topics.get(row.name) if catalog else None
    say(output.style().paint(row.name, "bold") + (f" · {topic.description}" if topic and topic.description else ""))
    facts = [
        many(len(live.partitions), "partition"),
        f"replication {replication(row)}",
        up_to(row.span) if row.span else "no records" if row.span == 0 else "records unknown",
        words.size(row.size) if row.size is not None else "size unknown",
        row.words,
    ]
    say("  " + " · ".join(facts))
    if topic:
        say(f"  produced by {_who(topic.producers)}; consumed by {_who(topic.consumers)}")
        say(f"  declared at {topic.position.file}:{topic.position.line}")
    elif catalog:
        say(f"  not declared in {catalog.path}")
    say(f"  groups with commits: {', '.join(groups) or ('none' if complete else 'not known')}")
    say()
    _show_partitions(row, view)
    _show_settings(row, topic.config if topic else {})


def _who(services: Sequence[str]) -> str:
    return ", ".join("every service" if name == "*" else name for name in services) or "nobody"


def _show_partitions(row: "TopicRow", view: "Overview") -> None:
    titles = ("PARTITION", "LEADER", "REPLICAS", "ISR", "FIRST", "END", "RECORDS ≤", "SIZE")
    columns = [Column(title, right=title not in ("REPLICAS", "ISR")) for title in titles]
    rows: list[list[output.Cell]] = []
    for p in row.live.partitions if row.live else ():
        known = view.ranges.get(Place(row.name, p.id))
        size = view.storage.sizes.get(Place(row.name, p.id))
        rows.append([
            p.id, "none" if p.leader is None else p.leader, ",".join(map(str, p.replicas)), ",".join(map(str, p.isr)),
            known.first if known else None, known.end if known else None, known.span if known else None,
            words.size(size),
        ])  # fmt: skip
    output.table(columns, rows)


def _show_settings(row: "TopicRow", declared: Any) -> None:
    config = row.live.config if row.live else {}
    if config is None:
        say("\nThis user has no permission to read its settings.")
        return
    names = sorted({key for key, value in config.items() if value.overridden} | set(declared))
    if not names:
        say("\nNo topic-level settings.")
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
