"""Greeting an address as this client would: TCP, TLS, ApiVersions, SASL; the first step that fails is the cause.

librdkafka tries the same, but says little about what went wrong, and some of it only after its timeout. The requests
are those of the Kafka protocol guide: ApiVersions (18), SaslHandshake (17) and Metadata (3), in versions that every
broker since 1.0 knows.
"""

import socket
import ssl
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from kafkactl.cluster import network, tls
from kafkactl.cluster.frames import HungUpError, exactly, request
from kafkactl.cluster.properties import mechanism_of, uses_tls

Cause = Literal[
    "tls required",
    "sasl required",
    "no tls",
    "sasl required over tls",
    "client certificate missing",
    "client certificate refused",
    "authority unknown",
    "certificate expired",
    "certificate for another name",
    "mechanism not offered",
    "no sasl",
    "tls fails",
]
Manner = Literal["kafka", "refuses", "unresolved", "refused", "silent", "unreachable", "closes", "http", "mute"]


@dataclass(frozen=True)
class Greeting:
    """What host:port answered to this client.

    `manner`: kafka (it serves this client, as far as that is known without its password), refuses (it is Kafka, or
    speaks TLS, but not in this client's way: `cause` says why), unresolved, refused, silent, unreachable (there is no
    connection), closes, http, mute (there is one, but no Kafka). `why` says it in a few words. `offers` are the SASL
    mechanisms on offer where SASL is the matter; `certificate` is the server's where that is.
    """

    host: str
    port: int
    manner: Manner
    why: str
    cause: Cause | None = None
    offers: tuple[str, ...] = ()
    certificate: tls.Certificate | None = None

    @property
    def address(self) -> str:
        """host:port, as it is typed."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def greet_all(addresses: Iterable[str], properties: Mapping[str, str], timeout: float) -> list[Greeting]:
    """Greet each of these addresses (host:port), all at once."""
    places = [network.split(address) for address in addresses]
    with ThreadPoolExecutor(max(1, len(places))) as pool:
        return list(pool.map(lambda place: greet(place[0], place[1], properties, timeout), places))


def greet(host: str, port: int, properties: Mapping[str, str], timeout: float) -> Greeting:
    """What host:port answers to a client with these librdkafka properties; `timeout` is for each step, in seconds."""
    state, why = network.reach(host, port, timeout)
    if state != "open":
        return Greeting(host, port, state, why)
    try:
        if uses_tls(properties):
            return _greet_encrypted(host, port, properties, timeout)
        with network.connected(host, port, timeout) as channel:
            return _greet_plain(host, port, channel, properties, timeout)
    except OSError:
        return _closes(host, port)


def _closes(host: str, port: int) -> Greeting:
    return Greeting(host, port, *_WITHOUT_KAFKA["closes"])


def _greet_plain(
    host: str, port: int, channel: socket.socket, properties: Mapping[str, str], timeout: float
) -> Greeting:
    answer = _versions(channel)
    if answer == "tls":
        mechanisms = _mechanisms_behind_tls(host, port, timeout)
        return Greeting(host, port, "refuses", "it requires TLS", "tls required", mechanisms)
    if answer == "mute" and _is_web_server(host, port, timeout):
        answer = "http"
    return _greet_kafka(host, port, channel, answer, properties, timeout)


def _is_web_server(host: str, port: int, timeout: float) -> bool:
    """Whether what waits for the end of a line, which Kafka's requests do not have, is an HTTP server."""
    with network.connected(host, port, timeout) as channel:
        channel.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
        try:
            return channel.recv(5).startswith(b"HTTP")
        except OSError:
            return False


_WITHOUT_KAFKA: "Mapping[_Speech, tuple[Manner, str]]" = {
    "http": ("http", "it speaks HTTP"),
    "mute": ("mute", "it accepts connections but never answers"),
    "closes": ("closes", "it accepts connections and closes them"),
    "tls": ("closes", "it accepts connections and closes them"),
}


