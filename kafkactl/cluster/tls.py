"""TLS as Python sees it: the context that librdkafka's properties describe, and what is in a server's certificate.

librdkafka reports every TLS failure in OpenSSL's words, most of them as one. Python's `ssl` tells them apart.
"""

import os
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

from kafkactl.client_config.keystores import key_pair
from kafkactl.cluster import network
from kafkactl.errors import ClientConfigError

# OpenSSL's flag X509_V_FLAG_NO_CHECK_TIME: a certificate outside its dates is read like any other.
_NO_CHECK_TIME = 0x200000


def has_certificate(properties: Mapping[str, str]) -> bool:
    """Whether a client with these properties has a certificate of its own."""
    return any(properties.get(f"ssl.{key}") for key in ("certificate.location", "certificate.pem", "keystore.location"))


def client_context(properties: Mapping[str, str], *, complete: bool = False) -> ssl.SSLContext:
    """The context of a client with librdkafka's properties: authorities, certificate, what is verified.

    Raises ssl.SSLError, OSError or ValueError where a certificate or a key cannot be loaded. A PKCS#12 store takes the
    package cryptography: without it, it is left out, or ClientConfigError raised if the context must be `complete`.
    """
    context = ssl.create_default_context()
    if properties.get("enable.ssl.certificate.verification", "true").lower() == "false":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif properties.get("ssl.endpoint.identification.algorithm", "https").lower() != "https":
        context.check_hostname = False
    location, text = properties.get("ssl.ca.location"), properties.get("ssl.ca.pem")
    if text or (location and location != "probe"):
        context = _trusting_only(context, location, text)
    if crl := properties.get("ssl.crl.location"):
        context.load_verify_locations(crl)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    _load_own(context, properties, complete=complete)
    return context


def _load_own(context: ssl.SSLContext, properties: Mapping[str, str], *, complete: bool = False) -> None:
    """Give a context the client's own certificate, where it has one."""
    certificate, key = properties.get("ssl.certificate.location"), properties.get("ssl.key.location")
    if certificate:
        context.load_cert_chain(certificate, key, properties.get("ssl.key.password") or "")
    elif inline := properties.get("ssl.certificate.pem"):
        _load_inline(context, inline, properties.get("ssl.key.pem", ""), properties.get("ssl.key.password", ""))
    elif store := properties.get("ssl.keystore.location"):
        try:
            pair = key_pair(store, properties.get("ssl.keystore.password", ""))
        except ClientConfigError:
            if complete:
                raise
            return
        _load_inline(context, pair.certificates, pair.key)


def unusable_file(properties: Mapping[str, str]) -> str | None:
    """Which file of these properties cannot be used, and why; None where all can."""
    for name in ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.keystore.location"):
        path = properties.get(name)
        if path and not (name == "ssl.ca.location" and path == "probe"):
            try:
                if not os.path.isdir(path):
                    with open(path, "rb"):
                        pass
            except OSError as error:
                return f"{name}: cannot read {path}: {(error.strerror or str(error)).lower()}"
    return _unfit_store(properties) or _unfit(properties)


def _unfit_store(properties: Mapping[str, str]) -> str | None:
    store = properties.get("ssl.keystore.location")
    if not store or find_spec("cryptography") is None:
        return None
    try:
        key_pair(store, properties.get("ssl.keystore.password", ""))
    except ClientConfigError as error:
        return f"ssl.keystore.location: {error.message.rstrip('.')}"
    return None


def _unfit(properties: Mapping[str, str]) -> str | None:
    authority, key = properties.get("ssl.ca.location"), properties.get("ssl.key.location")
    try:
        client_context({name: value for name, value in properties.items() if name.startswith("ssl.ca.")})
    except (OSError, ValueError):
        return f"ssl.ca.location: {authority} holds no certificate"
    try:
        client_context({name: value for name, value in properties.items() if not name.startswith("ssl.ca.")})
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"ssl.key.location: {key} is not the key of {properties.get('ssl.certificate.location')}"
        return f"ssl.key.location: {key} cannot be read: the passphrase (ssl.key.password) is wrong, or it is no key"
    except (OSError, ValueError):
        return None
    return None


