"""Who this client says it is. Kafka has no request that tells: a broker may map what was sent to another name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kafkactl.cluster.properties import mechanism_of, protocol_of
from kafkactl.cluster.tls import Certificate, own_certificate


@dataclass(frozen=True)
class Identity:
    """A client's principal, as Kafka builds it from what the client sends; "" where only the broker knows.

    `origin` says what it is taken from. `certificate` is the client's own.
    """

    principal: str
    origin: str
    protocol: str
    mechanism: str
    certificate: Certificate | None = None


def identity(properties: Mapping[str, str]) -> Identity:
    """The identity of a client with these librdkafka properties; no file and no address is asked but its own."""
    protocol, mechanism = protocol_of(properties), mechanism_of(properties)
    certificate = own_certificate(properties) if protocol in ("SSL", "SASL_SSL") else None
    if mechanism == "OAUTHBEARER":
        principal, origin = _of_token(properties)
    elif mechanism == "GSSAPI":
        principal, origin = "", "the Kerberos ticket"
    elif mechanism:
        principal, origin = f"User:{properties.get('sasl.username', '')}", "sasl.username"
    elif protocol == "SSL" and certificate:
        principal, origin = f"User:{certificate.subject}", "the subject of the client certificate"
    else:
        principal, origin = "User:ANONYMOUS", "no login"
    return Identity(principal, origin, protocol, mechanism, certificate)


def principals_of(properties: Mapping[str, str]) -> frozenset[str]:
    """Whom Kafka may take this client for: a broker may map a certificate's subject to its common name."""
    found = identity(properties)
    names = {found.principal} if found.principal else set()
    if found.certificate and found.protocol == "SSL":
        names |= {f"User:{part.partition('=')[2]}" for part in found.certificate.subject.split(",") if "CN=" in part}
    return frozenset(names)


def _of_token(properties: Mapping[str, str]) -> tuple[str, str]:
    """Of a token that this client makes itself its subject is known; of others only who asks for one."""
    made = re.search(r"\bprincipal=(\S+)", properties.get("sasl.oauthbearer.config", ""))
    if made:
        return f"User:{made[1]}", "the subject of the token"
    client = properties.get("sasl.oauthbearer.client.id", "")
    return "", f"the subject of the token of client {client}" if client else "the subject of the token"
