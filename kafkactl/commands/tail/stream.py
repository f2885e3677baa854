"""One run of tail: from where, which records, in which format, to where."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster, connect
from kafkactl.commands.tail.start import Latecomers, Start, Wanted, find_places, since, starts, tell_gone
from kafkactl.errors import KafkactlError
from kafkactl.records import filters, span
from kafkactl.records.consume import Reader, as_record, last_records, raw_values, read_until
from kafkactl.records.forms import Emitter, Form, compile_format, raw
from kafkactl.records.forms import readable_line as show_line
from kafkactl.settings import Target
from kafkactl.text.words import and_more, many
from kafkactl.topics import Place
from kafkactl.view import output
from kafkactl.view.output import RecordFormat


class Enough(Exception):
    """Everything that was asked for has been shown."""


class Out:
    """Writes the wanted records as they come, and ends the run when there are enough.

    `count` is how many are shown at most, `stop` the time (ms) at which to stop; None means no limit.
    """

    def __init__(self, emitter: Emitter, count: int | None, stop: int | None) -> None:
        self.emitter = emitter
        self._left = count
        self._stop = stop
        self._raw = emitter.form is raw and emitter.shows_all
        self._stdout = sys.stdout.buffer

    def messages(self, messages: Sequence[Any]) -> None:
        """Write the wanted ones of librdkafka's messages. Raises Enough."""
        if self._left is None and self._stop is None:
            # The fast paths: one write for all of them.
            texts = raw_values(messages) if self._raw else self.emitter.texts([as_record(m) for m in messages])
            self._stdout.write(texts)
            return
        for record in map(as_record, messages):
            late = self._stop is not None and record.timestamp is not None and record.timestamp >= self._stop
            if not late and (text := self.emitter.text(record)) is not None:
                self.text(text)

    def text(self, text: bytes) -> None:
        """Write one record. Raises Enough after the last one."""
        self._stdout.write(text)
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Enough

    def over(self) -> bool:
        """Whether the time to stop at has come."""
        return self._stop is not None and time.time() * 1000 >= self._stop

    def flush(self) -> None:
        """Flush what was written."""
        self._stdout.flush()


_NAMED = 5  # partitions that are listed by name


@dataclass(frozen=True)
class End:
    """Where to stop: at a time (ms), after a number of records, at the current end, or never."""

    until: int | None
    count: int | None
    follow: bool


@dataclass(frozen=True)
class Shown:
    """Which records are shown, and how, as the user typed it."""

    key: str | None
    grep: str | None
    headers: tuple[str, ...]
    query: str | None
    show: RecordFormat
    form: str | None
    with_headers: bool
    pretty: bool
    mask: tuple[str, ...]
    unmasked: bool
    utc: bool


def show_records(
    target: Target,
    wanted: Wanted,
    start: Start,
    stop: End,
    shown: Shown,
    *,
    uncommitted: bool,
) -> None:
    """Show records until everything that was asked for is shown, or forever.

    Raises KafkactlError at the end if a partition's leader did not answer and was not waited for.
    """
    now = datetime.now().astimezone(UTC if shown.utc else None)
    began = int(now.timestamp() * 1000)
    keep, query, form = _kept(shown), filters.jq(shown.query) if shown.query else None, _form(shown, now)
    kafka = connect(target.connection)
    places = find_places(kafka, wanted)
    everywhere = [*places.led, *places.leaderless]
    masks = {} if shown.unmasked else _masks(target.catalog, {topic for topic, _ in everywhere}, shown.mask)
    out = Out(Emitter(form, query, masks, keep), stop.count, stop.until)
    bounds = span.bounds(kafka, places.led, uncommitted=uncommitted)
    late = bounds.silent | frozenset(places.leaderless)
    ends, follow = bounds.ends, stop.follow
    if stop.until is not None and stop.until <= began:
        ends, follow = span.at_time(kafka, bounds.ends, stop.until), False
    if follow:
        _tell_late(late)
    if not uncommitted:
        _tell_open_transactions(kafka, bounds)
    patience = max(30.0, target.connection.timeout)
    start_of = starts(kafka, start, everywhere)
    reader = Reader(kafka, lambda text: output.note(f"{text}."), uncommitted=uncommitted)
    try:
        if start_of is not None:
            tell_gone(start, bounds)
            first = start_of(bounds)
        else:
            for text in last_records(reader, bounds.firsts, ends, start.number, out.emitter.text, patience):
                out.text(text)
            out.flush()
            first, start_of = ends, since(kafka, began)
        if follow:
            _follow(reader, out, first, Latecomers(kafka, late, uncommitted, start_of))
        for messages in read_until(reader, first, ends, patience):
            out.messages(messages)
    except Enough:
        return
    finally:
        out.flush()
        reader.close()
    if late:
        raise KafkactlError(
            f"Records of {and_more(sorted(late), _NAMED)} are missing: "
            f"{'its leader does' if len(late) == 1 else 'their leaders do'} not respond.",
            hint=span.HINT,
        )


def _follow(reader: Reader, out: Out, first: Mapping[Place, int], late: Latecomers) -> None:
    reader.assign(first)
    while True:
        messages, _ = reader.messages(0.1)
        if messages:
            out.messages(messages)
            out.flush()
        elif out.over():
            raise Enough
        if come := late.come():
            output.note(f"{and_more(sorted(come), _NAMED)} can be read now; nothing was skipped.")
            reader.join(come)


def _tell_late(late: Iterable[Place]) -> None:
    if names := and_more(sorted(late), _NAMED):
        output.note(f"{names}: waiting for a leader that responds.")


def _tell_open_transactions(kafka: Cluster, bounds: span.Bounds) -> None:
    newest = span.bounds(kafka, list(bounds.ends), uncommitted=True).ends
    for place, end in bounds.ends.items():
        held = newest.get(place, end) - end
        if held > 0:
            output.note(
                f"{place}: {many(held, 'record')} wait behind an open transaction (--read-uncommitted shows them)."
            )


def _kept(shown: Shown) -> filters.Filter | None:
    return filters.all_of(
        [
            *([filters.by_key(shown.key)] if shown.key is not None else []),
            *([filters.by_pattern(shown.grep)] if shown.grep is not None else []),
            *map(filters.by_header, shown.headers),
        ]
    )


def _form(shown: Shown, now: datetime) -> Form | None:
    if shown.form is not None:
        return compile_format(shown.form)
    if shown.show is RecordFormat.JSON:
        return None
    if shown.show is RecordFormat.RAW:
        return raw
    paint: Callable[[str, str], str] = output.style().paint
    return lambda record: (
        show_line(record, now, paint, headers=shown.with_headers, pretty=shown.pretty).encode("utf-8", "replace")
        + b"\n"
    )


def _masks(catalog: Catalog | None, topics: set[str], asked: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The fields to mask, for the topics where the user or the catalogue asks for it."""
    declared = {name: topic.mask for name, topic in catalog.topics.items()} if catalog else {}
    found = {topic: (*declared.get(topic, ()), *asked) for topic in topics}
    return {topic: fields for topic, fields in found.items() if fields}
