"""One run of produce: checks the command line against the cluster, writes the records, and reports."""

import os
import sys
import time
from contextlib import ExitStack
from dataclasses import replace

from kafkactl import consent
from kafkactl.carrying_out.recorded import recorded
from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.visibility import require_topic
from kafkactl.commands.produce.contracts import ContractCheck, EventMaker
from kafkactl.commands.produce.outcome import ProduceOptions, Resend, conclude
from kafkactl.errors import UsageError
from kafkactl.history.model import Step, StepFate
from kafkactl.process import Interruption
from kafkactl.records import outgoing
from kafkactl.records.corrections import Reading
from kafkactl.records.job import Job, Pace
from kafkactl.records.lines import Lines, Repeated, Source
from kafkactl.records.model import Headers
from kafkactl.records.outgoing import Columns, Given, Parse, Rules
from kafkactl.records.send import Sender
from kafkactl.records.unsent import Unsent
from kafkactl.settings import Target
from kafkactl.text.escapes import printable
from kafkactl.text.suggest import suggest
from kafkactl.text.units import retention_text
from kafkactl.topics import LiveTopic, is_internal
from kafkactl.view import output, screen

_TOLD_LINES = 20  # invalid lines that are named; further ones are only counted


def produce_records(target: Target, wish: ProduceOptions) -> None:
    """Write the records. Raises what `conclude` raises if not all of them were acknowledged."""
    _check(wish)
    _check_declared(target.catalog, wish)
    asked, maker = wish, None
    if wish.event:
        maker = EventMaker(wish.topic, target.catalog, wish.value, wish.assignments, wish.timestamp)
        wish = replace(wish, value=maker())
    reading = _reading(wish)
    parse = outgoing.tombstone(reading.given) if wish.tombstone else reading.parse()
    _check_value(wish, parse)
    unsent = Unsent(wish.topic, wish.unsent, wish.lines, reading)
    with ExitStack() as stack:
        source = _source(wish, maker, stack)
        kafka = connect(target.connection)
        topic = require_topic(kafka, wish.topic)
        consent.require_unprotected(
            target, kafka.info.id, wish.confirm, f"write records to {wish.topic}", kafka.info.addresses
        )
        rules = _rules(topic, wish)
        contract = _contract(target.catalog, wish, rules)
        stop = stack.enter_context(Interruption())
        sender = _sender(kafka, wish, rules, stop)
        bar = stack.enter_context(screen.progress(f"Writing to {wish.topic}", source.size))
        job = Job(
            source=source,
            parse=parse,
            check=contract,
            sender=sender,
            unsent=unsent,
            stop=stop,
            told=_BadLines(wish),
            aged=_OldRecords(wish, rules),
            progressed=lambda job: bar(job.source.read, _so_far(job)),
            columns=contract.columns(_columns(wish, rules)),
            pace=Pace(wish.per_second) if wish.per_second else None,
            fail_fast=wish.fail_fast,
        )
        start = time.monotonic()
        step = Step("records", wish.topic, own=False)
        with recorded(target, kafka, [step], private=_private(wish)) as recording:
            try:
                job.run()
            finally:
                recording.end([_sent(step, job)])
        taken = time.monotonic() - start
    contract.tell()
    conclude(job, kafka, Resend(asked, target), taken)


def _contract(catalog: Catalog | None, wish: ProduceOptions, rules: Rules) -> ContractCheck:
    """The check of each record. Raises UsageError where --check has nothing to check against."""
    check = outgoing.checked(rules, lambda: int(time.time() * 1000))
    refuse = bool(wish.check) or (wish.event and wish.check is None)
    contract = ContractCheck(wish.topic, None if wish.check is False else catalog, check, refuse=refuse)
    if wish.check and not contract.exists:
        raise UsageError(
            f"--check: {wish.topic} has no contract in topics.yaml.",
            hint="Name one there, under the topic: event: base",
        )
    return contract


def _private(wish: ProduceOptions) -> list[str]:
    """What is on the command line of a record's own: nothing for a history that a team reads."""
    given = [wish.value, wish.key, *wish.headers, *wish.assignments]
    return [os.fsdecode(one) for one in given if one]


def _sent(step: Step, job: Job) -> Step:
    """What became of the records. Of those without an answer nobody knows."""
    done, open_ = job.sender.acknowledged, job.tally.unknown + job.sender.waiting
    fate: StepFate = "done" if done else "not known" if open_ else "not done"
    why = f"{open_:,} more may have been written" if open_ else ""
    return replace(step, after=str(done), fate=fate, why=why)


def _so_far(job: Job) -> str:
    kept = f", {job.unsent.count:,} kept" if job.unsent.count else ""
    return f"{job.sender.acknowledged:,} acknowledged{kept}"


def _check(wish: ProduceOptions) -> None:
    """Raise UsageError for options that contradict each other."""
    keys = {"--json": wish.as_json, "--key": wish.key is not None, "--key-separator": wish.separator is not None}
    if len(given := [name for name, there in keys.items() if there]) > 1:
        raise UsageError(f"{' and '.join(given)} cannot be combined: each says where the key comes from.")
    if wish.tombstone and wish.key is None:
        raise UsageError("--tombstone needs a key to delete.", hint="Add --key KEY")
    if wish.separator == b"":
        raise UsageError("--key-separator is empty.")
    if wish.count > 1 and wish.value is None and not (wish.tombstone or wish.event):
        raise UsageError("--count needs a VALUE to repeat.")
    if wish.keep_partition and (not wish.as_json or wish.partition is not None):
        raise UsageError("--keep-partition needs --json, and cannot be combined with --partition.")
    if is_internal(wish.topic):
        raise UsageError(f"{wish.topic} is an internal topic of Kafka: writing to it would corrupt Kafka's state.")


