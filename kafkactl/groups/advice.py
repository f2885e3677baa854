"""What to do about a group: the guide's checklist (消费者 Lag 过高) with the group's figures. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence

from kafkactl.groups.model import Group
from kafkactl.groups.reasons import facts_of, of, places, readers_of
from kafkactl.groups.report import GroupLine
from kafkactl.groups.speed import COMMIT_INTERVAL, LONG_SAMPLE
from kafkactl.groups.verdict import GroupVerdict, PartitionVerdict, Verdict, read_rate
from kafkactl.text.remedies import Advice, Command, Remedy, kafkactl
from kafkactl.text.words import many, sentence, that_wait
from kafkactl.topics import Place, in_short

_HOT = 0.8  # a partition with this share of a topic's lag holds the group up
_CLIENTS = 3
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")

Found = Sequence[PartitionVerdict]


def advice(line: GroupLine) -> list[Remedy]:
    """What to do about a group; empty if nothing needs to be done."""
    if line.restless:
        return _restless(line)
    verdict = line.judged.verdict
    if verdict == "OK" and not line.passed:
        return []
    told = _ADVICE.get(verdict)
    return told(line, of(line.judged, verdict)) if told else []


def _slow(line: GroupLine, _: Found) -> list[Remedy]:
    return to_keep_up(line.group, line.judged)


def to_keep_up(group: Group, judged: GroupVerdict) -> list[Remedy]:
    """What a group with SLOW partitions needs to read as fast as records arrive, in its worst topic."""
    worst = of(judged, "SLOW")[0]
    topic = worst.topic
    of_topic = [partition for partition in judged.partitions if partition.topic == topic]
    rate_in = sum(partition.rate_in or 0 for partition in of_topic)
    rate_out = read_rate(judged, of_topic)
    lag = sum(partition.lag or 0 for partition in of_topic)
    readers, partitions = readers_of(group, topic)
    first = f"It reads {rate_out:,.0f}/s of {topic}, but {rate_in:,.0f}/s arrive"
    if partitions > 1 and (worst.lag or 0) >= _HOT * lag:
        share = f"All of its lag ({lag:,})" if worst.lag == lag else f"{worst.lag:,} of its lag of {lag:,}"
        return [
            Advice(
                f"{first}. {share} is in {worst.place}, which only one member can read, so more "
                "members do not help. Make the handler faster, or spread the keys that are written there."
            ),
        ]
    needed = math.ceil(readers * rate_in / rate_out) if rate_out else readers + 1
    if readers < partitions:
        enough = f"about {needed} would keep up" if needed <= partitions else "that may not be enough"
        return [
            Advice(
                f"{first}, with {many(readers, 'member')} on {many(partitions, 'partition')}. Start more members, "
                f"up to {partitions}; at this rate {enough}. Or make the handler faster."
            ),
        ]
    larger = partitions * max(2, math.ceil(needed / partitions))
    return [
        Advice(
            f"{first}, with {many(readers, 'member')} on {many(partitions, 'partition')}: a {_ordinal(readers + 1)} "
            f"would be idle. Make the handler faster, or first raise {topic} to {larger} partitions in topics.yaml "
            f"(breaks key order) and then run about {many(needed, 'member')}:"
        ),
        kafkactl("init-topics", options=["--allow", "partitions"]),
    ]


def _stalled(line: GroupLine, found: Found) -> list[Remedy]:
    worst = found[0]
    owner = worst.owner
    who = f"Member {owner.client} ({owner.id} at {owner.host}) holds" if owner else "No member of the group owns"
    lag = that_wait(sum(partition.lag or 0 for partition in found))
    return [
        Advice(
            f"{who} {in_short(places(found))} and has committed nothing for {worst.still:.0f} s, while {lag}. "
            "Check the record it is stuck on and its log, then restart it:"
        ),
        _tail(line, worst),
    ]


def _stopped(line: GroupLine, found: Found) -> list[Remedy]:
    group = line.group
    lag = sum(partition.lag or 0 for partition in found)
    waits = sentence(that_wait(lag))
    if not group.members and line.service:
        return [
            Advice(
                f"{waits}, but the group has no members. Start {line.service}; if it is running, see in its log why "
                "it is not in the group. What Kafka knows of the group:"
            ),
            kafkactl("groups describe", group.id),
        ]
    if not group.members:
        return [
            Advice(
                f"{waits}, but the group has no members. Start its consumers or, if it is no longer used, delete it:"
            ),
            kafkactl("groups delete", group.id, options=["--allow", "unsaved"] if group.partial else []),
        ]
    return [
        Advice(
            f"{waits} in {in_short(places(found))}, which none of its {many(len(group.members), 'member')} subscribes "
            "to. If that is intended, delete its commits there:"
        ),
        kafkactl("groups delete-offsets", group.id, found[0].topic),
    ]


def _rewound(line: GroupLine, found: Found) -> list[Remedy]:
    return [
        Advice(
            "Its committed offset was reset, or a consumer that had lost the partition committed late. The records in "
            "between are read again. Nothing needs to be done unless handling a record twice does harm."
        ),
    ]


def _out_of_range(line: GroupLine, found: Found) -> list[Remedy]:
    count = sum(partition.lost for partition in found)
    lost = f"Up to {many(count, 'record was', 'records were')}"
    return [
        Advice(
            f"{lost} deleted unread: retention was faster than the group, or somebody deleted records. "
            "Its consumers continue where their auto.offset.reset says; latest, the default, skips the remaining "
            "records as well. To continue at the first available record, stop its consumers, run this, and restart "
            "them:"
        ),
        _to_earliest(line, found),
    ]


def _ahead(line: GroupLine, found: Found) -> list[Remedy]:
    return [
        Advice(
            f"{found[0].topic} was deleted and recreated, or a broker lost records. Stop the group's consumers, reset "
            "it to the start, and restart them:"
        ),
        _to_earliest(line, found),
    ]


def _restless(line: GroupLine) -> list[Remedy]:
    clients = sorted({member.client for member in line.group.members})[:_CLIENTS]
    now = f" Members now: {', '.join(clients)}." if clients else ""
    return [
        Advice(
            f"No member reads during a rebalance.{now} Find out which consumer keeps joining and leaving, and why: "
            "check its log and its restarts. If handling a batch takes longer than max.poll.interval.ms, raise that, "
            "or lower max.poll.records."
        ),
    ]


def _behind(line: GroupLine, found: Found) -> list[Remedy]:
    """Advice for a group above its threshold with no other trouble."""
    judged = line.judged
    longer = kafkactl("lag", line.group.id, options=["--sample", LONG_SAMPLE])
    if judged.rate_in is None or judged.rate_out is None:
        return [Advice("To see whether it falls behind, catches up or is stuck, take a sample:"), longer]
    if judged.speed is None:
        return [
            Advice(
                f"It may commit only every {COMMIT_INTERVAL:.0f} s. To see whether it falls behind, catches up or is "
                "stuck, take a longer sample:"
            ),
            longer,
        ]
    rates = f"{judged.speed.likely:,.0f}/s out, {judged.rate_in:,.0f}/s in"
    if judged.speed.least > judged.rate_in:
        return [Advice(f"It is catching up: {rates}. Wait.")]
    if judged.speed.most < judged.rate_in:
        return [
            Advice(
                f"It falls behind: {rates}. It is SLOW once more waits in a partition than "
                f"arrives there in {COMMIT_INTERVAL:.0f} s:"
            ),
            kafkactl("lag", line.group.id, options=["--watch"]),
        ]
    return [Advice(f"Its lag hardly changes: {rates}.")]


def _tail(line: GroupLine, partition: PartitionVerdict) -> Command:
    facts = facts_of(line.group, partition)
    offset = facts.waiting.offset if facts.waiting and facts.waiting.offset is not None else facts.next
    return tail_one(partition.place, offset or 0)


def tail_one(place: Place, offset: int, note: str = "") -> Command:
    """The command that shows one record."""
    options = ["--partition", str(place.partition), "--offset", str(offset), "-c", "1", "--no-follow"]
    return kafkactl("tail", place.topic, options=options, note=note)


def _to_earliest(line: GroupLine, found: Found) -> Command:
    """The command that resets these partitions of the worst topic to their start."""
    return reset_to_earliest(line.group.id, found[0].topic, [p.partition for p in found if p.topic == found[0].topic])


def reset_to_earliest(group: str, topic: str, partitions: Sequence[int], *more: str) -> Command:
    """The command that resets a group to the first available record in these partitions of a topic."""
    chosen = [word for id in sorted(partitions) for word in ("--partition", str(id))]
    return kafkactl("groups reset", group, options=["--topic", topic, *chosen, "--to-earliest", *more])


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"


_ADVICE: Mapping[Verdict, Callable[[GroupLine, Found], list[Remedy]]] = {
    "OK": _behind,
    "SLOW": _slow,
    "REWOUND": _rewound,
    "STOPPED": _stopped,
    "STALLED": _stalled,
    "OUT_OF_RANGE": _out_of_range,
    "AHEAD": _ahead,
}
