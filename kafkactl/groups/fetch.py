"""Reads consumer groups from the cluster. Joins nothing, commits nothing, creates nothing.

Commits are read before the ends of the partitions: the other way round, a group that keeps up would seem to be ahead.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, ConsumerGroupType, KafkaError
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import error_text, failure
from kafkactl.cluster.metadata import no_such_topic, read_metadata, read_topic_ids, read_topics
from kafkactl.cluster.offsets import Range, ranges_of, read_stable_ends
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.groups.model import Group, Member, Partition, Sample, State, Type
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.topics import Identity, Place, is_glob, matches, place_of

_OFFSETS = "__consumer_offsets"
_A_SECOND = 200  # groups that even a busy cluster describes in a second
_STATES: Mapping[Any, State] = {
    ConsumerGroupState.STABLE: "Stable",
    ConsumerGroupState.EMPTY: "Empty",
    ConsumerGroupState.DEAD: "Dead",
    ConsumerGroupState.PREPARING_REBALANCING: "PreparingRebalance",
    ConsumerGroupState.COMPLETING_REBALANCING: "CompletingRebalance",
}
_TYPES: Mapping[Any, Type] = {ConsumerGroupType.CLASSIC: "classic", ConsumerGroupType.CONSUMER: "consumer"}


class Listing(NamedTuple):
    """The groups that the brokers know; and who did not answer, and why: then there may be more."""

    ids: set[str]
    missing: dict[str, str]


class Scope(NamedTuple):
    """Filters by name for groups and for topics; None selects all."""

    groups: Callable[[str], bool] | None = None
    topics: Callable[[str], bool] | None = None


def list_group_ids(cluster: Cluster) -> Listing:
    """The names of all groups. Raises KafkactlError where Kafka answers nothing at all."""
    ids, missing = _list(cluster)
    return Listing(ids, missing | _leaderless(read_metadata(cluster)))


def read_groups(
    cluster: Cluster, scope: Scope | None = None, *, committed: bool = False, identified: bool = False
) -> Sample:
    """The groups that exist; with `committed` the ends of committed transactions, with `identified` the topics, too.

    What does not answer within the connection's timeout is listed in `missing`; the rest is returned. Raises
    KafkactlError if Kafka answers nothing at all.
    """
    scope = scope or Scope()
    metadata = read_metadata(cluster)
    listed, missing = _list(cluster)
    missing |= _leaderless(metadata)
    wanted = sorted(name for name in listed if scope.groups is None or scope.groups(name))
    limit = cluster.connection.timeout + len(wanted) / _A_SECOND
    described = cluster.admin.describe_consumer_groups(wanted, request_timeout=limit) if wanted else {}
    asked = _ask_commits(cluster, wanted, limit)
    taken = int(time.time() * 1000)
    groups = cluster.gather(described, limit=limit)
    commits = cluster.gather(asked, limit=limit)
    members = {group: _members(groups[group]) for group in wanted}
    committed_by = {group: _committed(commits[group]) for group in wanted}
    places = set[Place]().union(*committed_by.values(), *(m.assigned for found in members.values() for m in found))
    if scope.topics is not None:
        chosen = {topic for topic in {topic for topic, _ in places} if scope.topics(topic)}
        places = {place for place in places if place[0] in chosen}
    led = [place for place in places if _has_leader(metadata, place)]
    ranges = ranges_of(cluster, led) if led else {}
    stable = read_stable_ends(cluster, led) if committed and led else {}
    there = {(name, id) for name, topic in metadata.topics.items() for id in topic.partitions}
    ends = _Ends({place: rank for rank, place in enumerate(sorted(places))}, places - there, ranges, stable)
    found = (_group(name, groups[name], commits[name], committed_by[name], members[name], ends) for name in wanted)
    # A group that reads none of the topics asked for is not asked for; of one that did not answer nobody knows.
    shown = tuple(g for g in found if scope.topics is None or g.partitions or g.missing)
    return Sample(taken, shown, missing, _identities(cluster, metadata, places) if identified else {})


def _identities(cluster: Cluster, metadata: Any, places: Iterable[Place]) -> dict[str, Identity]:
    ids = read_topic_ids(cluster, sorted({topic for topic, _ in places} & metadata.topics.keys()))
    return {name: Identity(ids.get(name, ""), len(topic.partitions)) for name, topic in metadata.topics.items()}


def read_commits_of(cluster: Cluster, groups: Sequence[str]) -> dict[str, dict[Place, int]]:
    """What each of these groups has committed; without those that do not answer within the connection's timeout."""
    limit = cluster.connection.timeout
    answers = cluster.gather(_ask_commits(cluster, groups, limit), limit=limit)
    return {group: _committed(answer) for group, answer in answers.items() if not isinstance(answer, KafkaError)}


