"""kafkactl describe: the cluster, its topics, one topic, a broker."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kafkactl import options, output, settings
from kafkactl.catalog.model import Catalog
from kafkactl.errors import ExitCode, KafkactlError, UnreachableError, UsageError
from kafkactl.output import Column, ListFormat, say
from kafkactl.planview import value_text
from kafkactl.settings import Connection

if TYPE_CHECKING:
    from kafkactl.cluster import Cluster
    from kafkactl.cluster.brokers import BrokerSettings
    from kafkactl.cluster.overview import Overview, TopicRow

_REFRESH = 2.0  # seconds between two looks of --watch


def describe(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC]…", help="Topics to describe; with --broker, broker ids.")
    ] = None,
    unhealthy: Annotated[
        bool, typer.Option("--unhealthy", help="Only what is unhealthy; exit code 1 if there is anything.")
    ] = False,
    broker: Annotated[
        bool, typer.Option("--broker", help="Brokers instead of topics: listeners, threads, changed settings.")
    ] = False,
    internal: Annotated[bool, typer.Option("--internal", help="List Kafka's own topics, too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
    file: options.File = None,
    show: options.ListOutput = ListFormat.TABLE,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Show the cluster and its topics; or a topic's partitions, settings, producers, consumers and groups.

    \b
    Examples:
      kafkactl describe
      kafkactl describe payment.created
      kafkactl describe --unhealthy --watch
      kafkactl describe --broker 1
      kafkactl describe -o name | grep payment
    """
    catalog = settings.open_catalog(file, env, required=False)
    connection = settings.resolve(
        brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
    )

    def look() -> ExitCode:
        from kafkactl import cluster

        kafka = cluster.connect(connection)
        if broker:
            return _brokers(kafka, names, show)
        if names:
            return _topics(kafka, catalog, names, show, unhealthy=unhealthy)
        return _cluster(kafka, catalog, show, unhealthy=unhealthy, internal=internal)

    if watch:
        _watch(look, connection)
    raise typer.Exit(look())


def _watch(look: Callable[[], ExitCode], connection: Connection) -> None:
    """Look again and again, also through a restart of the cluster."""
    import sys

    while True:
        if output.is_terminal(sys.stdout):
            sys.stdout.write("\x1b[H\x1b[2J")
        try:
            look()
        except UnreachableError as error:
            output.note(error.message)
        say(f"\n{time.strftime('%H:%M:%S%z')}  {connection.label}  every {_REFRESH:g} s, Ctrl-C ends")
        sys.stdout.flush()
        time.sleep(_REFRESH)


def _cluster(
    kafka: "Cluster", catalog: Catalog | None, show: ListFormat, *, unhealthy: bool, internal: bool
) -> ExitCode:
    from kafkactl.cluster.overview import read_overview

    view = read_overview(kafka, catalog.topics if catalog else (), internal=internal)
    rows = [row for row in view.topics if row.state != "ok" or not unhealthy]
    match show:
        case ListFormat.NAME:
            for row in rows:
                say(row.name)
        case ListFormat.JSON:
            output.document("cluster", _overview_document(view, rows, catalog is not None))
        case ListFormat.TABLE:
            _show_cluster(view)
            _show_list(rows, catalogued=catalog is not None, unhealthy=unhealthy)
    _admit_gaps(view)
    return ExitCode.FOUND if unhealthy and rows else ExitCode.OK


def _show_cluster(view: "Overview") -> None:
    disks = [row.disk for row in view.brokers if row.disk]
    totals = [disk.total for disk in disks if disk.total is not None]
    usable = [disk.usable for disk in disks if disk.usable is not None]
    space = f"{output.size(sum(usable))} of {output.size(sum(totals))} free" if totals and usable else ""
    controller = f"controller {view.controller}" if view.controller is not None else ""
    parts = [f"cluster {view.id}", view.mode, output.count(len(view.brokers), "broker"), controller, space]
    say(" · ".join(part for part in parts if part))
    address = max(len(row.broker.address) for row in view.brokers)
    for row in view.brokers:
        rack = f"rack {row.broker.rack}" if row.broker.rack else ""
        disk = f"{output.size(row.disk.used_by_topics):>9}" if row.disk else ""
        state = "" if row.answers else output.style().paint("does not answer", "red")
        cells = [
            f"{row.broker.id:>4}",
            f"{row.broker.address:<{address}}",
            rack,
            f"{row.leads:>5,} leaders",
            disk,
            state,
        ]
        say("  ".join(cell for cell in cells if cell).rstrip())
    say()