def _check_declared(catalog: Catalog | None, wish: ProduceOptions) -> None:
    if catalog is None or wish.undeclared or wish.topic in catalog.topics:
        return
    slip = suggest(wish.topic, catalog.topics, quoted=False)
    raise UsageError(
        f"{wish.topic} is not declared in {catalog.path.name}.{slip}", hint="To write anyway, add --undeclared"
    )


def _reading(wish: ProduceOptions) -> Reading:
    if wish.timestamp is not None and wish.timestamp <= 0:
        raise UsageError("--timestamp is before 1970; Kafka timestamps start there.")
    return Reading(
        Given(wish.key, _headers(wish.headers), wish.timestamp, wish.partition),
        separator=wish.separator,
        as_json=wish.as_json,
        keep_partition=wish.keep_partition,
        typed=_typed(wish),
    )


def _check_value(wish: ProduceOptions, parse: Parse) -> None:
    """Raise UsageError for a VALUE that is no record: there are no other lines that could go on without it."""
    if wish.value is None:
        return
    try:
        record = parse(wish.value)
    except ValueError as error:
        raise UsageError(f"{_name_of_value(wish)}: {error}.") from None
    if record is None:
        raise UsageError(f"{_name_of_value(wish)}: it is empty, but --json needs a record.")


def _name_of_value(wish: ProduceOptions) -> str:
    return "VALUE" if wish.value_file is None else "stdin" if str(wish.value_file) == "-" else str(wish.value_file)


def _typed(wish: ProduceOptions) -> bool:
    """Whether lines are typed, or pasted, on a terminal."""
    return wish.value is None and wish.lines is None and sys.stdin is not None and sys.stdin.isatty()


def _columns(wish: ProduceOptions, rules: Rules) -> Columns | None:
    """The fast path, if the command line sets nothing but the key."""
    if _typed(wish):
        return None
    said = wish.as_json or wish.tombstone or wish.headers or wish.timestamp is not None or wish.partition is not None
    keyless = rules.compacted and wish.key is None and wish.separator is None
    return None if said or keyless else outgoing.split_columns(wish.separator, wish.key, rules)


def _headers(pairs: tuple[bytes, ...]) -> Headers:
    found = []
    for pair in pairs:
        name, equals, value = pair.partition(b"=")
        try:
            text = name.decode()
        except UnicodeDecodeError:
            raise UsageError(f"--header: the name in {printable(pair)} is not UTF-8.") from None
        if not text:
            raise UsageError(f"--header: {printable(pair)} is not NAME=VALUE.")
        found.append((text, value if equals else None))
    return tuple(found)


def _source(wish: ProduceOptions, maker: EventMaker | None, stack: ExitStack) -> Source:
    if maker is not None:
        return Repeated(maker, wish.count)
    if wish.value is not None or wish.tombstone:
        return Repeated(wish.value or b"", wish.count)
    if wish.lines is not None:
        try:
            return Lines(stack.enter_context(wish.lines.open("rb", buffering=0)).fileno(), wish.delimiter)
        except OSError as error:
            raise UsageError(f"Cannot read {wish.lines}: {error.strerror}.") from None
    if sys.stdin is None:
        raise UsageError("No VALUE given, and stdin is closed.")
    if sys.stdin.isatty():
        output.note("Enter one record per line; Ctrl-D ends.")
    return Lines(sys.stdin.fileno(), wish.delimiter)


def _rules(topic: LiveTopic, wish: ProduceOptions) -> Rules:
    rules = outgoing.rules(topic)
    if wish.partition is not None and wish.partition >= rules.partitions:
        raise UsageError(
            f"{topic.name} has no partition {wish.partition}: its {rules.partitions} partitions are numbered from 0."
        )
    if rules.stamps and (wish.as_json or wish.timestamp is not None):
        output.warn(f"{topic.name} sets timestamps itself (LogAppendTime): the given ones are not kept.")
    return rules


def _sender(kafka: Cluster, wish: ProduceOptions, rules: Rules, stop: Interruption) -> Sender:
    return Sender(
        kafka,
        wish.topic,
        partitioner=wish.partitioner,
        max_bytes=rules.max_bytes,
        timeout=wish.delivery_timeout,
        stopped=lambda: bool(stop.why),
        told=lambda text: output.note(f"{text}."),
    )


def _place(wish: ProduceOptions, number: int) -> str:
    """Where a line of the input is."""
    if wish.tombstone:
        return "the tombstone"
    if wish.value is not None:
        return _name_of_value(wish)
    return f"{wish.lines}:{number}" if wish.lines else f"line {number}"


class _BadLines:
    """Reports invalid lines, up to a limit; of copies of one value only the first."""

    def __init__(self, wish: ProduceOptions) -> None:
        self._wish = wish
        self._told = 0

    def __call__(self, number: int, why: str) -> None:
        self._told += 1
        limit = 1 if self._wish.value is not None or self._wish.tombstone else _TOLD_LINES
        if self._told <= limit:
            output.note(f"{_place(self._wish, number)}: {why}.")
        elif self._told == limit + 1 and limit > 1:
            output.note("Further invalid lines are counted but not listed.")


class _OldRecords:
    """Warns once about records that are older than the topic's retention."""

    def __init__(self, wish: ProduceOptions, rules: Rules) -> None:
        self._wish = wish
        self._kept = rules.retention
        self._oldest = None if rules.retention is None else int(time.time() * 1000) - rules.retention

    def __call__(self, number: int, timestamp: int) -> None:
        if self._kept is not None and self._oldest is not None and timestamp < self._oldest:
            self._oldest = None
            output.warn(
                f"{_place(self._wish, number)} is older than the retention of {self._wish.topic} "
                f"({retention_text(self._kept)}): Kafka may delete such records at once."
            )
