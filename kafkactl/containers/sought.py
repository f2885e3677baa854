"""Where a container looks for Kafka, found by value: anything it is told that is the address of a broker. Pure.

Applications name their variables as they like. What is kept of a value is the address only: values hold secrets.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kafkactl.containers.broker_listeners import advertised, bound
from kafkactl.containers.model import Container

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HOST = "host.docker.internal"  # what Docker calls the machine that the containers run on
_ADDRESS = re.compile(r"(?<![\w.\-/@])(?:([A-Za-z][\w+.\-]*)://)?([A-Za-z0-9][\w.\-]*):(\d{2,5})\b")
_FLAG = re.compile(r"(--?[\w.\-]+|-D[\w.\-]+)=(.*)", re.DOTALL)
# A name that says whose address it is; and names of what is beside Kafka.
_KAFKA = re.compile(r"KAFKA|BROKER|BOOTSTRAP", re.IGNORECASE)
_BESIDE = re.compile(r"REST|SCHEMA|REGISTRY|CONNECT_URL|_UI|JMX|ZOOKEEPER|KSQL|METRIC|HTTP", re.IGNORECASE)
_USUAL = frozenset({9092, 9093, 9094, 19092, 29092, 39092, 49092})


class Sought(NamedTuple):
    """One address that a container looks for Kafka at: the variable or option that says so, host and port."""

    where: str
    host: str
    port: int  # 0 where it is not known
    text: str = ""  # the log line, where that says so

    @property
    def address(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}" if self.port else self.host


def names(container: Container) -> set[str]:
    """The names a container has in its networks."""
    return {container.name, container.service, *container.aliases}


def sought_by(container: Container, brokers: Sequence[Container]) -> tuple[Sought, ...]:
    """Where a container looks for one of these brokers, each address once."""
    known = {name for broker in brokers for name in names(broker)}
    ports = kafka_ports(brokers)
    found: dict[str, Sought] = {}
    for where, text in _told(container):
        named = bool(_KAFKA.search(where)) and not _BESIDE.search(where)
        for scheme, host, digits in _ADDRESS.findall(text):
            one = Sought(where, host, int(digits))
            web = scheme.lower() in ("http", "https")
            here = host in LOOPBACK or host == HOST
            slip = named and not web and is_slip(host, known)
            if host in known or slip or (here and one.port in ports and (named or not web)):
                found.setdefault(one.address, one)
    return tuple(found.values())


def kafka_ports(brokers: Iterable[Container]) -> frozenset[int]:
    """The ports at which these brokers may be, and those that Kafka usually has."""
    return _USUAL | ports_of(brokers)


def ports_of(brokers: Iterable[Container]) -> frozenset[int]:
    """The ports at which these brokers listen, or to which they send clients."""
    return frozenset(port for broker in brokers for port in _ports(broker))


def is_slip(host: str, known: Iterable[str]) -> bool:
    """Whether a name is nearly a broker's: one letter more, less or other."""
    return any(host != name and abs(len(host) - len(name)) <= 1 and _apart(host, name) <= 1 for name in known)


def _apart(one: str, other: str) -> int:
    """How many letters differ at the least, up to one that is more or less."""
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True))
    short, long = sorted((one, other), key=len)
    return 1 if any(long[:at] + long[at + 1 :] == short for at in range(len(long))) else 2


def _ports(broker: Container) -> Iterator[int]:
    yield from (one.port for one in (*bound(broker), *advertised(broker)))
    yield from (port.host_port for port in broker.ports if port.host_port is not None)


def _told(container: Container) -> Iterator[tuple[str, str]]:
    """Everything a container is told, with its name: variables, host and port in two of them, options."""
    environment = container.environment
    yield from environment.items()
    for name, host in environment.items():
        if name.upper().endswith("HOST") and ":" not in host:
            other = f"{name[: -len('HOST')]}{'PORT' if name.endswith('HOST') else 'port'}"
            if environment.get(other, "").isdigit():
                yield f"{name}, {other}", f"{host}:{environment[other]}"
    words = container.command
    for at, word in enumerate(words):
        if flag := _FLAG.fullmatch(word):
            yield flag[1], flag[2]
        elif at and words[at - 1].startswith("-"):
            yield words[at - 1], word
        else:
            yield "command", word
