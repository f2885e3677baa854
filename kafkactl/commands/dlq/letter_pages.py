"""One run of dlq show: the last letters that were asked for."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import connect
from kafkactl.commands.dlq.selection import Selection, conditions
from kafkactl.deadletters.ledger import LetterNote
from kafkactl.deadletters.ledger_topic import read_ledger
from kafkactl.deadletters.letters import Letter, find_dead_letter_topic
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.deadletters.replay_plan import written_at
from kafkactl.deadletters.topic_names import declared_sources
from kafkactl.errors import NotPermittedError
from kafkactl.records.consume import Reader, last_records
from kafkactl.records.masked_topics import masks_of
from kafkactl.records.masking import mask
from kafkactl.records.model import Record
from kafkactl.registry import decoding_of
from kafkactl.settings import Target
from kafkactl.text.words import many
from kafkactl.topics import Place
from kafkactl.view import output
from kafkactl.view.formats import LetterFormat
from kafkactl.view.letter_report import letter_json, letter_lines

_PATIENCE = 30.0


@dataclass(frozen=True)
class PageOptions:
    """How many letters are shown, of which state, and how."""

    number: int
    pending: bool
    parked: bool
    pretty: bool
    unmasked: bool
    show: LetterFormat
    utc: bool


def show_page(target: Target, name: str, chosen: Selection, shown: PageOptions) -> None:
    """Show the last letters that meet the conditions."""
    now = datetime.now().astimezone(UTC if shown.utc else None)
    with ExitStack() as stack:
        wanted = stack.enter_context(conditions(chosen))
        kafka = connect(target.connection)
        topic = find_dead_letter_topic(kafka, name)
        ledger = read_ledger(kafka, topic.id, lambda text: output.note(f"{text}."))
        if ledger.missing and (shown.pending or shown.parked):
            raise NotPermittedError(f"Which dead letters were replayed is not known: {ledger.missing}.")
        if ledger.missing:
            output.warn(f"what was replayed is not known: {ledger.missing}")
        reading = HeaderReading.of(target.catalog)
        decoding = decoding_of(target)
        hide = _Masking(target, name, unmasked=shown.unmasked)

        def text(encoded: Record) -> bytes | None:
            record = encoded if decoding is None else decoding(encoded)
            letter = Letter(record, reading.origin(record.headers))
            entry = ledger.entries.get(letter.spot)
            if not _in_state(entry, shown) or not wanted(letter):
                return None
            safe = hide(letter)
            page = Letter(safe, reading.origin(safe.headers))
            if shown.show is LetterFormat.JSON:
                line = letter_json(page, entry, known=not ledger.missing, masked=safe is not record)
            else:
                line = letter_lines(page, entry, now, known=not ledger.missing, pretty=shown.pretty)
            return line.encode("utf-8", "replace") + b"\n"

        reader = Reader(kafka, lambda text: output.note(f"{text}."))
        try:
            firsts = {Place(name, id): offset for id, offset in topic.firsts.items()}
            ends = {Place(name, id): offset for id, offset in topic.ends.items()}
            found = last_records(reader, firsts, ends, shown.number, text, _PATIENCE)
        finally:
            reader.close()
    if decoding is not None and decoding.told:
        output.warn(decoding.told)
    sys.stdout.buffer.write(b"".join(found))
    sys.stdout.flush()
    if not found:
        everything = chosen.everything and not shown.pending and not shown.parked
        some = f"None of up to {many(topic.span, 'record')} matches." if topic.span and not everything else ""
        output.note(some or f"{name} holds no dead letters.")


def _in_state(entry: LetterNote | None, shown: PageOptions) -> bool:
    if shown.pending:
        return entry is None
    return not shown.parked or (entry is not None and entry.state == "parked")


def _is_wrapped_text(value: bytes | None, path: str) -> bool:
    """Whether the original value is a text in the wrapping one: then nobody looks for fields in it."""
    try:
        return written_at(value, tuple(path.split("."))).startswith(b'"')
    except ValueError:
        return False


class _Masking:
    """Hides in a letter what topics.yaml hides in its topic, in the topics it may come from, and in its own."""

    def __init__(self, target: Target, name: str, *, unmasked: bool) -> None:
        catalog: Catalog | None = target.catalog
        topics = {name, *(catalog.topics if catalog else ())}
        self._masks = {} if unmasked else masks_of(target, topics, (), output.warn)
        self._always = [name, *declared_sources(name, catalog)]
        declared = catalog.topics.get(name) if catalog else None
        self._path = declared.dlq_value if declared else None

    def __call__(self, letter: Letter) -> Record:
        sources = [*self._always, *([letter.origin.topic] if letter.origin.topic else [])]
        fields = tuple(dict.fromkeys(field for topic in sources for field in self._masks.get(topic, ())))
        if fields and self._path is not None:  # the original value is one step, or several, further in
            fields += tuple(f"{self._path}.{field}" for field in fields)
            fields += (self._path,) if _is_wrapped_text(letter.record.value, self._path) else ()
        masked = mask(letter.record, fields) if fields else letter.record
        return letter.record if masked == letter.record else masked
