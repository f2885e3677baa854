"""The listeners of a secured sandbox: what each asks of a client, and the broker's settings for it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kafkactl.errors import UsageError
from kafkactl.text.suggest import suggest

MECHANISM = "SCRAM-SHA-512"
ADMIN = "admin"


@dataclass(frozen=True)
class SecureListener:
    """One way to reach the brokers: `kind` names it, and the directory with its users' files.

    `certificate` names the server's certificate (certificates.py), where there is one.
    """

    kind: str
    protocol: str
    mechanism: str = ""
    certificate: str = ""
    client_certificates: bool = False

    @property
    def name(self) -> str:
        """The listener as Kafka names it."""
        return self.kind.replace("-", "_").upper()

    @property
    def tells_users_apart(self) -> bool:
        """Whether clients say who they are here; elsewhere all of them are ANONYMOUS, who may do everything."""
        return bool(self.mechanism or self.client_certificates)


_ALL = (
    SecureListener("plaintext", "PLAINTEXT"),
    SecureListener("tls", "SSL", certificate="server"),
    SecureListener("mtls", "SSL", certificate="server", client_certificates=True),
    SecureListener("plain", "SASL_PLAINTEXT", "PLAIN"),
    SecureListener("scram", "SASL_SSL", MECHANISM, "server"),
    SecureListener("scram-plaintext", "SASL_PLAINTEXT", MECHANISM),
    SecureListener("oauth", "SASL_SSL", "OAUTHBEARER", "server"),
    SecureListener("expired", "SSL", certificate="expired"),
    SecureListener("wrong-name", "SSL", certificate="wrong-name"),
    SecureListener("unknown-authority", "SSL", certificate="unknown-authority"),
)
# What a sandbox can be asked to be. `all` is every listener at once, each on ports of its own.
KINDS = ("tls", "mtls", "plain", "scram", "oauth", "all")


def check_kind(kind: str | None) -> None:
    """Raises UsageError for a way to secure a sandbox that there is not."""
    if kind is not None and kind not in KINDS:
        raise UsageError(
            f"--secure {kind}: there is no such kind.{suggest(kind, KINDS, quoted=False)}",
            hint=f"The kinds are {', '.join(KINDS)}.",
        )


def listeners(kind: str | None) -> tuple[SecureListener, ...]:
    """The public listeners of a sandbox, that of its first port first; none of a plain one."""
    if kind is None:
        return ()
    return _ALL if kind == "all" else tuple(listener for listener in _ALL if listener.kind == kind)


def listener_ports(port: int, brokers: int, kind: str | None) -> list[tuple[int, ...]]:
    """For each broker its ports, in the order of `listeners`: the first listener's are `port`, `port` + 1 …"""
    starts = [port + brokers * at for at in range(len(listeners(kind)))]
    return [tuple(start + broker for start in starts) for broker in range(brokers)]


# The rules of the authorizer, and how a certificate's name becomes a user's: the sandbox makes its users with them.
OURS_SECURED = {"authorizer.class.name", "super.users", "ssl.principal.mapping.rules"}


def access_settings() -> dict[str, str]:
    """Who may do what is a matter of rules (ACLs). INTERNAL asks for no name: this machine may do everything there."""
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:ANONYMOUS",
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
    }


def listener_settings(
    listener: SecureListener, name: str, stores: Path, passwords: Mapping[str, str]
) -> dict[str, str]:
    """The broker's settings of a listener under a name. `stores` is the directory of the server's certificates."""
    settings = {"num.network.threads": "1"}
    if listener.certificate:
        settings |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(stores / f"{listener.certificate}.pem"),
            "ssl.client.auth": "required" if listener.client_certificates else "none",
        }
    if listener.client_certificates:
        settings |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(stores / "ca.pem")}
    if listener.mechanism:
        settings["sasl.enabled.mechanisms"] = listener.mechanism
        settings[f"{listener.mechanism.lower()}.sasl.jaas.config"] = _JAAS[listener.mechanism] + _options(
            listener.mechanism, passwords
        )
    return {f"listener.name.{name.lower()}.{key}": value for key, value in settings.items()}


_JAAS = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule required",
    MECHANISM: "org.apache.kafka.common.security.scram.ScramLoginModule required",
    # Tokens without a signature: whoever says to be somebody is believed.
    "OAUTHBEARER": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required",
}


def _options(mechanism: str, passwords: Mapping[str, str]) -> str:
    options: Sequence[str] = ()
    if mechanism == "PLAIN":
        options = [f'user_{user}="{password}"' for user, password in passwords.items()]
    elif mechanism == "OAUTHBEARER":
        options = [f'unsecuredLoginStringClaim_sub="{ADMIN}"']
    return "".join(f" {option}" for option in options) + ";"
