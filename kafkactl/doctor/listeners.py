"""A broker container's listeners and ports, as programs on the host meet them. Pure."""

from kafkactl.containers.broker_listeners import Listener, advertised, bound
from kafkactl.containers.model import Container
from kafkactl.containers.sought import LOOPBACK

SPARE_PORTS = (9094, 19092, 29092, 39092, 49092, 19094, 29094, 39094, 49094)  # for a listener that a broker lacks


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
