"""Looking at groups over some time: two samples, how restless they were in between, and the records that wait."""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupState, ConsumerGroupType

from kafkactl.cluster.client import Cluster, connect
from kafkactl.errors import KafkactlError
from kafkactl.groups.fetch import Scope, read_commits_of, read_groups
from kafkactl.groups.lag import lag_of, worst_spots
from kafkactl.groups.model import Partition, Sample, Waiting
from kafkactl.groups.observation import CommitLooks, Observation, unrest
from kafkactl.groups.verdict import doubtful
from kafkactl.records.consume import Reader
from kafkactl.topics import Place

Spot = tuple[Place, int]  # a partition and the offset to read from

_MOST = 200  # spots that are looked at
_MOST_TIMES = 10_000  # and for the time of what waits there
_PLACES_AT_ONCE = 2_000  # partitions: librdkafka takes time that grows with their square
_NEAR = 1_000  # offsets it is quicker to read on than to fetch anew


def with_waiting(cluster: Cluster, now: Sample, before: Sample | None = None, *, times: bool = False) -> Sample:
    """The sample, with the record that waits wherever offsets wait and nothing moves (`verdict.doubtful`).

    With `times` also wherever else a group lags, as far as they can be read in the connection's timeout.
    """
    spots = worst_spots(now) if times else []
    if not times or len(spots) > _MOST_TIMES:  # else the doubtful ones are among them
        spots = doubtful(now, before)[:_MOST] + spots[:_MOST_TIMES]
    ends = {p.place: p.readable_end or 0 for group in now.groups for p in group.partitions}
    found = read_waiting(cluster, spots, ends)
    if not found:
        return now
    groups = [
        replace(group, partitions=tuple(_looked_at(partition, found) for partition in group.partitions))
        for group in now.groups
    ]
    return replace(now, groups=tuple(groups))


def _looked_at(partition: Partition, found: Mapping[Spot, Waiting]) -> Partition:
    if partition.next is None or partition.committed == partition.end:  # most of them, in a cluster that keeps up
        return partition
    waiting = found.get((partition.place, partition.next))
    if waiting is None:
        return partition
    p = partition
    return Partition(p.topic, p.id, p.committed, p.first, p.end, p.stable_end, waiting, p.gone)


def read_waiting(cluster: Cluster, spots: Iterable[Spot], ends: Mapping[Place, int]) -> dict[Spot, Waiting]:
    """The first committed record at or after each spot and before its partition's end, with its time.

    Without those that do not answer within the connection's timeout, or may not be read.
    """
    queues: dict[Place, list[int]] = defaultdict(list)
    for place, offset in set(spots):
        queues[place].append(offset)
    found: dict[Spot, Waiting] = {}
    if not queues:
        return found
    until = time.monotonic() + cluster.connection.timeout
    reader = Reader(cluster, lambda _: None, few=True)
    places = list(queues)
    try:
        for start in range(0, len(places), _PLACES_AT_ONCE):
            if start:
                reader.renew()
            chosen = places[start : start + _PLACES_AT_ONCE]
            _read(reader, {place: sorted(queues[place], reverse=True) for place in chosen}, ends, until, found)
    except KafkactlError:  # what may not be read stays unknown
        pass
    finally:
        reader.close()
    return found


def _read(
    reader: Reader, queues: dict[Place, list[int]], ends: Mapping[Place, int], until: float, found: dict[Spot, Waiting]
) -> None:
    """Fill `found`; each queue holds the offsets of a partition, the first one last."""
    reader.assign({place: queue[-1] for place, queue in queues.items()})
    while queues and time.monotonic() < until:
        messages, reached = reader.messages(0.1)
        batches: dict[Place, list[Any]] = defaultdict(list)
        for message in messages:
            batches[Place(message.topic(), message.partition())].append(message)
        for place, batch in batches.items():
            if queue := queues.get(place):
                _answer(place, queue, batch, ends, found)
        for place in reached:  # nothing comes after: at none of the offsets left does a record wait
            found |= {(place, offset): Waiting() for offset in queues.pop(place, ())}
        _go_on(reader, queues, batches, reached)


def _answer(
    place: Place, queue: list[int], batch: Sequence[Any], ends: Mapping[Place, int], found: dict[Spot, Waiting]
) -> None:
    """Match consecutive messages with the offsets in the queue; matched offsets leave it."""
    offsets = [message.offset() for message in batch]
    while queue and (index := bisect_left(offsets, queue[-1])) < len(offsets):
        found[place, queue.pop()] = _waiting(batch[index], ends)


