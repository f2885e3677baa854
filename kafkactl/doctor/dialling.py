"""Dialling addresses: what happens at each, as facts."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kafkactl.cluster import network
from kafkactl.doctor.facts import Dial

_CONNECT = 1.0  # seconds for a TCP connection
_SPEECH = {
    "kafka": "it speaks Kafka",
    "closes": "it accepts a connection and closes it",
    "http": "it speaks HTTP",
    "tls": "it wants TLS",
    "mute": "it accepts a connection and says nothing",
}


def dial_all(addresses: Sequence[tuple[str, int]], answer: float, *, encrypted: bool = False) -> tuple[Dial, ...]:
    """What happens at each of these addresses, all dialled at once."""
    with ThreadPoolExecutor(max(1, len(addresses))) as pool:
        return tuple(pool.map(lambda address: dial(address[0], address[1], answer, encrypted=encrypted), addresses))


def dial(host: str, port: int, answer: float, *, encrypted: bool = False) -> Dial:
    """What happens there. `answer` is how long one is waited for, in seconds; `encrypted`: this client speaks TLS."""
    state, why = network.reach(host, port, _CONNECT)
    if state != "open":
        return Dial(host, port, state, why)
    found = network.speech(host, port, answer)
    if found == "tls" and encrypted:
        return Dial(host, port, "kafka", "it wants TLS, as this client does")
    return Dial(host, port, found, _SPEECH[found])
