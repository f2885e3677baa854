"""From what is wished to the moves that make it so: racks first, then evenness, then as few bytes as can be. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from kafkactl.placement.board import Board
from kafkactl.placement.evening import even_bytes, even_leaders, even_replicas
from kafkactl.placement.model import Assigned, Host, Placement, ReplicaMove, Wish
from kafkactl.text.words import many
from kafkactl.topics import Place


def plan_placement(
    chosen: Sequence[Assigned], hosts: Collection[Host], wish: Wish, others: Iterable[Assigned] = ()
) -> Placement:
    """The moves that make a wish so for the partitions that were chosen.

    `hosts` are the brokers that are up; replicas on any other stay where they are. Evenness is that of what was chosen;
    `others` (the rest of the cluster) decides where that leaves it open. The same question has the same answer.
    """
    besides = Counter(id for partition in others for id in partition.replicas)
    board = Board(sorted(chosen), hosts, besides)
    stuck: dict[Place, str] = {}
    if wish.replication:
        _replicate(board, {p.place: p for p in chosen}, wish.replication, stuck)
    elif wish.drain:
        _drain(board, wish.drain, wish.fill, stuck)
    elif wish.fill:
        _fill(board, wish.fill & frozenset(board.ids))
    elif wish.spread:
        _to_racks(board)
        even_replicas(board)
        even_bytes(board)
    changed = {place for place, replicas in board.now.items() if tuple(replicas) != board.before[place]}
    even_leaders(board, board.now.keys() if wish.spread else changed)
    sizes = {p.place: p.size for p in chosen}
    moves = (
        ReplicaMove(place, board.before[place], tuple(replicas), sizes[place]) for place, replicas in board.now.items()
    )
    return Placement(tuple(move for move in moves if move.before != move.after), stuck)


class NewPlaces(NamedTuple):
    """Partitions that do not exist yet: so many of them (`number`) from the id `first` on."""

    topic: str
    first: int
    number: int
    replication: int


def place_new(
    wanted: Iterable[NewPlaces], there: Sequence[Assigned], hosts: Collection[Host]
) -> dict[str, list[list[int]]]:
    """Replicas of new partitions, by the same rules, beside those that are there; the preferred leader first."""
    board = Board(there, hosts, {})
    places: dict[str, list[Place]] = {}
    for topic, first, number, replication in wanted:
        places[topic] = [Place(topic, id) for id in range(first, first + number)]
        for place in places[topic]:
            board.size[place], board.before[place], board.now[place] = 0, (), []
            for _ in range(min(replication, len(board.ids))):
                best = board.best(place, board.ids)
                assert best is not None
                board.add(place, best)
    even_replicas(board, fresh=True)
    even_leaders(board, {place for own in places.values() for place in own})
    return {topic: [board.now[place] for place in own] for topic, own in places.items()}


def _replicate(
    board: Board, known: Mapping[Place, Assigned], wanted: Mapping[str, int], stuck: dict[Place, str]
) -> None:
    for place, replicas in board.now.items():
        number = wanted.get(place.topic, len(replicas))
        while len(replicas) < number:
            best = board.best(place, board.ids)
            if best is None:
                stuck[place] = f"there are only {many(len(board.ids), 'broker')} for {number} replicas"
                break
            board.add(place, best)
        while len(replicas) > max(1, number):
            board.drop(place, _least_needed(board, known[place]))
    even_replicas(board, fresh=True)


def _least_needed(board: Board, partition: Assigned) -> int:
    """The replica to give up: one that is not in sync first, then of the rack and of the broker that have most."""
    replicas = board.now[partition.place]

    def key(id: int) -> tuple[bool, int, int, int]:
        lost = bool(partition.in_sync) and id not in partition.in_sync
        near = 0 if board.one_rack else board.in_rack(partition.place, board.rack.get(id, ""))
        return lost, near, board.count.get(id, 0), replicas.index(id)

    return max(replicas, key=key)


def _drain(board: Board, drained: frozenset[int], only: frozenset[int], stuck: dict[Place, str]) -> None:
    targets = [id for id in board.ids if id not in drained and (not only or id in only)]
    for place, replicas in board.now.items():
        for id in [id for id in replicas if id in drained]:
            best = board.best(place, targets, instead_of=id)
            if best is None:
                stuck[place] = f"no other broker can take the replica of broker {id}"
            else:
                board.replace(place, id, best)
    even_replicas(board, fresh=True, among=targets)


def _fill(board: Board, targets: frozenset[int]) -> None:
    """Give these brokers their share of what there is, from those that hold most."""
    share = sum(board.count.values()) // max(1, len(board.ids))
    while True:
        step = None
        for new in sorted(targets, key=lambda id: (board.count[id], id)):
            if board.count[new] >= share:
                break
            for old in sorted(set(board.ids) - targets, key=lambda id: (-board.count[id], -board.bytes[id], id)):
                if board.count[old] - board.count[new] < 2:
                    break
                place = board.candidate(old, new, fresh=False)
                if place is not None:
                    step = (place, old, new)
                    break
            if step:
                break
        if step is None:
            return
        board.replace(*step)


def _to_racks(board: Board) -> None:
    """Spread each partition over the racks as far as its number of replicas and the brokers allow."""
    if board.one_rack:
        return
    for place, replicas in board.now.items():
        while True:
            by_rack = Counter(board.rack[id] for id in replicas if id in board.rack)
            free = [id for id in board.ids if id not in replicas]
            steps = [
                (by_rack[board.rack[new]] - by_rack[board.rack[old]], -board.count[old], board.count[new], old, new)
                for old in replicas
                if old in board.rack
                for new in free
                if by_rack[board.rack[old]] - by_rack[board.rack[new]] >= 2
            ]
            if not steps:
                break
            *_, old, new = min(steps)
            board.replace(place, old, new)
