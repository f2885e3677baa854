"""Catalogue × live topics → Plan: what differs, why it matters, and what can be done about it. Pure.

Safe: creating a topic, increasing retention, changing most other settings. Everything else carries risks, each of which
has to be allowed by name (design §3); what Kafka cannot do at all is shown with its remedy and never attempted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal

from kafkactl.catalog.model import Catalog, Position, Topic
from kafkactl.errors import UsageError
from kafkactl.plan.risk import Risk, config_risks
from kafkactl.text.suggest import suggest
from kafkactl.text.units import is_number
from kafkactl.text.words import many
from kafkactl.topics import THROTTLED_REPLICAS, ConfigValue, LiveTopic, is_internal

Kind = Literal["create", "config", "partitions", "replication", "override", "delete"]
Identity = tuple[str, Kind, str, str | None, str | None, str]  # topic, kind, key, old, new, the topic's id


@dataclass(frozen=True)
class Change:
    """One difference between the catalogue and the cluster.

    `key` is a setting's name, else "partitions" or "replication"; `old` and `new` are as Kafka writes them.
    `impossible` says why no command can make it so, and what to do instead.
    """

    topic: str
    kind: Kind
    key: str = ""
    old: str | None = None
    new: str | None = None
    risks: frozenset[Risk] = frozenset()
    impossible: str = ""
    declared: Topic | None = None
    position: Position | None = None
    topic_id: str = ""  # of the live topic, where it is known: a recreated topic is another one
    own: bool = True  # `old` is the topic's own value, not the broker's default
    was: LiveTopic | None = field(default=None, compare=False)  # of one that is to be deleted: what it is

    @property
    def identity(self) -> Identity:
        """What makes this the same change when the cluster is looked at again: consent is for this and no other."""
        return self.topic, self.kind, self.key, self.old, self.new, self.topic_id


@dataclass(frozen=True)
class Plan:
    """Every difference, in the catalogue's order; what is left alone; what could not be compared."""

    changes: tuple[Change, ...] = ()
    overrides: tuple[Change, ...] = ()  # set on the cluster, not declared: left alone unless allowed
    undeclared: tuple[str, ...] = ()  # topics on the cluster that the catalogue does not know
    unreadable: Mapping[str, str] = field(default_factory=dict)  # declared topic → why it was not compared
    names: tuple[str, ...] = ()  # the declared topics that were looked at
    gone: tuple[str, ...] = ()  # topics that are declared as removed and are not on the cluster

    @property
    def declared(self) -> int:
        """How many declared topics were looked at."""
        return len(self.names)

    @property
    def everything(self) -> tuple[Change, ...]:
        """The changes that would make the cluster as declared, and those that would remove undeclared overrides."""
        return (*self.changes, *self.overrides)

    @property
    def differing(self) -> frozenset[str]:
        """The topics that differ from what is declared; those that are missing or should be gone among them."""
        return frozenset(change.topic for change in self.changes)

    @property
    def overridden(self) -> frozenset[str]:
        """The declared topics that differ in nothing but settings that are not declared."""
        return frozenset(change.topic for change in self.overrides) - self.differing - frozenset(self.unreadable)

    @property
    def equal(self) -> int:
        """How many declared topics are exactly as declared."""
        return len(frozenset(self.names) - self.differing - self.overridden - frozenset(self.unreadable))

    @property
    def risks(self) -> tuple[Risk, ...]:
        """The risks that would have to be allowed to apply all that can be applied, in the order of --allow."""
        asked = {risk for change in self.changes if not change.impossible for risk in change.risks}
        return tuple(risk for risk in Risk if risk in asked)


def with_topic_ids(plan: Plan, ids: Mapping[str, str]) -> Plan:
    """The plan whose risky changes are those of topics with these ids."""

    def marked(changes: Iterable[Change]) -> tuple[Change, ...]:
        return tuple(replace(c, topic_id=ids.get(c.topic, "")) if c.risks else c for c in changes)

    return replace(plan, changes=marked(plan.changes), overrides=marked(plan.overrides))


