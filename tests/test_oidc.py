"""OAUTHBEARER with client credentials: a broker that checks tokens, and a token endpoint, which stands in for others'.

The stand-in signs real tokens (RS256) and offers its key as JWKS; the broker and both client libraries are real.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.preparation import prepare
from kafkactl.sandbox.running import RunningSandbox, launched
from tests.conftest import Outcome, admin_client, commit, create
from tests.sandboxes import free_port

Kafkactl = Callable[..., Outcome]
SECRET = "client-secret-of-payments"

JAVA = "org.apache.kafka.common.security.oauthbearer"
LISTENER = """
listeners={listeners},OIDC://127.0.0.1:{port}
advertised.listeners={advertised},OIDC://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OIDC:SASL_PLAINTEXT
listener.name.oidc.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.oidc.oauthbearer.sasl.jaas.config={java}.OAuthBearerLoginModule required;
listener.name.oidc.oauthbearer.sasl.server.callback.handler.class={java}.OAuthBearerValidatorCallbackHandler
listener.name.oidc.sasl.oauthbearer.jwks.endpoint.url={url}/jwks
listener.name.oidc.sasl.oauthbearer.expected.audience=kafka
listener.name.oidc.sasl.oauthbearer.expected.issuer=stand-in
"""


def part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class TokenService(BaseHTTPRequestHandler):
    """Gives a token to whoever knows the secret."""

    def do_GET(self) -> None:
        self._answer(200, self.server.jwks)  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        user, _, secret = base64.b64decode(self.headers["Authorization"].split()[1]).decode().partition(":")
        self.server.asked.append(user)  # type: ignore[attr-defined]
        if secret != SECRET or form.get("grant_type") != ["client_credentials"]:
            self._answer(401, {"error": "invalid_client"})
            return
        now = int(time.time())
        claims = {
            "sub": user,
            "aud": "kafka",
            "iss": "stand-in",
            "iat": now,
            "exp": now + 600,
            "scope": " ".join(form.get("scope", ["kafka"])),
        }
        self._answer(200, {"access_token": self.server.signed(claims), "expires_in": 600})  # type: ignore[attr-defined]

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def tokens() -> Iterator[ThreadingHTTPServer]:
    """A token endpoint that runs in this process."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = key.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenService)
    public = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", "n": part(numbers.n.to_bytes(size, "big"))}
    server.jwks = {"keys": [{**public, "e": part(numbers.e.to_bytes(3, "big"))}]}  # type: ignore[attr-defined]
    server.asked = []  # type: ignore[attr-defined]

    def signed(claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": "one"}
        text = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
        return f"{text}.{part(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    server.signed = signed  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def broker(tokens: ThreadingHTTPServer) -> Iterator[tuple[RunningSandbox, str]]:
    """A broker with a listener that asks the stand-in for its keys; and that listener's address."""
    url = f"http://127.0.0.1:{tokens.server_address[1]}"
    # Kafka 4.0 and later ask no address that is not listed.
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={url}/jwks"
    with launched(prepare(None, unverified=False, progress=lambda _: None), 1, {}, extra_flags=[allowed]) as sandbox:
        (node,) = sandbox.nodes
        sandbox.stop(node.id)
        (properties,) = Path(node.log).parent.glob("**/server.properties")
        given = dict(line.split("=", 1) for line in properties.read_text().splitlines() if "=" in line)
        port = free_port()
        lines = LISTENER.format(
            listeners=given["listeners"], advertised=given["advertised.listeners"], port=port, url=url, java=JAVA
        )
        with properties.open("a", encoding="utf-8") as file:
            file.write(lines)
        sandbox.start(node.id)
        yield sandbox, f"127.0.0.1:{port}"


def client_file(tokens: ThreadingHTTPServer, java: bool, secret: str = SECRET) -> str:
    endpoint = f"sasl.oauthbearer.token.endpoint.url=http://127.0.0.1:{tokens.server_address[1]}/token\n"
    path = Path("client.properties")
    path.touch(0o600)
    common = f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n{endpoint}"
    if java:
        common += (
            "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            f'clientId="payments" clientSecret="{secret}" scope="kafka";\n'
            "sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.secured."
            "OAuthBearerLoginCallbackHandler\n"
        )
    else:
        common += "sasl.oauthbearer.method=oidc\nsasl.oauthbearer.client.id=payments\nsasl.oauthbearer.scope=kafka\n"
        common += f"sasl.oauthbearer.client.secret={secret}\n"
    path.write_text(common)
    return str(path)


@pytest.mark.parametrize("java", [False, True], ids=["librdkafka's names", "Java's names"])
def test_client_credentials(
    java: bool, tokens: ThreadingHTTPServer, broker: tuple[RunningSandbox, str], kafkactl: Kafkactl
) -> None:
    sandbox, address = broker
    there = ["-b", address, "--client-config", client_file(tokens, java)]
    topic = "orders-java" if java else "orders"
    create(sandbox.bootstrap, NewTopic(topic, 1, 1))
    run = kafkactl("describe", *there)
    assert run.code == 0, run.text
    assert "no sizes on disk" not in run.err  # kafka-python has a token, too
    assert kafkactl("test", "--count", "1", *there).code == 0
    commit(admin_client(sandbox.bootstrap), f"readers-{topic}", topic, 0)
    deleted = kafkactl("groups", "delete-offsets", f"readers-{topic}", topic, "--yes", *there)
    assert deleted.code == 0, deleted.text
    assert SECRET not in run.text + deleted.text
    assert "payments" in tokens.asked  # type: ignore[attr-defined]
    assert "of client payments" in kafkactl("whoami", *there).out


def test_a_wrong_client_secret(
    tokens: ThreadingHTTPServer, broker: tuple[RunningSandbox, str], kafkactl: Kafkactl
) -> None:
    _, address = broker
    run = kafkactl("describe", "-b", address, "--client-config", client_file(tokens, False, "another-secret"))
    assert run.code == 3, run.text
    assert "gives no token" in run.err
    assert "another-secret" not in run.text
