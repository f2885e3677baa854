"""How many dead letters wait: counted for metrics by offsets and what was noted since the last time."""

import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.deadletters.handled import HandledLetters
from kafkactl.deadletters.ledger import LetterNote, encode_note
from kafkactl.directories import state_directory
from tests.conftest import Outcome, admin_client, create
from tests.dead_letters import FROM_ORDERS, bury

Run = Callable[..., Outcome]


def metrics(run: Outcome) -> dict[str, str]:
    return dict(line.rsplit(" ", 1) for line in run.out.splitlines() if "dead_letters" in line and line[0] != "#")


def test_the_metrics_count_what_waits_and_read_the_ledger_once(
    kafkactl: Run, orders: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    waiting = 'kafkactl_dead_letters_pending{topic="orders-dlq"}'
    assert metrics(kafkactl("lag", "-o", "prometheus"))[waiting] == "0"
    bury(orders, *((f"k{number}".encode(), b"x", FROM_ORDERS) for number in range(6)))
    assert metrics(kafkactl("lag", "-o", "prometheus"))[waiting] == "6"
    assert kafkactl("dlq", "replay", "orders-dlq", "--limit", "4", "--yes").code == 0
    found = metrics(kafkactl("lag", "-o", "prometheus"))
    assert found == {waiting: "2", "kafkactl_dead_letters_complete": "1"}
    (kept,) = state_directory().joinpath("dead-letters").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    read = json.loads(kept.read_text())["end"]
    assert read
    assert metrics(kafkactl("lag", "-o", "prometheus"))[waiting] == "2"
    assert json.loads(kept.read_text())["end"] == read  # nothing was read again
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    assert metrics(kafkactl("lag", "-o", "prometheus"))[waiting] == "0"
    assert json.loads(kept.read_text())["end"] > read
    kept.write_text("{")  # whatever became of it
    assert metrics(kafkactl("lag", "-o", "prometheus"))[waiting] == "0"
    admin = admin_client(orders)
    for future in admin.delete_topics(["orders-dlq"]).values():
        future.result(10)
    time.sleep(0.5)
    create(orders, NewTopic("orders-dlq", 2, 1))
    bury(orders, (b"new", b"x", FROM_ORDERS))
    assert metrics(kafkactl("lag", "-o", "prometheus"))[waiting] == "1"  # another topic of the same name
    assert "dead_letters" not in kafkactl("lag", "some-group*", "-o", "prometheus").out


@pytest.mark.property
@given(st.lists(st.tuples(st.sampled_from(["replayed", "parked", "sending", "none"]), st.integers(0, 12))))
def test_ranges_hold_what_a_set_would(steps: list[tuple[str, int]]) -> None:
    handled, model = HandledLetters(), set[int]()
    for number, (state, offset) in enumerate(steps):
        value = encode_note(LetterNote(state, 0, "x")) if state != "none" else None  # type: ignore[arg-type]
        handled.note([(f"i/d/0/{offset}".encode(), value), (b"i/d/lock", b"{}"), (b"nonsense", None)], number + 1)
        (model.add if state in ("replayed", "parked") else model.discard)(offset)
        ranges = handled.ranges["i/d"][0]
        assert [place for begin, behind in ranges for place in range(begin, behind)] == sorted(model)
        assert all(one[1] < other[0] for one, other in pairwise(ranges))
    again = msgspec.json.decode(msgspec.json.encode(handled), type=HandledLetters)
    assert again == handled
    for first in range(13):
        assert handled.count("i/d", 0, first, 10) == len([place for place in model if first <= place < 10])
    handled.forget("i/d", 0, 6)
    assert handled.count("i/d", 0, 0, 13) == len([place for place in model if place >= 6])
    assert handled.count("other", 0, 0, 13) == 0
