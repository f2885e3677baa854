"""KD3: is Kafka reachable at the given address, and at the addresses it advertises? Pure."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kafkactl.containers.broker_listeners import advertised, advertising_variable, bound
from kafkactl.containers.sought import LOOPBACK
from kafkactl.doctor.checks.second_listener import second_listener
from kafkactl.doctor.codes import Finding, check
from kafkactl.doctor.facts import Dial, Facts, Manner, StackFacts
from kafkactl.doctor.listeners import advertised_for, for_host, published
from kafkactl.text.remedies import Advice, Command, Remedy, command, kafkactl


def _bootstrap_is(facts: Facts, *manners: Manner) -> Iterator[Dial]:
    """The bootstrap addresses that behave in one of these ways, if no bootstrap address works."""
    # An address that refuses this client is Kafka's: what is wrong at the others does not matter then.
    if not any(dial.is_kafka for dial in facts.bootstrap):
        yield from (dial for dial in facts.bootstrap if dial.manner in manners)


def _instead(facts: Facts, *, elsewhere: bool = True) -> list[Remedy]:
    """How to use another address of this machine, if Kafka answers at one.

    Whether what answers `elsewhere` is the cluster that was meant is not known: it is offered only instead of another
    address of this machine, where nothing of the cluster that was meant answers.
    """
    address, there = _listener_for_host(facts), "the stack's listener for this machine"
    if not address and elsewhere and all(dial.host in LOOPBACK for dial in facts.bootstrap):
        address = next((dial.address for dial in facts.elsewhere if dial.manner == "kafka"), "")
        there = "a Kafka answers there"
    if not address:
        return []
    if facts.flags:
        note = f"{there}: use it instead of {shlex.join(facts.flags)}"
        return [kafkactl("doctor", options=["-b", address], note=note)]
    return [command("export", f"KAFKA_BROKERS={address}", note=there)]


def _listener_for_host(facts: Facts) -> str:
    """The addresses of the stack's brokers for programs on this machine, if they answer."""
    if facts.stack is None:
        return ""
    found = []
    for container in facts.stack.of_role("broker"):
        listener = for_host(container)
        answering = {dial.port for dial in facts.stack.dials.get(container.name, ()) if dial.manner == "kafka"}
        if listener and listener.port in answering:
            found.append(listener.address)
    asked = {dial.address for dial in facts.bootstrap}
    return "" if asked & set(found) else ",".join(found)


def _first(facts: Facts, heal: Sequence[Remedy], *manners: Manner, **values: object) -> Iterator[Finding]:
    """One finding, for the first such address: all of them belong to one cluster."""
    for dial in _bootstrap_is(facts, *manners):
        evidence = [
            *(("tried", f"{tried.address}: {tried.why}") for tried in facts.bootstrap),
            ("because", facts.source),
        ]
        known = {"address": dial.address, "host": dial.host, **values}
        yield Finding(dial.address, known, evidence, heal=[*_instead(facts), *heal])
        return


@check("KD301")
def unresolvable(facts: Facts) -> Iterator[Finding]:
    yield from _first(facts, [Advice("from the host, use the platform's Kafka at localhost:40093")], "unresolved")


_SANDBOX_PORTS = range(1024, 65001)  # what `kafkactl sandbox up --port` takes


@check("KD302")
def bootstrap_refused(facts: Facts) -> Iterator[Finding]:
    for dial in _bootstrap_is(facts, "refused"):
        heal: list[Remedy] = [Advice("start Kafka there, or correct the address")]
        if dial.host in ("localhost", "127.0.0.1") and dial.port in _SANDBOX_PORTS and facts.stack is None:
            port = [] if dial.port == 40093 else ["--port", str(dial.port)]
            up = facts.compose_up or ("docker", "compose", "up", "-d")
            own = kafkactl("sandbox up", options=port, note="a Kafka of your own")
            heal = [own, command(*up, note="the platform's stack")]
        if unpublished := _publishing_nothing(facts.stack):
            heal = [unpublished]
        for finding in _first(facts, heal, "refused"):
            # A port that no container of the stack publishes is wrong, whatever else is wrong with the stack.
            yield replace(finding, alone=_publishes_others(facts.stack, dial.port))
        return


def _publishing_nothing(stack: StackFacts | None) -> Advice | None:
    """What to do where the brokers run, and none publishes a port: only containers reach them then."""
    brokers = [container for container in stack.of_role("broker") if container.status == "running"] if stack else []
    if not brokers or any(published(container) or "host" in container.networks for container in brokers):
        return None
    one = brokers[0]
    inside = next((f"{one.service}:{listener.port}" for listener in bound(one)), one.service)
    networks = ", ".join(one.networks) or "its network"
    return Advice(
        f"{one.name} publishes no port: only containers in {networks} reach it, at {inside}. "
        f"To reach it from this machine, publish the port of a listener that advertises localhost"
    )


