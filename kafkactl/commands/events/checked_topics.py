"""One run of events check."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import Topics, read_topics
from kafkactl.cluster.visibility import matching_topics, topics_may_hide
from kafkactl.contracts.event_tally import EventTally
from kafkactl.contracts.record_check import tally_of
from kafkactl.contracts.schema_files import load_contract
from kafkactl.errors import ExitCode, KafkactlError, NotPermittedError, UsageError
from kafkactl.records import span
from kafkactl.records.consume import Reader, as_record, read_until
from kafkactl.registry import decoding_of
from kafkactl.settings import Target
from kafkactl.text.words import and_more
from kafkactl.topics import SOME_TOPICS, LiveTopic, Place, beginning, is_glob
from kafkactl.view import output, screen
from kafkactl.view.event_report import show_tallies
from kafkactl.view.formats import ReportFormat

if TYPE_CHECKING:
    from kafkactl.registry.decoding import Decoding

_PATIENCE = 30.0  # seconds without a record


def check_topics(
    target: Target,
    asked: Sequence[str],
    since: int | None,
    sample: int | None,
    contract: str | None,
    show: ReportFormat,
) -> None:
    """Check every event of these topics. Raises UsageError without a contract.

    Raises Exit with 1 where one is invalid, else with 3 where not all could be read.
    """
    catalog = target.catalog
    if contract is not None:
        load_contract(contract, catalog.events if catalog else {})
    kafka = connect(target.connection)
    topics = read_topics(kafka, [name for name in asked if not is_glob(name)], config_of=())
    tallies, without = _tallies(kafka, topics, asked, catalog, contract)
    gaps = _gaps_of_lists(kafka, asked)
    decoding = decoding_of(target)
    for tally in tallies:
        try:
            gaps += _read(kafka, topics.found[tally.topic], tally, decoding, since, sample)
        except NotPermittedError as error:
            if len(tallies) == 1:
                raise
            gaps.append(error.message)
        tally.seen.forget()
    if decoding is not None and decoding.told:
        gaps.append(decoding.told.rstrip("."))
    show_tallies(tallies, show, gaps)
    if without:
        output.note(f"Not checked, for want of a contract: {and_more(without)}.")
    for gap in gaps:
        output.warn(f"incomplete answer: {gap}")
    if any(tally.invalid for tally in tallies):
        raise typer.Exit(ExitCode.FOUND)
    if gaps:
        raise typer.Exit(ExitCode.UNREACHABLE)


def _tallies(
    kafka: Cluster, topics: Topics, asked: Sequence[str], catalog: Catalog | None, contract: str | None
) -> tuple[list[EventTally], list[str]]:
    """A tally for each topic with a contract, and the names of those that a glob found without one."""
    tallies: list[EventTally] = []
    without: list[str] = []
    for pattern in asked:
        for name in matching_topics(kafka, topics, pattern):
            if any(tally.topic == name for tally in tallies) or name in without:
                continue
            tally = tally_of(name, catalog, contract)
            if tally is not None:
                tallies.append(tally)
            elif is_glob(pattern):
                without.append(name)
            else:
                raise UsageError(
                    f"{name} has no contract: topics.yaml names none for it.",
                    hint="Name one there, under the topic: event: base; or here: --contract base",
                )
    if not tallies:
        raise UsageError(f"None of these topics has a contract: {and_more(without)}.", hint="Name one: --contract base")
    return tallies, without


def _gaps_of_lists(kafka: Cluster, asked: Sequence[str]) -> list[str]:
    """What a glob may not have found: topics that this user may not describe."""
    globs = [beginning(pattern) for pattern in asked if is_glob(pattern)]
    return [SOME_TOPICS] if globs and topics_may_hide(kafka, globs) else []


def _read(
    kafka: Cluster,
    topic: LiveTopic,
    tally: EventTally,
    decoding: "Decoding | None",
    since: int | None,
    sample: int | None,
) -> list[str]:
    """Count the topic's events; what of it could not be read, and why. Raises NotPermittedError."""
    places = [Place(topic.name, p.id) for p in topic.partitions if p.leader is not None]
    leaderless = [Place(topic.name, p.id) for p in topic.partitions if p.leader is None]
    bounds = span.bounds(kafka, places, uncommitted=False)
    silent = sorted({*leaderless, *bounds.silent})
    gaps = [f"the leader of {and_more(silent)} does not respond"] if silent else []
    reader = Reader(kafka, lambda text: output.note(f"{text}."))
    told = time.monotonic()
    try:
        starts = dict(bounds.firsts) if since is None else span.at_time(kafka, bounds.ends, since)
        if sample is not None:
            each = -(-sample // max(1, len(bounds.ends)))
            starts = {place: max(start, bounds.ends[place] - each) for place, start in starts.items()}
        total = sum(bounds.ends[place] - start for place, start in starts.items())
        with screen.progress(topic.name, total) as show:
            for messages in read_until(reader, starts, bounds.ends, _PATIENCE):
                _add(tally, messages, decoding)
                if time.monotonic() > told + 0.1:
                    told = time.monotonic()
                    show(tally.read, f"{tally.read:,} of {total:,}, {tally.invalid:,} invalid")
    except NotPermittedError:
        raise
    except KafkactlError as error:  # what was read until then still counts
        gaps.append(error.message.rstrip("."))
    finally:
        reader.close()
    return gaps


def _add(tally: EventTally, messages: Sequence[Any], decoding: "Decoding | None") -> None:
    """Count events. Of one that was encoded with a schema and cannot be decoded nothing is known."""
    if decoding is None:
        for message in messages:
            kind, stamp = message.timestamp()
            tally.add(message.partition(), message.offset(), stamp if kind else None, message.value())
        return
    for record in map(as_record, messages):
        try:
            value = decoding.value(record)
        except ValueError:
            continue
        tally.add(record.partition, record.offset, record.timestamp, value)
