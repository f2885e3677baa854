"""A replay of dead letters that is killed, or whose broker is: nothing is lost, nothing comes twice."""

import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import command, create
from tests.dead_letters import FROM_ORDERS, bury, copies

pytestmark = pytest.mark.lab

LETTERS = 30_000


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """One broker with many dead letters."""
    with throwaway(brokers=1) as running:
        create(running.bootstrap, NewTopic("orders", 3, 1), NewTopic("orders-dlq", 2, 1))
        for start in range(0, LETTERS, 5_000):
            bury(running.bootstrap, *[(b"k%d" % n, b"%d" % n, FROM_ORDERS) for n in range(start, start + 5_000)])
        yield running


def replay(sandbox: RunningSandbox, *options: str) -> "subprocess.Popen[str]":
    return command("dlq", "replay", "orders-dlq", "--yes", *options, "-b", sandbox.bootstrap)


def finish(sandbox: RunningSandbox) -> None:
    """Replay what is left, and count all."""
    last = replay(sandbox)
    _, err = last.communicate(timeout=120)
    assert last.returncode == 0, err
    found = Counter(value for _, _, value, _ in copies(sandbox.bootstrap, "orders"))
    assert len(found) == LETTERS
    assert set(found.values()) == {1}


def test_killed_at_any_moment(sandbox: RunningSandbox) -> None:
    chance = random.Random(16)
    killed = 0
    for _ in range(50):
        run = replay(sandbox, "--rate", "1500/s")
        try:
            _, err = run.communicate(timeout=chance.uniform(0.3, 2.5))
        except subprocess.TimeoutExpired:
            run.kill()
            run.communicate()
            killed += 1
        else:
            assert run.returncode == 0, err
    assert killed > 20
    finish(sandbox)


def test_the_broker_killed_at_any_moment(sandbox: RunningSandbox) -> None:
    chance = random.Random(61)
    id = sandbox.nodes[0].id
    run = replay(sandbox, "--rate", "1000/s")
    try:
        for _ in range(20):
            with suppress(subprocess.TimeoutExpired):
                run.communicate(timeout=chance.uniform(0.5, 3))
            if run.poll() is not None:
                assert run.returncode in (0, 3)
                run = replay(sandbox, "--rate", "1000/s")
            sandbox.kill(id)
            sandbox.start(id)
        run.communicate(timeout=180)
    finally:
        run.kill()
        run.communicate()
    finish(sandbox)
