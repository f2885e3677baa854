"""One run of events check."""

import time
from collections.abc import Sequence

import typer

from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_topics
from kafkactl.cluster.visibility import matching_topics
from kafkactl.contracts.event_tally import EventTally
from kafkactl.contracts.record_check import tally_of
from kafkactl.contracts.schema_files import load_contract
from kafkactl.errors import ExitCode, UnreachableError, UsageError
from kafkactl.records import span
from kafkactl.records.consume import Reader, read_until
from kafkactl.settings import Target
from kafkactl.text.words import and_more
from kafkactl.topics import LiveTopic, Place, is_glob
from kafkactl.view import output
from kafkactl.view.event_report import show_tallies
from kafkactl.view.output import ReportFormat

_PATIENCE = 30.0  # seconds without a record


def check_topics(
    target: Target,
    asked: Sequence[str],
    since: int | None,
    sample: int | None,
    contract: str | None,
    show: ReportFormat,
) -> None:
    """Check every event of these topics. Raises Exit with 1 where one is invalid, UsageError without a contract."""
    catalog = target.catalog
    if contract is not None:
        load_contract(contract, catalog.events if catalog else {})
    kafka = connect(target.connection)
    topics = read_topics(kafka, [name for name in asked if not is_glob(name)], config_of=())
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
    silent = [place for tally in tallies for place in _read(kafka, topics.found[tally.topic], tally, since, sample)]
    show_tallies(tallies, show, complete=not silent)
    if without:
        output.note(f"Not checked, for want of a contract: {and_more(without)}.")
    if silent:
        raise UnreachableError(f"The leader of {and_more(sorted(silent))} does not respond.", hint=span.HINT)
    if any(tally.invalid for tally in tallies):
        raise typer.Exit(ExitCode.FOUND)


def _read(kafka: Cluster, topic: LiveTopic, tally: EventTally, since: int | None, sample: int | None) -> list[Place]:
    """Count the topic's events; the partitions that could not be read."""
    places = [Place(topic.name, p.id) for p in topic.partitions if p.leader is not None]
    leaderless = [Place(topic.name, p.id) for p in topic.partitions if p.leader is None]
    bounds = span.bounds(kafka, places, uncommitted=False)
    starts = dict(bounds.firsts) if since is None else span.at_time(kafka, bounds.ends, since)
    if sample is not None:
        each = -(-sample // max(1, len(bounds.ends)))
        starts = {place: max(start, bounds.ends[place] - each) for place, start in starts.items()}
    total = sum(bounds.ends[place] - start for place, start in starts.items())
    reader = Reader(kafka, lambda text: output.note(f"{text}."))
    told = time.monotonic()
    try:
        with output.progress(topic.name, total) as show:
            for messages in read_until(reader, starts, bounds.ends, _PATIENCE):
                for message in messages:
                    kind, stamp = message.timestamp()
                    tally.add(message.partition(), message.offset(), stamp if kind else None, message.value())
                if time.monotonic() > told + 0.1:
                    told = time.monotonic()
                    show(tally.read, f"{tally.read:,} of {total:,}, {tally.invalid:,} invalid")
    finally:
        reader.close()
    return [*leaderless, *bounds.silent]
