"""What an image makes of its variables and its command: where its broker listens, by the image's own rules. Pure.

The rules are those of the images' start scripts and documents: confluentinc/cp-kafka's `configure`
(docs.confluent.io, "Docker Image Configuration Reference"), apache/kafka's docker/resources/common-scripts/configure,
the README of bitnami/kafka, start-kafka.sh and the wiki page "Connectivity" of wurstmeister/kafka, debezium/kafka's
docker-entrypoint.sh, `rpk redpanda start` (docs.redpanda.com), and the READMEs of lensesio/fast-data-dev and
spotify/kafka, which hold a ZooKeeper as well. What no rule tells is not known.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from kafkactl.containers.model import Container
from kafkactl.text.units import is_number

FamilyName = Literal[
    "cp", "apache", "bitnami", "wurstmeister", "debezium", "redpanda", "fast-data-dev", "spotify", "unknown"
]
_FAMILIES: tuple[tuple[FamilyName, re.Pattern[str]], ...] = (
    ("redpanda", re.compile(r"(^|/)redpanda(data)?(/redpanda)?(-unstable)?$")),
    ("cp", re.compile(r"(^|/)confluentinc/|(^|/)cp-")),
    ("apache", re.compile(r"(^|/)apache/kafka(-native)?$")),
    ("bitnami", re.compile(r"(^|/)bitnami(legacy|secure)?/kafka$")),
    ("wurstmeister", re.compile(r"(^|/)wurstmeister/kafka$")),
    ("debezium", re.compile(r"(^|/)debezium/kafka$")),
    ("fast-data-dev", re.compile(r"(^|/)(lensesio|landoop)/fast-data-dev$")),
    ("spotify", re.compile(r"(^|/)spotify/kafka$")),
)
_DEFAULT_PORT = 9092


@dataclass(frozen=True)
class Listener:
    """A listener: its name (INTERNAL), the address it is bound to or sends its clients to."""

    name: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"


def family_of(image: str) -> FamilyName:
    """Whose image this is, by its name without registry and tag."""
    name = re.sub(r"(@sha256:.*|:[^/:]+)$", "", image)
    return next((family for family, pattern in _FAMILIES if pattern.search(name)), "unknown")


# The number of the user that an image's processes run as, by its Dockerfile.
_USERS: Mapping[FamilyName, str] = {"cp": "1000", "apache": "1000", "bitnami": "1001", "redpanda": "101"}


def user_number(container: Container) -> str:
    """The number of the user that a container's processes run as; "" where only its image knows."""
    named = container.user.partition(":")[0]
    if named.isdigit():
        return named
    return "0" if named == "root" else _USERS.get(family_of(container.image), "" if named else "1000")


_HEAP = re.compile(r"-Xmx(\d+)([kKmMgG]?)")
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_DEFAULT_HEAP = {"broker": 2**30, "controller": 2**30, "zookeeper": 512 * 2**20}  # of Kafka's own scripts


def heap_of(container: Container) -> int | None:
    """How large a JVM's heap can grow, in bytes; None for a container that is not known to run a JVM."""
    if family_of(container.image) == "redpanda" or "-native" in container.image:
        return None
    for name in ("KAFKA_HEAP_OPTS", "JAVA_OPTS"):
        found = _HEAP.findall(container.environment.get(name, ""))
        if found:
            number, unit = found[-1]
            return int(number) * _UNITS[unit.lower()]
    return _DEFAULT_HEAP.get(container.role)


# Where brokers keep their data by their images' own configuration, as far as that is one place.
_DATA: Mapping[FamilyName, str] = {
    "cp": "/var/lib/kafka/data",
    "bitnami": "/bitnami/kafka/data",
    "wurstmeister": "/kafka",
    "debezium": "/kafka/data",
    "redpanda": "/var/lib/redpanda/data",
}


