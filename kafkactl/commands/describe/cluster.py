"""The cluster and the list of its topics."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kafkactl import output, words
from kafkactl.catalog.model import Catalog
from kafkactl.commands.describe.row import admit_gaps, replication, row_document
from kafkactl.errors import ExitCode
from kafkactl.output import Column, ListFormat, say
from kafkactl.planview import value_text
from kafkactl.words import many

if TYPE_CHECKING:
    from kafkactl.cluster import Cluster
    from kafkactl.cluster.overview import BrokerRow, Overview, TopicRow


def describe_cluster(
    kafka: "Cluster", catalog: Catalog | None, show: ListFormat, *, unhealthy: bool, internal: bool
) -> ExitCode:
    from kafkactl.cluster.overview import read_overview

    view = read_overview(kafka, catalog.topics if catalog else (), internal=internal)
    rows = [row for row in view.topics if row.state != "ok" or not unhealthy]
    match show:
        case ListFormat.NAME:
            for row in rows:
                if row.live or unhealthy:  # a list of topics is of those that are there
                    say(row.name)
        case ListFormat.JSON:
            output.document("cluster", _overview_document(view, rows, catalog is not None))
        case ListFormat.TABLE:
            _show_cluster(view)
            _show_list(rows, catalogued=catalog is not None, unhealthy=unhealthy)
    admit_gaps(view)
    return ExitCode.FOUND if unhealthy and rows else ExitCode.OK


def _show_cluster(view: "Overview") -> None:
    controller = f"controller {view.controller}" if view.controller is not None else ""
    parts = [f"cluster {view.id}", view.mode, many(len(view.brokers), "broker"), controller]
    say(" · ".join(part for part in parts if part))
    address = max((len(row.broker.address) for row in view.brokers), default=0)
    for row in view.brokers:
        rack = f"rack {row.broker.rack}" if row.broker.rack else ""
        state = "" if row.answers else output.style().paint("does not answer", "red")
        cells = [f"{row.broker.id:>4}", f"{row.broker.address:<{address}}", rack, f"{row.leads:>5,} leaders"]
        say("  ".join(cell for cell in [*cells, _space(row), state] if cell).rstrip())
    say()


def _space(row: "BrokerRow") -> str:
    """What a broker's topics take, and what its log directories' disks have left."""
    if row.disk is None:
        return ""
    free = f", {words.size(row.disk.usable)} free" if row.disk.usable is not None else ""
    return f"{words.size(row.disk.used_by_topics):>8}{free}"


def _show_list(rows: "Sequence[TopicRow]", *, catalogued: bool, unhealthy: bool) -> None:
    if not rows:
        say("Every topic is healthy." if unhealthy else "No topics.")
        return
    columns = [
        Column("TOPIC"),
        Column("PART", right=True),
        Column("REPL", right=True),
        Column("RETENTION", right=True),
        Column("RECORDS", right=True),
        Column("SIZE", right=True),
        *([Column("DECL")] if catalogued else []),
        Column("HEALTH"),
    ]
    output.table(columns, [_cells(row, catalogued) for row in rows])


def _cells(row: "TopicRow", catalogued: bool) -> list[output.Cell]:
    return [
        row.name,
        len(row.live.partitions) if row.live else None,
        replication(row) or None,
        _retention(row) or None,
        row.records,
        words.size(row.size),
        *(["yes" if row.declared else "no"] if catalogued else []),
        row.words if row.state == "ok" else output.Coloured(row.words, "red" if row.state == "error" else "yellow"),
    ]


def _retention(row: "TopicRow") -> str:
    config = row.live.config if row.live else None
    if not config or "retention.ms" not in config:
        return ""
    policy = config["cleanup.policy"].value if "cleanup.policy" in config else "delete"
    return "compact" if policy == "compact" else value_text("retention.ms", config["retention.ms"].value)


def _overview_document(view: "Overview", rows: "Sequence[TopicRow]", catalogued: bool) -> dict[str, Any]:
    return {
        "cluster": {"id": view.id, "mode": view.mode or None, "controller": view.controller},
        "brokers": [
            {
                "id": row.broker.id,
                "host": row.broker.host,
                "port": row.broker.port,
                "rack": row.broker.rack,
                "leaders": row.leads,
                "answers": row.answers,
                "disk_total_bytes": row.disk.total if row.disk else None,
                "disk_usable_bytes": row.disk.usable if row.disk else None,
                "topics_bytes": row.disk.used_by_topics if row.disk else None,
            }
            for row in view.brokers
        ],
        "topics": [row_document(row, view, catalogued) for row in rows],
        "partial": bool(view.hidden),
        "missing": dict(view.storage.missing),
    }
