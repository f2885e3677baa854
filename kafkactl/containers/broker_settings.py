"""What a broker's container is told: each setting's value, and the variable or option that says it. Pure.

The images' rules are those of their start scripts (see containers/families.py): confluentinc/cp-* and apache/kafka make
KAFKA_X_Y to x.y, bitnami's KAFKA_CFG_X_Y; debezium/kafka sets some itself, from variables without a prefix; a command
that runs kafka-server-start.sh has no variables at all, but --override. What is in a file nobody here can know.
"""

import re
from collections.abc import Iterator, Mapping

from kafkactl.containers.families import family_of
from kafkactl.containers.model import Container

# Settings that debezium/kafka takes from variables of its own, whatever KAFKA_X says.
_DEBEZIUM: Mapping[str, tuple[str, ...]] = {
    "ZOOKEEPER_CONNECT": ("ZOOKEEPER_CONNECT",),
    "BROKER_ID": ("NODE_ID", "BROKER_ID"),
    "NODE_ID": ("NODE_ID", "BROKER_ID"),
}
_ROLES = {"": "broker,controller", "combined": "broker,controller"}  # of Debezium's NODE_ROLE; others are themselves


def prefix_of(image: str) -> str:
    """What the image's variables for broker settings begin with."""
    return "KAFKA_CFG_" if family_of(image) == "bitnami" else "KAFKA_"


def setting(container: Container, name: str) -> str:
    """The value of a broker's setting (ADVERTISED_LISTENERS, for advertised.listeners); "" where nothing is told."""
    environment = container.environment
    if _runs_kafka_itself(container):
        return _filled(_overrides(container).get(name, ""), environment)
    if family_of(container.image) == "debezium":
        if name in _DEBEZIUM:
            return next((environment[own] for own in _DEBEZIUM[name] if environment.get(own)), "")
        if name == "PROCESS_ROLES" and environment.get("CLUSTER_ID"):
            role = environment.get("NODE_ROLE", "")
            return _ROLES.get(role, role)
        if name in ("LOG_DIRS", "LOG_DIR"):
            return ""  # it is always the image's own
    return environment.get(f"KAFKA_{name}") or environment.get(f"KAFKA_CFG_{name}") or ""


def told_by_what(container: Container, name: str) -> str:
    """What tells a broker this setting, or would: a variable (KAFKA_NODE_ID), or `--override node.id`.

    "" for an image that has no rule for settings.
    """
    environment, family = container.environment, family_of(container.image)
    if family in ("redpanda", "fast-data-dev", "spotify"):
        return ""
    if _runs_kafka_itself(container):
        alone = re.fullmatch(r"\$\{?(\w+)\}?", _overrides(container).get(name, ""))
        return alone[1] if alone else f"--override {name.lower().replace('_', '.')}"
    if family == "debezium" and name in _DEBEZIUM:
        return next((own for own in _DEBEZIUM[name] if environment.get(own)), _DEBEZIUM[name][0])
    given = (f"{prefix}{name}" for prefix in ("KAFKA_", "KAFKA_CFG_"))
    return next((one for one in given if environment.get(one)), f"{prefix_of(container.image)}{name}")


def _runs_kafka_itself(container: Container) -> bool:
    """Whether Kafka's own script is its command: then no image's script reads variables."""
    return family_of(container.image) == "strimzi" or any("kafka-server-start" in word for word in container.command)


def _overrides(container: Container) -> dict[str, str]:
    """What the command overrides: {"ZOOKEEPER_CONNECT": "${KAFKA_ZOOKEEPER_CONNECT}"}."""
    text = " ".join(container.command)
    found = re.findall(r"--override[= ]+[\"']?([\w.]+)=(\"[^\"]*\"|'[^']*'|[^\s;&\"']*)", text)
    return {name.upper().replace(".", "_"): value.strip("\"'") for name, value in found}


def _filled(text: str, environment: Mapping[str, str]) -> str:
    """A text of a shell with its variables' values; "" where one is not known."""
    names = re.findall(r"\$\{?(\w+)\}?", text)
    if any(name not in environment for name in names):
        return ""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: environment[found[1]], text)


# Broker settings that people give by variables. Bitnami's images read the first kind under both prefixes, or did.
_BOTH_PREFIXES = frozenset(
    {
        "LISTENERS", "ADVERTISED_LISTENERS", "ZOOKEEPER_CONNECT", "BROKER_ID", "LISTENER_SECURITY_PROTOCOL_MAP",
        "INTER_BROKER_LISTENER_NAME",
    }
)  # fmt: skip
SETTINGS = _BOTH_PREFIXES | frozenset(
    {
        "NODE_ID", "PROCESS_ROLES", "CONTROLLER_QUORUM_VOTERS", "CONTROLLER_LISTENER_NAMES", "NUM_PARTITIONS",
        "AUTO_CREATE_TOPICS_ENABLE", "DELETE_TOPIC_ENABLE", "DEFAULT_REPLICATION_FACTOR", "MIN_INSYNC_REPLICAS",
        "MESSAGE_MAX_BYTES", "REPLICA_FETCH_MAX_BYTES", "SOCKET_REQUEST_MAX_BYTES", "OFFSETS_TOPIC_REPLICATION_FACTOR",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "TRANSACTION_STATE_LOG_MIN_ISR", "LOG_RETENTION_HOURS",
        "LOG_RETENTION_MS", "LOG_RETENTION_BYTES", "LOG_SEGMENT_BYTES", "LOG_DIRS", "SASL_ENABLED_MECHANISMS",
        "GROUP_INITIAL_REBALANCE_DELAY_MS", "SASL_MECHANISM_INTER_BROKER_PROTOCOL", "UNCLEAN_LEADER_ELECTION_ENABLE",
        "ZOOKEEPER_SESSION_TIMEOUT_MS", "ZOOKEEPER_CONNECTION_TIMEOUT_MS", "MAX_REQUEST_SIZE",
    }
)  # fmt: skip
# Settings of clients that people give to brokers.
_OF_CLIENTS: Mapping[str, str] = {"MAX_REQUEST_SIZE": "MESSAGE_MAX_BYTES"}


def setting_of(name: str) -> str:
    """The setting that a variable means (MESSAGE_MAX_BYTES), whichever prefix it has; "" if it means none."""
    found = re.fullmatch(r"KAFKA_(?:CFG_)?(\w+)", name.strip())
    return found[1] if found else ""


def ignored_variables(container: Container) -> Iterator[tuple[str, str]]:
    """The variables that the container's image does not read, and what it reads instead."""
    environment, prefix, family = container.environment, prefix_of(container.image), family_of(container.image)
    if _runs_kafka_itself(container):
        return
    for name, value in environment.items():
        if name != name.strip() and name.strip().startswith("KAFKA_"):  # `- KAFKA_X = 1` in a list
            yield name, name.strip()
            continue
        bare = setting_of(name)
        if family == "debezium" and name.startswith("KAFKA_") and bare in _DEBEZIUM:
            own = _DEBEZIUM[bare][0]
            # Its default is 1: who says that says nothing else than the image.
            if value and value != (setting(container, bare) or "1") and own not in environment:
                yield name, own
            continue
        if not bare or family not in ("cp", "apache", "bitnami"):
            continue
        if bare in _OF_CLIENTS and family != "bitnami":  # Bitnami's gives it to its own tools
            yield name, f"{prefix}{_OF_CLIENTS[bare]}"
            continue
        right = f"{prefix}{bare}"
        if right == name or right in environment or bare not in SETTINGS:
            continue
        if family == "bitnami" and bare in _BOTH_PREFIXES:
            continue
        yield name, right
