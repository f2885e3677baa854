"""One look at records: from where, which ones, in which form, to where."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from kafkactl import cluster, output
from kafkactl.catalog.model import Catalog
from kafkactl.cluster import Cluster
from kafkactl.cluster.topics import read_topics
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.output import RecordFormat
from kafkactl.records import filters, span
from kafkactl.records.consume import Place, Reader, as_record, read_until
from kafkactl.records.display import show as show_line
from kafkactl.records.emit import Emitter, Form, raw
from kafkactl.records.format import compile_format
from kafkactl.records.last import last_records
from kafkactl.settings import Connection
from kafkactl.suggest import suggest
from kafkactl.topics import is_internal


@dataclass(frozen=True)
class Span:
    """Where to start and where to stop, as the user typed it."""

    number: int
    from_beginning: bool
    since: str | None
    offset: int | None
    group: str | None
    partitions: tuple[int, ...]
    until: str | None
    count: int | None
    follow: bool
    uncommitted: bool


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


class _Enough(Exception):
    """What was asked for has been shown."""


def look(connection: Connection, catalog: Catalog | None, topics: Sequence[str], wish: Span, shown: Look) -> None:
    """Show records until what was asked for is shown, or for ever."""
    now = datetime.now().astimezone()
    stop = span.moment(wish.until, now) if wish.until else None
    since = span.moment(wish.since, now) if wish.since else None
    _check(wish)
    emitter = _emitter(shown, now)
    kafka = cluster.connect(connection)
    places = _places(kafka, topics, wish.partitions)
    masks = {} if shown.unmasked else _masks(catalog, {topic for topic, _ in places}, shown.mask)
    out = _Out(Emitter(emitter.form, emitter.query, masks, emitter.keep), wish.count, stop)
    bounds = span.bounds(kafka, places, uncommitted=wish.uncommitted)
    if not wish.uncommitted:
        _tell_open_transactions(kafka, bounds)
    ends, follow = bounds.ends, wish.follow
    if stop is not None and stop <= now.timestamp() * 1000:
        ends = {p: min(offset, ends[p]) for p, offset in span.at_time(kafka, ends, stop).items()}
        follow = False
    reader = Reader(kafka, lambda text: output.note(f"{text}."), uncommitted=wish.uncommitted)
    patience = max(30.0, connection.timeout)
    try:
        starts = _starts(kafka, wish, bounds, since)
        if starts is None:
            keep = out.emitter.wants
            for record in last_records(reader, bounds.firsts, ends, wish.number, keep, patience):
                out.record(record)
            out.flush()
            starts = ends
        if follow:
            _follow(reader, out, starts)
        for messages in read_until(reader, starts, ends, patience):
            out.messages(messages)
    except _Enough:
        pass
    finally:
        out.flush()
        reader.close()


def _check(wish: Span) -> None:
    starts = {
        "--from-beginning": wish.from_beginning,
        "--since": wish.since is not None,
        "--offset": wish.offset is not None,
        "--group": wish.group is not None,
    }
    given = [name for name, asked in starts.items() if asked]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} each say where to start: give one.")


def _places(kafka: Cluster, wanted: Sequence[str], partitions: Sequence[int]) -> list[Place]:
    """The partitions of these topics and globs. Raises KafkactlError for a topic or partition that is not there."""
    topics = read_topics(kafka, [name for name in wanted if not _is_glob(name)], config_of=())
    places: list[Place] = []
    for pattern in wanted:
        names = [pattern] if pattern in topics.found else []
        if _is_glob(pattern):
            names = [name for name in topics.found if fnmatchcase(name, pattern) and not is_internal(name)]
        if pattern in topics.denied:
            raise KafkactlError(f"{pattern}: {topics.denied[pattern]}.")
        if not names:
            kind = "no topic that matches" if _is_glob(pattern) else "no topic"
            slip = suggest(pattern, topics.found, quoted=False)
            raise KafkactlError(
                f"There is {kind} {pattern} on {kafka.connection.address}.{slip}",
                hint="List them: kafkactl describe -o name",
            )
        for name in names:
            ids = [p.id for p in topics.found[name].partitions]
            missing = [p for p in partitions if p not in ids]
            if missing and not _is_glob(pattern):
                raise UsageError(f"{name} has no partition {missing[0]}: it has {len(ids)}, counted from 0.")
            places += [(name, p) for p in ids if not partitions or p in partitions]
    return list(dict.fromkeys(places))


def _is_glob(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _starts(kafka: Cluster, wish: Span, bounds: span.Bounds, since: int | None) -> Mapping[Place, int] | None:
    """Where to start in each partition; None for the last N records."""
    if since is not None:
        return span.at_time(kafka, bounds.ends, since)
    if wish.from_beginning:
        return bounds.firsts
    if wish.offset is not None:
        for place, first in bounds.firsts.items():
            if wish.offset < first:
                output.note(f"{place[0]}[{place[1]}]: offset {wish.offset} is gone; the first one left is {first}.")
        return {p: min(max(wish.offset, first), bounds.ends[p]) for p, first in bounds.firsts.items()}
    if wish.group is not None:
        committed = span.committed(kafka, wish.group, list(bounds.ends))
        if not committed:
            raise KafkactlError(f"The group {wish.group} has committed nothing in these topics.")
        return {p: max(committed.get(p, end), bounds.firsts[p]) for p, end in bounds.ends.items()}
    return None


def _tell_open_transactions(kafka: Cluster, bounds: span.Bounds) -> None:
    newest = span.bounds(kafka, list(bounds.ends), uncommitted=True).ends
    for (topic, partition), end in bounds.ends.items():
        held = newest[topic, partition] - end
        if held > 0:
            output.note(
                f"{topic}[{partition}]: {output.count(held, 'record')} wait behind an open transaction "
                "(--read-uncommitted shows them)."
            )


def _follow(reader: Reader, out: "_Out", starts: Mapping[Place, int]) -> None:
    reader.assign(starts)
    while True:
        messages, _ = reader.messages(0.1)
        if messages:
            out.messages(messages)
            out.flush()
        elif out.over():
            raise _Enough


def _emitter(shown: Look, now: datetime) -> Emitter:
    kept = [
        *([filters.by_key(shown.key)] if shown.key is not None else []),
        *([filters.by_pattern(shown.grep)] if shown.grep is not None else []),
        *map(filters.by_header, shown.headers),
    ]
    query = filters.jq(shown.query) if shown.query is not None else None
    return Emitter(_form(shown, now), query, {}, filters.all_of(kept))


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


class _Out:
    """stdout, written in batches; ends the look when enough was written."""

    def __init__(self, emitter: Emitter, count: int | None, stop: int | None) -> None:
        self.emitter = emitter
        self._left = count
        self._stop = stop
        self._plain = emitter.form is raw and emitter.query is None and emitter.keep is None and not emitter.masks
        self._stdout = sys.stdout.buffer

    def messages(self, messages: Sequence[object]) -> None:
        """Write what is wanted of these messages. Raises _Enough."""
        if self._plain and self._left is None and self._stop is None:
            # The fast path: values as they came, one write for all of them.
            values = [message.value() or b"" for message in messages]  # type: ignore[attr-defined]
            values.append(b"")
            self._stdout.write(b"\n".join(values))
            return
        for message in messages:
            record = as_record(message)
            late = self._stop is not None and record.timestamp is not None and record.timestamp >= self._stop
            if not late and self.emitter.wants(record):
                self.record(record)

    def record(self, record: object) -> None:
        """Write one record that is wanted. Raises _Enough after the last one."""
        self._stdout.write(self.emitter.text(record))  # type: ignore[arg-type]
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise _Enough

    def over(self) -> bool:
        """Whether the time to stop at has come."""
        return self._stop is not None and time.time() * 1000 >= self._stop

    def flush(self) -> None:
        self._stdout.flush()
