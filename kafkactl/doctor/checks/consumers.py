"""KD6: do the consumer groups read what is there for them? What a single snapshot shows. Pure."""

from collections.abc import Iterable, Iterator

from kafkactl.doctor.codes import Finding, NotApplicableError, Severity, check
from kafkactl.doctor.facts import Facts
from kafkactl.groups.advice import advice, reset_to_earliest, tail_one
from kafkactl.groups.model import Group
from kafkactl.groups.observation import Observation
from kafkactl.groups.report import lines
from kafkactl.groups.verdict import PartitionVerdict, Verdict
from kafkactl.text.remedies import Advice, Remedy, kafkactl
from kafkactl.text.words import NAMED, and_more, many, up_to


def observation(facts: Facts) -> Observation:
    """The groups as they were seen. Raises NotApplicableError where they could not be read."""
    if facts.groups is None:
        raise NotApplicableError(facts.missing.get("groups", "the groups were not read"))
    return facts.groups


def or_partial(facts: Facts, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; if there are none but some brokers did not answer, the check is skipped instead of passed."""
    found = list(findings)
    missing = dict(observation(facts).now.missing)
    missing |= {group.id: group.missing for group in observation(facts).now.groups if group.missing}
    missing |= {why: why for why in observation(facts).now.hidden}
    if missing and not found:
        raise NotApplicableError(f"only some groups could be read: {and_more(missing.values())}")
    yield from found


def judged(facts: Facts, verdict: Verdict) -> Iterator[tuple[Group, list[PartitionVerdict]]]:
    """The groups with partitions of this verdict, and these partitions."""
    for group, found in observation(facts).judged:
        if partitions := [partition for partition in found.partitions if partition.verdict == verdict]:
            yield group, partitions


def place(partition: PartitionVerdict) -> str:
    """topic[partition], as everywhere."""
    return str(partition.place)


def offsets(group: Group, partition: PartitionVerdict) -> tuple[int, int, int]:
    """Committed, first and end offset of a partition whose verdict needed all three."""
    found = next(p for p in group.partitions if p.place == partition.place)
    return found.committed or 0, found.first or 0, found.end or 0


def seen(group: Group, partitions: Iterable[PartitionVerdict]) -> list[tuple[str, str]]:
    """One line for each of the first partitions: the group's committed offset, and the partition's offsets."""
    lines = []
    for partition in list(partitions)[:NAMED]:
        committed, first, end = offsets(group, partition)
        lines.append(("seen", f"{place(partition)}: committed {committed:,}; the log spans {first:,} to {end:,}"))
    return lines


def worst_of(partitions: Iterable[PartitionVerdict]) -> PartitionVerdict:
    """The partition with the largest lag."""
    return max(partitions, key=lambda partition: partition.lag or 0)


def waiting(partitions: Iterable[PartitionVerdict]) -> dict[str, object]:
    """How many records wait in all, at most, as the texts of the codes say it."""
    lag = sum(partition.lag or 0 for partition in partitions)
    return {"lag": up_to(lag), "waits": "waits" if lag == 1 else "wait"}


@check("KD601")
def below_log(facts: Facts) -> Iterator[Finding]:
    yield from or_partial(facts, (_below_log(*found) for found in judged(facts, "OUT_OF_RANGE")))


def _below_log(group: Group, partitions: list[PartitionVerdict]) -> Finding:
    worst = max(partitions, key=lambda partition: partition.lost)
    lost = sum(partition.lost for partition in partitions)
    _, first, end = offsets(group, worst)
    return Finding(
        group.id,
        {"lost": many(lost, "record"), "places": and_more(map(place, partitions))},
        seen(group, partitions),
        heal=[
            _shown(worst, first, end, "shows the first available record"),
            Advice(
                f"start the consumers of {group.id} with auto.offset.reset=earliest: they continue at the first "
                "available record"
            ),
            Advice("with latest, the default, they would skip the remaining records as well"),
        ],
    )


def _shown(partition: PartitionVerdict, first: int, end: int, note: str) -> Remedy:
    """The command that shows the record at the start of a partition, if there is one."""
    if first >= end:
        return Advice(f"{partition.topic} holds no records now")
    return tail_one(partition.place, first, note=note)


@check("KD602")
def above_end(facts: Facts) -> Iterator[Finding]:
    yield from or_partial(facts, (_above_end(*found) for found in judged(facts, "AHEAD")))


def _above_end(group: Group, partitions: list[PartitionVerdict]) -> Finding:
    worst = partitions[0]
    committed, first, end = offsets(group, worst)
    ids = [partition.partition for partition in partitions if partition.topic == worst.topic]
    return Finding(
        group.id,
        {"places": and_more(map(place, partitions)), "committed": f"{committed:,}", "end": f"{end:,}"},
        seen(group, partitions),
        heal=[
            _shown(worst, first, end, "shows the first record"),
            Advice(f"stop the consumers of {group.id}, reset it to the start, and restart them:"),
            reset_to_earliest(group.id, worst.topic, ids, "--yes"),
        ],
    )


@check("KD603")
def no_members(facts: Facts) -> Iterator[Finding]:
    yield from or_partial(facts, _no_members(facts))


def _no_members(facts: Facts) -> Iterator[Finding]:
    severities = group_severities(facts)
    for group, partitions in judged(facts, "STOPPED"):
        read = {topic for member in group.members for topic, _ in member.assigned}
        # Members that unsubscribed from a whole topic leave its commits behind: worth knowing, but not a fault.
        given_up = bool(group.members) and not read & {partition.topic for partition in partitions}
        worst = worst_of(partitions)
        committed, _, _ = offsets(group, worst)
        yield Finding(
            group.id,
            {
                **waiting(partitions),
                "places": and_more(map(place, partitions)),
                "nobody": "none of its members reads them" if group.members else "it has no members",
                "topic": worst.topic,
                "partition": worst.partition,
                "committed": committed,
            },
            [("seen", f"the group is {group.state}"), *seen(group, partitions)],
            severity="info" if given_up else severities.get(group.id),
        )


def group_severities(facts: Facts) -> dict[str, Severity]:
    """The groups of which `lag` says that they are an error: both judge by one function."""
    return {line.group.id: "error" for line in lines(observation(facts), facts.thresholds) if line.level == "error"}


@check("KD609")
def above_threshold(facts: Facts) -> Iterator[Finding]:
    yield from or_partial(facts, _above_threshold(facts))


def _above_threshold(facts: Facts) -> Iterator[Finding]:
    for line in lines(observation(facts), facts.thresholds):  # the worst first
        if not line.passed:
            continue
        worst = max(line.passed, key=lambda passed: passed.lag)
        lagging = [partition for partition in line.judged.partitions if partition.lag]
        yield Finding(
            line.group.id,
            {
                "number": f"{worst.lag:,}",
                "places": and_more(map(place, lagging)),
                "limit": f"{worst.limit:,}",
                "what": f" in {worst.topic}" if worst.topic else "",
            },
            seen(line.group, [worst_of(lagging)]),
            heal=advice(line) or None,
        )


@check("KD606")
def idle_members(facts: Facts) -> Iterator[Finding]:
    yield from or_partial(facts, _idle_members(observation(facts)))


def _idle_members(observed: Observation) -> Iterator[Finding]:
    for group in observed.now.groups:
        idle = [member for member in group.members if not member.assigned]
        if group.state == "Stable" and idle:
            busy = len(group.members) - len(idle)
            values = {
                "idle": many(len(idle), "member"),
                "are": "is" if len(idle) == 1 else "are",
                "partitions": many(sum(len(member.assigned) for member in group.members), "partition"),
                "busy": many(busy, "member"),
            }
            yield Finding(group.id, values, [("seen", and_more(f"{m.client} ({m.host})" for m in idle))])


@check("KD607")
def no_group(facts: Facts) -> Iterator[Finding]:
    observed = observation(facts)
    there = {group.id for group in observed.now.groups}
    readers: dict[str, tuple[str, list[str]]] = {}
    for topic in facts.declared or ():
        for service, group in topic.consumers.items():
            if group not in there:
                readers.setdefault(group, (service, []))[1].append(topic.name)
    if readers and observed.now.missing:
        raise NotApplicableError(f"only some groups could be read: {and_more(observed.now.missing.values())}")
    quiet: list[str] = []
    unseen: list[str] = []
    for group, (service, topics) in readers.items():
        if kind := observed.now.others.get(group):
            yield Finding(
                group,
                {
                    "headline": f"{service} is declared to read {and_more(topics)}: its group {group} is "
                    f"a {kind}, which kafkactl cannot read, so how far it is behind is not checked.",
                },
                heal=[kafkactl("groups describe", group, note="prints the command of Kafka's own that shows it")],
            )
            continue
        denied = facts.cluster.denied if facts.cluster else {}
        records = {name: _records(facts, name) for name in topics if name not in denied}
        if not any(records.values()):
            (quiet if len(records) == len(topics) else unseen).append(group)
            continue
        filled = [name for name, number in records.items() if number]
        yield Finding(
            group,
            {
                "headline": f"{service} is declared to read {and_more(filled)}, which "
                f"{'holds' if len(filled) == 1 else 'hold'} {up_to(sum(records.values()))}, "
                f"but group {group} does not exist.",
                "remedy": f"start {service}, or correct its group under services: in topics.yaml",
            },
            severity="warning",
        )
    if quiet:
        yield Finding(
            quiet[0] if len(quiet) == 1 else many(len(quiet), "group"),
            {
                "headline": f"There is no group {and_more(quiet)}. The topics are empty.",
                "remedy": "nothing to do: a group appears when its first consumer starts",
            },
        )
    if unseen:
        yield Finding(
            unseen[0] if len(unseen) == 1 else many(len(unseen), "group"),
            {
                "headline": f"There is no group {and_more(unseen)}. Whether records wait in all of its topics is not "
                "known: some are hidden from this user.",
                "remedy": "nothing to do: a group appears when its first consumer starts",
            },
        )


def _records(facts: Facts, name: str) -> int:
    topic = facts.cluster.topic(name) if facts.cluster else None
    return topic.span if topic else 0
