"""From where to where: offsets of partitions for what a user typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.offsets import ranges_of, read_time_offsets
from kafkactl.errors import KafkactlError
from kafkactl.text.remedies import kafkactl
from kafkactl.topics import NO_SUCH_TIME, Place


@dataclass(frozen=True)
class Bounds:
    """First and end offset of every partition, as they were when they were asked for.

    `silent` are those whose leader did not answer, or that have none: they are not among the others.
    """

    firsts: Mapping[Place, int]
    ends: Mapping[Place, int]
    silent: frozenset[Place] = frozenset()


def bounds(cluster: Cluster, places: Sequence[Place], *, uncommitted: bool) -> Bounds:
    """The bounds of these partitions; the end is the last stable offset unless `uncommitted`."""
    firsts: dict[Place, int] = {}
    ends: dict[Place, int] = {}
    for place, found in ranges_of(cluster, places, committed=not uncommitted).items():
        if found.first is not None and found.end is not None:
            firsts[place], ends[place] = found.first, found.end
    return Bounds(firsts, ends, frozenset(places) - frozenset(ends))


def at_time(cluster: Cluster, ends: Mapping[Place, int], milliseconds: int) -> dict[Place, int]:
    """The first offset of each partition whose record is at or after a time; its end where there is none.

    Raises KafkactlError where a leader does not answer.
    """
    found: dict[Place, int] = {}
    for place, offset in read_time_offsets(cluster, ends, milliseconds).items():
        if offset is None:
            raise KafkactlError(f"The leader of {place} does not respond.", hint=HINT)
        found[place] = ends[place] if offset == NO_SUCH_TIME else min(offset, ends[place])
    return found


HINT = kafkactl("describe", options=["--unhealthy"], note="See")
