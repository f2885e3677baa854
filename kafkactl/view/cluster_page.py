"""How the cluster, the list of its topics, and its brokers are shown."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from kafkactl.text import words
from kafkactl.text.units import value_text
from kafkactl.text.words import and_more, many
from kafkactl.topics import SOME_TOPICS, ConfigValue, Place
from kafkactl.view import output
from kafkactl.view.output import Column, say

if TYPE_CHECKING:
    from kafkactl.cluster.metadata import BrokerSettings
    from kafkactl.cluster.overview import BrokerRow, Overview, TopicRow


def replication(row: "TopicRow") -> str:
    if row.live is None:
        return ""
    fewest, most = row.live.replication
    return str(fewest) if fewest == most else f"{fewest}–{most}"


def admit_gaps(view: "Overview") -> None:
    """Warn about an incomplete answer."""
    hidden = sum(row.name in view.hidden for row in view.topics)
    if hidden:
        declared = many(hidden, "declared topic is", "declared topics are")
        output.warn(f"incomplete answer: {declared} hidden from this user, or missing")
    if view.partial:
        output.warn(f"incomplete answer: {SOME_TOPICS}")
    if "sizes" in view.storage.missing:
        why = view.storage.missing["sizes"]
        output.warn(f"no sizes on disk: {why}{' (needs Describe on the cluster)' if why == 'no permission' else ''}")
    silent = [row.broker for row in view.brokers if not row.answers]
    for broker in silent:
        output.warn(
            f"broker {broker.id} at {broker.address} does not answer: its sizes and the records it leads are unknown"
        )
    told = {broker.id for broker in silent}
    unknown = [
        Place(row.name, p.id)
        for row in view.topics
        for p in (row.live.partitions if row.live else ())
        if p.leader is not None and p.leader not in told and _no_span(view, Place(row.name, p.id))
    ]
    if unknown:
        leads = "its leader does" if len(unknown) == 1 else "their leaders do"
        output.warn(f"the records of {and_more(unknown, 3)} are unknown: {leads} not answer")


def _no_span(view: "Overview", place: Place) -> bool:
    return place not in view.ranges or view.ranges[place].span is None


def row_document(row: "TopicRow", view: "Overview", catalogued: bool) -> dict[str, Any]:
    live = row.live
    return {
        "name": row.name,
        "exists": None if live is None and row.name in view.hidden else live is not None,
        "declared": row.declared if catalogued else None,
        "health": row.state,
        "reason": None if row.state == "ok" else row.words,
        "replication": replication(row) or None,
        "offsets": row.span,
        # Only where nothing is compacted are these the records (transaction markers among them).
        "records": None if _compacted(row) else row.span,
        "size_bytes": row.size,
        "partitions": [
            {
                "partition": p.id,
                "leader": p.leader,
                "replicas": list(p.replicas),
                "isr": list(p.isr),
                "first_offset": view.ranges[Place(row.name, p.id)].first
                if Place(row.name, p.id) in view.ranges
                else None,
                "end_offset": view.ranges[Place(row.name, p.id)].end if Place(row.name, p.id) in view.ranges else None,
                "size_bytes": view.storage.sizes.get(Place(row.name, p.id)),
            }
            for p in (live.partitions if live else ())
        ],
        "config": {key: _setting_document(value) for key, value in sorted((live.config or {}).items())} if live else {},
    }


def _compacted(row: "TopicRow") -> bool:
    policy = (row.live.config or {}).get("cleanup.policy") if row.live else None
    return policy is not None and "compact" in (policy.value or "")


@cache
def _setting_document(value: ConfigValue) -> dict[str, Any]:
    """A setting, once for all topics that have it so."""
    return {"value": value.value, "default": value.default, "overridden": value.overridden}


def show_cluster(view: "Overview") -> None:
    controller = f"controller {view.controller}" if view.controller is not None else ""
    parts = [f"cluster {view.id}", view.mode, many(len(view.brokers), "broker"), controller]
    say(" · ".join(part for part in parts if part))
    address = max((len(row.broker.address) for row in view.brokers), default=0)
    for row in view.brokers:
        rack = f"rack {row.broker.rack}" if row.broker.rack else ""
        state = "" if row.answers else output.style().paint("does not answer", "red")
        leads = f"{'≥ ' if view.narrow else ''}{row.leads:,}"
        cells = [f"{row.broker.id:>4}", f"{row.broker.address:<{address}}", rack, f"{leads:>5} leaders"]
        say("  ".join(cell for cell in [*cells, _space(row), state] if cell).rstrip())
    say()


def _space(row: "BrokerRow") -> str:
    """What a broker's topics take, and what its log directories' disks have left."""
    if row.disk is None:
        return ""
    free = f", {words.size(row.disk.usable)} free" if row.disk.usable is not None else ""
    return f"{words.size(row.disk.used_by_topics):>8}{free}"


def show_list(
    view: "Overview",
    rows: "Sequence[TopicRow]",
    *,
    catalogued: bool,
    unhealthy: bool,
    lags: Mapping[str, int | None] | None = None,
) -> None:
    """The topics, a line each; with what their groups have yet to read, where `lags` says it."""
    if not rows:
        say(_nothing(view, unhealthy))
        return
    columns = [
        Column("TOPIC"),
        Column("PART", right=True),
        Column("REPL", right=True),
        Column("RETENTION", right=True),
        Column("RECORDS ≤", right=True),
        Column("SIZE", right=True),
        *([Column("LAG", right=True)] if lags is not None else []),
        *([Column("DECL")] if catalogued else []),
        Column("HEALTH"),
    ]
    output.table(columns, [_cells(row, catalogued, lags) for row in rows])


def _nothing(view: "Overview", unhealthy: bool) -> str:
    """That the list is empty: nothing is said of what this user may not see."""
    if not view.narrow:
        return "Every topic is healthy." if unhealthy else "No topics."
    if not any(row.live for row in view.topics):
        return "No topic that this user may describe."
    return "No topic that this user may describe is unhealthy."


def _cells(row: "TopicRow", catalogued: bool, lags: Mapping[str, int | None] | None) -> list[output.Cell]:
    return [
        row.name,
        len(row.live.partitions) if row.live else None,
        replication(row) or None,
        _retention(row) or None,
        row.span,
        words.size(row.size),
        *([lags.get(row.name)] if lags is not None else []),
        *(["yes" if row.declared else "no"] if catalogued else []),
        row.words if row.state == "ok" else output.Coloured(row.words, "red" if row.state == "error" else "yellow"),
    ]


def _retention(row: "TopicRow") -> str:
    config = row.live.config if row.live else None
    if not config or "retention.ms" not in config:
        return ""
    policy = config["cleanup.policy"].value if "cleanup.policy" in config else "delete"
    return "compact" if policy == "compact" else value_text("retention.ms", config["retention.ms"].value)


def overview_document(
    view: "Overview",
    rows: "Sequence[TopicRow]",
    catalogued: bool,
    lags: Mapping[str, int | None] | None = None,
) -> dict[str, Any]:
    """All of it as a document; topics with their lag where `lags` says it."""
    more = {row.name: {"lag": lags.get(row.name)} if lags is not None else {} for row in rows}
    return {
        "cluster": {"id": view.id, "mode": view.mode or None, "controller": view.controller},
        "brokers": [
            {
                "id": row.broker.id,
                "host": row.broker.host,
                "port": row.broker.port,
                "rack": row.broker.rack,
                "leaders": None if view.narrow else row.leads,
                "answers": row.answers,
                "disk_total_bytes": row.disk.total if row.disk else None,
                "disk_usable_bytes": row.disk.usable if row.disk else None,
                "topics_bytes": row.disk.used_by_topics if row.disk else None,
            }
            for row in view.brokers
        ],
        "topics": [{**row_document(row, view, catalogued), **more[row.name]} for row in rows],
        "partial": bool(view.hidden) or view.partial,
        "missing": dict(view.storage.missing),
    }


# What a person asks of a broker first; everything else only where somebody changed it.
_ALWAYS = (
    "listeners",
    "advertised.listeners",
    "process.roles",
    "num.network.threads",
    "num.io.threads",
    "log.dirs",
    "message.max.bytes",
    "queued.max.requests",
    "socket.request.max.bytes",
    "log.cleaner.dedupe.buffer.size",
)


def show_broker(entry: "BrokerSettings") -> None:
    rack = f" · rack {entry.broker.rack}" if entry.broker.rack else ""
    say(f"{output.style().paint(f'broker {entry.broker.id}', 'bold')} · {entry.broker.address}{rack}")
    if entry.why_not:
        say(f"  could not read its settings: {entry.why_not}")
        return
    changed = [name for name, setting in sorted(entry.settings.items()) if setting.changed and name not in _ALWAYS]
    rows: list[list[output.Cell]] = []
    for name in (*(name for name in _ALWAYS if name in entry.settings), *changed):
        setting = entry.settings[name]
        value = "(secret)" if setting.value is None else value_text(name, setting.value)
        rows.append([name, value, "changed" if setting.changed else "default"])
    output.table([Column("SETTING"), Column("VALUE"), Column("SET BY")], rows)


def broker_document(entry: "BrokerSettings") -> dict[str, Any]:
    return {
        "id": entry.broker.id,
        "host": entry.broker.host,
        "port": entry.broker.port,
        "rack": entry.broker.rack,
        "unreadable": entry.why_not or None,
        "settings": {
            name: {"value": setting.value, "changed": setting.changed}
            for name, setting in sorted(entry.settings.items())
        },
    }
