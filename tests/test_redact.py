"""What leaves with facts and bundles holds no secret, in whatever shape it was written; and keeps what is none."""

import json
import string
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kafkactl.containers.model import LogLine
from kafkactl.doctor.redact import redacted_environment
from kafkactl.doctor.signs import signs
from kafkactl.redaction.secret_names import is_secret_name
from kafkactl.redaction.structures import redacted, redacted_command, shown_value
from kafkactl.redaction.yaml_files import redacted_yaml
from tests.conftest import REPOSITORY

NAMES = ("DB_PASSWORD", "KAFKA_CLIENT_PASSWORDS", "DB_PASS", "DBPASS", "MYSQL_PWD", "API_TOKEN", "API_TOKENS",
         "sasl.password", "apiKey", "ssl.key.passphrase", "basic.auth.user.info", "client_secret", "GITHUB_PAT",
         "AWS_SECRET_ACCESS_KEY", "keyStorePassword", "sasl.jaas.config", "REDIS_CREDENTIALS", "JWT",
         "ssl.keystore.key", "ssl.key.pem", "storepass", "PASSWORD_1", "X-Api-Key", "REDISCLI_AUTH",
         "_auth", "密码")  # fmt: skip
HARMLESS = ("KAFKA_KEYSTORE_LOCATION", "key.serializer", "partition.key", "max.message.bytes", "DB_PASSWORD_FILE",
            "token.endpoint.url", "sasl.oauthbearer.token.endpoint.url", "password_command", "PWD", "COMPASS",
            "KAFKA_BROKERS", "keys", "monkey", "bypass", "author", "topic", "ssl.truststore.type", "POSTGRES_USER",
            "max_tokens", "ssl.client.auth", "TopicAuthorizationException", "KAFKA_ADVERTISED_LISTENERS",
            "password.encoder.iterations", "ports", "user_name")  # fmt: skip
names = st.sampled_from(NAMES)

# A secret is anything that can be typed in a line. Whatever a cut leaves of it has one of the parts.
PARTS = ("Kq7mZw2x", "Vt4nRb9y", "Hs6pLc3d")
SIGNS = ",;:@/#$%&*()[]{<>!?+-_=.~^|'\"\\ äß漢"
between = st.text(SIGNS + string.ascii_letters, max_size=5)
secrets = st.builds(
    lambda signs, ends: (ends[0] + PARTS[0] + signs[0] + PARTS[1] + signs[1] + PARTS[2] + ends[1]).strip(),
    st.tuples(between, between),
    st.tuples(between, between),
)
WITH_COMMA = f"{PARTS[0]},{PARTS[1]}; {PARTS[2]}"
QUOTED = f'"{PARTS[0]}" {PARTS[1]}=\'{PARTS[2]}'

Shape = Callable[[str, str], str]


def hides(shown: str) -> bool:
    return not any(part in shown for part in PARTS)


def in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def in_url(text: str) -> str:
    return "".join("+" if letter.isspace() else letter for letter in text)


def as_json(data: object, indent: int | None = None) -> str:
    return json.dumps(data, ensure_ascii=False, indent=indent)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert is_secret_name(name.upper())


@pytest.mark.parametrize("name", HARMLESS)
@given(value=st.text(string.ascii_letters + string.digits + "._-/,", min_size=1, max_size=20))
@example(value="INTERNAL://kafka:9092,EXTERNAL://localhost:40093")
@example(value="${KAFKA_PORT:-40093}")
@example(value="1000:1000")
def test_what_is_no_secret_stays_as_it_is(name: str, value: str) -> None:
    assert not is_secret_name(name)
    assert shown_value(name, value) == value
    for text in (f"{name}={value}", f"{name}: {value}", f"2026-01-01 INFO {name} = {value} (kafka.Kafka)"):
        assert redacted(text) == text
    for data in ({name: value, "port": 1}, {"Env": [f"{name}={value}"]}, {"name": name, "value": value}):
        assert redacted(as_json(data)) == as_json(data)
    words = ("run", f"--{name}", value, f"--{name}={value}", f"{name}={value}")
    assert redacted_command(words) == words
    for document in ({"environment": {name: value}}, {"environment": [f"{name}={value}"]}):
        text = yaml.safe_dump(document)
        assert redacted_yaml(text) == text


