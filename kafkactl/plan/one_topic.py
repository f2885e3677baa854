"""A change of one topic that somebody typed, as the plan that init-topics would make of it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kafkactl.catalog.configs import normalise, wrong_name
from kafkactl.catalog.model import Catalog, Position, Topic
from kafkactl.errors import UsageError
from kafkactl.plan.differences import Change, Plan, make_plan
from kafkactl.plan.risk import Risk, config_risks
from kafkactl.topics import LiveTopic, is_internal

_NOWHERE = Position("", 0, 0)  # no file says it


@dataclass(frozen=True)
class TypedTopic:
    """What a topic is to have; None and {} leave things as they are. `unset`: settings that lose their own value."""

    name: str
    partitions: int | None = None
    replication: int | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()


def typed_topic(
    name: str,
    settings: Iterable[str] = (),
    *,
    partitions: int | None = None,
    replication: int | None = None,
    unset: Iterable[str] = (),
) -> TypedTopic:
    """A topic from KEY=VALUE, values as topics.yaml takes them (7d, 1 GiB). Raises UsageError."""
    require_ours(name)
    config: dict[str, str] = {}
    for text in settings:
        typed, sign, value = text.partition("=")
        key = _key(typed)
        if not sign:
            raise UsageError(f'"{text}" is not KEY=VALUE, such as retention.ms=7d.')
        if key in config:
            raise UsageError(f"{key} is given twice.")
        try:
            config[key] = normalise(key, value)
        except ValueError as error:
            raise UsageError(f"{key}: {error}") from None
    removed = tuple(dict.fromkeys(map(_key, unset)))
    if both := [key for key in removed if key in config]:
        raise UsageError(f"{both[0]} is given a value and unset.")
    return TypedTopic(name, partitions, replication, config, removed)


def require_ours(name: str) -> None:
    """Raise UsageError for a topic that Kafka keeps for itself, or kafkactl."""
    if is_internal(name):
        whose = "Kafka's own" if name.startswith("__") else "kafkactl's own"
        raise UsageError(f"{name} is {whose} topic, and is not changed by hand.")


def _key(typed: str) -> str:
    key = "retention.ms" if typed.strip() == "retention" else typed.strip()
    if not key:
        raise UsageError("A setting has no name: write KEY=VALUE, such as retention.ms=7d.")
    if why := wrong_name(key):
        raise UsageError(f"{why[:1].upper()}{why[1:]}")
    return key


def plan_one(wanted: TypedTopic, live: LiveTopic | None, default_replication: int | None = None) -> Plan:
    """What has to change. `live` is None for a topic that is to be created; with settings, where there is one."""
    topic = Topic(wanted.name, wanted.partitions, wanted.replication, dict(wanted.config), _NOWHERE)
    found = {live.name: live} if live else {}
    whole = make_plan(Catalog(Path(), {topic.name: topic}), found, default_replication=default_replication)
    unset = {change.key: change for change in whole.overrides}
    removed = [unset.get(key) or _removed(topic, key, live) for key in wanted.unset]
    changes = [change for change in (*whole.changes, *removed) if change]
    return Plan(tuple(replace(change, position=None) for change in changes), names=(topic.name,))


def _removed(topic: Topic, key: str, live: LiveTopic | None) -> Change | None:
    """The removal of an override that says what the broker's default says, too: it is one nevertheless."""
    current = (live.config or {}).get(key) if live else None
    if current is None or not current.overridden:
        return None
    risks = frozenset({Risk.OVERRIDES}) | config_risks(key, current.value, current.default)
    return Change(topic.name, "override", key, current.value, current.default, risks, declared=topic)


def said_otherwise(catalog: Catalog | None, live: LiveTopic) -> tuple[Change, ...]:
    """What topics.yaml says of this topic and the cluster does not: what init-topics would change again."""
    declared = catalog.topics.get(live.name) if catalog else None
    if catalog is None or declared is None:
        return ()
    return make_plan(replace(catalog, topics={live.name: declared}, removed={}), {live.name: live}).changes
