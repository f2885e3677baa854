"""How dead letters are shown: their topics in a table, each of them in a few lines or as JSON."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kafkactl.deadletters.ledger import LetterNote
from kafkactl.deadletters.letters import Letter
from kafkactl.deadletters.summary import DeadLetterSummary, short_class
from kafkactl.records.forms import readable_line, when
from kafkactl.records.jsonlines import encode
from kafkactl.text.escapes import plain, plain_json
from kafkactl.text.words import age, and_more, many
from kafkactl.view import output
from kafkactl.view.output import Cell, Column

_COLUMNS = [
    Column("TOPIC"),
    Column("PENDING", True),
    Column("REPLAYED", True),
    Column("PARKED", True),
    Column("TOTAL", True),
    Column("OLDEST"),
    Column("NEWEST"),
    Column("FROM"),
    Column("ERRORS"),
    Column("WRITTEN BY"),
]
_NARROW = ("TOPIC", "PENDING", "REPLAYED", "PARKED", "TOTAL", "NEWEST")
_WIDE = 120  # cells that all columns take
_NAMED = 2


def show_summaries(found: Sequence[DeadLetterSummary], now: datetime) -> None:
    """A line for each topic; on a narrow terminal without what does not fit."""
    rows = [_cells(summary, now) for summary in found]
    if output.width() >= _WIDE:
        output.table(_COLUMNS, rows)
        return
    kept = [place for place, column in enumerate(_COLUMNS) if column.title in _NARROW]
    output.table([_COLUMNS[place] for place in kept], [[row[place] for place in kept] for row in rows])
    output.note(f"Where they come from, and why: {_WIDE} columns, or -o json.")


def _cells(summary: DeadLetterSummary, now: datetime) -> list[Cell]:
    about = "" if summary.complete else "≤ "
    pending = summary.pending
    return [
        summary.topic,
        output.Coloured("not known", "yellow") if pending is None else f"{about if pending else ''}{pending:,}",
        summary.replayed,
        summary.parked,
        f"{about}{summary.total:,}",
        when(summary.oldest, now).rpartition(".")[0] if summary.oldest is not None else None,
        when(summary.newest, now).rpartition(".")[0] if summary.newest is not None else None,
        _counted(summary.sources),
        _counted(summary.errors),
        _counted(summary.writers),
    ]


def _counted(counts: Counter[str]) -> Cell:
    if not counts:
        return None
    if len(counts) == 1:
        return next(iter(counts))
    return and_more([f"{name} {number:,}" for name, number in counts.most_common()], _NAMED)


def summary_document(summary: DeadLetterSummary) -> dict[str, Any]:
    """One topic as JSON. `total` and `pending` are upper bounds unless it is `complete`."""
    return {
        "topic": summary.topic,
        "pending": summary.pending,
        "replayed": summary.replayed,
        "parked": summary.parked,
        "in_doubt": summary.doubtful,
        "total": summary.total,
        "read": summary.read,
        "complete": summary.complete,
        "missing": summary.missing or None,
        "oldest": summary.oldest,
        "newest": summary.newest,
        "sources": dict(summary.sources.most_common()),
        "errors": dict(summary.errors.most_common()),
        "writers": dict(summary.writers.most_common()),
    }


def state_words(entry: LetterNote | None, known: bool) -> str:
    """What became of a letter."""
    if entry is None:
        return "pending" if known else "state not known"
    to = f"{entry.to} in cluster {entry.cluster}" if entry.cluster else entry.to
    if entry.state == "sending":
        return f"may have been sent to {to}"
    return f"replayed to {to}" if entry.state == "replayed" else f"parked: {entry.why}"


def letter_lines(letter: Letter, entry: LetterNote | None, now: datetime, *, known: bool, pretty: bool) -> str:
    """A letter for people: where it is and comes from, its error, and its record below; `pretty` unfolds more."""
    record, origin, paint = letter.record, letter.origin, output.style().paint
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    facts = [
        f"from {source_words(letter)}",
        *([f"group {origin.group}"] if origin.group else []),
        *([many(origin.tries, "try", "tries")] if origin.tries is not None else []),
        *([f"sent back {many(origin.replays, 'time')}"] if origin.replays else []),
        *([f"{age((now.timestamp() * 1000 - letter.original_time) / 1000)} old"] if letter.original_time else []),
        state_words(entry, known),
    ]
    head = f"{paint(when(record.timestamp, now), 'dim')}  {paint(place, 'cyan')}  {plain(' · '.join(facts))}"
    error = ": ".join(
        filter(None, (short_class(origin.error_class) if not pretty else origin.error_class, origin.error))
    )
    lines = [head, *([f"    {paint(_folded(error), 'red')}"] if error else [])]
    if pretty and origin.stacktrace:
        lines += [f"    {plain(line)}" for line in origin.stacktrace.splitlines()]
    bare = msgspec.structs.replace(record, headers=())
    shown = readable_line(bare, now, paint, headers=False, pretty=pretty)
    body = shown.split("  ", 2)[2]  # its time and place stand above
    return "\n".join([*lines, *(f"    {line}".rstrip() for line in body.splitlines())])


def _folded(text: str) -> str:
    return plain(" ".join(text.split("\n")))


def source_words(letter: Letter) -> str:
    """Where a letter comes from: payment.created[2]@1834, as far as its headers tell."""
    origin = letter.origin
    if origin.topic is None:
        return "an unknown topic"
    partition = f"[{origin.partition}]" if origin.partition is not None else ""
    return origin.topic + partition + (f"@{origin.offset}" if origin.offset is not None else "")


def letter_json(letter: Letter, entry: LetterNote | None, *, known: bool, masked: bool) -> str:
    """A letter as a line of JSON: its record as `tail -o json` has it, with what is known of it as a dead letter."""
    line: dict[str, Any] = msgspec.json.decode(encode(letter.record, masked=masked))
    origin = letter.origin
    line["dead_letter"] = {
        "source": {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset},
        "timestamp": origin.timestamp,
        "group": origin.group or None,
        "tries": origin.tries,
        "error_class": origin.error_class or None,
        "error": origin.error or None,
        "stacktrace": origin.stacktrace or None,
        "writer": origin.writer,
        "replays": origin.replays,
        "state": (entry.state if entry else "pending") if known else None,
        "why": entry.why or None if entry else None,
    }
    text = msgspec.json.encode(line).decode("utf-8", "replace")
    return plain_json(text) if sys.stdout.isatty() else text
