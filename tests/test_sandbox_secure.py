"""A secured sandbox: who is let in on which listener, what each may do there, and that its secrets are secret."""

import json
import re
import shlex
import socket
import ssl
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupState, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, NewTopic

from kafkactl.cluster.accounts import Permission
from kafkactl.sandbox import secured
from kafkactl.sandbox.model import Node
from kafkactl.sandbox.running import RunningSandbox
from kafkactl.sandbox.secure_listeners import SecureListener, listener_ports, listeners
from tests.conftest import Outcome, admin_client, commit, create
from tests.program import IN_A_SHELL
from tests.sandboxes import Shell, as_user, eventually, free_port, permit, shell

Kafkactl = Callable[..., Outcome]

_ALL = {listener.kind: listener for listener in listeners("all")}
_PAYMENTS = {"payment.created", "payment.failed"}
# What each user may do: the topics it sees, its operations on payment.created, and on the groups it sees.
_MAY: dict[str, tuple[set[str], str, dict[str, str]]] = {
    "reader": (_PAYMENTS, "READ DESCRIBE", {secured.READERS_GROUP: "READ DESCRIBE"}),
    "writer": ({secured.WRITERS_TOPIC}, "WRITE DESCRIBE", {}),
    "operator": (
        _PAYMENTS,
        "READ DESCRIBE DESCRIBE_CONFIGS",
        dict.fromkeys((secured.READERS_GROUP, secured.PARTIAL_GROUP, "other"), "READ DESCRIBE DELETE"),
    ),
    "partial": (set(), "", {secured.PARTIAL_GROUP: "DESCRIBE"}),
    "nobody": (set(), "", {}),
}


def properties(sandbox: RunningSandbox, user: str, kind: str) -> dict[str, Any]:
    lines = sandbox.secured.file(user, kind).read_text().splitlines()
    return {"log_level": 0, **dict(line.split("=", 1) for line in lines)}


def operations(described: Any) -> set[str]:
    """What Kafka says that a user may do; the library gives None for nothing."""
    return {operation.name for operation in described.authorized_operations or ()}


@pytest.fixture
def filled(secured_one: RunningSandbox) -> RunningSandbox:
    create(secured_one.internal, *(NewTopic(name, 1) for name in (*_PAYMENTS, "audit.logs")))
    admin = admin_client(secured_one.internal)
    for group in (secured.READERS_GROUP, secured.PARTIAL_GROUP, "other"):
        commit(admin, group, secured.WRITERS_TOPIC, 0)
    return secured_one


@pytest.mark.parametrize("kind", [kind for kind, listener in _ALL.items() if listener.tells_users_apart])
def test_a_user_may_do_the_same_on_every_listener(kind: str, filled: RunningSandbox) -> None:
    assert filled.secured.users(kind)[: len(secured.USERS)] == secured.USERS
    for user, (topics, on_topic, groups) in _MAY.items():
        client = AdminClient(properties(filled, user, kind))
        assert set(client.list_topics(timeout=10).topics) == topics, user
        seen = {group.group_id for group in client.list_consumer_groups().result(10).valid}
        assert seen == set(groups), user
        if on_topic:
            wanted = TopicCollection([secured.WRITERS_TOPIC])
            (future,) = client.describe_topics(wanted, include_authorized_operations=True).values()
            assert operations(future.result(10)) == set(on_topic.split()), user
        for group, future in (
            client.describe_consumer_groups(list(groups), include_authorized_operations=True) if groups else {}
        ).items():
            assert future.result(10).state == ConsumerGroupState.EMPTY
            assert operations(future.result(10)) == set(groups[group].split()), (user, group)
    everything = set(AdminClient(properties(filled, "admin", kind)).list_topics(timeout=10).topics)
    assert everything - {"__transaction_state"} == {*_PAYMENTS, "audit.logs", "__consumer_offsets"}


_REFUSED = {
    "wrong-password": r"(?i)authentication failed",
    "untrusted-ca": "certificate verify failed",
    "no-certificate": "alert certificate required|alert bad certificate",
    "foreign-certificate": "alert unknown ca|alert certificate unknown",
}


def _bad_users(listener: SecureListener) -> list[str]:
    password = ["wrong-password"] if "PLAIN" in listener.mechanism or "SCRAM" in listener.mechanism else []
    authority = ["untrusted-ca"] if listener.certificate == "server" else []
    return password + authority + (["no-certificate", "foreign-certificate"] if listener.client_certificates else [])


@pytest.mark.parametrize(
    ("kind", "user"), [(kind, user) for kind, listener in _ALL.items() for user in _bad_users(listener)]
)
def test_the_bad_ones_are_refused(kind: str, user: str, secured_one: RunningSandbox) -> None:
    assert set(secured_one.secured.users(kind)) - set(secured.USERS) == set(_bad_users(_ALL[kind]))
    heard: list[str] = []
    client = AdminClient({**properties(secured_one, user, kind), "error_cb": lambda error: heard.append(error.str())})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=0.5)
    assert eventually(lambda: client.poll(0.05) or any(re.search(_REFUSED[user], text) for text in heard)), heard


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("tls", None),
        ("expired", "certificate has expired"),
        ("wrong-name", "certificate is not valid for '127.0.0.1'"),
        ("unknown-authority", "unable to get local issuer|self-signed certificate in certificate chain"),
    ],
)
def test_a_certificate_is_wrong_in_one_way(kind: str, wrong: str | None, secured_one: RunningSandbox) -> None:
    host, port = secured_one.secured.addresses[kind].split(":")
    context = ssl.create_default_context(cafile=str(secured_one.secured.home / "ca.pem"))
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        if wrong is None:
            context.wrap_socket(connection, server_hostname=host).close()
            return
        with pytest.raises(ssl.SSLCertVerificationError, match=wrong):
            context.wrap_socket(connection, server_hostname=host)


