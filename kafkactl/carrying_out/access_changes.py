"""One run of changes of access: plan, ask, add and remove rules, and account for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafkactl import consent
from kafkactl.access.access_plan import AccessChange, AccessPlan, in_order, plan_access
from kafkactl.access.declared_rules import declared_access
from kafkactl.access.rules import Rule
from kafkactl.catalog.model import Catalog
from kafkactl.cluster.acls import grant_rules, read_access, refusal_words, revoke_rules, wait_for_effect
from kafkactl.cluster.client import Cluster
from kafkactl.cluster.identity import principals_of
from kafkactl.history.model import Step, StepFate
from kafkactl.plan.account import Fate
from kafkactl.text.words import many
from kafkactl.view import access_page, output


def compared_access(kafka: Cluster, catalog: Catalog, only: str | None) -> AccessPlan:
    """What topics.yaml declares of access beside the cluster's rules. Raises UnreachableError."""
    found = read_access(kafka)
    match found.state:
        case "none":
            return AccessPlan(open_to_all=found.why)
        case "not known":
            return AccessPlan(missing=found.why)
    callers = principals_of(kafka.connection.properties)
    return plan_access(declared_access(catalog, only), found.authorizer, callers)


@dataclass
class AccessRun:
    """What init-topics does with access. `allowed`: --allow access was given."""

    kafka: Cluster
    catalog: Catalog
    only: str | None
    allowed: bool
    plan: AccessPlan = field(default_factory=AccessPlan)
    agreed: frozenset[tuple[str, Rule]] = frozenset()
    fates: dict[tuple[str, Rule], tuple[Fate, str]] = field(default_factory=dict)
    late: bool = False  # the brokers do not tell of the rules yet

    @property
    def declared(self) -> bool:
        """Whether topics.yaml says anything of access."""
        return self.catalog.declares_access

    def look(self) -> AccessPlan:
        """Plan from the cluster's rules."""
        if self.declared:
            self.plan = compared_access(self.kafka, self.catalog, self.only)
        return self.plan

    def may(self, change: AccessChange) -> bool:
        """Whether this very change may be made."""
        return not change.impossible and (not change.risk or self.allowed or change.identity in self.agreed)

    def ask(self) -> None:
        """Ask about what takes access from somebody."""
        risky = [c for c in self.plan.changes if c.risk and not c.impossible and not self.may(c)]
        if risky and consent.agrees(f"{access_page.access_question(risky)} Proceed?"):
            self.agreed |= {change.identity for change in risky}

    @property
    def todo(self) -> list[AccessChange]:
        """What may be done and was not tried yet, grants first."""
        return in_order([c for c in self.plan.changes if self.may(c) and c.identity not in self.fates])

    def make_so(self) -> None:
        """Make the changes. What is revoked waits for all that is to be granted before. Raises UnreachableError."""
        todo = self.todo
        self.fates |= {change.identity: (Fate.UNKNOWN, "no answer came") for change in todo}
        granted = [change.rule for change in todo if change.verb == "grant"]
        revoked = [change.rule for change in todo if change.verb == "revoke"]
        good = self._answered("grant", grant_rules(self.kafka, granted)) if granted else []
        refused = len(good) < len(granted)
        if revoked and refused:
            why = "not all that is to be granted before could be"
            self.fates |= {("revoke", rule): (Fate.FAILED, why) for rule in revoked}
            revoked = []
        elif revoked:
            if granted:
                self.late = not wait_for_effect(self.kafka, good, [])
            revoked = self._answered("revoke", revoke_rules(self.kafka, revoked))
        self.late = not wait_for_effect(self.kafka, good, revoked) if good or revoked else self.late

    def _answered(self, verb: str, answers: Mapping[Rule, Any]) -> list[Rule]:
        for rule, error in answers.items():
            self.fates[verb, rule] = (Fate.DONE, "") if error is None else (Fate.FAILED, refusal_words(error))
        return [rule for rule, error in answers.items() if error is None]

    def fate(self, change: AccessChange) -> tuple[Fate, str]:
        """What became of a change, and why."""
        if change.identity in self.fates:
            return self.fates[change.identity]
        if change.impossible:
            return Fate.IMPOSSIBLE, change.impossible
        return (Fate.NOT_DONE, "") if self.may(change) else (Fate.WITHHELD, change.risk)

    def of(self, *fates: Fate) -> list[AccessChange]:
        """The changes that these became of."""
        return [change for change in self.plan.changes if self.fate(change)[0] in fates]

    def successful(self, *, dry_run: bool) -> bool:
        """Whether nothing stands in the way."""
        trouble = self.of(Fate.FAILED, Fate.WITHHELD, Fate.IMPOSSIBLE, Fate.UNKNOWN)
        return not trouble and not self.plan.missing and (dry_run or not self.of(Fate.NOT_DONE))

    def steps(self) -> list[Step]:
        """The changes as the history has them, with what became of those that were tried."""
        return [access_step(c, *self.fates.get(c.identity, (None, ""))) for c in self.plan.changes if self.may(c)]

    def tell(self, *, dry_run: bool) -> None:
        """What was done and what was not, in sentences."""
        output.note(self._summary(dry_run=dry_run))
        for change in self.of(Fate.FAILED, Fate.UNKNOWN):
            output.note(f"{change.rule.text}: {self.fate(change)[1].rstrip('.')}.")
        if self.late:
            output.note("The brokers do not all tell of the new rules yet: it may take a while until they hold.")

    def _summary(self, *, dry_run: bool) -> str:
        if self.plan.missing:
            return f"Access was not compared: {self.plan.missing}."
        if self.plan.open_to_all:
            return f"Access: {self.plan.open_to_all}; the declared rules are not made."
        if not self.plan.changes:
            return f"Access is as declared: {many(self.plan.equal + len(self.plan.covered), 'rule')}."
        if dry_run:
            return f"Access: {many(len(self.plan.changes), 'rule differs', 'rules differ')}."
        done = self.of(Fate.DONE)
        counts = {verb: sum(change.verb == verb for change in done) for verb in ("grant", "revoke")}
        words = {"grant": "granted", "revoke": "revoked"}
        parts = [f"{number:,} {words[verb]}" for verb, number in counts.items() if number]
        open_ = len(self.plan.changes) - len(done)
        if open_:
            parts.append(f"{many(open_, 'rule still differs', 'rules still differ')}")
        return f"Access: {', '.join(parts)}."

    def as_document(self) -> dict[str, Any]:
        """The account as JSON."""
        return access_page.access_document(self.plan, {c.identity: self.fate(c) for c in self.plan.changes})


def access_step(change: AccessChange, fate: Fate | None, why: str) -> Step:
    """A change of access in the history: the rule is behind a grant, and before a revocation."""
    rule = change.rule.document
    known: StepFate = _FATES.get(fate, "not done") if fate else "planned"
    before, after = (None, rule) if change.verb == "grant" else (rule, None)
    verb = "grant" if change.verb == "grant" else "revoke"
    return Step("access", change.rule.name, f"{verb}: {change.rule.text}", before, after, fate=known, why=why)


_FATES: Mapping[Fate, StepFate] = {Fate.DONE: "done", Fate.FAILED: "failed", Fate.UNKNOWN: "not known"}
