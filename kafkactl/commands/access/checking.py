"""access check: what a service needs, and whether it may."""

from dataclasses import dataclass

import typer

from kafkactl.access.declared_rules import DeclaredRule, declared_access
from kafkactl.access.rules import ruled
from kafkactl.catalog.model import Catalog, Service
from kafkactl.cluster.acls import ClusterAccess, read_access
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.identity import principals_of
from kafkactl.cluster.permissions import Permissions, on_groups, on_topics
from kafkactl.errors import ExitCode, UsageError
from kafkactl.settings import Target
from kafkactl.text.suggest import suggest
from kafkactl.text.words import many
from kafkactl.view import access_page, output


@dataclass(frozen=True)
class _Verdict:
    need: DeclaredRule
    allowed: bool | None
    why: str


def check_service(target: Target, name: str, *, as_json: bool) -> None:
    """Check it. Raises Exit with 1 where something is not allowed, 3 where it is not known; UsageError."""
    service = _service(target.declared, name)
    needs = [found for found in declared_access(target.declared).rules if found.service == service.name]
    kafka = connect(target.connection)
    itself = service.principal in principals_of(target.connection.properties)
    found = None if itself else read_access(kafka)
    verdicts = _proven(kafka, target.declared, needs) if found is None else _judged(found, needs)
    if as_json:
        output.document(
            "access-check",
            {
                "service": service.name,
                "principal": service.principal,
                "proven": itself,
                "allowed": _all(verdicts),
                "unseen": list(found.unseen) if found else [],
                "needs": [
                    {
                        **access_page.rule_document(verdict.need.rule),
                        "allowed": verdict.allowed,
                        "why": verdict.why,
                        "declared_at": list(verdict.need.reasons),
                    }
                    for verdict in verdicts
                ],
            },
        )
    else:
        _show(service, verdicts, found)
    allowed = _all(verdicts)
    raise typer.Exit(ExitCode.OK if allowed else ExitCode.UNREACHABLE if allowed is None else ExitCode.FOUND)


def _service(catalog: Catalog, name: str) -> Service:
    service = catalog.service(name)
    if service.name not in catalog.services:
        raise UsageError(
            f"There is no service {name} in {catalog.path}.{suggest(name, catalog.services, quoted=False)}"
        )
    if not service.principal:
        raise UsageError(
            f"{catalog.path.name} does not say who {service.name} is to Kafka.",
            hint=f"Write there, under services: {service.name}: {{principal: User:{service.name}}}",
        )
    return service


def _judged(found: ClusterAccess, needs: list[DeclaredRule]) -> list[_Verdict]:
    if found.state == "none":
        return [_Verdict(need, True, found.why) for need in needs]
    if found.state == "not known":
        return [_Verdict(need, None, found.why) for need in needs]
    verdicts = []
    for need in needs:
        rule = need.rule
        decision = ruled(found.authorizer, rule.principal, rule.operation, rule.resource, rule.name)
        verdicts.append(_Verdict(need, decision.allowed, decision.why))
    return verdicts


def _proven(kafka: Cluster, catalog: Catalog, needs: list[DeclaredRule]) -> list[_Verdict]:
    """What Kafka says to the service itself. It tells nothing of transactional ids."""
    topics = [catalog.topics[name] for name in dict.fromkeys(n.rule.name for n in needs if n.rule.resource == "topic")]
    groups = list(dict.fromkeys(n.rule.name for n in needs if n.rule.resource == "group"))
    told: dict[tuple[str, str], Permissions] = {("topic", p.name): p for p in on_topics(kafka, topics)}
    told |= {("group", p.name): p for p in on_groups(kafka, groups)}
    verdicts = []
    for need in needs:
        entry = told.get((need.rule.resource, need.rule.name))
        if entry is None:
            verdicts.append(_Verdict(need, None, "Kafka does not tell"))
        elif need.rule.operation in entry.allowed:
            verdicts.append(_Verdict(need, True, "Kafka says so"))
        elif need.rule.operation in entry.denied:
            verdicts.append(_Verdict(need, False, "Kafka says so"))
        else:
            absent = "it is not there yet, and Kafka tells nothing of it"
            verdicts.append(_Verdict(need, None, absent if entry.state == "absent" else "Kafka does not tell"))
    return verdicts


def _all(verdicts: list[_Verdict]) -> bool | None:
    found = {verdict.allowed for verdict in verdicts}
    return False if False in found else None if None in found else True


_MARKS = {True: "yes", False: "no", None: "not known"}
_COLOURS = {True: "green", False: "red", None: "yellow"}


def _show(service: Service, verdicts: list[_Verdict], found: ClusterAccess | None) -> None:
    rows: list[list[output.Cell]] = [
        [
            output.Coloured(_MARKS[verdict.allowed], _COLOURS[verdict.allowed]),
            verdict.need.rule.operation,
            verdict.need.rule.place,
            verdict.why,
            verdict.need.reasons[0],
        ]
        for verdict in verdicts
    ]
    if rows:
        output.table([output.Column(title) for title in ("ALLOWED", "OPERATION", "ON", "WHY", "DECLARED AT")], rows)
    good = sum(verdict.allowed is True for verdict in verdicts)
    source = "Kafka's own word" if found is None else "by the cluster's rules"
    output.note(
        f"\n{service.name} ({service.principal}): {good} of {many(len(verdicts), 'need')} allowed, {source}."
        if verdicts
        else f"topics.yaml declares nothing that {service.name} reads or writes."
    )
    if found is not None and found.unseen:
        output.note(f"Not seen: {'; '.join(found.unseen)}.")
