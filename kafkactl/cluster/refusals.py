"""Why a Kafka that is there does not serve this client: one sentence and one remedy for each cause. Pure.

Every command says it in these words; `doctor` has a code for each.
"""

import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kafkactl.cluster.properties import mechanism_of, protocol_of
from kafkactl.cluster.tokens import is_amazon
from kafkactl.errors import ClientRefusal

if TYPE_CHECKING:
    from kafkactl.cluster.greeting import Cause, Greeting


_CREDENTIALS, _NO_SOURCE, _ENDPOINT, _NO_MECHANISM, _OTHER = "KD331", "KD332", "KD333", "KD334", "KD314"

# The sentence, and what to do.
Words = tuple[str, str]


def refusal_of(greeting: "Greeting", properties: Mapping[str, str]) -> ClientRefusal | None:
    """The refusal that a greeting met; None where it met none."""
    if greeting.cause is None:
        return None
    code, words = _CAUSES[greeting.cause]
    message, remedy = words(greeting, properties)
    return ClientRefusal(code, message, remedy, greeting.why)


def _tls_required(met: "Greeting", _: Mapping[str, str]) -> Words:
    if met.offers:
        return f"Kafka at {met.address} requires TLS and SASL; this client uses neither.", _log_in("SASL_SSL", met)
    return f"Kafka at {met.address} requires TLS; this client does not use it.", _set("security.protocol=SSL")


def _sasl_required(met: "Greeting", _: Mapping[str, str]) -> Words:
    message = f"Kafka at {met.address} requires SASL ({_listed(met.offers)}); this client does not log in."
    return message, _log_in("SASL_PLAINTEXT", met)


def _sasl_required_over_tls(met: "Greeting", _: Mapping[str, str]) -> Words:
    requires = f"Kafka at {met.address} requires SASL ({_listed(met.offers)}) over TLS"
    return f"{requires}; this client uses TLS but does not log in.", _log_in("SASL_SSL", met)


def _no_tls(met: "Greeting", properties: Mapping[str, str]) -> Words:
    message = f"Kafka at {met.address} does not use TLS on this listener; this client requires it."
    if met.offers and not mechanism_of(properties):
        return message, _log_in("SASL_PLAINTEXT", met)
    return message, _set(f"security.protocol={'SASL_PLAINTEXT' if met.offers else 'PLAINTEXT'}")


def _no_sasl(met: "Greeting", properties: Mapping[str, str]) -> Words:
    mechanism, tls = mechanism_of(properties), protocol_of(properties) == "SASL_SSL"
    message = f"Kafka at {met.address} has no SASL on this listener; this client logs in with {mechanism}."
    return message, _set(f"security.protocol={'SSL' if tls else 'PLAINTEXT'}")


def _mechanism_not_offered(met: "Greeting", properties: Mapping[str, str]) -> Words:
    offers, mechanism = _listed(met.offers), mechanism_of(properties)
    message = f"Kafka at {met.address} does not accept {mechanism}; it offers {offers or 'no mechanism'}."
    if not met.offers:
        return message, "Use the address of another listener, or correct the broker's sasl.enabled.mechanisms."
    return message, _set(f"sasl.mechanism={_preferred(met)}")


def _certificate_missing(met: "Greeting", _: Mapping[str, str]) -> Words:
    message = f"Kafka at {met.address} requires a client certificate; this client has none."
    return message, _set("ssl.certificate.location and ssl.key.location")


def _certificate_refused(met: "Greeting", _: Mapping[str, str]) -> Words:
    message = f"Kafka at {met.address} refuses this client's certificate ({met.why})."
    return message, "Use a certificate whose issuer the broker trusts, and that has not expired."


def _unknown_authority(met: "Greeting", _: Mapping[str, str]) -> Words:
    presented = met.certificate
    issuer = "an authority"
    if presented:
        issuer = "itself" if presented.issuer == presented.subject else presented.issuer
    message = f"The certificate of {met.address} is signed by {issuer}, which this client does not trust."
    return message, _set("ssl.ca.location to a file with the certificate of that authority")


def _outside_its_dates(met: "Greeting", _: Mapping[str, str]) -> Words:
    remedy = "Have the broker's certificate renewed. Is this machine's clock right?"
    if met.certificate is None:
        return f"The certificate of {met.address} is not valid today: {met.why}.", remedy
    begins, ends = met.certificate.begins, met.certificate.ends
    if "not yet" in met.why:
        return f"The certificate of {met.address} is not valid before {begins:%Y-%m-%d %H:%M} UTC.", remedy
    return f"The certificate of {met.address} expired on {ends:%Y-%m-%d %H:%M} UTC.", remedy


def _for_another_name(met: "Greeting", _: Mapping[str, str]) -> Words:
    names = _listed(met.certificate.names) if met.certificate else "another name"
    message = f"The certificate of {met.address} is for {names}, not for {met.host}."
    return message, "Use an address with a name of that certificate, or have the certificate reissued."


def _tls_fails(met: "Greeting", _: Mapping[str, str]) -> Words:
    message = f"Kafka at {met.address} and this client do not agree on TLS: {met.why}."
    return message, "Check the TLS settings of the broker and of the client; --verbose shows the client's log."


