"""Groups over some time: one sample or two, and what happened in between. Pure data, as in model."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kafkactl.groups.model import Group, Sample
from kafkactl.groups.verdict import GroupVerdict, judge

_LOOKS = 4  # the minimum number of checks to judge whether a group keeps rebalancing
_RESTLESS = 0.5  # the share of looks in which a group that never settles is rebalancing
_REBALANCES = 3  # as many rebalances in one sample, too


@dataclass(frozen=True)
class Observation:
    """What was seen of the groups: now, and where a sample was taken, how they were before.

    `looks` is how often their states were looked at in between; `unrest` in how many of these looks a group was
    rebalancing, and `rebalances` how many rebalances it was seen to begin.
    """

    now: Sample
    before: Sample | None = None
    looks: int = 0
    unrest: Mapping[str, int] = field(default_factory=dict)
    rebalances: Mapping[str, int] = field(default_factory=dict)

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
        return judge(self.now, self.before)

    @property
    def judged(self) -> Iterator[tuple[Group, GroupVerdict]]:
        """Each group of `now`, and what is judged of it."""
        return zip(self.now.groups, self.verdicts, strict=True)


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
