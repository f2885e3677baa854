"""Ports of the loopback interface: choosing free ones, keeping them until the broker binds, naming who holds one."""

import errno
import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kafkactl.errors import KafkactlError
from kafkactl.sandbox.machine import sandbox_extra

HOST = "127.0.0.1"
HOST6 = "::1"
# Below the range from which outgoing connections take theirs (32768 and up on Linux): while a killed broker is
# away, no client can be given its port, nor connect to itself on it.
_FREE_PORTS = range(10_000, 32_000)
_ATTEMPTS = 200


class PortInUseError(KafkactlError):
    """Somebody else holds a port the sandbox needs."""


@contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """`count` free ports. While the context is open no other process is given them, yet a broker can bind them."""
    held: list[socket.socket] = []
    try:
        for _ in range(_ATTEMPTS):
            if len(held) == count:
                break
            holder = _bind(HOST, random.choice(_FREE_PORTS), strict=True)
            if holder:
                held.append(holder)
        if len(held) < count:
            raise KafkactlError(f"No {count} free ports were found on {HOST}.")
        numbers = [holder.getsockname()[1] for holder in held]
        _let_go_unless_linux(held)
        yield numbers
    finally:
        _close(held)


@contextmanager
def these_ports(numbers: list[int]) -> Iterator[None]:
    """As `free_ports`, for given ports. Raises PortInUseError, which names the holder where that can be known."""
    held: list[socket.socket] = []
    try:
        for number in numbers:
            holder = _bind(HOST, number, strict=False)
            if holder is None:
                raise _in_use(number)
            held.append(holder)
            # localhost may be ::1 first: a stranger there would answer for us.
            holder = _bind(HOST6, number, strict=False)
            if holder is None:
                raise _in_use(number)
            held.append(holder)
        _let_go_unless_linux(held)
        yield
    finally:
        _close(held)


def _bind(host: str, port: int, *, strict: bool) -> socket.socket | None:
    """A socket bound but not listening: Linux lets a broker bind and listen beside it, if both reuse the address.

    `strict` also turns down ports with connections that are still closing. None if the port is taken.
    """
    try:
        holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        return socket.socket()  # no IPv6 here: nobody can be on ::1
    try:
        if not strict:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, port))
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            return holder
        holder.close()
        if error.errno == errno.EACCES:
            raise KafkactlError(
                f"Port {port} needs privileges.", hint="Choose a port above 1023: --port PORT"
            ) from error
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return holder


def has_ipv6() -> bool:
    """Whether the loopback interface has its IPv6 address."""
    holder = _bind(HOST6, 0, strict=True)
    if holder is None:
        return False
    with holder:
        return bool(holder.getsockname()[0] == HOST6)


def _let_go_unless_linux(held: list[socket.socket]) -> None:
    if sys.platform != "linux":
        _close(held)


def _close(held: list[socket.socket]) -> None:
    for holder in held:
        holder.close()


def _in_use(port: int) -> PortInUseError:
    return PortInUseError(
        f"Port {port} is in use.",
        where=f"It is used by {holder(port) or 'a process that is not visible from here'}.",
        hint="Stop that process, or choose another port with --port.",
    )


def holder(port: int) -> str:
    """Who holds a local port, as `program (pid 4711)`; empty if it cannot be known (another user's, or gone)."""
    with sandbox_extra():
        import psutil
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return ""
    here = [c for c in connections if c.laddr and c.laddr.port == port and c.pid]
    here.sort(key=lambda c: c.status != psutil.CONN_LISTEN)
    for connection in here:
        try:
            return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
        except psutil.Error:
            continue
    return ""
