"""One more listener for a broker that advertises only what some of its clients can reach. Pure."""

from kafkactl.containers.broker_listeners import (
    PROTOCOLS,
    Listener,
    advertised,
    among_controllers,
    bound,
    listener_protocol,
    listens_by_rule,
)
from kafkactl.containers.broker_settings import setting
from kafkactl.containers.model import Container
from kafkactl.containers.sought import LOOPBACK
from kafkactl.doctor.checks.container_remedies import stack, with_settings
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.listeners import SPARE_PORTS, published
from kafkactl.text.remedies import Remedy, command

MAP = "LISTENER_SECURITY_PROTOCOL_MAP"
_NAMES = {True: ("EXTERNAL", "HOST", "LOCALHOST"), False: ("INTERNAL", "CONTAINERS", "INSIDE")}


def second_listener(facts: Facts, broker: Container, host: str) -> list[Remedy]:
    """A listener that advertises `host` at a port of its own, published where `host` is this machine.

    Nothing where the broker's listeners are not known for certain, where no port is known to be free, and where one
    listener is secured: a plain one beside it would let anybody in.
    """
    there, given = bound(broker), advertised(broker)
    secured = any(listener_protocol(broker, one.name) != "PLAINTEXT" for one in given)
    derived = among_controllers(broker) and not setting(broker, "LISTENERS")  # that of the controllers is not known
    if not given or not listens_by_rule(broker) or secured or derived or not setting(broker, "ADVERTISED_LISTENERS"):
        return []
    names, taken = {one.name for one in (*there, *given)}, {one.port for one in there} | set(published(broker).values())
    name = next((word for word in _NAMES[host in LOOPBACK] if word not in names), "")
    spare = stack(facts).free_ports if host in LOOPBACK else SPARE_PORTS
    port = next((number for number in spare if number not in taken), 0)
    if not name or not port:
        return []
    values = {
        "LISTENERS": ",".join(one.text for one in (*there, Listener(name, "0.0.0.0", port))),
        "ADVERTISED_LISTENERS": ",".join(one.text for one in (*given, Listener(name, host, port))),
        MAP: with_protocol(broker, name),
    }
    if host not in LOOPBACK:
        return with_settings(facts, broker, values)
    use = command("export", f"KAFKA_BROKERS={host}:{port}", note="once it is up")
    return [*with_settings(facts, broker, values, ports=(f"127.0.0.1:{port}:{port}",)), use]


def with_protocol(container: Container, name: str) -> str:
    """A broker's map of listeners and protocols with one more listener, which no map names yet."""
    given = [entry.strip() for entry in setting(container, MAP).split(",") if entry.strip()]
    if not given:
        names = dict.fromkeys(one.name for one in (*bound(container), *advertised(container)))
        given = [f"{one}:{one if one in PROTOCOLS else 'PLAINTEXT'}" for one in names if one != name]
        given += [f"{one}:PLAINTEXT" for one in sorted(among_controllers(container)) if one not in names]
    return ",".join((*given, f"{name}:PLAINTEXT"))
