"""What leaves with facts and bundles holds no secret, in whatever shape it was written; and keeps what is none."""

import json
import os
import stat
import string
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kafkactl.doctor import redact
from kafkactl.text.secret_names import is_secret_name
from tests.conftest import Outcome

NAMES = ("DB_PASSWORD", "KAFKA_CLIENT_PASSWORDS", "DB_PASS", "DB_PWD", "API_TOKEN", "sasl.password", "apiKey",
         "ssl.key.passphrase", "basic.auth.user.info", "client_secret", "AWS_SECRET_ACCESS_KEY", "keyStorePassword",
         "sasl.jaas.config", "REDIS_CREDENTIALS")  # fmt: skip
HARMLESS = ("KAFKA_KEYSTORE_LOCATION", "key.serializer", "partition.key", "max.message.bytes", "DB_PASSWORD_FILE",
            "sasl.oauthbearer.token.endpoint.url", "password_command", "PWD", "COMPASS", "KAFKA_BROKERS", "keys",
            "monkey", "bypass", "author", "topic", "ssl.truststore.type", "POSTGRES_USER")  # fmt: skip
# A password is anything that can be typed in a line; longer than anything that stands beside it by accident.
SIGNS = ",;:@/#$%&*()[]{}<>!?+-_=.~^|'\"\\ äß漢"
secrets = st.text(string.ascii_letters + string.digits + SIGNS, min_size=12, max_size=30).filter(
    lambda text: text.strip() == text and sum(letter.isalnum() for letter in text) >= 9
)  # fmt: skip


def in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def pieces(secret: str, beside: str = "") -> list[str]:
    """The parts of a secret that would give it away: each run of letters and digits that is long enough.

    Without those that stand `beside` it anyway.
    """
    runs = [part for part in "".join(c if c.isalnum() else " " for c in secret).split() if len(part) >= 6]
    return [part for part in runs or [secret] if part not in beside]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert is_secret_name(name.upper())


@pytest.mark.parametrize("name", HARMLESS)
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not is_secret_name(name)
    for text in (f"{name}=kafka:9092", f"{name}: kafka:9092", f'"{name}": "kafka:9092"'):
        assert redact.redacted(text) == text
    assert redact.redacted_command([f"--{name}", "value", f"{name}=value"]) == (f"--{name}", "value", f"{name}=value")
    document = f"{name}: kafka:9092\nlist: ['{name}=kafka:9092']\n"
    assert yaml.safe_load(redact.redacted_yaml(document)) == yaml.safe_load(document)


TEXTS: dict[str, Callable[[str, str], str]] = {
    "a variable": lambda name, secret: f"{name}={secret}",
    "a variable in a line": lambda name, secret: f"2026-01-01 INFO {name}={secret}",
    "between others": lambda name, secret: f"HOST=db {name}={secret} PORT=1",
    "in quotes": lambda name, secret: f"{name}={in_quotes(secret)} PORT=1",
    "a property": lambda name, secret: f"{name} = {secret}\nport = 1",
    "YAML": lambda name, secret: f"{name}: {secret}\nport: 1",
    "JSON": lambda name, secret: json.dumps({name: secret, "port": 1}, ensure_ascii=False),
    "an option": lambda name, secret: f"run --{name} {in_quotes(secret)} --port 1",
    "an option with =": lambda name, secret: f"run --{name}={in_quotes(secret)}",
    "a URL": lambda _, secret: f"connecting to redis://:{quote(secret, safe='')}@host:1/0",
    "a URL with a user": lambda _, secret: f"amqp://bob:{quote(secret, safe='')}@host:1/x",
    "a URL's query": lambda name, secret: f"https://host/x?{name}={quote(secret, safe='')}&port=1",
    "JAAS": lambda _, secret: f'org.x.PlainLoginModule required username="a" password={in_quotes(secret)};',
    "JAAS in lines": lambda _, secret: (
        f'KafkaServer {{\n  org.x.PlainLoginModule required\n  username="a"\n  user_admin={in_quotes(secret)};\n}};'
    ),
    "a key": lambda _, secret: f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----",
}
TOKENS: dict[str, Callable[[str], str]] = {
    "Bearer": lambda secret: f"Authorization: Bearer {secret}",
    "Basic": lambda secret: f"curl -H 'Authorization: Basic {secret}' https://host",
    "in a log": lambda secret: f"sent header authorization={secret} to host",
    "alone": lambda secret: f"using bearer {secret}",
}


@pytest.mark.parametrize("shape", TEXTS)
@given(name=st.sampled_from(NAMES), secret=secrets)
@example(name="DB_PASSWORD", secret="hunter2two, three; four")
def test_a_secret_in_a_text(shape: str, name: str, secret: str) -> None:
    shown = redact.redacted(TEXTS[shape](name, secret))
    for piece in pieces(secret):
        assert piece not in shown, shown


@pytest.mark.parametrize("shape", TOKENS)
@given(secret=st.text(string.ascii_letters + string.digits + "-._~+/", min_size=12, max_size=40))
def test_a_token_in_a_text(shape: str, secret: str) -> None:
    shown = redact.redacted(TOKENS[shape](secret))
    assert all(piece not in shown for piece in pieces(secret, TOKENS[shape]("")))


@given(name=st.sampled_from(NAMES), secret=secrets)
def test_a_secret_in_a_command(name: str, secret: str) -> None:
    words = ["run", f"--{name}", f"x{secret}", "-e", f"{name}={secret}", f"--{name}={secret}", "--topic", "orders"]
    shown = redact.redacted_command(words)
    assert not any(piece in word for piece in pieces(secret) for word in shown), shown
    assert (shown[0], shown[-1], len(shown)) == ("run", "orders", len(words))


