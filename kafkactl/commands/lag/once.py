"""One look at the groups: what is read, judged, and said in an exit code."""

from dataclasses import dataclass

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster, connect
from kafkactl.errors import ExitCode, KafkactlError
from kafkactl.groups.fetch import Scope, group_filter, topic_filter
from kafkactl.groups.observation import Observation
from kafkactl.groups.report import Report, make_report
from kafkactl.groups.sampling import observe
from kafkactl.settings import Target
from kafkactl.view import group_table, lag_report, output
from kafkactl.view.output import LagFormat


@dataclass(frozen=True)
class LagOptions:
    """What to look at and how to show it, as the user typed it. `narrowed`: the environment named the groups."""

    groups: tuple[str, ...]
    topics: tuple[str, ...]
    narrowed: bool
    threshold: int | None
    sample: float  # seconds
    partitions: bool
    show: LagFormat


def show_lag(target: Target, wish: LagOptions) -> ExitCode:
    """Look once, or twice so far apart, and show it. Raises KafkactlError for a group or topic that is not there."""
    kafka = connect(target.connection)
    chosen = scope(kafka, target.catalog, wish)
    if wish.show is LagFormat.TABLE:
        tell_narrowed(wish)
        if wish.sample:
            output.pending(f"  …   looking at the groups for {wish.sample:g} s")
    observed = observe(kafka, wish.sample, scope=chosen, times=True)
    if wish.show is LagFormat.TABLE:
        output.pending("")
    found = judged_report(observed, target.catalog, wish)
    lag_report.show_report(
        found, kafka.info, kafka.connection.brokers, wish.show, target.flags, partitions=wish.partitions
    )
    group_table.warn_of_gaps(found.gaps)
    return lag_exit_code(found)


def scope(kafka: Cluster, catalog: Catalog | None, wish: LagOptions) -> Scope:
    """The groups and topics that are meant. Raises KafkactlError."""
    try:
        groups = group_filter(kafka, wish.groups) if wish.groups else None
    except KafkactlError as error:
        raise (_declared(error, catalog, wish) if catalog else error) from None
    return Scope(groups, topic_filter(kafka, wish.topics) if wish.topics else None)


def _declared(error: KafkactlError, catalog: Catalog, wish: LagOptions) -> KafkactlError:
    """The error of a group that is not there, with what topics.yaml says of it."""
    for name in wish.groups:
        read = [t for t, topic in catalog.topics.items() if name in {catalog.service(c).group for c in topic.consumers}]
        if read and f" {name} on " in error.message:
            error.where = f"It is declared to read {read[0]}, and is there once its first consumer starts."
    return error


def tell_narrowed(wish: LagOptions) -> None:
    """Say where the environment, and nobody's typing, says which groups are looked at."""
    if wish.narrowed:
        output.note(f"KAFKA_CONSUMER_GROUP says: only {', '.join(wish.groups)}. All groups: kafkactl lag '*'")


def judged_report(observed: Observation, catalog: Catalog | None, wish: LagOptions) -> Report:
    """What was seen, as it is told; declared consumers without a group only where all groups were looked at."""
    return make_report(observed, catalog, wish.threshold, everything=not wish.groups and not wish.topics)


def lag_exit_code(found: Report) -> ExitCode:
    """1 where something is wrong, 3 where that is not known, for not everybody answered."""
    if any(line.level == "error" for line in found.lines):
        return ExitCode.FOUND
    return ExitCode.UNREACHABLE if found.gaps else ExitCode.OK
