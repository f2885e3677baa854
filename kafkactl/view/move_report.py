"""What is told of a move while it goes on, and of how it ended."""

import sys
import time
from typing import Any

from kafkactl.placement.model import ReplicaMove
from kafkactl.replicas.run import MoveListener, MoveOutcome
from kafkactl.text.words import many, size, took
from kafkactl.view import output
from kafkactl.view.placement_report import move_document

_EVERY_SECONDS = 30.0  # a line, where nobody looks at a terminal


def move_listener() -> MoveListener:
    """Someone who tells a person: a line that stands on a terminal, else one every half minute."""
    last = [time.monotonic()]

    def progress(text: str) -> None:
        if output.is_terminal(sys.stderr):
            output.stand(text)
        elif time.monotonic() - last[0] >= _EVERY_SECONDS:
            last[0] = time.monotonic()
            output.note(text)

    return MoveListener(output.note, progress)


def tell_outcome(outcome: MoveOutcome, *, interrupted: bool = False) -> None:
    """What was done and what was not, in lines."""
    output.stand("")
    for place, why in outcome.failed.items():
        output.note(f"{place} was not moved: {why}.")
    for place_text, why in outcome.not_elected.items():
        output.note(f"{place_text}: its preferred leader was not elected: {why}.")
    output.note(_done_words(outcome))
    if outcome.started:
        freely = ", without a throttle" if interrupted and not outcome.throttle_left else ""
        output.note(f"Kafka goes on with {many(len(outcome.started), 'partition')} that it has begun to move{freely}.")
    for text in outcome.throttle_left:
        output.warn(f"The throttle is not removed everywhere: {text}.")


def _done_words(outcome: MoveOutcome) -> str:
    copied = sum(move.to_copy for move in outcome.done)
    bytes_ = f", {size(copied)} copied" if copied else ""
    words = f"{many(len(outcome.done), 'partition')} moved{bytes_} in {took(outcome.seconds)}."
    rest = []
    if outcome.failed:
        rest.append(f"{len(outcome.failed):,} not moved.")
    if outcome.left:
        rest.append(f"{len(outcome.left):,} left.")
    return " ".join([words if outcome.done else "No partition was moved.", *rest])


def outcome_document(outcome: MoveOutcome) -> dict[str, Any]:
    """How a move ended, as JSON: each partition of its plan is in one of `done`, `failed` and `not_done`."""
    started = {move.place for move in outcome.started}

    def left(move: ReplicaMove) -> dict[str, Any]:
        return {**move_document(move), "begun": move.place in started}

    return {
        "done": [move_document(move) for move in outcome.done],
        "failed": [{"topic": p.topic, "partition": p.partition, "reason": why} for p, why in outcome.failed.items()],
        "not_done": [left(move) for move in outcome.left],
        "not_elected": outcome.not_elected,
        "throttle_left": outcome.throttle_left,
        "seconds": round(outcome.seconds, 3),
    }
