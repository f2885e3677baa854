"""KD3: do the containers' listeners, ports and addresses match, judged by their variables? Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace

from kafkactl.containers.broker_listeners import (
    Listener,
    advertised,
    advertising_variable,
    among_brokers,
    bound,
    listens_by_rule,
    unmapped_listener,
)
from kafkactl.containers.broker_settings import told_by_what
from kafkactl.containers.model import Container
from kafkactl.containers.sought import HOST, LOOPBACK, Sought, is_slip, kafka_ports, names, ports_of, sought_by
from kafkactl.doctor.checks.applications import recent_signs
from kafkactl.doctor.checks.container_remedies import changed, recreate, recreated, stack, with_settings
from kafkactl.doctor.checks.lifecycle import log_line, severity, suffering
from kafkactl.doctor.checks.second_listener import MAP, second_listener, with_protocol
from kafkactl.doctor.checks.troubles import KAFKA, told_by, was_stopped
from kafkactl.doctor.codes import Finding, check
from kafkactl.doctor.facts import Facts, StackFacts
from kafkactl.doctor.listeners import advertised_for, published
from kafkactl.text.remedies import Advice, Remedy, ServiceChange
from kafkactl.text.suggest import suggest


@check("KD308")
def not_published(facts: Facts) -> Iterator[Finding]:
    reached = {broker.dial.address for broker in facts.brokers or () if broker.dial.manner == "kafka"}
    for container in stack(facts).of_role("broker"):
        ports = published(container)
        meant = [listener for listener in _of_clients(container) if listener.host in LOOPBACK]
        if "host" in container.networks or any(one.port in ports.values() for one in meant):
            continue  # one that works is enough: others may be for programs inside the container
        for listener in meant:
            if listener.address in reached:
                continue
            inside = next((one.port for one in bound(container) if one.name == listener.name), listener.port)
            elsewhere = f" (it is published at {ports[inside]})" if inside in ports else ""
            yield Finding(
                container.name,
                {"address": listener.address, "name": listener.name, "elsewhere": elsewhere},
                [
                    ("seen", f"advertised: {', '.join(f'{one.name} {one.address}' for one in advertised(container))}"),
                    ("seen", f"published: {_ports(container)}"),
                ],
                changed(
                    facts, container, ServiceChange(container.service, ports=(f"127.0.0.1:{listener.port}:{inside}",))
                ),
            )


def _of_clients(container: Container) -> list[Listener]:
    """The advertised listeners that are not only for controllers and between brokers."""
    every = advertised(container)
    return [one for one in every if one.name not in among_brokers(container)] or list(every)


def _ports(container: Container) -> str:
    return ", ".join(f"{outer}→{inner}" for inner, outer in published(container).items()) or "nothing"


@check("KD309")
def bound_to_loopback(facts: Facts) -> Iterator[Finding]:
    for container in stack(facts).of_role("broker"):
        ports = published(container)
        for listener in bound(container):
            if listener.host in LOOPBACK and listener.port in ports:
                yield Finding(
                    container.name,
                    {"name": listener.name, "host": listener.host, "port": ports[listener.port]},
                    [("seen", f"{told_by_what(container, 'LISTENERS')} has {listener.text}")],
                    with_settings(facts, container, {"LISTENERS": _on_every_address(container)}),
                )


def _on_every_address(container: Container) -> str:
    """A broker's listeners without a loopback address at the ports that are published."""
    ports = published(container)
    closed = {one for one in bound(container) if one.host in LOOPBACK and one.port in ports}
    return ",".join((replace(one, host="0.0.0.0") if one in closed else one).text for one in bound(container))


@check("KD310")
def misrouted(facts: Facts) -> Iterator[Finding]:
    there = stack(facts)
    brokers = there.of_role("broker")
    if not brokers:
        return
    for container in there.containers:
        if container.role in KAFKA:
            continue
        told = there.sought.get(container.name) or sought_by(container, brokers)
        for one in (*told, *_in_its_log(facts, container, brokers)):
            if why := _wrong(there, container, one.host, one.port):
                yield Finding(
                    container.name,
                    {"address": one.address, "why": f"a broker sends it there: {why}" if one.where == _SENT else why},
                    [("log", one.text) if one.text else ("seen", f"{one.where}: {one.address}")],
                    _rerouted(facts, container, one, brokers),
                    "error" if container.role == "other" and _needs_it(container) else "warning",
                    blocks=False,
                )
                break


_LOGGED, _SENT = "its log", "its log, sent there by a broker"


def _in_its_log(facts: Facts, container: Container, brokers: tuple[Container, ...]) -> Iterator[Sought]:
    """Where its log says that it looked for Kafka in vain."""
    known, ports = {name for broker in brokers for name in names(broker)}, kafka_ports(brokers)
    own = ports_of(brokers) | {9092}
    for sign in recent_signs(facts, container, "kafka-address", "any-address"):
        host, port = sign.found.get("host", ""), int(sign.found.get("port") or 0)
        sent = sign.found.get("node", "").isdigit()  # not "bootstrap", nor -1
        # Others listen at Kafka's usual ports, too (Alertmanager at 9093): a line that names no Kafka needs its port.
        usual = port in ports if sign.kind == "kafka-address" else port in own
        here = (host in LOOPBACK or host == HOST) and usual
        # An address elsewhere may be another cluster's, which is down.
        inside = sign.kind == "kafka-address" and "." not in host
        if inside or here or host in known or is_slip(host, known):
            yield Sought(_SENT if sent else _LOGGED, host, port, sign.text)


