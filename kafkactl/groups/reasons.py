"""A group's verdict in a few words, and the words that are made of partitions and numbers. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from kafkactl.groups.model import Group, Partition
from kafkactl.groups.report import GroupLine
from kafkactl.groups.verdict import GroupVerdict, PartitionVerdict, Verdict
from kafkactl.text.words import many, up_to
from kafkactl.topics import Place, in_short


def of(judged: GroupVerdict, verdict: Verdict) -> list[PartitionVerdict]:
    """The partitions with this verdict, where most waits first."""
    found = [partition for partition in judged.partitions if partition.verdict == verdict]
    return sorted(found, key=lambda partition: -(partition.lag or 0))


def places(partitions: Iterable[PartitionVerdict]) -> list[Place]:
    """Which partitions these are."""
    return [partition.place for partition in partitions]


def facts_of(group: Group, partition: PartitionVerdict) -> Partition:
    """What is known of a judged partition."""
    return next(found for found in group.partitions if found.place == partition.place)


def readers_of(group: Group, topic: str) -> tuple[int, int]:
    """How many members read a topic, and how many of its partitions the group knows."""
    readers = sum(any(place[0] == topic for place in member.assigned) for member in group.members)
    return readers, sum(partition.topic == topic for partition in group.partitions)


def word(line: GroupLine) -> str:
    """The verdict in a word or two, as shown to users."""
    if line.restless:
        return "REBALANCING"
    if line.judged.verdict == "OK":
        return above(line) or "ok"
    return line.judged.verdict.replace("_", " ")


def above(line: GroupLine) -> str:
    """The threshold that is passed; nothing where none is."""
    return f"above {line.passed[0].limit:,}" if line.passed else ""


def reason(line: GroupLine) -> str:
    """The reason for the verdict in a few words; empty if all is well."""
    if line.restless:
        return f"keeps rebalancing: in {line.restless}"
    return _REASONS[line.judged.verdict](line, of(line.judged, line.judged.verdict))


Found = Sequence[PartitionVerdict]


def _stalled(line: GroupLine, found: Found) -> str:
    offset = facts_of(line.group, found[0]).next
    return f"{found[0].place} at {offset:,}: no commit in {found[0].still:.0f} s"


def _slow(line: GroupLine, found: Found) -> str:
    readers, partitions = readers_of(line.group, found[0].topic)
    return f"{many(readers, 'member')} on {many(partitions, 'partition')} of {found[0].topic}"


def _stopped(line: GroupLine, found: Found) -> str:
    return f"{'no member' if line.group.members else 'nobody'} reads {in_short(places(found))}"


def _rewound(line: GroupLine, found: Found) -> str:
    return f"{in_short(places(found))} went back by {many(sum(p.rewound for p in found), 'offset')}"


def _out_of_range(line: GroupLine, found: Found) -> str:
    return f"{up_to(sum(p.lost for p in found))} deleted unread from {in_short(places(found))}"


def _ahead(line: GroupLine, found: Found) -> str:
    facts = facts_of(line.group, found[0])
    return f"{facts.place}: committed {facts.committed:,}, but the log ends at {facts.end:,}"


def _rebalancing(line: GroupLine, found: Found) -> str:
    return f"its partitions are being reassigned ({line.group.state})"


def _unknown(line: GroupLine, found: Found) -> str:
    if line.group.missing:
        return line.group.missing
    if not line.group.partitions:
        return "its topics may be hidden from this user"
    if silent := [partition for partition in found if _uncommitted(facts_of(line.group, partition))]:
        return f"no commit yet in {len(silent)} of {many(len(line.group.partitions), 'partition')}"
    gone = [partition for partition in found if facts_of(line.group, partition).gone]
    if gone:
        return f"{in_short(places(gone))} {'are' if len(gone) > 1 else 'is'} gone"
    hidden = [partition for partition in found if facts_of(line.group, partition).hidden]
    if hidden:
        return f"this user has no permission for {in_short(places(hidden))}"
    return f"no response from the leader{'s' if len(found) > 1 else ''} of {in_short(places(found))}"


def _uncommitted(partition: Partition) -> bool:
    return partition.committed is None and not partition.gone and partition.end is not None


def _ok(line: GroupLine, found: Found) -> str:
    partitions = line.group.partitions
    still = max((partition.still for partition in found), default=0.0)
    silent = sum(partition.committed is None and partition.first != partition.end for partition in partitions)
    words = [f"lag {passed.lag:,} in {passed.topic}" for passed in line.passed if passed.topic]
    if still:
        words.append(f"no commit in {still:.0f} s")
    if silent:
        words.append(f"no commit yet in {silent} of {many(len(partitions), 'partition')}")
    if held := sum(partition.held for partition in partitions):
        words.append(f"{many(held, 'offset')} behind an open transaction")
    return "; ".join(words)


_REASONS: Mapping[Verdict, Callable[[GroupLine, Found], str]] = {
    "OK": _ok,
    "UNKNOWN": _unknown,
    "REBALANCING": _rebalancing,
    "SLOW": _slow,
    "REWOUND": _rewound,
    "STOPPED": _stopped,
    "STALLED": _stalled,
    "OUT_OF_RANGE": _out_of_range,
    "AHEAD": _ahead,
}