def make_plan(
    catalog: Catalog,
    live: Mapping[str, LiveTopic],
    *,
    only: str | None = None,
    unreadable: Mapping[str, str] | None = None,
    default_replication: int | None = None,
) -> Plan:
    """Compare the catalogue with the cluster's topics.

    `only` limits both sides to topics that match a glob. `unreadable` names declared topics the broker would not
    show, with the reason: they are neither created nor called equal. `default_replication` is what the broker gives a
    new topic that declares none; None where it is not known.
    """

    def selected(name: str) -> bool:
        return only is None or fnmatchcase(name, only)

    known = catalog.topics.keys() | catalog.removed.keys()
    hidden = {name: why for name, why in (unreadable or {}).items() if name in known and selected(name)}
    declared = [topic for name, topic in catalog.topics.items() if selected(name)]
    changes: list[Change] = []
    overrides: list[Change] = []
    for topic in declared:
        if topic.name in hidden:
            continue
        found = live.get(topic.name)
        if found is None:
            impossible = _short_of_replicas(_min_isr(topic.config), topic.replication or default_replication)
            changes.append(Change(topic.name, "create", impossible=impossible, declared=topic, position=topic.position))
            continue
        changes.extend(_differences(topic, found))
        if found.config is None:
            hidden[topic.name] = "no permission to read its settings"
        else:
            overrides.extend(_undeclared_overrides(topic, found.config, found.replication[0]))
    changes.extend(
        Change(name, "delete", risks=frozenset({Risk.DELETE}), position=position, was=live[name])
        for name, position in catalog.removed.items()
        if name in live and selected(name) and not is_internal(name)
    )
    return Plan(
        changes=tuple(changes),
        overrides=tuple(overrides),
        undeclared=tuple(sorted(filter(selected, _undeclared(catalog, live)))),
        unreadable=hidden,
        names=tuple(topic.name for topic in declared),
        gone=tuple(name for name in catalog.removed if name not in live and selected(name)),
    )


def require_chosen(catalog: Catalog, only: str | None) -> list[Topic]:
    """The declared topics that match `only`. Raises UsageError where nothing that is declared does."""
    chosen = [topic for name, topic in catalog.topics.items() if only is None or fnmatchcase(name, only)]
    if only is not None and not chosen and not any(fnmatchcase(name, only) for name in catalog.removed):
        raise UsageError(
            f"No topic in {catalog.path} matches --only {only}.{suggest(only, catalog.topics, quoted=False)}",
            hint="Nothing was compared, nothing was changed.",
        )
    return chosen


def _undeclared(catalog: Catalog, live: Iterable[str]) -> Iterator[str]:
    for name in live:
        known = name in catalog.topics or name in catalog.removed or is_internal(name)
        if not known and not any(fnmatchcase(name, glob) for glob in catalog.ignore):
            yield name


def _differences(topic: Topic, live: LiveTopic) -> Iterator[Change]:
    have = len(live.partitions)
    if topic.partitions is not None and topic.partitions != have:
        yield _partitions(topic, have)
    fewest, most = live.replication
    if topic.replication is not None and (fewest, most) != (topic.replication, topic.replication):
        yield Change(
            topic.name,
            "replication",
            key="replication",
            old=str(fewest) if fewest == most else f"{fewest}–{most}",
            new=str(topic.replication),
            risks=frozenset({Risk.REPLICATION}) | _lowering_risks(topic, live),
            impossible=_left_short(topic, live),
            declared=topic,
            position=topic.position,
        )
    if live.config is None:
        return
    for key, wanted in sorted(topic.config.items()):
        current = live.config.get(key)
        if current is not None and key in THROTTLED_REPLICAS and _entries(wanted) <= _entries(current.value or ""):
            continue
        if current is None or not same_value(key, current.value, wanted):
            old = current.value if current else None
            yield Change(
                topic.name,
                "config",
                key=key,
                old=old,
                new=wanted,
                risks=_risks(key, old, wanted, fewest) | _raised_first(key, topic, fewest),
                impossible=_short_of_replicas(_min_isr(topic.config), max(fewest, topic.replication or 0))
                if key == _MIN_ISR
                else "",
                declared=topic,
                position=topic.position,
                own=current is not None and current.overridden,
            )


_MIN_ISR = "min.insync.replicas"


def _risks(key: str, old: str | None, new: str, replicas: int) -> frozenset[Risk]:
    """The risks of one setting in a topic with so many replicas: all of them in sync are as safe as it gets."""
    if key == _MIN_ISR and _min_isr({key: new}) >= replicas:
        return frozenset()
    return config_risks(key, old, new)


