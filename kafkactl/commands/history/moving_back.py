"""history undo of replicas that were moved: they go back to the brokers they were on."""

from kafkactl import consent
from kafkactl.carrying_out.replica_moves import carry_out_moves, finish_move, move_question, require_move_agreement
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topic_ids
from kafkactl.cluster.reassignments import Reassignments
from kafkactl.commands.history.agreeing import agree_to_later
from kafkactl.consent import Asked
from kafkactl.errors import KafkactlError
from kafkactl.history.model import HistoryEntry, Step
from kafkactl.placement.batches import DEFAULT_BATCH
from kafkactl.placement.model import Placement, ReplicaMove
from kafkactl.replicas.beginning import clean_up, new_plan, require_all_up, require_calm, require_room
from kafkactl.replicas.run import MoveRun
from kafkactl.replicas.saved_plan import only_mover, saved_plan
from kafkactl.replicas.scene import ReplicaScene, read_scene
from kafkactl.topics import Place
from kafkactl.view import move_report, output, placement_report
from kafkactl.view.placement_report import ShownPlan


def move_back(kafka: Cluster, asked: Asked, entry: HistoryEntry, rate: int | None, *, later: bool) -> None:
    """Show the moves back, ask, and make them. Raises Exit with the exit code, KafkactlError where none is possible."""
    steps = [step for step in entry.done if step.kind == "replicas"]
    topics = sorted({step.name for step in steps})
    ids = read_topic_ids(kafka, topics)
    with Reassignments(kafka) as reassignments, only_mover(kafka.info.id):
        scene = read_scene(kafka, reassignments, [name for name in topics if name in ids])
        moves, changed = _moves(steps, scene, ids)
        placement = Placement(tuple(moves))
        shown = ShownPlan(
            placement, list(scene.assigned()), scene.hosts, scene.leaders, DEFAULT_BATCH, rate, scene.unsized
        )
        if not asked.json:
            placement_report.show_placement(shown)
        if asked.dry_run or not moves:
            words = (
                "Dry run: nothing was changed." if asked.dry_run else "Nothing to do: all of them are where they were."
            )
            finish_move(kafka, asked, shown, None, words)
        agree_to_later(asked, changed, later=later)
        saved = saved_plan(kafka.info.id)
        require_all_up(scene)
        require_calm(scene, saved)
        require_room(scene, placement.moves)
        require_move_agreement(kafka, asked, rate, placement)
        if not asked.yes:
            consent.require_yes(f"\n{move_question(placement)} on {asked.target.connection.label}. Proceed?")
        for text in clean_up(kafka, saved):
            output.warn(f"What an earlier run throttled is not free yet: {text}.")
        plan = new_plan(kafka, placement.moves, rate, DEFAULT_BATCH, saved)
        brokers = [host.id for host in scene.hosts]
        run = MoveRun(kafka, reassignments, plan, scene.topics, brokers, move_report.move_listener())
        carry_out_moves(kafka, asked, run, shown, undoes=entry.id)


def _moves(steps: list[Step], scene: ReplicaScene, ids: dict[str, str]) -> tuple[list[ReplicaMove], list[str]]:
    """The moves back, and where replicas are neither as before nor as after. Raises KafkactlError."""
    now = {partition.place: partition for partition in scene.assigned()}
    up = {host.id for host in scene.hosts}
    moves: list[ReplicaMove] = []
    changed: list[str] = []
    for step in steps:
        place = Place.of_text(step.key)
        there = now.get(place)
        if there is None or (step.id and ids.get(place.topic) != step.id):
            output.note(f"Not taken back: {place} was deleted, or recreated, since, or is hidden from this user.")
            continue
        wanted, after = _ids(step.before), _ids(step.after)
        if there.replicas == wanted:
            continue
        if gone := sorted(set(wanted) - up):
            raise KafkactlError(f"Nothing was changed: {place} was on broker {gone[0]}, which is not up.")
        if there.replicas != after:
            changed.append(f"{place} is on {','.join(map(str, there.replicas))}")
        moves.append(ReplicaMove(place, there.replicas, wanted, there.size))
    return moves, changed


def _ids(text: str | None) -> tuple[int, ...]:
    return tuple(int(id) for id in (text or "").split(",") if id)
