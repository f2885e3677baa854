"""The rules that topics.yaml declares: producers and consumers of topics, transactional ids, admins. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kafkactl.access.rules import CLUSTER_NAME, Rule
from kafkactl.catalog.model import Catalog, Service, Topic

_ADMIN = (("cluster", CLUSTER_NAME), ("topic", "*"), ("group", "*"), ("transactional_id", "*"))


@dataclass(frozen=True)
class DeclaredRule:
    """A rule, and what of topics.yaml it comes from."""

    rule: Rule
    reasons: tuple[str, ...]
    service: str  # "" for an admin


@dataclass(frozen=True)
class DeclaredAccess:
    """All that is declared. A rule may be removed only if it is about one of these principals and resources."""

    rules: tuple[DeclaredRule, ...]
    owned: frozenset[tuple[str, str, str]]  # principal, resource, name

    def of(self, name: str) -> tuple[DeclaredRule, ...]:
        """What is declared of a service, or of a topic."""
        return tuple(
            found
            for found in self.rules
            if found.service == name or (found.rule.resource, found.rule.name) == ("topic", name)
        )


def declared_access(catalog: Catalog, only: str | None = None) -> DeclaredAccess:
    """What the file declares; with `only` of the topics that match it."""
    topics = [topic for topic in catalog.topics.values() if only is None or fnmatchcase(topic.name, only)]
    services = [service for service in catalog.services.values() if service.principal]
    found: dict[tuple[Rule, str], list[str]] = {}
    owned: set[tuple[str, str, str]] = set()
    for service in services:
        owned |= {(service.principal, "topic", topic.name) for topic in topics}
        for rule, reason in _of_service(service, topics):
            found.setdefault((rule, service.name), []).append(reason)
        if only is None:
            owned.add((service.principal, "group", service.group))
            for rule in _transactional(service):
                found.setdefault((rule, service.name), []).append(
                    f"{catalog.path.name}: transactional_ids of {service.name}"
                )
    for admin in catalog.admins if only is None else ():
        for resource, name in _ADMIN:
            found.setdefault((Rule(resource, name, admin, "All"), ""), []).append(f"{catalog.path.name}: admins")
    rules = [DeclaredRule(rule, tuple(dict.fromkeys(reasons)), name) for (rule, name), reasons in found.items()]
    return DeclaredAccess(tuple(rules), frozenset(owned))


def _of_service(service: Service, topics: list[Topic]) -> Iterator[tuple[Rule, str]]:
    names = {service.name, *service.aliases, "*"}
    for topic in topics:
        writes, reads = names & set(topic.producers), names & set(topic.consumers)
        operations = (*(("Write", "Describe") if writes else ()), *(("Read", "Describe") if reads else ()))
        for operation in operations:
            what = "producers" if operation == "Write" or (operation == "Describe" and writes) else "consumers"
            yield Rule("topic", topic.name, service.principal, operation), f"{topic.position}: {what}"
        if reads:
            yield Rule("group", service.group, service.principal, "Read"), f"{topic.position}: consumers"


def _transactional(service: Service) -> Iterator[Rule]:
    for id in service.transactional_ids:
        prefixed = id.endswith("*")
        for operation in ("Write", "Describe"):
            yield Rule("transactional_id", id.removesuffix("*"), service.principal, operation, prefixed)
