"""How far behind a group is in time: by the timestamp of the record it reads next, never by extrapolation. Pure.

So an idle topic is 0 behind, whatever the age of its last record.
"""

from collections.abc import Iterable, Mapping

from kafkactl.groups.model import Group, Partition, Sample
from kafkactl.groups.verdict import lag_of
from kafkactl.topics import Place


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
    ranked: list[tuple[int, int, Place, int]] = []
    for group in now.groups:
        lagging = sorted(_lagging(group), reverse=True)
        ranked += [(rank, -lag, place, offset) for rank, (lag, place, offset) in enumerate(lagging)]
    ranked.sort()
    return list(dict.fromkeys((place, offset) for _, _, place, offset in ranked))


def _lagging(group: Group) -> Iterable[tuple[int, Place, int]]:
    for partition in group.partitions:
        lag = lag_of(partition)
        if lag and partition.waiting is None and partition.next is not None:
            yield lag, partition.place, partition.next


def group_behind(group: Group, lags: Mapping[Place, int | None], taken: int) -> tuple[float | None, bool]:
    """How far behind a group is: as far as its partition that is most so. And whether that is known of all of them."""
    found = [behind(partition, lags.get(partition.place), taken) for partition in group.partitions]
    waits = [seconds for seconds, p in zip(found, group.partitions, strict=True) if lags.get(p.place)]
    known = [seconds for seconds in waits if seconds is not None]
    if not waits:
        return 0.0, True
    return max(known, default=None), len(known) == len(waits)
