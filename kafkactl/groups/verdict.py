"""What offsets and members mean: one verdict a partition, from one sample or from two. Pure.

Polling shows offsets, not when they were committed. So one sample shows states (nobody reads, records are gone), and
never a trend; and of two, a commit that stood still means something only over more time than lies between two commits
of a healthy consumer.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from kafkactl.groups.lag import lag_of, lost_in
from kafkactl.groups.model import CommitLook, Group, Member, Partition, Sample
from kafkactl.groups.speed import COMMIT_INTERVAL, Speed, Workload, rate_of, speed_of, workloads
from kafkactl.topics import Place, place_of

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
    were deleted before the group read them. Rates are offsets a second between two samples, `drained` the seconds until
    its reader has nothing left to read (infinite where it never will); None without two samples, or where commits are
    too rare to tell. `still`: for how many seconds offsets were seen to wait while no commit came, 0 where that was not
    seen. `rewound` is by how many offsets the commit went back.
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

    `lag` sums what is known; `unknown` is the number of partitions whose lag is not. `speed` is how fast it reads, by
    what it was seen to commit; None where that was seen less than twice.
    """

    group: str
    verdict: Verdict
    lag: int
    unknown: int
    rate_in: float | None
    rate_out: float | None
    drained: float | None
    partitions: tuple[PartitionVerdict, ...]
    speed: Speed | None = None

    @property
    def known(self) -> bool:
        """Whether `lag` is meaningful: not if there is no commit, or no answer, for any partition."""
        return self.unknown < len(self.partitions) or not (self.partitions or self.verdict == "UNKNOWN")


def judge(
    now: Sample, before: Sample | None = None, looks: Mapping[str, Sequence[CommitLook]] | None = None
) -> tuple[GroupVerdict, ...]:
    """Every group of `now`, judged; `before` is a sample taken earlier, and `looks` what was committed in between."""
    seconds = (now.taken - before.taken) / 1000 if before else 0.0
    earlier = {group.id: group for group in before.groups} if before and seconds > 0 else {}
    # What was seen of a topic says nothing about the one that has its name now.
    another = now.recreated_since(before) if before else frozenset()
    return tuple(
        judge_group(group, earlier.get(group.id), seconds, (looks or {}).get(group.id, ()), another)
        for group in now.groups
    )


def judge_group(
    group: Group,
    before: Group | None = None,
    seconds: float = 0.0,
    looks: Sequence[CommitLook] = (),
    another: frozenset[str] = frozenset(),
) -> GroupVerdict:
    """One group, judged; `before` is how it was `seconds` ago, `another` the topics that were recreated since."""
    then: Mapping[Place, Partition] = (
        {p.place: p for p in before.partitions if p.topic not in another} if before and seconds > 0 else {}
    )
    owners = group.owners()
    loads = workloads(group, owners, then, seconds, looks) if then else {}
    if owners or then:
        judged = tuple(
            _partition(group, partition, owners.get(partition.place), then.get(partition.place), seconds, loads)
            for partition in group.partitions
        )
    else:
        judged = tuple(_partition(group, partition, None, None, seconds, {}) for partition in group.partitions)
    verdicts = [found.verdict for found in judged]
    if group.missing or (group.partial and not judged):
        verdicts.append("UNKNOWN")
    if group.rebalancing:
        verdicts.append("REBALANCING")
    lag = sum(found.lag or 0 for found in judged)
    return GroupVerdict(
        group.id,
        max(verdicts, key=VERDICTS.index, default="OK"),
        lag,
        sum(found.lag is None for found in judged),
        _sum(found.rate_in for found in judged),
        _sum(found.rate_out for found in judged),
        _drained_last(judged),
        judged,
        speed_of(group.partitions, then, seconds, looks) if then else None,
    )