def _go_on(
    reader: Reader, queues: dict[Place, list[int]], batches: Mapping[Place, list[Any]], reached: Iterable[Place]
) -> None:
    """Let go of what is answered, and read the others where they are to be looked at next."""
    done = [place for place, queue in queues.items() if not queue]
    for place in done:
        del queues[place]
    far = {
        place: queues[place][-1]
        for place, batch in batches.items()
        if place in queues and queues[place][-1] > batch[-1].offset() + _NEAR
    }
    if leaving := [*done, *reached, *far]:
        reader.leave(leaving)
    if far:
        reader.join(far)


def _waiting(message: Any, ends: Mapping[Place, int]) -> Waiting:
    """What came after the end was looked at did not wait then. A time of 0 is none: whoever wrote it set none."""
    place, offset, timestamp = Place(message.topic(), message.partition()), message.offset(), message.timestamp()[1]
    return Waiting(offset, timestamp if timestamp > 0 else None) if offset < ends[place] else Waiting()


_LOOK = 0.5  # seconds between two looks at the states of all groups
_COMMITS = 2.0  # and between two at the commits of groups that lag
_MOST_GROUPS = 100  # whose commits are looked at, those that lag most


def observe(
    cluster: Cluster,
    seconds: float = 0.0,
    pause: Callable[[float], None] = time.sleep,
    *,
    scope: Scope | None = None,
    times: bool = False,
) -> Observation:
    """The groups; with `seconds`, also a sample taken that long before, and what happened in between.

    Where offsets wait and nothing moves, the record that waits is looked for; with `times` wherever offsets wait, for
    its time. Raises KafkactlError where Kafka answers nothing at all; who does not answer otherwise is named in the
    samples' `missing`.
    """
    if seconds <= 0:
        return Observation(with_waiting(cluster, read_groups(cluster, scope, committed=True), times=times))
    before = read_groups(cluster, scope, committed=True, identified=True)
    between = _look(cluster, before, seconds, pause)
    # With a client of its own: brokers may have been restarted in between (librdkafka#4605).
    now = read_groups(connect(cluster.connection), scope, committed=True, identified=True)
    seen, begun = unrest(between.restless)
    now = with_waiting(cluster, now, before, times=times)
    return Observation(now, before, len(between.restless), seen, begun, between.commits.found)


class _Between(NamedTuple):
    """The groups that were rebalancing in each look, and what others committed."""

    restless: list[frozenset[str]]
    commits: CommitLooks


def _look(cluster: Cluster, before: Sample, seconds: float, pause: Callable[[float], None]) -> _Between:
    """Look again and again for so many seconds: one small request a broker, and now and then one a lagging group."""
    until = time.monotonic() + seconds
    found = _Between([], CommitLooks(before))
    lagging = _most_behind(before)
    next_commits = time.monotonic() + _COMMITS
    while (left := until - time.monotonic()) > 0:
        pause(min(_LOOK, left))
        listing = cluster.wait(cluster.admin.list_consumer_groups(request_timeout=cluster.connection.timeout))
        found.restless.append(frozenset(g.group_id for g in listing.valid if _restless(g.state, g.type)))
        if lagging and time.monotonic() >= next_commits:
            next_commits = time.monotonic() + _COMMITS
            # With a client of its own, too: a broker that comes back must not answer a request nobody awaits.
            commits = read_commits_of(connect(cluster.connection), lagging)
            found.commits.add(int(time.time() * 1000), commits)
    return found


def _most_behind(sample: Sample) -> list[str]:
    lags = {group.id: sum(lag_of(partition) or 0 for partition in group.partitions) for group in sample.groups}
    return sorted((group for group, lag in lags.items() if lag), key=lambda group: -lags[group])[:_MOST_GROUPS]


def _restless(state: ConsumerGroupState, kind: ConsumerGroupType) -> bool:
    if state == ConsumerGroupState.UNKNOWN:  # Assigning and Reconciling of KIP-848
        return bool(kind == ConsumerGroupType.CONSUMER)
    return state in (ConsumerGroupState.PREPARING_REBALANCING, ConsumerGroupState.COMPLETING_REBALANCING)
