"""A move of replicas that is killed, or one of whose brokers is, under load: no record is lost, no throttle stays."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import admin_client, command
from tests.moved_replicas import moved_now, no_throttle, replicas, topic_with, under_load
from tests.sandboxes import eventually

pytestmark = pytest.mark.lab

_TIMES = 20


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    """Three brokers in three racks, and a topic of 9 MB in six partitions with two replicas each."""
    with throwaway(3, settings={"broker.rack": "rack-{id}"}) as running:
        monkeypatch.setenv("KAFKA_BROKERS", running.bootstrap)
        topic_with(
            running.bootstrap, "a", [[1, 2], [2, 3], [3, 1], [1, 3], [2, 1], [3, 2]], 1500, min_insync_replicas="2"
        )
        yield running


def move(number: int) -> "subprocess.Popen[str]":
    """Start to raise or to lower the replication, slowly enough to be killed in the middle."""
    wanted = 3 - number % 2
    words = ("--replication", str(wanted), "--throttle", "2MB/s", "--batch", "4MiB")
    return command("replicas", "move", "a", *words, "--yes")


def finish(process: "subprocess.Popen[str] | None" = None) -> None:
    """Go on with what is left, if something is, until nothing is."""
    if process is not None:
        _, err = process.communicate(timeout=180)
        assert process.returncode in (0, 3), err
    last = command("replicas", "move", "--throttle", "50MB/s", "--yes")
    _, err = last.communicate(timeout=180)
    assert last.returncode == 0 or "No move was interrupted" in err, err


def test_killed_at_any_moment(sandbox: RunningSandbox) -> None:
    chance = random.Random(18)
    killed = 0
    with under_load(sandbox.bootstrap, "a", 6):
        for number in range(_TIMES):
            run = move(number)
            try:
                _, err = run.communicate(timeout=chance.uniform(0.3, 1.0 if number % 2 else 4))
            except subprocess.TimeoutExpired:
                run.kill()
                run.communicate()
                killed += 1
            else:
                assert run.returncode == 0, err
            finish()
            assert {len(found) for found in replicas(sandbox.bootstrap, "a")} <= {2, 3}
            assert no_throttle(sandbox.bootstrap)
            assert not moved_now(sandbox.bootstrap)
    assert killed > _TIMES // 2


@pytest.mark.parametrize("seed", [81, 82])
def test_a_broker_killed_at_any_moment(sandbox: RunningSandbox, seed: int) -> None:
    chance = random.Random(seed)
    killed = 0
    with under_load(sandbox.bootstrap, "a", 6):
        for number in range(_TIMES // 2):
            run: subprocess.Popen[str] | None = move(number)
            assert run is not None
            with suppress(subprocess.TimeoutExpired):
                run.communicate(timeout=chance.uniform(0.3, 0.6 if number % 2 else 3))
            killed += run.poll() is None
            id = chance.choice(sandbox.nodes).id
            sandbox.kill(id)
            try:
                run.communicate(timeout=chance.uniform(0, 8))
                run = None
            except subprocess.TimeoutExpired:
                pass
            sandbox.start(id)
            assert eventually(lambda: len(admin_client(sandbox.bootstrap).list_topics(timeout=10).brokers) == 3)
            finish(run)
            assert no_throttle(sandbox.bootstrap)
            assert not moved_now(sandbox.bootstrap)
    assert killed >= _TIMES // 4
    assert {len(found) for found in replicas(sandbox.bootstrap, "a")} <= {2, 3}
