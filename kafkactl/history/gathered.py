"""The entries of this machine and of the shared topic, together."""

from dataclasses import dataclass

from kafkactl.cluster.client import Cluster, connect
from kafkactl.errors import KafkactlError, UnreachableError, UsageError
from kafkactl.history.book import HistoryBook, every_book
from kafkactl.history.model import HistoryEntry, merged
from kafkactl.history.shared import read_shared
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import and_more, many


@dataclass(frozen=True)
class GatheredHistory:
    """The entries, the newest first; `gaps` says what is not among them, and why."""

    entries: list[HistoryEntry]
    gaps: list[str]
    damaged: str = ""  # what cannot be read of the file here: there may be more entries

    def entry(self, id: str) -> HistoryEntry:
        """The one whose id begins so. Raises KafkactlError where there is none, UsageError where there are several."""
        fitting = [entry for entry in self.entries if entry.id.startswith(id)]
        if len(fitting) > 1:
            raise UsageError(
                f"{id} is the beginning of {and_more(entry.id for entry in fitting)}.", hint="Write more of it."
            )
        if not fitting:
            raise KafkactlError(
                f"There is no entry {id} in the history.",
                where=" ".join(f"{gap[:1].upper()}{gap[1:]}." for gap in self.gaps),
                hint=kafkactl("history list", note="List them"),
            )
        return fitting[0]


def gathered_anyhow(target: Target, since: int | None = None) -> GatheredHistory:
    """As `gathered`; where Kafka does not answer, what was changed through the same address from this machine."""
    try:
        kafka = connect(target.connection)
    except UnreachableError as error:
        address = target.connection.address
        kept = [entry for id in every_book() for entry in HistoryBook(id).entries() if entry.address == address]
        why = f"only what was changed from this machine through {address} is known: {error.message.rstrip('.')}"
        return GatheredHistory(merged(kept), [why])
    return gathered(target, kafka, since)


def gathered(target: Target, kafka: Cluster, since: int | None = None) -> GatheredHistory:
    """What is recorded of this cluster, on this machine and, since a time (ms), in the topic of topics.yaml."""
    gaps: list[str] = []
    entries: list[HistoryEntry] = []
    book = HistoryBook(kafka.info.id)
    try:
        entries += book.entries()
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
    damaged = (
        f"{many(book.unread, 'line')} of {book.path} cannot be read: entries may be missing" if book.unread else ""
    )
    return GatheredHistory(merged(entries), gaps, damaged)
