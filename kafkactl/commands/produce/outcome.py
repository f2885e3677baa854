"""What one run of produce was asked to do, and what became of it: the report, and the commands that send the rest."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.visibility import require_topic
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.records.job import Job
from kafkactl.records.partitioning import Partitioner
from kafkactl.settings import Target
from kafkactl.text.remedies import Command, kafkactl
from kafkactl.text.words import many, took
from kafkactl.topics import health
from kafkactl.view import output


@dataclass(frozen=True)
class ProduceOptions:
    """What to write and how, as the user typed it."""

    topic: str
    value: bytes | None
    value_file: Path | None  # where the value was read from
    delimiter: bytes  # what lines end with
    lines: Path | None
    as_json: bool
    key: bytes | None
    separator: bytes | None
    headers: tuple[bytes, ...]
    timestamp: int | None  # ms
    tombstone: bool
    partition: int | None
    partitioner: Partitioner
    keep_partition: bool
    count: int
    per_second: float | None
    fail_fast: bool
    unsent: Path | None
    undeclared: bool
    delivery_timeout: float  # seconds
    confirm: str | None
    event: bool  # VALUE is made an event
    assignments: tuple[bytes, ...]  # NAME=VALUE, for an event
    check: bool | None  # refuse what breaks the contract; None: warn of it


class Resend:
    """Makes the commands that write what was not acknowledged to the same topic with the same options."""

    def __init__(self, wish: ProduceOptions, target: Target) -> None:
        self._wish = wish
        self._options = [*target.flags, *(["--undeclared"] if wish.undeclared else [])]

    def file(self, path: Path) -> Command:
        """For the lines of a file."""
        wish, options = self._wish, list(self._options)
        if wish.partition is not None or wish.keep_partition:
            options += ["--keep-partition"]
        elif wish.partitioner is not Partitioner.MURMUR2:
            options += ["--partitioner", wish.partitioner]
        return kafkactl("produce", wish.topic, options=[*options, "--json", "-l", str(path)])

    def copies(self, count: int) -> Command:
        """For so many copies of the one record."""
        wish, options = self._wish, list(self._options)
        if wish.partition is not None:
            options += ["--partition", str(wish.partition)]
        if wish.partitioner is not Partitioner.MURMUR2:
            options += ["--partitioner", wish.partitioner]
        options += [word for header in wish.headers for word in ("-H", os.fsdecode(header))]
        if wish.per_second is not None:
            options += ["--rate", f"{wish.per_second:g}/s"]
        if wish.timestamp is not None:
            options += ["--timestamp", str(wish.timestamp)]
        if wish.key is not None:
            options += ["-k", os.fsdecode(wish.key)]
        if wish.value_file is not None:
            options += ["--value-file", str(wish.value_file)]
        if wish.event:
            options += ["--event", *(word for given in wish.assignments for word in ("--set", os.fsdecode(given)))]
        if wish.check is not None:
            options += ["--check" if wish.check else "--no-check"]
        unnamed = wish.tombstone or wish.value_file is not None or (wish.event and wish.value is None)
        value = [] if unnamed else [os.fsdecode(wish.value or b"")]
        options += ["--tombstone"] if wish.tombstone else []
        return kafkactl("produce", wish.topic, *value, options=[*options, "--count", str(count)])


def conclude(job: Job, kafka: Cluster, resend: Resend, seconds: float) -> None:
    """Report what happened to the records after `seconds`; `resend` makes the commands that send the rest.

    Raises KafkactlError if not every record was acknowledged (UnreachableError if no broker answered), or the
    exception of the signal that stopped us.
    """
    done, missing = job.sender.acknowledged, job.unsent.count + job.sender.waiting + job.tally.copies
    if not missing and not job.tally.cut_short:
        rate = f", {done / seconds:,.0f}/s" if done > 1 and seconds else ""
        output.note(f"{many(done, 'record')} acknowledged ({took(seconds)}{rate}).")
        job.stop.raise_again()
        return
    kind = UnreachableError if job.sender.lost else KafkactlError
    error = kind(
        f"{done:,} of {many(done + missing, 'record')} acknowledged; {', '.join(_reasons(job, kafka))}.",
        where=" ".join(_whereabouts(job)),
        hint=_next_step(job, resend),
    )
    if job.stop.signal is not None:
        output.note("\n".join(error.lines()))
        job.stop.raise_again()
    raise error


def _next_step(job: Job, resend: Resend) -> str | Command:
    copies = resend.copies(job.tally.copies) if job.tally.copies else None
    if job.unsent.path is None:
        return copies.noted("Send the rest") if copies else ""
    rest = resend.file(job.unsent.path)
    tally = job.tally
    if tally.invalid:
        which, them = ("this line", "it") if tally.invalid == 1 else ("these lines", "them")
        rest = rest.noted(f'Correct the "text" of {which} there, then send {them}')
        return rest if job.unsent.count == tally.invalid else rest.noted(f"{rest.note} and the rest")
    if not (tally.left or copies or job.sender.waiting):  # all of it was rejected, and would be again
        return rest.noted("Correct what was rejected, then send it")
    return (rest.then(copies) if copies else rest).noted("Send the rest")


def _reasons(job: Job, kafka: Cluster) -> Iterator[str]:
    tally = job.tally
    if tally.invalid:
        yield f"{many(tally.invalid, 'line is not a valid record', 'lines are not valid records')}"
    if tally.unfit:
        yield f"{tally.unfit:,} would be rejected by the topic"
    for why, number in tally.refused.most_common():
        yield f"{number:,} rejected: {why}"
    if left := tally.left + tally.copies:
        yield f"{left:,} not sent: {_cause(job, kafka)}"
    if job.sender.waiting:
        yield f"{job.sender.waiting:,} with unknown outcome"
    if tally.cut_short:
        why = f": {job.stop.why}" if job.source.endless else ""
        yield f"the input was not read to its end{why}"


def _cause(job: Job, kafka: Cluster) -> str:
    """Why the rest was not sent: what stopped us, or what is wrong with a cluster that did not answer in time."""
    if not job.sender.lost:
        return job.stop.why or job.sender.given_up
    try:
        level, words = health(require_topic(kafka, job.sender.topic))
    except KafkactlError as error:
        return error.message.rstrip(".")
    return f"{job.sender.given_up}; {words}" if level != "ok" else job.sender.given_up


def _whereabouts(job: Job) -> Iterator[str]:
    if job.unsent.path is not None:
        yield f"Unacknowledged records are in {job.unsent.path}."
    if unknown := job.tally.unknown:
        which = "That record" if unknown == 1 else f"Up to {unknown:,} of these records"
        yield f"{which} may also be in the topic: possibly only the acknowledgement was lost."
