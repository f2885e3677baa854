"""Verdicts on simulated consumers, in every phase of theirs: each one given must be true of the consumer. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kafkactl.groups.model import Group, Member, Partition, Sample
from kafkactl.groups.observation import CommitLooks
from kafkactl.groups.speed import COMMIT_INTERVAL
from kafkactl.groups.verdict import GroupVerdict, judge
from kafkactl.topics import Place


class Seen(NamedTuple):
    """What two samples saw of a consumer, and the looks in between."""

    before: Sample
    now: Sample
    looks: CommitLooks


@dataclass
class Consumer:
    """One member that owns all partitions and reads `pieces` records of one, then of the next.

    `capacity` in records a second, 0 where it hangs; it commits every `interval` seconds what it has handled.
    """

    partitions: int
    arriving: float  # a second and partition
    capacity: float
    interval: int
    pieces: int
    backlog: int
    burst: int = 1

    def samples(self, phase: int, seconds: int) -> Seen:
        """What is committed `phase` seconds after its start, every two seconds from then on, and `seconds` later."""
        handled = [0.0] * self.partitions
        committed = [0] * self.partitions
        at, left = 0, float(self.pieces)
        looks: list[tuple[int, list[int]]] = []
        for second in range(phase + seconds + 1):
            if second % self.interval == 0:
                committed = [int(count) for count in handled]
            if second >= phase and ((second - phase) % 2 == 0 or second == phase + seconds):
                looks.append((second, committed))
            budget, idle = self.capacity, 0
            while budget > 0 and idle <= self.partitions:
                there = min(left, self.arrived(second) - handled[at], budget)
                if there <= 0:
                    at, left, idle = (at + 1) % self.partitions, float(self.pieces), idle + 1
                    continue
                handled[at] += there
                budget, left, idle = budget - there, left - there, 0
        before, now = self._sample(*looks[0]), self._sample(*looks[-1])
        seen = CommitLooks(before)
        for second, offsets in looks[1:-1]:
            seen.add(second * 1000, {"g": {Place("t", id): offset for id, offset in enumerate(offsets)}})
        return Seen(before, now, seen)

    def arrived(self, second: int) -> float:
        """The records in each partition: all the time, or in bursts of a second out of `burst`."""
        return self.backlog + self.arriving * (second // self.burst * self.burst)

    def _sample(self, second: int, committed: list[int]) -> Sample:
        end = int(self.arrived(second))
        member = Member("m", "app", "/h", assigned=tuple(Place("t", id) for id in range(self.partitions)))
        partitions = tuple(Partition("t", id, offset, 0, end) for id, offset in enumerate(committed))
        return Sample(second * 1000, (Group("g", "Stable", members=(member,), partitions=partitions),))


consumers = st.builds(
    Consumer,
    partitions=st.integers(1, 9),
    arriving=st.sampled_from([0.0, 1.0, 3.0, 10.0]),
    capacity=st.sampled_from([0.0, 1.0, 12.0, 60.0, 500.0]),
    interval=st.integers(1, int(COMMIT_INTERVAL)),
    pieces=st.sampled_from([1, 50, 500]),
    backlog=st.sampled_from([0, 100, 2000]),
    burst=st.sampled_from([1, 1, 7, 20]),
)


def judged(consumer: Consumer, phase: int, seconds: int) -> GroupVerdict:
    seen = consumer.samples(phase, seconds)
    (found,) = judge(seen.now, seen.before, seen.looks.found)
    return found


@settings(deadline=None)
@given(consumers, st.integers(0, 200), st.integers(1, 130))
def test_stuck_is_who_handles_nothing(consumer: Consumer, phase: int, seconds: int) -> None:
    found = judged(consumer, phase, seconds)
    if found.verdict == "STALLED":
        assert consumer.capacity == 0
    if consumer.capacity == 0 and seconds > COMMIT_INTERVAL and consumer.backlog:
        assert found.verdict == "STALLED"


@settings(deadline=None)
@given(consumers, st.integers(0, 200), st.integers(2, 130))
def test_slow_is_who_reads_less_than_arrives(consumer: Consumer, phase: int, seconds: int) -> None:
    """However rarely it commits, and whatever the sample's length."""
    found = judged(consumer, phase, seconds)
    load = consumer.arriving * consumer.partitions
    # A sample of a few bursts sees one more, or one less, than come in so long on average.
    arrives = load * (1 + consumer.burst / seconds if consumer.burst > 1 else 1)
    if found.verdict == "SLOW":
        assert consumer.capacity < arrives * 1.05
    often = consumer.interval <= 3 and consumer.burst == 1 and seconds >= 35
    waits = consumer.partitions * consumer.backlog > load * COMMIT_INTERVAL + consumer.capacity * 400
    if often and 0 < consumer.capacity < load * 0.8 and waits:
        assert found.verdict == "SLOW"


@settings(deadline=None)
@given(consumers, st.integers(0, 200), st.integers(2, 130))
def test_the_pace_holds_the_true_speed_between_its_bounds(consumer: Consumer, phase: int, seconds: int) -> None:
    """Of who has enough to read all the time; a record more or less is a matter of rounding."""
    consumer.backlog = 500_000
    pace = judged(consumer, phase, seconds).speed
    if pace is None:
        return
    slack = 1 + consumer.partitions / seconds
    assert pace.least - slack <= consumer.capacity <= pace.most + slack


def test_a_member_that_reads_one_partition_after_another_is_slow() -> None:
    """The case in which three of four samples called it stuck: nine partitions, 12 records a second, 18 arrive."""
    consumer = Consumer(9, 2.0, 12.0, 5, 500, 13_000 // 9)
    for seconds in (31, 65):
        assert {judged(consumer, phase, seconds).verdict for phase in range(0, 120, 10)} == {"SLOW"}