def describe_groups(cluster: Cluster, groups: Callable[[str], bool] | None = None) -> Sample:
    """As `read_groups`, without any partitions: who is in the groups, and how they are."""
    listed, missing = list_group_ids(cluster)
    wanted = sorted(name for name in listed if groups is None or groups(name))
    limit = cluster.connection.timeout + len(wanted) / _A_SECOND
    described = cluster.admin.describe_consumer_groups(wanted, request_timeout=limit) if wanted else {}
    answers = cluster.gather(described, limit=limit)
    nowhere = _Ends({}, set(), {}, {})
    found = (_group(name, answers[name], None, {}, _members(answers[name]), nowhere) for name in wanted)
    return Sample(int(time.time() * 1000), tuple(found), missing)


def read_standing(cluster: Cluster, group: str, places: Iterable[Place]) -> tuple[Partition, ...]:
    """Where a group, which may be a new one, stands in these partitions, and what they hold.

    Raises UnreachableError if a partition's leader does not answer: a plan needs all of them.
    """
    wanted = sorted(places)
    if not wanted:
        return ()
    committed = commits_if_any(cluster, group, wanted)
    ranges, stable = ranges_of(cluster, wanted), read_stable_ends(cluster, wanted)
    silent = [place for place in wanted if ranges[place].first is None or ranges[place].end is None]
    if silent:
        raise UnreachableError(
            f"Nothing was changed: the leader of {silent[0][0]}[{silent[0][1]}] does not respond.",
            hint=kafkactl("describe", options=["--unhealthy"], note="See"),
        )
    return tuple(
        Partition(*place, committed.get(place), ranges[place].first, ranges[place].end, stable[place])
        for place in wanted
    )


class Committers(NamedTuple):
    """The groups that have commits in each topic; and who could not be asked, and why: then there may be more."""

    by_topic: dict[str, list[str]]
    missing: dict[str, str]


def groups_by_topic(cluster: Cluster, topics: Iterable[str]) -> Committers:
    """The groups that have committed offsets in each of these topics."""
    wanted: dict[str, list[str]] = {topic: [] for topic in topics}
    ids, missing = list_group_ids(cluster)
    groups = sorted(ids)
    limit = cluster.connection.timeout + len(groups) / _A_SECOND
    for group, answer in cluster.gather(_ask_commits(cluster, groups, limit), limit=limit).items():
        if isinstance(answer, KafkaError):
            missing[group] = f"{group}: commits: {error_text(answer)}"
        for topic in {topic for topic, _ in _committed(answer)} & wanted.keys():
            wanted[topic].append(group)
    return Committers(wanted, missing)


def commits_if_any(cluster: Cluster, group: str, places: Sequence[Place]) -> dict[Place, int]:
    """As `read_commits`, of a group which may be a new one; without asking on a cluster where no group ever was."""
    return read_commits(cluster, group, places) if _OFFSETS in read_metadata(cluster).topics else {}


def read_commits(cluster: Cluster, group: str, places: Sequence[Place]) -> dict[Place, int]:
    """The offsets a group has committed in these partitions; without those where it has none.

    Raises KafkactlError if the group does not exist.
    """
    # Where no group ever was, asking for one's coordinator would make Kafka create its offsets topic. A group of a
    # moment ago is not in the list yet, and the topic may be hidden from us: either one is enough.
    if _OFFSETS not in read_metadata(cluster).topics:
        known, _ = _list(cluster)
        if group not in known:
            raise no_such_group(cluster, group, known)
    request = ConsumerGroupTopicPartitions(group, [TP(*place) for place in places])
    return _committed(cluster.wait(cluster.admin.list_consumer_group_offsets([request])[group]))


def no_such_group(cluster: Cluster, group: str, known: Iterable[str], kind: str = "no group") -> KafkactlError:
    """The error for a group (or what `kind` says, such as a glob) that is not among these."""
    slip = suggest(group, known, quoted=False)
    return KafkactlError(
        f"There is {kind} {group} on {cluster.connection.address}.{slip}",
        hint=kafkactl("groups list", note="List them"),
    )


def _list(cluster: Cluster) -> tuple[set[str], dict[str, str]]:
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


def _leaderless(metadata: Any) -> dict[str, str]:
    """Groups live in the partitions of an internal topic; no broker lists those of a partition without a leader."""
    topic = metadata.topics.get(_OFFSETS)
    gone = [p.id for p in topic.partitions.values() if p.leader < 0] if topic else []
    if not gone:
        return {}
    return {
        _OFFSETS: f"{len(gone)} of its {len(topic.partitions)} partitions have no leader, so their groups are unknown"
    }


