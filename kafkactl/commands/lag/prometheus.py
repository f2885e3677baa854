"""The groups as metrics for a textfile collector, under the names that kafka_exporter gives them."""

from collections.abc import Iterable, Iterator

from kafkactl.groups.report import Line, Report
from kafkactl.output import say

Labels = dict[str, str | int]


def prometheus(found: Report, brokers: int) -> None:
    """Write the metrics. Where a group has no commit there is no series: that is neither 0 nor the exporter's -1."""
    _metric("kafka_brokers", "Brokers in the cluster.", [({}, brokers)])
    _metric("kafka_consumergroup_members", "Members of the group.", _members(found.lines))
    _metric("kafka_consumergroup_current_offset", "Offset the group reads next.", _offsets(found.lines))
    _metric("kafka_consumergroup_current_offset_sum", "Sum of these over a topic.", _sums(_offsets(found.lines)))
    _metric("kafka_consumergroup_lag", "Offsets that wait for the group.", _lags(found.lines))
    _metric("kafka_consumergroup_lag_sum", "Sum of these over a topic.", _sums(_lags(found.lines)))
    _metric("kafkactl_lag_complete", "1 where every broker answered, else 0.", [({}, int(not found.gaps))])


def _metric(name: str, help: str, series: Iterable[tuple[Labels, int]]) -> None:
    say(f"# HELP {name} {help}")
    say(f"# TYPE {name} gauge")
    for labels, value in series:
        inside = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
        say(f"{name}{{{inside}}} {value}" if inside else f"{name} {value}")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _members(lines: Iterable[Line]) -> Iterator[tuple[Labels, int]]:
    for line in lines:
        if line.group.state != "Unknown":
            yield {"consumergroup": line.group.id}, len(line.group.members)


def _offsets(lines: Iterable[Line]) -> Iterator[tuple[Labels, int]]:
    for line in lines:
        for p in line.group.partitions:
            if p.committed is not None:
                yield {"consumergroup": line.group.id, "topic": p.topic, "partition": p.id}, p.committed


def _lags(lines: Iterable[Line]) -> Iterator[tuple[Labels, int]]:
    for line in lines:
        for p in line.judged.partitions:
            if p.lag is not None:
                yield {"consumergroup": line.group.id, "topic": p.topic, "partition": p.partition}, p.lag


def _sums(series: Iterable[tuple[Labels, int]]) -> Iterator[tuple[Labels, int]]:
    sums: dict[tuple[str | int, str | int], int] = {}
    for labels, value in series:
        key = labels["consumergroup"], labels["topic"]
        sums[key] = sums.get(key, 0) + value
    for (group, topic), value in sums.items():
        yield {"consumergroup": group, "topic": topic}, value
