"""Which names Kafka takes for topics (org.apache.kafka.common.internals.Topic), and which addresses for brokers."""

import re
from collections.abc import Iterable, Iterator

LONGEST_TOPIC_NAME = 249
TOPIC_NAME = r"[A-Za-z0-9._-]+"
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._-]")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]*://)?(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\],]+)(?::([^:]*))?")


def wrong_topic_name(name: str) -> str | None:
    """Why Kafka would refuse this topic name, or why it is not ours to declare; None for a good one."""
    if not name:
        return "a topic's name is empty."
    if name in (".", ".."):
        return f'a topic cannot be named "{name}".'
    if len(name) > LONGEST_TOPIC_NAME:
        return f"the topic name {name[:20]}… has {len(name):,} characters; Kafka allows {LONGEST_TOPIC_NAME}."
    bad = _NOT_ALLOWED.search(name)
    if bad:
        what = "a space" if bad[0] == " " else f'"{bad[0]}"' if bad[0].isprintable() else f"U+{ord(bad[0]):04X}"
        return f'topic name {name!r} holds {what}. Kafka allows letters, digits, ".", "_" and "-".'
    if name.startswith("__"):
        return f"{name} is Kafka's own: names that begin with __ are internal topics."
    return None


def colliding(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs (later, first) of names that are one name in metrics, where "." becomes "_": `a.b` and `a_b`."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.replace(".", "_"), name)
        if first != name:
            yield name, first


def wrong_address(address: str) -> str | None:
    """Why this is no bootstrap address HOST:PORT, or None for a good one."""
    match = _ADDRESS.fullmatch(address)
    if not match:
        return f'"{address}" is not an address. Write HOST:PORT.'
    if match[2] is None:
        return f'"{address}" has no port. Write {address}:9092 or the port it listens on.'
    if not re.fullmatch(r"[0-9]{1,5}", match[2]) or not 1 <= int(match[2]) <= 65535:
        return f'"{address}" has no valid port: {match[2] or "nothing"} is not a number from 1 to 65535.'
    return None
