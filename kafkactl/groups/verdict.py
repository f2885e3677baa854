"""What offsets and members mean: one verdict a partition, from one sample or from two. Pure.

Polling shows offsets, not when they were committed. So one sample shows states (nobody reads, records are gone), and
never a trend; and of two, a commit that stood still means something only over more time than lies between two commits
of a healthy consumer.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from kafkactl.groups.model import Group, Member, Partition, Sample
from kafkactl.topics import Place, place_of

# The longest time (s) a healthy consumer is taken to let pass between two commits. Kafka's default is 5 s.
COMMIT_INTERVAL = 30.0

Verdict = Literal[
    "OK", "UNKNOWN", "REBALANCING", "SLOW", "REWOUND", "STOPPED", "STALLED", "OUT_OF_RANGE", "AHEAD"
]  # fmt: skip
# From the best to the worst.
VERDICTS: tuple[Verdict, ...] = (
    "OK",
    "UNKNOWN",  # its leader, or its group, did not answer
    "REBALANCING",
    "SLOW",  # it reads less than arrives
    "REWOUND",  # its commit went back: records are read again
    "STOPPED",  # records wait, but no member owns the partition
    "STALLED",  # records wait, and its owner commits nothing
    "OUT_OF_RANGE",  # records it has not read are gone
    "AHEAD",  # its commit is beyond the end: the topic was recreated, or a broker lost records
)
ERRORS: frozenset[Verdict] = frozenset({"STALLED", "OUT_OF_RANGE", "AHEAD"})


class PartitionVerdict(msgspec.Struct, frozen=True):
    """One partition of a group, judged.

    `lag` is how many offsets wait to be read, None where that is not known (no commit, no answer). `lost` is how many
    were deleted before the group read them. Rates are records (offsets) a second, `drained` the seconds until nothing
    waits (infinite where it never will); None without two samples. `still`: for how many seconds records were seen to
    wait while no commit came, 0 where that was not seen. `rewound` is by how many offsets the commit went back.
    """

    topic: str
    partition: int
    verdict: Verdict
    lag: int | None
    owner: Member | None = None
    lost: int = 0
    rate_in: float | None = None
    rate_out: float | None = None
    drained: float | None = None
    still: float = 0.0
    rewound: int = 0

    @property
    def place(self) -> Place:
        """The topic's name and the partition's id."""
        return place_of(self.topic, self.partition)


@dataclass(frozen=True)
class GroupVerdict:
    """A group, judged: the worst of its partitions, and their sums.

    `lag` sums what is known; `unknown` is the number of partitions whose lag is not.
    """

    group: str
    verdict: Verdict
    lag: int
    unknown: int
    rate_in: float | None
    rate_out: float | None
    drained: float | None
    partitions: tuple[PartitionVerdict, ...]

    @property
    def known(self) -> bool:
        """Whether `lag` is meaningful: not if there is no commit, or no answer, for any partition."""
        return self.unknown < len(self.partitions) or not (self.partitions or self.verdict == "UNKNOWN")


def judge(now: Sample, before: Sample | None = None) -> tuple[GroupVerdict, ...]:
    """Every group of `now`, judged; `before` is a sample taken earlier, for trends."""
    seconds = (now.taken - before.taken) / 1000 if before else 0.0
    earlier = {group.id: group for group in before.groups} if before and seconds > 0 else {}
    return tuple(judge_group(group, earlier.get(group.id), seconds) for group in now.groups)


def judge_group(group: Group, before: Group | None = None, seconds: float = 0.0) -> GroupVerdict:
    """One group, judged; `before` is how it was `seconds` ago."""
    then: Mapping[Place, Partition] = {p.place: p for p in before.partitions} if before and seconds > 0 else {}
    owners = group.owners()
    if owners or then:
        loads = _loads(group, owners, then, seconds) if then else {}
        judged = tuple(
            _partition(group, partition, owners.get(partition.place), then.get(partition.place), seconds, loads)
            for partition in group.partitions
        )
    else:
        judged = tuple(_partition(group, partition, None, None, seconds, {}) for partition in group.partitions)
    verdicts = [found.verdict for found in judged]
    if group.missing:
        verdicts.append("UNKNOWN")
    if group.rebalancing:
        verdicts.append("REBALANCING")
    lag = sum(found.lag or 0 for found in judged)
    rate_in, rate_out = _sum(found.rate_in for found in judged), _sum(found.rate_out for found in judged)
    return GroupVerdict(
        group.id,
        max(verdicts, key=VERDICTS.index, default="OK"),
        lag,
        sum(found.lag is None for found in judged),
        rate_in,
        rate_out,
        # The group has drained when its slowest partition has.
        max((found.drained for found in judged if found.drained is not None), default=None),
        judged,
    )


def lag_of(partition: Partition) -> int | None:
    """How many offsets of a partition a group has yet to read: never less than 0, and None where nobody can say."""
    # Written out, rather than with the properties of Partition: it is asked of each partition of each group.
    committed, first, waiting = partition.committed, partition.first, partition.waiting
    end = partition.end if partition.stable_end is None else partition.stable_end
    if committed is None or end is None:
        return None
    if waiting is not None and waiting.offset is None:
        return 0  # markers and gaps are not records
    following = committed if first is None or first <= committed else first
    return end - following if end > following else 0


def lost_in(partition: Partition) -> int:
    """How many offsets were deleted before the group read them. Markers and gaps count, too: nobody can look."""
    committed, first = partition.committed, partition.first
    return 0 if committed is None or first is None or first <= committed else first - committed


def doubtful(now: Sample, before: Sample | None = None) -> list[tuple[Place, int]]:
    """Partitions and offsets where reading the record would show whether anything waits at all.

    That is where offsets wait and nothing moves: what lies there may be markers and gaps. The shortest way first.
    """
    found: dict[tuple[Place, int], int] = {}
    for group, judged in zip(now.groups, judge(now, before), strict=True):
        for partition, verdict in zip(group.partitions, judged.partitions, strict=True):
            unmoved = verdict.verdict in ("STOPPED", "STALLED") or verdict.still
            if unmoved and partition.committed is not None and partition.waiting is None:
                found[partition.place, partition.next or 0] = verdict.lag or 0
    return sorted(found, key=lambda spot: (found[spot], spot))


@dataclass(frozen=True, slots=True)
class _Motion:
    """What moved in a partition between two samples; all None with one. `still` as in PartitionVerdict."""

    rate_in: float | None = None
    rate_out: float | None = None
    still: float = 0.0
    rewound: int = 0


_UNKNOWN_MOTION = _Motion()


def _motion(now: Partition, before: Partition, seconds: float) -> _Motion:
    rate_out = _rate(before.committed, now.committed, seconds)
    waited = bool(lag_of(before) and lag_of(now))
    return _Motion(
        _rate(before.readable_end, now.readable_end, seconds),
        rate_out,
        seconds if waited and rate_out == 0 else 0.0,
        _rewound(now, before),
    )


@dataclass(slots=True)
class _Load:
    """What one member has to read in all its partitions, and reads: offsets, and offsets a second."""

    lag: int = 0
    rate_in: float = 0.0
    rate_out: float = 0.0

    @property
    def falls_behind(self) -> bool:
        """Whether more arrives than it reads, and more waits than if it had kept up and were about to commit."""
        return self.rate_out < self.rate_in and self.lag > self.rate_in * COMMIT_INTERVAL


def _loads(
    group: Group, owners: Mapping[Place, Member], then: Mapping[Place, Partition], seconds: float
) -> dict[str, _Load]:
    """The load of each member: it reads its partitions in any order, often one after the other."""
    loads: dict[str, _Load] = {}
    for partition in group.partitions:
        owner, before = owners.get(partition.place), then.get(partition.place)
        if owner is None or before is None:
            continue
        load = loads.setdefault(owner.id, _Load())
        load.lag += lag_of(partition) or 0
        load.rate_in += _rate(before.readable_end, partition.readable_end, seconds) or 0.0
        load.rate_out += max(0.0, _rate(before.committed, partition.committed, seconds) or 0.0)
    return loads


def _partition(
    group: Group,
    now: Partition,
    owner: Member | None,
    before: Partition | None,
    seconds: float,
    loads: Mapping[str, _Load],
) -> PartitionVerdict:
    lag, motion = lag_of(now), _UNKNOWN_MOTION if before is None else _motion(now, before, seconds)
    return PartitionVerdict(
        now.topic,
        now.id,
        _of_offsets(now, lag, owner) or _of_readers(group, owner, lag or 0, motion, loads),
        lag,
        owner,
        lost_in(now),
        motion.rate_in,
        motion.rate_out,
        _drained(lag, motion),
        motion.still,
        motion.rewound,
    )


def _of_offsets(now: Partition, lag: int | None, owner: Member | None) -> Verdict | None:
    """What the offsets alone tell, whoever reads."""
    if now.committed is None:
        # Its auto.offset.reset decides where it begins: whether anything waits for its owner is not known.
        return "UNKNOWN" if owner is not None and now.first != now.end else "OK"
    if now.end is None or lag is None:
        return "UNKNOWN"
    if now.committed > now.end:
        return "AHEAD"
    return "OUT_OF_RANGE" if lost_in(now) else None


def _of_readers(group: Group, owner: Member | None, lag: int, motion: _Motion, loads: Mapping[str, _Load]) -> Verdict:
    """What its readers do about it."""
    if motion.rewound:
        return "REWOUND"
    if lag == 0:
        return "OK"
    if group.rebalancing:
        return "REBALANCING"
    if owner is None and not motion.rate_out:  # who commits without being a member reads nevertheless
        return "UNKNOWN" if group.state == "Unknown" else "STOPPED"
    return _of_speed(lag, motion, loads.get(owner.id) if owner else None)


def _of_speed(lag: int, motion: _Motion, load: _Load | None) -> Verdict:
    """Whether its reader is stuck, slow or neither, by all of its partitions: it may read one after another."""
    if motion.still > COMMIT_INTERVAL and not (load and load.rate_out):
        return "STALLED"
    behind = motion.still > COMMIT_INTERVAL or _falls_behind(lag, motion)
    return "SLOW" if behind and (load is None or load.falls_behind) else "OK"


def _rewound(now: Partition, before: Partition) -> int:
    """How far the commit went back in a topic that is still the same: a recreated one ends earlier than before."""
    if before.committed is None or before.end is None or now.committed is None or now.end is None:
        return 0
    same = now.committed < before.committed <= before.end <= now.end
    return before.committed - now.committed if same else 0


def _falls_behind(lag: int, motion: _Motion) -> bool:
    """Whether more arrives than is read, and more waits than a consumer that keeps up has yet to commit."""
    rate_in, rate_out = motion.rate_in, motion.rate_out
    return rate_in is not None and rate_out is not None and 0 < rate_out < rate_in and lag > rate_in * COMMIT_INTERVAL


def _rate(before: int | None, now: int | None, seconds: float) -> float | None:
    return None if before is None or now is None or seconds <= 0 else (now - before) / seconds


def _drained(lag: int | None, motion: _Motion) -> float | None:
    if lag is None or motion.rate_in is None or motion.rate_out is None:
        return None
    if lag == 0:
        return 0.0
    gain = motion.rate_out - motion.rate_in
    return lag / gain if gain > 0 else math.inf


def _sum(rates: Iterable[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None


def behind(partition: Partition, lag: int | None, taken: int) -> float | None:
    """Seconds between the first record that waits and the sample (`taken`, ms); 0 where nothing waits.

    None where that is not known: no commit, nobody looked, or the record has no timestamp.
    """
    if lag == 0:
        return 0.0
    if lag is None or partition.waiting is None or partition.waiting.timestamp is None:
        return None
    return max(0.0, (taken - partition.waiting.timestamp) / 1000)


def worst_spots(now: Sample) -> list[tuple[Place, int]]:
    """Partitions and offsets at which a record's time tells how far behind a group is, the most telling first.

    Of each group its largest lag, the groups with most lag first; then the others.
    """
    # Many groups may stand at the same spot: it counts for the one to which it tells most.
    ranks: dict[tuple[Place, int], tuple[int, int]] = {}
    for group in now.groups:
        for rank, (lag, place, offset) in enumerate(sorted(_lagging(group), reverse=True)):
            spot, worth = (place, offset), (rank, -lag)
            if spot not in ranks or worth < ranks[spot]:
                ranks[spot] = worth
    return sorted(ranks, key=lambda spot: (ranks[spot], spot))


def _lagging(group: Group) -> Iterable[tuple[int, Place, int]]:
    for partition in group.partitions:
        lag = lag_of(partition)
        if lag and partition.waiting is None and partition.next is not None:
            yield lag, partition.place, partition.next


def group_behind(group: Group, judged: GroupVerdict, taken: int) -> tuple[float | None, bool]:
    """How far behind a group is: as far as its partition that is most so. And whether that is known of all of them."""
    pairs = zip(group.partitions, judged.partitions, strict=True)
    waits = [behind(partition, verdict.lag, taken) for partition, verdict in pairs if verdict.lag]
    known = [seconds for seconds in waits if seconds is not None]
    if not waits:
        return 0.0, True
    return max(known, default=None), len(known) == len(waits)