# Where the families keep Kafka's own programs; elsewhere they are on the path, without an ending.
_PROGRAMS: Mapping[FamilyName, str] = {
    "apache": "/opt/kafka/bin/{}.sh",
    "bitnami": "/opt/bitnami/kafka/bin/{}.sh",
    "wurstmeister": "/opt/kafka/bin/{}.sh",
    "debezium": "/kafka/bin/{}.sh",
}


def program_of(container: Container, name: str) -> str:
    """How one of Kafka's programs (kafka-topics) is called in this container; "" where its image has none."""
    if family_of(container.image) == "redpanda" or "-native" in container.image:
        return ""
    return _PROGRAMS.get(family_of(container.image), "{}").format(name)


def unmapped_listener(container: Container) -> str:
    """The first of a broker's listeners that has no protocol, so that Kafka refuses to start; "" if all have one."""
    environment = container.environment
    if family_of(container.image) in ("redpanda", *_WHOLE):
        return ""  # they are not told by this variable
    text = variable(environment, "LISTENER_SECURITY_PROTOCOL_MAP")
    mapped = {entry.strip().partition(":")[0] for entry in text.split(",") if entry.strip()}
    if not mapped:
        # KRaft gives its controllers' listener PLAINTEXT where nothing is mapped.
        mapped = {name.strip() for name in variable(environment, "CONTROLLER_LISTENER_NAMES").split(",")} | PROTOCOLS
    given = (*parse_listeners(variable(environment, "LISTENERS")), *advertised(container))
    return next((one.name for one in given if one.name not in mapped), "")


def data_directory(container: Container) -> str:
    """Where a broker keeps its data if no variable says; "" where that is not known."""
    return _DATA.get(family_of(container.image), "") if container.role == "broker" else ""


def cluster_id_variable(image: str) -> str:
    """What tells a KRaft broker its cluster's id."""
    return "KAFKA_KRAFT_CLUSTER_ID" if family_of(image) == "bitnami" else "CLUSTER_ID"


def prefix_of(image: str) -> str:
    """What the image's variables for broker settings begin with."""
    return "KAFKA_CFG_" if family_of(image) == "bitnami" else "KAFKA_"


def advertising_variable(container: Container) -> str:
    """What tells a broker where to send its clients: a variable, or Redpanda's option."""
    if family_of(container.image) == "redpanda":
        return "--advertise-kafka-addr"
    given = [f"{prefix}ADVERTISED_LISTENERS" for prefix in ("KAFKA_", "KAFKA_CFG_")] + ["KAFKA_ADVERTISED_HOST_NAME"]
    there = [name for name in given if container.environment.get(name)]
    return there[0] if there else f"{prefix_of(container.image)}ADVERTISED_LISTENERS"


def variable(environment: Mapping[str, str], name: str) -> str:
    """A broker's setting (ADVERTISED_LISTENERS) among its variables; Bitnami's images have another prefix."""
    return environment.get(f"KAFKA_{name}") or environment.get(f"KAFKA_CFG_{name}") or ""


def parse_listeners(text: str) -> tuple[Listener, ...]:
    """Listeners of `NAME://host:port,…`; invalid entries are left out."""
    found = []
    for entry in text.split(","):
        name, separator, address = entry.strip().partition("://")
        host, _, port = address.rpartition(":")
        if separator and is_number(port):
            found.append(Listener(name, host.strip("[]"), int(port)))
    return tuple(found)


# Images that hold all of Kafka: the variables for the host and the port that they advertise.
_WHOLE: Mapping[FamilyName, tuple[str, str]] = {
    "fast-data-dev": ("ADV_HOST", "BROKER_PORT"),
    "spotify": ("ADVERTISED_HOST", "ADVERTISED_PORT"),
}


def _port_of(container: Container) -> int:
    text = container.environment.get(_WHOLE[family_of(container.image)][1], "")
    return int(text) if is_number(text) else _DEFAULT_PORT


