"""What a file declares for all its environments; a Catalog is this resolved for one of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast

from kafkactl.catalog.configs import CONFIGS
from kafkactl.catalog.model import (
    Catalog,
    Environment,
    Position,
    Problem,
    Problems,
    Service,
    Topic,
    default_group,
)
from kafkactl.catalog.reader import Fields, Word
from kafkactl.errors import UsageError
from kafkactl.text.suggest import suggest
from kafkactl.text.units import retention_text


class Values(NamedTuple):
    """What one level says about a topic. A None or a missing config leaves it to the level below."""

    partitions: int | None = None
    replication: int | None = None
    lag_threshold: int | None = None
    config: Mapping[str, str] = MappingProxyType({})  # retention included, as retention.ms


NOTHING = Values()


def merged_values(levels: Iterable[Values]) -> Values:
    """Merge levels, given from the weakest to the strongest. `config` merges key by key."""
    partitions = replication = lag_threshold = None
    config: dict[str, str] = {}
    for level in levels:
        partitions = level.partitions if level.partitions is not None else partitions
        replication = level.replication if level.replication is not None else replication
        lag_threshold = level.lag_threshold if level.lag_threshold is not None else lag_threshold
        config.update(level.config)
    return Values(partitions, replication, lag_threshold, config)


RETENTION = "retention.ms"


class Overlay(NamedTuple):
    """An environment with what it says about topics."""

    environment: Environment
    defaults: Values
    topics: Mapping[str, Values]


class Declaration(NamedTuple):
    """A whole file. Topics hold their own values only; `values` has the same for the precedence."""

    path: Path
    defaults: Values
    topics: Mapping[str, Topic]
    values: Mapping[str, Values]
    overlays: Mapping[str, Overlay]
    services: Mapping[str, Service]
    ignore: tuple[str, ...]
    removed: Mapping[str, Position]
    events: Mapping[str, Path]
    dlq_headers: Mapping[str, str]
    dedup_window: int | None
    history: str
    admins: tuple[str, ...]

    def seen_for(self, environment: str | None, warnings: tuple[Problem, ...] = ()) -> Catalog:
        """The catalogue with the values of one environment, or the file's own. Raises UsageError for an unknown one."""
        overlay = None
        if environment is not None:
            overlay = self.overlays.get(environment)
            if overlay is None:
                raise self._unknown(environment)
        return Catalog(
            path=self.path,
            topics={name: self._seen(name, overlay) for name in self.topics},
            environment=environment,
            environments={name: overlay.environment for name, overlay in self.overlays.items()},
            services=_with_principals(self.services, overlay.environment.principals if overlay else {}),
            ignore=self.ignore,
            removed=self.removed,
            events=self.events,
            dlq_headers=self.dlq_headers,
            dedup_window=self.dedup_window,
            history=self.history,
            admins=self.admins,
            warnings=warnings,
        )

    def _seen(self, name: str, overlay: Overlay | None) -> Topic:
        levels = [self.defaults, self.values[name]]
        if overlay:
            levels = [self.defaults, overlay.defaults, self.values[name], overlay.topics.get(name, NOTHING)]
        values = merged_values(levels)
        return replace(
            self.topics[name],
            partitions=values.partitions,
            replication=values.replication,
            lag_threshold=values.lag_threshold,
            config=values.config,
        )

    def _unknown(self, environment: str) -> UsageError:
        known = ", ".join(self.overlays)
        return UsageError(
            f"There is no environment {environment} in {self.path}.{suggest(environment, self.overlays, quoted=False)}",
            where=f"The file has {known}." if known else "The file has no environments.",
        )


