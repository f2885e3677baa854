"""Where a group shall read on, on made-up offsets: plans bend nothing in silence; what is saved can be read again."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.errors import KafkactlError, UsageError
from kafkactl.groups import journal
from kafkactl.groups.journal import Saved, offsets_document, parse_offsets
from kafkactl.groups.model import Partition
from kafkactl.groups.reset import (
    NO_SUCH_TIME,
    Goal,
    Move,
    by,
    plan,
    to_earliest,
    to_latest,
    to_offset,
    to_these,
    to_time,
)

numbers = st.integers(0, 2_000)
names = st.text("abc.-_", min_size=1, max_size=8).filter(lambda name: name not in (".", ".."))
places = st.tuples(names, st.integers(0, 50))


@st.composite
def partitions(draw: st.DrawFn) -> Partition:
    """A partition as its leader tells it, and a commit anywhere, also where nothing is (any more)."""
    first = draw(numbers)
    end = first + draw(numbers)
    stable = draw(st.none() | st.integers(first, end))
    return Partition("t", draw(st.integers(0, 20)), draw(st.none() | numbers), first, end, stable)


wishes = st.one_of(
    st.sampled_from([to_earliest, to_latest]),
    st.integers(-3_000, 3_000).map(by),
    st.integers(0, 5_000).map(to_offset),
)


def one(partition: Partition, wish: Goal, *, exact: bool = False) -> Move:
    (move,) = plan([partition], wish, exact=exact)
    return move


@given(partitions(), wishes)
def test_a_group_ends_up_within_the_log_or_is_left_alone(partition: Partition, wish: Goal) -> None:
    move = one(partition, wish)
    if move.new is None:
        assert partition.committed is None
        assert not move.changes
        assert move.note
    else:
        assert partition.first is not None
        assert partition.end is not None
        assert partition.first <= move.new <= partition.end


@given(partitions(), st.integers(-3_000, 5_000))
def test_a_wish_that_is_bent_is_said_to_be(partition: Partition, wished: int) -> None:
    move = one(partition, to_offset(wished))
    assert bool(move.note) == (move.new != wished)


@given(partitions(), wishes)
def test_what_is_read_again_and_what_is_skipped_add_up(partition: Partition, wish: Goal) -> None:
    move = one(partition, wish)
    if move.old is None or move.new is None:
        assert (move.again, move.skipped) == (None, None)
        return
    assert move.again is not None
    assert move.skipped is not None
    assert min(move.again, move.skipped) == 0
    first, end = partition.first or 0, partition.end or 0
    assert move.skipped - move.again == move.new - min(max(move.old, first), end)


@given(partitions(), st.integers(0, 3_000))
def test_a_time_after_the_last_record_means_the_end_and_never_minus_one(partition: Partition, found: int) -> None:
    late = one(partition, to_time({partition.place: NO_SUCH_TIME}))
    assert late.new == partition.readable_end
    there = "to" if late.changes else "already at"
    assert late.note == f"no record at or after that time: {there} the end"
    move = one(partition, to_time({partition.place: found}))
    assert move.new is not None
    assert move.new >= 0


@given(partitions(), wishes)
def test_an_undo_puts_back_exactly_what_was(partition: Partition, wish: Goal) -> None:
    there = one(partition, wish)
    moved = Partition("t", partition.id, there.new, partition.first, partition.end, partition.stable_end)
    back = one(moved, to_these({there.place: there.old}), exact=True)
    assert back.new == partition.committed


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (to_earliest, Move("t", 0, 40, 10, 30, 0)),
        (to_latest, Move("t", 0, 40, 90, 0, 50, "10 in an open transaction are not skipped")),
        (by(-20), Move("t", 0, 40, 20, 20, 0)),
        (by(-35), Move("t", 0, 40, 10, 30, 0, "5 has been deleted: the first available offset is 10")),
        (by(-100), Move("t", 0, 40, 10, 30, 0, "there are fewer records: the first available offset is 10")),
        (to_offset(40), Move("t", 0, 40, 40, 0, 0)),
        (to_offset(500), Move("t", 0, 40, 100, 0, 60, "500 is beyond the end, 100")),
        (to_these({("t", 0): None}), Move("t", 0, 40, None)),
    ],
)
def test_a_plan(wish: Goal, expected: Move) -> None:
    assert one(Partition("t", 0, 40, 10, 100, 90), wish) == expected


def test_a_group_that_lost_records_or_is_ahead_reads_only_what_is_there_again() -> None:
    lost, ahead = Partition("t", 0, 5, 50, 100, 100), Partition("t", 0, 100, 0, 5, 5)
    assert one(lost, to_earliest) == Move("t", 0, 5, 50, 0, 0)
    assert one(ahead, to_earliest) == Move("t", 0, 100, 0, 5, 0)


offsets = st.dictionaries(places, st.none() | numbers, min_size=1)


@given(offsets, st.text(max_size=20), st.integers(0, 4 * 10**12))
def test_what_is_saved_is_read_again(kept: dict[tuple[str, int], int | None], group: str, taken: int) -> None:
    saved = Saved(group, "cluster", taken, kept, "reset by -5")
    assert parse_offsets(json.dumps({"kind": "offsets", **offsets_document(saved)}), "f") == saved


@given(st.dictionaries(places, numbers, min_size=1))
def test_what_kafka_consumer_groups_exports_is_read(kept: dict[tuple[str, int], int]) -> None:
    text = "".join(f'"{topic}",{partition},{offset}\n' for (topic, partition), offset in kept.items())
    assert parse_offsets(text, "f").offsets == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f contains no offsets."),
        ("a,b\n", "A line is not topic,partition,offset."),
        ("t,0,1\nt,0,-1\n", "A line is not topic,partition,offset."),
        ("{", "f is not a valid offsets file: Expecting property name"),
        ('{"kind": "lag"}', "f is not a valid offsets file: its kind is lag."),
        ('{"kind": "offsets"}', "f is not a valid offsets file: group is missing."),
        ("[1, 2]", "A line is not topic,partition,offset."),
    ],
)
def test_a_file_that_holds_no_offsets(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_offsets(text, "f")
    assert error.value.message.startswith(message)


@given(st.text(max_size=60))
def test_any_text_is_offsets_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_offsets(text, "f").offsets


def test_the_last_change_is_found_among_those_of_a_group_and_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path))
    assert journal.latest("c", None) is None
    first, second = Saved("a/b", "c", 1_000, {("t", 0): 1}, "x"), Saved("é" * 200, "c", 1_000, {("t", 0): 2}, "y")
    paths = [journal.keep(saved) for saved in (first, second, first)]
    assert len(set(paths)) == 3
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert journal.latest("c", "a/b") == (paths[2], first)
    assert journal.latest("c", second.group) == (paths[1], second)
    assert journal.latest("other", None) is None
    paths[2].write_text('{"kind": "offsets", "gro')  # a full disk
    assert journal.latest("c", "a/b") == (paths[0], first)


def test_nothing_is_changed_where_nothing_can_be_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    with pytest.raises(KafkactlError, match="Nothing was changed: could not save the current offsets"):
        journal.keep(Saved("g", "c", 0, {}))