def _show_list(rows: "Sequence[TopicRow]", *, catalogued: bool, unhealthy: bool) -> None:
    if not rows:
        say("Every topic is healthy." if unhealthy else "No topics.")
        return
    columns = [
        Column("TOPIC"),
        Column("PARTITIONS", right=True),
        Column("REPL", right=True),
        Column("RETENTION", right=True),
        Column("RECORDS", right=True),
        Column("SIZE", right=True),
        *([Column("DECLARED")] if catalogued else []),
        Column("HEALTH"),
    ]
    output.table(columns, [_cells(row, catalogued) for row in rows])


def _cells(row: "TopicRow", catalogued: bool) -> list[output.Cell]:
    return [
        row.name,
        len(row.live.partitions) if row.live else None,
        _replication(row) or None,
        _retention(row) or None,
        row.records,
        output.size(row.size),
        *(["yes" if row.declared else "no"] if catalogued else []),
        row.words,
    ]


def _replication(row: "TopicRow") -> str:
    if row.live is None:
        return ""
    fewest, most = row.live.replication
    return str(fewest) if fewest == most else f"{fewest}–{most}"


def _retention(row: "TopicRow") -> str:
    config = row.live.config if row.live else None
    if not config or "retention.ms" not in config:
        return ""
    policy = config["cleanup.policy"].value if "cleanup.policy" in config else "delete"
    return "compact" if policy == "compact" else value_text("retention.ms", config["retention.ms"].value)


def _admit_gaps(view: "Overview") -> None:
    """A partial answer is called partial."""
    if view.hidden:
        output.warn(
            f"a partial answer: {output.count(len(view.hidden), 'declared topic is', 'declared topics are')} hidden "
            "from this user, and undeclared ones may be, too"
        )
    if "sizes" in view.storage.missing:
        output.warn(f"no sizes on disk: {view.storage.missing['sizes']} (needs Describe on the cluster)")
    silent = [row.broker for row in view.brokers if not row.answers]
    for broker in silent:
        output.warn(f"broker {broker.id} at {broker.address} does not answer: what it leads is not known")


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
        "topics": [_row_document(row, view, catalogued) for row in rows],
        "partial": bool(view.hidden),
        "missing": dict(view.storage.missing),
    }


def _row_document(row: "TopicRow", view: "Overview", catalogued: bool) -> dict[str, Any]:
    live = row.live
    return {
        "name": row.name,
        "exists": live is not None,
        "declared": row.declared if catalogued else None,
        "health": row.state,
        "reason": None if row.state == "ok" else row.words,
        "replication": _replication(row) or None,
        "records": row.records,
        "size_bytes": row.size,
        "partitions": [
            {
                "partition": p.id,
                "leader": p.leader,
                "replicas": list(p.replicas),
                "isr": list(p.isr),
                "first_offset": view.ranges[row.name, p.id].first if (row.name, p.id) in view.ranges else None,
                "end_offset": view.ranges[row.name, p.id].end if (row.name, p.id) in view.ranges else None,
                "size_bytes": view.storage.sizes.get((row.name, p.id)),
            }
            for p in (live.partitions if live else ())
        ],
        "config": {
            key: {"value": value.value, "default": value.default, "overridden": value.overridden}
            for key, value in sorted((live.config or {}).items())
        }
        if live
        else {},
    }


