"""A broker that asks who we are: right and wrong passwords, and that none is ever shown."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome

Kafkactl = Callable[..., Outcome]
SECRET = "s3cret-of-alice"

SASL = f"""
listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  username="alice" password="{SECRET}" user_alice="{SECRET}";
"""


@pytest.fixture(scope="module")
def secured() -> Iterator[str]:
    """A broker that wants SASL/PLAIN: the sandbox's own, started again with a few more settings."""
    with throwaway() as sandbox:
        (node,) = sandbox.nodes
        sandbox.stop(node.id)
        (properties,) = Path(node.log).parent.glob("**/server.properties")
        with properties.open("a", encoding="utf-8") as file:
            file.write(SASL)
        sandbox.launch(node.id)
        yield sandbox.bootstrap


@pytest.fixture(autouse=True)
def _surroundings(secured: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", secured)
    (tmp_path / ".git").mkdir()


def client_config(password: str) -> str:
    Path("client.properties").write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=alice\nsasl.password=${PASSWORD}\n"
    )
    return "client.properties"


def test_the_right_password(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", SECRET)
    config = client_config(SECRET)
    deadline = time.monotonic() + 30  # the broker may still be starting
    while (run := kafkactl("describe", "-v", "--client-config", config)).code and time.monotonic() < deadline:
        time.sleep(0.3)
    assert run.code == 0, run.text
    assert SECRET not in run.text
    assert "no sizes on disk" not in run.err  # kafka-python logged in, too
    assert kafkactl("test", "--count", "5", "--client-config", config).code == 0


@pytest.mark.parametrize("arguments", [("describe",), ("init-topics", "--wait", "60s"), ("test",)], ids=" ".join)
def test_a_wrong_password_is_told_at_once(
    arguments: tuple[str, ...], kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_the_right_password(kafkactl, monkeypatch)  # the broker is up
    Path("topics.yaml").write_text("topics: {a: {}}")
    monkeypatch.setenv("PASSWORD", "wrong-guess")
    run = kafkactl(*arguments, "-v", "--client-config", "client.properties")
    assert run.code == 3, run.text
    assert "refuses user alice: wrong user or password (PLAIN)" in run.text
    assert "wrong-guess" not in run.text


def test_no_password_at_all_is_told(kafkactl: Kafkactl) -> None:
    run = kafkactl("describe")
    assert run.code == 3
    assert "Traceback" not in run.text
    assert len(run.err.strip().splitlines()) == 3
