"""What Prometheus is told of consumer groups and of dead letters. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from kafkactl.groups.report import GroupLine, Report
from kafkactl.metrics.model import Family, Labels, single

_PLACE = ("consumergroup", "topic", "partition")
Series = Iterator[tuple[Labels, float]]


def group_families(found: Report) -> Iterator[Family]:
    """The groups. One without a commit has no lag, rather than 0 or the usual exporter's -1."""
    lines = found.lines
    yield Family("kafka_consumergroup_members", "Members of the group.", ("consumergroup",), _members(lines))
    yield Family(
        "kafka_consumergroup_current_offset", "Committed offset: the one the group reads next.", _PLACE, _offsets(lines)
    )
    yield Family(
        "kafka_consumergroup_current_offset_sum", "Sum of these over a topic.", _PLACE[:2], _sums(_offsets(lines))
    )
    yield Family("kafka_consumergroup_lag", "Offsets the group has yet to read.", _PLACE, _lags(lines))
    yield Family("kafka_consumergroup_lag_sum", "Sum of these over a topic.", _PLACE[:2], _sums(_lags(lines)))
    yield Family(
        "kafkactl_group_behind_seconds",
        "Seconds since the oldest record that waits for the group was written, as far as that is known.",
        ("consumergroup",),
        (((line.group.id,), line.behind) for line in lines if line.behind is not None),
    )
    yield Family(
        "kafkactl_group_drain_seconds",
        "Seconds until the group has read what waits, at its present speed; +Inf: never.",
        ("consumergroup",),
        (((line.group.id,), line.judged.drained) for line in lines if line.judged.drained is not None),
    )
    yield Family(
        "kafkactl_group_verdict",
        "1 for the group's verdict: the worst of its partitions. service: the declared consumer that should be in it.",
        ("consumergroup", "service", "verdict"),
        (((line.group.id, line.service, _verdict(line)), 1) for line in lines),
    )
    yield Family(
        "kafkactl_group_partitions",
        "The group's partitions by their verdict.",
        ("consumergroup", "service", "verdict"),
        _by_verdict(lines),
    )
    yield Family(
        "kafkactl_group_lag_above_threshold",
        "The lag, where it is above the threshold; topic is empty where the threshold is for the whole group.",
        ("consumergroup", "topic"),
        (((line.group.id, passed.topic), passed.lag) for line in lines for passed in line.passed),
    )
    yield single("kafkactl_lag_complete", "1 if every broker answered, else 0.", int(not found.gaps))


def letter_families(pending: Mapping[str, int], *, complete: bool) -> Iterator[Family]:
    """The dead letters that wait in each topic."""
    if pending:
        yield Family(
            "kafkactl_dead_letters_pending",
            "Dead letters, at most, that nobody has replayed or parked.",
            ("topic",),
            (((topic,), number) for topic, number in pending.items()),
        )
    about = "1 if the dead letters of every topic could be counted, else 0."
    yield single("kafkactl_dead_letters_complete", about, int(complete))


def unknown_of_groups(found: Report) -> dict[str, int]:
    """How much is not known of the groups, by what it is."""
    return {
        "groups": len(found.gaps),
        "group_kinds": len(found.others),
        "lag": sum(line.judged.unknown for line in found.lines),
        "behind": sum(not line.all_known for line in found.lines),
    }


def _members(lines: Iterable[GroupLine]) -> Series:
    for line in lines:
        if line.group.state != "Unknown":
            yield (line.group.id,), len(line.group.members)


def _offsets(lines: Iterable[GroupLine]) -> Series:
    for line in lines:
        for p in line.group.partitions:
            if p.committed is not None:
                yield (line.group.id, p.topic, p.id), p.committed


def _lags(lines: Iterable[GroupLine]) -> Series:
    for line in lines:
        for p in line.judged.partitions:
            if p.lag is not None:
                yield (line.group.id, p.topic, p.partition), p.lag


def _sums(series: Series) -> Series:
    sums: dict[tuple[str | int, str | int], float] = {}
    for (group, topic, _), value in series:
        sums[group, topic] = sums.get((group, topic), 0) + value
    yield from sums.items()


def _verdict(line: GroupLine) -> str:
    return "REBALANCING" if line.restless else line.judged.verdict


def _by_verdict(lines: Iterable[GroupLine]) -> Series:
    for line in lines:
        for verdict, count in sorted(Counter(p.verdict for p in line.judged.partitions).items()):
            yield (line.group.id, line.service, verdict), count
