"""One run of dlq list: the ledger's notes counted, and the records read as long as people wait."""

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

import typer

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import Topics, read_topics
from kafkactl.cluster.visibility import matching_topics, topics_may_hide
from kafkactl.deadletters.ledger_topic import read_ledger
from kafkactl.deadletters.letters import DeadLetterTopic, find_dead_letter_topic
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.deadletters.summary import DeadLetterSummary, count_messages, summary_of
from kafkactl.deadletters.topic_names import dead_letter_topics, declared_dead_letters
from kafkactl.errors import ExitCode, KafkactlError, UnreachableError
from kafkactl.records.consume import Reader, read_until
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.words import and_more, many
from kafkactl.topics import SOME_TOPICS, Place, is_glob
from kafkactl.view import output, screen
from kafkactl.view.formats import Format
from kafkactl.view.letter_report import show_summaries, summary_document

_SECONDS = 2.5  # of reading, for all topics together
_PATIENCE = 30.0


def show_overview(target: Target, asked: Sequence[str], *, whole: bool, show: Format, utc: bool) -> None:
    """Show every dead-letter topic. Raises UnreachableError at the end where one of them was not to be had."""
    now = datetime.now().astimezone(UTC if utc else None)
    kafka = connect(target.connection)
    catalog = target.catalog
    reading = HeaderReading.of(catalog)
    topics = read_topics(kafka, [name for name in asked if not is_glob(name)], config_of=())
    names = _asked_for(kafka, topics, asked) if asked else dead_letter_topics(topics.found, catalog)
    hidden = sorted(topics.denied) if asked else []
    partial = not asked and topics_may_hide(kafka)
    until = None if whole else time.monotonic() + _SECONDS
    found: list[DeadLetterSummary] = []
    failed: list[KafkactlError] = []
    for place, name in enumerate(names):
        try:
            topic = find_dead_letter_topic(kafka, name)
            ledger = read_ledger(kafka, topic.id, lambda text: output.note(f"{text}."))
        except KafkactlError as error:
            failed.append(error)
            output.warn(f"{name}: {error.message}")
            continue
        summary = summary_of(name, topic.firsts, topic.span, ledger)
        rest = None if until is None else (until - time.monotonic()) / (len(names) - place)
        _read(kafka, topic, summary, reading, rest)
        found.append(summary)
    if show is Format.JSON:
        output.document(
            "dlq-list",
            {
                "cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)},
                "complete": not failed and not partial and not hidden,
                "gaps": [*([SOME_TOPICS] if partial else []), *(f"{name}: {topics.denied[name]}" for name in hidden)],
                "topics": [summary_document(summary) for summary in found],
            },
        )
    elif found:
        show_summaries(found, now)
    else:
        output.note(_nothing(partial))
    _tell_absent(catalog, topics, asked)
    _tell(found, target)
    if partial:
        output.note(f"{SOME_TOPICS}.")
    for name in hidden:
        output.warn(f"{name}: {topics.denied[name]}")
    if failed or hidden:
        raise UnreachableError(f"{many(len(failed) + len(hidden), 'topic')} could not be looked at.")
    if partial or any(summary.missing for summary in found):
        raise typer.Exit(ExitCode.UNREACHABLE)


def _asked_for(kafka: Cluster, topics: Topics, asked: Sequence[str]) -> list[str]:
    seen = [pattern for pattern in asked if pattern not in topics.denied]
    return list(dict.fromkeys(name for pattern in seen for name in matching_topics(kafka, topics, pattern)))


def _nothing(partial: bool) -> str:
    where = " that this user may describe" if partial else ""
    return f"No topic{where} is named under dlq in topics.yaml, or like dlq.*, *.DLT or *-dlq."


def _tell_absent(catalog: Catalog | None, topics: Topics, asked: Sequence[str]) -> None:
    """Declared dead-letter topics that do not exist: their services cannot give anything up."""
    absent = sorted(declared_dead_letters(catalog) - topics.found.keys() - topics.denied.keys())
    if absent and not asked:
        output.note(f"Declared, but not among the topics that this user sees: {and_more(absent)}.")


def _read(
    kafka: Cluster, topic: DeadLetterTopic, summary: DeadLetterSummary, reading: HeaderReading, seconds: float | None
) -> None:
    """Count the topic's records, for so many seconds."""
    places = {Place(topic.name, id): end for id, end in topic.ends.items()}
    first = {place: topic.firsts[place.partition] for place in places}
    until = None if seconds is None else time.monotonic() + max(0.2, seconds)
    reader = Reader(kafka, lambda text: output.note(f"{text}."))
    try:
        with (
            screen.progress(topic.name, summary.span) as show,
            closing(
                read_until(reader, first, places, _PATIENCE)  # type: ignore[type-var]
            ) as batches,
        ):
            for messages in batches:
                count_messages(summary, messages, reading)
                show(summary.read, f"{summary.read:,} of {summary.span:,}")
                if until is not None and time.monotonic() > until:
                    return
        summary.complete = True
    finally:
        reader.close()


def _tell(found: Sequence[DeadLetterSummary], target: Target) -> None:
    """What the figures do not say, and what to type next."""
    for summary in found:
        if summary.missing:
            output.warn(f"{summary.topic}: what was replayed is not known: {summary.missing}")
        if not summary.complete:
            whole = with_flags(kafkactl("dlq list", summary.topic, options=["--all"]), target.flags)
            output.note(
                f"{summary.topic}: {summary.read:,} of up to {summary.span:,} records were read; "
                f"sources and errors are of those. All of them: {whole.text}"
            )
        if summary.doubtful:
            output.warn(
                f"{summary.topic}: {many(summary.doubtful, 'record')} may have been sent by a replay that ended"
            )
    waiting = [summary.topic for summary in found if summary.pending]
    if waiting:
        shown = with_flags(kafkactl("dlq show", waiting[0]), target.flags)
        output.note(f"To see those of {and_more(waiting[:1])}: {shown.text}")
