"""Access as it is shown: what is to be granted and revoked, and who may do what and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from kafkactl.access.access_plan import AccessChange, AccessPlan
from kafkactl.access.rules import Rule
from kafkactl.plan.account import Fate
from kafkactl.text.escapes import plain
from kafkactl.text.words import and_more, many
from kafkactl.view import output
from kafkactl.view.cases import Case

_SIGNS = {"grant": ("+", "green"), "revoke": ("-", "red")}


def show_access_plan(plan: AccessPlan) -> None:
    """The changes, and what each of them risks."""
    if plan.missing:
        output.note(f"Access cannot be compared: {plan.missing}.")
        return
    if plan.open_to_all:
        output.note(f"Access: {plan.open_to_all}.")
    look = output.style()
    for change in plan.changes:
        sign, colour = _SIGNS[change.verb]
        if change.impossible:
            sign, colour = "!", "red"
        needs = "  --allow access" if change.risk and not change.impossible else ""
        output.say(f"  {look.paint(sign, colour)} {plain(change.rule.text)}{needs}")
    for words in dict.fromkeys(change.risk for change in plan.changes if change.risk and change.verb == "grant"):
        output.say(f"      {plain(words)}.")
    for change in plan.changes:
        if change.impossible:
            output.say(f"      {plain(change.rule.text)}: {plain(change.impossible)}.")
    if plan.others:
        output.note(f"{many(len(plan.others), 'rule')} that nobody declared: left alone.")


def access_question(changes: Sequence[AccessChange]) -> str:
    """What is agreed to."""
    lost = [change.risk for change in changes if change.verb == "revoke"]
    shut = [change.rule.place for change in changes if change.verb == "grant"]
    parts = [and_more(dict.fromkeys(lost), separator="; ")] if lost else []
    if shut:
        parts.append(f"the first rule on {and_more(dict.fromkeys(shut))} may shut out everybody else")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def access_document(plan: AccessPlan, fates: Mapping[tuple[str, Rule], tuple[Fate, str]]) -> dict[str, Any]:
    """The plan as JSON, with what became of each change."""
    return {
        "compared": not plan.missing and not plan.open_to_all,
        "why_not": plan.missing or plan.open_to_all or None,
        "equal": plan.equal,
        "covered": [rule_document(rule) for rule in plan.covered],
        "changes": [
            {
                "change": change.verb,
                **rule_document(change.rule),
                "declared_at": list(change.reasons),
                "risk": change.risk or None,
                "outcome": fates[change.identity][0].value if change.identity in fates else None,
                "reason": (fates[change.identity][1] if change.identity in fates else "") or None,
            }
            for change in plan.changes
        ],
        "left_alone": [rule_document(rule) for rule in plan.others],
    }


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as JSON."""
    return {
        "principal": rule.principal,
        "operation": rule.operation,
        "resource": rule.resource,
        "name": rule.name,
        "pattern": "prefixed" if rule.prefixed else "literal",
        "permission": "deny" if rule.deny else "allow",
        "host": rule.host,
    }


def access_cases(plan: AccessPlan) -> list[Case]:
    """The plan as judged cases, one a rule."""
    if plan.missing:
        return [Case("access", "error", f"could not be compared: {plan.missing}")]
    return [
        Case(
            change.rule.text,
            "error",
            "is declared but not on the cluster" if change.verb == "grant" else "is on the cluster but not declared",
            subject="access",
        )
        for change in plan.changes
    ]
