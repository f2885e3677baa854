"""Before a move begins: what an earlier run left, what somebody else is moving, and whether a throttle can work."""

import time
from collections.abc import Mapping, Sequence

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.cluster.storage import read_replica_sizes
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.placement.batches import never_ends
from kafkactl.placement.model import ReplicaMove
from kafkactl.replicas.saved_plan import SavedPlan
from kafkactl.replicas.scene import ReplicaScene
from kafkactl.replicas.throttle import remove_throttle
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import and_more, many, size
from kafkactl.topics import Place

_MEASURED_SECONDS = 1.5


def require_all_up(scene: ReplicaScene) -> None:
    """Raise UnreachableError where a broker that holds replicas is down."""
    if down := scene.down:
        which = f"broker {down[0]} is" if len(down) == 1 else f"brokers {and_more(down)} are"
        raise UnreachableError(
            f"Nothing was changed: {which} down, and replicas are only moved while every broker is up.",
            hint=kafkactl("doctor", note="To find out why"),
        )


def require_room(scene: ReplicaScene, moves: Sequence[ReplicaMove]) -> None:
    """Raise KafkactlError where a broker would get more than its disks have room for, as far as that is known."""
    gets: dict[int, int] = {}
    for move in moves:
        for id in move.added:
            there = scene.sizes.get((id, move.place), 0)
            gets[id] = gets.get(id, 0) + max(0, (move.size or 0) - there)
    for id, bytes_ in sorted(gets.items()):
        room = scene.usable.get(id)
        if room is not None and bytes_ > room:
            raise KafkactlError(
                f"Nothing was changed: broker {id} would get {size(bytes_)}, and has room for {size(room)}.",
                hint="Move fewer topics, or to other brokers.",
            )


def require_calm(scene: ReplicaScene, saved: SavedPlan | None) -> None:
    """Raise KafkactlError where replicas are being moved already."""
    if not scene.moving:
        return
    ours = {move.place for move in saved.moves} if saved and not saved.over else set()
    if ours & scene.moving.keys():
        raise KafkactlError(
            f"Nothing was changed: an earlier move is not finished: "
            f"{many(len(scene.moving), 'partition is', 'partitions are')} being moved.",
            hint=[
                kafkactl("replicas move", note="To go on with it"),
                kafkactl("replicas cancel", note="To go back"),
            ],
        )
    raise KafkactlError(
        f"Nothing was changed: {many(len(scene.moving), 'partition is', 'partitions are')} being moved already, "
        "begun by somebody else.",
        hint=kafkactl("replicas status", note="To see them"),
    )


def still_to_do(
    saved: SavedPlan, scene: ReplicaScene, ids: Mapping[str, str]
) -> tuple[list[ReplicaMove], list[ReplicaMove], dict[Place, str]]:
    """What is left of a saved plan; what is over; and what is not done any more, because it changed in the meantime."""
    todo: list[ReplicaMove] = []
    over: list[ReplicaMove] = []
    changed: dict[Place, str] = {}
    for move in saved.moves:
        topic = scene.topics.get(move.place.topic)
        now = next((p for p in topic.partitions if p.id == move.place.partition), None) if topic else None
        moving = scene.moving.get(move.place)
        before, known = saved.ids.get(move.place.topic), ids.get(move.place.topic)
        if now is None:
            changed[move.place] = "the topic no longer exists"
        elif before and known and before != known:
            changed[move.place] = "the topic was deleted and recreated"
        elif moving:
            if set(moving.after) == set(move.after):
                todo.append(move)
            else:
                changed[move.place] = f"it is being moved to {and_more(moving.after, 9)} by somebody else"
        elif now.replicas == move.after:
            over.append(move)
        elif set(now.replicas) == set(move.before):
            todo.append(move)
        else:
            changed[move.place] = f"it has replicas on {and_more(now.replicas, 9)} now"
    return todo, over, changed


def new_plan(
    kafka: Cluster, moves: Sequence[ReplicaMove], rate: int | None, batch: int, earlier: SavedPlan | None
) -> SavedPlan:
    """A plan that is about to be carried out, not yet on disk. What is left of an earlier one's throttle goes along."""
    plan = SavedPlan(
        kafka.info.id,
        int(time.time() * 1000),
        tuple(moves),
        rate,
        batch,
        read_topic_ids(kafka, sorted({move.place.topic for move in moves})),
    )
    if earlier is not None:
        plan.rates, plan.lists = earlier.rates, earlier.lists
    return plan


def clean_up(kafka: Cluster, saved: SavedPlan | None) -> list[str]:
    """Take away what an earlier run's throttle left, on brokers that are up; what still is left, in sentences."""
    if saved is None or not saved.throttled:
        return []
    return remove_throttle(kafka, saved, [broker.id for broker in kafka.info.brokers])


def require_fast_enough(kafka: Cluster, moves: Sequence[ReplicaMove], rate: int) -> str:
    """Raise KafkactlError for a throttle that what is written would never let end; why that is not known, else ""."""
    places = {move.place for move in moves if move.added}
    if not places:
        return ""
    written = _written(kafka, places)
    if isinstance(written, str):
        return written
    slow = never_ends(moves, written, rate)
    if slow:
        id, speed = max(slow.items(), key=lambda item: item[1])
        raise KafkactlError(
            f"Nothing was changed: at {size(rate)}/s the move would never end: {size(speed)}/s are written to the "
            f"partitions that broker {id} gets.",
            hint=f"Choose a throttle well above {size(speed)}/s, or move fewer topics at a time.",
        )
    return ""


def _written(kafka: Cluster, places: set[Place]) -> dict[Place, float] | str:
    """Bytes a second by which partitions grow; why that is not known, in words."""
    before, missing = _largest(kafka, places)
    start = time.monotonic()
    if not missing:
        time.sleep(_MEASURED_SECONDS)
        after, missing = _largest(kafka, places)
    if missing:
        return missing
    seconds = time.monotonic() - start
    return {place: max(0, after.get(place, 0) - size) / seconds for place, size in before.items()}


def _largest(kafka: Cluster, places: set[Place]) -> tuple[dict[Place, int], str]:
    sizes = read_replica_sizes(kafka)
    found: dict[Place, int] = {}
    for (_, place), bytes_ in sizes.of.items():
        if place in places:
            found[place] = max(bytes_, found.get(place, 0))
    return found, sizes.missing
