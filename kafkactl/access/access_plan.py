"""Declared rules × those of the cluster → what to grant and to revoke, and what that risks. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from kafkactl.access.declared_rules import DeclaredAccess
from kafkactl.access.rules import Authorizer, Rule, ruled

_SHUTS_OUT = "the first rule on {place} shuts out everybody whom no rule admits; who that is, Kafka does not tell"
_MAY_SHUT_OUT = (
    "no rule is about {place}: if allow.everyone.if.no.acl.found is true, which is not known, the first one shuts out "
    "everybody whom no rule admits"
)


@dataclass(frozen=True)
class AccessChange:
    """A rule to be added or removed. `risk`: what it takes from whom, "" where it takes nothing from anybody.

    `impossible`: why it is not done, whatever is allowed. `reasons`: where topics.yaml says so.
    """

    verb: Literal["grant", "revoke"]
    rule: Rule
    risk: str = ""
    impossible: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, Rule]:
        """What makes it the same change at another look."""
        return self.verb, self.rule


@dataclass(frozen=True)
class AccessPlan:
    """Everything that differs. `equal` declared rules are there, `covered` ones are not needed: a wider rule admits.

    `others` are rules that nobody declared and that are left alone.
    """

    changes: tuple[AccessChange, ...] = ()
    equal: int = 0
    covered: tuple[Rule, ...] = ()
    others: tuple[Rule, ...] = ()
    missing: str = ""  # why the cluster's rules are not known
    open_to_all: str = ""  # that there are no rules, since nothing asks for them


def plan_access(declared: DeclaredAccess, authorizer: Authorizer, callers: Collection[str]) -> AccessPlan:
    """What it takes. `callers` are the principals that this client may be: what admits it is not removed."""
    wanted = {found.rule: found for found in declared.rules}
    revoked = [rule for rule in authorizer.rules if rule not in wanted and _is_ours(rule, declared)]
    kept = Authorizer(
        [rule for rule in authorizer.rules if rule not in revoked or rule.principal in callers],
        authorizer.open_,
        frozenset(),
    )
    changes: list[AccessChange] = []
    covered: list[Rule] = []
    equal = 0
    for rule, found in wanted.items():
        if rule in authorizer.rules:
            equal += 1
            continue
        decision = ruled(kept, rule.principal, rule.operation, rule.resource, _example(rule))
        if decision.rule is not None and decision.rule.deny:
            why = f"{decision.why}, and kafkactl never touches a rule that denies"
            changes.append(AccessChange("grant", rule, impossible=why, reasons=found.reasons))
        elif decision.allowed and decision.rule is not None and _covers(decision.rule, rule):
            covered.append(rule)
        else:
            changes.append(AccessChange("grant", rule, _risk(rule, authorizer), reasons=found.reasons))
    for rule in revoked:
        if rule.principal in callers:
            changes.append(AccessChange("revoke", rule, impossible="it admits this very client"))
        else:
            changes.append(AccessChange("revoke", rule, f"{rule.principal} loses {rule.operation} on {rule.place}"))
    ours = {*wanted, *revoked}
    return AccessPlan(
        tuple(changes), equal, tuple(covered), tuple(sorted(rule for rule in authorizer.rules if rule not in ours))
    )


def _is_ours(rule: Rule, declared: DeclaredAccess) -> bool:
    """Whether a rule is one that the file is about: literal, allowing, of a declared principal on what it declares."""
    plain = not rule.prefixed and not rule.deny and rule.host == "*"
    return plain and (rule.principal, rule.resource, rule.name) in declared.owned


def _example(rule: Rule) -> str:
    """A name that a rule is about: of those that begin so, the shortest."""
    return rule.name


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Whether a rule admits to all that another one is about: a literal one does not to what only begins so."""
    return wide.prefixed or wide.name == "*" or not narrow.prefixed


def _risk(rule: Rule, authorizer: Authorizer) -> str:
    if authorizer.open_ is False or any(_overlap(known, rule) for known in authorizer.rules):
        return ""
    return (_SHUTS_OUT if authorizer.open_ else _MAY_SHUT_OUT).format(place=rule.place)


def _overlap(known: Rule, new: Rule) -> bool:
    """Whether all that the new rule is about has a rule already."""
    if known.resource != new.resource:
        return False
    if new.name == "*" and not new.prefixed:
        return known.name == "*" and not known.prefixed
    if new.prefixed:
        return (known.prefixed and new.name.startswith(known.name)) or (known.name == "*" and not known.prefixed)
    return known.is_about(new.resource, new.name)


def in_order(changes: Sequence[AccessChange]) -> list[AccessChange]:
    """What is granted before what is revoked: nobody is without in between."""
    return sorted(changes, key=lambda change: change.verb == "revoke")