def _raised_first(key: str, topic: Topic, fewest: int) -> frozenset[Risk]:
    """What has to be allowed besides, where a setting can only be met by replicas that are still to come."""
    waits = key == _MIN_ISR and fewest < _min_isr(topic.config)
    return frozenset({Risk.REPLICATION}) if waits else frozenset()


def waits_for_replicas(change: Change) -> bool:
    """Whether a change of a setting has to wait until the topic's replicas are raised."""
    return change.kind == "config" and change.key == _MIN_ISR and Risk.REPLICATION in change.risks


def _lowering_risks(topic: Topic, live: LiveTopic) -> frozenset[Risk]:
    """What the setting risks that has to be lowered before the replicas are; none where it can stay."""
    current = (live.config or {}).get(_MIN_ISR)
    if current is None or _min_isr({_MIN_ISR: current.value}) <= (topic.replication or 0):
        return frozenset()
    if _MIN_ISR in topic.config:
        return _risks(_MIN_ISR, current.value, topic.config[_MIN_ISR], live.replication[0])
    return frozenset({Risk.OVERRIDES}) | config_risks(_MIN_ISR, current.value, current.default)


def _left_short(topic: Topic, live: LiveTopic) -> str:
    """Why so few replicas as are declared cannot meet what the topic asks of them; "" where they can."""
    current = (live.config or {}).get(_MIN_ISR)
    otherwise = {_MIN_ISR: current.default if current else None}
    needed = _min_isr(topic.config if _MIN_ISR in topic.config else otherwise)
    return _short_of_replicas(needed, topic.replication)


def _min_isr(config: Mapping[str, str | None]) -> int:
    text = config.get(_MIN_ISR) or ""
    return int(text) if is_number(text) else 1


def _short_of_replicas(needed: int, replicas: int | None) -> str:
    """Why min.insync.replicas cannot be met by so many replicas; "" where it can be, or where that is not known.

    Kafka takes such a setting. Before 3.7 it then refuses every acks=all write; later it asks for no more than there
    are (Partition.effectiveMinIsr).
    """
    if replicas is None or needed <= replicas:
        return ""
    have = many(replicas, "replica")
    return (
        f"{_MIN_ISR} {needed} is more than the {have} of each partition: "
        f"declare {_MIN_ISR} {replicas}, or more replicas"
    )


def _partitions(topic: Topic, have: int) -> Change:
    wanted = topic.partitions or 0
    impossible = ""
    if wanted < have:
        impossible = (
            f"Kafka cannot remove partitions: declare {have}, "
            "or create a new topic, move producers and consumers to it, and delete this one"
        )
    return Change(
        topic.name,
        "partitions",
        key="partitions",
        old=str(have),
        new=str(wanted),
        risks=frozenset({Risk.PARTITIONS}),
        impossible=impossible,
        declared=topic,
        position=topic.position,
    )


def _undeclared_overrides(topic: Topic, config: Mapping[str, ConfigValue], replicas: int) -> Iterator[Change]:
    for key, current in sorted(config.items()):
        of_a_move = key in THROTTLED_REPLICAS  # whoever moves replicas sets them, and takes them away
        if (
            not current.overridden
            or key in topic.config
            or of_a_move
            or same_value(key, current.value, current.default)
        ):
            continue
        yield Change(
            topic.name,
            "override",
            key=key,
            old=current.value,
            new=current.default,
            risks=frozenset({Risk.OVERRIDES}) | config_risks(key, current.value, current.default),
            impossible=_short_of_replicas(_min_isr({key: current.default}), replicas),
            declared=topic,
            position=topic.position,
        )


_SETS = {"cleanup.policy", *THROTTLED_REPLICAS}


def _entries(text: str) -> set[str]:
    return {part.strip() for part in text.split(",")}


def same_value(key: str, one: str | None, other: str | None) -> bool:
    """Whether two spellings mean the same to Kafka: 1 and 1.0, `compact,delete` and `delete,compact`."""
    if one == other or one is None or other is None:
        return one == other
    if key in _SETS:
        return _entries(one) == _entries(other)
    try:
        return float(one) == float(other) if "." in one + other else int(one) == int(other)
    except ValueError:
        return one.strip().lower() == other.strip().lower() if {one.lower(), other.lower()} <= _BOOLEANS else False


_BOOLEANS = {"true", "false"}
