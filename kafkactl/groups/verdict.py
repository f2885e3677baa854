"""What offsets and members mean: one verdict a partition, from one sample or from two. Pure.

Polling shows offsets, not when they were committed. So one sample shows states (nobody reads, records are gone), and
never a trend; and of two, a commit that stood still means something only over more time than lies between two commits
of a healthy consumer.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from kafkactl.groups.model import Group, Member, Partition, Sample
from kafkactl.topics import Place

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
TRENDS: frozenset[Verdict] = frozenset({"SLOW", "REWOUND", "STALLED"})
ERRORS: frozenset[Verdict] = frozenset({"STALLED", "OUT_OF_RANGE", "AHEAD"})


@dataclass(frozen=True, slots=True)
class PartitionVerdict:
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
        return Place(self.topic, self.partition)


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
    judged = tuple(
        _partition(group, partition, owners.get(partition.place), then.get(partition.place), seconds)
        for partition in group.partitions
    )
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
    """How many offsets of a partition a group has yet to read: never negative, and None if unknown."""
    if partition.committed is None or partition.readable_end is None:
        return None
    if partition.waiting is not None and partition.waiting.offset is None:
        return 0  # markers and gaps are not records
    return max(0, partition.readable_end - (partition.next or 0))


def lost_in(partition: Partition) -> int:
    """How many offsets were deleted before the group read them. Markers and gaps count too, as they cannot be read."""
    if partition.committed is None or partition.first is None:
        return 0
    return max(0, partition.first - partition.committed)


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


def _motion(now: Partition, before: Partition | None, seconds: float) -> _Motion:
    if before is None:
        return _UNKNOWN_MOTION
    rate_out = _rate(before.committed, now.committed, seconds)
    waited = bool(lag_of(before) and lag_of(now))
    return _Motion(
        _rate(before.readable_end, now.readable_end, seconds),
        rate_out,
        seconds if waited and rate_out == 0 else 0.0,
        _rewound(now, before),
    )


def _partition(
    group: Group, now: Partition, owner: Member | None, before: Partition | None, seconds: float
) -> PartitionVerdict:
    lag, motion = lag_of(now), _motion(now, before, seconds)
    return PartitionVerdict(
        now.topic,
        now.id,
        _of_offsets(now, lag) or _of_readers(group, owner, lag or 0, motion),
        lag,
        owner,
        lost_in(now),
        motion.rate_in,
        motion.rate_out,
        _drained(lag, motion),
        motion.still,
        motion.rewound,
    )


def _of_offsets(now: Partition, lag: int | None) -> Verdict | None:
    """The verdict from the offsets alone, without the members."""
    if now.committed is None:
        return "OK"  # no commit means no lag: auto.offset.reset decides where the group starts
    if now.end is None or lag is None:
        return "UNKNOWN"
    if now.committed > now.end:
        return "AHEAD"
    return "OUT_OF_RANGE" if lost_in(now) else None


def _of_readers(group: Group, owner: Member | None, lag: int, motion: _Motion) -> Verdict:
    """What its readers do about it."""
    if motion.rewound:
        return "REWOUND"
    if lag == 0:
        return "OK"
    if group.rebalancing:
        return "REBALANCING"
    if owner is None and not motion.rate_out:  # who commits without being a member reads nevertheless
        return "UNKNOWN" if group.state == "Unknown" else "STOPPED"
    if motion.still > COMMIT_INTERVAL:
        return "STALLED"
    return "SLOW" if _falls_behind(lag, motion) else "OK"


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
    ranked: list[tuple[int, int, Place, int]] = []
    for group in now.groups:
        lagging = sorted(_lagging(group), reverse=True)
        ranked += [(rank, -lag, place, offset) for rank, (lag, place, offset) in enumerate(lagging)]
    ranked.sort()
    return list(dict.fromkeys((place, offset) for _, _, place, offset in ranked))


def _lagging(group: Group) -> Iterable[tuple[int, Place, int]]:
    for partition in group.partitions:
        lag = lag_of(partition)
        if lag and partition.waiting is None and partition.next is not None:
            yield lag, partition.place, partition.next


def group_behind(group: Group, lags: Mapping[Place, int | None], taken: int) -> tuple[float | None, bool]:
    """How far behind a group is: as far as its partition that is most so. And whether that is known of all of them."""
    found = [behind(partition, lags.get(partition.place), taken) for partition in group.partitions]
    waits = [seconds for seconds, p in zip(found, group.partitions, strict=True) if lags.get(p.place)]
    known = [seconds for seconds in waits if seconds is not None]
    if not waits:
        return 0.0, True
    return max(known, default=None), len(known) == len(waits)
