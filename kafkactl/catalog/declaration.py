"""What a file declares for all its environments; a Catalog is this resolved for one of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast

from kafkactl.catalog.configs import CONFIGS
from kafkactl.catalog.keys import colliding
from kafkactl.catalog.model import (
    BUILT_IN_EVENTS,
    Catalog,
    Environment,
    Placed,
    Position,
    Problem,
    Problems,
    Service,
    Topic,
    default_group,
)
from kafkactl.catalog.reader import Fields, Word
from kafkactl.errors import UsageError
from kafkactl.text.suggest import closest, suggest
from kafkactl.text.units import retention_text
from kafkactl.text.words import and_more


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
            services=self.services,
            ignore=self.ignore,
            removed=self.removed,
            events=self.events,
            dlq_headers=self.dlq_headers,
            dedup_window=self.dedup_window,
            history=self.history,
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
    )


def _service(name: str, fields: Fields) -> Service:
    group = fields.get("group") or default_group(name)
    return Service(name, group, _texts(fields, "aliases"), fields.get("lag_threshold"))


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


_NEAR = 0.85  # "analitics" is a typo of analytics; order-service is not a typo of risk-service
_MOST_SUGGESTIONS = 50  # comparing every wrong name with every right one would take minutes in a long file


class _Suggestions:
    """Suggestions from one set of names, each word compared once."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        self.known: dict[str, str] = {}

    def for_word(self, word: str) -> str:
        if word not in self.known:
            self.known[word] = suggest(word, self.names) if len(self.known) < _MOST_SUGGESTIONS else ""
        return self.known[word]


def check_references(fields: Fields, declaration: Declaration, problems: Problems) -> None:
    """Everything that can only be judged once the whole file has been read."""
    topics = cast("Fields | None", fields.get("topics"))
    if topics is not None:
        # A topic whose own declaration is wrong is still declared: `keys` has it.
        suggestions = _Suggestions(topics.keys)
        _check_topics(topics, fields, suggestions, problems)
        _check_overlaid(fields, topics.keys, suggestions, problems)
        for word in cast(tuple[Word, ...], fields.get("removed", ())):
            if word.text in topics.keys:
                line = topics.keys[word.text].line
                problems.error(word, f"removed: {word.text} is also declared at line {line}; a topic cannot be both.")
    _check_services(fields, declaration, problems)
    _check_replicas(declaration, problems)


def _check_topics(topics: Fields, fields: Fields, suggestions: _Suggestions, problems: Problems) -> None:
    for name, first in colliding(topics.keys):
        problems.error(topics.keys[name], f'{name} and {first} have the same name in metrics, where "." becomes "_".')
    schemas = cast("Fields | None", fields.get("events"))
    events = [*BUILT_IN_EVENTS, *(schemas.keys if schemas else ())]
    for name, topic in cast(Mapping[str, Fields], topics.values).items():
        dlq, event = topic.get("dlq"), topic.get("event")
        if dlq == name:
            problems.error(topic.places["dlq"], f"{name}: dlq is the topic itself.")
        elif dlq is not None and dlq not in topics.keys:
            hint = suggestions.for_word(dlq)
            problems.error(topic.places["dlq"], f'{name}: dlq "{dlq}" is not a declared topic.{hint}')
        if event is not None and event not in events:
            message = f'{name}: event "{event}" is neither built in nor under events.{suggest(event, events)}'
            problems.error(topic.places["event"], message)


def _check_overlaid(
    fields: Fields, declared: Mapping[str, Placed], suggestions: _Suggestions, problems: Problems
) -> None:
    environments = cast("Fields | None", fields.get("environments"))
    for name, environment in (environments.values if environments else {}).items():
        overlaid = cast("Fields | None", environment.get("topics"))
        for topic, place in (overlaid.keys if overlaid else {}).items():
            if topic not in declared:
                hint = suggestions.for_word(topic)
                problems.error(place, f'environments.{name}.topics: "{topic}" is not a declared topic.{hint}')


def _check_services(fields: Fields, declaration: Declaration, problems: Problems) -> None:
    services = cast("Fields | None", fields.get("services"))
    if services is None:
        return
    owner = {name: name for name in services.values}
    for name, service in cast(Mapping[str, Fields], services.values).items():
        for alias in cast(tuple[Word, ...], service.get("aliases", ())):
            taken = owner.setdefault(alias.text, name)
            if taken != name:
                problems.error(alias, f"services.{name}: {alias.text} already names the service {taken}.")
    near: dict[str, str | None] = {}
    for word, topic, key in _service_words(fields, declaration):
        if word.text not in owner and word.text != "*":
            if word.text not in near and len(near) < _MOST_SUGGESTIONS:
                near[word.text] = closest(word.text, owner, cutoff=_NEAR)
            found = near.get(word.text)
            if found:
                problems.warn(word, f'{topic}: {key} "{word.text}" is not under services. Did you mean "{found}"?')


def _service_words(fields: Fields, declaration: Declaration) -> Iterable[tuple[Word, str, str]]:
    topics = fields.get("topics")
    for name in declaration.topics if topics is not None else ():
        for key in ("producers", "consumers"):
            for word in cast(tuple[Word, ...], topics.values[name].get(key, ())):
                yield word, name, key


def _check_replicas(declaration: Declaration, problems: Problems) -> None:
    """min.insync.replicas above the replication: Kafka takes it, and before 3.7 nobody can then write with acks=all."""
    told: set[tuple[str, int, int]] = set()
    for name in (None, *declaration.overlays):
        short: dict[tuple[int, int], list[Topic]] = defaultdict(list)
        for topic in declaration.seen_for(name).topics.values():
            needed = int(topic.config.get("min.insync.replicas", 1))
            if topic.replication and needed > topic.replication and (topic.name, needed, topic.replication) not in told:
                short[needed, topic.replication].append(topic)
        for (needed, replication), topics in short.items():
            told |= {(topic.name, needed, replication) for topic in topics}
            place = declaration.overlays[name].environment.position if name else topics[0].position
            names = and_more([topic.name for topic in topics], 1)
            problems.error(
                place,
                f"{f'environments.{name}: ' if name else ''}{names}: min.insync.replicas {needed} is more than"
                f" replication {replication}.",
            )