def _greet_kafka(
    host: str,
    port: int,
    channel: socket.socket,
    answer: "_Speech",
    properties: Mapping[str, str],
    timeout: float,
) -> Greeting:
    """What comes after the first answer, on a connection that is encrypted if this client's are."""
    if answer != "kafka":
        return Greeting(host, port, *_WITHOUT_KAFKA[answer])
    if mechanism := mechanism_of(properties):
        error, offers = _sasl_handshake(channel, mechanism)
        if error == _ILLEGAL_SASL_STATE:
            return Greeting(host, port, "refuses", "its listener has no SASL", "no sasl")
        if error == _UNSUPPORTED_SASL_MECHANISM:
            return Greeting(host, port, "refuses", "it has no such mechanism", "mechanism not offered", offers)
    elif not _serves(channel):
        # The broker hung up: because it requires a login first, or because it is going down.
        with _channel(host, port, properties, timeout) as another:
            offers = _offers(another)
        if not offers:
            return _closes(host, port)
        cause: Cause = "sasl required over tls" if uses_tls(properties) else "sasl required"
        return Greeting(host, port, "refuses", "it requires SASL", cause, offers)
    return Greeting(host, port, "kafka", "it speaks Kafka")


def _greet_encrypted(host: str, port: int, properties: Mapping[str, str], timeout: float) -> Greeting:
    try:
        with _channel(host, port, properties, timeout) as channel:
            # In TLS 1.3 the server judges our certificate after the handshake: its alert is the first thing to read.
            answer = _versions(channel)
            if answer != "closes":
                return _greet_kafka(host, port, channel, answer, properties, timeout)
    except ssl.SSLCertVerificationError as error:
        return _distrusted(host, port, error, timeout)
    except ssl.SSLError as error:
        if found := _alerted(host, port, error, properties):
            return found
        failure = (error.reason or "").replace("_", " ").lower()
    except OSError:
        failure = ""
    # It did not answer in TLS: perhaps it speaks Kafka without.
    with network.connected(host, port, timeout) as stranger:
        speech = _versions(stranger)
        if speech == "kafka":
            with network.connected(host, port, timeout) as another:
                offers = _offers(another)
            return Greeting(host, port, "refuses", "it does not speak TLS", "no tls", offers)
    if speech == "tls":
        return _unsettled(host, port, failure)
    return Greeting(host, port, *_WITHOUT_KAFKA[speech])


def _unsettled(host: str, port: int, failure: str) -> Greeting:
    """It speaks TLS, and yet there was no connection: for a reason that OpenSSL gave, or because it is going down."""
    if not failure or "eof" in failure:
        return _closes(host, port)
    return Greeting(host, port, "refuses", f"the TLS handshake fails: {failure}", "tls fails")


# What OpenSSL's X509_V_ERR_… codes are about.
_EXPIRED, _NOT_YET = 10, 9
_ANOTHER_NAME = (62, 64)
_UNTRUSTED = (2, 18, 19, 20, 21, 24)


def _distrusted(host: str, port: int, error: ssl.SSLCertVerificationError, timeout: float) -> Greeting:
    presented = tls.certificate_at(host, port, timeout)
    cause: Cause = "tls fails"
    if error.verify_code in (_EXPIRED, _NOT_YET):
        cause = "certificate expired"
    elif error.verify_code in _ANOTHER_NAME:
        cause = "certificate for another name"
    elif error.verify_code in _UNTRUSTED:
        cause = "authority unknown"
    return Greeting(host, port, "refuses", error.verify_message, cause, certificate=presented)


def _alerted(host: str, port: int, error: ssl.SSLError, properties: Mapping[str, str]) -> Greeting | None:
    """What an alert of the server says of our certificate; None where it is about something else."""
    reason = error.reason or ""
    if "ALERT" not in reason:
        return None
    words = reason.rpartition("ALERT_")[2].replace("_", " ").lower()
    about_certificates = any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED"))
    if not tls.has_certificate(properties):
        # Brokers on TLS 1.2 answer a missing certificate with a mere "handshake failure".
        if about_certificates or "HANDSHAKE_FAILURE" in reason:
            return Greeting(host, port, "refuses", f"its TLS alert: {words}", "client certificate missing")
    elif about_certificates and not properties.get("ssl.keystore.location"):
        return Greeting(host, port, "refuses", f"its TLS alert: {words}", "client certificate refused")
    return Greeting(host, port, "refuses", f"its TLS alert: {words}", "tls fails")


