"""One run of lag: read the groups, judge them, and derive the exit code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kafkactl.cluster.client import Cluster, connect
from kafkactl.errors import ExitCode, KafkactlError
from kafkactl.groups.fetch import Scope
from kafkactl.groups.names import group_filter, topic_filter
from kafkactl.groups.observation import Observation
from kafkactl.groups.report import Report, make_report
from kafkactl.groups.sampling import observe
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.topics import is_glob
from kafkactl.view import group_table, lag_report, output
from kafkactl.view.formats import LagFormat

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog


@dataclass(frozen=True)
class LagOptions:
    """What to read and how to show it, as the user typed it. `narrowed`: the groups come from the environment."""

    groups: tuple[str, ...]
    topics: tuple[str, ...]
    narrowed: bool
    threshold: int | None
    sample: float  # seconds
    partitions: bool
    show: LagFormat


def show_lag(target: Target, wish: LagOptions) -> ExitCode:
    """Take one sample, or two, and show the result. Raises KafkactlError for a group or topic that does not exist."""
    kafka = connect(target.connection)
    chosen = scope(kafka, target.catalog, wish)
    if wish.show is LagFormat.TABLE:
        tell_narrowed(wish, target.flags)
        if wish.sample:
            output.pending(f"  …   sampling the groups for {wish.sample:g} s")
    observed = observe(kafka, wish.sample, scope=chosen, times=True)
    if wish.show is LagFormat.TABLE:
        output.pending("")
    found = judged_report(observed, target.catalog, wish)
    lag_report.show_report(
        found, kafka.info, kafka.connection.brokers, wish.show, target.flags, partitions=wish.partitions
    )
    if wish.show is LagFormat.PROMETHEUS and not wish.groups and not wish.topics:
        _show_letters(kafka, target.catalog)
    group_table.warn_of_gaps(found.gaps)
    return lag_exit_code(found)


def _show_letters(kafka: Cluster, catalog: "Catalog | None") -> None:
    from kafkactl.deadletters.pending_counts import read_pending

    counts = read_pending(kafka, catalog)
    lag_report.prometheus_of_letters(counts.pending, complete=not counts.missing)
    for reason in counts.missing:
        output.warn(f"dead letters are not counted: {reason}")


def scope(kafka: Cluster, catalog: "Catalog | None", wish: LagOptions) -> Scope:
    """The selected groups and topics. Raises KafkactlError."""
    try:
        groups = group_filter(kafka, wish.groups) if wish.groups else None
    except KafkactlError as error:
        raise (_declared(error, catalog, wish) if catalog else error) from None
    others = not wish.groups or any(map(is_glob, wish.groups))
    return Scope(groups, topic_filter(kafka, wish.topics) if wish.topics else None, others)


def _declared(error: KafkactlError, catalog: "Catalog", wish: LagOptions) -> KafkactlError:
    """The error for a group that does not exist, with what topics.yaml says about it."""
    for name in wish.groups:
        read = [t for t, topic in catalog.topics.items() if name in {catalog.service(c).group for c in topic.consumers}]
        if read and f" {name} on " in error.message:
            error.where = (
                f"topics.yaml declares that it reads {read[0]}; Kafka creates it when its first consumer starts."
            )
    return error


def tell_narrowed(wish: LagOptions, flags: Sequence[str]) -> None:
    """Say so if the environment, not the command line, selects the groups."""
    if wish.narrowed:
        every = with_flags(kafkactl("lag", "*"), flags)
        output.note(f"Showing only {', '.join(wish.groups)} (KAFKA_CONSUMER_GROUP). All groups: {every.text}")


def judged_report(observed: Observation, catalog: "Catalog | None", wish: LagOptions) -> Report:
    """The report; declared consumers without a group are included only if all groups were read."""
    return make_report(observed, catalog, wish.threshold, everything=not wish.groups and not wish.topics)


def lag_exit_code(found: Report) -> ExitCode:
    """1 if something is wrong, 3 if that is unknown because not every broker answered."""
    if any(line.level == "error" for line in found.lines):
        return ExitCode.FOUND
    return ExitCode.UNREACHABLE if found.gaps else ExitCode.OK
