"""Rules of a cluster → what topics.yaml would say of them. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafkactl.access.rules import CLUSTER_NAME, Rule
from kafkactl.text.words import many

_ADMIN = {("cluster", CLUSTER_NAME), ("topic", "*"), ("group", "*"), ("transactional_id", "*")}
_OF_TOPICS = frozenset({"Read", "Write", "Describe"})


@dataclass
class ExportedAccess:
    """Services with their principals, who writes and reads each topic, and who may do everything.

    `left_out` says of whom the file does not tell, and why: what it says shows no difference.
    """

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    producers: dict[str, list[str]] = field(default_factory=dict)
    consumers: dict[str, list[str]] = field(default_factory=dict)
    admins: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def exported_access(rules: Sequence[Rule], topics: Collection[str]) -> ExportedAccess:
    """What these rules mean for these topics."""
    found = ExportedAccess()
    by_principal: dict[str, list[Rule]] = {}
    for rule in rules:
        by_principal.setdefault(rule.principal, []).append(rule)
    names: dict[str, str] = {}
    for principal, own in sorted(by_principal.items()):
        everything = {(r.resource, r.name) for r in own if r.operation == "All" and not (r.prefixed or r.deny)}
        if everything >= _ADMIN:
            found.admins.append(principal)
            continue
        about = [rule for rule in own if rule.resource != "topic" or rule.prefixed or rule.name in topics]
        if not any(rule.resource == "topic" and rule.name in topics for rule in about):
            continue
        service = _service_name(principal, names)
        if why := _unsayable(about, service):
            found.left_out.append(f"{principal} ({why})")
        else:
            names[service] = principal
            _add(found, service, principal, about)
    return found


def _unsayable(rules: Sequence[Rule], service: str) -> str:
    """Why topics.yaml cannot say all of it; "" where it can."""
    if not service:
        return "it is everybody, or its name is that of another service"
    if any(rule.deny or rule.host != "*" for rule in rules):
        return "a rule denies, or holds for one host"
    strange = (rule for rule in rules if not _is_sayable(rule))
    if other := next(strange, None):
        return f"it may {other.operation} {other.place}"
    return _wrong_groups(rules, service) or _only_described(rules)


def _is_sayable(rule: Rule) -> bool:
    if rule.resource == "topic":
        return not rule.prefixed and rule.name != "*" and rule.operation in _OF_TOPICS
    return rule.resource != "transactional_id" or rule.operation in ("Write", "Describe")


def _wrong_groups(rules: Sequence[Rule], service: str) -> str:
    """Rules on groups that are not one group to read: a service has one, and init-topics would revoke the rest."""
    names = _groups(rules)
    if not any(rule.resource == "topic" and rule.operation == "Read" for rule in rules):
        names = [f"{service}-group"]
        return "it has a group and reads no topic" if any(_is_on(rule, names[0]) for rule in rules) else ""
    if len(names) != 1:
        return f"it may read {many(len(names), 'group')}; a service has one"
    more = [rule for rule in rules if _is_on(rule, names[0]) and rule.operation != "Read"]
    return f"it may {more[0].operation} {more[0].place}" if more else ""


def _groups(rules: Iterable[Rule]) -> list[str]:
    """The groups that it may read, by name."""
    return [
        r.name for r in rules if r.resource == "group" and r.operation == "Read" and not r.prefixed and r.name != "*"
    ]


def _is_on(rule: Rule, group: str) -> bool:
    return rule.resource == "group" and rule.name == group and not rule.prefixed


def _only_described(rules: Sequence[Rule]) -> str:
    used = {rule.name for rule in rules if rule.resource == "topic" and rule.operation in ("Read", "Write")}
    described = {rule.name for rule in rules if rule.resource == "topic"} - used
    return f"it may only Describe topic {min(described)}" if described else ""


def _service_name(principal: str, taken: Mapping[str, str]) -> str:
    """A service's name for a principal: that of a user, or the common name of a certificate."""
    kind, _, name = principal.partition(":")
    for part in name.split(","):
        if part.strip().startswith("CN="):
            name = part.strip().removeprefix("CN=")
    usable = kind == "User" and name not in ("*", "") and name not in taken
    return name if usable else ""


def _add(found: ExportedAccess, service: str, principal: str, rules: Sequence[Rule]) -> None:
    own: dict[str, Any] = {"principal": principal}
    ids: dict[str, None] = {}
    for rule in rules:
        if rule.resource == "topic" and rule.operation == "Write":
            found.producers.setdefault(rule.name, []).append(service)
        elif rule.resource == "topic" and rule.operation == "Read":
            found.consumers.setdefault(rule.name, []).append(service)
        elif rule.resource == "transactional_id" and rule.operation == "Write":
            ids[rule.name + "*" * rule.prefixed] = None
    if any(rule.resource == "topic" and rule.operation == "Read" for rule in rules):
        (own["group"],) = _groups(rules)
    if ids:
        own["transactional_ids"] = list(ids)
    found.services[service] = own
