"""A secured sandbox: its users, what each may do, their secrets, and the files that clients are configured with."""

import json
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kafkactl.errors import KafkactlError
from kafkactl.private_files import write_private
from kafkactl.sandbox.certificates import check_cryptography, foreign, make_certificates
from kafkactl.sandbox.model import Node
from kafkactl.sandbox.ports import HOST
from kafkactl.sandbox.secure_listeners import ADMIN, MECHANISM, SecureListener, listeners

USERS = (ADMIN, "reader", "writer", "operator", "partial", "nobody")
PREFIX = "payment."  # of the topics that reader and operator may see
WRITERS_TOPIC = "payment.created"
READERS_GROUP = "reader"
PARTIAL_GROUP = "analytics-group"

_PASSWORDS = "passwords.json"
_SECONDS = 30.0  # for brokers to hear of users
_POLL_SECONDS = 0.01
_FEWEST_ITERATIONS, _SPREAD = 4096, 1024


@dataclass(frozen=True)
class Secured:
    """How a sandbox is secured, and where its secrets lie. `addresses` are HOST:PORT,… by the listener's kind."""

    kind: str
    home: Path
    addresses: Mapping[str, str]

    @cached_property
    def passwords(self) -> Mapping[str, str]:
        """The users' passwords. Raises KafkactlError where somebody removed them."""
        try:
            found: dict[str, str] = json.loads((self.home / _PASSWORDS).read_bytes())
        except (OSError, ValueError) as error:
            raise KafkactlError(
                "The secrets of this sandbox cannot be read.",
                where=f"{self.home / _PASSWORDS}: {error}",
                hint="Stop it and start it again: it then gets new ones.",
            ) from error
        return found

    @property
    def listeners(self) -> tuple[SecureListener, ...]:
        """The public listeners, that of the first port first."""
        return listeners(self.kind)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The listeners' kinds."""
        return tuple(listener.kind for listener in self.listeners)

    @property
    def stores(self) -> Path:
        """The directory with the server's certificates."""
        return self.home / "server"

    def directory(self, kind: str = "") -> Path:
        """Where the client files for a listener lie: a directory each where there are several."""
        return self.home / (kind or self.kinds[0]) if self.kind == "all" else self.home

    def file(self, user: str = ADMIN, kind: str = "") -> Path:
        """The client file of a user (good or bad) for a listener, by default the first one."""
        return self.directory(kind) / f"{user}.properties"

    def users(self, kind: str = "") -> tuple[str, ...]:
        """Who has a file for a listener, the bad ones last."""
        found = {path.stem for path in self.directory(kind).glob("*.properties")}
        return (*(user for user in USERS if user in found), *sorted(found - set(USERS)))


def check_secured(kind: str | None) -> None:
    """Raises KafkactlError where what it takes to secure a sandbox is not installed."""
    if any(listener.certificate for listener in listeners(kind)):
        check_cryptography()


