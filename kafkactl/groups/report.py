"""The groups as `lag` reports them: each with its verdict, how far behind it is, and whether that is too far. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from kafkactl.groups.lag import behind
from kafkactl.groups.model import Group, Sample
from kafkactl.groups.observation import Observation
from kafkactl.groups.verdict import ERRORS, VERDICTS, GroupVerdict

if TYPE_CHECKING:
    from kafkactl.catalog.model import Catalog

THRESHOLD = 1000  # records; the guide's alert KafkaConsumerLagHigh

Level = Literal["ok", "warning", "error"]


class Passed(NamedTuple):
    """A threshold that was passed: by all that waits for a group, or by what waits in one topic."""

    topic: str  # "" for the whole group
    lag: int
    limit: int


@dataclass(frozen=True)
class Thresholds:
    """From which lag (records) on a group is too far behind, and which groups must have members while records wait.

    A topic's threshold is for what a group lags in it; the group's own, else the default, for all the rest it reads.
    `declared` are the groups of declared consumers, each with its service.
    """

    default: int = THRESHOLD
    groups: Mapping[str, int] = field(default_factory=dict)
    topics: Mapping[str, int] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)

    def passed(self, judged: GroupVerdict) -> tuple[Passed, ...]:
        """The thresholds that a group's lag is above."""
        lags: dict[str, int] = {} if self.topics else {"": judged.lag}
        for partition in judged.partitions if self.topics else ():
            topic = partition.topic if partition.topic in self.topics else ""
            lags[topic] = lags.get(topic, 0) + (partition.lag or 0)
        limits = {"": self.groups.get(judged.group, self.default), **self.topics}
        return tuple(Passed(topic, lag, limits[topic]) for topic, lag in lags.items() if lag > limits[topic])


def thresholds(catalog: "Catalog | None", given: int | None) -> Thresholds:
    """What was typed, for everything; else what topics.yaml declares, and the guide's alert for the rest."""
    if catalog is None:
        return Thresholds(THRESHOLD if given is None else given)
    consumers = {consumer for topic in catalog.topics.values() for consumer in topic.consumers if consumer != "*"}
    declared = {catalog.service(consumer).group: consumer for consumer in sorted(consumers)}
    if given is not None:
        return Thresholds(given, declared=declared)
    services = (service for service in catalog.services.values() if service.lag_threshold is not None)
    return Thresholds(
        groups={service.group: service.lag_threshold or 0 for service in services},
        topics={name: t.lag_threshold for name, t in catalog.topics.items() if t.lag_threshold is not None},
        declared=declared,
    )


@dataclass(frozen=True)
class GroupLine:
    """One group of the report.

    `behind` is in seconds, None where not known; `all_known` is whether it holds for every partition that lags, or may
    be more. `restless`: in how many of the looks over the sample the group was rebalancing, where it does not settle.
    """

    group: Group
    judged: GroupVerdict
    behind: float | None
    all_known: bool
    passed: tuple[Passed, ...] = ()
    restless: str = ""
    service: str = ""  # the declared consumer that should be in it

    @property
    def level(self) -> Level:
        """How bad it is: an error makes the exit code 1."""
        neglected = self.judged.verdict == "STOPPED" and bool(self.service) and not self.group.members
        if self.passed or self.restless or neglected or self.judged.verdict in ERRORS:
            return "error"
        return "ok" if self.judged.verdict == "OK" else "warning"


class Absent(NamedTuple):
    """A group that does not exist, and the declared consumers that would be in it.

    `kind`: it does exist, but is of a kind that cannot be read, such as a share group.
    """

    group: str
    services: tuple[str, ...]
    topics: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Report:
    """All of it: the groups with the worst first, declared ones that are not there, and what is not known."""

    taken: int  # ms since 1970
    seconds: float  # between the two looks; 0 where there was one
    lines: tuple[GroupLine, ...]
    absent: tuple[Absent, ...] = ()
    gaps: tuple[str, ...] = ()
    news: tuple[str, ...] = ()  # what became of the topics between the samples
    others: Mapping[str, str] = field(default_factory=dict)  # groups that cannot be read, with their kinds


def make_report(
    observed: Observation, catalog: "Catalog | None", threshold: int | None, *, everything: bool = True
) -> Report:
    """What was seen of the groups; with `everything` also who is declared and has no group."""
    return Report(
        observed.now.taken,
        observed.seconds,
        tuple(lines(observed, thresholds(catalog, threshold))),
        tuple(absent(catalog, observed.now)) if everything else (),
        tuple(observed.now.gaps()),
        tuple(observed.news),
        observed.now.others,
    )


def lines(observed: Observation, limits: Thresholds) -> list[GroupLine]:
    """The groups, the worst first."""
    found = [_line(group, judged, observed, limits) for group, judged in observed.judged]
    return sorted(found, key=_badness, reverse=True)


def _line(group: Group, judged: GroupVerdict, observed: Observation, limits: Thresholds) -> GroupLine:
    seconds, known = _behind(group, judged, observed.now.taken)
    restless = f"{observed.unrest[group.id]} of {observed.looks} checks" if observed.restless(group.id) else ""
    return GroupLine(group, judged, seconds, known, limits.passed(judged), restless, limits.declared.get(group.id, ""))


def _behind(group: Group, judged: GroupVerdict, taken: int) -> tuple[float | None, bool]:
    """How far behind a group is: as far as its partition that is most so. And whether that is known of all of them."""
    pairs = zip(group.partitions, judged.partitions, strict=True)
    waits = [behind(partition, verdict.lag, taken) for partition, verdict in pairs if verdict.lag]
    known = [seconds for seconds in waits if seconds is not None]
    if not waits:
        return 0.0, True
    return max(known, default=None), len(known) == len(waits)


def _badness(line: GroupLine) -> tuple[int, int, int, float]:
    level = ("ok", "warning", "error").index(line.level)
    return level, VERDICTS.index(line.judged.verdict), line.judged.lag, line.behind or 0.0


def absent(catalog: "Catalog | None", sample: Sample) -> list[Absent]:
    """Declared consumers whose group does not exist; empty if some broker did not answer, since they may exist then."""
    if catalog is None or sample.missing:
        return []
    there = {group.id for group in sample.groups}
    readers: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for name, topic in catalog.topics.items():
        for consumer in topic.consumers:
            service = catalog.service(consumer)
            if consumer == "*" or service.group in there:
                continue
            services, read = readers.setdefault(service.group, ({}, {}))
            services[service.name] = None
            read[name] = None
    return [
        Absent(group, tuple(services), tuple(read), sample.others.get(group, ""))
        for group, (services, read) in sorted(readers.items())
    ]