def test_only_their_owner_can_read_the_secrets(secured_one: RunningSandbox) -> None:
    held = secured_one.secured
    (node,) = secured_one.nodes
    files = [*held.home.rglob("*"), held.home, node.directory / "server.properties"]
    assert [path for path in files if path.stat().st_mode & 0o077] == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in files if path.is_file()} == {0o600}
    log = node.log.read_text()
    assert [user for user, password in held.passwords.items() if password in log] == []


def test_three_brokers_let_everybody_in_at_once(secured_three: RunningSandbox, kafkactl: Kafkactl) -> None:
    """Each of them knows the users when it is up, and when it is up again."""
    create(secured_three.internal, NewTopic("audit.logs", 1), NewTopic("payment.created", 1))
    for kind in ("mtls", "scram", "oauth"):
        for address in secured_three.secured.addresses[kind].split(","):
            client = AdminClient({**properties(secured_three, "reader", kind), "bootstrap.servers": address})
            assert set(client.list_topics(timeout=10).topics) == {"payment.created"}
    permit(secured_three, Permission("reader", "topic", "audit.logs", ("describe",)))
    run = kafkactl("describe", "-o", "name", *as_user(secured_three, "reader"))
    assert run.out.split() == ["audit.logs", "payment.created"], run.text


@pytest.mark.parametrize("kind", ["tls", "plain", "scram", "all"])
def test_every_sandbox_has_secrets_of_its_own(kind: str, tmp_path: Path) -> None:
    """And only those files that make sense."""
    node = Node(1, 1, 2, tmp_path, internal_port=3, ports=listener_ports(1, 1, kind)[0])
    first, second = (secured.create_secured(kind, tmp_path / name, [node]) for name in "ab")
    assert len({*first.passwords.values(), *second.passwords.values()}) == 2 * len(secured.USERS)
    own, others = ({path.read_text() for path in one.home.rglob("*.pem")} for one in (first, second))
    assert not own & others
    assert all(first.file("admin", one).is_file() for one in first.kinds)
    assert (first.home / "ca.pem").exists() is (kind != "plain")
    again = secured.secured_as(kind, first.home, [node])
    assert again.passwords == first.passwords
    assert again.addresses == first.addresses


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Shell]:
    with shell(tmp_path) as here:
        yield here


def test_a_command_finds_the_files_in_its_environment(sandbox: Shell) -> None:
    script = (
        f'echo "$KAFKACTL_CLIENT_CONFIG"; {IN_A_SHELL} describe -b "$KAFKA_BROKERS" --client-config '
        f'"$KAFKACTL_SECURE_DIR/admin.properties"; cat "$KAFKACTL_SECURE_DIR/reader.properties"'
    )
    run = sandbox.run("run", "--secure", "scram", "--", "sh", "-c", script)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[0].endswith("/secure/admin.properties")
    assert "1 broker" in run.stdout
    assert "sasl.username=reader" in run.stdout
    assert sandbox.traces() == []


def test_up_says_where_the_files_are_and_down_removes_them(sandbox: Shell, kafkactl: Kafkactl) -> None:
    port = ["--port", str(free_port())]
    up = sandbox.run("up", "--secure", "mtls", *port)
    assert up.returncode == 0, up.stderr
    program, *typed = shlex.split(up.stderr.splitlines()[-1])
    assert program == "kafkactl"
    assert kafkactl(*typed).code == 0
    status = json.loads(sandbox.run("status", "-o", "json", *port).stdout)
    (listener,) = status["listeners"]
    assert status["secured"] == listener["kind"] == "mtls"
    reader = Path(listener["client_files"]["reader"])
    at_localhost = ["-b", f"localhost:{port[1]}", "--client-config", str(reader)]
    assert kafkactl("describe", *at_localhost).code == 3  # it sees no topic
    assert str(reader.parent) in sandbox.run("status", *port).stdout
    before = reader.with_name("certificates").joinpath("reader.pem").read_text()

    assert "--secure mtls" in sandbox.run("up", "--secure", "tls", *port).stderr
    assert sandbox.run("down", "--keep-data", *port).returncode == 0
    home = reader.parent.parent
    left = [path.name for path in home.rglob("*") if path.is_file() and "data" not in path.relative_to(home).parts]
    assert sorted(left) == ["broker.log", "sandbox.json"]
    assert json.loads(sandbox.run("status", "-o", "json", *port).stdout)["listeners"] == []

    assert sandbox.run("up", *port).returncode == 0  # secured as before, with new secrets
    assert reader.with_name("certificates").joinpath("reader.pem").read_text() != before
    assert kafkactl("describe", *at_localhost).code == 3
    assert sandbox.run("down", *port).returncode == 0
    assert not home.exists()


def test_what_cannot_be_is_said_at_once(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    run = kafkactl("sandbox", "run", "--secure", "scarm", "--", "true")
    assert run.code == 2
    assert "Did you mean scram?" in run.err
    run = kafkactl("sandbox", "up", "--secure", "scram", "--set", "super.users=User:me")
    assert run.code == 2
    assert "super.users is set by the sandbox" in run.err
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for command in (("run", "--secure", "tls", "--", "true"), ("up", "--secure", "all")):
        run = kafkactl("sandbox", *command)
        assert run.code == 1
        assert "needs cryptography" in run.err
        assert "kafkactl[sandbox]" in run.err
