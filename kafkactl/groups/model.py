"""What is known of consumer groups at one moment. Pure data: written to JSON and read back, it gives the same verdicts.

Offsets count from 0; None is "not known" (or "no commit"), and never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import msgspec

from kafkactl.text.words import many
from kafkactl.topics import Place, TopicIdentity, place_of, recreated_topics

# Kafka's own words. Reconciling stands for both Assigning and Reconciling of KIP-848: librdkafka tells neither.
State = Literal["Stable", "Empty", "Dead", "PreparingRebalance", "CompletingRebalance", "Reconciling", "Unknown"]
Type = Literal["classic", "consumer", "unknown"]

_REBALANCING: tuple[State, ...] = ("PreparingRebalance", "CompletingRebalance", "Reconciling")


@dataclass(frozen=True)
class Waiting:
    """The first record a group has yet to read in a partition, found by looking.

    Both are None if there is none: between the commit and the end there are only transaction markers, records of
    aborted transactions, or the gaps that compaction left.
    """

    offset: int | None = None
    timestamp: int | None = None  # ms since 1970


class Partition(msgspec.Struct, frozen=True):
    """A partition a group has a commit in, or a member for. A struct: there are as many as groups × partitions.

    `committed` is the offset it reads next, None where it has committed nothing. `first` and `end` are the partition's
    offsets, read after the commit; None where the topic is gone or no leader answered. `stable_end`, where it was
    asked for, is how far a reader of committed transactions gets. `waiting` is None where nobody looked. `gone`: there
    is no such partition (any more). `hidden`: this user may not describe the topic, but a member reads it.
    """

    topic: str
    id: int
    committed: int | None
    first: int | None
    end: int | None
    stable_end: int | None = None
    waiting: Waiting | None = None
    gone: bool = False
    hidden: bool = False

    @property
    def place(self) -> Place:
        """The topic's name and the partition's id."""
        return place_of(self.topic, self.id)

    @property
    def readable_end(self) -> int | None:
        """The offset up to which a reader gets: the last stable one where it is known, else the end."""
        return self.end if self.stable_end is None else self.stable_end

    @property
    def held(self) -> int:
        """How many offsets lie behind an open transaction: a reader of committed ones waits for its end."""
        return 0 if self.end is None or self.stable_end is None else max(0, self.end - self.stable_end)

    @property
    def next(self) -> int | None:
        """The offset to read next: the commit, or the first one left where that is gone. None without a commit."""
        committed, first = self.committed, self.first
        return committed if committed is None or first is None or first <= committed else first


@dataclass(frozen=True)
class Member:
    """A consumer in a group, with the partitions it reads. `instance` is its group.instance.id, if it has one."""

    id: str
    client: str
    host: str
    instance: str | None = None
    assigned: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Group:
    """One consumer group. `coordinator` is a broker's id; `missing` says what of it could not be read, and why.

    `partial`: there may be commits in topics that are hidden from this user, besides those in `partitions`.
    """

    id: str
    state: State
    type: Type = "unknown"
    assignor: str = ""
    coordinator: int | None = None
    members: tuple[Member, ...] = ()
    partitions: tuple[Partition, ...] = ()
    missing: str = ""
    partial: bool = False

    @property
    def rebalancing(self) -> bool:
        """Whether it is rebalancing: no members, or not all of them, read meanwhile."""
        return self.state in _REBALANCING

    def owners(self) -> dict[Place, Member]:
        """Who reads each partition."""
        return {place: member for member in self.members for place in member.assigned}


class CommitLook(NamedTuple):
    """What of a group's commits had moved since the look before: partitions with their new offsets."""

    after: int  # ms since the earlier of the two samples
    moved: tuple[tuple[Place, int], ...]


@dataclass(frozen=True)
class Sample:
    """All groups (or those asked for) at one moment. `missing`: who did not answer (a broker, a group), and why.

    An outage is never "no groups": where `missing` says something, there may be more groups than these. `topics`, where
    they were asked for, are all that are there; only those that the groups read with their ids. `others`,
    where they were looked for, are the groups that cannot be read: each name with its kind, such as "share group".
    `hidden` says which topics this user may not describe: commits in those are not told.
    """

    taken: int  # ms since 1970
    groups: tuple[Group, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, TopicIdentity] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    @property
    def read(self) -> frozenset[str]:
        """The topics that the groups have commits in, or members for."""
        return frozenset(partition.topic for group in self.groups for partition in group.partitions)

    def recreated_since(self, before: "Sample") -> frozenset[str]:
        """The topics that are not those they were, as far as that is known."""
        return recreated_topics(before.topics, self.topics)

    def gaps(self) -> list[str]:
        """What is unknown: who did not answer, and why."""
        every = (partition for group in self.groups for partition in group.partitions)
        silent = sum(p.committed is not None and p.end is None and not (p.gone or p.hidden) for p in every)
        places = f"no response from the leader{'s' if silent > 1 else ''} of {many(silent, 'partition')}"
        return [
            *self.missing.values(),
            *self.hidden,
            *(f"{group.id}: {group.missing}" for group in self.groups if group.missing),
            *([places] if silent else []),
        ]

    def of_topic(self, topic: str) -> "Sample":
        """The part about one topic: the groups that read it, and those that could not be read."""
        narrowed = (replace(g, partitions=tuple(p for p in g.partitions if p.topic == topic)) for g in self.groups)
        return replace(self, groups=tuple(group for group in narrowed if group.partitions or group.missing))

    def group(self, id: str) -> Group | None:
        """The group of this id."""
        return next((group for group in self.groups if group.id == id), None)
