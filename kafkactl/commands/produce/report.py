"""What became of the records, in words, and the error that says it where not all are well."""

import shlex
from collections.abc import Iterator

from kafkactl import output
from kafkactl.cluster import Cluster
from kafkactl.cluster.topics import require_topic
from kafkactl.commands.produce.job import Job
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.topics import health
from kafkactl.words import duration, many


def conclude(job: Job, kafka: Cluster, resend: list[str], seconds: float) -> None:
    """Say what became of the records after `seconds`; `resend` are the words of the command that sends the rest.

    Raises KafkactlError where not every record was acknowledged (UnreachableError where nobody answered), or what
    the signal was that stopped us.
    """
    done, missing = job.sender.acknowledged, job.unsent.count + job.sender.waiting
    if not missing and not job.tally.cut_short:
        rate = f", {done / seconds:,.0f}/s" if done > 1 and seconds else ""
        output.note(f"{many(done, 'record')} acknowledged ({duration(seconds)}{rate}).")
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


def _next_step(job: Job, resend: list[str]) -> str:
    if job.unsent.count == job.tally.invalid:
        return "Correct these lines and send them again." if job.tally.invalid else ""
    return f"Send what is left: {shlex.join([*resend, '--json', '-l', str(job.unsent.path)])}"


def _reasons(job: Job, kafka: Cluster) -> Iterator[str]:
    tally = job.tally
    if tally.invalid:
        yield f"{many(tally.invalid, 'line is', 'lines are')} no record"
    if tally.unfit:
        yield f"{many(tally.unfit, 'does', 'do')} not fit the topic"
    for why, number in tally.refused.most_common():
        yield f"{number:,} refused: {why}"
    if tally.left:
        yield f"{tally.left:,} not sent: {_cause(job, kafka)}"
    if job.sender.waiting:
        yield f"{job.sender.waiting:,} of which the client library says nothing"
    if tally.cut_short:
        yield "the input was not read to its end"


def _cause(job: Job, kafka: Cluster) -> str:
    """Why the rest was not sent: what stopped us, or what is wrong with a cluster that did not answer in time."""
    if not job.sender.lost:
        return job.stop.why
    try:
        level, words = health(require_topic(kafka, job.sender.topic))
    except KafkactlError as error:
        return error.message.rstrip(".")
    return f"{job.sender.given_up}; {words}" if level != "ok" else job.sender.given_up


def _whereabouts(job: Job) -> Iterator[str]:
    if job.unsent.path is not None:
        yield f"What was not acknowledged is in {job.unsent.path}."
    if unknown := job.tally.unknown:
        which = "That record" if unknown == 1 else f"Up to {unknown:,} of these records"
        yield f"{which} may be in the topic as well: only the acknowledgement may have been lost."
