"""KD3: can Kafka be reached at the address given, and at the addresses it sends its clients to? Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kafkactl.doctor.facts import Dial, Facts, Manner
from kafkactl.doctor.findings import Check, Finding

_START = "kafkactl sandbox up    or: docker compose up -d"
_HOST_LISTENER = "export KAFKA_BROKERS=localhost:40093    the listener for programs on the host"


def _bootstrap_is(facts: Facts, *manners: Manner) -> Iterator[Dial]:
    """The bootstrap addresses of this manner, where none of them is any good."""
    if not any(dial.manner == "kafka" for dial in facts.bootstrap):
        yield from (dial for dial in facts.bootstrap if dial.manner in manners)


def _tried(facts: Facts) -> list[tuple[str, str]]:
    return [("tried", f"{dial.address}: {dial.why}") for dial in facts.bootstrap] + [("because", facts.source)]


def _first(facts: Facts, manner: Manner, remedy: str, **values: object) -> Iterator[Finding]:
    """One finding for the first address of this manner: they are all one cluster's."""
    for dial in _bootstrap_is(facts, manner):
        known = {"address": dial.address, "host": dial.host, "port": dial.port, "remedy": remedy, **values}
        yield Finding(dial.address, known, _tried(facts))
        return


def unresolvable(facts: Facts) -> Iterator[Finding]:
    """KD301"""
    yield from _first(facts, "unresolved", _HOST_LISTENER)


def refused(facts: Facts) -> Iterator[Finding]:
    """KD302"""
    yield from _first(facts, "refused", _START)


def silent(facts: Facts) -> Iterator[Finding]:
    """KD312"""
    for dial in _bootstrap_is(facts, "silent", "unreachable"):
        yield from _first(facts, dial.manner, "check the host, the VPN and the firewall on the way")
        return


def hangs_up(facts: Facts) -> Iterator[Finding]:
    """KD303"""
    yield from _first(facts, "closes", "wait half a minute: kafkactl doctor --wait 60s    or see: kafkactl logs kafka")


_SPEAKS: Mapping[Manner, tuple[str, str]] = {
    "http": ("speaks HTTP: it is another server", "check the port; on the host Kafka has localhost:40093"),
    "tls": ("wants TLS", "security.protocol=SSL    (or SASL_SSL) in a file for --client-config"),
}


def not_kafka(facts: Facts) -> Iterator[Finding]:
    """KD304"""
    for manner, (speaks, remedy) in _SPEAKS.items():
        yield from _first(facts, manner, remedy, speaks=speaks)


def mute(facts: Facts) -> Iterator[Finding]:
    """KD313"""
    yield from _first(facts, "mute", "kafkactl logs kafka --since 10m    shows what it is doing")


def advertised_unresolvable(facts: Facts) -> Iterator[Finding]:
    """KD305"""
    bad = [broker for broker in facts.brokers or () if broker.dial.manner == "unresolved"]
    if bad:
        names = ", ".join(broker.dial.address for broker in bad)
        answered = next((dial.address for dial in facts.bootstrap if dial.manner == "kafka"), "")
        evidence = [("tried", f"{answered} answered, and sent us to {names}"), ("because", facts.source)]
        yield Finding(bad[0].dial.address, {"host": bad[0].dial.host, "remedy": _HOST_LISTENER}, evidence)


def advertised_unreachable(facts: Facts) -> Iterator[Finding]:
    """KD306"""
    for broker in facts.brokers or ():
        if broker.dial.manner not in ("kafka", "unresolved"):
            yield Finding(
                broker.dial.address,
                {
                    "broker": broker.id,
                    "address": broker.dial.address,
                    "why": broker.dial.why,
                    "remedy": f"start broker {broker.id}, or correct the port in its advertised.listeners",
                },
                [("tried", f"{broker.dial.address}: {broker.dial.why}")],
                # With others left, the cluster works on: what they cannot serve is told by itself.
                blocks=all(other.dial.manner != "kafka" for other in facts.brokers or ()),
            )


def advertised_twice(facts: Facts) -> Iterator[Finding]:
    """KD307"""
    at: dict[str, list[int]] = defaultdict(list)
    for broker in facts.brokers or ():
        at[broker.dial.address].append(broker.id)
    for address, ids in at.items():
        if len(ids) > 1:
            listed = " and ".join(map(str, sorted(ids)))
            yield Finding(address, {"ids": listed, "address": address}, [("seen", f"metadata: brokers {listed}")])


def client_refused(facts: Facts) -> Iterator[Finding]:
    """KD314"""
    if facts.trouble is not None:
        words, remedy = facts.trouble
        yield Finding(facts.bootstrap[0].address, {"words": words, "remedy": remedy}, [("because", facts.source)])


CHECKS: Mapping[str, Check] = {
    "KD301": unresolvable,
    "KD302": refused,
    "KD303": hangs_up,
    "KD304": not_kafka,
    "KD305": advertised_unresolvable,
    "KD306": advertised_unreachable,
    "KD307": advertised_twice,
    "KD312": silent,
    "KD313": mute,
    "KD314": client_refused,
}
