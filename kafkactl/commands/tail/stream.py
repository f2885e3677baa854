"""One run of tail: from where, which records, in which format, to where."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kafkactl.cluster.client import Cluster, wait_for
from kafkactl.cluster.metadata import read_configs
from kafkactl.commands.tail.start import (
    Latecomers,
    Start,
    Wanted,
    await_places,
    contract_marking,
    since,
    starts,
    tell_gone,
)
from kafkactl.commands.tail.topic_watch import TopicWatch
from kafkactl.commands.tail.wishes import End, Shown
from kafkactl.errors import KafkactlError, WaitExpiredError
from kafkactl.records import filters, span
from kafkactl.records.consume import Reader, as_record, last_records, raw_values, read_until
from kafkactl.records.forms import Emitter, Form, compile_format, raw
from kafkactl.records.forms import readable_line as show_line
from kafkactl.records.masked_topics import masks_of
from kafkactl.records.model import Record
from kafkactl.records.query import Jq
from kafkactl.records.window import Window, window_end
from kafkactl.registry import decoding_of
from kafkactl.settings import Target
from kafkactl.text.escapes import plain_json
from kafkactl.text.units import retention_text
from kafkactl.text.words import and_more, many
from kafkactl.topics import Place, is_glob
from kafkactl.view import output
from kafkactl.view.formats import RecordFormat
from kafkactl.view.scan import Scan

if TYPE_CHECKING:
    from kafkactl.commands.tail.marking import Marking
    from kafkactl.registry.decoding import Decoding


Reading = Callable[[Any], Record]  # of a librdkafka message


class Enough(Exception):
    """Everything that was asked for has been shown."""


class Out:
    """Writes the wanted records as they come, and ends the run when there are enough.

    `count` is how many are shown at most, None means no limit. `read` counts the records of the window, `shown` those
    that were written.
    """

    def __init__(self, emitter: Emitter, count: int | None, window: Window, read: Reading) -> None:
        self.emitter = emitter
        self._as_record = read
        self.window = window
        self.read = self.shown = 0
        self._left = count
        self._raw = emitter.form is raw and emitter.shows_all
        self._stdout = sys.stdout.buffer
        self._guarded = emitter.form is None and sys.stdout.isatty()  # JSON that a terminal shows
        self.scan = Scan("records")

    def messages(self, messages: Sequence[Any]) -> None:
        """Write the wanted ones of librdkafka's messages. Raises Enough."""
        messages = self.window.inside(messages)
        if self._left is None and self.emitter.shows_all:
            # The fast paths: one write for all of them.
            if messages:
                texts = raw_values(messages) if self._raw else self.emitter.texts(list(map(self._as_record, messages)))
                self._write(texts)
            self.read += len(messages)
            self.shown += len(messages)
            return
        self.scan.at(self.read, self.shown)
        for record in map(self._as_record, messages):
            if (text := self.text_of(record)) is not None:
                self.text(text)

    def text_of(self, record: Record) -> bytes | None:
        """What is written for a record of the window; None where it is not wanted."""
        text = self.emitter.text(record)
        self.read += 1  # only now: an interrupted jq has judged nothing
        if not self.read % _GLANCE:
            self.scan.at(self.read, self.shown)
        return text

    def text_in_window(self, record: Record) -> bytes | None:
        """As `text_of`, of any record."""
        return self.text_of(record) if self.window.holds(record) else None

    def text(self, text: bytes) -> None:
        """Write one record. Raises Enough after the last one."""
        self._write(text)
        self.shown += 1
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Enough

    def _write(self, text: bytes) -> None:
        self.scan.clear()
        self._stdout.write(plain_json(text.decode("utf-8", "replace")).encode() if self._guarded else text)

    def over(self) -> bool:
        """Whether the time to stop at has come."""
        return self.window.until is not None and time.time() * 1000 >= self.window.until

    def flush(self) -> None:
        """Flush what was written."""
        self._stdout.flush()