# One value of a name, alone or with others, as logs and files have it.
TEXTS: dict[str, Shape] = {
    "a variable": lambda name, secret: f"{name}={secret}",
    "a variable in a line": lambda name, secret: f"2026-01-01 INFO {name}={secret}",
    "between others": lambda name, secret: f"HOST=db {name}={secret} PORT=1",
    "in quotes": lambda name, secret: f"{name}={in_quotes(secret)} PORT=1",
    "exported": lambda name, secret: f"export {name}={in_quotes(secret)}\nPORT=1",
    "a property": lambda name, secret: f"{name} = {secret}\nport = 1",
    "a property with a colon": lambda name, secret: f"{name}: {secret}\nport: 1",
    "a property in two lines": lambda name, secret: f"{name}=a\\\n   {secret}\nport=1",
    "a property without a sign": lambda name, secret: f"spring.{name} {secret}\nport 1",
    "an arrow": lambda name, secret: f"{name} -> {secret}",
    "JSON": lambda name, secret: as_json({name: secret, "port": 1}),
    "JSON in a line": lambda name, secret: f"2026-01-01 INFO got {as_json({name: secret, 'port': 1})}, done",
    "JSON in JSON": lambda name, secret: as_json({"message": as_json({name: secret})}),
    "JSON below": lambda name, secret: as_json({name: {"a": [secret, {"b": secret}]}}, 2),
    "JSON twice": lambda name, secret: f'{{"{name}": {as_json(secret)}, "{name}": null}}',
    "JSON that was cut off": lambda name, secret: as_json({name: secret, "port": 1})[:-4],
    "JSON behind a name": lambda name, secret: f"{name}={as_json({'a': secret})}",
    "a name and a value": lambda name, secret: as_json([{"name": name, "value": secret}]),
    "a name and a value in lines": lambda name, secret: f"- name: {name}\n  value: {secret}\n",
    "a block": lambda name, secret: f"{name}: |\n  {secret}\n  {secret}\nport: 1",
    "an option": lambda name, secret: f"run --{name} {in_quotes(secret)} --port 1",
    "an option with =": lambda name, secret: f"run --{name}={in_quotes(secret)}",
    "an option without quotes": lambda name, secret: f"run --{name} {secret}",
    "a flag of Java": lambda name, secret: f'java "-D{name}={secret}" -jar x',
    "words of a command": lambda name, secret: f"running ['run', '--{name}', {secret!r}]",
    "a text in lines": lambda name, secret: f'{name} = """\n{secret}\n"""\nport = 1',
    "a sentence of Kafka": lambda _, secret: f"Set password for user alice to {secret}",
    "a program's option": lambda _, secret: f"redis-cli -a {secret}",
    "a user's option": lambda _, secret: f"curl -u admin:{secret} https://host",
    "a default": lambda _, secret: f"port: ${{DB_PASSWORD:-{secret}}}",
    "a default behind a name": lambda name, secret: f"{name}: ${{X:-{secret}}}",
    "a URL": lambda _, secret: f"connecting to redis://:{quote(secret, safe='')}@host:1/0",
    "a URL as it comes": lambda _, secret: f"connecting to redis://:{in_url(secret)}@host:1/0",
    "a URL with a user": lambda _, secret: f"amqp://bob:{in_url(secret)}@host:1/x",
    "a URL of Java": lambda _, secret: f"jdbc:mysql://bob:{in_url(secret)}@host:1/x",
    "a URL's query": lambda name, secret: f"https://host/x?{name}={quote(secret, safe='')}&port=1",
    "JAAS": lambda _, secret: f'org.x.PlainLoginModule required username="a" password={in_quotes(secret)};',
    "JAAS in lines": lambda _, secret: (
        f'KafkaServer {{\n  org.x.PlainLoginModule required\n  username="a"\n  password={in_quotes(secret)}\n'
        f"  user_admin={in_quotes(secret)}\n  user_bob={in_quotes(secret)};\n}};\nport=1"
    ),
    "a user of JAAS": lambda _, secret: f"  user_admin={in_quotes(secret)}\n",
    "JAAS in quotes": lambda _, secret: in_quotes(f"x user_admin={in_quotes(secret)};"),
    "a configuration of SCRAM": lambda _, secret: f"--add-config SCRAM-SHA-256=[iterations=8192,password={secret}]",
    "XML": lambda _, secret: f"<password>{secret.replace('<', '&lt;')}</password>",
    "a header": lambda _, secret: f"Authorization: Bearer {secret}",
    "a header of an option": lambda _, secret: f"curl -H 'Authorization: Basic {secret}' https://host",
    "a cookie": lambda _, secret: f"Set-Cookie: session={secret}; Path=/",
    "a sentence": lambda _, secret: f"the password is {secret}",
    "a sentence of a user": lambda _, secret: f"Password for user admin: {secret}",
    "a key": lambda _, secret: f"-----BEGIN RSA PRIVATE KEY-----\n{secret}\n-----END RSA PRIVATE KEY-----\nok",
    "a key without an end": lambda _, secret: f"-----BEGIN PRIVATE KEY-----\n{secret}\n{secret}",
    "the end of a key": lambda _, _secret: f"{PARTS[0]}/+\n{PARTS[1]}=\n-----END PRIVATE KEY-----",
}


