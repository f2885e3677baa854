"""How far behind a group is, in offsets and in time, by one sample. Pure.

Offsets are not records: compaction leaves gaps among them, transactions markers. Lag is at most so many records.
"""

from collections.abc import Iterable

from kafkactl.groups.model import Group, Partition, Sample
from kafkactl.topics import Place


def lag_of(partition: Partition) -> int | None:
    """How many offsets of a partition a group has yet to read: never less than 0, and None where nobody can say."""
    # Written out, rather than with the properties of Partition: it is asked of each partition of each group.
    committed, first, waiting = partition.committed, partition.first, partition.waiting
    end = partition.end if partition.stable_end is None else partition.stable_end
    if committed is None:
        return 0 if end is not None and end == first else None  # of nothing, nothing waits
    if end is None:
        return None
    if waiting is not None and waiting.offset is None:
        return 0  # markers and gaps are not records
    following = committed if first is None or first <= committed else first
    return end - following if end > following else 0


def lost_in(partition: Partition) -> int:
    """How many offsets were deleted before the group read them. Markers and gaps count, too: nobody can look."""
    committed, first = partition.committed, partition.first
    return 0 if committed is None or first is None or first <= committed else first - committed


def behind(partition: Partition, lag: int | None, taken: int) -> float | None:
    """Seconds between the first record that waits and the sample (`taken`, ms); 0 where nothing waits.

    None where that is not known: no commit, nobody looked, or the record has no timestamp.
    """
    if lag == 0:
        return 0.0
    if lag is None or partition.waiting is None or partition.waiting.timestamp is None:
        return None
    return max(0.0, (taken - partition.waiting.timestamp) / 1000)


def worst_spots(now: Sample) -> list[tuple[Place, int]]:
    """Partitions and offsets at which a record's time tells how far behind a group is, the most telling first.

    Of each group its largest lag, the groups with most lag first; then the others.
    """
    # Many groups may stand at the same spot: it counts for the one to which it tells most.
    ranks: dict[tuple[Place, int], tuple[int, int]] = {}
    for group in now.groups:
        for rank, (lag, place, offset) in enumerate(sorted(_lagging(group), reverse=True)):
            spot, worth = (place, offset), (rank, -lag)
            if spot not in ranks or worth < ranks[spot]:
                ranks[spot] = worth
    return sorted(ranks, key=lambda spot: (ranks[spot], spot))


def _lagging(group: Group) -> Iterable[tuple[int, Place, int]]:
    for partition in group.partitions:
        lag = lag_of(partition)
        if lag and partition.waiting is None and partition.next is not None:
            yield lag, partition.place, partition.next
