"""KD6: do the consumer groups read what is there for them? What one look tells. Pure."""

from collections.abc import Iterator, Mapping

from kafkactl.doctor.checks.judged import (
    judged,
    observation,
    offsets,
    or_partial,
    place,
    seen,
    waiting,
    worst_of,
)
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.findings import Check, Finding, NotApplicableError
from kafkactl.groups.advice import to_earliest
from kafkactl.groups.model import Group
from kafkactl.groups.observation import Observation
from kafkactl.groups.verdict import PartitionVerdict
from kafkactl.words import and_more, many


def below_log(facts: Facts) -> Iterator[Finding]:
    """KD601"""
    yield from or_partial(facts, (_below_log(*found) for found in judged(facts, "OUT_OF_RANGE")))


def _below_log(group: Group, partitions: list[PartitionVerdict]) -> Finding:
    worst = max(partitions, key=lambda partition: partition.lost)
    lost = sum(partition.lost for partition in partitions)
    _, first, end = offsets(group, worst)
    shows = f"kafkactl tail {worst.topic} --partition {worst.partition} --offset {first} -c 1 --no-follow"
    return Finding(
        group.id,
        {"lost": many(lost, "record"), "places": and_more(map(place, partitions))},
        seen(group, partitions),
        heal=[
            f"{shows}    shows the first record left" if first < end else f"{worst.topic} holds nothing to read now",
            f"start the consumers of {group.id} with auto.offset.reset=earliest: they go on with the first record left",
            "with latest, the default, they would skip what is left as well",
        ],
    )


def above_end(facts: Facts) -> Iterator[Finding]:
    """KD602"""
    yield from or_partial(facts, (_above_end(*found) for found in judged(facts, "AHEAD")))


def _above_end(group: Group, partitions: list[PartitionVerdict]) -> Finding:
    worst = partitions[0]
    committed, first, end = offsets(group, worst)
    ids = [partition.partition for partition in partitions if partition.topic == worst.topic]
    shows = f"kafkactl tail {worst.topic} --partition {worst.partition} --offset {first} -c 1 --no-follow"
    return Finding(
        group.id,
        {"places": and_more(map(place, partitions)), "committed": f"{committed:,}", "end": f"{end:,}"},
        seen(group, partitions),
        heal=[
            f"{shows}    shows the first record" if first < end else f"{worst.topic} holds nothing to read now",
            f"stop the consumers of {group.id}, send it back to the start, and start them again:",
            f"{to_earliest(group.id, worst.topic, ids)} --yes",
        ],
    )


def no_members(facts: Facts) -> Iterator[Finding]:
    """KD603"""
    yield from or_partial(facts, _no_members(facts))


def _no_members(facts: Facts) -> Iterator[Finding]:
    for group, partitions in judged(facts, "STOPPED"):
        read = {topic for member in group.members for topic, _ in member.assigned}
        # Members that have given up a whole topic leave its commits behind: that is news, and no fault.
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
            severity="info" if given_up else None,
        )


def idle_members(facts: Facts) -> Iterator[Finding]:
    """KD606"""
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


def no_group(facts: Facts) -> Iterator[Finding]:
    """KD607"""
    observed = observation(facts)
    there = {group.id for group in observed.now.groups}
    readers: dict[str, tuple[str, list[str]]] = {}
    for topic in facts.declared or ():
        for service, group in topic.consumers.items():
            if group not in there:
                readers.setdefault(group, (service, []))[1].append(topic.name)
    if readers and observed.now.missing:
        raise NotApplicableError(f"only some groups are known: {and_more(observed.now.missing.values())}")
    quiet = []
    for group, (service, topics) in readers.items():
        records = {name: _records(facts, name) for name in topics}
        if not any(records.values()):
            quiet.append(group)
            continue
        filled = [name for name in topics if records[name]]
        yield Finding(
            group,
            {
                "headline": f"{service} is declared to read {and_more(filled)}, which "
                f"{'holds' if len(filled) == 1 else 'hold'} {many(sum(records.values()), 'record')}, "
                f"and there is no group {group}.",
                "remedy": f"start {service}, or correct its group under services: in topics.yaml",
            },
            severity="warning",
        )
    if quiet:
        yield Finding(
            quiet[0] if len(quiet) == 1 else many(len(quiet), "group"),
            {
                "headline": f"No consumer of {and_more(quiet)} has started yet; their topics are empty.",
                "remedy": "nothing to do: a group appears when its first consumer starts",
            },
        )


def _records(facts: Facts, name: str) -> int:
    topic = facts.cluster.topic(name) if facts.cluster else None
    return topic.records if topic else 0


CHECKS: Mapping[str, Check] = {
    "KD601": below_log,
    "KD602": above_end,
    "KD603": no_members,
    "KD606": idle_members,
    "KD607": no_group,
}
