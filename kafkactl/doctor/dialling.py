"""Dialling addresses: what happens at each, as facts."""

from collections.abc import Iterable, Mapping

from kafkactl.cluster.greeting import Greeting, greet, greet_all
from kafkactl.cluster.refusals import refusal_of
from kafkactl.doctor.facts import Dial


def dial_all(addresses: Iterable[str], properties: Mapping[str, str], answer: float) -> tuple[Dial, ...]:
    """What happens to a client with these properties at each of these addresses (host:port), all dialled at once.

    `answer`: how many seconds to wait for each step.
    """
    return tuple(_dial(met, properties) for met in greet_all(addresses, properties, answer))


def dial(host: str, port: int, answer: float) -> Dial:
    """What happens there to a client without any settings."""
    return _dial(greet(host, port, {}, answer), {})


def _dial(met: Greeting, properties: Mapping[str, str]) -> Dial:
    return Dial(met.host, met.port, met.manner, met.why, refusal_of(met, properties))
