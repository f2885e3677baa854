"""Verdicts on simulated consumers, in every phase of theirs: each one given must be true of the consumer. Pure."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from kafkactl.groups.model import Group, Member, Partition, Sample
from kafkactl.groups.verdict import COMMIT_INTERVAL, GroupVerdict, judge
from kafkactl.topics import Place


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

    def samples(self, phase: int, seconds: int) -> tuple[Sample, Sample]:
        """What is committed `phase` seconds after its start, and `seconds` later."""
        handled = [0.0] * self.partitions
        committed = [0] * self.partitions
        at, left = 0, float(self.pieces)
        taken: list[Sample] = []
        for second in range(phase + seconds + 1):
            if second % self.interval == 0:
                committed = [int(count) for count in handled]
            if second in (phase, phase + seconds):
                taken.append(self._sample(second, committed))
            budget, idle = self.capacity, 0
            while budget > 0 and idle <= self.partitions:
                there = min(left, self.backlog + self.arriving * second - handled[at], budget)
                if there <= 0:
                    at, left, idle = (at + 1) % self.partitions, float(self.pieces), idle + 1
                    continue
                handled[at] += there
                budget, left, idle = budget - there, left - there, 0
        return taken[0], taken[-1]

    def _sample(self, second: int, committed: list[int]) -> Sample:
        end = int(self.backlog + self.arriving * second)
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
)


def judged(consumer: Consumer, phase: int, seconds: int) -> GroupVerdict:
    before, now = consumer.samples(phase, seconds)
    (found,) = judge(now, before)
    return found


@settings(deadline=None)
@given(consumers, st.integers(0, 200), st.integers(1, 70))
def test_stuck_is_who_handles_nothing(consumer: Consumer, phase: int, seconds: int) -> None:
    found = judged(consumer, phase, seconds)
    if found.verdict == "STALLED":
        assert consumer.capacity == 0
    if consumer.capacity == 0 and seconds > COMMIT_INTERVAL and consumer.backlog:
        assert found.verdict == "STALLED"


@settings(deadline=None)
@given(consumers, st.integers(0, 200), st.integers(35, 70))
def test_slow_is_who_reads_less_than_arrives(consumer: Consumer, phase: int, seconds: int) -> None:
    """Of who commits often: what is handled and not yet committed is not seen in a sample."""
    consumer.interval = min(consumer.interval, 3)
    found = judged(consumer, phase, seconds)
    load = consumer.arriving * consumer.partitions
    if found.verdict == "SLOW":
        assert consumer.capacity < load * 1.2
    waits = consumer.partitions * consumer.backlog > load * COMMIT_INTERVAL + consumer.capacity * 300
    if 0 < consumer.capacity < load * 0.8 and waits:
        assert found.verdict == "SLOW"


def test_a_member_that_reads_one_partition_after_another_is_slow() -> None:
    """The case in which three of four samples called it stuck: nine partitions, 12 records a second, 18 arrive."""
    consumer = Consumer(9, 2.0, 12.0, 5, 500, 13_000 // 9)
    assert {judged(consumer, phase, 31).verdict for phase in range(0, 120, 10)} == {"SLOW"}
