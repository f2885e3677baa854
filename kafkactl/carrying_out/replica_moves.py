"""Moves of replicas carried out: agreed to, noted in the history, made, and accounted for."""

from collections.abc import Iterable
from typing import Any

import typer

from kafkactl import consent
from kafkactl.carrying_out.recorded import recorded
from kafkactl.cluster.client import Cluster
from kafkactl.consent import Asked
from kafkactl.errors import ExitCode, KafkactlError, Terminated, UsageError
from kafkactl.history.model import Step, StepFate
from kafkactl.placement.batches import batches_of
from kafkactl.placement.model import Placement, ReplicaMove
from kafkactl.replicas.beginning import require_fast_enough
from kafkactl.replicas.run import MoveOutcome, MoveRun
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.words import many, size
from kafkactl.view import move_report, output, placement_report
from kafkactl.view.placement_report import ShownPlan


def move_question(placement: Placement) -> str:
    """What is agreed to."""
    copies = f", copying {size(placement.to_copy)}" if placement.to_copy else ""
    return f"Move replicas of {many(len(placement.moves), 'partition')}{copies},"


def require_move_agreement(kafka: Cluster, asked: Asked, rate: int | None, placement: Placement) -> None:
    """Raise KafkactlError where a protected cluster is not named or has no throttle, or where one would never end."""
    copying = any(move.added for move in placement.moves)
    environment = consent.protection(asked.target, kafka.info.id, kafka.info.addresses)
    if environment is not None and rate is None and copying:
        raise UsageError(
            f"Nothing was changed: {environment.name} is protected, and copying replicas there needs a throttle.",
            hint="Such as --throttle 50MB/s",
        )
    consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, "move replicas", kafka.info.addresses)
    if rate is not None and copying:
        unknown = require_fast_enough(kafka, placement.moves, rate)
        if unknown:
            output.note(f"Whether the throttle is above what is written is not known: {unknown}.")


def carry_out_moves(kafka: Cluster, asked: Asked, run: MoveRun, shown: ShownPlan, *, undoes: str = "") -> None:
    """Move, note it, and say what became of it. Raises Exit with the exit code, or what stopped it."""
    stopped: BaseException | None = None
    if not asked.json and shown.batches:
        first = shown.batches[0]
        at = f" at {size(run.plan.rate)}/s" if run.plan.rate else ""
        output.note(f"\nMoving {many(len(run.plan.moves), 'partition')}{at}, {len(first):,} in the first batch.")
    with recorded(asked.target, kafka, move_steps(run.plan.moves), undoes=undoes) as recording:
        try:
            run.go()
        except (KafkactlError, KeyboardInterrupt, Terminated) as error:
            stopped = error  # what was done until then is told first
        recording.end(move_steps(run.plan.moves, run.outcome))
    outcome = run.outcome
    if asked.json:
        _document_of(kafka, shown, run, dry_run=False)
    move_report.tell_outcome(outcome, interrupted=stopped is not None)
    if outcome.left:
        flags = asked.target.flags
        output.note(f"To go on: {with_flags(kafkactl('replicas move'), flags).text}")
        if outcome.started:
            output.note(f"To go back: {with_flags(kafkactl('replicas cancel'), flags).text}")
    if stopped is not None:
        raise stopped
    trouble = outcome.failed or outcome.throttle_left or outcome.not_elected or shown.placement.stuck
    raise typer.Exit(ExitCode.FOUND if trouble else ExitCode.OK)


def finish_move(kafka: Cluster, asked: Asked, shown: ShownPlan, run: MoveRun | None, words: str) -> None:
    """Say that nothing was moved. Raises Exit."""
    if asked.json:
        _document_of(kafka, shown, run, dry_run=asked.dry_run)
    if words:
        output.note(words)
    raise typer.Exit(ExitCode.FOUND if shown.placement.stuck else ExitCode.OK)


def _document_of(kafka: Cluster, shown: ShownPlan, run: MoveRun | None, *, dry_run: bool) -> None:
    outcome = (
        run.outcome
        if run
        else MoveOutcome(left=[move for batch in batches_of(shown.placement.moves) for move in batch])
    )
    output.document(
        "replicas-move",
        {
            **cluster_head(kafka),
            "dry_run": dry_run,
            "plan": placement_report.placement_document(shown),
            **move_report.outcome_document(outcome),
        },
    )


def cluster_head(kafka: Cluster) -> dict[str, Any]:
    """Which cluster a document is about."""
    return {"cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)}}


def move_steps(moves: Iterable[ReplicaMove], outcome: MoveOutcome | None = None) -> list[Step]:
    """Moves as the history has them: before and after are the ids of brokers, the preferred leader first."""
    return [
        Step("replicas", m.place.topic, str(m.place), _ids(m.before), _ids(m.after), fate=fate, why=why)
        for m in moves
        for fate, why in [_fate(m, outcome)]
    ]


def _ids(replicas: Iterable[int]) -> str:
    return ",".join(map(str, replicas))


def _fate(move: ReplicaMove, outcome: MoveOutcome | None) -> tuple[StepFate, str]:
    if outcome is None:
        return "planned", ""
    if move.place in outcome.failed:
        return "failed", outcome.failed[move.place]
    if any(started.place == move.place for started in outcome.started):
        return "not known", "interrupted: Kafka goes on with it"
    return ("not done", "") if any(left.place == move.place for left in outcome.left) else ("done", "")