def _topics(
    kafka: "Cluster", catalog: Catalog | None, names: list[str], show: ListFormat, *, unhealthy: bool
) -> ExitCode:
    from kafkactl.cluster.overview import read_overview
    from kafkactl.cluster.topics import read_groups

    view = read_overview(kafka, catalog.topics if catalog else (), only=names)
    found = {row.name: row for row in view.topics}
    rows = [found[name] for name in dict.fromkeys(names) if name in found]
    if unhealthy:
        rows = [row for row in rows if row.state != "ok"]
    groups = read_groups(kafka, [row.name for row in rows]) if rows and show is not ListFormat.NAME else {}
    match show:
        case ListFormat.NAME:
            for row in rows:
                say(row.name)
        case ListFormat.JSON:
            topics = [
                {
                    **_row_document(row, view, catalog is not None),
                    "groups": groups[row.name],
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
    _admit_gaps(view)
    for name in names:
        if name not in found:
            raise _unknown(kafka, catalog, name, view.hidden)
    return ExitCode.FOUND if unhealthy and rows else ExitCode.OK


def _unknown(kafka: "Cluster", catalog: Catalog | None, name: str, hidden: Any) -> KafkactlError:
    from kafkactl.cluster.topics import read_topics
    from kafkactl.suggest import suggest

    if name in hidden:
        return KafkactlError(f"{name} cannot be described on {kafka.connection.address}: {hidden[name]}.")
    known = read_topics(kafka, config_of=()).found
    declared = "" if not catalog or name not in catalog.topics else "It is declared: kafkactl init-topics creates it."
    message = f"There is no topic {name} on {kafka.connection.address}.{'' if declared else suggest(name, known)}"
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
        output.count(len(live.partitions), "partition"),
        f"replication {_replication(row)}",
        f"{row.records:,} records" if row.records is not None else "records unknown",
        output.size(row.size) if row.size is not None else "size unknown",
        row.words,
    ]
    say("  " + " · ".join(facts))
    if topic:
        everyone = [
            ", ".join("every service" if who == "*" else who for who in side) or "nobody"
            for side in (topic.producers, topic.consumers)
        ]
        say(f"  produced by {everyone[0]}; consumed by {everyone[1]} ({topic.position.file}:{topic.position.line})")
    elif catalog:
        say(f"  not declared in {catalog.path}")
    say(f"  groups with commits: {', '.join(groups) or 'none'}")
    say()
    _show_partitions(row, view)
    _show_settings(row, topic.config if topic else {})


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
            output.size(size),
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


def _brokers(kafka: "Cluster", names: list[str] | None, show: ListFormat) -> ExitCode:
    from kafkactl.cluster.brokers import read_brokers

    known = [broker.id for broker in kafka.info.brokers]
    bad = [name for name in names or () if not name.isdigit() or int(name) not in known]
    if bad:
        raise UsageError(
            f"There is no broker {bad[0]} on {kafka.connection.address}.",
            hint=f"Brokers: {', '.join(map(str, known))}",
        )
    found = read_brokers(kafka, [int(name) for name in names] if names else None)
    match show:
        case ListFormat.NAME:
            for entry in found:
                say(str(entry.broker.id))
        case ListFormat.JSON:
            output.document("brokers", {"brokers": [_broker_document(entry) for entry in found]})
        case ListFormat.TABLE:
            for number, entry in enumerate(found):
                if number:
                    say()
                _show_broker(entry)
    return ExitCode.FOUND if any(entry.why_not for entry in found) else ExitCode.OK


def _show_broker(entry: "BrokerSettings") -> None:
    rack = f" · rack {entry.broker.rack}" if entry.broker.rack else ""
    say(f"{output.style().paint(f'broker {entry.broker.id}', 'bold')} · {entry.broker.address}{rack}")
    if entry.why_not:
        say(f"  its settings could not be read: {entry.why_not}")
        return
    changed = [name for name, setting in sorted(entry.settings.items()) if setting.changed and name not in _ALWAYS]
    rows: list[list[output.Cell]] = []
    for name in (*(name for name in _ALWAYS if name in entry.settings), *changed):
        setting = entry.settings[name]
        value = "(secret)" if setting.value is None else value_text(name, setting.value)
        rows.append([name, value, "changed" if setting.changed else "default"])
    output.table([Column("SETTING"), Column("VALUE"), Column("SET BY")], rows)


def _broker_document(entry: "BrokerSettings") -> dict[str, Any]:
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
