"""Kafka's access rules (ACLs): read, added, removed."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaError
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from kafkactl.access.rules import Authorizer, Rule
from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import DENIED, error_text
from kafkactl.cluster.metadata import read_brokers
from kafkactl.cluster.properties import second_client

# librdkafka calls the cluster by the name that it has for configurations.
_KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_OPEN, _SUPER, _CLASS = "allow.everyone.if.no.acl.found", "super.users", "authorizer.class.name"
_STANDARD = ("org.apache.kafka.metadata.authorizer.StandardAuthorizer", "kafka.security.authorizer.AclAuthorizer")
_EFFECT = 10.0  # seconds: how long a rule may take to reach the brokers


@dataclass(frozen=True)
class ClusterAccess:
    """The cluster's rules. `state`: "there", "none" (no authorizer: everybody may do everything) or "not known".

    `unseen` says what decides besides and is not seen.
    """

    state: Literal["there", "none", "not known"]
    authorizer: Authorizer
    why: str = ""
    unseen: tuple[str, ...] = ()


_NO_AUTHORIZER = ClusterAccess("none", Authorizer(), "the cluster has no authorizer: everybody may do everything")
_DENIED = "no permission to read the rules (needs Describe on the cluster)"


def read_access(cluster: Cluster) -> ClusterAccess:
    """The rules and what decides where there is none. Raises UnreachableError."""
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    asked = cluster.admin.describe_acls(everything, request_timeout=WORK_LIMIT)
    answer = cluster.gather({0: asked})[0]
    if isinstance(answer, KafkaError):
        if answer.code() == KafkaError.SECURITY_DISABLED:
            return _NO_AUTHORIZER
        return ClusterAccess("not known", Authorizer(), _DENIED if answer.code() in DENIED else error_text(answer))
    if not answer and (nothing := _why_nothing(cluster)):
        return nothing
    known = [broker for broker in read_brokers(cluster) if not broker.why_not]
    settings = known[0].settings if known else None
    open_: bool | None = None
    super_users: frozenset[str] | None = None
    unseen: list[str] = []
    if settings is not None:
        # Kafka hides the values of settings that it has no definition of; that one is not set is told.
        open_ = _flag(settings[_OPEN].value) if _OPEN in settings else False
        if _SUPER not in settings:
            super_users = frozenset()
        elif settings[_SUPER].value is not None:
            super_users = frozenset(filter(None, map(str.strip, (settings[_SUPER].value or "").split(";"))))
        kind = settings[_CLASS].value if _CLASS in settings else None
        if kind and kind not in _STANDARD:
            unseen.append(f"{kind}, which may decide otherwise (RBAC, IAM)")
    else:
        unseen.append("the brokers' settings: another authorizer may decide otherwise (RBAC, IAM)")
    if super_users is None:
        unseen.append(f"{_SUPER}: Kafka does not show it")
    if open_ is None:
        unseen.append(f"{_OPEN}: Kafka does not show it")
    rules = sorted(map(_rule, answer))
    return ClusterAccess("there", Authorizer(tuple(rules), open_, super_users), unseen=tuple(unseen))


def _why_nothing(cluster: Cluster) -> ClusterAccess | None:
    """Why no rule was told; None where there is none. librdkafka (2.16) has no rules for a request that was refused."""
    from kafka.admin import ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePatternFilter
    from kafka.admin import ResourceType as Kind
    from kafka.errors import ClusterAuthorizationFailedError, SecurityDisabledError
    from kafka.errors import KafkaError as Refusal

    everything = ResourcePatternFilter(Kind.ANY, None, ACLResourcePatternType.ANY)
    wanted = ACLFilter(
        principal=None,
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=everything,
    )
    try:
        with second_client(cluster.connection) as client:
            client.describe_acls(wanted)
    except SecurityDisabledError:
        return _NO_AUTHORIZER
    except ClusterAuthorizationFailedError:
        return ClusterAccess("not known", Authorizer(), _DENIED)
    except (Refusal, ValueError, OSError) as error:
        return ClusterAccess("not known", Authorizer(), f"the request for them failed: {type(error).__name__}")
    return None


def _flag(value: str | None) -> bool | None:
    return None if value is None else value.strip().lower() == "true"


def _rule(binding: Any) -> Rule:
    return Rule(
        _WORDS.get(binding.restype, binding.restype.name.lower()),
        binding.name,
        binding.principal,
        "".join(part.capitalize() for part in binding.operation.name.split("_")),
        binding.resource_pattern_type == ResourcePatternType.PREFIXED,
        binding.permission_type == AclPermissionType.DENY,
        binding.host,
    )


def grant_rules(cluster: Cluster, rules: Collection[Rule]) -> dict[Rule, KafkaError | None]:
    """Add rules, and what became of each: None where it was added. Raises UnreachableError."""
    bindings = {_binding(AclBinding, rule): rule for rule in rules}
    answers = cluster.gather(cluster.admin.create_acls(list(bindings), request_timeout=WORK_LIMIT))
    return {
        rule: answers[binding] if isinstance(answers[binding], KafkaError) else None
        for binding, rule in bindings.items()
    }


def revoke_rules(cluster: Cluster, rules: Collection[Rule]) -> dict[Rule, KafkaError | None]:
    """Remove rules, each by a filter that names all of it. Raises UnreachableError."""
    filters = {_binding(AclBindingFilter, rule): rule for rule in rules}
    answers = cluster.gather(cluster.admin.delete_acls(list(filters), request_timeout=WORK_LIMIT))
    return {rule: answers[each] if isinstance(answers[each], KafkaError) else None for each, rule in filters.items()}


def _binding(kind: Any, rule: Rule) -> Any:
    return kind(
        _KINDS[rule.resource],
        rule.name,
        ResourcePatternType.PREFIXED if rule.prefixed else ResourcePatternType.LITERAL,
        rule.principal,
        rule.host,
        AclOperation[_operation(rule.operation)],
        AclPermissionType.DENY if rule.deny else AclPermissionType.ALLOW,
    )


def _operation(word: str) -> str:
    """AlterConfigs as the library spells it: ALTER_CONFIGS."""
    return "".join(f"_{letter}" if letter.isupper() and at else letter for at, letter in enumerate(word)).upper()


def refusal_words(error: KafkaError) -> str:
    """Why a rule was not changed."""
    return "no permission (needs Alter on the cluster)" if error.code() in DENIED else error_text(error)


def wait_for_effect(cluster: Cluster, granted: Iterable[Rule], revoked: Iterable[Rule]) -> bool:
    """Wait until the brokers tell of what was changed; whether they did, within 10 s."""
    wanted, gone = set(granted), set(revoked)
    deadline = time.monotonic() + _EFFECT
    while True:
        there = set(read_access(cluster).authorizer.rules)
        if wanted <= there and not gone & there:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
