"""Every key of topics.yaml, described once: the reader and the JSON Schema both follow this table.

Named tuples, here and in the other rooms nobody outside sees: defining a dataclass takes 0.7 ms of every start, a
named tuple 0.13 ms.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

MAX_PARTITIONS = 10_000
MAX_REPLICATION = 32_767  # Kafka's int16
MAX_LAG = 2**63 - 1

NameRule = Literal["topic", "free"]
ItemRule = Literal["topic", "address", "free"]


class Text(NamedTuple):
    """One text."""

    example: str = ""


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


Kind = Text | Whole | Flag | Retention | Texts | Configs | Named | Section


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
    "lag_threshold": Key(Whole(0, MAX_LAG), "Lag, in records, from which a consumer group is behind."),
}

ENVIRONMENT: Mapping[str, Key] = {
    "brokers": Key(Texts("[localhost:9092]", "address"), "Bootstrap addresses, HOST:PORT.", required=True),
    "client_config": Key(Text("production.properties"), "librdkafka properties: a file, relative to this one."),
    "cluster_id": Key(Text(), "Recognises the cluster however it is reached."),
    "protected": Key(Flag(), "Whether writing here needs the environment's name typed or --confirm NAME."),
    "defaults": Key(Section(VALUES), "Values of topics that do not say their own, in this environment."),
    "topics": Key(Named(Section(VALUES), "topic", "topic"), "Values of single topics here; they win over all others."),
}

SERVICE: Mapping[str, Key] = {
    "group": Key(Text("analytics-group"), 'Its consumer group. Default: "<service>-group".'),
    "aliases": Key(Texts("[analytics-service]"), "Other names it is known by."),
    "lag_threshold": Key(Whole(0, MAX_LAG), "Lag, in records, from which its group is behind."),
}

TOPIC: Mapping[str, Key] = {
    "description": Key(Text(), "What its records say."),
    "producers": Key(Texts("[payment-gateway]"), 'Services that write to it; "*" means every service.'),
    "consumers": Key(Texts("[analytics]"), 'Services that read it; "*" means every service.'),
    "event": Key(Text("payment"), "The envelope its values follow."),
    "dlq": Key(Text("dlq.payment"), "The topic its dead letters go to."),
    **VALUES,
    "mask": Key(Texts("[card.number]"), "Paths of fields that are not shown."),
}

CATALOG: Mapping[str, Key] = {
    "defaults": Key(Section(VALUES), "Values of topics that do not say their own."),
    "environments": Key(Named(Section(ENVIRONMENT), "environment"), "Clusters, by name."),
    "services": Key(Named(Section(SERVICE), "service"), "Producers and consumers, by name."),
    "topics": Key(Named(Section(TOPIC), "topic", "topic"), "The topics that must exist.", required=True),
    "ignore": Key(Texts('["connect-*"]'), "Globs of topics that are not ours: never listed as undeclared."),
    "removed": Key(Texts("[payment.old]", "topic"), "Topics that may be deleted; nothing else ever is."),
    "events": Key(
        Named(Text("refund.schema.json"), "event"), "Further schemas of values: name → file, relative to this one."
    ),
}

ROOT = Section(CATALOG)