_NAMED = 5  # partitions that are listed by name
_GLANCE = 64  # records between two looks at the clock


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
    with Jq(shown.query) if shown.query is not None else nullcontext() as query:
        _show(target, wanted, start, stop, shown, query, uncommitted=uncommitted)


def _show(  # noqa: PLR0915 - in the order in which it happens
    target: Target, wanted: Wanted, start: Start, stop: End, shown: Shown, query: Jq | None, *, uncommitted: bool
) -> None:
    now = datetime.now().astimezone(UTC if shown.utc else None)
    began = int(now.timestamp() * 1000)
    kafka = wait_for(target.connection, stop.wait, waiting=lambda reason: output.note(f"waiting: {reason}"))
    places = await_places(kafka, wanted, stop.wait)
    everywhere = [*places.led, *places.leaderless]
    topics = {topic for topic, _ in everywhere}
    marking = contract_marking(topics, target.catalog, shown) if shown.check else None
    masks = {} if shown.unmasked else masks_of(target, topics, shown.mask, output.warn)
    decoding = decoding_of(target) if shown.decode else None
    read = as_record if decoding is None else decoding.of_message
    out = Out(_emitter(shown, marking, query, masks, now), stop.count, Window(start.since, stop.until), read)
    # The end first: only a last stable offset before an end that was there earlier proves an open transaction.
    newest = {} if uncommitted else span.bounds(kafka, places.led, uncommitted=True).ends
    bounds = span.bounds(kafka, places.led, uncommitted=uncommitted)
    late = bounds.silent | frozenset(places.leaderless)
    ends, follow, cut = bounds.ends, stop.follow, frozenset[Place]()
    out.scan.total = sum(end - bounds.firsts[place] for place, end in ends.items())
    if stop.until is not None and stop.until <= began:
        appended = _appended(kafka, {place.topic for place in bounds.ends})
        found = window_end(kafka, bounds.ends, stop.until, stop.late, appended)
        ends, cut, follow = found.ends, found.cut, False
    if follow:
        _tell_late(late)
    _tell_open_transactions(kafka, newest, bounds.ends)
    _tell_where_keys_are(wanted, places.led)
    patience = max(30.0, target.connection.timeout)
    start_of = starts(kafka, start, everywhere)
    reader = Reader(kafka, lambda text: output.note(f"{text}."), uncommitted=uncommitted)
    try:
        if start_of is not None:
            tell_gone(start, bounds)
            first = start_of(bounds)
        else:
            number = _LAST if start.number is None else start.number
            for text in last_records(reader, bounds.firsts, ends, number, out.text_in_window, patience, read):
                out.text(text)
            out.flush()
            first, start_of = ends, since(kafka, began)
        if follow:
            watch = TopicWatch(kafka, wanted, frozenset(everywhere), uncommitted=uncommitted)
            _follow(reader, out, first, Latecomers(kafka, late, uncommitted, start_of), watch, stop.wait)
        for messages in read_until(reader, first, ends, patience):
            out.messages(messages)
        _tell_uncut(cut, stop)
    except Enough:
        return
    finally:
        out.flush()
        out.scan.clear()
        reader.close()
        _tell_left_out(out, query, decoding)
    if query is not None and query.failed and query.failed == out.read:
        raise KafkactlError(
            "--jq failed on every record.", hint="Try the expression on one record: -n 1 -o json | jq …"
        )
    if late:
        raise KafkactlError(
            f"Records of {and_more(sorted(late), _NAMED)} are missing: "
            f"{'its leader does' if len(late) == 1 else 'their leaders do'} not respond.",
            hint=span.HINT,
        )


_LAST = 10  # records, where nothing says where to start


def _appended(kafka: Cluster, topics: set[str]) -> set[str]:
    """Those of these topics whose timestamps the broker sets. One whose settings are not for us is none of them."""
    configs = read_configs(kafka, sorted(topics))
    kinds = {name: (config or {}).get("message.timestamp.type") for name, config in configs.items()}
    return {name for name, kind in kinds.items() if kind is not None and kind.value == "LogAppendTime"}