def _publishes_others(stack: StackFacts | None, port: int) -> bool:
    """Whether the stack has brokers, and none of them publishes this port or means to (KD308)."""
    brokers = stack.of_role("broker") if stack else ()
    there = {outer for broker in brokers for outer in published(broker).values()}
    meant = {one.port for broker in brokers for one in advertised(broker) if one.host in LOOPBACK}
    return bool(brokers) and port not in there | meant


@check("KD312")
def bootstrap_silent(facts: Facts) -> Iterator[Finding]:
    yield from _first(facts, [Advice("check the host, the VPN and any firewall in between")], "silent", "unreachable")


@check("KD303")
def hangs_up(facts: Facts) -> Iterator[Finding]:
    yield from _first(facts, [_waited("a starting broker is usually up by then")], "closes")


def _waited(note: str) -> Command:
    return kafkactl("doctor", options=["--wait", "60s"], note=note)


@check("KD304")
def not_kafka(facts: Facts) -> Iterator[Finding]:
    yield from _first(facts, [Advice("correct the port; on the host the platform's Kafka has 40093")], "http")


@check("KD313")
def mute(facts: Facts) -> Iterator[Finding]:
    heal: list[Remedy] = [_waited("if it is only busy"), Advice("restart that broker, if it hangs")]
    yield from _first(facts, heal, "mute")


@check("KD305")
def advertised_unresolvable(facts: Facts) -> Iterator[Finding]:
    bad = [broker for broker in facts.brokers or () if broker.dial.manner == "unresolved"]
    if bad:
        names = ", ".join(broker.dial.address for broker in bad)
        answered = next((dial.address for dial in facts.bootstrap if dial.manner == "kafka"), "")
        evidence = [
            ("tried", f"{answered} answered and sent us to {names}"),
            *_whose_listener(facts),
            ("because", facts.source),
        ]
        heal = [*_instead(facts, elsewhere=False), *_other_listener(facts)]
        yield Finding(bad[0].dial.address, {"host": bad[0].dial.host}, evidence, heal=heal)


def _whose_listener(facts: Facts) -> Iterator[tuple[str, str]]:
    """The container variable that sends clients of this port there."""
    for dial in facts.bootstrap:
        for container in facts.stack.of_role("broker") if facts.stack and dial.manner == "kafka" else ():
            if sent := advertised_for(container, dial.port):
                where = f"gives port {dial.port} the {sent.name} address {sent.address}"
                yield "because", f"{advertising_variable(container)} of {container.name} {where}"


def _other_listener(facts: Facts) -> list[Remedy]:
    brokers = facts.stack.of_role("broker") if facts.stack else ()
    if brokers and not any(for_host(container) for container in brokers):
        which = brokers[0]
        if len(brokers) == 1 and (more := second_listener(facts, which, "localhost")):
            words = f"{which.service} has no listener for programs on this machine"
            return [Advice(f"{words}: run the program in a container of its network, or"), *more]
        advice = (
            f"{which.service} has no listener for programs on this machine: add one that advertises localhost "
            f"to {advertising_variable(which)}, and publish its port; or run the program in a container of its network"
        )
        return [Advice(advice)]
    return [Advice("use the listener meant for clients on this side, or correct the broker's advertised.listeners")]


@check("KD306")
def advertised_unreachable(facts: Facts) -> Iterator[Finding]:
    for broker in facts.brokers or ():
        if broker.dial.manner != "unresolved" and not broker.dial.is_kafka:
            start = Advice(f"start broker {broker.id}, or correct the address in its advertised.listeners")
            yield Finding(
                broker.dial.address,
                {"broker": broker.id, "address": broker.dial.address, "why": broker.dial.why},
                [("tried", f"{broker.dial.address}: {broker.dial.why}"), ("because", facts.source)],
                heal=[*_instead(facts, elsewhere=False), start],
                # With other brokers left, the cluster still works; what they cannot serve is reported separately.
                blocks=all(not other.dial.is_kafka for other in facts.brokers or ()),
            )


@check("KD307")
def advertised_twice(facts: Facts) -> Iterator[Finding]:
    at: dict[str, list[int]] = defaultdict(list)
    for broker in facts.brokers or ():
        at[broker.dial.address].append(broker.id)
    for address, ids in at.items():
        if len(ids) > 1:
            listed = " and ".join(map(str, sorted(ids)))
            yield Finding(address, {"ids": listed, "address": address}, [("seen", f"metadata: brokers {listed}")])