def declare(fields: Fields, path: Path, problems: Problems) -> Declaration:
    """Build a declaration from the fields read from a file. What is wrong goes to `problems`, and is left out."""
    topics: Mapping[str, Fields] = _named(fields, "topics")
    removed: tuple[Word, ...] = fields.get("removed", ())
    return Declaration(
        path=path,
        defaults=_section_values(fields, "defaults", "defaults", problems),
        topics={name: _topic(name, topic, _place(fields, "topics", name, problems)) for name, topic in topics.items()},
        values={name: _values(topic, name, problems) for name, topic in topics.items()},
        overlays={
            name: _overlay(name, environment, _place(fields, "environments", name, problems), path, problems)
            for name, environment in _named(fields, "environments").items()
        },
        services={name: _service(name, service) for name, service in _named(fields, "services").items()},
        ignore=_texts(fields, "ignore"),
        removed={word.text: problems.position(word) for word in removed},
        events={name: path.parent / str(file) for name, file in _named(fields, "events").items()},
        dlq_headers=cast("Mapping[str, str]", _named(fields, "dlq_headers")),
        dedup_window=fields.get("dedup_window"),
        history=str(fields.get("history", "")),
        admins=_texts(fields, "admins"),
    )


def _named(fields: Fields, key: str) -> Mapping[str, Fields]:
    """Things by name: the topics, the environments, the services."""
    things = fields.get(key)
    return cast(Fields, things).values if things is not None else {}


def _place(fields: Fields, key: str, name: str, problems: Problems) -> Position:
    return problems.position(cast(Fields, fields.get(key)).keys[name])


def _topic(name: str, fields: Fields, position: Position) -> Topic:
    return Topic(
        name=name,
        partitions=None,
        replication=None,
        config={},
        position=position,
        description=fields.get("description", ""),
        producers=_texts(fields, "producers"),
        consumers=_texts(fields, "consumers"),
        event=fields.get("event"),
        event_type=fields.get("event_type"),
        dlq=fields.get("dlq"),
        dlq_value=fields.get("dlq_value"),
        mask=_texts(fields, "mask"),
    )


def _overlay(name: str, fields: Fields, position: Position, path: Path, problems: Problems) -> Overlay:
    return Overlay(
        environment_of(name, fields, position, path),
        defaults=_section_values(fields, "defaults", f"environments.{name}.defaults", problems),
        topics={
            topic: _values(own, f"environments.{name}.topics.{topic}", problems)
            for topic, own in _named(fields, "topics").items()
        },
    )


def environment_of(name: str, fields: Fields, position: Position, path: Path) -> Environment:
    """An environment of a file at this path."""
    client_config = fields.get("client_config")
    return Environment(
        name=name,
        brokers=_texts(fields, "brokers"),
        position=position,
        client_config=path.parent / Path(client_config).expanduser() if client_config else None,
        cluster_id=fields.get("cluster_id"),
        protected=fields.get("protected", False),
        schema_registry=fields.get("schema_registry", ""),
        password_command=fields.get("password_command", ""),
        principals=cast("Mapping[str, str]", _named(fields, "principals")),
    )


def _service(name: str, fields: Fields) -> Service:
    group = fields.get("group") or default_group(name)
    aliases, ids = _texts(fields, "aliases"), _texts(fields, "transactional_ids")
    return Service(name, group, aliases, fields.get("lag_threshold"), fields.get("principal", ""), ids)


def _with_principals(services: Mapping[str, Service], others: Mapping[str, str]) -> Mapping[str, Service]:
    return {name: replace(s, principal=others.get(name, s.principal)) for name, s in services.items()}


def _section_values(fields: Fields, key: str, subject: str, problems: Problems) -> Values:
    section = fields.get(key)
    return _values(section, subject, problems) if section is not None else NOTHING


def _values(fields: Fields, subject: str, problems: Problems) -> Values:
    """One level's values. `retention` is another name for the config retention.ms: both may be given if they agree."""
    given: Fields | None = fields.get("config")
    config: dict[str, str] = dict(given.values) if given else {}
    for name in config:
        if given and name not in CONFIGS:
            problems.warn(given.keys[name], f'{subject}: "{name}" is not a known Kafka config; the broker will decide.')
    retention: int | None = fields.get("retention")
    if retention is not None:
        said = config.setdefault(RETENTION, str(retention))
        if given and said != str(retention):
            problems.error(
                given.keys[RETENTION],
                f"{subject}: {RETENTION} {retention_text(int(said))} contradicts"
                f" retention {retention_text(retention)}. Give only one of them.",
            )
    return Values(fields.get("partitions"), fields.get("replication"), fields.get("lag_threshold"), config)


def _texts(fields: Fields, key: str) -> tuple[str, ...]:
    words: tuple[Word, ...] = fields.get(key, ())
    return tuple(word.text for word in words)