@pytest.mark.parametrize("shape", TEXTS)
@given(name=names, secret=secrets)
@example(name="DB_PASSWORD", secret=WITH_COMMA)
@example(name="DB_PASSWORD", secret=QUOTED)
def test_a_secret_in_a_text(shape: str, name: str, secret: str) -> None:
    shown = redacted(TEXTS[shape](name, secret))
    assert hides(shown), shown


@given(name=names, secret=secrets, indent=st.sampled_from([None, 2]))
def test_json_stays_json(name: str, secret: str, indent: int | None) -> None:
    """Such as what docker inspect prints, also in a log's line."""
    inspected = {
        "Id": "1",
        "Config": {
            "Env": [f"{name}={secret}", "PORT=1", f"REDIS=redis://:{secret}@host:1"],
            "Cmd": ["run", f"--{name}", secret, "--port", "1"],
            "Labels": {name: secret, "project": "payment"},
            "Healthcheck": {"Test": ["CMD-SHELL", f"redis-cli -a {in_quotes(secret)} ping"]},
        },
    }
    shown = redacted(as_json([inspected], indent))
    assert hides(shown), shown
    config = json.loads(shown)[0]["Config"]
    assert config["Env"][0] == f"{name}=[hidden]"
    assert config["Env"][1:] == ["PORT=1", "REDIS=redis://[hidden]@host:1"]
    assert config["Cmd"] == ["run", f"--{name}", "[hidden]", "--port", "1"]
    assert config["Labels"] == {name: "[hidden]", "project": "payment"}


@given(name=names, secret=secrets)
def test_a_secret_in_a_command(name: str, secret: str) -> None:
    words = ["run", f"--{name}", secret, "-e", f"{name}={secret}", f"--{name}={secret}", f"-D{name}={secret}",
             f"redis://:{secret}@host", f"Authorization: Bearer {secret}", "--topic", "orders"]  # fmt: skip
    shown = redacted_command(words)
    assert hides(" ".join(shown)), shown
    assert (shown[0], shown[-1], len(shown)) == ("run", "orders", len(words))


