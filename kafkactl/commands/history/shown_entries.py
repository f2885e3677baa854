"""history list and show."""

from dataclasses import dataclass

import typer

from kafkactl.errors import ExitCode
from kafkactl.history.gathered import GatheredHistory, gathered_anyhow
from kafkactl.history.model import entry_document
from kafkactl.settings import Target
from kafkactl.view import history_page, output
from kafkactl.view.formats import Format


@dataclass(frozen=True)
class ListWish:
    """Which entries: about this name, since a time (ms), so many at most."""

    name: str | None
    since: int | None
    number: int
    utc: bool = False


def list_entries(target: Target, wish: ListWish, show: Format) -> None:
    """Show them. Raises Exit with 3 where not all of the history could be read."""
    found = gathered_anyhow(target, wish.since)
    chosen = [
        entry
        for entry in found.entries
        if (wish.since is None or entry.begun >= wish.since) and (wish.name is None or entry.about(wish.name))
    ]
    some = chosen[: wish.number]
    if show is Format.JSON:
        output.document(
            "history",
            {
                "complete": not found.gaps and not found.damaged,
                "gaps": [*found.gaps, *([found.damaged] if found.damaged else [])],
                "entries": [entry_document(entry) for entry in some],
                "left_out": len(chosen) - len(some),
            },
        )
    elif some:
        history_page.show_entries(some, history_page.undone(found.entries), utc=wish.utc)
        if len(chosen) > len(some):
            output.note(f"{len(chosen) - len(some):,} older ones are not shown: -n shows more.")
    else:
        about = f" about {wish.name}" if wish.name else ""
        output.say(f"No change{about} is recorded{' since then' if wish.since is not None else ''}.")
    raise typer.Exit(_tell_gaps(found))


def show_one(target: Target, id: str, show: Format, *, utc: bool) -> None:
    """Show one entry. Raises KafkactlError where there is none, or several."""
    found = gathered_anyhow(target)
    entry = found.entry(id)
    if show is Format.JSON:
        output.document("history-entry", entry_document(entry))
    else:
        history_page.show_whole_entry(
            entry, history_page.undone(found.entries).get(entry.id, ""), target.flags, utc=utc
        )
    raise typer.Exit(_tell_gaps(found))


def _tell_gaps(found: GatheredHistory) -> ExitCode:
    for gap in filter(None, (*found.gaps, found.damaged)):
        output.warn(gap)
    return ExitCode.UNREACHABLE if found.gaps else ExitCode.OK
