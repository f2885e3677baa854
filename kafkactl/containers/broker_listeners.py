"""Where a broker in a container listens, and where it sends its clients, by its settings and its image's rules. Pure.

The rules are those of the images' start scripts and documents: confluentinc/cp-kafka's `configure`
(docs.confluent.io, "Docker Image Configuration Reference"), apache/kafka's docker/resources/common-scripts/configure,
the README of bitnami/kafka, start-kafka.sh and the wiki page "Connectivity" of wurstmeister/kafka, debezium/kafka's
docker-entrypoint.sh, `rpk redpanda start` (docs.redpanda.com), and the READMEs of lensesio/fast-data-dev and
spotify/kafka, which hold a ZooKeeper as well. What no rule tells is not known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kafkactl.containers.broker_settings import setting, told_by_what
from kafkactl.containers.families import FamilyName, family_of
from kafkactl.containers.model import Container
from kafkactl.text.units import is_number

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

    @property
    def text(self) -> str:
        """As Kafka's settings write it: NAME://host:port."""
        return f"{self.name}://{self.address}"


def unmapped_listener(container: Container) -> str:
    """The first of a broker's listeners that has no protocol, so that Kafka refuses to start; "" if all have one."""
    if family_of(container.image) in ("redpanda", *_WHOLE):
        return ""  # they are not told by this setting
    text = setting(container, "LISTENER_SECURITY_PROTOCOL_MAP")
    mapped = {entry.strip().partition(":")[0] for entry in text.split(",") if entry.strip()}
    if not mapped:
        # KRaft gives its controllers' listener PLAINTEXT where nothing is mapped.
        mapped = {*among_controllers(container), *PROTOCOLS}
    given = (*parse_listeners(setting(container, "LISTENERS")), *advertised(container))
    return next((one.name for one in given if one.name not in mapped), "")


def advertising_variable(container: Container) -> str:
    """What tells a broker where to send its clients: a variable, or Redpanda's option."""
    family = family_of(container.image)
    if family == "redpanda":
        return "--advertise-kafka-addr"
    if family in _WHOLE:
        return _WHOLE[family][0]
    older = next((name for name in _HOSTS if container.environment.get(name)), "")
    if older and not setting(container, "ADVERTISED_LISTENERS"):
        return older
    return told_by_what(container, "ADVERTISED_LISTENERS")


# Older variables for the host and the port that are advertised (wurstmeister, Debezium), the first that is given.
_HOSTS = ("KAFKA_ADVERTISED_HOST_NAME", "ADVERTISED_HOST_NAME")
_PORTS = ("KAFKA_ADVERTISED_PORT", "ADVERTISED_PORT", "KAFKA_PORT", "PORT")


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
    if given := parse_listeners(setting(container, "ADVERTISED_LISTENERS")):
        return given
    if family in ("wurstmeister", "debezium", "unknown"):
        found = next((environment[name] for name in _HOSTS if environment.get(name)), "")
        port = next((environment[name] for name in _PORTS if is_number(environment.get(name, ""))), str(_DEFAULT_PORT))
        if found:
            return parse_listeners(f"PLAINTEXT://{found}:{port}")
    if family in _WHOLE and (host := environment.get(_WHOLE[family][0])):
        return (Listener("PLAINTEXT", host, _port_of(container)),)
    if family == "apache" and not any(name.startswith("KAFKA_") for name in _set_by_users(environment)):
        return (Listener("PLAINTEXT", "localhost", _DEFAULT_PORT),)
    return ()


def bound(container: Container) -> tuple[Listener, ...]:
    """Where a broker listens inside its container; none where that is not known."""
    family = family_of(container.image)
    if family == "redpanda":
        return parse_listeners(_redpanda(container, "--kafka-addr"))
    if given := parse_listeners(setting(container, "LISTENERS")):
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
    named = bool(parse_listeners(setting(container, "LISTENERS")))
    return bool(bound(container)) and (named or family_of(container.image) != "unknown")


def listener_protocol(container: Container, listener: str) -> str:
    """The protocol of one of a broker's listeners (SASL_SSL); "" where its variables do not tell."""
    entries = setting(container, "LISTENER_SECURITY_PROTOCOL_MAP").split(",")
    given = dict(entry.strip().partition(":")[::2] for entry in entries)
    return given.get(listener) or (listener if listener in PROTOCOLS else "")


PROTOCOLS = frozenset({"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"})  # what a listener without a map is named for


def among_brokers(container: Container) -> frozenset[str]:
    """The names of listeners that no client uses: the controllers', and the one between brokers."""
    between = setting(container, "INTER_BROKER_LISTENER_NAME").strip()
    return among_controllers(container) | ({between} if between else set())


def among_controllers(container: Container) -> frozenset[str]:
    """The names of the controllers' listeners."""
    controllers = setting(container, "CONTROLLER_LISTENER_NAMES").split(",")
    if not any(controllers) and setting(container, "PROCESS_ROLES"):
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
