"""What became of each change of a plan, once and only once: whatever is said about a run is read from here. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from kafkactl.plan.differences import Change, Identity, Plan
from kafkactl.plan.risk import Risk


@dataclass(frozen=True)
class Agreement:
    """What may be done: the risks allowed on the command line, and those agreed to for a change that was shown."""

    allowed: frozenset[Risk] = frozenset()
    agreed: frozenset[tuple[Identity, Risk]] = frozenset()

    def missing(self, change: Change) -> frozenset[Risk]:
        """The risks of this change that nobody has allowed or agreed to."""
        return frozenset(risk for risk in change.risks - self.allowed if (change.identity, risk) not in self.agreed)

    def covers(self, change: Change) -> bool:
        """Whether this very change may be made."""
        return not change.impossible and not self.missing(change)

    def asks(self, change: Change) -> bool:
        """Whether a change is wanted at all: an undeclared override is left alone until --allow overrides."""
        return change.kind != "override" or Risk.OVERRIDES in self.allowed

    def permits(self, change: Change) -> bool:
        """Whether a change is wanted and may be made."""
        return self.asks(change) and self.covers(change)

    def with_yes(self, changes: Iterable[Change], risk: Risk) -> "Agreement":
        """This, and a yes to a risk of the changes that were named in the question."""
        return Agreement(self.allowed, self.agreed | {(change.identity, risk) for change in changes})


def questions(plan: Plan, agreement: Agreement) -> dict[Risk, tuple[Change, ...]]:
    """The risks nobody has allowed yet, each with the changes it would be agreed to for."""
    open_: dict[Risk, tuple[Change, ...]] = {}
    for risk in Risk:
        changes = tuple(
            change
            for change in plan.everything
            if agreement.asks(change) and not change.impossible and risk in agreement.missing(change)
        )
        if changes:
            open_[risk] = changes
    return open_


class Fate(StrEnum):
    """What became of a change."""

    DONE = "done"
    FAILED = "failed"  # tried, or asked of the broker beforehand, and refused
    WITHHELD = "withheld"  # a risk is not allowed
    IMPOSSIBLE = "impossible"
    LEFT_ALONE = "left alone"  # an undeclared override that nobody asked to remove
    UNKNOWN = "not known"  # sent, and never answered
    NOT_DONE = "not done"  # allowed, and not done: a dry run, an interrupted one, or a cluster that keeps changing


class Entry(NamedTuple):
    """A change and what became of it. `reason` of a failure, `missing` of what is withheld."""

    change: Change
    fate: Fate
    reason: str = ""
    missing: frozenset[Risk] = frozenset()


@dataclass(frozen=True)
class Account:
    """A whole run: the plan as it was found last, with what became of every change that was ever found.

    `entries` holds each change once. The declared topics are each in exactly one of: those with an entry that is not
    left alone, `overridden`, `unreadable`, `equal`.
    """

    plan: Plan
    entries: tuple[Entry, ...] = ()
    dry_run: bool = False

    def of(self, *fates: Fate) -> tuple[Entry, ...]:
        """The changes that these became of."""
        return tuple(entry for entry in self.entries if entry.fate in fates)

    def topics(self, *fates: Fate) -> tuple[str, ...]:
        """Their topics, each once."""
        return tuple(dict.fromkeys(entry.change.topic for entry in self.of(*fates)))

    @property
    def differing(self) -> tuple[str, ...]:
        """The topics that still differ from what is declared."""
        return self.topics(Fate.FAILED, Fate.WITHHELD, Fate.IMPOSSIBLE, Fate.UNKNOWN, Fate.NOT_DONE)

    @property
    def missing(self) -> tuple[Risk, ...]:
        """What would have to be allowed for all that is withheld, in the order of --allow."""
        wanted = {risk for entry in self.of(Fate.WITHHELD) for risk in entry.missing}
        return tuple(risk for risk in Risk if risk in wanted)

    @property
    def as_declared(self) -> tuple[str, ...]:
        """The declared topics that are now as declared."""
        other = {*self.differing, *self.plan.unreadable, *self.overridden}
        return tuple(name for name in self.plan.names if name not in other)

    @property
    def overridden(self) -> tuple[str, ...]:
        """The topics that are as declared but for settings that are not declared and were left alone."""
        other = {*self.differing, *self.plan.unreadable}
        return tuple(name for name in self.topics(Fate.LEFT_ALONE) if name not in other)

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is so."""
        return not self.differing and not self.plan.unreadable

    @property
    def successful(self) -> bool:
        """Whether nothing stands in the way: all is as asked for, or would be but for the dry run."""
        trouble = self.of(Fate.FAILED, Fate.WITHHELD, Fate.IMPOSSIBLE, Fate.UNKNOWN)
        return not trouble and not self.plan.unreadable and (self.dry_run or not self.of(Fate.NOT_DONE))


@dataclass
class Ledger:
    """What is written down while a run goes on, to be made an Account of at its end."""

    done: dict[Identity, Change] = field(default_factory=dict)
    failed: dict[Identity, str] = field(default_factory=dict)
    sent: dict[Identity, Change] = field(default_factory=dict)  # and not answered yet

    def send(self, changes: Iterable[Change]) -> None:
        """These are about to be sent: until they are answered for, nobody knows whether they are done."""
        self.sent |= {change.identity: change for change in changes}

    def answer(self, *, done: Iterable[Change] = (), failed: Iterable[tuple[Change, str]] = ()) -> None:
        """Kafka's answer."""
        for change in done:
            self.done[change.identity] = change
            self.sent.pop(change.identity, None)
        for change, why in failed:
            self.failed[change.identity] = why
            self.sent.pop(change.identity, None)

    def forget(self, changes: Iterable[Change]) -> None:
        """These were not done, for somebody else was quicker: the next look tells what is left of them."""
        for change in changes:
            self.sent.pop(change.identity, None)

    def look_again(self, plan: Plan) -> None:
        """What was not answered is settled by a new look: it is done if the plan no longer holds it."""
        left = {change.identity for change in plan.everything}
        for identity, change in list(self.sent.items()):
            if identity in left:
                self.answer(failed=[(change, "no answer in time")])
            else:
                self.answer(done=[change])

    def close(self, plan: Plan, agreement: Agreement, *, dry_run: bool = False) -> Account:
        """The account. `plan` is the one found last; what was done before is in the account as well."""
        entries = [Entry(change, Fate.DONE) for change in self.done.values()]
        entries += [Entry(change, Fate.UNKNOWN) for change in self.sent.values()]
        known = self.done.keys() | self.sent.keys()
        for change in plan.everything:
            if change.identity in self.failed:
                entries.append(Entry(change, Fate.FAILED, reason=self.failed[change.identity]))
            elif change.identity not in known:
                entries.append(_entry(change, agreement))
        return Account(plan, tuple(entries), dry_run)


def _entry(change: Change, agreement: Agreement) -> Entry:
    if not agreement.asks(change):
        return Entry(change, Fate.LEFT_ALONE)
    if change.impossible:
        return Entry(change, Fate.IMPOSSIBLE, reason=change.impossible)
    missing = agreement.missing(change)
    return Entry(change, Fate.WITHHELD, missing=missing) if missing else Entry(change, Fate.NOT_DONE)
