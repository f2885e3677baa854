"""Moves in batches: what is under way at the same time, by the bytes it copies. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from kafkactl.placement.model import ReplicaMove
from kafkactl.text.units import is_number
from kafkactl.topics import LivePartition, LiveTopic, Place

DEFAULT_BATCH = 10 * 2**30  # bytes
_MOST = 200  # partitions in a batch
_UNSIZED = DEFAULT_BATCH // 20  # what a replica of unknown size is taken for


def batches_of(moves: Iterable[ReplicaMove], limit: int = DEFAULT_BATCH) -> Iterator[tuple[ReplicaMove, ...]]:
    """Moves in their order, in batches that copy no more than `limit` bytes; a larger one is a batch of its own.

    Those that copy nothing come last: who only gives up a replica waits until the others have theirs.
    """
    batch: list[ReplicaMove] = []
    size = 0
    for move in sorted(moves, key=lambda move: not move.added):
        more = move.to_copy if move.size is not None else _UNSIZED * len(move.added)
        if batch and (size + more > limit or len(batch) == _MOST):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(move)
        size += more
    if batch:
        yield tuple(batch)


def too_few_in_sync(topics: Mapping[str, LiveTopic], places: Mapping[Place, Collection[int]]) -> dict[Place, str]:
    """Of these places: those with fewer replicas in sync than min.insync.replicas, or no leader; with their figures.

    Each place with the brokers that are to get a replica: until one is in sync, Kafka does not count it among those
    that there are (Partition.effectiveMinIsr). A topic whose settings are not known needs one.
    """
    short = {}
    for topic in topics.values():
        needed = min_in_sync(topic)
        for partition in topic.partitions:
            place = Place(topic.name, partition.id)
            if place in places and _is_short(partition, needed, places[place]):
                short[place] = f"{len(partition.isr)} in sync, min.insync.replicas {needed}"
    return short


def _is_short(partition: LivePartition, needed: int, coming: Collection[int]) -> bool:
    there = [id for id in partition.replicas if id in partition.isr or id not in coming]
    return partition.leader is None or len(partition.isr) < min(needed, len(there))


def min_in_sync(topic: LiveTopic) -> int:
    """A topic's min.insync.replicas; 1 where it is not known."""
    setting = (topic.config or {}).get("min.insync.replicas")
    return int(setting.value) if setting and setting.value and is_number(setting.value) else 1


def least_seconds(batches: Sequence[Sequence[ReplicaMove]], rate: int, leaders: Mapping[Place, int]) -> float:
    """How long batches take at least, at so many bytes a second in and out of each broker."""
    return sum(max((n / rate for n in _traffic(batch, leaders)), default=0.0) for batch in batches)


def _traffic(batch: Sequence[ReplicaMove], leaders: Mapping[Place, int]) -> list[int]:
    into: dict[int, int] = {}
    out: dict[int, int] = {}
    for move in batch:
        for id in move.added:
            into[id] = into.get(id, 0) + (move.size or 0)
        source = leaders.get(move.place)
        if source is not None:
            out[source] = out.get(source, 0) + move.to_copy
    return [*into.values(), *out.values()]


def never_ends(moves: Iterable[ReplicaMove], written: Mapping[Place, float], rate: int) -> dict[int, float]:
    """The brokers at which a throttle is not above what is written to the partitions they get, with that rate.

    `written`: bytes a second by partition, where known. All in bytes a second; what is not known counts nothing.
    """
    coming: dict[int, float] = {}
    for move in moves:
        for id in move.added:
            coming[id] = coming.get(id, 0.0) + written.get(move.place, 0.0)
    return {id: speed for id, speed in sorted(coming.items()) if speed >= rate}