DOCUMENTS: dict[str, Callable[[str, str], str]] = {
    "a map": lambda name, secret: yaml.safe_dump({"environment": {name: secret, "PORT": "1"}}, allow_unicode=True),
    "a flow map": lambda name, secret: f"environment: {{{name}: {json.dumps(secret)}, PORT: '1'}}\n",
    "a list": lambda name, secret: yaml.safe_dump({"environment": [f"{name}={secret}", "PORT=1"]}, allow_unicode=True),
    "single quotes": lambda name, secret: "environment:\n  " + name + ": '" + secret.replace("'", "''") + "'\n",
    "a block": lambda name, secret: f"environment:\n  {name}: |\n    {secret}\n\n  PORT: '1'\n",
    "a folded block": lambda name, secret: f"environment:\n  {name}: >-\n    {secret}\n    {secret}\n  PORT: '1'\n",
    "words of a command": lambda name, secret: (
        f"command: [run, {json.dumps('--' + name)}, {json.dumps('x' + secret)}]\n"
    ),
    "a command in one": lambda name, secret: f"command: {json.dumps(f'run --{name} {in_quotes(secret)}')}\n",
    "JAAS in a block": lambda _, secret: (
        "config: |\n  sasl.jaas.config=org.x.PlainLoginModule required \\\n"
        f'    username="a" \\\n    user_admin={in_quotes(secret)};\n'
    ),
    "a comment": lambda name, secret: f"# {name}: {secret}\nport: 1 # {name}={secret}\n",
    "an anchor": lambda name, secret: f"x: &it {json.dumps(secret)}\nenvironment: {{{name}: *it}}\n",
    "a default": lambda _, secret: f"port: {json.dumps('${DB_PASSWORD:-' + secret.replace('}', '') + '}')}\n",
    "below": lambda name, secret: yaml.safe_dump({name: {"a": [secret, {"b": secret}]}}, allow_unicode=True),
}


@pytest.mark.parametrize("shape", DOCUMENTS)
@given(name=st.sampled_from(NAMES), secret=secrets)
def test_a_secret_in_a_compose_file(shape: str, name: str, secret: str) -> None:
    text = f"services:\n  kafka:\n    image: apache/kafka:4.1.1\nother:\n  port: 9092\n{DOCUMENTS[shape](name, secret)}"
    shown = redact.redacted_yaml(text)
    for piece in pieces(secret, text.replace(secret, "") + DOCUMENTS[shape](name, "")):
        assert piece not in shown, shown
    found = yaml.safe_load(shown)  # it still is YAML
    assert found["services"]["kafka"]["image"] == "apache/kafka:4.1.1"
    if isinstance(found.get("environment"), dict) and "PORT" in found["environment"]:
        assert found["environment"]["PORT"] == "1"


def test_what_is_no_secret_stays_as_it_is() -> None:
    text = (
        "# the stack of the guide\nname: payment # of the platform\nservices:\n  kafka: &base\n    environment:\n"
        "      KAFKA_ADVERTISED_LISTENERS: INTERNAL://kafka:9092,EXTERNAL://localhost:40092\n"
        "      KAFKA_SSL_KEYSTORE_LOCATION: /secrets/kafka.p12\n      DB_PASSWORD: ${DB_PASSWORD}\n"
        "      OTHER: \"${OTHER:-9092}\"\n    command: [sh, -c, 'exec kafka --topic orders']\n    ports:\n"
        '      - "9092:9092"\n    secrets: [db_password]\n  two:\n    <<: *base\nsecrets:\n'
        "  db_password: {file: ./db_password.txt}\n"
    )
    assert redact.redacted_yaml(text) == text


def test_a_file_that_is_no_yaml_is_left_out() -> None:
    shown = redact.redacted_yaml("a: [b\nDB_PASSWORD: hunter2")
    assert "hunter2" not in shown
    assert "Left out" in shown


def test_only_the_variables_that_checks_look_at() -> None:
    kept = redact.redacted_environment(
        {
            "KAFKA_ADVERTISED_LISTENERS": "A://kafka:9092",
            "KAFKA_HEAP_OPTS": "-Xms1g -Xmx2g -Djavax.net.ssl.keyStorePassword=hunter2",
            "KAFKA_BROKERS": "kafka:9092",
            "SPRING_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
            "KAFKA_BROKERS_PASSWORD": "hunter2",
            "DB_PASSWORD": "hunter2",
            "GREETING": "hello",
            "KAFKA_LISTENER_NAME_X_PLAIN_SASL_JAAS_CONFIG": "hunter2",
        }
    )
    assert kept == {
        "KAFKA_ADVERTISED_LISTENERS": "A://kafka:9092",
        "KAFKA_HEAP_OPTS": "-Xms1g -Xmx2g",
        "KAFKA_BROKERS": "kafka:9092",
        "SPRING_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
    }


def test_what_is_written_is_for_its_owner_only(one_broker: str, kafkactl: Callable[..., Outcome]) -> None:
    """Facts and bundles: new ones, and over a file that others could read."""
    before = os.umask(0)
    try:
        for name in ("facts.json", "bundle.zip"):
            Path(name).write_text("old")
        for name in ("facts.json", "new.json"):
            assert kafkactl("doctor", "--save", name).code in (0, 1)
        for name in ("bundle.zip", "new.zip"):
            assert kafkactl("doctor", "--bundle", name).code in (0, 1)
    finally:
        os.umask(before)
    for path in map(Path, ("facts.json", "new.json", "bundle.zip", "new.zip")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert json.loads(Path("facts.json").read_text())["schema_version"]