def _tell_uncut(cut: frozenset[Place], stop: End) -> None:
    if cut and stop.late is not None:
        output.note(
            f"Records written more than {retention_text(round(stop.late * 1000))} after --until were not looked at in "
            f"{and_more(sorted(cut), _NAMED)}; --late inf reads to the end."
        )


def _tell_left_out(out: Out, query: Jq | None, decoding: "Decoding | None") -> None:
    """What was not shown, and why: nothing is left out in silence."""
    if places := sorted(out.window.unordered):
        output.note(
            f"Timestamps are out of order in {and_more(places, _NAMED)}: records before --since were filtered out."
        )
    if out.window.timeless:
        output.note(f"{many(out.window.timeless, 'record')} without a timestamp were left out.")
    if query is not None and query.failed:
        output.warn(f"--jq failed on {many(query.failed, 'record')}; on the first with: {query.first}")
    if decoding is not None and decoding.told:
        output.warn(decoding.told)
    if out.read and not out.shown and not out.emitter.shows_all:
        output.note(f"0 of {many(out.read, 'record')} matched.")


def _follow(
    reader: Reader, out: Out, first: Mapping[Place, int], late: Latecomers, watch: TopicWatch, wait: float
) -> None:
    reader.assign(first)
    expires = math.inf  # when nothing is left to follow, and was not waited for
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
        if news := watch.news():
            out.flush()
            for line in news.told:
                output.note(f"{line}.")
            late.forget(news.leave)
            reader.leave(reader.held(news.leave))
            if news.join:
                reader.join(news.join)
                expires = math.inf
            if news.nothing_left and not any(map(is_glob, watch.topics)):
                if not wait:
                    raise KafkactlError("Nothing is left to follow.")
                output.note(f"Waiting up to {wait:g} s for {and_more(watch.topics, _NAMED)} to be created.")
                expires = time.monotonic() + wait
        if time.monotonic() > expires:
            raise WaitExpiredError(f"Waited {wait:g} s: {and_more(watch.topics, _NAMED)} was not created again.")


def _tell_late(late: Iterable[Place]) -> None:
    if names := and_more(sorted(late), _NAMED):
        output.note(f"{names}: waiting for a leader that responds.")


def _tell_open_transactions(kafka: Cluster, newest: Mapping[Place, int], stable: Mapping[Place, int]) -> None:
    """Say where records wait: `newest` are ends, `stable` the last stable offsets that were asked for after them."""
    held = {place: end - stable.get(place, end) for place, end in newest.items()}
    held = {place: offsets for place, offsets in held.items() if offsets > 0}
    if not held:
        return
    from kafkactl.cluster.transactions import read_holders

    holders = read_holders(kafka, held)
    for place, offsets in held.items():
        who = and_more([f" of {holder.text(time.time() * 1000)}" for holder in holders.get(place, ())], _NAMED)
        output.note(
            f"{place}: at least {many(offsets, 'offset')} held back by an open transaction{who} "
            "(--read-uncommitted shows such records)."
        )


def _tell_where_keys_are(wanted: Wanted, places: Sequence[Place]) -> None:
    """A topic that grew has older records of a key elsewhere, and nothing shows that it grew."""
    if wanted.partitioner is not None:
        output.note(
            f"Only {and_more(places, _NAMED)} {'is' if len(places) == 1 else 'are'} read. If partitions were added to "
            "the topic, older records of this key may be in others: leave out --partitioner to search all."
        )


def _emitter(
    shown: Shown, marking: "Marking | None", query: Jq | None, masks: Mapping[str, Sequence[str]], now: datetime
) -> Emitter:
    form = _form(shown, now)
    form = form if marking is None else marking.marked(form)
    return Emitter(form, query, masks, _kept(shown, marking), shown.pretty, shown.form is not None, shown.parse)


def _kept(shown: Shown, marking: "Marking | None") -> filters.Filter | None:
    return filters.all_of(
        [
            *([marking.keep] if marking is not None else []),
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