@given(secret=secrets)
def test_a_secret_in_an_option_whose_name_does_not_tell(secret: str) -> None:
    for words in (
        ["/usr/bin/redis-cli", "-h", "redis", "-a", secret, "ping"],
        ["mysqladmin", "-uroot", f"-p{secret}", "ping"],
        ["curl", "-s", "--user", f"admin:{secret}", "ping"],
        ["curl", f"--user=admin:{secret}", "ping"],
        ["run", "--password", "--token", secret, "ping"],
    ):
        shown = redacted_command(words)
        assert hides(" ".join(shown)), shown
        assert (shown[0], shown[-1]) == (words[0], "ping")


def styled(style: str) -> Shape:
    return lambda name, secret: yaml.safe_dump(
        {"environment": {name: secret, "PORT": "1"}}, default_style=style, allow_unicode=True
    )


DOCUMENTS: dict[str, Shape] = {
    "a map": lambda name, secret: yaml.safe_dump({"environment": {name: secret, "PORT": "1"}}, allow_unicode=True),
    **{f"a map in style {style}": styled(style) for style in ("'", '"', "|", ">")},
    "a flow map": lambda name, secret: f"environment: {{{name}: {as_json(secret)}, PORT: '1'}}\n",
    "a list": lambda name, secret: yaml.safe_dump({"environment": [f"{name}={secret}", "PORT=1"]}, allow_unicode=True),
    "a block": lambda name, secret: f"environment:\n  {name}: |+ # {name}\n    {secret}\n\n    {secret}\n  PORT: '1'\n",
    "a folded block": lambda name, secret: f"environment:\n  {name}: >-\n    {secret}\n    {secret}\n  PORT: '1'\n",
    "a text in lines": lambda name, secret: f"environment:\n  {name}: a\n    {PARTS[0]}\n  PORT: '1'\n",
    "a name and a value": lambda name, secret: yaml.safe_dump({"env": [{"name": name, "value": secret}]}),
    "words of a command": lambda name, secret: f"command: [run, {as_json('--' + name)}, {as_json(secret)}]\n",
    "a command in one": lambda name, secret: f"command: {as_json(f'run --{name} {in_quotes(secret)}')}\n",
    "a health check": lambda _, secret: f"test: [CMD, redis-cli, -a, {as_json(secret)}]\n",
    "a URL": lambda _, secret: yaml.safe_dump({"environment": {"URL": f"redis://:{secret}@host"}}),
    "properties": lambda name, secret: yaml.safe_dump({"content": f"a=1\n{name}={secret}\nb=2\n"}, default_style="|"),
    "JAAS in a block": lambda _, secret: (
        "config: |\n  KafkaServer {\n    org.x.PlainLoginModule required\n"
        f'    username="a"\n    user_admin={in_quotes(secret)};\n  }};\n'
    ),
    "a comment": lambda name, secret: f"# {name}: {secret}\nport: 1 # {name}={secret}\n",
    "a comment of lines": lambda name, secret: f"port: 1\n# {name}: |\n#   {secret}\nother: 1\n",
    "a block's comment": lambda name, secret: f"text: | # {name}={secret}\n  a\n",
    "an anchor": lambda name, secret: f"x: &it {as_json(secret)}\nenvironment: {{{name}: *it}}\n",
    "a merged map": lambda name, secret: f"x: &it {{{name}: {as_json(secret)}}}\nenvironment: {{<<: *it}}\n",
    "a tag": lambda name, secret: f"environment: {{{name}: !!str {as_json(secret)}}}\n",
    "a default": lambda _, secret: f"port: {as_json('${DB_PASSWORD:-' + secret + '}')}\n",
    "below": lambda name, secret: yaml.safe_dump({name: {"a": [secret, {"b": secret}]}}, allow_unicode=True),
    "a secret of compose": lambda _, secret: yaml.safe_dump({"secrets": {"s": {"content": secret}}}),
    "a misplaced variable": lambda name, secret: yaml.safe_dump({"environment": {f"{name}={secret}": "", "PORT": "1"}}),
    "a second document": lambda name, secret: f"a: 1\n---\n{name}: {as_json(secret)}\n",
}


