"""Rules as Kafka's StandardAuthorizer has them, and what it decides by them. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

# What else a rule for an operation allows (Kafka's AclOperation, StandardAuthorizerData).
_IMPLIES = {
    "Describe": frozenset({"Read", "Write", "Delete", "Alter"}),
    "DescribeConfigs": frozenset({"AlterConfigs"}),
}
ANYBODY = "User:*"
ANYWHERE = "*"  # a host
CLUSTER_NAME = "kafka-cluster"


@dataclass(frozen=True, order=True)
class Rule:
    """An ACL. `resource` is topic, group, transactional_id, cluster or another word of Kafka's, in lower case.

    `operation` is in Kafka's words: Read, Describe, All. `name` is "*" for every resource of its kind.
    """

    resource: str
    name: str
    principal: str
    operation: str
    prefixed: bool = False
    deny: bool = False
    host: str = ANYWHERE

    def is_about(self, resource: str, name: str) -> bool:
        """Whether it is about this resource, whoever and whatever it names."""
        if self.resource != resource:
            return False
        return name.startswith(self.name) if self.prefixed else self.name in (name, "*")

    def names(self, principal: str, host: str) -> bool:
        """Whether it is about this principal from this host."""
        return self.principal in (principal, ANYBODY) and self.host in (host, ANYWHERE)

    @property
    def place(self) -> str:
        """The resource in words: topic orders, topics that begin with pay-, every group."""
        kind = self.resource.replace("_", " ")
        if self.resource == "cluster":
            return "the cluster"
        if self.prefixed:
            return f"{kind}s that begin with {self.name}"
        return f"every {kind}" if self.name == "*" else f"{kind} {self.name}"

    @property
    def text(self) -> str:
        """The rule in one line."""
        verb = "must not" if self.deny else "may"
        where = "" if self.host == ANYWHERE else f" from {self.host}"
        return f"{self.principal} {verb} {self.operation} {self.place}{where}"

    @property
    def document(self) -> str:
        """The rule as JSON in one line, which `rule_of` reads."""
        return json.dumps(asdict(self))


def rule_of(document: str) -> Rule:
    """The rule of such a line. Raises ValueError."""
    try:
        return Rule(**json.loads(document))
    except TypeError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True)
class Authorizer:
    """What decides. `open_`: who is allowed where no rule is about a resource; None where that is not known.

    `super_users` may do everything; None where they are not known.
    """

    rules: Sequence[Rule] = ()
    open_: bool | None = False
    super_users: frozenset[str] | None = frozenset()


class Judgement(NamedTuple):
    """Whether something is allowed, None where that is not known, and why."""

    allowed: bool | None
    why: str
    rule: Rule | None = None


def ruled(authorizer: Authorizer, principal: str, operation: str, resource: str, name: str) -> Judgement:
    """What the authorizer decides, from whatever host the principal comes.

    Where that depends on the host, or on allow.everyone.if.no.acl.found and that is not known, it is not known. Of
    super users that are not known only the reason tells.
    """
    if authorizer.super_users is not None and principal in authorizer.super_users:
        return Judgement(True, "it is a super user")
    about = [rule for rule in authorizer.rules if rule.is_about(resource, name)]
    hosts = {rule.host for rule in about if rule.names(principal, rule.host)} | {""}
    found = {_judged(about, authorizer, principal, operation, host) for host in hosts - {ANYWHERE}}
    if len({ruling.allowed for ruling in found}) > 1:
        return Judgement(None, f"it depends on the host: {', '.join(sorted(hosts - {'', ANYWHERE}))}")
    ruling = min(found, key=lambda ruling: ruling.why)
    if ruling.allowed is False and authorizer.super_users is None:
        return Judgement(False, f"{ruling.why} (unless it is a super user: Kafka does not show who is)", ruling.rule)
    return ruling


def _judged(about: Iterable[Rule], authorizer: Authorizer, principal: str, operation: str, host: str) -> Judgement:
    rules = list(about)
    own = [rule for rule in rules if rule.names(principal, host)]
    for rule in own:
        if rule.deny and rule.operation in (operation, "All"):
            return Judgement(False, f"a rule denies it: {rule.text}", rule)
    for rule in own:
        if not rule.deny and rule.operation in {operation, "All", *_IMPLIES.get(operation, ())}:
            return Judgement(True, f"a rule allows it: {rule.text}", rule)
    if rules or authorizer.open_ is False:
        return Judgement(False, "no rule allows it")
    if authorizer.open_:
        return Judgement(True, "no rule is about it, and allow.everyone.if.no.acl.found is true")
    return Judgement(None, "no rule is about it, and allow.everyone.if.no.acl.found is not known")
