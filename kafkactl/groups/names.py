"""The names of groups: which there are, of which kind, and what is said where there is none of a name."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from confluent_kafka import KafkaError

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import error_text, failure
from kafkactl.cluster.metadata import read_metadata, read_topics
from kafkactl.cluster.other_groups import OtherGroup, list_other_groups, not_readable
from kafkactl.cluster.visibility import AMONG_VISIBLE, groups_may_hide, hidden_groups, no_such_topic
from kafkactl.errors import KafkactlError, NoGroupError, NotPermittedError, UnreachableError
from kafkactl.known_names import remember_names
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.text.words import and_more
from kafkactl.topics import OFFSETS_TOPIC, beginning, is_glob, is_internal, matches


@dataclass(frozen=True)
class NameFilter:
    """Tells whether a name is one of these, or matches one of these globs; a glob may leave out Kafka's own topics."""

    names: frozenset[str]
    globs: tuple[str, ...] = ()
    internal: bool = True

    @classmethod
    def of(cls, *names: str) -> "NameFilter":
        """Only these very names."""
        return cls(frozenset(names))

    def __call__(self, name: str) -> bool:
        return name in self.names or (
            (self.internal or not is_internal(name)) and any(fnmatchcase(name, glob) for glob in self.globs)
        )


def beginnings(chosen: NameFilter | None) -> list[str]:
    """What names begin with that nobody typed in full; none where only full names were typed."""
    return [""] if chosen is None else [beginning(glob) for glob in chosen.globs]


class Listing(NamedTuple):
    """The groups that the brokers know; and who did not answer, and why: then there may be more."""

    ids: set[str]
    missing: dict[str, str]


def list_group_ids(cluster: Cluster) -> Listing:
    """The names of all groups. Raises KafkactlError where Kafka answers nothing at all."""
    ids, missing = list_answered(cluster)
    return Listing(ids, missing | leaderless(read_metadata(cluster)))


def list_answered(cluster: Cluster) -> tuple[set[str], dict[str, str]]:
    """The groups that the brokers know, and what brokers did not answer. A list creates no offsets topic."""
    until = time.monotonic() + cluster.connection.timeout
    while True:
        listing = cluster.wait(cluster.admin.list_consumer_groups(request_timeout=cluster.connection.timeout))
        # A broker that does not answer raises nothing (library trap 2): an outage would look like "no groups".
        errors = [getattr(error, "args", [error])[0] for error in listing.errors or ()]
        # A broker that has just taken over groups reads them first.
        loading = any(error.code() == KafkaError.COORDINATOR_LOAD_IN_PROGRESS for error in errors)
        if not loading or time.monotonic() > until:
            break
        time.sleep(0.1)
    if errors and not listing.valid:
        raise failure(errors[0], "The list of groups")
    missing = {"list": f"a broker did not list its groups: {error_text(errors[0])}"} if errors else {}
    ids = {group.group_id for group in listing.valid}
    remember_names(cluster.info.id, cluster.connection.brokers, groups=ids)
    return ids, missing


def leaderless(metadata: Any) -> dict[str, str]:
    """Groups live in the partitions of an internal topic; no broker lists those of a partition without a leader."""
    topic = metadata.topics.get(OFFSETS_TOPIC)
    gone = [p.id for p in topic.partitions.values() if p.leader < 0] if topic else []
    if not gone:
        return {}
    known = f"{len(gone)} of its {len(topic.partitions)} partitions"
    return {OFFSETS_TOPIC: f"{known} have no leader, so their groups are unknown"}


