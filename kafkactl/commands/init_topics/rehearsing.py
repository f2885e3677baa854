"""init-topics --rehearse: the plan on a copy of the cluster, with `test` before and behind it, and a report."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from kafkactl.carrying_out.access_changes import AccessRun
from kafkactl.carrying_out.proof_on_copy import failed_steps, proof_verdict, proven, show_copy
from kafkactl.commands.init_topics.apply import Run
from kafkactl.commands.init_topics.replica_changes import ReplicaChanges
from kafkactl.errors import ExitCode, KafkactlError
from kafkactl.plan.account import Account, Fate
from kafkactl.plan.differences import Change, Plan
from kafkactl.plan.risk import Risk
from kafkactl.probe.model import StepResult
from kafkactl.rehearsal.copying import ClusterCopy, cluster_copy, read_original
from kafkactl.settings import Target
from kafkactl.text.words import and_more, many, took
from kafkactl.view import account_report, output


@dataclass(frozen=True)
class _Report:
    """What happened on the copy. `before` and `behind` are the steps of `test`; seconds of each part by its name."""

    copy: ClusterCopy
    account: Account
    before: Sequence[StepResult]
    behind: Sequence[StepResult]
    differs: Sequence[str]  # topics whose plan is another one there
    error: str
    access: AccessRun
    seconds: dict[str, float]

    @property
    def works(self) -> bool:
        """Whether all of the plan was done there, and Kafka works behind it."""
        if not self.access.successful(dry_run=False):
            return False
        undone = self.account.of(Fate.FAILED, Fate.IMPOSSIBLE, Fate.UNKNOWN, Fate.NOT_DONE)
        return not undone and not self.error and not failed_steps(self.behind)


def rehearse_run(run: Run, access: AccessRun, target: Target, *, as_json: bool) -> ExitCode:
    """Rehearse what the run would do, whatever it risks, and report. The cluster itself is only read."""
    refused = run.account(dry_run=True).of(Fate.FAILED)
    overrides = Risk.OVERRIDES in run.agreement.allowed and run.plan.overrides
    if not (run.plan.changes or overrides or access.plan.changes):
        output.note("Nothing to rehearse: the cluster is as declared.")
        if as_json:
            output.document("rehearsal", {"works": True, "nothing_to_do": True})
        return ExitCode.OK
    with ExitStack() as stack:
        start = time.monotonic()
        original = read_original(run.kafka, with_rules=access.declared)
        copy = stack.enter_context(cluster_copy(original, lambda text: output.note(f"{text}.")))
        seconds = {"copy": time.monotonic() - start}
        report = _on_copy(run, target, copy, seconds)
    if as_json:
        output.document("rehearsal", _document(run, report, refused))
    else:
        _show(run, report)
        if refused:
            topics = and_more(dict.fromkeys(entry.change.topic for entry in refused))
            output.note(f"The cluster itself would refuse a change of {topics}, whatever the copy did:")
            account_report.tell_failures(refused)
    return ExitCode.OK if report.works and not refused else ExitCode.FOUND


def _on_copy(run: Run, target: Target, copy: ClusterCopy, seconds: dict[str, float]) -> _Report:
    # There nothing can be lost. What is left alone on the cluster is left alone there.
    everything = frozenset(Risk) - ({Risk.OVERRIDES} - run.agreement.allowed)
    # The copy is nobody's production, whatever the cluster is.
    there = Target(brokers=copy.cluster.connection.address, file=target.file)
    movers = ReplicaChanges(copy.cluster, there, None, quiet=True)
    rehearsal = Run(copy.cluster, run.catalog, run.only, everything, movers)
    start = time.monotonic()
    before = proven(copy.cluster)
    seconds["test before"] = time.monotonic() - start
    plan = rehearsal.look()
    rehearsal.check()
    error = ""
    start = time.monotonic()
    try:
        rehearsal.make_so(quiet=True)
    except KafkactlError as problem:
        error = problem.message
    access = AccessRun(copy.cluster, run.catalog, run.only, allowed=True)
    try:
        if access.look().changes:
            access.make_so()
    except KafkactlError as problem:
        error = error or problem.message
    seconds["changes"] = time.monotonic() - start
    start = time.monotonic()
    behind = proven(copy.cluster)
    seconds["test after"] = time.monotonic() - start
    return _Report(
        copy, rehearsal.account(dry_run=False), before, behind, _differing(run.plan, plan), error, access, seconds
    )


def _differing(here: Plan, there: Plan) -> list[str]:
    """The topics of which the copy's plan is another one: then it is no copy in what matters."""

    def planned(changes: Sequence[Change]) -> set[tuple[str, str, str, str | None, str | None]]:
        return {(change.topic, change.kind, change.key, change.old, change.new) for change in changes}

    return sorted({topic for topic, *_ in planned(here.changes) ^ planned(there.changes)})


