"""Users and their permissions: SCRAM passwords and ACLs, and which of them a broker has heard of."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.kafka_errors import failure
from kafkactl.cluster.wire import Wire


class Permission(NamedTuple):
    """A user may do `operations` (Kafka's words) on a topic or group; with `prefixed`, on all whose names begin so."""

    user: str
    resource: str  # "topic", "group", "transactional_id" or "cluster" (whose name is kafka-cluster)
    name: str  # "*" for all
    operations: tuple[str, ...]
    prefixed: bool = False


# The library calls the cluster by the name that it has for configurations.
_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}


def set_passwords(cluster: Cluster, passwords: Mapping[str, str], iterations: int) -> None:
    """Make SCRAM-SHA-512 users, or give them other passwords. `iterations` (4096 or more) is how often each is hashed.

    Raises KafkactlError where Kafka refuses one.
    """
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, iterations)
    changes = [UserScramCredentialUpsertion(user, info, password.encode()) for user, password in passwords.items()]
    futures = cluster.admin.alter_user_scram_credentials(changes)
    for user, error in cluster.gather(futures).items():
        if error:
            raise failure(error, f"Kafka does not make the user {user}")


def allow(cluster: Cluster, permissions: Iterable[Permission]) -> None:
    """Add permissions; those that are there stay. Raises KafkactlError where Kafka refuses one."""
    bindings = [
        AclBinding(
            _RESOURCES[permission.resource],
            permission.name,
            ResourcePatternType.PREFIXED if permission.prefixed else ResourcePatternType.LITERAL,
            f"User:{permission.user}",
            "*",
            AclOperation[operation.upper()],
            AclPermissionType.ALLOW,
        )
        for permission in permissions
        for operation in permission.operations
    ]
    for binding, error in cluster.gather(cluster.admin.create_acls(bindings)).items():
        if error:
            raise failure(error, f"Kafka does not add a permission of {binding.principal}")


def permissions_known(host: str, port: int, timeout: float = 1.0) -> int:
    """How many permissions (ACLs) the broker behind a PLAINTEXT listener knows. Raises OSError."""
    with Wire(host, port, timeout) as wire:
        return wire.permissions()


def iterations_known(host: str, port: int, timeout: float = 1.0) -> dict[str, set[int]]:
    """The iterations of each SCRAM user's passwords, as the broker behind a PLAINTEXT listener knows them."""
    with Wire(host, port, timeout) as wire:
        return wire.iterations()
