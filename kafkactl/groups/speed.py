"""How fast a group reads, by what it was seen to commit. Pure.

A commit tells of everything handled since the one before it, and may come once a minute: between two samples there may
be none, or two. So speed is measured from one commit to another, never from sample to sample.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kafkactl.groups.lag import lag_of
from kafkactl.groups.model import CommitLook, Group, Member, Partition
from kafkactl.topics import Place

# The longest time (s) a healthy consumer is taken to let pass between two commits. Kafka's default is 5 s, that of
# Kafka Streams 30 s; who commits once a minute is still not stuck.
COMMIT_INTERVAL = 60.0
LONG_SAMPLE = f"{COMMIT_INTERVAL + 5:.0f}s"  # what shows that a consumer is stuck

Points = Sequence[tuple[int, int]]  # ms since the first one, and the sum of what was committed


class Speed(NamedTuple):
    """Offsets read a second: at least, and at most (infinite where commits were seen in two looks in a row)."""

    least: float
    most: float

    @property
    def likely(self) -> float:
        """The middle; the lower bound where there is no upper one."""
        return self.least if self.most == math.inf else (self.least + self.most) / 2


def points(ends: Mapping[Place, tuple[int, int]], looks: Sequence[CommitLook], seconds: float) -> Points:
    """The sums over partitions at the first sample, in each look, and at the last, `seconds` later.

    `ends` are the commits in the two samples. Only steps forward count: a reset is no reading.
    """
    at = {place: before for place, (before, _) in ends.items()}
    last = CommitLook(round(seconds * 1000), tuple((place, now) for place, (_, now) in ends.items()))
    total = 0
    found = [(0, 0)]
    for look in (*looks, last):
        for place, offset in look.moved:
            if place in at:
                total += max(0, offset - at[place])
                at[place] = offset
        found.append((look.after, total))
    return found


def speed(seen: Points) -> Speed | None:
    """The bounds of the speed from the first commit to the last one; None where there were not two.

    A commit came at some moment between the look that shows it and the one before.
    """
    steps = [index for index in range(1, len(seen)) if seen[index][1] > seen[index - 1][1]]
    if len(steps) < 2:
        return None
    first, last = steps[0], steps[-1]
    read = (seen[last][1] - seen[first][1]) * 1000
    shortest, longest = seen[last - 1][0] - seen[first][0], seen[last][0] - seen[first - 1][0]
    return Speed(read / longest, read / shortest if shortest > 0 else math.inf)


@dataclass(frozen=True, slots=True)
class Workload:
    """What one reader has to read in all its partitions, and reads: offsets, and offsets a second.

    `moved`: whether it committed anything at all between the samples.
    """

    lag: int
    rate_in: float
    moved: bool
    speed: Speed | None

    @property
    def falls_behind(self) -> bool:
        """Whether more arrives than it can read, and more waits than if it had kept up and were about to commit."""
        return self.speed is not None and self.speed.most < self.rate_in and self.lag > self.rate_in * COMMIT_INTERVAL

    @property
    def drained(self) -> float | None:
        """Seconds until it has read everything; infinite where more arrives, None where nobody can say."""
        if self.speed is None or self.speed.least <= self.rate_in < self.speed.most:
            return None
        return self.lag / (self.speed.likely - self.rate_in) if self.speed.least > self.rate_in else math.inf


def workloads(
    group: Group,
    owners: Mapping[Place, Member],
    then: Mapping[Place, Partition],
    seconds: float,
    looks: Sequence[CommitLook],
) -> dict[str, Workload]:
    """The load of each member, by its id: it reads its partitions in any order, often one after the other.

    Under "" that of whoever commits without being a member.
    """
    read: dict[str, list[Partition]] = {}
    for partition in group.partitions:
        if partition.place in then:
            owner = owners.get(partition.place)
            read.setdefault(owner.id if owner else "", []).append(partition)
    return {reader: _workload(partitions, then, seconds, looks) for reader, partitions in read.items()}


def _workload(
    partitions: Sequence[Partition], then: Mapping[Place, Partition], seconds: float, looks: Sequence[CommitLook]
) -> Workload:
    found = speed_of(partitions, then, seconds, looks)
    return Workload(
        lag=sum(lag_of(partition) or 0 for partition in partitions),
        rate_in=sum(
            rate_of(then[partition.place].readable_end, partition.readable_end, seconds) or 0.0
            for partition in partitions
        ),
        moved=found is not None or any(p.committed != then[p.place].committed for p in partitions),
        speed=found,
    )


def speed_of(
    partitions: Iterable[Partition], then: Mapping[Place, Partition], seconds: float, looks: Sequence[CommitLook]
) -> Speed | None:
    """How fast these partitions were read, together; None where one got its first commit: from where is not seen."""
    ends: dict[Place, tuple[int, int]] = {}
    for partition in partitions:
        before, now = then[partition.place].committed if partition.place in then else None, partition.committed
        if before is not None and now is not None:
            ends[partition.place] = before, now
        elif now is not None:
            return None
    return speed(points(ends, looks, seconds))


def rate_of(before: int | None, now: int | None, seconds: float) -> float | None:
    """Offsets a second between two samples."""
    return None if before is None or now is None or seconds <= 0 else (now - before) / seconds
