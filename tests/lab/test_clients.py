"""Clients that a secured Kafka does not serve: each cause has its own sentence, the same in every command, and a code.

Nothing here needs containers, and each takes a second: `make test` runs them all.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome
from tests.lab.conftest import Doctor

Kafkactl = Callable[..., Outcome]
pytestmark = pytest.mark.quick
RIGHT = "with the right client configuration"
OIDC = {
    "enable.sasl.oauthbearer.unsecure.jwt": "false",
    "sasl.oauthbearer.config": "",
    "sasl.oauthbearer.method": "oidc",
    "sasl.oauthbearer.token.endpoint.url": "http://user:secret@127.0.0.1:1/token?key=secret",
    "sasl.oauthbearer.client.id": "us",
    "sasl.oauthbearer.client.secret": "secret",
}


def case(mark: pytest.MarkDecorator, kind: str, file: str, words: str, change: Mapping[str, str] | None = None) -> Any:
    """A listener, the client's file as kind/user, what is said, and properties that are changed in the file."""
    return pytest.param(kind, file, change or {}, words, marks=mark, id=mark.args[1])


provokes = pytest.mark.provokes
CASES = [
    case(provokes("KD320", "plaintext client, TLS", healed=RIGHT), "tls", "plaintext/admin", "requires TLS;"),
    case(
        provokes("KD320", "plaintext client, SASL over TLS", healed=RIGHT),
        "scram",
        "plaintext/admin",
        "requires TLS and SASL; this client uses neither.",
    ),
    case(provokes("KD321", "plaintext client, SASL", healed=RIGHT), "plain", "plaintext/admin", "SASL (PLAIN)"),
    case(provokes("KD322", "TLS client, plaintext", healed=RIGHT), "plaintext", "tls/admin", "does not use TLS"),
    case(provokes("KD322", "TLS client, SASL without TLS", healed=RIGHT), "plain", "tls/admin", "does not use TLS"),
    case(provokes("KD322", "SASL_SSL client, SASL without TLS", healed=RIGHT), "plain", "scram/admin", "not use TLS"),
    case(provokes("KD323", "TLS client, SASL over TLS", healed=RIGHT), "scram", "tls/admin", "SHA-512) over TLS"),
    case(provokes("KD324", "no client certificate", healed=RIGHT), "mtls", "mtls/no-certificate", "client has none"),
    case(
        provokes("KD325", "another authority's client certificate", healed=RIGHT),
        "mtls",
        "mtls/foreign-certificate",
        "refuses this client's certificate",
    ),
    case(provokes("KD326", "a CA that did not sign", healed=RIGHT), "tls", "tls/untrusted-ca", "does not trust"),
    case(
        provokes("KD326", "an unknown authority", healed=RIGHT),
        "unknown-authority",
        "unknown-authority/admin",
        "is signed by CN=Another CA",
    ),
    case(provokes("KD327", "an expired certificate", healed="by a new one"), "expired", "expired/admin", "expired on"),
    case(
        provokes("KD328", "a certificate for another name", healed="by a new one"),
        "wrong-name",
        "wrong-name/admin",
        "is for kafka.elsewhere.example, not for 127.0.0.1",
    ),
    case(
        provokes("KD329", "another mechanism", healed=RIGHT),
        "scram",
        "scram/admin",
        "does not accept PLAIN; it offers SCRAM-SHA-512",
        {"sasl.mechanism": "PLAIN"},
    ),
    case(provokes("KD330", "SASL without need, TLS", healed=RIGHT), "tls", "scram/admin", "has no SASL"),
    case(provokes("KD330", "SASL without need", healed=RIGHT), "plaintext", "plain/admin", "has no SASL"),
    case(provokes("KD331", "a wrong password, SCRAM", healed=RIGHT), "scram", "scram/wrong-password", "user admin:"),
    case(provokes("KD331", "a wrong password, PLAIN", healed=RIGHT), "plain", "plain/wrong-password", "user admin:"),
    case(
        provokes("KD332", "no source of tokens", healed=RIGHT),
        "oauth",
        "oauth/admin",
        "no source of tokens",
        {"enable.sasl.oauthbearer.unsecure.jwt": "false"},
    ),
    case(
        provokes("KD333", "a token endpoint that is not there", healed=RIGHT),
        "oauth",
        "oauth/admin",
        "The token endpoint http://127.0.0.1:1/token gives no token",
        OIDC,
    ),
    case(
        provokes("KD334", "SASL without a mechanism", healed=RIGHT),
        "scram",
        "scram/admin",
        "no sasl.mechanism",
        {"sasl.mechanism": ""},
    ),
    case(
        provokes("KD314", "no signature algorithm in common", healed=RIGHT),
        "tls",
        "tls/admin",
        "refuses this client",
        {"ssl.sigalgs.list": "RSA+SHA256"},
    ),
]