def _rerouted(facts: Facts, container: Container, one: Sought, brokers: tuple[Container, ...]) -> list[Remedy]:
    """How a container comes to use an address that works."""
    right = _right(brokers)
    if one.where == _SENT:
        if more := second_listener(facts, brokers[0], brokers[0].service):
            return [*more, Advice(f"and give {container.service} that address")]
        name = advertising_variable(brokers[0])
        change = f"an entry of {name} that containers reach ({brokers[0].service} and a port of its own)"
        return [*recreated(facts, brokers[0], change), Advice(f"and give {container.service} that address")]
    if one.where == _LOGGED:
        return [
            Advice(f"the address is in the settings of {container.service} or in its image: set {right} there, then"),
            recreate(facts, container, "recreates it"),
        ]
    if re.fullmatch(r"\w+", one.where) and ":" in right:
        swap = ServiceChange(container.service, swaps=((one.where, one.address, right),))
        return changed(facts, container, swap, "recreates it")
    return recreated(facts, container, f"{one.where}{'=' if one.where[0] == '-' else ': '}{right}", "recreates it")


def _needs_it(container: Container) -> bool:
    """Whether a container works with Kafka, or would: it runs, or has failed."""
    return container.status in ("running", "restarting") or (container.status == "exited" and container.exit_code != 0)


def _wrong(there: StackFacts, container: Container, host: str, port: int) -> str:
    """Why a container cannot reach Kafka at that address; "" if it can, or if that cannot be determined."""
    if host in LOOPBACK:
        # Without a network of its own it shares another container's, or has none.
        own = container.networks and "host" not in container.networks
        return "inside a container, localhost is the container itself" if own else ""
    brokers = there.of_role("broker")
    if host == HOST:
        return _wrong_from_host(brokers, port)
    broker = next((b for b in brokers if host in names(b)), None)
    if broker is None:
        return f"no container of its networks has the name {host}{suggest(host, [b.service for b in brokers])}"
    if broker.networks and container.networks and not set(broker.networks) & set(container.networks):
        return f"it shares no network with {broker.name}"
    return _wrong_port(broker, port)


def _wrong_from_host(brokers: tuple[Container, ...], port: int) -> str:
    """Why the machine's own port does not work from a container: the broker sends clients of it to localhost."""
    for broker in brokers:
        sent = advertised_for(broker, port)
        if sent and sent.host in LOOPBACK:
            return f"the broker sends its clients to {sent.address}, which inside a container is the container itself"
    return ""


def _wrong_port(broker: Container, port: int) -> str:
    listener = next((one for one in bound(broker) if one.port == port), None)
    if not port or (listener is None and not listens_by_rule(broker)):
        return ""
    if listener is None:
        if port in published(broker).values():
            return "that port is for the host; containers use a different one"
        return f"{broker.service} has no listener there"
    sent = next((one for one in advertised(broker) if one.name == listener.name), None)
    if sent and sent.host in LOOPBACK:
        return f"that listener ({sent.name}) is for the host: it sends its clients to {sent.address}"
    return ""


def _right(brokers: tuple[Container, ...]) -> str:
    """The addresses of the listener that other containers are meant to use."""
    inner = [next((one for one in advertised(b) if one.host not in LOOPBACK), None) for b in brokers]
    return ",".join(one.address for one in inner if one) or "the brokers' internal listener"


@check("KD311")
def rejected(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD311"):
        container = trouble.container
        why = (trouble.sign.found.get("why", "") if trouble.sign else "").rstrip(".")
        heal = _correction(facts, container, why)
        evidence = [*log_line(trouble), *suffering(trouble)]
        yield Finding(container.name, {"why": why}, evidence, heal, severity(container))
    # An image that logs nothing is judged by its variables.
    for trouble in (*told_by(facts, "KD101"), *told_by(facts, "KD105")):
        container = trouble.container
        may_have = container.role in ("broker", "controller") and not was_stopped(container) and container.exit_code
        if may_have and (name := unmapped_listener(container)):
            words = f"No security protocol defined for listener {name}"
            yield Finding(
                container.name,
                {"why": words},
                [("seen", f"{told_by_what(container, MAP)} has no {name}")],
                _correction(facts, container, words),
            )


def _correction(facts: Facts, container: Container, why: str) -> list[Remedy]:
    every = advertised(container)
    if "0.0.0.0" in why and every:
        name = advertising_variable(container)
        if name.endswith("HOST_NAME"):
            better = ServiceChange(container.service, variables=((name, _reachable(container, every[0])),))
            return changed(facts, container, better)
        text = ",".join(replace(one, host=_reachable(container, one)).text for one in every)
        return with_settings(facts, container, {"ADVERTISED_LISTENERS": text})
    if "No security protocol" in why:
        return with_settings(facts, container, {MAP: with_protocol(container, why.rpartition(" ")[2])})
    said = ",".join(one.text for one in every)
    words = f"correct the listeners of {container.service} in the compose file (now {said}), then"
    return [Advice(words), recreate(facts, container)]


def _reachable(container: Container, listener: Listener) -> str:
    if listener.host != "0.0.0.0":
        return listener.host
    return "localhost" if listener.port in published(container).values() else container.service
