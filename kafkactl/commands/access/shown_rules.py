"""access show: the rules of the cluster beside those that topics.yaml declares."""

from dataclasses import dataclass

import typer

from kafkactl.access.declared_rules import DeclaredAccess, declared_access
from kafkactl.access.rules import Rule, ruled
from kafkactl.cluster.acls import ClusterAccess, read_access
from kafkactl.cluster.client import connect
from kafkactl.errors import ExitCode
from kafkactl.settings import Target
from kafkactl.view import access_page, output


@dataclass(frozen=True)
class _Line:
    rule: Rule
    state: str  # there, missing, covered
    reasons: tuple[str, ...]


def show_rules(target: Target, name: str | None, *, as_json: bool) -> None:
    """Show them. Raises Exit with 3 where the cluster's rules are not known."""
    catalog = target.catalog
    kafka = connect(target.connection)
    declared = declared_access(catalog) if catalog else DeclaredAccess((), frozenset())
    found = read_access(kafka)
    lines = [line for line in _lines(declared, found) if name is None or _is_about(line, name, declared)]
    if as_json:
        output.document(
            "access",
            {
                "complete": found.state != "not known",
                "gaps": [found.why] if found.state == "not known" else [],
                "authorizer": {"there": True, "none": False, "not known": None}[found.state],
                "unseen": list(found.unseen),
                "rules": [
                    {**access_page.rule_document(line.rule), "state": line.state, "declared_at": list(line.reasons)}
                    for line in lines
                ],
            },
        )
    elif lines:
        rows: list[list[output.Cell]] = [
            [line.rule.principal, _may(line.rule), line.rule.place, line.state, ", ".join(line.reasons) or None]
            for line in lines
        ]
        titles = ("PRINCIPAL", "MAY", "ON", "RULE", "DECLARED AT")
        output.table([output.Column(title) for title in titles], rows)
    else:
        output.say("No rule." if found.state == "there" else "No rule is declared.")
    if not as_json and found.why:
        output.note(f"{found.why[:1].upper()}{found.why[1:]}.")
    if not as_json and found.unseen:
        output.note(f"Not seen: {'; '.join(found.unseen)}.")
    raise typer.Exit(ExitCode.UNREACHABLE if found.state == "not known" else ExitCode.OK)


def _may(rule: Rule) -> str:
    where = "" if rule.host == "*" else f" from {rule.host}"
    return f"{'not ' if rule.deny else ''}{rule.operation}{where}"


def _lines(declared: DeclaredAccess, found: ClusterAccess) -> list[_Line]:
    wanted: dict[Rule, tuple[str, ...]] = {}
    for each in declared.rules:
        wanted[each.rule] = tuple(dict.fromkeys([*wanted.get(each.rule, ()), *each.reasons]))
    lines = [_Line(rule, "there", wanted.get(rule, ())) for rule in found.authorizer.rules]
    for rule, reasons in wanted.items():
        if rule not in found.authorizer.rules:
            lines.append(_Line(rule, _missing(rule, found), reasons))
    return sorted(lines, key=lambda line: (line.rule.principal, line.rule))


def _missing(rule: Rule, found: ClusterAccess) -> str:
    """What a declared rule is that is not there."""
    if found.state == "not known":
        return "not known"
    if found.state == "none":
        return "not needed"
    decision = ruled(found.authorizer, rule.principal, rule.operation, rule.resource, rule.name)
    wider = decision.allowed and decision.rule is not None
    return "covered by a wider one" if wider else "missing"


def _is_about(line: _Line, name: str, declared: DeclaredAccess) -> bool:
    rule = line.rule
    principals = {found.rule.principal for found in declared.rules if found.service == name}
    named = rule.resource in ("topic", "group", "transactional_id") and rule.is_about(rule.resource, name)
    return named or rule.principal in {name, f"User:{name}", *principals}
