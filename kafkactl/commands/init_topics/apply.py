"""One run of init-topics: plan, ask, apply, and account for each change."""

import time

from kafkactl import consent
from kafkactl.catalog.model import Catalog
from kafkactl.cluster import changes
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import read_default_replication, read_topic_ids, read_topics
from kafkactl.commands.init_topics.replica_changes import ReplicaChanges
from kafkactl.plan.account import Account, Agreement, Ledger, questions
from kafkactl.plan.differences import Change, Identity, Plan, make_plan, waits_for_replicas, with_topic_ids
from kafkactl.plan.risk import CONSEQUENCE, Risk
from kafkactl.text.words import many
from kafkactl.view import output, plan_table

# Another init-topics running at the same time makes plans go stale; each round sees what it did.
_ROUNDS = 5


class Run:
    """One run. What was shown and agreed to is done, and nothing else."""

    def __init__(
        self, kafka: Cluster, catalog: Catalog, only: str | None, allowed: frozenset[Risk], movers: ReplicaChanges
    ) -> None:
        self.kafka = kafka
        self.movers = movers
        self.catalog = catalog
        self.only = only
        self.agreement = Agreement(allowed)
        self.ledger = Ledger()
        self.asked: dict[Risk, frozenset[Identity]] = {}
        self.plan = Plan()
        self.seconds = 0.0
        self.answered = False  # a question was asked since the last look: it may have taken long

    def look(self) -> Plan:
        """Plan from the cluster's current state."""
        names = [*self.catalog.topics, *self.catalog.removed]
        topics = read_topics(self.kafka, names, config_of=names)
        self.plan = make_plan(
            self.catalog,
            topics.found,
            only=self.only,
            unreadable=topics.denied,
            default_replication=self._default_replication(),
        )
        risky = sorted({change.topic for change in self.plan.everything if change.risks})
        self.plan = with_topic_ids(self.plan, read_topic_ids(self.kafka, risky))
        self.ledger.look_again(self.plan)
        return self.plan

    def _default_replication(self) -> int | None:
        """What the broker gives a new topic; only asked for where it decides whether one can be created."""
        leaves_it_open = any(
            topic.replication is None and topic.config.get("min.insync.replicas", "1") != "1"
            for topic in self.catalog.topics.values()
        )
        return read_default_replication(self.kafka) if leaves_it_open else None

    def check(self) -> None:
        """Ask the broker, without changing anything, whether it would make what may be made or asked about.

        What it refuses is in the account before anybody is asked for a yes.
        """
        wanted = [change for change in self.plan.everything if self.agreement.asks(change) and not change.impossible]
        covered = [change for change in wanted if self.agreement.covers(change)]
        asked = [change for change in wanted if not self.agreement.covers(change)] if consent.interactive() else []
        for group in (covered, asked):
            for batch in changes.batches(change for change in group if change.kind != "replication"):
                self.ledger.answer(failed=changes.validate(self.kafka, batch).failed)
            self.ledger.answer(failed=self.movers.refusals(c for c in group if c.kind == "replication"))

    def ask(self) -> None:
        """A question for each risk that is not allowed, about the changes that were shown and nothing else."""
        for risk, found in questions(self.plan, self.agreement).items():
            settled = self.ledger.failed.keys() | self.asked.get(risk, frozenset())
            possible = [change for change in found if change.identity not in settled]
            self.asked[risk] = self.asked.get(risk, frozenset()) | {change.identity for change in possible}
            topics = ", ".join(dict.fromkeys(change.topic for change in possible))
            if possible:
                self.answered = consent.interactive()
                if consent.agrees(f"{CONSEQUENCE[risk].capitalize()} for {topics}. Proceed?"):
                    self.agreement = self.agreement.with_yes(possible, risk)

    def todo(self) -> list[Change]:
        """What may be done and was not tried yet."""
        tried = self.ledger.done.keys() | self.ledger.failed.keys()
        return [c for c in self.plan.everything if self.agreement.permits(c) and c.identity not in tried]

    def make_so(self, *, quiet: bool) -> None:
        """Apply, until nothing is left that may be done. What turns up on the way is shown and asked about first."""
        start = time.monotonic()
        shown = {change.identity for change in self.plan.everything}
        try:
            for _ in range(_ROUNDS):
                if not self.answered and not self._apply(self.todo()):
                    break
                self.answered = False
                self.look()
                new = [change for change in self.plan.everything if change.identity not in shown]
                shown |= {change.identity for change in new}
                if new and not quiet:
                    output.note("\nSomebody else changed topics in the meantime. What differs now:")
                    plan_table.show_changes(new)
                self.check()
                self.ask()
        finally:
            self.seconds = time.monotonic() - start

    def _apply(self, todo: list[Change]) -> bool:
        """Make these changes; whether the cluster has to be looked at again.

        Replicas are raised before min.insync.replicas is, and lowered after it, or producers with acks=all would stop.
        """
        moving = [change for change in todo if change.kind == "replication"]
        late = [change for change in todo if waits_for_replicas(change)]
        again = self._request([change for change in todo if change not in (*moving, *late)])
        self.movers.make_so(moving, self.ledger)
        raised = {change.topic for change in self.ledger.done.values() if change.kind == "replication"}
        self.ledger.answer(
            failed=[(change, "its replicas were not raised") for change in late if change.topic not in raised]
        )
        return self._request([change for change in late if change.topic in raised]) or again

    def _request(self, todo: list[Change]) -> bool:
        """Make changes that one request each makes; whether the cluster has to be looked at again."""
        again = False
        created: list[str] = []
        for batch in changes.batches(todo):
            self.ledger.send(batch)
            outcome = changes.apply(self.kafka, batch)
            self.ledger.answer(done=outcome.done, failed=outcome.failed)
            self.ledger.forget(outcome.raced)
            created += [change.topic for change in (*outcome.done, *outcome.raced) if change.kind == "create"]
            again = again or bool(outcome.raced or outcome.unanswered)
        if created:
            changes.wait_for_leaders(self.kafka, created)
        return again

    def account(self, *, dry_run: bool) -> Account:
        """What became of each change."""
        return self.ledger.close(self.plan, self.agreement, dry_run=dry_run)


def heading(kafka: Cluster, catalog: Catalog) -> str:
    """Which file goes to which cluster."""
    return f"{catalog.path} → {kafka.connection.label}, {many(len(kafka.info.brokers), 'broker')}\n"
