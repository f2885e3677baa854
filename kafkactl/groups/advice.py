"""What to do about a group, in the words of the guide's checklist (消费者 Lag 过高), filled with figures. Pure.

Remedies are as the doctor's are.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from kafkactl.groups.model import Group
from kafkactl.groups.reasons import facts_of, of, places, readers_of
from kafkactl.groups.report import GroupLine
from kafkactl.groups.verdict import COMMIT_INTERVAL, GroupVerdict, PartitionVerdict, Verdict
from kafkactl.text.remedies import Advice, Command, Remedy, kafkactl
from kafkactl.text.words import many
from kafkactl.topics import Place, in_short

_HOT = 0.8  # a partition with so much of a topic's lag is what holds the group up
_CLIENTS = 3
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")

Found = Sequence[PartitionVerdict]


def advice(line: GroupLine) -> list[Remedy]:
    """What to do about it; nothing where nothing is to be done."""
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
    """What a group with SLOW partitions needs to read as fast as records arrive, in the topic that is worst."""
    worst = of(judged, "SLOW")[0]
    topic = worst.topic
    of_topic = [partition for partition in judged.partitions if partition.topic == topic]
    rate_in = sum(partition.rate_in or 0 for partition in of_topic)
    rate_out = sum(partition.rate_out or 0 for partition in of_topic)
    lag = sum(partition.lag or 0 for partition in of_topic)
    readers, partitions = readers_of(group, topic)
    first = f"It reads {rate_out:,.0f}/s of {topic} where {rate_in:,.0f}/s arrive"
    if partitions > 1 and (worst.lag or 0) >= _HOT * lag:
        share = f"All {lag:,}" if worst.lag == lag else f"{worst.lag:,} of the {lag:,}"
        return [
            Advice(
                f"{first}. {share} records that wait are in {worst.place}: one member reads it, and more members "
                "do not help. Make the handler faster, or spread the keys that are written there."
            ),
        ]
    needed = math.ceil(readers * rate_in / rate_out) if rate_out else readers + 1
    if readers < partitions:
        enough = f"about {needed} would keep up" if needed <= partitions else "that may not be enough"
        return [
            Advice(
                f"{first}, with {many(readers, 'member')} on {many(partitions, 'partition')}. Start more, up to "
                f"{partitions}; at this pace {enough}. Or make the handler faster."
            ),
        ]
    larger = partitions * max(2, math.ceil(needed / partitions))
    return [
        Advice(
            f"{first}, with {many(readers, 'member')} on {many(partitions, 'partition')}: a {_ordinal(readers + 1)} would "
            f"idle. Make the handler faster; or raise {topic} to {larger} partitions in topics.yaml first (breaks key "
            f"order), and run about {many(needed, 'member')} then:"
        ),
        kafkactl("init-topics", options=["--allow", "partitions"]),
    ]


def _stalled(line: GroupLine, found: Found) -> list[Remedy]:
    worst = found[0]
    owner = worst.owner
    who = f"Member {owner.client} ({owner.id} at {owner.host}) holds" if owner else "Nobody in the group owns"
    lag = many(sum(partition.lag or 0 for partition in found), "record")
    return [
        Advice(
            f"{who} {in_short(places(found))} and has committed nothing for {worst.still:.0f} s, while {lag} wait. Look at "
            "the record it is stuck on and at its log, then start it again:"
        ),
        _tail(line, worst),
    ]


def _stopped(line: GroupLine, found: Found) -> list[Remedy]:
    group = line.group
    lag = sum(partition.lag or 0 for partition in found)
    waits = f"{many(lag, 'record')} {'waits' if lag == 1 else 'wait'}"
    if not group.members:
        return [
            Advice(f"{waits}, and the group has no members: start its consumers. Where it is not in use any more:"),
            kafkactl("groups delete", group.id),
        ]
    return [
        Advice(
            f"{waits} in {in_short(places(found))}, which none of its {many(len(group.members), 'member')} subscribes to. "
            "Where that is meant, its commits there can go:"
        ),
        kafkactl("groups delete-offsets", group.id, found[0].topic),
    ]


def _rewound(line: GroupLine, found: Found) -> list[Remedy]:
    return [
        Advice(
            "Its commit was set back, or a consumer that had lost the partition committed late: what lies between is read "
            "again. That heals itself, and does harm only where handling a record twice does."
        ),
    ]


def _out_of_range(line: GroupLine, found: Found) -> list[Remedy]:
    lost = many(sum(partition.lost for partition in found), "record")
    return [
        Advice(
            f"{lost} that it has not read were deleted: retention was quicker than the group, or somebody deleted them. A "
            "consumer goes on where its auto.offset.reset says; latest, the default, skips what is left as well. To go on "
            "with the first record left, stop its consumers, and start them again after:"
        ),
        _to_earliest(line, found),
    ]


def _ahead(line: GroupLine, found: Found) -> list[Remedy]:
    return [
        Advice(
            f"{found[0].topic} was deleted and made anew under the group, or a broker lost records. Stop its consumers, "
            "send it back to the start, and start them again:"
        ),
        _to_earliest(line, found),
    ]


def _restless(line: GroupLine) -> list[Remedy]:
    clients = sorted({member.client for member in line.group.members})[:_CLIENTS]
    now = f" Members now: {', '.join(clients)}." if clients else ""
    return [
        Advice(
            f"Nobody reads while partitions are handed out.{now} See which consumer comes and goes, and why: its log says "
            "so, or its restarts do. Where handling a batch takes longer than max.poll.interval.ms, raise that, or lower "
            "max.poll.records."
        ),
    ]


def _behind(line: GroupLine, found: Found) -> list[Remedy]:
    """Above the threshold, and nothing else to see."""
    judged = line.judged
    longer = kafkactl("lag", line.group.id, options=["--sample", f"{COMMIT_INTERVAL + 5:.0f}s"])
    if judged.rate_in is None or judged.rate_out is None:
        return [Advice("Whether it falls behind, catches up or is stuck takes two looks:"), longer]
    if judged.rate_out > judged.rate_in:
        return [Advice(f"It catches up: {judged.rate_out:,.0f}/s out, {judged.rate_in:,.0f}/s in. Wait.")]
    if not judged.rate_out:
        return [
            Advice(f"It may commit only every {COMMIT_INTERVAL:.0f} s; a longer look tells whether it is stuck:"),
            longer,
        ]
    return [Advice(f"It keeps its distance: {judged.rate_out:,.0f}/s out, {judged.rate_in:,.0f}/s in.")]


def _tail(line: GroupLine, partition: PartitionVerdict) -> Command:
    facts = facts_of(line.group, partition)
    offset = facts.waiting.offset if facts.waiting and facts.waiting.offset is not None else facts.next
    return tail_one(partition.place, offset or 0)


def tail_one(place: Place, offset: int, note: str = "") -> Command:
    """The command that shows one record."""
    options = ["--partition", str(place.partition), "--offset", str(offset), "-c", "1", "--no-follow"]
    return kafkactl("tail", place.topic, options=options, note=note)


def _to_earliest(line: GroupLine, found: Found) -> Command:
    """The command that sends these partitions of the worst topic back to their start."""
    return reset_to_earliest(line.group.id, found[0].topic, [p.partition for p in found if p.topic == found[0].topic])


def reset_to_earliest(group: str, topic: str, partitions: Sequence[int], *more: str) -> Command:
    """The command that sends a group back to the first record left in these partitions of a topic."""
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
