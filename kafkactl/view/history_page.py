"""The history as it is shown: one line an entry, or one entry with all it changed."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from kafkactl.history.model import HistoryEntry, Step
from kafkactl.history.undo import lasting_steps, step_words, summary_words
from kafkactl.text.escapes import plain
from kafkactl.text.remedies import Command, kafkactl, with_flags
from kafkactl.text.words import many
from kafkactl.view import output

_COLOURS = {"done": "green", "partly done": "yellow", "not done": "dim", "not known": "red", "begun": "red"}
_SHOWN = 200  # steps


def show_entries(entries: Sequence[HistoryEntry], undone_by: dict[str, str], *, utc: bool) -> None:
    """A table of entries."""
    columns = [output.Column(title) for title in ("TIME", "ID", "WHO", "WHAT", "OUTCOME")]
    output.table(
        columns,
        [
            [
                _time(entry.begun, utc=utc),
                entry.id,
                f"{entry.person}@{entry.host}",
                summary_words(entry),
                output.Coloured(_outcome(entry, undone_by.get(entry.id, "")), _COLOURS[entry.outcome]),
            ]
            for entry in entries
        ],
    )


def show_whole_entry(entry: HistoryEntry, undone_by: str, flags: Sequence[str], *, utc: bool) -> None:
    """One entry, with each of its steps, and what can be taken back of it."""
    ended = f"to {_time(entry.ended, utc=utc)}" if entry.ended else "its end was not written down"
    output.say(f"{output.style().paint(entry.id, 'bold')} · {_outcome(entry, undone_by)}")
    output.say(f"{_time(entry.begun, utc=utc)}, {ended} · {plain(entry.person)}@{plain(entry.host)}")
    output.say(f"cluster {entry.cluster or 'not known'} at {entry.address}")
    output.say(Command(entry.command).text)
    if entry.undoes:
        output.say(f"It takes back {entry.undoes}.")
    output.say()
    rows: list[list[output.Cell]] = [[step_words(step), step.fate, step.why] for step in entry.steps[:_SHOWN]]
    whys = any(step.why for step in entry.steps)
    columns = [output.Column("WHAT"), output.Column("OUTCOME"), *([output.Column("WHY")] if whys else [])]
    output.table(columns, [row if whys else row[:2] for row in rows])
    if more := len(entry.steps) - len(rows):
        output.note(f"{many(more, 'more step')} in -o json.")
    if entry.left_out:
        output.note(f"{many(entry.left_out, 'step')} did not fit into the record of the shared history.")
    for found in lasting_steps(entry.done):
        output.note(f"Not to be taken back: {found.what}: {found.why}.")
    if _can_be_undone(entry.done):
        output.note(f"To undo it: {with_flags(kafkactl('history undo', entry.id), flags).text}")


def _can_be_undone(steps: Iterable[Step]) -> bool:
    return any(step.kind in ("config", "override", "offsets", "access", "replicas") for step in steps)


def undone(entries: Iterable[HistoryEntry]) -> dict[str, str]:
    """Which entries were taken back, by the ids of those that did it."""
    return {entry.undoes: entry.id for entry in entries if entry.undoes and entry.outcome == "done"}


def when_and_who(entry: HistoryEntry) -> str:
    """When it was done, and by whom."""
    return f"at {_time(entry.begun, utc=False)} by {plain(entry.person)}@{plain(entry.host)}"


def _outcome(entry: HistoryEntry, undone_by: str) -> str:
    words = "begun, its end is not known" if entry.outcome == "begun" else entry.outcome
    return f"{words}, undone by {undone_by}" if undone_by else words


def _time(milliseconds: int, *, utc: bool) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return (moment if utc else moment.astimezone()).isoformat(sep=" ", timespec="seconds")