def _show(run: Run, report: _Report) -> None:
    account = report.account
    show_copy(report.copy)
    if report.differs:
        output.say(f"  another plan there for {and_more(report.differs)}: values that the copy does not have")
    output.say(f"  test before: {proof_verdict(report.before)}")
    done = len(account.of(Fate.DONE))
    output.say(f"  {many(len(_tried(account)), 'change')}: {done:,} done in {took(report.seconds['changes'])}")
    for entry in account.of(Fate.FAILED, Fate.IMPOSSIBLE):
        output.say(f"    refused: {entry.change.topic} {entry.change.key or entry.change.kind}: {entry.reason}")
    if open_ := len(account.of(Fate.UNKNOWN, Fate.NOT_DONE)):
        output.say(f"    not done: {many(open_, 'change')}{f': {report.error}' if report.error else ''}")
    if report.access.declared and report.access.plan.changes:
        rules = len(report.access.of(Fate.DONE))
        output.say(f"  {many(len(report.access.plan.changes), 'access rule')}: {rules:,} changed")
        for change in report.access.of(Fate.FAILED, Fate.IMPOSSIBLE):
            output.say(f"    not changed: {change.rule.text}: {report.access.fate(change)[1]}")
    output.say(f"  test after: {proof_verdict(report.behind)}")
    missing = sorted({risk for c in run.plan.changes if not c.impossible for risk in run.agreement.missing(c)})
    needs = f" There it needs {' '.join(f'--allow {risk}' for risk in missing)}." if missing else ""
    verdict = "The plan works on the copy." if report.works else "The plan does not work on the copy."
    total = took(sum(report.seconds.values()))
    output.note(f"\n{verdict} {total}; nothing was changed on {run.kafka.connection.label}.{needs}")


def _tried(account: Account) -> Sequence[Any]:
    return account.of(Fate.DONE, Fate.FAILED, Fate.IMPOSSIBLE, Fate.UNKNOWN, Fate.NOT_DONE)


def _document(run: Run, report: _Report, refused: Sequence[Any]) -> dict[str, Any]:
    copy = report.copy
    return {
        "works": report.works and not refused,
        "nothing_to_do": False,
        "cluster": {"id": run.kafka.info.id, "brokers": list(run.kafka.connection.brokers)},
        "copy": {
            "kafka_version": copy.version,
            "brokers": copy.plan.brokers,
            "topics": len(copy.plan.topics),
            "not_as_on_the_cluster": list(copy.left_out),
            "another_plan_for": list(report.differs),
        },
        "test_before": not failed_steps(report.before),
        "test_after": not failed_steps(report.behind),
        "access": report.access.as_document() if report.access.declared else None,
        "changes": account_report.account_document(report.account, copy.cluster),
        "refused_by_the_cluster": [
            {"topic": e.change.topic, "kind": e.change.kind, "key": e.change.key or None, "reason": e.reason}
            for e in refused
        ],
        "seconds": {name: round(value, 3) for name, value in report.seconds.items()},
    }