def _ask_commits(cluster: Cluster, groups: Iterable[str], limit: float) -> dict[str, Any]:
    """The futures of the groups' commits. A request takes one group, but they are all under way at once."""
    return {
        group: cluster.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=limit)[
            group
        ]
        for group in groups
    }


def _committed(answer: Any) -> dict[Place, int]:
    if answer is None or isinstance(answer, KafkaError):
        return {}
    return {
        place_of(tp.topic, tp.partition): tp.offset for tp in answer.topic_partitions if not tp.error and tp.offset >= 0
    }


def _members(description: Any) -> tuple[Member, ...]:
    if isinstance(description, KafkaError):
        return ()
    return tuple(
        Member(
            member.member_id,
            member.client_id,
            member.host.removeprefix("/"),
            member.group_instance_id or None,
            tuple(sorted(Place(tp.topic, tp.partition) for tp in member.assignment.topic_partitions)),
        )
        for member in description.members
    )


def _has_leader(metadata: Any, place: Place) -> bool:
    topic = metadata.topics.get(place[0])
    partition = topic.partitions.get(place[1]) if topic else None
    return partition is not None and partition.leader >= 0


class _Ends(NamedTuple):
    """The partitions that are looked at, in their order, and what their leaders told."""

    places: Mapping[Place, int]
    gone: set[Place]
    ranges: Mapping[Place, Range]
    stable: Mapping[Place, int | None]


def _group(
    name: str,
    description: Any,
    commits: Any,
    committed: Mapping[Place, int],
    members: tuple[Member, ...],
    ends: _Ends,
) -> Group:
    unknown = Range(None, None)
    known = committed.keys() | {place for member in members for place in member.assigned}
    partitions = tuple(
        Partition(
            *place, committed.get(place), found.first, found.end, ends.stable.get(place), None, place in ends.gone
        )
        for place in sorted(ends.places.keys() & known, key=ends.places.__getitem__)
        for found in [ends.ranges.get(place, unknown)]
    )
    missing = "; ".join(
        f"{part}: {error_text(answer)}"
        for part, answer in (("members", description), ("commits", commits))
        if isinstance(answer, KafkaError)
    )
    if isinstance(description, KafkaError):
        return Group(name, "Unknown", partitions=partitions, missing=missing)
    kind = _TYPES.get(description.type, "unknown")
    return Group(
        name,
        _STATES.get(description.state, "Reconciling" if kind == "consumer" else "Unknown"),
        kind,
        description.partition_assignor,
        description.coordinator.id if description.coordinator else None,
        members,
        partitions,
        missing,
    )


def group_filter(cluster: Cluster, wanted: Sequence[str]) -> Callable[[str], bool]:
    """A function that tells whether a group matches one of these names and globs.

    Raises KafkactlError for a pattern that matches no group, UnreachableError if that cannot be determined.
    """
    listing = list_group_ids(cluster)
    globs = [pattern for pattern in wanted if is_glob(pattern) and pattern not in listing.ids]
    for pattern in wanted:
        if pattern in listing.ids or (pattern in globs and any(fnmatchcase(name, pattern) for name in listing.ids)):
            continue
        raise _not_found(cluster, pattern, listing, "no group that matches" if pattern in globs else "no group")
    return lambda name: name in wanted or any(fnmatchcase(name, pattern) for pattern in globs)


def require_group(cluster: Cluster, name: str, *, hint: str = "") -> None:
    """Raise KafkactlError where there is no group of this very name, UnreachableError where nobody knows."""
    listing = list_group_ids(cluster)
    if name not in listing.ids:
        error = _not_found(cluster, name, listing)
        error.hint = hint if hint and not listing.missing else error.hint
        raise error


def topic_filter(cluster: Cluster, wanted: Sequence[str]) -> Callable[[str], bool]:
    """A function that tells whether a topic matches one of these names and globs; globs skip Kafka's own topics.

    Raises KafkactlError for one that matches no topic on the cluster.
    """
    topics = read_topics(cluster, [name for name in wanted if not is_glob(name)], config_of=())
    for pattern in wanted:
        if not any(matches(name, pattern) for name in topics.found):
            raise no_such_topic(cluster, pattern, topics, "no topic that matches" if is_glob(pattern) else "no topic")
    return lambda name: any(matches(name, pattern) for pattern in wanted)


def _not_found(cluster: Cluster, name: str, listing: Listing, kind: str = "no group") -> KafkactlError:
    if listing.missing:
        why = next(iter(listing.missing.values()))
        return UnreachableError(
            f"Could not determine whether group {name} exists: {why}.", hint=kafkactl("doctor", note="See")
        )
    return no_such_group(cluster, name, listing.ids, kind)