def _channel(host: str, port: int, properties: Mapping[str, str], timeout: float) -> socket.socket:
    plain = network.connected(host, port, timeout)
    if not uses_tls(properties):
        return plain
    return tls.client_context(properties).wrap_socket(plain, server_hostname=host)


def _mechanisms_behind_tls(host: str, port: int, timeout: float) -> tuple[str, ...]:
    """What a TLS listener offers once it is spoken to in TLS; nothing is sent that is secret, nothing verified."""
    try:
        with network.connected(host, port, timeout) as plain, tls.anyone().wrap_socket(plain) as channel:
            return _offers(channel)
    except OSError:
        return ()


# --- Kafka's protocol ---

_METADATA, _SASL_HANDSHAKE, _API_VERSIONS = 3, 17, 18
_UNSUPPORTED_SASL_MECHANISM, _ILLEGAL_SASL_STATE = 33, 34
_CORRELATION = 7
_LARGEST = 16 * 2**20  # bytes of an answer; more is not an answer to these requests

_Speech = Literal["kafka", "closes", "http", "tls", "mute"]


def _versions(channel: socket.socket) -> _Speech:
    """What the answer to ApiVersions is. Raises ssl.SSLError for an alert."""
    try:
        channel.sendall(request(_API_VERSIONS, 0, _CORRELATION, b""))
        head = exactly(channel, 8)
    except TimeoutError:
        return "mute"
    except ssl.SSLError:
        raise
    except HungUpError as error:
        return "tls" if error.said[:2] == b"\x15\x03" else "closes"
    except OSError:
        return "closes"
    if head[4:8] == struct.pack(">i", _CORRELATION):
        exactly(channel, _size(head) - 4)
        return "kafka"
    if head.startswith(b"HTTP"):
        return "http"
    return "tls" if head[:2] == b"\x15\x03" else "closes"


def _serves(channel: socket.socket) -> bool:
    """Whether a request that needs a login where there is one is answered."""
    try:
        channel.sendall(request(_METADATA, 1, _CORRELATION, struct.pack(">i", 0)))
        head = exactly(channel, 8)
    except TimeoutError:
        return True  # it speaks Kafka; that it is slow is for others to find
    except OSError:
        return False
    return head[4:8] == struct.pack(">i", _CORRELATION)


def _offers(channel: socket.socket) -> tuple[str, ...]:
    """The SASL mechanisms on offer: what the broker answers to one that does not exist. Empty where it has no SASL."""
    try:
        if _versions(channel) != "kafka":
            return ()
        return _sasl_handshake(channel, "?")[1]
    except OSError:
        return ()


def _sasl_handshake(channel: socket.socket, mechanism: str) -> tuple[int, tuple[str, ...]]:
    """SaslHandshake v1: the error code, and the mechanisms that are enabled."""
    name = mechanism.encode()
    channel.sendall(request(_SASL_HANDSHAKE, 1, _CORRELATION, struct.pack(">h", len(name)) + name))
    head = exactly(channel, 8)
    body = exactly(channel, _size(head) - 4)
    try:
        error, count = struct.unpack_from(">hi", body)
        at, offers = 6, []
        for _ in range(max(0, count)):
            (size,) = struct.unpack_from(">h", body, at)
            offers.append(body[at + 2 : at + 2 + size].decode("ascii", "replace"))
            at += 2 + size
    except struct.error:
        raise ConnectionError("no answer of Kafka's") from None
    return error, tuple(sorted(offers))


def _size(head: bytes) -> int:
    (size,) = struct.unpack_from(">i", head)
    if not 4 <= size <= _LARGEST:
        raise ConnectionError("no answer of Kafka's")
    return int(size)
