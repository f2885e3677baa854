"""replicas plan and move: look, plan, show, ask, carry out, and say what became of it."""

import typer

from kafkactl import consent
from kafkactl.carrying_out.replica_moves import (
    carry_out_moves,
    cluster_head,
    finish_move,
    move_question,
    require_move_agreement,
)
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.cluster.reassignments import Reassignments
from kafkactl.commands.replicas.wanted import FoundPlan, WantedMoves, find_plan
from kafkactl.consent import Asked
from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.placement.model import Assigned, Placement
from kafkactl.replicas.beginning import (
    clean_up,
    new_plan,
    require_all_up,
    require_calm,
    require_room,
    still_to_do,
)
from kafkactl.replicas.run import MoveRun
from kafkactl.replicas.saved_plan import SavedPlan, only_mover, saved_plan
from kafkactl.replicas.scene import ReplicaScene, read_scene
from kafkactl.settings import Target
from kafkactl.view import move_report, output, placement_report
from kafkactl.view.placement_report import ShownPlan


def show_only(target: Target, want: WantedMoves, *, json: bool) -> None:
    """The plan, and nothing else."""
    kafka = connect(target.connection)
    with Reassignments(kafka) as reassignments:
        scene = read_scene(kafka, reassignments, want.topics)
    found = find_plan(want, scene)
    shown = _shown(found, scene, want.batch, want.throttle)
    if json:
        output.document("replicas-plan", {**cluster_head(kafka), **placement_report.placement_document(shown)})
    else:
        placement_report.show_placement(shown)
        _tell_obstacles(kafka, scene)
        _tell_declared(target, want, found)
    raise typer.Exit(ExitCode.FOUND if found.placement.stuck else ExitCode.OK)


def _shown(found: FoundPlan, scene: ReplicaScene, batch: int, rate: int | None) -> ShownPlan:
    return ShownPlan(
        found.placement, found.partitions, scene.hosts, scene.leaders, batch, rate, scene.unsized, found.left_out
    )


def _tell_obstacles(kafka: Cluster, scene: ReplicaScene) -> None:
    """Why a move would not begin now."""
    saved = saved_plan(kafka.info.id)
    try:
        require_all_up(scene)
        require_calm(scene, saved)
    except KafkactlError as error:
        output.note(f"It would not begin now: {error.message.removeprefix('Nothing was changed: ')}")


def _tell_declared(target: Target, want: WantedMoves, found: FoundPlan) -> None:
    """Where topics.yaml declares another replication, which init-topics would make so again."""
    if want.replication is None or target.catalog is None:
        return
    for name in found.chosen:
        declared = target.catalog.topics.get(name)
        if declared and declared.replication not in (None, want.replication):
            output.note(f"{declared.position} declares replication {declared.replication} for {name}.")


def move(asked: Asked, want: WantedMoves) -> None:
    """Plan anew, and carry it out."""
    kafka = connect(asked.target.connection)
    with Reassignments(kafka) as reassignments:
        scene = read_scene(kafka, reassignments, want.topics)
        found = find_plan(want, scene)
        shown = _shown(found, scene, want.batch, want.throttle)
        if not asked.json:
            placement_report.show_placement(shown)
            _tell_declared(asked.target, want, found)
        if asked.dry_run or not found.placement.moves:
            if asked.dry_run and not asked.json:
                _tell_obstacles(kafka, scene)
            finish_move(kafka, asked, shown, None, "Dry run: nothing was changed." if asked.dry_run else "")
        with only_mover(kafka.info.id):
            saved = saved_plan(kafka.info.id)
            require_all_up(scene)
            require_calm(scene, saved)
            require_room(scene, found.placement.moves)
            require_move_agreement(kafka, asked, want.throttle, found.placement)
            if not asked.yes:
                consent.require_yes(f"\n{move_question(found.placement)} on {asked.target.connection.label}. Proceed?")
                _require_same(kafka, reassignments, want, found)
            if saved is not None and not saved.over:
                output.note(
                    "The rest of an earlier move, which was interrupted, is forgotten: this plan is in its place."
                )
            for text in clean_up(kafka, saved):
                output.warn(f"What an earlier run throttled is not free yet: {text}.")
            plan = new_plan(kafka, found.placement.moves, want.throttle, want.batch, saved)
            carry_out_moves(
                kafka,
                asked,
                MoveRun(
                    kafka,
                    reassignments,
                    plan,
                    scene.topics,
                    [host.id for host in scene.hosts],
                    move_report.move_listener(),
                ),
                shown,
            )


