"""A typed change of topics: show the plan, ask the broker, ask the user, apply, and account for each change."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import typer

from kafkactl import consent
from kafkactl.carrying_out.plan_steps import steps_accounted, steps_of
from kafkactl.carrying_out.recorded import recorded
from kafkactl.catalog.export import declaration_text
from kafkactl.cluster import changes
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topics
from kafkactl.consent import Asked
from kafkactl.errors import ExitCode, KafkactlError, Terminated, UnreachableError
from kafkactl.plan.account import Account, Agreement, Fate, Ledger
from kafkactl.plan.differences import Change, Plan, same_value
from kafkactl.plan.one_topic import said_otherwise
from kafkactl.plan.risk import Risk
from kafkactl.text.remedies import kafkactl, with_flags
from kafkactl.text.units import value_text
from kafkactl.text.words import many, took
from kafkactl.topics import LiveTopic
from kafkactl.view import account_report, output, plan_table

_GONE = 10.0  # seconds: how soon a deleted topic is out of the metadata
_HEARD = 5.0  # seconds: how soon every broker has heard of a change


@dataclass(frozen=True)
class TopicChange:
    """What was typed: the topics in a word or two, how to plan it, and what to ask ("Create orders").

    `look` is asked again behind the question. `agree` asks for more than a yes. `undoes` is an entry of the history.
    """

    name: str
    look: Callable[[], Plan]
    question: str
    agree: Callable[[], None] | None = None
    undoes: str = ""


def carry_out_topics(kafka: Cluster, asked: Asked, typed: TopicChange) -> None:
    """Do it, and say what was done. Raises Exit with the exit code, KafkactlError where it could not be finished."""
    plan = typed.look()
    ledger = Ledger()
    if not asked.json:
        plan_table.show_changes(plan.changes, allowing=False)
    for batch in changes.batches(change for change in plan.changes if not change.impossible):
        ledger.answer(failed=changes.validate(kafka, batch).failed)
    account = _close(ledger, plan, dry_run=asked.dry_run)
    refused = account.of(Fate.FAILED, Fate.IMPOSSIBLE)
    if asked.dry_run or refused or not plan.changes:
        account_report.tell_failures(account.of(Fate.FAILED))
        _finish(kafka, asked, typed, account, _unchanged(asked, typed, plan))
        raise typer.Exit(ExitCode.FOUND if refused else ExitCode.OK)
    consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, "change its topics", kafka.info.addresses)
    if typed.agree is not None:
        typed.agree()
    if not asked.yes:
        if typed.agree is None:
            consent.require_yes(f"\n{typed.question} on {asked.target.connection.label}?")
        _require_as_shown(typed, plan)
    start = time.monotonic()
    stopped: BaseException | None = None
    with recorded(asked.target, kafka, steps_of(plan.changes), undoes=typed.undoes) as recording:
        try:
            _apply(kafka, plan, ledger)
        except (KafkactlError, KeyboardInterrupt, Terminated) as error:
            stopped = error  # what was done until then is told first
        account = _close(ledger, plan, dry_run=False)
        recording.end(steps_accounted(account))
    done = account.of(Fate.DONE)
    account_report.tell_failures(account.of(Fate.FAILED))
    _finish(kafka, asked, typed, account, _summary(typed, account, time.monotonic() - start), look=stopped is None)
    if stopped is not None:
        raise stopped
    if account.of(Fate.UNKNOWN):
        raise UnreachableError(
            f"Kafka did not answer all that {typed.name} was to be changed by.",
            hint=kafkactl("describe", account.of(Fate.UNKNOWN)[0].change.topic, note="To see it"),
        )
    raise typer.Exit(ExitCode.OK if len(done) == len(account.entries) else ExitCode.FOUND)


def _require_as_shown(typed: TopicChange, plan: Plan) -> None:
    if {change.identity for change in typed.look().changes} != {change.identity for change in plan.changes}:
        raise KafkactlError(
            f"Nothing was changed: {typed.name} changed while you were asked.", hint="Run it again to see a new plan."
        )


def _apply(kafka: Cluster, plan: Plan, ledger: Ledger) -> None:
    """Make the changes until one of them is refused or not answered."""
    for batch in changes.batches(plan.changes):
        ledger.send(batch)
        outcome = changes.apply(kafka, batch)
        ledger.answer(done=outcome.done, failed=outcome.failed)
        ledger.answer(failed=[(change, "somebody else created it in the same moment") for change in outcome.raced])
        if len(outcome.done) < len(batch):
            return
        topics = [change.topic for change in batch]
        if batch[0].kind == "create":
            changes.wait_for_leaders(kafka, topics)
        elif batch[0].kind == "delete":
            _wait_until_gone(kafka, topics)


def _wait_until_gone(kafka: Cluster, topics: Sequence[str]) -> None:
    """Until the brokers tell no more of deleted topics: whoever looks next sees what was done."""
    deadline = time.monotonic() + _GONE
    while time.monotonic() < deadline:
        listed = kafka.call(kafka.admin.list_topics, timeout=kafka.connection.timeout).topics
        if not any(topic in listed for topic in topics):
            return
        time.sleep(0.05)


def _close(ledger: Ledger, plan: Plan, *, dry_run: bool) -> Account:
    """The account; whatever was typed was asked for, whatever it risks."""
    return ledger.close(plan, Agreement(frozenset(Risk)), dry_run=dry_run)


def _unchanged(asked: Asked, typed: TopicChange, plan: Plan) -> str:
    if not plan.changes:
        return f"Nothing to do: {typed.name} is so already."
    return "Dry run: nothing was changed." if asked.dry_run else "Nothing was changed."


def _summary(typed: TopicChange, account: Account, seconds: float) -> str:
    done = account.of(Fate.DONE)
    if not done:
        unknown = f"Whether {typed.name} was changed is not known: no answer came."
        return unknown if account.of(Fate.UNKNOWN) else "Nothing was changed."
    whole = {"create": "created", "delete": "deleted"}.get(done[0].change.kind)
    if whole and len(account.entries) == 1:
        return f"{typed.name} was {whole} in {took(seconds)}."
    open_ = len(account.of(Fate.UNKNOWN))
    left = len(account.entries) - len(done) - open_
    rest = f"; {many(left, 'change was', 'changes were')} not made" if left else ""
    rest += f"; whether {many(open_, 'more was', 'more were')} made is not known" if open_ else ""
    return f"{many(len(done), 'change')} of {typed.name} made in {took(seconds)}{rest}."


def _finish(
    kafka: Cluster, asked: Asked, typed: TopicChange, account: Account, words: str, *, look: bool = True
) -> None:
    """Say what was done and, where the cluster can be asked (`look`), how topics.yaml would declare it as it is."""
    names = list(dict.fromkeys(change.topic for change in account.plan.changes)) or list(account.plan.names)
    deleted = account.topics(Fate.DONE) if any(e.change.kind == "delete" for e in account.of(Fate.DONE)) else ()
    found = _as_changed(kafka, names, account) if look and not asked.dry_run else {}
    live = {name: found[name] for name in names if name in found and name not in deleted}
    lines = "" if typed.undoes else _declaration(live)
    other = [change for topic in live.values() for change in said_otherwise(asked.target.catalog, topic)]
    if asked.json:
        document = account_report.account_document(account, kafka)
        output.document(
            "topic-change",
            {
                "topic": names[0] if len(names) == 1 else None,
                **{key: document[key] for key in ("cluster", "dry_run", "done", "failed", "unknown", "not_done")},
                "changes": document["plan"]["changes"],
                "declaration": lines or None,
                "declared_otherwise": [
                    {"topic": change.topic, "key": change.key, "declared": change.new} for change in other
                ],
            },
        )
    if words:
        output.note(words if asked.json else f"\n{words}")
    if lines and not asked.json:
        output.note("To declare it as it is, topics.yaml needs:")
        output.say(lines.rstrip("\n"))
    for change in other:
        output.note(_otherwise(asked, change))
    for name in deleted:
        _tell_still_declared(asked, name)


def _as_changed(kafka: Cluster, names: Sequence[str], account: Account) -> Mapping[str, LiveTopic]:
    """The topics as they are now. A broker hears of a change a moment after it is acknowledged: that is waited for."""
    deadline = time.monotonic() + _HEARD
    while True:
        found = read_topics(kafka, names, config_of=names).found
        late = [entry.change for entry in account.of(Fate.DONE) if not _is_told(entry.change, found)]
        if not late:
            return found
        if time.monotonic() > deadline:  # what is not as it was made is not told
            return {name: topic for name, topic in found.items() if name not in {change.topic for change in late}}
        time.sleep(0.05)


def _is_told(change: Change, found: Mapping[str, LiveTopic]) -> bool:
    live = found.get(change.topic)
    if live is None or change.kind == "delete":
        return (live is None) == (change.kind == "delete")
    if change.kind == "partitions":
        return len(live.partitions) >= int(change.new or 0)
    value = (live.config or {}).get(change.key)
    if change.kind == "config":
        return live.config is None or (value is not None and same_value(change.key, value.value, change.new))
    return change.kind != "override" or live.config is None or value is None or not value.overridden


def _declaration(live: dict[str, LiveTopic]) -> str:
    """The lines for one topic whose settings are known; those of several are a matter of export."""
    (topic,) = live.values() if len(live) == 1 else (None,)
    return declaration_text(topic) if topic is not None and topic.config is not None else ""


def _otherwise(asked: Asked, change: Change) -> str:
    look = with_flags(kafkactl("diff"), asked.target.flags)
    return (
        f"{change.position} declares {change.key} {value_text(change.key, change.new)}, the cluster has "
        f"{value_text(change.key, change.old)}. To see what differs: {look.text}"
    )


def _tell_still_declared(asked: Asked, name: str) -> None:
    declared = asked.target.catalog.topics.get(name) if asked.target.catalog else None
    if declared is not None:
        output.note(f"{declared.position} still declares {name}: init-topics creates it again.")