def _trusting_only(loose: ssl.SSLContext, location: str | None, text: str | None) -> ssl.SSLContext:
    """A context that trusts these authorities, and not the system's, which `loose` has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = loose.check_hostname, loose.verify_mode
    if text:
        context.load_verify_locations(cadata=text)
    elif location and os.path.isdir(location):
        context.load_verify_locations(capath=location)
    else:
        context.load_verify_locations(location)
    return context


def _load_inline(context: ssl.SSLContext, certificates: str, key: str, password: str = "") -> None:
    """Python reads a certificate and its key from files only: from one that no other process can open, then."""
    memory = os.memfd_create("certificate") if hasattr(os, "memfd_create") else None
    if memory is None:
        raise ValueError("this system has no files in memory for ssl.certificate.pem")
    try:
        os.write(memory, f"{key}\n{certificates}\n".encode())
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=password)
    finally:
        os.close(memory)


def anyone() -> ssl.SSLContext:
    """The context of a client that talks to any server, to learn about it: nothing secret may be sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@dataclass(frozen=True)
class Certificate:
    """What a certificate says: whom it names, who issued it, and when it is valid."""

    subject: str
    issuer: str
    names: tuple[str, ...]  # the hosts and addresses it is for
    begins: datetime
    ends: datetime


def certificate_at(host: str, port: int, timeout: float) -> Certificate | None:
    """The certificate that host:port presents, whether it is trusted or not; None where it cannot be had.

    `timeout` is for each step, in seconds.
    """
    try:
        presented = _handshake(anyone(), host, port, timeout, binary=True)
        # Python describes only a certificate that it has verified: this one is made to vouch for itself.
        credulous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        credulous.check_hostname = False
        credulous.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)
        credulous.load_verify_locations(cadata=presented)
        return _certificate(_handshake(credulous, host, port, timeout, binary=False))
    except (OSError, ValueError):
        return None


def certificates_of(properties: Mapping[str, str], addresses: Iterable[str], timeout: float) -> dict[str, Certificate]:
    """What each of these addresses (host:port) presents; none for a client that does not use TLS."""
    if properties.get("security.protocol", "").upper() not in ("SSL", "SASL_SSL"):
        return {}
    told = {address: certificate_at(*network.split(address), timeout) for address in addresses}
    return {address: certificate for address, certificate in told.items() if certificate}


def own_certificate(properties: Mapping[str, str]) -> Certificate | None:
    """The certificate that a client with librdkafka's properties presents; None where it has none Python can read."""
    path, text = properties.get("ssl.certificate.location"), properties.get("ssl.certificate.pem")
    store = properties.get("ssl.keystore.location")
    try:
        if path:
            with open(path, encoding="ascii", errors="replace") as file:
                text = file.read()
        elif store and not text:
            text = key_pair(store, properties.get("ssl.keystore.password", "")).certificates
        return _presented(properties, text) if text else None
    except (OSError, ValueError, ClientConfigError):
        return None


def _presented(properties: Mapping[str, str], text: str) -> Certificate:
    """What a server reads in a client's certificate. Python tells that only to the other side of a handshake.

    So both sides are in this process. Raises ssl.SSLError or OSError.
    """
    client = anyone()
    _load_own(client, properties)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load_own(server, properties)
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)
    server.load_verify_locations(cadata=text)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True))
    for side in sides * _TURNS:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    told = sides[1].getpeercert()
    if not told:
        raise ssl.SSLError("no certificate was presented")
    return _certificate(told)


_TURNS = 4  # more than a handshake takes


def _handshake(context: ssl.SSLContext, host: str, port: int, timeout: float, *, binary: bool) -> Any:
    with (
        network.connected(host, port, timeout) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return secured.getpeercert(binary_form=binary)


def _certificate(told: Mapping[str, Any]) -> Certificate:
    return Certificate(
        subject=_name(told["subject"]),
        issuer=_name(told["issuer"]),
        names=tuple(value for _, value in told.get("subjectAltName", ())) or (_common_name(told["subject"]),),
        begins=_moment(told["notBefore"]),
        ends=_moment(told["notAfter"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _name(parts: Any) -> str:
    """CN=kafka,O=platform: a distinguished name as Kafka writes it, the most special first."""
    short = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}
    pairs = [(short.get(key, key), value) for part in parts for key, value in part]
    return ",".join(f"{key}={value}" for key, value in reversed(pairs))


def _common_name(parts: Any) -> str:
    return next((value for part in parts for key, value in part if key == "commonName"), "")
