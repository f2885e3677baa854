"""Below the client libraries: whether an address can be reached, and whether what answers there speaks Kafka."""

import socket
import struct
import threading
import time
from collections.abc import Iterable
from typing import Any, Literal

from kafkactl.cluster.frames import exactly, request

Reach = Literal["open", "unresolved", "refused", "silent", "unreachable"]


def resolvable(host: str) -> Any:
    """A host for Python's socket functions: given text, they load their tables of international names."""
    return host.encode() if host.isascii() else host


def reach(host: str, port: int, timeout: float) -> tuple[Reach, str]:
    """Whether a TCP connection to host:port is accepted ("open"), else why not, and that in a few words.

    Every address the name resolves to is tried (`localhost` is ::1 and 127.0.0.1): only if all of them fail is
    the host unreachable. `timeout` is for each address, in seconds.
    """
    try:
        found = socket.getaddrinfo(resolvable(host), port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return "unresolved", f"the name {host} does not resolve"
    result: tuple[Reach, str] = ("unreachable", "no address")
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.settimeout(timeout)
                probe.connect(address)
                return "open", "a connection is accepted"
        except TimeoutError:
            result = ("silent", "connection timed out")
        except ConnectionRefusedError:
            result = ("refused", "connection refused")
        except OSError as error:
            result = ("unreachable", (error.strerror or str(error)).lower())
    return result


def unreachable(host: str, port: int, timeout: float) -> str | None:
    """Why a TCP connection to host:port fails, as `reach` says it; None where one is accepted."""
    state, why = reach(host, port, timeout)
    return None if state == "open" else why


def is_here(host: str) -> bool:
    """Whether a host is this machine, or a name it does not know (a container's, then)."""
    try:
        found = socket.getaddrinfo(resolvable(host), 0, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return True
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.bind(address)
                return True
        except OSError:
            continue
    return False


def resolved(addresses: Iterable[str]) -> frozenset[str]:
    """The numeric addresses behind these of host:port; without those that do not resolve within a few seconds."""
    found: set[str] = set()

    def look(address: str) -> None:
        host, port = split(address)
        try:
            told = socket.getaddrinfo(resolvable(host), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, ValueError):
            return
        found.update(f"{_plain_number(str(number))}:{port}" for _, _, _, _, (number, *_) in told)

    # Daemon threads: a name server that is silent must not keep the process alive.
    threads = [threading.Thread(target=look, args=(address,), daemon=True) for address in addresses]
    until = time.monotonic() + _NAMES_LIMIT
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return frozenset(list(found))  # a late thread may still add to it


_NAMES_LIMIT = 3.0  # seconds for name servers


def _plain_number(address: str) -> str:
    """Each way to this machine itself in one spelling: a listener on 127.0.0.1 is the one on ::1, as a rule."""
    return "127.0.0.1" if address == "::1" or address.startswith("127.") else address


def split(address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[::1]:port`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]").rpartition("://")[2], int(port)


def connected(host: str, port: int, timeout: float) -> socket.socket:
    """A connection to host:port; `timeout` is for each step, in seconds. Raises OSError."""
    return socket.create_connection((resolvable(host), port), timeout=timeout)


def four_letters(host: str, port: int, word: str, timeout: float) -> str:
    """What ZooKeeper answers to one of its four-letter words; "" where nothing comes within `timeout` seconds."""
    parts = []
    try:
        with socket.create_connection((resolvable(host), port), timeout=timeout) as probe:
            probe.sendall(word.encode())
            while part := probe.recv(4096):
                parts.append(part)
    except OSError:
        return ""
    return b"".join(parts).decode(errors="replace")


_METADATA, _VERSION, _CORRELATION = 3, 1, 7


def live_brokers(host: str, port: int, timeout: float = 1.0) -> frozenset[int]:
    """The ids of the live brokers as the broker at host:port sees them; empty while it does not answer.

    `timeout` is in seconds, for each step of the exchange. The layout is the Kafka protocol guide's: a Metadata
    request v1 with no topics; the response names the brokers that are registered and not fenced.
    """
    try:
        with socket.create_connection((resolvable(host), port), timeout=timeout) as connection:
            connection.sendall(request(_METADATA, _VERSION, _CORRELATION, struct.pack(">i", 0)))
            (size,) = struct.unpack(">i", exactly(connection, 4))
            return _broker_ids(exactly(connection, size))
    except (OSError, struct.error):
        return frozenset()


def _broker_ids(response: bytes) -> frozenset[int]:
    """Metadata response v1: correlation id, then brokers as (id, host, port, nullable rack)."""
    correlation, count = struct.unpack_from(">ii", response)
    if correlation != _CORRELATION:
        return frozenset()
    ids, at = [], 8
    for _ in range(count):
        node, host = struct.unpack_from(">ih", response, at)
        at += 6 + host + 4
        (rack,) = struct.unpack_from(">h", response, at)
        at += 2 + max(0, rack)
        ids.append(node)
    return frozenset(ids)
