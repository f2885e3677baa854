"""The pages of describe: the cluster with its topics, single topics, brokers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_brokers, read_topics
from kafkactl.cluster.overview import TopicRow, read_overview
from kafkactl.cluster.visibility import matching_topics
from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.text.units import is_number
from kafkactl.topics import is_glob
from kafkactl.view import cluster_page, output
from kafkactl.view.formats import ListFormat, SortBy
from kafkactl.view.output import say

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog
    from kafkactl.groups.report import Report


def describe_cluster(
    kafka: "Cluster",
    catalog: "Catalog | None",
    show: ListFormat,
    *,
    unhealthy: bool,
    internal: bool,
    order: SortBy | None = None,
    worst_first: bool = False,
) -> ExitCode:
    """Show the cluster and its topics. `worst_first`: where no other order is asked for, unhealthy ones lead."""
    view = read_overview(kafka, catalog.topics if catalog else (), internal=internal)
    lags, gaps = _lags(kafka) if order is SortBy.LAG else (None, [])
    rows = sort_rows([row for row in view.topics if row.state != "ok" or not unhealthy], order, lags or {})
    if order is None and worst_first:
        rows.sort(key=lambda row: row.state == "ok")
    match show:
        case ListFormat.NAME:
            for row in rows:
                if row.live or unhealthy:  # a plain list names only topics that exist
                    say(row.name)
        case ListFormat.JSON:
            output.document("cluster", cluster_page.overview_document(view, rows, catalog is not None, lags))
        case ListFormat.TABLE:
            cluster_page.show_cluster(view)
            cluster_page.show_list(view, rows, catalogued=catalog is not None, unhealthy=unhealthy, lags=lags)
    cluster_page.admit_gaps(view)
    if gaps:
        from kafkactl.view.group_table import warn_of_gaps

        warn_of_gaps(gaps)
    if unhealthy and rows:
        return ExitCode.FOUND
    return ExitCode.UNREACHABLE if view.narrow else ExitCode.OK


def sort_rows(rows: Sequence[TopicRow], order: SortBy | None, lags: Mapping[str, int | None]) -> list[TopicRow]:
    """The rows with the largest first; by name those that are equal, and last those of which it is not known."""

    def figure(row: TopicRow) -> int | None:
        match order:
            case SortBy.SIZE:
                return row.size
            case SortBy.RECORDS:
                return row.span
            case SortBy.LAG:
                return lags.get(row.name)
        return 0

    known = [(figure(row), row) for row in rows]
    return [row for _, row in sorted(known, key=lambda pair: (pair[0] is None, -(pair[0] or 0), pair[1].name))]


def _lags(kafka: Cluster) -> tuple[dict[str, int | None], list[str]]:
    """By topic how many offsets its groups have yet to read, all together; None where that is not known of one."""
    from kafkactl.groups.fetch import read_groups
    from kafkactl.groups.lag import lag_of

    sample = read_groups(kafka)
    found: dict[str, int | None] = {}
    for group in sample.groups:
        for partition in group.partitions:
            lag, before = lag_of(partition), found.get(partition.topic, 0)
            found[partition.topic] = None if lag is None or before is None else before + lag
    return found, sample.gaps()


def describe_topics(
    kafka: "Cluster",
    catalog: "Catalog | None",
    names: list[str],
    show: ListFormat,
    *,
    unhealthy: bool,
    judge_groups: bool = False,
) -> ExitCode:
    from kafkactl.groups.fetch import Committers, groups_by_topic
    from kafkactl.view import group_table, topic_page

    names = _chosen(kafka, names)
    view = read_overview(kafka, catalog.topics if catalog else (), only=names)
    found = {row.name: row for row in view.topics}
    rows = [found[name] for name in names if name in found]
    if unhealthy:
        rows = [row for row in rows if row.state != "ok"]
    listed = Committers({}, {}) if show is ListFormat.NAME else groups_by_topic(kafka, [row.name for row in rows])
    groups = listed.by_topic
    judged = _judged(kafka, catalog, [row.name for row in rows]) if judge_groups else {}
    match show:
        case ListFormat.NAME:
            for row in rows:
                say(row.name)
        case ListFormat.JSON:
            topics = [
                topic_page.topic_document(row, view, catalog, groups[row.name], judged.get(row.name)) for row in rows
            ]
            missing = dict(view.storage.missing)
            missing |= {"groups": "; ".join(listed.missing.values())} if listed.missing else {}
            output.document("topics", {"topics": topics, "missing": missing})
        case ListFormat.TABLE:
            for number, row in enumerate(rows):
                if number:
                    say()
                topic_page.show_topic(row, view, catalog, groups[row.name], complete=not listed.missing)
                if row.name in judged:
                    topic_page.show_judged(judged[row.name])
    cluster_page.admit_gaps(view)
    gaps = dict.fromkeys([*listed.missing.values(), *(gap for report in judged.values() for gap in report.gaps)])
    if show is not ListFormat.NAME:
        group_table.warn_of_gaps(gaps)
    for name in names:
        if name not in found:
            raise _unknown(kafka, catalog, name, view.hidden)
    return ExitCode.FOUND if unhealthy and rows else ExitCode.OK


def _chosen(kafka: Cluster, patterns: list[str]) -> list[str]:
    """The topics of these names and globs, each once. Raises KafkactlError for a glob that matches none."""
    if not any(map(is_glob, patterns)):
        return list(dict.fromkeys(patterns))
    topics = read_topics(kafka, config_of=())
    names: dict[str, None] = {}
    for pattern in patterns:
        names |= dict.fromkeys(matching_topics(kafka, topics, pattern) if is_glob(pattern) else [pattern])
    return list(names)


def _judged(kafka: "Cluster", catalog: "Catalog | None", topics: list[str]) -> dict[str, "Report"]:
    """The groups that read each of these topics, judged by what they read of it; all read in one pass."""
    from kafkactl.groups.fetch import Scope
    from kafkactl.groups.names import NameFilter
    from kafkactl.groups.report import make_report
    from kafkactl.groups.sampling import observe

    seen = observe(kafka, scope=Scope(topics=NameFilter(frozenset(topics))), times=True)
    return {
        topic: make_report(replace(seen, now=seen.now.of_topic(topic)), catalog, None, everything=False)
        for topic in topics
    }


def _unknown(kafka: "Cluster", catalog: "Catalog | None", name: str, hidden: Any) -> KafkactlError:

    if name in hidden:
        return KafkactlError(f"Cannot describe {name} on {kafka.connection.address}: {hidden[name]}.")
    known = read_topics(kafka, config_of=()).found
    declared = (
        ""
        if not catalog or name not in catalog.topics
        else kafkactl("init-topics", options=["--only", name], note="It is declared in topics.yaml. Create it")
    )
    slip = "" if declared else suggest(name, known, quoted=False)
    message = f"There is no topic {name} on {kafka.connection.address}.{slip}"
    return KafkactlError(message, hint=declared or kafkactl("describe", options=["-o", "name"], note="List them"))


def describe_brokers(kafka: "Cluster", names: list[str] | None, show: ListFormat) -> ExitCode:

    known = [broker.id for broker in kafka.info.brokers]
    bad = [name for name in names or () if not is_number(name) or int(name) not in known]
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
            output.document("brokers", {"brokers": [cluster_page.broker_document(entry) for entry in found]})
        case ListFormat.TABLE:
            for number, entry in enumerate(found):
                if number:
                    say()
                cluster_page.show_broker(entry)
    return ExitCode.FOUND if any(entry.why_not for entry in found) else ExitCode.OK
