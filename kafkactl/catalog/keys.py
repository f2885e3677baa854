"""Every key of topics.yaml, described once: the reader and the JSON Schema both follow this table.

These are named tuples, as in other internal modules: defining a dataclass costs 0.7 ms of every start, a named tuple
0.13 ms.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from kafkactl.topics import OWN_PREFIX, impossible_name

TOPIC_NAME = r"[A-Za-z0-9._-]+"
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]*://)?(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\],]+)(?::([^:]*))?")


def wrong_topic_name(name: str) -> str | None:
    """Why Kafka would reject this topic name, or why it must not be declared; None for a valid one."""
    if name.startswith("__"):
        return f"{name} is reserved: names that begin with __ are Kafka's internal topics."
    if name.startswith(OWN_PREFIX):
        return f"{name} is reserved: in topics whose names begin with {OWN_PREFIX} kafkactl keeps notes of its own."
    return impossible_name(name)


def colliding(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs (later, first) of names that are the same in metrics, where "." becomes "_": `a.b` and `a_b`."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.replace(".", "_"), name)
        if first != name:
            yield name, first


def wrong_address(address: str) -> str | None:
    """Why this is not a valid bootstrap address HOST:PORT; None for a valid one."""
    match = _ADDRESS.fullmatch(address)
    if not match:
        return f'"{address}" is not a valid address. Write HOST:PORT.'
    if match[2] is None:
        return f'"{address}" has no port. Write {address}:9092, or the port it listens on.'
    if not re.fullmatch(r"[0-9]{1,5}", match[2]) or not 1 <= int(match[2]) <= 65535:
        return f'"{address}" has no valid port: {match[2] or "nothing"} is not a number from 1 to 65535.'
    return None


URL = r"https?://[^\s/@?#]+(/[^\s@?#]*)?"


def wrong_url(text: str) -> str | None:
    """Why this is not the address of a server that speaks HTTP; None for a valid one. A login does not belong in it."""
    if re.fullmatch(URL, text):
        return None
    if "@" in text:
        return "holds a login: SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO is the place for USER:PASSWORD."
    return f'"{text}" is not an address; write https://HOST:PORT.'


MAX_PARTITIONS = 10_000
MAX_REPLICATION = 32_767  # Kafka's int16
MAX_LAG = 2**63 - 1

NameRule = Literal["topic", "free"]
ItemRule = Literal["topic", "address", "free"]


class Text(NamedTuple):
    """One text."""

    example: str = ""


class Url(NamedTuple):
    """The address of a server that speaks HTTP."""


class Whole(NamedTuple):
    """A whole number."""

    low: int
    high: int


class Flag(NamedTuple):
    """true or false."""


class Retention(NamedTuple):
    """How long records are kept."""


class Texts(NamedTuple):
    """A list of texts."""

    example: str
    items: ItemRule = "free"


class Configs(NamedTuple):
    """Kafka's topic configs with their values."""


class Named(NamedTuple):
    """A mapping from names to things of one kind."""

    each: "Kind"
    what: str  # "topic", "environment"
    names: NameRule = "free"


class Section(NamedTuple):
    """A mapping of known keys."""

    keys: "Mapping[str, Key]"


Kind = Text | Url | Whole | Flag | Retention | Texts | Configs | Named | Section


class Key(NamedTuple):
    """A key: what it takes and what it means."""

    kind: Kind
    description: str
    required: bool = False


# What defaults, an environment's defaults, a topic and an environment's topic can all say.
VALUES: Mapping[str, Key] = {
    "partitions": Key(Whole(1, MAX_PARTITIONS), "Number of partitions."),
    "replication": Key(Whole(1, MAX_REPLICATION), "Number of replicas of every partition."),
    "retention": Key(
        Retention(), "How long records are kept: 7d, 168h, a number of milliseconds, or infinite. Sets retention.ms."
    ),
    "config": Key(Configs(), "Kafka's topic configs, by their dotted names. Levels merge key by key."),
    "lag_threshold": Key(Whole(0, MAX_LAG), "Lag, in records, above which a consumer group counts as behind."),
}

