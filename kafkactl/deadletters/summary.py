"""What a dead-letter topic holds, counted: for `dlq list` and the doctor. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafkactl.deadletters.ledger import LetterLedger
from kafkactl.deadletters.origin import HeaderReading


@dataclass
class DeadLetterSummary:
    """One dead-letter topic. `span` is how many offsets it holds, `read` how many of its records were looked at.

    `replayed`, `parked` and `doubtful` count the ledger's notes about records that are there; they are None where the
    ledger is not known, and `missing` says why. `sources`, `errors` and `writers` are of the records that were read;
    `oldest` and `newest` are their times in ms.
    """

    topic: str
    span: int
    replayed: int | None = 0
    parked: int | None = 0
    doubtful: int | None = 0
    missing: str = ""
    read: int = 0
    complete: bool = False
    oldest: int | None = None
    newest: int | None = None
    sources: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    writers: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many records it holds; at most so many where not all were read, since markers take offsets, too."""
        return self.read if self.complete else self.span

    @property
    def pending(self) -> int | None:
        """How many are neither replayed nor parked; at most so many where not all were read. None: not known."""
        if self.replayed is None or self.parked is None:
            return None
        return max(0, self.total - self.replayed - self.parked)


def summary_of(topic: str, firsts: Mapping[int, int], span: int, ledger: LetterLedger) -> DeadLetterSummary:
    """A summary before any record was read."""
    if ledger.missing:
        return DeadLetterSummary(topic, span, None, None, None, missing=ledger.missing)
    return DeadLetterSummary(
        topic,
        span,
        ledger.count("replayed", firsts),
        ledger.count("parked", firsts),
        ledger.count("sending", firsts),
    )


def count_messages(summary: DeadLetterSummary, messages: Sequence[Any], reading: HeaderReading) -> None:
    """Count more of librdkafka's messages."""
    gists: Counter[tuple[bytes, bytes, str]] = Counter(reading.gist(message.headers() or ()) for message in messages)
    for (topic, error_class, writer), number in gists.items():
        if topic:
            summary.sources[topic.decode("utf-8", "backslashreplace")] += number
        if error_class:
            summary.errors[short_class(error_class.decode("utf-8", "backslashreplace"))] += number
        summary.writers[writer] += number
    times = [time for message in messages if (time := message.timestamp()[1]) >= 0]
    if times:
        summary.oldest = min(times) if summary.oldest is None else min(summary.oldest, *times)
        summary.newest = max(times) if summary.newest is None else max(summary.newest, *times)
    summary.read += len(messages)


def short_class(name: str) -> str:
    """A class without its package: TimeoutException."""
    return name.strip('"').rpartition(".")[2] or name