def group_filter(cluster: Cluster, wanted: Sequence[str], also: Iterable[str] = ()) -> NameFilter:
    """The groups of these names and globs.

    `also` are groups that may be named besides the listed ones. Raises KafkactlError for a pattern that matches no
    group, UnreachableError if that cannot be determined.
    """
    listing = list_group_ids(cluster)
    known = listing.ids | set(also)
    globs = [pattern for pattern in wanted if is_glob(pattern) and pattern not in known]
    for pattern in wanted:
        if pattern in known or (pattern in globs and any(fnmatchcase(name, pattern) for name in known)):
            continue
        raise _not_found(cluster, pattern, listing, glob=pattern in globs)
    return NameFilter(frozenset(wanted), tuple(globs))


def require_group(cluster: Cluster, name: str, *, hint: str = "") -> None:
    """Raise KafkactlError where there is no group of this very name, UnreachableError where nobody knows."""
    listing = list_group_ids(cluster)
    if name not in listing.ids:
        raise _not_found(cluster, name, listing, hint=hint)


def refuse_other_kind(cluster: Cluster, name: str) -> None:
    """Raise KafkactlError if a group of this name is of a kind that cannot be changed from here, such as share groups.

    Where that cannot be determined nothing is raised: Kafka itself refuses such a change.
    """
    try:
        found = list_other_groups(cluster).get(name)
    except UnreachableError:
        return
    if found:
        raise not_readable(cluster, found, unchanged=True)


def topic_filter(cluster: Cluster, wanted: Sequence[str]) -> NameFilter:
    """The topics of these names and globs; globs skip Kafka's own topics.

    Raises KafkactlError for one that matches no topic on the cluster.
    """
    topics = read_topics(cluster, [name for name in wanted if not is_glob(name)], config_of=())
    for pattern in wanted:
        if not any(matches(name, pattern) for name in topics.found):
            raise no_such_topic(cluster, pattern, topics)
    return NameFilter(frozenset(wanted), tuple(filter(is_glob, wanted)), internal=False)


def _not_found(cluster: Cluster, name: str, listing: Listing, *, glob: bool = False, hint: str = "") -> KafkactlError:
    """Why there is no such group in the list: another kind, no permission, it does not exist, or nobody knows."""
    if not glob and hidden_groups(cluster, [name]):
        return not_visible(name)
    others: Mapping[str, OtherGroup] = {}
    where = ""
    try:
        others = list_other_groups(cluster)
    except UnreachableError as unknown:
        why = unknown.message.rstrip(".")
        where = f"Whether there is a share or streams group of this name could not be determined: {why}."
    if name in others:
        return not_readable(cluster, others[name])
    if matching := [group for group in others.values() if is_glob(name) and fnmatchcase(group.id, name)]:
        named = and_more(f"{group.id} ({group.kind})" for group in matching)
        return KafkactlError(
            f"{name} matches only groups which kafkactl cannot read yet: {named}.",
            hint=kafkactl("groups list", note="List them"),
        )
    if listing.missing:
        why = next(iter(listing.missing.values()))
        return UnreachableError(
            f"Could not determine whether group {name} exists: {why}.", hint=kafkactl("doctor", note="See")
        )
    kind = "no group that matches" if glob else "no group"
    limits = AMONG_VISIBLE if glob and groups_may_hide(cluster, [beginning(name)]) else ""
    error = no_such_group(cluster, name, listing.ids | others.keys(), kind, limits)
    error.where, error.hint = where, hint or error.hint
    return error


def not_visible(group: str) -> KafkactlError:
    """The error for a group that this user may not describe: Kafka does not tell whether it exists."""
    return NotPermittedError(
        f"{group}: no permission for this group, or it does not exist.",
        hint=kafkactl("whoami", note="To see what this user may do"),
    )


def no_such_group(
    cluster: Cluster, group: str, known: Iterable[str], kind: str = "no group", limits: str = ""
) -> KafkactlError:
    """The error for a group (or what `kind` says, such as a glob) that is not among these."""
    slip = suggest(group, known, quoted=False)
    return NoGroupError(
        f"There is {kind} {group} on {cluster.connection.address}{limits}.{slip}",
        hint=kafkactl("groups list", note="List them"),
    )
