"""A Java client's properties in librdkafka's words. Pure, but for a look at how a key store begins.

Names and meanings are those of Kafka's SslConfigs, SaslConfigs and CommonClientConfigs, and of librdkafka's
CONFIGURATION.md.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from kafkactl.client_config.entries import Property
from kafkactl.errors import ClientConfigError
from kafkactl.text.remedies import command

# What only a Java client, or a serializer beside it, understands: nothing here serializes, or commits.
_NOT_OURS = re.compile(
    r"""
    schema\.registry\..* | basic\.auth\..* | bearer\.auth\..* | confluent\..* | auto\.register\.schemas
    | use\.latest\.version | (specific\.avro|json|avro|protobuf)\..* | .*\.(de)?serializer(\..*)?
    | .*\.classes | .*\.class | metric\.reporters | metrics\..* | default\.api\.timeout\.ms | max\.block\.ms
    | buffer\.memory | max\.request\.size | max\.poll\.records | (send|receive)\.buffer\.bytes
    | exclude\.internal\.topics | partitioner\..* | enable\.metrics\.push | transactional\.id
    | ssl\.(protocol|enabled\.protocols|provider|secure\.random.*) | ssl\.(key|trust)manager\.algorithm
    | ssl\.(key|trust)store\.type | sasl\.login\..* | sasl\.kerberos\.(ticket|min)\..*
    | partition\.assignment\.strategy | group\.protocol | group\.remote\.assignor
    """,
    re.VERBOSE,
)
_JAVA = re.compile(r"sasl\.jaas\.config|ssl\.(key|trust)store\.(type|key|certificate.*)|ssl\.truststore\..*")
_RENAMED = {
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "sasl.mechanisms": "sasl.mechanism",
    "sasl.oauthbearer.scope": "sasl.oauthbearer.scope",
}
_JAAS_OPTION = re.compile(r"""(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;]+))""")
_JAAS_NAMES = {
    "username": "sasl.username",
    "password": "sasl.password",
    "clientId": "sasl.oauthbearer.client.id",
    "clientSecret": "sasl.oauthbearer.client.secret",
    "scope": "sasl.oauthbearer.scope",
}
_INLINE = re.compile(r"ssl\.(ca|key|certificate)\.pem")


class Translation:
    """librdkafka's properties, the line that each comes from, and the keys that are not used."""

    def __init__(self) -> None:
        self.properties: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self.unused: list[str] = []

    def put(self, key: str, value: str, line: int) -> None:
        """Set a property; of one that is there twice the last holds, as in librdkafka."""
        self.properties[key] = value
        self.lines[key] = line


def is_java(found: list[Property]) -> bool:
    """Whether this is a Java client's file: then a backslash escapes what follows."""
    return any(_JAVA.fullmatch(entry.key) for entry in found)


def translated(found: list[Property], name: str) -> Translation:
    """The entries of a client configuration as librdkafka takes them; `name` is the file's, for messages.

    Raises ClientConfigError for a key store that has to be converted first.
    """
    told, java = Translation(), is_java(found)
    given = {entry.key: entry.value for entry in found}
    for key, value, line in found:
        text = _unescaped(value) if java else value
        if key == "sasl.jaas.config":
            _read_jaas(told, text, line)
        elif key in ("ssl.truststore.location", "ssl.keystore.location"):
            _use_store(told, key, text, given, f"{name}:{line}" if line else name, line)
        elif key == "ssl.truststore.password" or (key == "ssl.cipher.suites" and java) or _NOT_OURS.fullmatch(key):
            told.unused += [] if key.startswith("ssl.") else [key]
        else:
            _put(told, _RENAMED.get(key, key), text, line)
    if told.properties.get("sasl.mechanism") == "OAUTHBEARER" and told.properties.get(_ENDPOINT):
        told.properties.setdefault("sasl.oauthbearer.method", "oidc")
    return told


_ENDPOINT = "sasl.oauthbearer.token.endpoint.url"


def _put(told: Translation, key: str, value: str, line: int) -> None:
    if key in ("sasl.mechanism", "security.protocol"):
        value = value.upper()
    elif key == "ssl.endpoint.identification.algorithm" and not value:
        value = "none"
    elif _INLINE.fullmatch(key):
        value = _as_pem(value)
    told.put(key, value, line)


def _as_pem(value: str) -> str:
    r"""A certificate or key in one line, with `\n` or blanks where its lines end, as lines."""
    text = value.replace("\\n", "\n")
    if "\n" in text.strip():
        return text
    parts = re.findall(r"(-----BEGIN [A-Z ]+-----)(.*?)(-----END [A-Z ]+-----)", text)
    blocks = ["\n".join([begin, *body.split(), end]) for begin, body, end in parts]
    return "\n".join(blocks) or text


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), value)


def _read_jaas(told: Translation, text: str, line: int) -> None:
    """The login module's options; each is a property of librdkafka's."""
    for option, *values in _JAAS_OPTION.findall(text):
        value = re.sub(r"\\(.)", r"\1", next((value for value in values if value), ""))
        if option in _JAAS_NAMES:
            told.put(_JAAS_NAMES[option], value, line)


Store = Literal["JKS", "PKCS12", "PEM"]


def kind_of_store(path: str, place: str) -> Store:
    """What kind of key store a file is, by what is in it. Raises ClientConfigError if it is none, or unreadable."""
    try:
        with open(path, "rb") as file:
            head = file.read(65_536)
    except OSError as error:
        raise ClientConfigError(f"Cannot read {path}: {error.strerror}.", where=place) from None
    if head[:4] in (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"):
        return "JKS"
    if b"-----BEGIN " in head:
        return "PEM"
    if head[:1] == b"\x30":  # ASN.1's sequence
        return "PKCS12"
    raise ClientConfigError(f"{path} is no key store: it is neither PEM, PKCS#12 nor JKS.", where=place)


def _use_store(told: Translation, key: str, path: str, given: Mapping[str, str], place: str, line: int) -> None:
    trust = key == "ssl.truststore.location"
    kind = kind_of_store(path, place)
    if kind == "JKS":
        raise _to_convert(key, path, place)
    if kind == "PEM":
        if trust:
            told.put("ssl.ca.location", path, line)
        else:  # the key and the certificates stand in one file
            told.put("ssl.certificate.location", path, line)
            told.put("ssl.key.location", path, line)
    elif trust:
        from kafkactl.client_config.keystores import authorities

        told.put("ssl.ca.pem", authorities(path, given.get("ssl.truststore.password", ""), place), line)
    else:
        told.put("ssl.keystore.location", path, line)


def _to_convert(key: str, path: str, place: str) -> ClientConfigError:
    """The error for a JKS store, which nothing but Java reads, with the two commands that convert it."""
    stem = str(Path(path).with_suffix(""))
    store = command("keytool", "-importkeystore", "-srckeystore", path, "-destkeystore", f"{stem}.p12",
                    "-deststoretype", "PKCS12", note="Convert it")  # fmt: skip
    parts = ["-nokeys"] if key == "ssl.truststore.location" else ["-nodes"]
    text = command("openssl", "pkcs12", "-in", f"{stem}.p12", *parts, "-out", f"{stem}.pem")
    return ClientConfigError(
        f"{key}: {path} is a JKS store, which only Java reads. Convert it, and name {stem}.pem.",
        where=place,
        hint=[store, text],
    )
