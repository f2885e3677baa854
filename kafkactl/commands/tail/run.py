"""One look at records: from where, which ones, in which form, to where."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kafkactl import cluster, output
from kafkactl.catalog.model import Catalog
from kafkactl.cluster import Cluster
from kafkactl.commands.tail.out import Enough, Out
from kafkactl.commands.tail.places import Wanted, find_places
from kafkactl.commands.tail.start import Latecomers, Start, since, starts, tell_gone
from kafkactl.errors import KafkactlError
from kafkactl.output import RecordFormat
from kafkactl.records import filters, span
from kafkactl.records.consume import Reader, read_until
from kafkactl.records.display import show as show_line
from kafkactl.records.emit import Emitter, Form, raw
from kafkactl.records.format import compile_format
from kafkactl.records.last import last_records
from kafkactl.settings import Connection
from kafkactl.topics import Place
from kafkactl.words import many


@dataclass(frozen=True)
class Stop:
    """Where to stop: at a time (ms), after so many records, at the end as it is, or never."""

    until: int | None
    count: int | None
    follow: bool


@dataclass(frozen=True)
class Look:
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


def look(
    connection: Connection,
    catalog: Catalog | None,
    wanted: Wanted,
    start: Start,
    stop: Stop,
    shown: Look,
    *,
    uncommitted: bool,
) -> None:
    """Show records until what was asked for is shown, or for ever.

    Raises KafkactlError at the end where a partition's leader did not answer and was not waited for.
    """
    now = datetime.now().astimezone(UTC if shown.utc else None)
    began = int(now.timestamp() * 1000)
    keep, query, form = _kept(shown), filters.jq(shown.query) if shown.query else None, _form(shown, now)
    kafka = cluster.connect(connection)
    places = find_places(kafka, wanted)
    everywhere = [*places.led, *places.leaderless]
    masks = {} if shown.unmasked else _masks(catalog, {topic for topic, _ in everywhere}, shown.mask)
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
    patience = max(30.0, connection.timeout)
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
            f"What {_names(late)} hold{'s' if len(late) == 1 else ''} is missing: no leader answers.", hint=span.HINT
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
            output.note(f"{_names(come)} answer{'s' if len(come) == 1 else ''} now; nothing was skipped.")
            reader.join(come)


def _tell_late(late: Iterable[Place]) -> None:
    if names := _names(late):
        output.note(f"{names}: no leader answers; read as soon as one does.")


def _names(places: Iterable[Place], most: int = 5) -> str:
    names = [span.name(place) for place in sorted(places)]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _tell_open_transactions(kafka: Cluster, bounds: span.Bounds) -> None:
    newest = span.bounds(kafka, list(bounds.ends), uncommitted=True).ends
    for place, end in bounds.ends.items():
        held = newest.get(place, end) - end
        if held > 0:
            output.note(
                f"{span.name(place)}: {many(held, 'record')} wait behind an open transaction "
                "(--read-uncommitted shows them)."
            )


def _kept(shown: Look) -> filters.Filter | None:
    return filters.all_of(
        [
            *([filters.by_key(shown.key)] if shown.key is not None else []),
            *([filters.by_pattern(shown.grep)] if shown.grep is not None else []),
            *map(filters.by_header, shown.headers),
        ]
    )


def _form(shown: Look, now: datetime) -> Form | None:
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
    """The fields to hide, of the topics where the user or the catalogue asks for it."""
    declared = {name: topic.mask for name, topic in catalog.topics.items()} if catalog else {}
    found = {topic: (*declared.get(topic, ()), *asked) for topic in topics}
    return {topic: fields for topic, fields in found.items() if fields}
