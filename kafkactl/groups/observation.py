"""Groups over some time: one sample or two, and what happened in between. Pure data, as in model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kafkactl.groups.model import CommitLook, Group, Sample
from kafkactl.groups.verdict import GroupVerdict, judge
from kafkactl.topics import Place, topic_changes

_LOOKS = 4  # the minimum number of checks to judge whether a group keeps rebalancing
_RESTLESS = 0.5  # the share of looks in which a group that never settles is rebalancing
_REBALANCES = 3  # as many rebalances in one sample, too


@dataclass(frozen=True)
class Observation:
    """What was seen of the groups: now, and where a sample was taken, how they were before.

    `looks` is how often their states were looked at in between; `unrest` in how many of these looks a group was
    rebalancing, and `rebalances` how many rebalances it was seen to begin. `commits` are what groups with records
    waiting were seen to commit in between.
    """

    now: Sample
    before: Sample | None = None
    looks: int = 0
    unrest: Mapping[str, int] = field(default_factory=dict)
    rebalances: Mapping[str, int] = field(default_factory=dict)
    commits: Mapping[str, Sequence[CommitLook]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How much time lies between the two samples; 0 where there is one."""
        return (self.now.taken - self.before.taken) / 1000 if self.before else 0.0

    @property
    def tells_restlessness(self) -> bool:
        """Whether there were enough looks to say who does not settle."""
        return self.looks >= _LOOKS

    def restless(self, group: str) -> bool:
        """Whether a group was seen to do little but rebalance."""
        seen, begun = self.unrest.get(group, 0), self.rebalances.get(group, 0)
        return self.tells_restlessness and (seen >= self.looks * _RESTLESS or begun >= _REBALANCES)

    @cached_property
    def verdicts(self) -> tuple[GroupVerdict, ...]:
        """The groups of `now`, in their order, judged."""
        return judge(self.now, self.before, self.commits)

    @property
    def news(self) -> list[str]:
        """What became of the topics that the groups read, between the samples; a sentence each, without full stop."""
        return changes_of_topics(self.before, self.now) if self.before else []

    @property
    def judged(self) -> Iterator[tuple[Group, GroupVerdict]]:
        """Each group of `now`, and what is judged of it."""
        return zip(self.now.groups, self.verdicts, strict=True)


def changes_of_topics(before: Sample, now: Sample) -> list[str]:
    """What became of the topics that the groups read in either sample; nothing where topics were not asked for."""
    if not (before.topics and now.topics):
        return []
    read = before.read | now.read
    then, there = ({name: sample.topics[name] for name in read & sample.topics.keys()} for sample in (before, now))
    return topic_changes(then, there)


class CommitLooks:
    """What groups are seen to commit after a first sample. Not frozen: it grows by each look."""

    def __init__(self, before: Sample) -> None:
        self._taken = before.taken
        self.found: dict[str, list[CommitLook]] = {}
        self._last = {
            group.id: {p.place: p.committed for p in group.partitions if p.committed is not None}
            for group in before.groups
        }

    def add(self, taken: int, commits: Mapping[str, Mapping[Place, int]]) -> None:
        """What was committed at a moment (ms since 1970)."""
        for group, offsets in commits.items():
            last = self._last.setdefault(group, {})
            moved = tuple((place, offset) for place, offset in offsets.items() if last.get(place) != offset)
            last |= moved
            self.found.setdefault(group, []).append(CommitLook(taken - self._taken, moved))


def unrest(looks: Iterable[frozenset[str]]) -> tuple[dict[str, int], dict[str, int]]:
    """From the groups that were rebalancing in each look: in how many looks each was, and how often it began."""
    seen: dict[str, int] = {}
    begun: dict[str, int] = {}
    before: frozenset[str] = frozenset()
    for look in looks:
        for group in look:
            seen[group] = seen.get(group, 0) + 1
            begun[group] = begun.get(group, 0) + (group not in before)
        before = look
    return seen, begun
