"""kafkactl replicas on three secured brokers: as one who may do everything, and as one who may do little."""

from collections.abc import Callable

import pytest

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome
from tests.moved_replicas import no_throttle, replicas, topic_with, under_load
from tests.sandboxes import as_user

Kafkactl = Callable[..., Outcome]


@pytest.mark.parametrize("kind", ["scram", "mtls"])
def test_replicas_are_moved_under_load(secured_three: RunningSandbox, kafkactl: Kafkactl, kind: str) -> None:
    brokers = secured_three.internal
    topic_with(brokers, "a", [[1], [2], [1]], 200)
    with under_load(brokers, "a", 3):
        move = ("replicas", "move", "a", "--replication", "3", "--throttle", "20MB/s", "--yes")
        run = kafkactl(*move, *as_user(secured_three, "admin", kind))
        assert run.code == 0, run.text
        assert "not known" not in run.text
    assert {len(found) for found in replicas(brokers, "a")} == {3}
    assert no_throttle(brokers)


def test_one_who_may_not_is_told_so_and_nothing_is_changed(secured_three: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = secured_three.internal
    topic_with(brokers, "audit.logs", [[1], [2]], 5)
    flags = as_user(secured_three, "reader")
    for words in (("plan", "--spread"), ("move", "--spread", "--yes"), ("status",), ("cancel", "--yes")):
        run = kafkactl("replicas", *words, *flags)
        assert run.code == 1, run.text
        assert "No permission to" in run.err, run.text
    assert replicas(brokers, "audit.logs") == [[1], [2]]
    assert no_throttle(brokers)
