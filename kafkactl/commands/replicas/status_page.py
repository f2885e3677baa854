"""replicas status: what is being moved, how far it is, what is left of a plan, and which throttles are set."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.reassignments import Moving, Reassignments
from kafkactl.cluster.throttles import read_rates
from kafkactl.placement.model import ReplicaMove
from kafkactl.replicas.progress import copied
from kafkactl.replicas.saved_plan import SavedPlan, saved_plan
from kafkactl.replicas.scene import ReplicaScene, read_scene
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.words import and_more, many, size
from kafkactl.topics import Place
from kafkactl.view import output
from kafkactl.view.output import Column
from kafkactl.view.placement_report import move_document


def show_status(target: Target, *, json: bool) -> None:
    """Look once, and tell."""
    kafka = connect(target.connection)
    with Reassignments(kafka) as reassignments:
        scene = read_scene(kafka, reassignments)
    saved = saved_plan(kafka.info.id)
    rates = read_rates(kafka, [broker.id for broker in kafka.info.brokers])
    if json:
        output.document("replicas-status", _document(kafka, scene, saved, rates))
        return
    if scene.moving:
        columns = [Column("PARTITION"), Column("FROM"), Column("TO"), Column("COPIED", True), Column("OF", True)]
        output.table(columns, [_row(place, moving, scene) for place, moving in scene.moving.items()])
        output.note(f"{many(len(scene.moving), 'partition is', 'partitions are')} being moved.")
    else:
        output.note("No partition is being moved.")
    if scene.down:
        output.note(f"Down: {'broker' if len(scene.down) == 1 else 'brokers'} {and_more(scene.down)}.")
    _tell_saved(target, scene, saved)
    for id, found in rates.items():
        if isinstance(found, str):
            output.note(f"Whether broker {id} is throttled is not known: {found}.")
            continue
        for key, value in found.items():
            if value is not None:
                whose = ", set by kafkactl" if _ours(saved, id, key, value) else ""
                output.note(f"Broker {id}: {key} is {value} ({size(int(value))}/s){whose}.")


def _row(place: Place, moving: Moving, scene: ReplicaScene) -> list[str]:
    have, want = _copied(place, moving, scene)
    unknown = bool(scene.unsized) and not any((id, place) in scene.sizes for id in moving.replicas)
    shown = ["not known", "not known"] if unknown else [size(have), size(want)]
    return [str(place), ",".join(map(str, moving.before)), ",".join(map(str, moving.after)), *shown]


def _copied(place: Place, moving: Moving, scene: ReplicaScene) -> tuple[int, int]:
    move = ReplicaMove(place, moving.before, moving.after)
    return copied(move, scene.sizes)


def _ours(saved: SavedPlan | None, broker: int, key: str, value: str) -> bool:
    pair = saved.rates.get(broker, {}).get(key) if saved else None
    return pair is not None and pair[1] == value


def _tell_saved(target: Target, scene: ReplicaScene, saved: SavedPlan | None) -> None:
    if saved is None:
        return
    begun = datetime.fromtimestamp(saved.begun / 1000).astimezone().isoformat(" ", "seconds")
    go_on = with_flags(kafkactl("replicas move"), target.flags).text
    if saved.over:
        output.note(f"The move begun {begun} is complete; not all of its throttle is removed yet.")
        output.note(f"To remove it: {go_on}")
        return
    left = [move for move in saved.moves if not _is_done(move, scene)]
    output.note(f"The move begun {begun}: {len(left):,} of {many(len(saved.moves), 'partition')} left.")
    output.note(f"To go on with it: {go_on}")


def _is_done(move: ReplicaMove, scene: ReplicaScene) -> bool:
    topic = scene.topics.get(move.place.topic)
    now = next((p for p in topic.partitions if p.id == move.place.partition), None) if topic else None
    return now is None or (now.replicas == move.after and move.place not in scene.moving)


def _document(
    kafka: Cluster, scene: ReplicaScene, saved: SavedPlan | None, rates: Mapping[int, Mapping[str, str | None] | str]
) -> dict[str, Any]:
    ours = {move.place for move in saved.moves} if saved else set()
    moving = []
    for place, found in scene.moving.items():
        have, want = _copied(place, found, scene)
        known = not scene.unsized
        moving.append(
            {
                "topic": place.topic,
                "partition": place.partition,
                "before": list(found.before),
                "after": list(found.after),
                "copied_bytes": have if known else None,
                "copies_bytes": want if known else None,
                "planned_by_kafkactl": place in ours,
            }
        )
    return {
        "cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)},
        "moving": moving,
        "brokers_down": list(scene.down),
        "saved": saved
        and {
            "begun": datetime.fromtimestamp(saved.begun / 1000).astimezone().isoformat(timespec="milliseconds"),
            "complete": saved.over,
            "throttle_bytes_per_second": saved.rate,
            "left": [move_document(move) for move in saved.moves if not _is_done(move, scene)],
        },
        "throttles": [
            {"broker": id, "setting": key, "value": value, "set_by_kafkactl": _ours(saved, id, key, value)}
            for id, found in rates.items()
            if not isinstance(found, str)
            for key, value in found.items()
            if value is not None
        ],
        "throttles_not_known": {str(id): found for id, found in rates.items() if isinstance(found, str)},
    }
