"""Partitions with their replicas, the brokers that can hold them, and what is to become of them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from kafkactl.topics import Place


class Host(NamedTuple):
    """A broker that is up, and its rack; None where it has none."""

    id: int
    rack: str | None = None


class Assigned(NamedTuple):
    """A partition as it is: its replicas, the preferred leader first; bytes of one of them, None where not known."""

    place: Place
    replicas: tuple[int, ...]
    size: int | None = None
    in_sync: tuple[int, ...] = ()
    leader: int | None = None


@dataclass(frozen=True)
class Wish:
    """What is wanted of the partitions that were chosen; one of these.

    `replication` of topics; `drain` brokers; `fill` brokers (with `drain`: with what was there, and nothing else);
    `spread` all of it evenly.
    """

    replication: Mapping[str, int] = field(default_factory=dict)
    drain: frozenset[int] = frozenset()
    fill: frozenset[int] = frozenset()
    spread: bool = False


class ReplicaMove(NamedTuple):
    """A partition that gets other replicas, or the same in another order. `size` in bytes, None where not known."""

    place: Place
    before: tuple[int, ...]
    after: tuple[int, ...]
    size: int | None = None

    @property
    def added(self) -> tuple[int, ...]:
        """The brokers that get a replica, which is copied to them."""
        return tuple(id for id in self.after if id not in self.before)

    @property
    def removed(self) -> tuple[int, ...]:
        """The brokers that give theirs up."""
        return tuple(id for id in self.before if id not in self.after)

    @property
    def to_copy(self) -> int:
        """Bytes that cross the network; 0 where the size is not known."""
        return (self.size or 0) * len(self.added)


@dataclass(frozen=True)
class Placement:
    """The moves, in the partitions' order. `stuck`: what could not be done as wanted, and why."""

    moves: tuple[ReplicaMove, ...] = ()
    stuck: Mapping[Place, str] = field(default_factory=dict)

    @property
    def to_copy(self) -> int:
        """Bytes that all of them copy, at least: those of a size that is not known count nothing."""
        return sum(move.to_copy for move in self.moves)

    @property
    def unsized(self) -> int:
        """How many moves copy replicas of a size that is not known."""
        return sum(move.size is None and bool(move.added) for move in self.moves)


class Holding(NamedTuple):
    """What a broker holds: replicas, those of them that are preferred leaders, and bytes as far as they are known."""

    replicas: int = 0
    leaders: int = 0
    bytes: int = 0


def holdings(partitions: Iterable[Assigned], hosts: Iterable[int]) -> dict[int, Holding]:
    """What each broker holds of these partitions."""
    found = {id: [0, 0, 0] for id in hosts}
    for partition in partitions:
        for position, id in enumerate(partition.replicas):
            held = found.setdefault(id, [0, 0, 0])
            held[0] += 1
            held[1] += position == 0
            held[2] += partition.size or 0
    return {id: Holding(*held) for id, held in sorted(found.items())}


def applied(partitions: Iterable[Assigned], moves: Iterable[ReplicaMove]) -> list[Assigned]:
    """The partitions as they are after these moves."""
    after = {move.place: move.after for move in moves}
    return [p._replace(replicas=after.get(p.place, p.replicas)) for p in partitions]
