"""The names of groups: which there are, of which kind, and what is said where there is none of a name."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from confluent_kafka import KafkaError

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import error_text, failure
from kafkactl.cluster.metadata import no_such_topic, read_metadata, read_topics
from kafkactl.cluster.other_groups import OtherGroup, list_other_groups, not_readable
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.text.words import and_more
from kafkactl.topics import is_glob, matches

OFFSETS_TOPIC = "__consumer_offsets"


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
    return {group.group_id for group in listing.valid}, missing


def leaderless(metadata: Any) -> dict[str, str]:
    """Groups live in the partitions of an internal topic; no broker lists those of a partition without a leader."""
    topic = metadata.topics.get(OFFSETS_TOPIC)
    gone = [p.id for p in topic.partitions.values() if p.leader < 0] if topic else []
    if not gone:
        return {}
    known = f"{len(gone)} of its {len(topic.partitions)} partitions"
    return {OFFSETS_TOPIC: f"{known} have no leader, so their groups are unknown"}


def group_filter(cluster: Cluster, wanted: Sequence[str], also: Iterable[str] = ()) -> Callable[[str], bool]:
    """A function that tells whether a group matches one of these names and globs.

    `also` are groups that may be named besides the listed ones. Raises KafkactlError for a pattern that matches no
    group, UnreachableError if that cannot be determined.
    """
    listing = list_group_ids(cluster)
    known = listing.ids | set(also)
    globs = [pattern for pattern in wanted if is_glob(pattern) and pattern not in known]
    for pattern in wanted:
        if pattern in known or (pattern in globs and any(fnmatchcase(name, pattern) for name in known)):
            continue
        raise _not_found(cluster, pattern, listing, "no group that matches" if pattern in globs else "no group")
    exact = frozenset(wanted)
    return lambda name: name in exact or any(fnmatchcase(name, pattern) for pattern in globs)


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


def topic_filter(cluster: Cluster, wanted: Sequence[str]) -> Callable[[str], bool]:
    """A function that tells whether a topic matches one of these names and globs; globs skip Kafka's own topics.

    Raises KafkactlError for one that matches no topic on the cluster.
    """
    topics = read_topics(cluster, [name for name in wanted if not is_glob(name)], config_of=())
    for pattern in wanted:
        if not any(matches(name, pattern) for name in topics.found):
            raise no_such_topic(cluster, pattern, topics, "no topic that matches" if is_glob(pattern) else "no topic")
    return lambda name: any(matches(name, pattern) for pattern in wanted)


def _not_found(cluster: Cluster, name: str, listing: Listing, kind: str = "no group", hint: str = "") -> KafkactlError:
    """Why there is no such group in the list: it is of another kind, it does not exist, or nobody knows."""
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
    error = no_such_group(cluster, name, listing.ids | others.keys(), kind)
    error.where, error.hint = where, hint or error.hint
    return error


def no_such_group(cluster: Cluster, group: str, known: Iterable[str], kind: str = "no group") -> KafkactlError:
    """The error for a group (or what `kind` says, such as a glob) that is not among these."""
    slip = suggest(group, known, quoted=False)
    return KafkactlError(
        f"There is {kind} {group} on {cluster.connection.address}.{slip}",
        hint=kafkactl("groups list", note="List them"),
    )