def _drained_last(judged: Iterable[PartitionVerdict]) -> float | None:
    """The group has drained when its slowest reader has; None where that is not known of each that has to read."""
    waits = [found.drained for found in judged if found.lag or found.drained is not None]
    if math.inf in waits:
        return math.inf
    return None if None in waits else max((drained for drained in waits if drained is not None), default=None)


def read_rate(judged: GroupVerdict, partitions: Iterable[PartitionVerdict]) -> float:
    """Offsets a second that a group reads of some of its partitions.

    By its pace where that is known: between two samples there may be one commit more or less than it takes.
    """
    read = sum(max(0.0, partition.rate_out or 0.0) for partition in partitions)
    return read * judged.speed.likely / judged.rate_out if judged.speed and judged.rate_out else read


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
    rate_out = rate_of(before.committed, now.committed, seconds)
    waited = bool(lag_of(before) and lag_of(now))
    return _Motion(
        rate_of(before.readable_end, now.readable_end, seconds),
        rate_out,
        seconds if waited and rate_out == 0 else 0.0,
        _rewound(now, before),
    )


def _partition(
    group: Group,
    now: Partition,
    owner: Member | None,
    before: Partition | None,
    seconds: float,
    loads: Mapping[str, Workload],
) -> PartitionVerdict:
    lag, motion = lag_of(now), _UNKNOWN_MOTION if before is None else _motion(now, before, seconds)
    load = loads.get(owner.id if owner else "")
    verdict = _of_offsets(now, lag, owner) or _of_readers(group, owner, lag or 0, motion, load)
    return PartitionVerdict(
        now.topic,
        now.id,
        verdict,
        lag,
        owner,
        lost_in(now),
        motion.rate_in,
        motion.rate_out,
        _drained(lag, verdict, load),
        motion.still,
        motion.rewound,
    )


def _of_offsets(now: Partition, lag: int | None, owner: Member | None) -> Verdict | None:
    """What the offsets alone tell, whoever reads."""
    if now.committed is None:
        # Its auto.offset.reset decides where it begins: whether anything waits for its owner is not known.
        empty = now.gone or (now.end is not None and now.first == now.end)
        return "UNKNOWN" if owner is not None and not empty else "OK"
    if now.end is None or lag is None:
        return "UNKNOWN"
    if now.committed > now.end:
        return "AHEAD"
    return "OUT_OF_RANGE" if lost_in(now) else None


def _of_readers(group: Group, owner: Member | None, lag: int, motion: _Motion, load: Workload | None) -> Verdict:
    """What its readers do about it."""
    if motion.rewound:
        return "REWOUND"
    if lag == 0:
        return "OK"
    if group.rebalancing:
        return "REBALANCING"
    if owner is None and not motion.rate_out:  # who commits without being a member reads nevertheless
        return "UNKNOWN" if group.state == "Unknown" else "STOPPED"
    return _of_speed(lag, motion, load) if load else "OK"


def _of_speed(lag: int, motion: _Motion, load: Workload) -> Verdict:
    """Whether its reader is stuck, slow or neither, by all of its partitions: it may read one after another."""
    if motion.still > COMMIT_INTERVAL and not load.moved:
        return "STALLED"
    grows = (motion.rate_out or 0.0) < (motion.rate_in or 0.0) and lag > (motion.rate_in or 0.0) * COMMIT_INTERVAL
    return "SLOW" if load.falls_behind and (grows or motion.still > COMMIT_INTERVAL) else "OK"


def _rewound(now: Partition, before: Partition) -> int:
    """How far the commit went back in a topic that is still the same: a recreated one ends earlier than before."""
    if before.committed is None or before.end is None or now.committed is None or now.end is None:
        return 0
    same = now.committed < before.committed <= before.end <= now.end
    return before.committed - now.committed if same else 0


def _drained(lag: int | None, verdict: Verdict, load: Workload | None) -> float | None:
    if lag is None or load is None:
        return None
    if lag == 0:
        return 0.0
    return math.inf if verdict in ("STOPPED", "STALLED") else load.drained


def _sum(rates: Iterable[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None
