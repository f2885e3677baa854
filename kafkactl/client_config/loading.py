"""A client configuration, read: librdkafka's properties, where each comes from, and what there is to say of it."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kafkactl.client_config.entries import Property, entries
from kafkactl.client_config.java_client import translated
from kafkactl.client_config.secret_values import (
    PASSWORD_COMMAND,
    filled_in,
    holds_only_placeholders,
    is_secret,
    printed_secret,
    system_environment,
)
from kafkactl.errors import ClientConfigError
from kafkactl.text.words import and_more
from kafkactl.whole_files import read_whole

_FILES = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.crl.location",
          "ssl.keystore.location", "ssl.truststore.location")  # fmt: skip


@dataclass(frozen=True)
class ClientConfig:
    """librdkafka's properties, and by their names the place (file:line) that each comes from.

    `brokers` are the file's own bootstrap.servers, "" where it names none. `remarks` are for the user, each once.
    """

    properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict)
    brokers: str = ""
    remarks: tuple[str, ...] = ()


def load_client_config(
    path: Path | None, given: Sequence[str] = (), *, trusted: bool = True, printing: str = ""
) -> ClientConfig:
    """The file (`-` is stdin), and what was typed as KEY=VALUE, which counts more.

    `trusted`: the user named the file himself, so that a program it names may run; a file that a topics.yaml names may
    be anybody's. Raises ClientConfigError. `printing`: a program that prints the password.
    """
    name = "stdin" if str(path) == "-" else str(path) if path else ""
    found = entries(_text(path), name) if path else []
    directory = path.parent if path and name != "stdin" else Path()
    told = translated([_filled(entry, name, directory, trusted=trusted) for entry in found], name)
    properties, origins = dict(told.properties), {key: f"{name}:{line}" for key, line in told.lines.items()}
    remarks = [f"{name}: not used by kafkactl: {and_more(told.unused)}"] if told.unused else []
    if path and name != "stdin" and (exposed := _exposed(path, found)):
        remarks.append(exposed)
    for text in given:
        typed, remark = _typed(text)
        properties |= typed
        origins |= {key: f"-X {text.partition('=')[0].strip()}" for key in typed}
        remarks += [remark] if remark else []
    if command := properties.pop(PASSWORD_COMMAND, printing):
        place = origins.pop(PASSWORD_COMMAND, PASSWORD_COMMAND)
        properties["sasl.password"], origins["sasl.password"] = printed_secret(command, place), place
    return ClientConfig(properties, origins, properties.pop("bootstrap.servers", ""), tuple(remarks))


def shown_properties(path: Path) -> list[tuple[str, str]]:
    """The properties of a file as they stand there, with *** for what is secret. Raises ClientConfigError."""
    return [(entry.key, _shown(entry)) for entry in entries(_text(path), str(path))]


def _shown(entry: Property) -> str:
    if holds_only_placeholders(entry.value):
        return entry.value
    if is_secret(entry.key):
        return "***"
    from kafkactl.redaction.structures import shown_value

    return shown_value(entry.key, entry.value)  # a URL may have a password in it, or sasl.oauthbearer.config


def _text(path: Path) -> str:
    try:
        return read_whole(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ClientConfigError(f"Cannot read the client configuration {path}: {reason}.") from None


def _filled(entry: Property, name: str, directory: Path, *, trusted: bool) -> Property:
    place = f"{name}:{entry.line}" if entry.line else name
    if entry.key == PASSWORD_COMMAND and not trusted:
        raise ClientConfigError(
            f"{PASSWORD_COMMAND} runs a program, so it is not accepted from a file that a topics.yaml names.",
            where=place,
            hint=f"Name the file yourself: --client-config {name}",
        )
    value = filled_in(entry.value, place, directory, system_environment())
    if entry.key in _FILES and value and not os.path.isabs(value):
        # As Java and librdkafka, from where the command runs; else beside the configuration that came with it.
        beside = directory / value
        value = str(beside) if not os.path.exists(value) and beside.exists() else value
    return entry._replace(value=value)


def _exposed(path: Path, found: Sequence[Property]) -> str:
    """That every user of this machine can read a file that holds a secret."""
    secrets = any(is_secret(entry.key) and not holds_only_placeholders(entry.value) for entry in found)
    try:
        exposed = secrets and path.stat().st_mode & stat.S_IROTH
    except OSError:
        return ""
    return (
        f"{path} holds a secret, and every user of this machine can read it. To change that: chmod 600"
        if exposed
        else ""
    )


def _typed(text: str) -> tuple[Mapping[str, str], str]:
    """What was typed as librdkafka takes it, and a remark where there is a secret in it: others see a command line."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ClientConfigError("-X takes KEY=VALUE, such as -X security.protocol=SSL.")
    (entry,) = [Property(key.strip(), value.strip(), 0)]
    filled = _filled(entry, "-X", Path(), trusted=True)
    told = translated([filled], "-X")
    if told.unused or not told.properties:
        raise ClientConfigError(f"-X {key.strip()}: kafkactl does not use this property.")
    visible = is_secret(key.strip()) and not holds_only_placeholders(value)
    remark = f"-X {key.strip()}: other users of this machine can see a command line; use ${{VAR}} or a file"
    return told.properties, remark if visible else ""