@pytest.mark.parametrize("shape", DOCUMENTS)
@given(name=names, secret=secrets)
@example(name="DB_PASSWORD", secret=WITH_COMMA)
@example(name="DB_PASSWORD", secret=QUOTED)
def test_a_secret_in_a_compose_file(shape: str, name: str, secret: str) -> None:
    text = f"services:\n  kafka:\n    image: apache/kafka:4.1.1\nother:\n  port: 9092\n{DOCUMENTS[shape](name, secret)}"
    shown = redacted_yaml(text)
    assert hides(shown), shown
    found = next(yaml.safe_load_all(shown))  # it still is YAML
    assert found["services"]["kafka"]["image"] == "apache/kafka:4.1.1"
    if isinstance(found.get("environment"), dict) and "PORT" in found["environment"]:
        assert found["environment"]["PORT"] == "1"


def test_a_compose_file_keeps_what_is_no_secret() -> None:
    text = (
        "# the stack of the guide\nname: payment # of the platform\nservices:\n  kafka: &base\n    environment:\n"
        "      KAFKA_ADVERTISED_LISTENERS: INTERNAL://kafka:9092,EXTERNAL://localhost:40092\n"
        "      KAFKA_SSL_KEYSTORE_LOCATION: /secrets/kafka.p12\n      DB_PASSWORD: ${DB_PASSWORD}\n"
        "      OTHER: \"${OTHER:-9092}\"\n    command: [sh, -c, 'exec kafka --topic orders']\n    user: 1000:1000\n"
        '    ports:\n      - "9092:9092"\n    secrets: [db_password]\n  two:\n    <<: *base\nsecrets:\n'
        "  db_password: {file: ./db_password.txt}\n"
    )
    assert redacted_yaml(text) == text


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("docker-compose*.yml")), ids=lambda path: path.name)
def test_the_repositorys_compose_files_stay_as_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # Of Grafana's password there is a default, which somebody may have left.
    assert redacted_yaml(text) == text.replace("${GRAFANA_PASSWORD:-admin}", '"[hidden]"')


def test_a_file_that_is_no_yaml_is_left_out() -> None:
    shown = redacted_yaml("a: [b\nDB_PASSWORD: hunter2")
    assert "hunter2" not in shown
    assert "Left out" in shown


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ('"apiKey": "hunter2", "id": 7', '"apiKey": "[hidden]", "id": 7'),
        ('{"apiKey": "hunter2", "id": 7}', '{"apiKey": "[hidden]", "id": 7}'),
        ("amqp://bob:hunter2@mq:5672/x", "amqp://[hidden]@mq:5672/x"),
        ("ssl.key.password = null", "ssl.key.password = null"),
        ("DB_PASSWORD=${DB_PASSWORD}", "DB_PASSWORD=${DB_PASSWORD}"),
        ("DB_PASSWORD=$hunter2", "DB_PASSWORD=[hidden]"),
        ("nothing to hide: kafka:9092", "nothing to hide: kafka:9092"),
        ("PASSWORD=a\nPORT=1", "PASSWORD=[hidden]\nPORT=1"),
    ],
)
def test_what_is_left_of_a_text(words: str, kept: str) -> None:
    assert redacted(words) == kept


def test_a_long_log_takes_no_time() -> None:
    """Nothing here is quadratic in the length of a text: this would take minutes."""
    for piece in ("password=x\n", "name: password ", "-", "a:", "x://a:", "abc\n", "${A:-", '{"a":1}\n', "a-", '"a" '):
        redacted(piece * (50_000 // len(piece)))


def test_only_the_variables_that_checks_look_at() -> None:
    kept = redacted_environment(
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


def test_a_sign_in_a_log_holds_no_secret() -> None:
    lines = [LogLine(0, "kafka", "Unable to parse SASL://bob:hunter2@kafka:9092 to a broker endpoint")]
    (sign,) = signs(lines)
    assert "hunter2" not in f"{sign.text} {sign.found}"
