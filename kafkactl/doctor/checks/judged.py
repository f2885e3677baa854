"""What the checks of groups share: the groups as they were seen, judged, and in words. Pure."""

from collections.abc import Iterable, Iterator

from kafkactl.doctor.facts import Facts
from kafkactl.doctor.findings import Finding, NotApplicableError
from kafkactl.groups.model import Group
from kafkactl.groups.observation import Observation
from kafkactl.groups.verdict import PartitionVerdict, Verdict
from kafkactl.groups.words import name
from kafkactl.words import NAMED, and_more, many


def observation(facts: Facts) -> Observation:
    """The groups as they were seen. Raises NotApplicableError where they could not be read."""
    if facts.groups is None:
        raise NotApplicableError(facts.missing.get("groups", "the groups were not read"))
    return facts.groups


def or_partial(facts: Facts, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; where there is none and not everybody answered, nothing is said to be well."""
    found = list(findings)
    missing = dict(observation(facts).now.missing)
    missing |= {group.id: group.missing for group in observation(facts).now.groups if group.missing}
    if missing and not found:
        raise NotApplicableError(f"only some groups are known: {and_more(missing.values())}")
    yield from found


def judged(facts: Facts, verdict: Verdict) -> Iterator[tuple[Group, list[PartitionVerdict]]]:
    """The groups with partitions of this verdict, and these partitions."""
    for group, found in observation(facts).judged:
        if partitions := [partition for partition in found.partitions if partition.verdict == verdict]:
            yield group, partitions


def place(partition: PartitionVerdict) -> str:
    """topic[partition], as everywhere."""
    return name(partition.place)


def offsets(group: Group, partition: PartitionVerdict) -> tuple[int, int, int]:
    """Committed, first and end offset of a partition whose verdict needed all three."""
    found = next(p for p in group.partitions if p.place == partition.place)
    return found.committed or 0, found.first or 0, found.end or 0


def seen(group: Group, partitions: Iterable[PartitionVerdict]) -> list[tuple[str, str]]:
    """One line for each of the first partitions: where the group stands, and what is there."""
    lines = []
    for partition in list(partitions)[:NAMED]:
        committed, first, end = offsets(group, partition)
        lines.append(("seen", f"{place(partition)}: committed {committed:,}; the log is {first:,} to {end:,}"))
    return lines


def worst_of(partitions: Iterable[PartitionVerdict]) -> PartitionVerdict:
    """The one where most waits."""
    return max(partitions, key=lambda partition: partition.lag or 0)


def waiting(partitions: Iterable[PartitionVerdict]) -> dict[str, object]:
    """How many records wait in all, as the texts of the codes say it."""
    lag = sum(partition.lag or 0 for partition in partitions)
    return {"lag": many(lag, "record"), "waits": "waits" if lag == 1 else "wait"}
