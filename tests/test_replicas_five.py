"""kafkactl replicas on five brokers in three racks: spread, drained and filled under load, and rehearsed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome
from tests.moved_replicas import no_throttle, replicas, topic_with, under_load

Kafkactl = Callable[..., Outcome]
RACKS = {1: "a", 2: "a", 3: "b", 4: "b", 5: "c"}


@pytest.fixture(scope="module")
def five() -> Iterator[RunningSandbox]:
    with throwaway(5, racks=list(RACKS.values())) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _named(five: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", five.bootstrap)


def test_racks_come_first_and_then_brokers(five: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = five.bootstrap
    topic_with(brokers, "spread", [[1, 2], [2, 1], [1, 2], [2, 1], [1, 2], [2, 1]], 30)
    with under_load(brokers, "spread", 6):
        run = kafkactl("replicas", "move", "spread", "--replication", "3", "--throttle", "20MB/s", "--yes")
        assert run.code == 0, run.text
    raised = replicas(brokers, "spread")
    assert all(len(set(ids)) == 3 and {1, 2} < set(ids) for ids in raised)  # nothing that is there is dropped
    assert no_throttle(brokers, tuple(RACKS))
    again = kafkactl("replicas", "move", "spread", "--spread", "--yes")
    assert again.code == 0, again.text
    found = replicas(brokers, "spread")
    assert all({RACKS[id] for id in ids} == {"a", "b", "c"} for ids in found)
    held = [sum(id in ids for ids in found) for id in RACKS]
    assert max(held[:4]) - min(held[:4]) <= 1  # the fifth holds a replica of each: it is alone in its rack
    assert held[4] == 6


def test_a_broker_is_drained_and_a_rehearsal_says_so_before(five: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = five.bootstrap
    topic_with(brokers, "drained", [[5, 1], [5, 3], [2, 5], [4, 5]], 30)
    told = kafkactl("replicas", "move", "drained", "--from", "5", "--rehearse", "-o", "json")
    assert told.code == 0, told.text
    rehearsed = json.loads(told.out)
    assert (rehearsed["works"], rehearsed["moved"], rehearsed["copy"]["brokers"]) == (True, 4, 5)
    assert any(5 in ids for ids in replicas(brokers, "drained"))
    with under_load(brokers, "drained", 4):
        run = kafkactl("replicas", "move", "drained", "--from", "5", "--yes")
        assert run.code == 0, run.text
    assert all(5 not in ids for ids in replicas(brokers, "drained"))
    filled = kafkactl("replicas", "move", "drained", "--to", "5", "--yes")
    assert filled.code == 0, filled.text
    assert any(5 in ids for ids in replicas(brokers, "drained"))


def test_what_is_declared_is_placed_over_racks(five: RunningSandbox, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {placed: {partitions: 5, replication: 3}}\n")
    assert kafkactl("init-topics").code == 0
    assert all(len({RACKS[id] for id in ids}) == 3 for ids in replicas(five.bootstrap, "placed"))
