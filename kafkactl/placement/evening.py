"""Evening out: replicas per broker, their bytes, their preferred leaders, until no step makes it more even. Pure."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from kafkactl.placement.board import Board
from kafkactl.topics import Place

_TOLERANCE = 0.1  # of the average: bytes that differ by less are even
_WORTH = 3  # a swap copies no more than so many times what it evens out
_SWAPS = 2_000
_TRIED_SWAPS = 40  # pairs of brokers without one, before it is given up

Edge = Callable[[int, int], Place | None]


def even_replicas(board: Board, *, fresh: bool = False, among: Collection[int] | None = None) -> None:
    """Move replicas from brokers that hold many to those that hold few, as few of them as can be.

    `fresh`: only those that are copied anyway. `among` these brokers only, where given.
    """
    ids = sorted(board.ids if among is None else among)
    while _direct(board, ids, fresh) or _chain(board, ids, fresh):
        pass


def _direct(board: Board, ids: Sequence[int], fresh: bool) -> bool:
    """One replica from one of the fullest to one of the emptiest; whether there was one."""
    ranked = sorted(ids, key=lambda id: (board.count[id], board.bytes[id], id))
    for old in reversed(ranked):
        for new in ranked:
            if board.count[old] - board.count[new] < 2:
                break
            place = board.candidate(old, new, fresh=True)
            if place is None and not fresh:
                place = board.candidate(old, new, fresh=False)
            if place is not None:
                board.replace(place, old, new)
                return True
    return False


def _chain(board: Board, ids: Sequence[int], fresh: bool) -> bool:
    """As `_direct`, over brokers in between: where racks leave no direct way."""

    def edge(old: int, new: int) -> Place | None:
        return board.candidate(old, new, fresh=fresh)

    for path in _paths({id: board.count[id] for id in ids}, edge):
        for old, new in path:
            place = edge(old, new)
            if place is None:  # what is left of the way depended on a step that was made
                return False
            board.replace(place, old, new)
        return True
    return False


def _paths(load: Mapping[int, int], edge: Edge) -> Iterable[list[tuple[int, int]]]:
    """A way from a broker to one that has at least two less, where there is any; one suffices."""
    seen: set[int] = set()  # from a fuller broker: what it does not reach, an emptier one need not look for
    for start in sorted(load, key=lambda id: (-load[id], id)):
        if load[start] - min(load.values()) < 2:
            return
        came: dict[int, int] = {}
        queue = deque([start])
        seen_here = {start}
        while queue:
            at = queue.popleft()
            for next_ in sorted(load.keys() - seen_here - seen, key=lambda id: (load[id], id)):
                if edge(at, next_) is None:
                    continue
                seen_here.add(next_)
                came[next_] = at
                if load[start] - load[next_] >= 2:
                    yield _back(came, start, next_)
                    return
                queue.append(next_)
        seen |= seen_here


def _back(came: Mapping[int, int], start: int, end: int) -> list[tuple[int, int]]:
    """The steps of a way, from its last to its first: each leaves a place that the one before it fills."""
    steps = []
    while end != start:
        steps.append((came[end], end))
        end = came[end]
    return steps


def even_bytes(board: Board) -> None:
    """Swap large replicas for small ones between brokers, where that evens out enough to be worth its copying."""
    average = sum(board.bytes.values()) / max(1, len(board.ids))
    for _ in range(_SWAPS):
        ranked = sorted(board.ids, key=lambda id: (board.bytes[id], id))
        pairs = [
            (high, low)
            for high in reversed(ranked)
            for low in ranked
            if board.bytes[high] - board.bytes[low] > _TOLERANCE * average and board.bytes[high] > average
        ]
        pairs.sort(key=lambda pair: (board.bytes[pair[1]] - board.bytes[pair[0]], pair))
        if not any(_swap(board, high, low) for high, low in pairs[:_TRIED_SWAPS]):
            return


def _swap(board: Board, high: int, low: int) -> bool:
    """One swap, or one move where the fuller broker has more replicas, too; whether there was a good one."""
    gap = board.bytes[high] - board.bytes[low]
    best: tuple[float, Place, Place | None] | None = None
    spare = board.count[high] > board.count[low]
    small = board.holds(low)
    at = 0
    for size, place in board.holds(high):
        if size == 0 or not board.may_hop(place, high, low):
            continue
        if spare and size < gap:
            best = _nearer(best, abs(size - gap / 2), place, None)
        while at < len(small) and size - small[at][0] > gap / 2:
            at += 1
        for other_size, other in small[max(0, at - 1) : at + 2]:
            gain = size - other_size
            worth = 0 < gain < gap and size + other_size <= _WORTH * min(gain, gap - gain)
            if worth and other != place and board.may_hop(other, low, high):
                best = _nearer(best, abs(gain - gap / 2), place, other)
    if best is None:
        return False
    _, place, other_place = best
    board.replace(place, high, low)
    if other_place is not None:
        board.replace(other_place, low, high)
    return True


def _nearer(
    best: tuple[float, Place, Place | None] | None, distance: float, place: Place, other: Place | None
) -> tuple[float, Place, Place | None]:
    return best if best is not None and best[0] <= distance else (distance, place, other)


def even_leaders(board: Board, changeable: Collection[Place]) -> None:
    """Make another replica the first of a partition until brokers lead as many as each other; copies nothing."""
    leads = dict.fromkeys(board.ids, 0)
    ways: dict[tuple[int, int], dict[Place, None]] = {}  # of those led by one: partitions that another could lead

    def enter(place: Place) -> None:
        leader, *others = board.now[place]
        for other in others:
            ways.setdefault((leader, other), {})[place] = None

    for place, replicas in board.now.items():
        if replicas and replicas[0] in leads:
            leads[replicas[0]] += 1
            if place in changeable and all(id in leads for id in replicas):
                enter(place)

    def edge(old: int, new: int) -> Place | None:
        return next(iter(ways.get((old, new), ())), None)

    found = True
    while found:
        found = False
        for path in _paths(leads, edge):
            found = True
            for old, new in path:
                led = next(iter(ways[old, new]))
                for other in board.now[led][1:]:
                    del ways[old, other][led]
                replicas = board.now[led]
                at = replicas.index(new)
                replicas[0], replicas[at] = replicas[at], replicas[0]
                leads[old] -= 1
                leads[new] += 1
                enter(led)
