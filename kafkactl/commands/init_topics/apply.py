"""One run of init-topics: plan, ask, apply, report."""

import time
from collections.abc import Sequence

from kafkactl import consent
from kafkactl.catalog.model import Catalog
from kafkactl.cluster import changes
from kafkactl.cluster.changes import Outcome
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_topics
from kafkactl.errors import ExitCode
from kafkactl.plan import CONSEQUENCE, Change, Kind, Plan, Risk, make_plan
from kafkactl.text.words import many, took
from kafkactl.view import output, plan_table

# Another init-topics running at the same time makes plans go stale; each round sees what it did.
_ROUNDS = 5


def ask(plan: Plan, allowed: frozenset[Risk]) -> frozenset[Risk]:
    """The risks a person allows on the terminal, one question each."""
    granted: set[Risk] = set()
    for risk in plan.risks:
        topics = [c.topic for c in plan.changes if risk in c.risks and not c.impossible]
        question = f"{CONSEQUENCE[risk].capitalize()} for {', '.join(dict.fromkeys(topics))}. Proceed?"
        if risk not in allowed and consent.agrees(question):
            granted.add(risk)
    return frozenset(granted)


class Run:
    """One run: plan, apply, report."""

    def __init__(self, kafka: Cluster, catalog: Catalog, only: str | None, *, json: bool) -> None:
        self.kafka = kafka
        self.catalog = catalog
        self.only = only
        self.json = json
        self.done: list[Change] = []
        self.failed: dict[tuple[str, Kind], str] = {}
        self.seconds = 0.0

    def look(self) -> None:
        """Plan from the cluster's current state, and show the plan."""
        self._read()
        if self.json:
            return
        count = len(self.kafka.info.brokers)
        output.note(f"{self.catalog.path} → {self.kafka.connection.label}, {many(count, 'broker')}\n")
        plan_table.show_creates([change for change in self.plan.changes if change.kind == "create"])
        plan_table.show_differences(self.plan)

    def _read(self) -> None:
        topics = read_topics(self.kafka, self.catalog.topics, config_of=self.catalog.topics)
        self.plan = make_plan(self.catalog, topics.found, only=self.only, unreadable=topics.denied)

    def make_so(self, allowed: frozenset[Risk], *, dry_run: bool) -> None:
        """Validate, then apply, until nothing permitted is left or nothing succeeds any more."""
        start = time.monotonic()
        for _ in range(_ROUNDS):
            todo = [c for c in self.plan.permitted(allowed) if (c.topic, c.kind) not in self.failed]
            if not todo:
                break
            checked = changes.validate(self.kafka, todo)
            self.failed |= checked.failed
            todo = [c for c in todo if (c.topic, c.kind) not in self.failed and c.topic not in checked.raced]
            if dry_run:
                break
            outcome = changes.apply(self.kafka, todo) if todo else checked
            self._account(outcome, todo)
            if not (checked.raced or outcome.raced):
                break
            self._read()
        self.seconds = time.monotonic() - start

    def _account(self, outcome: Outcome, todo: Sequence[Change]) -> None:
        if not todo:
            return
        self.done.extend(outcome.done)
        self.failed |= outcome.failed
        created = [change.topic for change in outcome.done if change.kind == "create"]
        changes.wait_for_leaders(self.kafka, [*created, *outcome.raced])

    def finish(self, allowed: frozenset[Risk], *, dry_run: bool) -> ExitCode:
        """Report what was done and what was not; returns the exit code."""
        withheld = [c for c in self.plan.withheld(allowed) if c not in self.done]
        trouble = bool(self.failed or withheld or self.plan.unreadable)
        if self.json:
            output.document("init-topics", self._document(allowed, dry_run=dry_run))
        else:
            self._tell(withheld, dry_run=dry_run)
        return ExitCode.FOUND if trouble else ExitCode.OK

    def _tell(self, withheld: list[Change], *, dry_run: bool) -> None:
        for (topic, kind), why in self.failed.items():
            output.note(f"{topic}: {_VERB[kind][0]} failed: {why}.")
        if dry_run:
            output.note(f"Dry run: nothing was changed. {plan_table.plan_summary(self.plan)}")
        elif self.done:
            output.note(f"\n{_done(self.done)} in {took(self.seconds)}. {_rest(self.plan, withheld)}")
        elif not self.failed and not withheld and not self.plan.unreadable:
            topics = many(self.plan.declared, "topic is", "topics are")
            output.note(f"Nothing to do: {topics} as declared.")
        else:
            output.note(f"Nothing was changed. {_rest(self.plan, withheld)}")

    def _document(self, allowed: frozenset[Risk], *, dry_run: bool) -> dict[str, object]:
        return {
            "cluster": {"id": self.kafka.info.id, "brokers": list(self.kafka.connection.brokers)},
            "dry_run": dry_run,
            "plan": plan_table.plan_document(self.plan),
            "done": [{"topic": c.topic, "kind": c.kind, "key": c.key or None} for c in self.done],
            "failed": [{"topic": t, "kind": k, "reason": why} for (t, k), why in self.failed.items()],
            "withheld": [{"topic": c.topic, "kind": c.kind, "key": c.key or None} for c in self.plan.withheld(allowed)],
        }


_VERB = {
    "create": ("creating it", "created"),
    "config": ("changing its settings", "changed"),
    "partitions": ("adding partitions", "given more partitions"),
    "override": ("removing its overrides", "cleared of undeclared overrides"),
    "delete": ("deleting it", "deleted"),
    "replication": ("moving replicas", "moved"),
}


def _done(done: list[Change]) -> str:
    counts = {kind: len({c.topic for c in done if c.kind == kind}) for kind in _VERB}
    return ", ".join(f"{number:,} {_VERB[kind][1]}" for kind, number in counts.items() if number)


def _rest(plan: Plan, withheld: list[Change]) -> str:
    if not withheld and not plan.unreadable:
        return "Nothing else differs."
    waiting = [change for change in withheld if not change.impossible]
    words = [f"{many(len({c.topic for c in withheld}), 'topic still differs', 'topics still differ')}."]
    if waiting:
        risks = sorted({risk for change in waiting for risk in change.risks})
        words.append(f"To allow it: {' '.join(f'--allow {risk}' for risk in risks)}")
    if plan.unreadable:
        words.append(f"{many(len(plan.unreadable), 'topic')} could not be compared.")
    return " ".join(words)
