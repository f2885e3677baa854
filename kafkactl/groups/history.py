"""Groups looked at again and again: what the last looks say together, and what changed. Pure."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kafkactl.groups.lag import lag_of
from kafkactl.groups.model import CommitLook, Group, Sample
from kafkactl.groups.observation import CommitLooks, Observation, changes_of_topics, unrest
from kafkactl.groups.reasons import above, word
from kafkactl.groups.report import Report
from kafkactl.groups.speed import COMMIT_INTERVAL
from kafkactl.topics import Place

# The window (s) for trends: a healthy consumer commits at least once in it.
WINDOW = COMMIT_INTERVAL + 10
_APART = 5.0  # seconds between two samples that are kept: samples of a large cluster are large
_LAGS = 24  # how many lags of each group are kept


class History:
    """The looks of the last seconds. Not frozen: it grows by each look, and forgets the old ones."""

    def __init__(self) -> None:
        self._kept: deque[Sample] = deque()
        self._looks: deque[tuple[int, frozenset[str]]] = deque()
        self._commits: deque[tuple[int, dict[str, dict[Place, int]]]] = deque()
        self._lags: dict[str, deque[int]] = {}
        self._last: Sample | None = None
        self.news: list[str] = []  # what became of the topics that are read, between the last two samples

    @property
    def before(self) -> Sample | None:
        """The sample that the next one will be compared with."""
        return self._kept[0] if self._kept else None

    def add(self, now: Sample) -> Observation:
        """What this sample and those before it say together."""
        oldest = now.taken - WINDOW * 1000
        while len(self._kept) > 1 and self._kept[1].taken <= oldest:
            self._kept.popleft()
        self._looks.append((now.taken, frozenset(group.id for group in now.groups if group.rebalancing)))
        self._commits.append((now.taken, {group.id: _committed(group) for group in now.groups if _lags(group)}))
        while self._looks[0][0] < oldest:
            self._looks.popleft()
        self.news = changes_of_topics(self._last, now) if self._last else []
        self._last = now
        seen, begun = unrest(look for _, look in self._looks)
        observed = Observation(now, self.before, len(self._looks), seen, begun, self._commits_between(now))
        if not self._kept or now.taken - self._kept[-1].taken >= _APART * 1000:
            self._kept.append(now)
        self._lags = {
            found.group: deque([*self._lags.get(found.group, ()), found.lag], _LAGS) for found in observed.verdicts
        }
        return observed

    def _commits_between(self, now: Sample) -> Mapping[str, Sequence[CommitLook]]:
        if self.before is None:
            return {}
        while self._commits[0][0] <= self.before.taken and self._commits[0][0] < now.taken:
            self._commits.popleft()
        found = CommitLooks(self.before)
        for taken, commits in self._commits:
            if taken < now.taken:
                found.add(taken, commits)
        return found.found

    def lags(self, group: str) -> Sequence[int]:
        """A group's lags, the latest last."""
        return tuple(self._lags.get(group, ()))


def _lags(group: Group) -> bool:
    return any(map(lag_of, group.partitions))


def _committed(group: Group) -> dict[Place, int]:
    return {p.place: p.committed for p in group.partitions if p.committed is not None}


class VerdictChange(NamedTuple):
    """A group that is not as it was; "" where it was, or is, not there."""

    group: str
    old: str
    new: str


def states(found: Report) -> dict[str, str]:
    """How each group is, in a word or two."""
    return {line.group.id: ", ".join(dict.fromkeys(filter(None, (word(line), above(line))))) for line in found.lines}


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[VerdictChange]:
    """What differs between two such, by group."""
    return [
        VerdictChange(group, old.get(group, ""), new.get(group, ""))
        for group in sorted(old.keys() | new.keys())
        if old.get(group) != new.get(group)
    ]


def sparkline(values: Sequence[int], marks: str = "▁▂▃▄▅▆▇█") -> str:
    """Values as a little picture, each as high as its share of the largest."""
    most = max(values, default=0)
    return "".join(marks[0 if not most else value * (len(marks) - 1) // most] for value in values)
