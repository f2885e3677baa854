"""kafkactl test: proves that the cluster works, end to end."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import consent, options
from kafkactl.errors import ExitCode
from kafkactl.settings import Target
from kafkactl.tab_names import complete_topic
from kafkactl.text.words import took
from kafkactl.view import output
from kafkactl.view.cases import Case, github, junit
from kafkactl.view.formats import ReportFormat

if TYPE_CHECKING:
    from kafkactl.cluster.client import Cluster
    from kafkactl.history.model import StepFate
    from kafkactl.history.recording import Recording
    from kafkactl.probe.model import StepResult
    from kafkactl.probe.steps import Proof


@options.on_cluster(own_timeout=True, first_aid=True)
def smoke(
    target: Target,
    topic: Annotated[
        str | None,
        typer.Option(
            "--topic",
            metavar="TOPIC",
            help="Write to this topic instead of a scratch topic; the records stay.",
            autocompletion=complete_topic,
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, max=1_000_000, help="Number of records per partition.")
    ] = 100,
    size: Annotated[
        int,
        typer.Option("--size", metavar="BYTES", min=0, max=100_000_000, help="Size of each record's value in bytes."),
    ] = 200,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            metavar="TIME",
            parser=options.network_duration,
            help="Time limit of each step. Default: 30s.",
            show_default=False,
            rich_help_panel="Cluster and topics.yaml",
        ),
    ] = 30.0,
    confirm: options.Confirm = None,
    show: options.ReportOutput = ReportFormat.TABLE,
) -> None:
    """Prove that Kafka works: write to every broker with acks=all, read back, compare every byte, and commit.

    Uses a scratch topic, which is removed at the end, and never writes to a topic you did not name.

    \b
    Examples:
      kafkactl test
      kafkactl test --count 1000 --size 1000 -o junit
    """
    from kafkactl.carrying_out.recorded import recorded
    from kafkactl.history.model import Step
    from kafkactl.probe.model import Order
    from kafkactl.probe.steps import Proof

    catalog, connection = target.catalog, replace(target.connection, timeout=min(3.0, timeout))

    notes: list[Recording] = []
    stack = ExitStack()

    def protected(kafka: "Cluster") -> None:
        consent.require_unprotected(target, kafka.info.id, confirm, "write test records to it", kafka.info.addresses)
        if topic is not None:  # whose records stay; a scratch topic is gone at the end
            notes.append(stack.enter_context(recorded(target, kafka, [Step("records", topic, own=False)])))

    order = Order(connection, tuple(catalog.topics) if catalog else (), topic, count, size, timeout, target.flags)
    report = _Report(live=show is ReportFormat.TABLE)
    start = time.monotonic()
    proof = Proof(order, before_writing=protected, starting=report.starting)
    with stack:
        for result in _results(proof):
            report.add(result)
            if notes and result.step == "write":
                wrote: StepFate = "done" if result.state == "ok" else "not known"
                notes[0].end([replace(notes[0].steps[0], after="test records", fate=wrote)])
    report.finish(show, time.monotonic() - start, catalogued=catalog is not None, broken=target.broken)
    raise typer.Exit(report.exit_code)


def _results(proof: "Proof") -> "Iterator[StepResult]":
    """The results of the steps and of the clean-up, which also happens on Ctrl-C and SIGTERM."""
    try:
        yield from proof.steps()
    finally:
        cleaned = proof.clean()
        if cleaned and cleaned.state == "error":
            output.warn(cleaned.reason)
    if cleaned:
        yield cleaned


@dataclass
class _Report:
    live: bool
    results: "list[StepResult]" = field(default_factory=list)

    def starting(self, name: str) -> None:
        if self.live:
            output.pending(f"  …   {name}")

    def add(self, result: "StepResult") -> None:
        self.results.append(result)
        if not self.live:
            return
        output.pending("")
        look = output.style()
        taken = "" if result.state == "skipped" else took(result.seconds)
        figures = ""
        if result.figures:
            figures = "  ".join(f"{name} {value * 1000:.1f}" for name, value in result.figures.items()) + " ms"
        line = f"  {look.mark(result.state)}  {output.pad(result.name, 58)} {taken:>8}"
        if figures and output.width() < len(line) + len(figures) + 3:
            figures = f"\n        {figures}"
        output.say(f"{line}   {figures}".rstrip() if figures[:1] != "\n" else line + figures)
        if result.reason:
            output.say(f"        {look.paint(result.reason, 'dim' if result.state == 'skipped' else 'red')}")
        if result.next:
            output.say(f"        {result.next}")

    @property
    def failed(self) -> "list[StepResult]":
        return [result for result in self.results if result.state == "error"]

    @property
    def exit_code(self) -> ExitCode:
        """3 if Kafka is unreachable or stopped answering, 1 if it answers but something is wrong."""
        return max((result.exit_code for result in self.failed), default=ExitCode.OK)

    def finish(self, show: ReportFormat, seconds: float, *, catalogued: bool, broken: bool) -> None:
        match show:
            case ReportFormat.JSON:
                output.document("test", self._document(seconds))
            case ReportFormat.JUNIT:
                junit("test", self._cases())
            case ReportFormat.GITHUB:
                github("test", self._cases())
            case ReportFormat.TABLE:
                self._tell(seconds)
                if not catalogued:
                    why = "topics.yaml is invalid" if broken else "No topics.yaml found"
                    output.note(f"{why}: declared topics were not checked.")

    def _tell(self, seconds: float) -> None:
        good, steps = sum(result.state == "ok" for result in self.results), len(self.results)
        if not self.failed:
            output.note(f"\nKafka works: {good} of {steps} steps in {took(seconds)}.")
        else:
            first = self.failed[0]
            verdict = "This user may not test it" if first.denied else "Kafka does not work"
            output.note(f"\n{verdict}: {first.name}: {first.reason.rstrip('.')}. {good} of {steps} steps passed.")

    def _document(self, seconds: float) -> dict[str, object]:
        return {
            "passed": not self.failed,
            "seconds": round(seconds, 3),
            "steps": [
                {
                    "step": r.step,
                    "name": r.name,
                    "state": r.state,
                    "seconds": round(r.seconds, 6),
                    "reason": r.reason or None,
                    "next": r.next or None,
                    "latency_seconds": {k: round(v, 6) for k, v in r.figures.items()} if r.figures else None,
                }
                for r in self.results
            ],
        }

    def _cases(self) -> list[Case]:
        return [Case(r.name, r.state, _reason(r), r.seconds, subject=_STEPS[r.step]) for r in self.results]


def _reason(result: "StepResult") -> str:
    return " ".join(filter(None, (result.reason, result.next)))


# What JUnit calls the steps: the same in every run.
_STEPS = {
    "bootstrap": "reach Kafka",
    "brokers": "reach every advertised broker",
    "metadata": "read the cluster's metadata",
    "declared": "declared topics exist and have leaders",
    "topic": "a topic has leaders",
    "write": "write records, acks=all",
    "read": "read them back: none lost, none duplicated, in order, intact",
    "group": "commit and read a group's offset",
    "clean": "scratch topic and group removed",
}