_CAUSES: "Mapping[Cause, tuple[str, Callable[[Greeting, Mapping[str, str]], Words]]]" = {
    "tls required": ("KD320", _tls_required),
    "sasl required": ("KD321", _sasl_required),
    "no tls": ("KD322", _no_tls),
    "sasl required over tls": ("KD323", _sasl_required_over_tls),
    "client certificate missing": ("KD324", _certificate_missing),
    "client certificate refused": ("KD325", _certificate_refused),
    "authority unknown": ("KD326", _unknown_authority),
    "certificate expired": ("KD327", _outside_its_dates),
    "certificate for another name": ("KD328", _for_another_name),
    "mechanism not offered": ("KD329", _mechanism_not_offered),
    "no sasl": ("KD330", _no_sasl),
    "tls fails": ("KD314", _tls_fails),
}


_TOOK = re.compile(r"(?<=\S) after \d+ ms(?=:)")


def login_refused(address: str, properties: Mapping[str, str], words: str) -> ClientRefusal:
    """The refusal of a login; `words` are the client library's."""
    endpoint = properties.get("sasl.oauthbearer.token.endpoint.url", "")
    if mechanism_of(properties) == "OAUTHBEARER":
        if "acquire" in words or "token endpoint" in words or "HTTP" in words:
            where = _without_secrets(endpoint) or "that is configured"
            words = words.removeprefix("Failed to acquire SASL OAUTHBEARER token: ")
            words = _TOOK.sub("", words)  # one cause is one sentence, however long it took
            message = f"The token endpoint {where} gives no token: {words}."
            return ClientRefusal(
                _ENDPOINT, message, "Check that address and sasl.oauthbearer.client.id and .client.secret."
            )
        message = f"Kafka at {address} refuses this client's token: {words}."
        return ClientRefusal(
            _CREDENTIALS, message, "Check the token's issuer, audience and scope against the broker's."
        )
    if any(sign in words.lower() for sign in _WRONG):
        user = properties.get("sasl.username", "")
        who = f"user {user}" if user else "this client"
        message = f"Kafka at {address} refuses {who}: wrong user or password ({mechanism_of(properties)})."
        return ClientRefusal(
            _CREDENTIALS, message, "Check sasl.username and sasl.password in the client configuration.", words
        )
    return other_refusal(address, words)


def other_refusal(address: str, words: str) -> ClientRefusal:
    """The refusal for a reason that has no code of its own; `words` are the client library's."""
    message = f"Kafka at {address} refuses this client: {words}."
    return ClientRefusal(_OTHER, message, "Check the client configuration; --verbose shows the client's log.", words)


_WRONG = ("invalid credentials", "authentication failed", "invalid username", "invalid password")


def cannot_log_in(properties: Mapping[str, str]) -> ClientRefusal | None:
    """What stops a client with these properties before anybody is asked: nothing that it could log in with."""
    if not protocol_of(properties).startswith("SASL"):
        return None
    if missing := _not_installed(properties):
        return missing
    if not mechanism_of(properties):
        message = f"The client configuration has {protocol_of(properties)} but no sasl.mechanism."
        return ClientRefusal(_NO_MECHANISM, message, _set("sasl.mechanism, for example SCRAM-SHA-512"))
    if mechanism_of(properties) != "OAUTHBEARER" or is_amazon(properties):
        return None
    unsecured = properties.get("enable.sasl.oauthbearer.unsecure.jwt", "").lower() == "true"
    if unsecured or properties.get("sasl.oauthbearer.method", "").lower() == "oidc":
        return None
    message = "The client configuration has sasl.mechanism=OAUTHBEARER but no source of tokens."
    needs = "sasl.oauthbearer.method=oidc, sasl.oauthbearer.token.endpoint.url, .client.id and .client.secret"
    return ClientRefusal(_NO_SOURCE, message, _set(needs))


def _not_installed(properties: Mapping[str, str]) -> ClientRefusal | None:
    """What a mechanism takes that is not there."""
    if is_amazon(properties) and find_spec("aws_msk_iam_sasl_signer") is None:
        message = "sasl.mechanism=AWS_MSK_IAM takes the package aws-msk-iam-sasl-signer-python."
        return ClientRefusal("KD335", message, "Install it: pip install 'kafkactl[msk]'")
    if mechanism_of(properties) == "GSSAPI":
        message = "Kerberos (sasl.mechanism=GSSAPI) is not in the package of Kafka's client library (confluent-kafka)."
        return ClientRefusal(
            "KD335", message, "Use another mechanism, or build confluent-kafka with librdkafka and SASL"
        )
    return None


def _set(what: str) -> str:
    return f"In the file for --client-config, set {what}."


def _log_in(protocol: str, met: "Greeting") -> str:
    mechanism = _preferred(met)
    needs = {
        "OAUTHBEARER": "and a source of tokens (sasl.oauthbearer.…)",
        "GSSAPI": "and Kerberos (sasl.kerberos.…)",
    }.get(mechanism, "sasl.username and sasl.password")
    return _set(f"security.protocol={protocol}, sasl.mechanism={mechanism}, {needs}")


def _preferred(met: "Greeting") -> str:
    strongest = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER")
    return next((name for name in strongest if name in met.offers), met.offers[0])


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def _without_secrets(url: str) -> str:
    """An address without what may be a secret in it: user, password, query."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}" if url else ""
