"""replicas cancel: go back to the replicas from before, for what is under way; remove the throttle; forget the rest."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import typer

from kafkactl import consent
from kafkactl.carrying_out.recorded import recorded
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_present
from kafkactl.cluster.reassignments import Moving, Reassignments, refused_all
from kafkactl.commands.replicas.wanted import chosen_topics
from kafkactl.consent import Asked
from kafkactl.errors import ExitCode, UnreachableError
from kafkactl.history.model import Step
from kafkactl.replicas.beginning import clean_up
from kafkactl.replicas.saved_plan import SavedPlan, only_mover, saved_plan
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import many
from kafkactl.topics import Place
from kafkactl.view import output
from kafkactl.view.output import Column

_CANCEL_SECONDS = 30.0


def cancel(asked: Asked, names: Sequence[str]) -> None:
    """Show what would be reverted, ask, revert it, and wait until Kafka has done so."""
    kafka = connect(asked.target.connection)
    with Reassignments(kafka) as reassignments, only_mover(kafka.info.id):
        moving = reassignments.listed()
        if names:
            wanted = chosen_topics(names, read_present(kafka).topics)
            moving = {place: found for place, found in moving.items() if place.topic in wanted}
        saved = saved_plan(kafka.info.id)
        if not asked.json:
            _show(moving, saved)
        rest = saved is not None and not names  # a plan is forgotten as a whole
        if asked.dry_run or not (moving or rest):
            _document(kafka, asked, moving, [], [])
            output.note("Dry run: nothing was changed." if asked.dry_run else "Nothing to cancel.")
            raise typer.Exit(ExitCode.OK)
        consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, "move replicas", kafka.info.addresses)
        if not asked.yes:
            consent.require_yes(f"\n{_question(moving)} on {asked.target.connection.label}. Proceed?")
        steps = [
            Step("replicas", place.topic, str(place), _ids(found.after), _ids(found.before))
            for place, found in moving.items()
        ]
        with recorded(asked.target, kafka, steps) as recording:
            refused = reassignments.cancel(list(moving))
            back = _await_end(reassignments, [place for place in moving if place not in refused])
            recording.end([replace(s, fate="done" if Place.of_text(s.key) in back else "failed") for s in steps])
        left = _forget(kafka, saved) if rest and not refused else []
    _document(kafka, asked, moving, back, left)
    output.note(f"{many(len(back), 'partition has', 'partitions have')} the replicas from before.")
    if rest and not refused:
        output.note("The rest of the plan is forgotten." + ("" if left else " No throttle of kafkactl's is left."))
    for text in left:
        output.warn(f"The throttle is not removed everywhere: {text}.")
    if refused:
        raise refused_all(refused)
    raise typer.Exit(ExitCode.FOUND if left else ExitCode.OK)


def _ids(replicas: Iterable[int]) -> str:
    return ",".join(map(str, replicas))


def _question(moving: Mapping[Place, Moving]) -> str:
    if not moving:
        return "Forget the rest of the plan, and remove its throttle,"
    return f"Give {many(len(moving), 'partition')} the replicas from before,"


def _show(moving: Mapping[Place, Moving], saved: SavedPlan | None) -> None:
    ours = {move.place for move in saved.moves} if saved else set()
    if not moving:
        return
    output.table(
        [Column("PARTITION"), Column("MOVING TO"), Column("WILL BE"), Column("")],
        [
            [
                str(place),
                ",".join(map(str, found.after)),
                ",".join(map(str, found.before)),
                "" if place in ours else "not begun by kafkactl here",
            ]
            for place, found in moving.items()
        ],
    )


def _await_end(reassignments: Reassignments, places: Sequence[Place]) -> list[Place]:
    """Wait until Kafka lists none of these any more. Raises UnreachableError if that takes too long."""
    deadline = time.monotonic() + _CANCEL_SECONDS
    while left := set(places) & reassignments.listed().keys():
        if time.monotonic() > deadline:
            raise UnreachableError(
                f"Kafka has not reverted {many(len(left), 'partition')} after {_CANCEL_SECONDS:.0f} s.",
                hint=kafkactl("replicas status", note="To see them"),
            )
        time.sleep(0.1)
    return list(places)


def _forget(kafka: Cluster, saved: SavedPlan | None) -> list[str]:
    """Forget a plan, once its throttle is removed; what is left of that."""
    if saved is None:
        return []
    saved.over = True
    left = clean_up(kafka, saved)
    if not saved.throttled:
        saved.forget()
    return left


def _document(
    kafka: Cluster, asked: Asked, moving: Mapping[Place, Moving], back: Sequence[Place], left: Sequence[str]
) -> None:
    if not asked.json:
        return
    done = set(back)
    output.document(
        "replicas-cancel",
        {
            "cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)},
            "dry_run": asked.dry_run,
            "partitions": [
                {
                    "topic": place.topic,
                    "partition": place.partition,
                    "moving_to": list(found.after),
                    "before": list(found.before),
                    "cancelled": place in done,
                }
                for place, found in moving.items()
            ],
            "throttle_left": list(left),
        },
    )
