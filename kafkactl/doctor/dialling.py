"""Dialling addresses: what happens at each, as facts."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kafkactl.cluster import network
from kafkactl.doctor.facts import Dial

_CONNECT = 1.0  # seconds for a TCP connection
_SPEECH = {
    "kafka": "it speaks Kafka",
    "closes": "it accepts connections and closes them",
    "http": "it speaks HTTP",
    "tls": "it requires TLS",
    "mute": "it accepts connections but never answers",
}


def dial_all(addresses: Sequence[tuple[str, int]], answer: float, *, encrypted: bool = False) -> tuple[Dial, ...]:
    """What happens at each of these addresses, all dialled at once."""
    with ThreadPoolExecutor(max(1, len(addresses))) as pool:
        return tuple(pool.map(lambda address: dial(address[0], address[1], answer, encrypted=encrypted), addresses))


def dial(host: str, port: int, answer: float, *, encrypted: bool = False) -> Dial:
    """What happens there. `answer`: how many seconds to wait for an answer; `encrypted`: this client speaks TLS."""
    state, why = network.reach(host, port, _CONNECT)
    if state != "open":
        return Dial(host, port, state, why)
    found = network.speech(host, port, answer)
    if found == "tls" and encrypted:
        return Dial(host, port, "kafka", "it requires TLS, which this client uses")
    return Dial(host, port, found, _SPEECH[found])
