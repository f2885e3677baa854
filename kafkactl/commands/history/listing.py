"""history list and show: the entries of this machine and of the shared topic, together."""

from dataclasses import dataclass

import typer

from kafkactl.cluster.client import Cluster, connect
from kafkactl.errors import ExitCode, KafkactlError, UnreachableError, UsageError
from kafkactl.history.book import HistoryBook, every_book
from kafkactl.history.model import HistoryEntry, entry_document, merged
from kafkactl.history.shared import read_shared
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import and_more
from kafkactl.view import history_page, output
from kafkactl.view.formats import Format


@dataclass(frozen=True)
class Wish:
    """Which entries: about this name, since a time (ms), so many at most."""

    name: str | None
    since: int | None
    number: int
    utc: bool = False


@dataclass(frozen=True)
class Found:
    """The entries, the newest first; `gaps` says what is not among them, and why."""

    entries: list[HistoryEntry]
    gaps: list[str]
    error: UnreachableError | None = None  # why Kafka was not asked


def list_entries(target: Target, wish: Wish, show: Format) -> None:
    """Show them. Raises Exit with 3 where the shared history could not be read."""
    found = _everywhere(target, wish.since)
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
                "complete": not found.gaps,
                "gaps": found.gaps,
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
    found = _everywhere(target, None)
    entry = chosen_entry(found, id)
    if show is Format.JSON:
        output.document("history-entry", entry_document(entry))
    else:
        history_page.show_entry(entry, history_page.undone(found.entries).get(entry.id, ""), target.flags, utc=utc)
    raise typer.Exit(_tell_gaps(found))


def _tell_gaps(found: Found) -> ExitCode:
    for gap in found.gaps:
        output.warn(gap)
    return ExitCode.UNREACHABLE if found.gaps else ExitCode.OK


def _everywhere(target: Target, since: int | None) -> Found:
    try:
        kafka = connect(target.connection)
    except UnreachableError as error:
        address = target.connection.address
        kept = [entry for id in every_book() for entry in HistoryBook(id).entries() if entry.address == address]
        why = (
            f"Kafka cannot be asked: {error.message.rstrip('.')}. Shown is what was changed through {address} from here"
        )
        return Found(merged(kept), [why], error)
    return entries_of(target, kafka, since)


def entries_of(target: Target, kafka: Cluster, since: int | None = None) -> Found:
    """What is recorded of this cluster, on this machine and in the topic that topics.yaml names."""
    gaps: list[str] = []
    entries: list[HistoryEntry] = []
    try:
        entries += HistoryBook(kafka.info.id).entries()
        lost = HistoryBook("").entries()  # of changes made while it did not answer
        entries += [entry for entry in lost if entry.address == target.connection.address]
    except OSError as error:
        gaps.append(f"the history on this machine could not be read: {error.strerror}")
    topic = target.catalog.history if target.catalog else ""
    if topic:
        shared, why = read_shared(kafka, topic, since)
        entries += [entry for entry in shared if entry.cluster == kafka.info.id]
        if why:
            gaps.append(f"the shared history could not be read: {why}")
    return Found(merged(entries), gaps)


def chosen_entry(found: Found, id: str) -> HistoryEntry:
    """The entry whose id begins so. Raises KafkactlError where there is none, UsageError where there are several."""
    fitting = [entry for entry in found.entries if entry.id.startswith(id)]
    if len(fitting) > 1:
        raise UsageError(
            f"{id} is the beginning of {and_more(entry.id for entry in fitting)}.", hint="Write more of it."
        )
    if not fitting:
        raise KafkactlError(f"There is no entry {id} in the history.", hint=kafkactl("history", note="List them"))
    return fitting[0]