def client_file(secured: RunningSandbox, file: str, change: Mapping[str, str]) -> str:
    """The client file kind/user with some properties changed; an empty value takes one out."""
    kind, _, user = file.partition("/")
    lines = secured.secured.file(user, kind).read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    properties = {name: value for name, value in {**properties, **change}.items() if value}
    path = Path("client.properties")
    path.touch(0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return "client.properties"


@pytest.mark.parametrize(("kind", "file", "change", "words"), CASES)
def test_one_cause_one_sentence(
    kind: str,
    file: str,
    change: Mapping[str, str],
    words: str,
    secured_one: RunningSandbox,
    doctor: Doctor,
    kafkactl: Kafkactl,
    request: pytest.FixtureRequest,
) -> None:
    there = ["-b", secured_one.secured.addresses[kind], "--client-config", client_file(secured_one, file, change)]
    looked = kafkactl("describe", *there)
    assert looked.code == 3, looked.text
    sentence = looked.err.splitlines()[0]
    assert words in sentence, looked.text
    mark = request.node.get_closest_marker("provokes")
    seen = doctor(*there)
    seen.names(mark.args[0])
    assert seen.headline == sentence
    for run in (looked, kafkactl("lag", *there)):
        assert sentence in run.text
        assert "secret" not in run.text.replace("client.secret", "")
    if mark.kwargs["healed"] == RIGHT and kind != "unknown-authority":
        right = client_file(secured_one, f"{kind}/admin", {})
        assert kafkactl("describe", *there[:2], "--client-config", right).code == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ssl.ca.location": "missing.pem"}, "ssl.ca.location: cannot read missing.pem: no such file or directory"),
        ({"ssl.ca.location": "empty.pem"}, "ssl.ca.location: empty.pem holds no certificate"),
        ({"ssl.key.location": "empty.pem"}, "ssl.key.location: empty.pem cannot be read"),
        ({"no.such.property": "1"}, "no.such.property"),
    ],
    ids=["no CA file", "an empty CA file", "an empty key", "an unknown property"],
)
@pytest.mark.provokes("KD335", "a file or a property that cannot be used", healed=RIGHT)
def test_a_configuration_that_cannot_be_used(
    change: Mapping[str, str], words: str, secured_one: RunningSandbox, doctor: Doctor, kafkactl: Kafkactl
) -> None:
    Path("empty.pem").touch()
    there = ["-b", secured_one.secured.addresses["mtls"]]
    there += ["--client-config", client_file(secured_one, "mtls/admin", change)]
    looked = kafkactl("describe", *there)
    assert looked.code == 2, looked.text
    assert words in looked.err
    seen = doctor(*there)
    seen.names("KD335")
    assert words in seen.headline


LOOKING = (
    "describe payment.created", "groups list", "groups describe x", "groups save x", "tail payment.created --no-follow",
    "test", "export", "diff", "init-topics", "init-topics --wait 30s", "whoami", "lag --sample 5s",
    "groups reset x --topic a --to-latest --yes", "groups delete x --yes", "produce payment.created value",
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "file"),
    [("scram", "scram/wrong-password"), ("tls", "plaintext/admin"), ("mtls", "mtls/no-certificate"),
     ("tls", "tls/untrusted-ca"), ("plain", "scram/admin"), ("expired", "expired/admin")],
    ids=lambda text: text,
)  # fmt: skip
def test_every_command_says_the_same(kind: str, file: str, secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {payment.created: {}}")
    there = ["-b", secured_one.secured.addresses[kind], "--client-config", client_file(secured_one, file, {})]
    sentence = kafkactl("describe", *there).err.splitlines()[0]
    for command in LOOKING:
        start = time.monotonic()
        run = kafkactl(*command.split(), *there)
        assert run.code == 3, (command, run.text)
        assert sentence.rstrip(".") in run.text, (command, run.text)
        assert time.monotonic() - start < 10, command  # none waits for what waiting cannot heal


def test_a_dead_address_beside_a_good_one_changes_nothing(secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    for kind in ("tls", "mtls", "plain", "scram"):
        file = str(secured_one.secured.file("admin", kind))
        addresses = f"127.0.0.1:1,{secured_one.secured.addresses[kind]}"
        for command in (["describe"], ["test"], ["lag"]):
            run = kafkactl(*command, "-b", addresses, "--client-config", file)
            assert run.code == 0, (kind, command, run.text)