def create_secured(kind: str, home: Path, nodes: Sequence[Node]) -> Secured:
    """Make new secrets for brokers and their client files, for the owner's eyes only; whatever is in `home` goes."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(mode=0o700, parents=True)
    passwords = {user: secrets.token_urlsafe(18) for user in USERS}
    write_private(home / _PASSWORDS, json.dumps(passwords).encode())
    secured = secured_as(kind, home, nodes)
    if any(listener.certificate for listener in secured.listeners):
        make_certificates(home, USERS, [ADMIN])
    for listener in secured.listeners:
        for user, properties in _client_files(secured, listener).items():
            text = "".join(f"{key}={value}\n" for key, value in properties.items())
            write_private(secured.file(user, listener.kind), text.encode())
    return secured


def secured_as(kind: str, home: Path, nodes: Sequence[Node]) -> Secured:
    """How these brokers are secured, with secrets that were made before."""
    addresses = {
        listener.kind: ",".join(f"{HOST}:{node.ports[at]}" for node in nodes)
        for at, listener in enumerate(listeners(kind))
    }
    return Secured(kind, home, addresses)


def _client_files(secured: Secured, listener: SecureListener) -> dict[str, dict[str, str]]:
    """librdkafka's properties for each user of a listener, the bad ones last."""

    def properties(user: str, **other: str) -> dict[str, str]:
        own = {"bootstrap.servers": secured.addresses[listener.kind], "security.protocol": listener.protocol}
        if listener.certificate:
            own["ssl.ca.location"] = str(secured.home / other.get("authority", "ca.pem"))
        if listener.client_certificates and (name := other.get("certificate", user)):
            own["ssl.certificate.location"] = str(secured.home / "certificates" / f"{name}.pem")
            own["ssl.key.location"] = str(secured.home / "certificates" / f"{name}.key")
        if listener.mechanism:
            own["sasl.mechanism"] = listener.mechanism
        if listener.mechanism == "OAUTHBEARER":
            own["enable.sasl.oauthbearer.unsecure.jwt"] = "true"
            own["sasl.oauthbearer.config"] = f"principal={user}"
        elif listener.mechanism:
            own["sasl.username"] = user
            own["sasl.password"] = other.get("password", secured.passwords[user])
        return own

    files = {user: properties(user) for user in (USERS if listener.tells_users_apart else [ADMIN])}
    if listener.mechanism in ("PLAIN", MECHANISM):
        files["wrong-password"] = properties(ADMIN, password=secured.passwords[ADMIN][::-1] + "x")
    if listener.certificate == "server":
        files["untrusted-ca"] = properties(ADMIN, authority="foreign-ca.pem")
    if listener.client_certificates:
        files["no-certificate"] = properties(ADMIN, certificate="")
        files["foreign-certificate"] = properties(ADMIN, certificate=foreign(ADMIN))
    return files


def admit(secured: Secured, nodes: Sequence[Node]) -> None:
    """Make the users and their permissions on brokers that serve, and wait until every one of those knows of them.

    Raises KafkactlError where that fails.
    """
    if not any(listener.tells_users_apart for listener in secured.listeners):
        return
    from kafkactl.cluster import accounts
    from kafkactl.cluster.client import unconnected
    from kafkactl.connection import Connection

    permissions = [
        accounts.Permission("reader", "topic", PREFIX, ("read", "describe"), prefixed=True),
        accounts.Permission("reader", "group", READERS_GROUP, ("read", "describe")),
        accounts.Permission("writer", "topic", WRITERS_TOPIC, ("write", "describe")),
        accounts.Permission("operator", "topic", PREFIX, ("read", "describe", "describe_configs"), prefixed=True),
        accounts.Permission("operator", "group", "*", ("read", "describe", "delete")),
        accounts.Permission("partial", "group", PARTIAL_GROUP, ("describe",)),
    ]
    count = sum(len(permission.operations) for permission in permissions)
    # Another number at each start, by which a broker that has heard of the new passwords is known.
    iterations = _FEWEST_ITERATIONS + secrets.randbelow(_SPREAD)
    new = {user: {iterations} for user in USERS}
    scram = any(listener.mechanism == MECHANISM for listener in secured.listeners)
    cluster = unconnected(Connection(tuple(f"{HOST}:{node.inner_port}" for node in nodes), "", timeout=_SECONDS))
    if scram:
        accounts.set_passwords(cluster, secured.passwords, iterations)
    accounts.allow(cluster, permissions)

    def knows(node: Node) -> bool:
        try:
            if scram and accounts.iterations_known(HOST, node.inner_port) != new:
                return False
            return accounts.permissions_known(HOST, node.inner_port) >= count
        except OSError:
            return False

    deadline = time.monotonic() + _SECONDS
    for node in nodes:
        while not knows(node):
            if time.monotonic() > deadline:
                raise KafkactlError(f"Broker {node.id} has not heard of the users within {_SECONDS:.0f} s.")
            time.sleep(_POLL_SECONDS)


def log_in(secured: Secured) -> None:
    """Let the admin talk to every listener that lets clients in. Raises KafkactlError where one does not."""
    from kafkactl.cluster.client import connect
    from kafkactl.connection import Connection

    for listener in secured.listeners:
        if listener.certificate in ("", "server"):
            properties = _client_files(secured, listener)[ADMIN]
            connect(Connection((secured.addresses[listener.kind],), "", timeout=_SECONDS, properties=properties))
