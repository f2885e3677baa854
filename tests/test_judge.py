"""What the round trip concludes, on made-up deliveries."""

from hypothesis import given
from hypothesis import strategies as st

from kafkactl.probe.comparison import Received, compare, number_of, percentile, sample

numbers = st.lists(st.integers(0, 30), unique=True)


@given(st.dictionaries(st.integers(0, 3), numbers.map(sorted)))
def test_what_comes_back_as_it_was_written_is_good(written: dict[int, list[int]]) -> None:
    received = [Received(partition, number, True) for partition, ns in written.items() for number in ns]
    verdict = compare(written, received)
    assert verdict.good
    assert verdict.expected == verdict.received == len(received)


@given(numbers.map(sorted).filter(bool), st.data())
def test_one_lost_record_is_found(ns: list[int], data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from(ns))
    verdict = compare({0: ns}, [Received(0, n, True) for n in ns if n != lost])
    assert (verdict.lost, verdict.duplicated, verdict.reordered, verdict.damaged) == (1, 0, 0, 0)


@given(numbers.map(sorted).filter(bool), st.data())
def test_one_record_twice_is_found(ns: list[int], data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(ns))
    verdict = compare({0: ns}, [Received(0, n, True) for n in [*ns, twice]])
    assert (verdict.lost, verdict.duplicated, verdict.reordered) == (0, 1, 0)


def test_order_counts_within_a_partition_only() -> None:
    received = [Received(0, 1, True), Received(1, 0, True), Received(0, 0, True), Received(1, 1, True)]
    assert compare({0: [0, 1], 1: [0, 1]}, received).reordered == 1


def test_damage_is_found_and_said() -> None:
    verdict = compare({0: [0, 1]}, [Received(0, 0, True), Received(0, 1, False)])
    assert not verdict.good
    assert verdict.words() == "1 damaged"


def test_a_record_nobody_acknowledged_is_neither_lost_nor_too_much() -> None:
    assert compare({0: [0]}, [Received(0, 0, True), Received(0, 1, True)]).good


@given(st.integers(0, 5), st.integers(0, 1000), st.integers(0, 300))
def test_a_sample_is_the_same_bytes_each_time(partition: int, number: int, size: int) -> None:
    one, again = sample("r", partition, number, size), sample("r", partition, number, size)
    assert one == again
    assert len(one.value) == size
    assert number_of(one.headers, "r") == number
    assert number_of(one.headers, "other") is None


def test_other_peoples_records_are_not_ours() -> None:
    assert number_of((), "r") is None
    assert number_of([("number", b"1")], "r") is None
    assert number_of([("kafkactl-test", b"r"), ("number", b"x")], "r") is None


def test_percentiles_are_of_the_values() -> None:
    assert percentile([], 0.5) == 0.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0, 2.0, 3.0], 0.99) == 3.0
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, share) for share in (0.0, 0.5, 0.95, 0.99, 1.0)] == [1, 50, 95, 99, 100]
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
