"""A broker container's listeners, according to its variables. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from kafkactl.containers.model import Container

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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


def parse_listeners(text: str) -> tuple[Listener, ...]:
    """Listeners of `NAME://host:port,…`; invalid entries are left out."""
    found = []
    for entry in text.split(","):
        name, separator, address = entry.strip().partition("://")
        host, _, port = address.rpartition(":")
        if separator and port.isdigit():
            found.append(Listener(name, host.strip("[]"), int(port)))
    return tuple(found)


def variable(environment: Mapping[str, str], name: str) -> str:
    """A broker's setting (ADVERTISED_LISTENERS) among its variables; Bitnami's images have another prefix."""
    return environment.get(f"KAFKA_{name}") or environment.get(f"KAFKA_CFG_{name}") or ""


def bound(container: Container) -> tuple[Listener, ...]:
    """Where a broker listens inside its container."""
    return parse_listeners(variable(container.environment, "LISTENERS"))


def advertised(container: Container) -> tuple[Listener, ...]:
    """Where a broker sends its clients."""
    return parse_listeners(variable(container.environment, "ADVERTISED_LISTENERS"))


def published(container: Container) -> dict[int, int]:
    """The host's port by the container's port, of those that are published over TCP."""
    return {
        port.container_port: port.host_port
        for port in container.ports
        if port.host_port is not None and port.protocol == "tcp"
    }


def advertised_for(container: Container, host_port: int) -> Listener | None:
    """Where a client that connects through this host port is sent."""
    inside = next((inner for inner, outer in published(container).items() if outer == host_port), None)
    name = next((listener.name for listener in bound(container) if listener.port == inside), None)
    return next((listener for listener in advertised(container) if listener.name == name), None)


def for_host(container: Container) -> Listener | None:
    """The listener meant for programs on the host: it advertises this machine, at a published port."""
    ports = set(published(container).values())
    return next((one for one in advertised(container) if one.host in LOOPBACK and one.port in ports), None)
