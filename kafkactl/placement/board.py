"""The board on which replicas are moved until the plan is found: who holds what, kept up to date with each step. Pure.

A step never puts two replicas of a partition on a broker, and never spreads a partition over racks worse than before:
how even a partition's racks are is the sum of squares of its replicas by rack, the smaller the more even.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kafkactl.placement.model import Assigned, Host
from kafkactl.topics import Place


class Board:
    """Replicas of the partitions that were chosen, on brokers that are up. `besides`: what else those hold."""

    def __init__(self, partitions: Sequence[Assigned], hosts: Iterable[Host], besides: Mapping[int, int]) -> None:
        hosts = sorted(hosts)
        named = all(host.rack is not None for host in hosts)
        self.rack = {host.id: (host.rack or "") if named else "" for host in hosts}
        self.one_rack = len(set(self.rack.values())) < 2
        self.ids = tuple(self.rack)
        self.besides = besides
        self.size = {p.place: p.size or 0 for p in partitions}
        self.before = {p.place: p.replicas for p in partitions}
        self.now = {p.place: list(p.replicas) for p in partitions}
        self.count = dict.fromkeys(self.ids, 0)
        self.bytes = dict.fromkeys(self.ids, 0)
        self.of_topic: dict[str, dict[int, int]] = defaultdict(lambda: dict.fromkeys(self.ids, 0))
        self._held: dict[int, list[tuple[int, Place]]] = {id: [] for id in self.ids}
        self._fresh: dict[int, list[tuple[int, Place]]] = {id: [] for id in self.ids}  # not there before: copied anyway
        for place, replicas in self.now.items():
            for id in replicas:
                if id in self.rack:
                    self._count(place, id, 1)
                    self._held[id].append((self.size[place], place))
        for held in self._held.values():
            held.sort()

    def _count(self, place: Place, id: int, step: int) -> None:
        self.count[id] += step
        self.bytes[id] += step * self.size[place]
        self.of_topic[place.topic][id] += step

    def add(self, place: Place, id: int) -> None:
        """A replica more, behind the others."""
        self.now[place].append(id)
        self._came(place, id)

    def drop(self, place: Place, id: int) -> None:
        """A replica less."""
        self.now[place].remove(id)
        self._left(place, id)

    def replace(self, place: Place, old: int, new: int) -> None:
        """Another broker in the place of one: what was the preferred leader is so on the new one."""
        replicas = self.now[place]
        replicas[replicas.index(old)] = new
        self._left(place, old)
        self._came(place, new)

    def _came(self, place: Place, id: int) -> None:
        self._count(place, id, 1)
        for held in self._lists(place, id):
            insort(held, (self.size[place], place))

    def _left(self, place: Place, id: int) -> None:
        if id in self.rack:
            self._count(place, id, -1)
            for held in self._lists(place, id):
                del held[bisect_left(held, (self.size[place], place))]

    def _lists(self, place: Place, id: int) -> tuple[list[tuple[int, Place]], ...]:
        held = self._held[id]
        return (held,) if id in self.before[place] else (held, self._fresh[id])

    def in_rack(self, place: Place, rack: str) -> int:
        """How many replicas of a partition are in a rack."""
        return sum(self.rack.get(id) == rack for id in self.now[place])

    def holds(self, id: int) -> Sequence[tuple[int, Place]]:
        """What a broker holds: sizes and partitions, the smallest first."""
        return self._held[id]

    def best(self, place: Place, hosts: Iterable[int], instead_of: int | None = None) -> int | None:
        """The broker that should get a replica: the rack that has fewest of them first, then whoever holds least.

        None where each of these has one. `instead_of` is about to give its own up.
        """
        taken = self.now[place]
        spared = self.rack.get(instead_of) if instead_of is not None else None
        topic = self.of_topic[place.topic]

        def key(id: int) -> tuple[int, ...]:
            near = 0 if self.one_rack else self.in_rack(place, self.rack[id]) - (self.rack[id] == spared)
            held = self.count[id]
            return near, topic[id], held, held + self.besides.get(id, 0), self.bytes[id], id

        return min((id for id in hosts if id not in taken), key=key, default=None)

    def may_hop(self, place: Place, old: int, new: int) -> bool:
        """Whether a replica may go from one broker to another."""
        if new in self.now[place]:
            return False
        if self.one_rack or self.rack[old] == self.rack[new]:
            return True
        return self.in_rack(place, self.rack[new]) < self.in_rack(place, self.rack[old])

    def candidate(self, old: int, new: int, *, fresh: bool) -> Place | None:
        """What to move from one broker to another, None for nothing: of what may go, the replica of the best size.

        `fresh`: only one that was not on this broker before.
        """
        held = (self._fresh if fresh else self._held)[old]
        if not held:
            return None
        ideal = self._ideal(old, new)
        upper = bisect_left(held, (ideal, Place("", -1)))
        lower = upper - 1
        while lower >= 0 or upper < len(held):
            down = lower >= 0 and (upper >= len(held) or ideal - held[lower][0] <= held[upper][0] - ideal)
            place = held[lower if down else upper][1]
            if self.may_hop(place, old, new):
                return place
            lower, upper = (lower - 1, upper) if down else (lower, upper + 1)
        return None

    def _ideal(self, old: int, new: int) -> float:
        """The size of a replica that would leave both brokers nearest to the average, in bytes and in number."""
        known = len(self.ids)
        bytes_each, each = sum(self.bytes.values()) / known, sum(self.count.values()) / known
        wishes = []
        if self.count[old] > each:
            wishes.append((self.bytes[old] - bytes_each) / (self.count[old] - each))
        if self.count[new] < each:
            wishes.append((bytes_each - self.bytes[new]) / (each - self.count[new]))
        return max(0.0, min(wishes, default=(self.bytes[old] - self.bytes[new]) / 2))
