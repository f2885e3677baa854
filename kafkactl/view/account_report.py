"""What a run of init-topics did and did not do: sentences and JSON, all read from one account."""

from collections.abc import Iterable, Sequence
from typing import Any

from kafkactl.cluster.client import Cluster
from kafkactl.plan.account import Account, Entry, Fate
from kafkactl.plan.differences import Kind
from kafkactl.text.escapes import plain
from kafkactl.text.words import many, took
from kafkactl.view.output import note
from kafkactl.view.plan_table import plan_document, plan_summary

# Of each kind of change: what is tried, and what is done.
_VERBS: dict[Kind, tuple[str, str]] = {
    "create": ("creating it", "created"),
    "config": ("changing its settings", "changed"),
    "partitions": ("adding partitions", "given more partitions"),
    "override": ("removing its overrides", "cleared of undeclared settings"),
    "delete": ("deleting it", "deleted"),
    "replication": ("moving replicas", "moved"),
}


def tell_failures(entries: Iterable[Entry]) -> None:
    """A line for each topic and kind of change that failed, with the reason."""
    lines = [
        f"{plain(entry.change.topic)}: {_VERBS[entry.change.kind][0]} failed: {plain(entry.reason.rstrip('.'))}."
        for entry in entries
    ]
    for line in dict.fromkeys(lines):
        note(line)


def summary(account: Account, seconds: float) -> str:
    """What was done and what was not, in sentences whose numbers add up to the topics that were looked at."""
    return " ".join([_head(account, seconds), *_rest(account)])


def _head(account: Account, seconds: float) -> str:
    failed, unknown = account.topics(Fate.FAILED), account.topics(Fate.UNKNOWN)
    if account.dry_run:
        would = f" {many(len(failed), 'topic')} would fail." if failed else ""
        return f"Dry run: nothing was changed. {plan_summary(account.plan)}{would}"
    parts = [*_done(account)]
    parts += [f"{len(failed):,} failed"] if failed else []
    parts += [f"{len(unknown):,} without an answer"] if unknown else []
    if account.of(Fate.DONE) or unknown:
        return f"{', '.join(parts)} in {took(seconds)}."
    if failed:
        return f"Nothing was changed: {', '.join(parts)}."
    if not account.complete:
        return "Nothing was changed."
    return "Nothing to do." if not account.plan.names else "Nothing to do:"


def _done(account: Account) -> list[str]:
    counts = {
        kind: len({entry.change.topic for entry in account.of(Fate.DONE) if entry.change.kind == kind})
        for kind in _VERBS
    }
    return [f"{number:,} {_VERBS[kind][1]}" for kind, number in counts.items() if number]


def _rest(account: Account) -> list[str]:
    if account.dry_run:
        return []
    words = []
    if equal := len(account.as_declared):
        words.append(f"{many(equal, 'topic is', 'topics are')} as declared.")
    if differing := len(account.differing):
        words.append(f"{many(differing, 'topic still differs', 'topics still differ')}.")
    if unknown := len(account.topics(Fate.UNKNOWN)):
        it = "its" if unknown == 1 else "their"
        words.append(f"Whether {it} change was made could not be determined: no answer came.")
    if unread := len(account.plan.unreadable):
        words.append(f"{many(unread, 'topic')} could not be compared.")
    if overridden := len(account.overridden):
        words.append(f"{many(overridden, 'topic has', 'topics have')} settings that are not declared, left alone.")
    if not account.plan.names and account.plan.gone:
        words.append(f"{many(len(account.plan.gone), 'topic')} declared as removed: not on the cluster.")
    return words


def account_document(account: Account, kafka: Cluster) -> dict[str, Any]:
    """An account as JSON. Each change is in exactly one list; `needs` is what would allow it."""
    return {
        "cluster": {"id": kafka.info.id, "brokers": list(kafka.connection.brokers)},
        "dry_run": account.dry_run,
        "plan": plan_document(account.plan),
        "done": [_named(entry) for entry in account.of(Fate.DONE)],
        "failed": [{**_named(entry), "reason": entry.reason} for entry in account.of(Fate.FAILED)],
        "withheld": [
            {**_named(entry), "needs": sorted(entry.missing), "impossible": entry.reason or None}
            for entry in account.of(Fate.WITHHELD, Fate.IMPOSSIBLE)
        ],
        "unknown": [_named(entry) for entry in account.of(Fate.UNKNOWN)],
        "not_done": [_named(entry) for entry in account.of(Fate.NOT_DONE)],
        "left_alone": [_named(entry) for entry in account.of(Fate.LEFT_ALONE)],
        "as_declared": len(account.as_declared),
    }


def _named(entry: Entry) -> dict[str, Any]:
    return {"topic": entry.change.topic, "kind": entry.change.kind, "key": entry.change.key or None}


def allowing(account: Account) -> Sequence[str]:
    """The options that would allow what is withheld."""
    return [word for risk in account.missing for word in ("--allow", risk)]
