"""A change of one group's offsets: what is planned, what became of it, and how both are shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from kafkactl.cluster.client import Cluster
from kafkactl.errors import KafkactlError
from kafkactl.groups.journal import Outcome
from kafkactl.groups.reset import Move
from kafkactl.history.model import Step, StepFate
from kafkactl.text.escapes import plain
from kafkactl.topics import Place
from kafkactl.view import output
from kafkactl.view.output import Cell, Column


@dataclass(frozen=True)
class OffsetChange:
    """A change of one group's offsets. `words` describe it: "reset to the first available record".

    `besides`: what is done apart from the offsets, or is left undone. `creates`: there is no such group yet.
    `unsaved`: commits may be lost that nobody can put back, which was not agreed to so far.
    """

    group: str
    words: str
    moves: tuple[Move, ...]
    act: Callable[[], None]
    always: bool = False  # there is something to do even if no offset moves
    creates: bool = False
    besides: str = ""
    unsaved: bool = False
    hides: bool = False  # it may have commits that are not seen, whatever was agreed to

    @property
    def text(self) -> str:
        """All of it in words."""
        return f"{self.words}; {self.besides}" if self.besides else self.words


class GroupResult(NamedTuple):
    """What became of one group's change: "done", or why not. `path`: where its old offsets are saved, if they are.

    `wrong`: the partitions that have not become what was planned, where it was done in part.
    """

    outcome: Outcome | Literal["planned", "not tried"] = "planned"
    path: str = ""
    error: KafkactlError | None = None
    wrong: tuple[Place, ...] = ()


def show_offset_plan(change: OffsetChange) -> None:
    """The plan, partition by partition."""
    output.say(f"{output.style().paint(plain(change.group), 'bold')} · {plain(change.text)}")
    if not change.moves:
        output.say("  no committed offsets")
        return
    columns = [
        Column("PARTITION"),
        Column("FROM", True),
        Column("TO", True),
        Column("AGAIN", True),
        Column("SKIPPED", True),
    ]
    noted = any(map(_note, change.moves))
    output.table([*columns, *([Column("")] if noted else [])], [_cells(move, noted) for move in change.moves])


def _note(move: Move) -> str:
    """Why a partition is moved elsewhere than was asked for, or not at all."""
    unchanged = "" if move.changes else "already there" if move.old is not None else "already without a commit"
    return move.note or unchanged


def _cells(move: Move, noted: bool) -> list[Cell]:
    note = [_note(move)] if noted else []
    if not move.changes:
        return [str(move.place), move.old, output.Coloured("unchanged", "dim"), None, None, *note]
    return [str(move.place), move.old, "no commit" if move.new is None else move.new, move.again, move.skipped, *note]


def _is_done(move: Move, result: GroupResult) -> bool:
    return move.changes and result.outcome in ("done", "partly") and move.place not in result.wrong


def change_document(
    kafka: Cluster, changes: Sequence[OffsetChange], results: Mapping[str, GroupResult], *, dry_run: bool
) -> dict[str, Any]:
    """The plan and what was done, as JSON. `done`: all of it was; each group has its own `outcome`."""
    outcomes = [result.outcome for result in results.values()]
    return {
        "cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)},
        "dry_run": dry_run,
        "done": "done" in outcomes and set(outcomes) <= {"done", "planned"},
        "saved": [result.path for result in results.values() if result.path],
        "groups": [
            {
                "group": change.group,
                "change": change.text,
                "outcome": results[change.group].outcome,
                "reason": error.message if (error := results[change.group].error) else None,
                "partitions": [
                    {
                        "topic": move.topic,
                        "partition": move.partition,
                        "from": move.old,
                        "to": move.new,
                        "read_again": move.again,
                        "skipped": move.skipped,
                        "note": move.note or None,
                        "done": _is_done(move, results[change.group]),
                    }
                    for move in change.moves
                ],
            }
            for change in changes
        ],
    }


def offset_steps(change: OffsetChange, result: GroupResult) -> Iterator[Step]:
    """What a change of a group is in the history, with what became of it."""
    fate = _FATES[result.outcome]
    why = result.error.message if result.error else ""
    for move in change.moves:
        if move.changes:
            here: StepFate = "failed" if fate == "done" and move.place in result.wrong else fate
            yield Step(
                "offsets", change.group, str(move.place), _offset(move.old), _offset(move.new), fate=here, why=why
            )
    if change.always:
        yield Step("group", change.group, before="there", fate=fate, why=why)


_FATES: Mapping[str, StepFate] = {
    "done": "done",
    "partly": "done",
    "pending": "not known",
    "refused": "failed",
    "planned": "planned",
    "not tried": "not done",
}


def _offset(offset: int | None) -> str | None:
    return None if offset is None else str(offset)
