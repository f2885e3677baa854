"""How a plan for replicas is shown: what moves where, what each broker holds before and after, and what it costs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafkactl.placement.batches import batches_of, least_seconds
from kafkactl.placement.model import Assigned, Host, Placement, ReplicaMove, applied, holdings
from kafkactl.text.words import and_more, many, sentence, size, took
from kafkactl.topics import Place
from kafkactl.view import output
from kafkactl.view.output import Cell, Column


@dataclass(frozen=True)
class ShownPlan:
    """A plan with all that is said of it. `partitions`: all of the cluster, as they are. `unsized`: why no sizes."""

    placement: Placement
    partitions: Sequence[Assigned]
    hosts: Sequence[Host]
    leaders: Mapping[Place, int]
    batch: int
    rate: int | None = None
    unsized: str = ""
    left_out: Sequence[str] = ()

    @property
    def batches(self) -> list[tuple[ReplicaMove, ...]]:
        """The moves as they would be made."""
        return list(batches_of(self.placement.moves, self.batch))

    @property
    def least_seconds(self) -> float | None:
        """How long it takes at least; None where there is no throttle, or the sizes are not known."""
        if self.rate is None or self.placement.unsized:
            return None
        return least_seconds(self.batches, self.rate, self.leaders)


def show_placement(plan: ShownPlan) -> None:
    """The moves, then what brokers hold, to stdout; the figures and what could not be done, to stderr."""
    moves = plan.placement.moves
    if moves:
        output.table(
            [Column("PARTITION"), Column("REPLICAS"), Column("WILL BE"), Column("COPIES", True)],
            [_move_row(move) for move in moves],
        )
        output.say()
        _show_brokers(plan)
        output.note("")
    output.note(placement_summary(plan))
    for place, why in plan.placement.stuck.items():
        output.note(f"{place} stays as it is: {why}.")
    if plan.left_out:
        output.note(f"Kafka's own topics are moved by name only, and stay: {and_more(plan.left_out)}.")


def _move_row(move: ReplicaMove) -> list[Cell]:
    copies = "nothing" if not move.added else "not known" if move.size is None else size(move.to_copy)
    return [str(move.place), _ids(move.before), _ids(move.after), copies]


def _ids(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))


def _show_brokers(plan: ShownPlan) -> None:
    racks = any(host.rack for host in plan.hosts)
    columns = [Column("BROKER"), *([Column("RACK")] if racks else [])]
    columns += [Column(title, True) for title in ("REPLICAS", "LEADERS", "BYTES", "GETS")]
    rows: list[list[Cell]] = []
    for broker in _brokers(plan):
        cells: list[Cell] = [str(broker["id"])]
        cells += [broker["rack"]] if racks else []
        cells += [
            _change(str(broker[f"{what}_before"]), str(broker[f"{what}_after"])) for what in ("replicas", "leaders")
        ]
        if plan.unsized:
            cells += ["not known", "not known"]
        else:
            cells += [_change(size(broker["bytes_before"]), size(broker["bytes_after"])), size(broker["gets_bytes"])]
        rows.append(cells)
    output.table(columns, rows)


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _brokers(plan: ShownPlan) -> list[dict[str, Any]]:
    ids = [host.id for host in plan.hosts]
    before = holdings(plan.partitions, ids)
    after = holdings(applied(plan.partitions, plan.placement.moves), before)  # also of brokers that are down
    racks = {host.id: host.rack for host in plan.hosts}
    gets = dict.fromkeys(after, 0)
    for move in plan.placement.moves:
        for id in move.added:
            gets[id] += move.size or 0
    return [
        {
            "id": id,
            "rack": racks.get(id),
            "replicas_before": held.replicas,
            "replicas_after": after[id].replicas,
            "leaders_before": held.leaders,
            "leaders_after": after[id].leaders,
            "bytes_before": held.bytes,
            "bytes_after": after[id].bytes,
            "gets_bytes": gets[id],
        }
        for id, held in before.items()
    ]


def placement_summary(plan: ShownPlan) -> str:
    """What would be done, in sentences."""
    moves = plan.placement.moves
    if not moves:
        return "Nothing to do: no replica has to move."
    copied = sum(bool(move.added) for move in moves)
    given_up = sum(not move.added and bool(move.removed) for move in moves)
    ordered = len(moves) - copied - given_up
    parts = [f"{many(copied, 'partition')} copied to other brokers" if copied else ""]
    parts += [f"{many(given_up, 'partition')} with fewer replicas" if given_up else ""]
    parts += [f"{many(ordered, 'partition')} with another preferred leader" if ordered else ""]
    return f"{', '.join(filter(None, parts))}. {_cost(plan)}"


def _cost(plan: ShownPlan) -> str:
    if plan.placement.unsized:
        at_least = f"at least {size(plan.placement.to_copy)}" if plan.placement.to_copy else "not known"
        return sentence(
            f"bytes to copy: {at_least}; {many(plan.placement.unsized, 'size is', 'sizes are')} not known"
            f"{f' ({plan.unsized})' if plan.unsized else ''}."
        )
    if not plan.placement.to_copy:
        return "Nothing is copied." if not any(m.added for m in plan.placement.moves) else "They are empty."
    batches = len(plan.batches)
    text = f"{size(plan.placement.to_copy)} to copy" + (f" in {batches:,} batches" if batches > 1 else "")
    if plan.least_seconds is not None and plan.rate is not None:
        return f"{text}; at {size(plan.rate)}/s that takes {took(plan.least_seconds)} or more."
    return f"{text}, without a throttle." if plan.rate is None else f"{text}."


def placement_document(plan: ShownPlan) -> dict[str, Any]:
    """A plan as JSON; bytes are null where they are not known."""
    return {
        "moves": [move_document(move) for move in plan.placement.moves],
        "stuck": [
            {"topic": p.topic, "partition": p.partition, "reason": why} for p, why in plan.placement.stuck.items()
        ],
        "left_out": list(plan.left_out),
        "brokers": _brokers(plan),
        "copies_bytes": None if plan.placement.unsized else plan.placement.to_copy,
        "sizes_not_known": plan.unsized or None,
        "batches": len(plan.batches),
        "throttle_bytes_per_second": plan.rate,
        "least_seconds": plan.least_seconds,
    }


def move_document(move: ReplicaMove) -> dict[str, Any]:
    """A move as JSON."""
    return {
        "topic": move.place.topic,
        "partition": move.place.partition,
        "before": list(move.before),
        "after": list(move.after),
        "size_bytes": move.size,
    }
