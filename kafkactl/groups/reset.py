"""From the requested position to a plan of new offsets, partition by partition; every adjustment is noted. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kafkactl.groups.model import Partition
from kafkactl.topics import NO_SUCH_TIME, Place


@dataclass(frozen=True)
class Move:
    """One partition of a plan: the old and the new committed offset, None for no commit.

    `again` is how many offsets will be read again, `skipped` how many will not be read; None if that depends on the
    consumers' auto.offset.reset, because there is no commit on one side. `note`: how the request was adjusted, and why.
    """

    topic: str
    partition: int
    old: int | None
    new: int | None
    again: int | None = None
    skipped: int | None = None
    note: str = ""

    @property
    def place(self) -> Place:
        """The topic's name and the partition's id."""
        return Place(self.topic, self.partition)

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.old != self.new


# The requested new offset of a partition, and a note if it differs from the literal request.
Goal = Callable[[Partition], tuple[int | None, str]]


def plan(partitions: Iterable[Partition], wish: Goal, *, exact: bool = False) -> tuple[Move, ...]:
    """The moves for these partitions, whose first and end offsets are known.

    An offset outside the log becomes its nearest end, and the note says so; with `exact` (to restore old offsets) it is
    kept, and the note says that.
    """
    return tuple(_move(partition, *wish(partition), exact) for partition in partitions)


def _move(partition: Partition, wished: int | None, note: str, exact: bool) -> Move:
    first, end = partition.first or 0, partition.end or 0
    if wished is None:
        return Move(*partition.place, partition.committed, None, note=note)
    inside = min(max(wished, first), end)
    if wished < 0:
        note = f"there are fewer records: the first available offset is {first:,}"
    elif wished < first:
        note = f"{wished:,} has been deleted: the first available offset is {first:,}"
    elif wished > end:
        note = f"{wished:,} is beyond the end, {end:,}"
    new = wished if exact else inside
    if partition.committed is None:
        return Move(*partition.place, None, new, note=note)
    old = min(max(partition.committed, first), end)
    return Move(*partition.place, partition.committed, new, max(0, old - inside), max(0, inside - old), note)


def to_earliest(partition: Partition) -> tuple[int | None, str]:
    """To the first available record."""
    return partition.first, ""


def to_latest(partition: Partition) -> tuple[int | None, str]:
    """To the end, or to the start of an open transaction, whose records nobody has read yet."""
    held = f"{partition.held:,} in an open transaction are not skipped" if partition.held else ""
    return partition.readable_end, held


def to_offset(offset: int) -> Goal:
    """To the same offset in every partition."""
    return lambda partition: (offset, "")


def by(number: int) -> Goal:
    """Shifted by a number of offsets; negative goes back."""

    def wish(partition: Partition) -> tuple[int | None, str]:
        if partition.committed is None:
            return None, "no commit to count from"
        return partition.committed + number, ""

    return wish


def to_time(offsets: Mapping[Place, int]) -> Goal:
    """To the first record at or after a time, as Kafka answered; if there is none, to the end."""

    def wish(partition: Partition) -> tuple[int | None, str]:
        offset = offsets[partition.place]
        if offset == NO_SUCH_TIME:
            there = partition.committed == partition.readable_end
            return partition.readable_end, f"no record at or after that time: {'already at' if there else 'to'} the end"
        return offset, ""

    return wish


def to_these(offsets: Mapping[Place, int | None]) -> Goal:
    """To the listed offsets; None means no commit."""
    return lambda partition: (offsets[partition.place], "")