def _require_same(kafka: Cluster, reassignments: Reassignments, want: WantedMoves, found: FoundPlan) -> None:
    """Raise KafkactlError where replicas are elsewhere now: the yes was for what was shown."""
    scene = read_scene(kafka, reassignments, want.topics)
    require_all_up(scene)
    now = {partition.place: partition.replicas for partition in scene.assigned()}
    if scene.moving or any(now.get(move.place) != move.before for move in found.placement.moves):
        raise KafkactlError(
            "Nothing was changed: replicas moved while you were asked.", hint="Run it again to see a new plan."
        )


def go_on(asked: Asked, throttle: int | None, batch: int | None) -> None:
    """Take up an earlier move where it stopped, at its own throttle or at another one."""
    kafka = connect(asked.target.connection)
    with Reassignments(kafka) as reassignments, only_mover(kafka.info.id):
        saved = saved_plan(kafka.info.id)
        if saved is None:
            raise UsageError(
                "No move was interrupted on this cluster, and nothing says what is to become of the replicas.",
                hint="Use --from, --to, --spread or --replication.",
            )
        if saved.over:
            _only_throttle(kafka, saved)
        scene = read_scene(kafka, reassignments, sorted({move.place.topic for move in saved.moves}))
        ids = read_topic_ids(kafka, sorted({m.place.topic for m in saved.moves if m.place.topic in scene.topics}))
        todo, over, changed = still_to_do(saved, scene, ids)
        rate, size_ = throttle or saved.rate, batch or saved.batch
        shown = ShownPlan(
            Placement(tuple(todo)), _as_before(scene), scene.hosts, scene.leaders, size_, rate, scene.unsized
        )
        if not asked.json:
            placement_report.show_placement(shown)
        for place, why in changed.items():
            output.note(f"{place} is left alone: {why}.")
        if asked.dry_run:
            finish_move(kafka, asked, shown, None, "Dry run: nothing was changed.")
        require_all_up(scene)
        require_room(scene, todo)
        require_move_agreement(kafka, asked, rate, shown.placement)
        if not asked.yes and todo:
            consent.require_yes(f"\n{move_question(shown.placement)} on {asked.target.connection.label}. Proceed?")
        plan = SavedPlan(saved.cluster, saved.begun, tuple(todo), rate, size_, saved.ids, saved.rates, saved.lists)
        run = MoveRun(
            kafka,
            reassignments,
            plan,
            scene.topics,
            [host.id for host in scene.hosts],
            move_report.move_listener(),
            over,
        )
        if not todo:
            output.note(
                "Kafka has finished what was begun: what is left is to remove the throttle, and to elect leaders."
            )
        carry_out_moves(kafka, asked, run, shown)


def _as_before(scene: ReplicaScene) -> list[Assigned]:
    """The partitions, those that are being moved with the replicas they had before."""
    return [
        p._replace(replicas=scene.moving[p.place].before) if p.place in scene.moving else p for p in scene.assigned()
    ]


def _only_throttle(kafka: Cluster, saved: SavedPlan) -> None:
    left = clean_up(kafka, saved)
    for text in left:
        output.warn(f"The throttle is not removed everywhere: {text}.")
    output.note("The earlier move was complete." + ("" if left else " What was left of its throttle is removed."))
    raise typer.Exit(ExitCode.FOUND if left else ExitCode.OK)
