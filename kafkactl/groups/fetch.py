"""Reads consumer groups from the cluster. Joins nothing, commits nothing, creates nothing.

Commits are read before the ends of the partitions: the other way round, a group that keeps up would seem to be ahead.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, ConsumerGroupType, KafkaError
from confluent_kafka import TopicPartition as TP

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import error_text
from kafkactl.cluster.metadata import NOT_VISIBLE, read_metadata, read_topic_ids
from kafkactl.cluster.offsets import Range, ranges_of, read_stable_ends
from kafkactl.cluster.other_groups import OtherGroup, list_other_groups
from kafkactl.cluster.visibility import (
    groups_may_hide,
    hidden_groups,
    hidden_topics,
    topics_may_hide,
)
from kafkactl.errors import KafkactlError, NotPermittedError, UnreachableError
from kafkactl.groups.model import Group, Member, Partition, Sample, State, Type
from kafkactl.groups.names import (
    NameFilter,
    beginnings,
    leaderless,
    list_answered,
    list_group_ids,
    no_such_group,
    not_visible,
)
from kafkactl.text.remedies import kafkactl
from kafkactl.topics import OFFSETS_TOPIC, SOME_GROUPS, SOME_TOPICS, Place, TopicIdentity, place_of

_A_SECOND = 200  # groups that even a busy cluster describes in a second
_STATES: Mapping[Any, State] = {
    ConsumerGroupState.STABLE: "Stable",
    ConsumerGroupState.EMPTY: "Empty",
    ConsumerGroupState.DEAD: "Dead",
    ConsumerGroupState.PREPARING_REBALANCING: "PreparingRebalance",
    ConsumerGroupState.COMPLETING_REBALANCING: "CompletingRebalance",
}
_TYPES: Mapping[Any, Type] = {ConsumerGroupType.CLASSIC: "classic", ConsumerGroupType.CONSUMER: "consumer"}


class Scope(NamedTuple):
    """Which groups and topics, by name; None selects all.

    `others`: groups of kinds that cannot be read are looked for, too, where their names pass.
    """

    groups: NameFilter | None = None
    topics: NameFilter | None = None
    others: bool = False


def read_groups(
    cluster: Cluster, scope: Scope | None = None, *, committed: bool = False, identified: bool = False
) -> Sample:
    """The groups that exist; with `committed` the ends of committed transactions, with `identified` the topics, too.

    What does not answer within the connection's timeout is listed in `missing`; the rest is returned. Raises
    KafkactlError if Kafka answers nothing at all.
    """
    scope = scope or Scope(others=True)
    others = cluster.start(list_other_groups, cluster) if scope.others else None
    metadata = read_metadata(cluster)
    listed, missing = list_answered(cluster)
    missing |= leaderless(metadata) | _unlisted(cluster, scope.groups)
    partial = topics_may_hide(cluster, beginnings(scope.topics))
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
    hidden = hidden_topics(cluster, sorted({topic for topic, _ in places} - metadata.topics.keys()))
    gone = {place for place in places - there if place.topic not in hidden}
    ends = _Ends({place: rank for rank, place in enumerate(sorted(places))}, gone, ranges, stable, hidden, partial)
    found = (_group(name, groups[name], commits[name], committed_by[name], members[name], ends) for name in wanted)
    # A group that reads none of the topics asked for is not asked for; of one that did not answer nobody knows.
    shown = tuple(g for g in found if scope.topics is None or g.partitions or g.missing)
    kinds = _kinds(cluster, others, scope.groups) if others else {}
    topics = _identities(cluster, metadata, places) if identified else {}
    denied = (*([SOME_TOPICS] if partial else []), *(f"{topic}: {NOT_VISIBLE}" for topic in sorted(hidden)))
    return Sample(taken, shown, missing, kinds, topics, denied)


def _identities(cluster: Cluster, metadata: Any, places: Iterable[Place]) -> dict[str, TopicIdentity]:
    ids = read_topic_ids(cluster, sorted({topic for topic, _ in places} & metadata.topics.keys()))
    return {name: TopicIdentity(ids.get(name, ""), len(topic.partitions)) for name, topic in metadata.topics.items()}


def read_commits_of(cluster: Cluster, groups: Sequence[str]) -> dict[str, dict[Place, int]]:
    """What each of these groups has committed; without those that do not answer within the connection's timeout."""
    limit = cluster.connection.timeout
    answers = cluster.gather(_ask_commits(cluster, groups, limit), limit=limit)
    return {group: _committed(answer) for group, answer in answers.items() if not isinstance(answer, KafkaError)}


def _kinds(
    cluster: Cluster, others: "Future[dict[str, OtherGroup]]", chosen: Callable[[str], bool] | None
) -> dict[str, str]:
    """The kinds of groups that cannot be read, by name; none where that could not be determined."""
    try:
        found = cluster.wait(others, limit=cluster.connection.timeout)
    except KafkactlError:
        return {}
    return {name: group.kind for name, group in found.items() if chosen is None or chosen(name)}


def _unlisted(cluster: Cluster, chosen: NameFilter | None) -> dict[str, str]:
    """That there may be more groups than a list tells, where those matter."""
    return {"groups": SOME_GROUPS} if groups_may_hide(cluster, beginnings(chosen)) else {}


def describe_groups(cluster: Cluster, groups: NameFilter | None = None) -> Sample:
    """As `read_groups`, without any partitions: who is in the groups, and how they are."""
    listed, missing = list_group_ids(cluster)
    missing |= _unlisted(cluster, groups)
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
    missing |= _unlisted(cluster, None)
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
    if OFFSETS_TOPIC not in read_metadata(cluster).topics and group not in list_answered(cluster)[0]:
        return {}
    return read_commits(cluster, group, places)


def read_commits(cluster: Cluster, group: str, places: Sequence[Place]) -> dict[Place, int]:
    """The offsets a group has committed in these partitions; without those where it has none.

    Raises KafkactlError if the group does not exist.
    """
    # Where no group ever was, asking for one's coordinator would make Kafka create its offsets topic. A group of a
    # moment ago is not in the list yet, and the topic may be hidden from us: either one is enough.
    if OFFSETS_TOPIC not in read_metadata(cluster).topics:
        known, _ = list_answered(cluster)
        if group not in known:
            hidden = hidden_groups(cluster, [group])
            raise not_visible(group) if hidden else no_such_group(cluster, group, known)
    request = ConsumerGroupTopicPartitions(group, [TP(*place) for place in places])
    answer = cluster.wait(cluster.admin.list_consumer_group_offsets([request])[group])
    for tp in answer.topic_partitions:
        if tp.error and tp.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise NotPermittedError(f"{tp.topic}: {NOT_VISIBLE}.")
    return _committed(answer)


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
    hidden: frozenset[str] = frozenset()  # topics
    partial: bool = False  # there may be more of those


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
            *place,
            committed.get(place),
            found.first,
            found.end,
            ends.stable.get(place),
            None,
            place in ends.gone,
            place.topic in ends.hidden,
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
        return Group(name, "Unknown", partitions=partitions, missing=missing, partial=ends.partial)
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
        ends.partial,
    )
