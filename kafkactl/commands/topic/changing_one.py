"""One run of topic create or topic set: plan, ask the broker, ask the user, apply, and say how to declare it."""

import time
from collections.abc import Callable

import typer

from kafkactl import consent
from kafkactl.catalog.export import declaration_text
from kafkactl.cluster import changes
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import read_default_replication, read_topic_ids, read_topics
from kafkactl.consent import Asked
from kafkactl.errors import (
    ExitCode,
    KafkactlError,
    NoTopicError,
    NotPermittedError,
    Terminated,
    UnreachableError,
    UsageError,
)
from kafkactl.plan.account import Account, Agreement, Fate, Ledger
from kafkactl.plan.differences import Change, Plan, with_topic_ids
from kafkactl.plan.one_topic import TypedTopic, plan_one, said_otherwise
from kafkactl.plan.risk import Risk
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.units import value_text
from kafkactl.text.words import many, took
from kafkactl.topics import LiveTopic
from kafkactl.view import account_report, output, plan_table


def create_one(asked: Asked, wanted: TypedTopic) -> None:
    """Create a topic that is not there. Raises UsageError where it is."""
    kafka = connect(asked.target.connection)

    def look() -> Plan:
        if _read(kafka, wanted.name) is not None:
            shown = kafkactl("describe", wanted.name, note="To see it")
            raise UsageError(f"Nothing was changed: {wanted.name} exists already.", hint=shown)
        open_ = wanted.replication is None and "min.insync.replicas" in wanted.config
        return plan_one(wanted, None, read_default_replication(kafka) if open_ else None)

    _carry_out(kafka, asked, wanted.name, look, f"Create {wanted.name}")


def set_one(asked: Asked, wanted: TypedTopic) -> None:
    """Change a topic that is there. Raises NoTopicError where it is not."""
    kafka = connect(asked.target.connection)

    def look() -> Plan:
        live = _read(kafka, wanted.name)
        if live is None:
            raise NoTopicError(
                f"There is no topic {wanted.name}.", hint=kafkactl("describe", options=["-o", "name"], note="List them")
            )
        if live.config is None and (wanted.config or wanted.unset):
            raise NotPermittedError(
                f"Nothing was changed: no permission to read the settings of {wanted.name} "
                "(needs DescribeConfigs on the topic)."
            )
        return with_topic_ids(plan_one(wanted, live), read_topic_ids(kafka, [wanted.name]))

    _carry_out(kafka, asked, wanted.name, look, f"Change {wanted.name}")


def _read(kafka: Cluster, name: str) -> LiveTopic | None:
    """A topic with its settings; None where there is none. Raises NotPermittedError where that is not told."""
    topics = read_topics(kafka, [name], config_of=[name])
    if name in topics.denied:
        raise NotPermittedError(f"Nothing was changed: {name} cannot be looked at: {topics.denied[name]}.")
    return topics.found.get(name)


def _carry_out(kafka: Cluster, asked: Asked, name: str, look: Callable[[], Plan], question: str) -> None:
    plan = look()
    ledger = Ledger()
    if not asked.json:
        plan_table.show_changes(plan.changes, allowing=False)
    for batch in changes.batches(change for change in plan.changes if not change.impossible):
        ledger.answer(failed=changes.validate(kafka, batch).failed)
    account = _close(ledger, plan, dry_run=asked.dry_run)
    refused = account.of(Fate.FAILED, Fate.IMPOSSIBLE)
    if asked.dry_run or refused or not plan.changes:
        account_report.tell_failures(account.of(Fate.FAILED))
        _finish(kafka, asked, name, account, _unchanged(asked, name, plan))
        raise typer.Exit(ExitCode.FOUND if refused else ExitCode.OK)
    consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, "change its topics", kafka.info.addresses)
    if not asked.yes:
        consent.require_yes(f"\n{question} on {asked.target.connection.label}?")
        if {change.identity for change in look().changes} != {change.identity for change in plan.changes}:
            raise KafkactlError(
                f"Nothing was changed: {name} changed while you were asked.", hint="Run it again to see a new plan."
            )
    start = time.monotonic()
    stopped: BaseException | None = None
    try:
        _apply(kafka, plan, ledger)
    except (KafkactlError, KeyboardInterrupt, Terminated) as error:
        stopped = error  # what was done until then is told first
    account = _close(ledger, plan, dry_run=False)
    done = account.of(Fate.DONE)
    account_report.tell_failures(account.of(Fate.FAILED))
    _finish(kafka, asked, name, account, _summary(name, account, time.monotonic() - start), look=stopped is None)
    if stopped is not None:
        raise stopped
    if account.of(Fate.UNKNOWN):
        raise UnreachableError(
            f"Kafka did not answer all that {name} was to be changed by.",
            hint=kafkactl("describe", name, note="To see it"),
        )
    raise typer.Exit(ExitCode.OK if len(done) == len(account.entries) else ExitCode.FOUND)


