"""Whether an address can be reached at all, below Kafka's protocol."""

import socket
from typing import Literal


def unreachable(host: str, port: int, timeout: float) -> str | None:
    """Why a TCP connection to host:port fails, in a few words; None where one is accepted.

    Every address the name resolves to is tried (`localhost` is ::1 and 127.0.0.1): only if all of them fail is
    the host unreachable. `timeout` is for each address, in seconds.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return f"the name {host} does not resolve"
    reason = "no address"
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.settimeout(timeout)
                probe.connect(address)
                return None
        except TimeoutError:
            reason = "no answer"
        except ConnectionRefusedError:
            reason = "connection refused"
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
    return reason


def split(address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[::1]:port`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]").rpartition("://")[2], int(port)


_PATIENT = 5

Manner = Literal["closes", "http", "tls", "silent", "other"]


def manner(host: str, port: int, timeout: float) -> Manner:
    """How what listens at host:port behaves towards a stranger; `timeout` is for each step, in seconds.

    A Kafka listener without TLS waits for us to speak, and hangs up on a request that is not Kafka's: "other". Only
    one that says nothing for longer than a busy machine takes is "silent".
    """
    try:
        with socket.create_connection((host, port), timeout=timeout) as probe:
            if _answer(probe) == b"":
                return "closes"
            probe.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            probe.settimeout(timeout * _PATIENT)
            answer = _answer(probe)
    except OSError:
        return "closes"
    if answer is None:
        return "silent"
    if answer.startswith(b"HTTP/"):
        return "http"
    return "tls" if answer[:2] == b"\x15\x03" else "other"


def _answer(probe: socket.socket) -> bytes | None:
    """What the peer says: nothing (b"") when it hangs up, None when it waits."""
    try:
        return probe.recv(16)
    except TimeoutError:
        return None
