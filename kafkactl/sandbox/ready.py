"""Whether a broker serves: one Metadata request on a plain socket.

The layout is the Kafka protocol guide's: request header v1 (api key 3, api version 1, correlation id, client id),
Metadata request v1 with no topics; the response names the brokers that are registered and not fenced.
"""

import socket
import struct
import time
from collections.abc import Callable, Collection

from kafkactl.sandbox.ports import HOST

_METADATA, _VERSION, _CORRELATION = 3, 1, 7
_CLIENT = b"kafkactl"
_POLL_SECONDS = 0.02


def live_brokers(port: int, timeout: float = 1.0) -> frozenset[int]:
    """The ids of the live brokers as the broker on `port` sees them; empty while it does not answer.

    `timeout` is in seconds, for each step of the exchange.
    """
    request = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION, len(_CLIENT)) + _CLIENT + struct.pack(">i", 0)
    try:
        with socket.create_connection((HOST, port), timeout=timeout) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            (size,) = struct.unpack(">i", _exactly(connection, 4))
            return _broker_ids(_exactly(connection, size))
    except (OSError, struct.error):
        return frozenset()


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise ConnectionResetError
        data += chunk
    return data


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


def wait_until_serving(
    ports: Collection[int], expected: Collection[int], timeout: float, broken: Callable[[], bool]
) -> bool:
    """Wait until the broker on every one of `ports` names all `expected` broker ids.

    Asks for at most `timeout` seconds, and gives up at once when `broken()` says that it cannot happen any more.
    Returns whether it serves.
    """
    deadline = time.monotonic() + timeout
    waiting = list(ports)
    while waiting:
        if live_brokers(waiting[0]) >= set(expected):
            waiting.pop(0)
            continue
        if broken() or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