def _apply(kafka: Cluster, plan: Plan, ledger: Ledger) -> None:
    """Make the changes until one of them is refused or not answered."""
    for batch in changes.batches(plan.changes):
        ledger.send(batch)
        outcome = changes.apply(kafka, batch)
        ledger.answer(done=outcome.done, failed=outcome.failed)
        ledger.answer(failed=[(change, "somebody else created it in the same moment") for change in outcome.raced])
        if len(outcome.done) < len(batch):
            return
        if batch[0].kind == "create":
            changes.wait_for_leaders(kafka, [change.topic for change in batch])


def _close(ledger: Ledger, plan: Plan, *, dry_run: bool) -> Account:
    """The account; whatever was typed was asked for, whatever it risks."""
    return ledger.close(plan, Agreement(frozenset(Risk)), dry_run=dry_run)


def _unchanged(asked: Asked, name: str, plan: Plan) -> str:
    if not plan.changes:
        return f"Nothing to do: {name} is so already."
    return "Dry run: nothing was changed." if asked.dry_run else "Nothing was changed."


def _summary(name: str, account: Account, seconds: float) -> str:
    done = account.of(Fate.DONE)
    if not done:
        unknown = f"Whether {name} was changed is not known: no answer came."
        return unknown if account.of(Fate.UNKNOWN) else "Nothing was changed."
    if any(entry.change.kind == "create" for entry in done):
        return f"{name} was created in {took(seconds)}."
    open_ = len(account.of(Fate.UNKNOWN))
    left = len(account.entries) - len(done) - open_
    rest = f"; {many(left, 'change was', 'changes were')} not made" if left else ""
    rest += f"; whether {many(open_, 'more was', 'more were')} made is not known" if open_ else ""
    return f"{many(len(done), 'change')} of {name} made in {took(seconds)}{rest}."


def _finish(kafka: Cluster, asked: Asked, name: str, account: Account, words: str, *, look: bool = True) -> None:
    """Say what was done and, where the cluster can be asked (`look`), how topics.yaml would declare it as it is."""
    live = read_topics(kafka, [name], config_of=[name]).found.get(name) if look and not asked.dry_run else None
    readable = live if live is not None and live.config is not None else None
    lines = declaration_text(readable) if readable else ""
    other = said_otherwise(asked.target.catalog, live) if live else ()
    if asked.json:
        document = account_report.account_document(account, kafka)
        output.document(
            "topic-change",
            {
                "topic": name,
                **{key: document[key] for key in ("cluster", "dry_run", "done", "failed", "unknown", "not_done")},
                "changes": document["plan"]["changes"],
                "declaration": lines or None,
                "declared_otherwise": [{"key": change.key, "declared": change.new} for change in other],
            },
        )
    if words:
        output.note(words if asked.json else f"\n{words}")
    if lines and not asked.json:
        output.note("To declare it as it is, topics.yaml needs:")
        output.say(lines.rstrip("\n"))
    for change in other:
        output.note(_otherwise(asked, change))


def _otherwise(asked: Asked, change: Change) -> str:
    look = with_flags(kafkactl("diff"), asked.target.flags)
    return (
        f"{change.position} declares {change.key} {value_text(change.key, change.new)}, the cluster has "
        f"{value_text(change.key, change.old)}. To see what differs: {look.text}"
    )