def advertised(container: Container) -> tuple[Listener, ...]:
    """Where a broker sends its clients; none where its variables do not tell."""
    family, environment = family_of(container.image), container.environment
    if family == "redpanda":
        return parse_listeners(_redpanda(container, "--advertise-kafka-addr"))
    if given := parse_listeners(variable(environment, "ADVERTISED_LISTENERS")):
        return given
    if host := environment.get("KAFKA_ADVERTISED_HOST_NAME"):
        port = environment.get("KAFKA_ADVERTISED_PORT") or environment.get("KAFKA_PORT") or str(_DEFAULT_PORT)
        return parse_listeners(f"PLAINTEXT://{host}:{port}")
    if family in _WHOLE and (host := environment.get(_WHOLE[family][0])):
        return (Listener("PLAINTEXT", host, _port_of(container)),)
    if family == "apache" and not any(name.startswith("KAFKA_") for name in _set_by_users(environment)):
        return (Listener("PLAINTEXT", "localhost", _DEFAULT_PORT),)
    return ()


def bound(container: Container) -> tuple[Listener, ...]:
    """Where a broker listens inside its container; none where that is not known."""
    family, environment = family_of(container.image), container.environment
    if family == "redpanda":
        return parse_listeners(_redpanda(container, "--kafka-addr"))
    if given := parse_listeners(variable(environment, "LISTENERS")):
        return given
    if family in ("cp", "apache", "wurstmeister", "unknown"):
        # They listen on all addresses, at the ports that they advertise.
        return tuple(Listener(one.name, "0.0.0.0", one.port) for one in advertised(container))
    if family in _WHOLE:
        return (Listener("PLAINTEXT", "0.0.0.0", _port_of(container)),)
    if family in ("bitnami", "debezium"):
        return (Listener("PLAINTEXT", "0.0.0.0", _DEFAULT_PORT),)
    return ()


def listens_by_rule(container: Container) -> bool:
    """Whether `bound` is certain: its variables name the listeners, or the image has a rule for them."""
    named = bool(parse_listeners(variable(container.environment, "LISTENERS")))
    return bool(bound(container)) and (named or family_of(container.image) != "unknown")


def listener_protocol(container: Container, listener: str) -> str:
    """The protocol of one of a broker's listeners (SASL_SSL); "" where its variables do not tell."""
    entries = variable(container.environment, "LISTENER_SECURITY_PROTOCOL_MAP").split(",")
    given = dict(entry.strip().partition(":")[::2] for entry in entries)
    return given.get(listener) or (listener if listener in PROTOCOLS else "")


PROTOCOLS = frozenset({"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"})  # what a listener without a map is named for


def among_brokers(container: Container) -> frozenset[str]:
    """The names of listeners that no client uses: the controllers', and the one between brokers."""
    between = variable(container.environment, "INTER_BROKER_LISTENER_NAME").strip()
    return among_controllers(container) | ({between} if between else set())


def among_controllers(container: Container) -> frozenset[str]:
    """The names of the controllers' listeners."""
    environment = container.environment
    controllers = variable(environment, "CONTROLLER_LISTENER_NAMES").split(",")
    if not any(controllers) and variable(environment, "PROCESS_ROLES"):
        controllers = ["CONTROLLER"]
    return frozenset(name.strip() for name in controllers if name.strip())


def _set_by_users(environment: Mapping[str, str]) -> list[str]:
    """Without what images set themselves."""
    return [name for name in environment if name not in ("KAFKA_HOME", "KAFKA_VERSION")]


def _redpanda(container: Container, option: str) -> str:
    """The value of one of Redpanda's options; an address without a name is its only listener."""
    words = container.command
    values = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    values += [words[at + 1] for at, word in enumerate(words[:-1]) if word == option]
    if not values:
        joined = " ".join(words)
        found = re.search(rf"{re.escape(option)}[= ](\S+)", joined)
        values = [found[1]] if found else []
    text = values[-1] if values else ""
    return ",".join(entry if "://" in entry else f"PLAINTEXT://{entry}" for entry in text.split(",") if entry)


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
    for name in environment:
        if name != name.strip() and name.strip().startswith("KAFKA_"):  # `- KAFKA_X = 1` in a list
            yield name, name.strip()
            continue
        bare = setting_of(name)
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