ENVIRONMENT: Mapping[str, Key] = {
    "brokers": Key(Texts("[localhost:9092]", "address"), "Bootstrap addresses, HOST:PORT.", required=True),
    "client_config": Key(
        Text("production.properties"),
        "Client properties, librdkafka's, kcat's or Java's: a file, relative to this one.",
    ),
    "schema_registry": Key(Url(), "The schema registry of this cluster's records, http(s)://HOST:PORT."),
    "cluster_id": Key(Text(), "Kafka's id of the cluster, which identifies it at any address."),
    "protected": Key(Flag(), "Whether changes here need the environment's name typed, or --confirm NAME."),
    "defaults": Key(Section(VALUES), "Default values for topics in this environment."),
    "topics": Key(
        Named(Section(VALUES), "topic", "topic"),
        "Values for single topics in this environment; they override all others.",
    ),
    "principals": Key(
        Named(Text("User:CN=analytics"), "service"),
        "Who services are to Kafka here, where it is another.",
    ),
}

SERVICE: Mapping[str, Key] = {
    "principal": Key(
        Text("User:analytics"),
        "Who it is to Kafka. Where it is given, producers and consumers mean access rules (ACLs).",
    ),
    "transactional_ids": Key(Texts('["payment-*"]'), "Transactional ids it uses; * at the end: all that begin so."),
    "group": Key(Text("analytics-group"), 'Its consumer group. Default: "<service>-group".'),
    "aliases": Key(Texts("[analytics-service]"), "Other names it is known by."),
    "lag_threshold": Key(Whole(0, MAX_LAG), "Lag, in records, above which its group counts as behind."),
}

TOPIC: Mapping[str, Key] = {
    "description": Key(Text(), "What its records are about."),
    "producers": Key(Texts("[payment-gateway]"), 'Services that write to it; "*" means every service.'),
    "consumers": Key(Texts("[analytics]"), 'Services that read it; "*" means every service.'),
    "event": Key(Text("payment"), "The envelope its values follow: payment, base, or a name under events."),
    "event_type": Key(Text("any"), "What event_type says in its events: the topic's name if it is left out; any."),
    "dlq": Key(Text("dlq.payment"), "The topic its dead letters go to."),
    "dlq_value": Key(
        Text("payload"), "Of a dead-letter topic: the path, in its JSON values, of the value that was wrapped."
    ),
    **VALUES,
    "mask": Key(Texts("[card.number]"), "Paths of fields to mask in output."),
}

DLQ_HEADERS: Mapping[str, Key] = {
    "topic": Key(Text("my-source-topic"), "The header that names the topic a dead letter comes from."),
    "partition": Key(Text(), "… its partition there."),
    "offset": Key(Text(), "… its offset there."),
    "timestamp": Key(Text(), "… its time there, in ms since 1970."),
    "group": Key(Text(), "… the consumer group that gave it up."),
    "tries": Key(Text("my-attempts"), "… how often it was tried."),
    "error_class": Key(Text("my-error-type"), "… the class of its error."),
    "error": Key(Text("my-error"), "… the message of its error."),
    "stacktrace": Key(Text(), "… the stack trace of its error."),
}

CATALOG: Mapping[str, Key] = {
    "defaults": Key(Section(VALUES), "Default values for topics."),
    "environments": Key(Named(Section(ENVIRONMENT), "environment"), "Clusters, by name."),
    "services": Key(Named(Section(SERVICE), "service"), "Producers and consumers, by name."),
    "admins": Key(Texts('["User:ops"]'), "Principals that may do everything on the cluster."),
    "topics": Key(Named(Section(TOPIC), "topic", "topic"), "The topics that must exist.", required=True),
    "ignore": Key(Texts('["connect-*"]'), "Globs of topics managed elsewhere: never listed as undeclared."),
    "removed": Key(Texts("[payment.old]", "topic"), "Topics that may be deleted; no others ever are."),
    "dlq_headers": Key(
        Section(DLQ_HEADERS), "How your own services name the headers of dead letters; the usual names are known."
    ),
    "dedup_window": Key(
        Retention(), "How long consumers remember the event_ids they have seen: 24h if it is left out."
    ),
    "history": Key(
        Text("audit.kafkactl"), "The topic in which kafkactl writes down what it changed, for the whole team to see."
    ),
    "events": Key(
        Named(Text("refund.schema.json"), "event"), "Additional schemas for values: name → file, relative to this one."
    ),
}

ROOT = Section(CATALOG)
