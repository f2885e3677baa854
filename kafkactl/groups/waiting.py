"""What waits where a group stands still: the record itself, or nothing but markers and gaps."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kafkactl.cluster.client import Cluster
from kafkactl.errors import KafkactlError
from kafkactl.groups.model import Partition, Sample, Waiting
from kafkactl.groups.verdict import doubtful
from kafkactl.records.consume import Reader
from kafkactl.topics import Place

Spot = tuple[Place, int]  # a partition and the offset to read from

_MOST = 200  # spots that are looked at


def with_waiting(cluster: Cluster, now: Sample, before: Sample | None = None) -> Sample:
    """The sample, with the record that waits wherever offsets wait and nothing moves (`verdict.doubtful`)."""
    ends = {p.place: p.readable_end or 0 for group in now.groups for p in group.partitions}
    found = read_waiting(cluster, doubtful(now, before)[:_MOST], ends)
    if not found:
        return now
    groups = [
        replace(group, partitions=tuple(_looked_at(partition, found) for partition in group.partitions))
        for group in now.groups
    ]
    return replace(now, groups=tuple(groups))


def _looked_at(partition: Partition, found: Mapping[Spot, Waiting]) -> Partition:
    if partition.committed is None or (spot := (partition.place, partition.committed)) not in found:
        return partition
    return replace(partition, waiting=found[spot])


def read_waiting(cluster: Cluster, spots: Iterable[Spot], ends: Mapping[Place, int]) -> dict[Spot, Waiting]:
    """The first committed record at or after each spot and before its partition's end, with its time.

    Without those that do not answer within the connection's timeout, or may not be read.
    """
    pending = set(spots)
    found: dict[Spot, Waiting] = {}
    if not pending:
        return found
    until = time.monotonic() + cluster.connection.timeout
    reader = Reader(cluster, lambda _: None)
    try:
        # Groups may stand at different offsets of one partition: each round reads one of them in each partition.
        while pending and time.monotonic() < until:
            told = _round(reader, dict(sorted(pending, reverse=True)), ends, until)
            if not told:
                break
            found |= told
            pending -= told.keys()
    except KafkactlError:  # what may not be read stays unknown
        pass
    finally:
        reader.close()
    return found


def _round(reader: Reader, starts: Mapping[Place, int], ends: Mapping[Place, int], until: float) -> dict[Spot, Waiting]:
    """What the first message, or the end, of each of these partitions tells."""
    reader.assign(starts)
    found: dict[Place, Waiting] = {}
    while len(found) < len(starts) and time.monotonic() < until:
        messages, reached = reader.messages(0.1)
        told = {(m.topic(), m.partition()): _waiting(m, ends) for m in reversed(messages)}
        told = {**dict.fromkeys(reached, Waiting()), **told}
        new = {place: waiting for place, waiting in told.items() if place not in found}
        reader.leave(new)
        found |= new
    return {(place, starts[place]): waiting for place, waiting in found.items()}


def _waiting(message: Any, ends: Mapping[Place, int]) -> Waiting:
    """What came after the end was looked at did not wait then."""
    place, offset, timestamp = (message.topic(), message.partition()), message.offset(), message.timestamp()[1]
    return Waiting(offset, timestamp if timestamp >= 0 else None) if offset < ends[place] else Waiting()
