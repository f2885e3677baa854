"""kafkactl lag and groups with a broker gone, or all of them: what is not known is said, not taken for nothing."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, admin_client, command, create
from tests.sandboxes import eventually
from tests.test_lag_situations import commit, fill

Run = Callable[..., Outcome]
GROUPS = [f"group-{number:02}" for number in range(20)]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RunningSandbox]:
    """Three brokers; each group is kept by one of them, and a dead one is known to be so soon."""
    quick = {"offsets.topic.replication.factor": "1", "broker.session.timeout.ms": "3000"}
    with throwaway(3, settings=quick) as running:
        monkeypatch.setenv("KAFKA_BROKERS", running.bootstrap)
        monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
        create(running.bootstrap, NewTopic("orders", 3, 3), NewTopic("single", 3, 1))
        for partition in range(3):
            fill(running.bootstrap, "single", 5, partition)
        for name in GROUPS:
            commit(admin_client(running.bootstrap), name, "orders", 0, partitions=3)
        commit(admin_client(running.bootstrap), GROUPS[0], "single", 2, partitions=3)
        yield running


def test_one_broker_of_three_down(kafkactl: Run, sandbox: RunningSandbox) -> None:
    whole = json.loads(kafkactl("lag", "-o", "json").out)
    assert (whole["complete"], [group["group"] for group in whole["groups"]]) == (
        True,
        sorted(GROUPS, key=lambda n: n != GROUPS[0]),
    )
    sandbox.kill(3)
    assert eventually(lambda: not json.loads(kafkactl("lag", "-o", "json").out)["complete"], 30)
    run = kafkactl("lag", "-o", "json", "--partitions")
    partial = json.loads(run.out)
    known = [group for group in partial["groups"] if group["verdict"] != "UNKNOWN"]
    assert 0 < len(known) < 20
    assert any(gap.startswith("__consumer_offsets") or "partitions have no leader" in gap for gap in partial["gaps"])
    assert run.code == 3
    assert run.err.startswith("warning: incomplete answer: ")
    assert "kafkactl_lag_complete 0" in kafkactl("lag", "-o", "prometheus").out
    shown = kafkactl("lag")
    assert shown.code == 3
    assert "No consumer groups" not in shown.text
    listed = kafkactl("groups", "list", "-o", "name")
    assert listed.code == 3
    hidden = next(name for name in GROUPS if name not in listed.out.split())
    for words in (("lag", hidden), ("groups", "describe", hidden), ("groups", "delete", hidden, "--yes")):
        unknown = kafkactl(*words)
        assert unknown.code == 3, unknown.text
        assert unknown.err.startswith(f"Could not determine whether group {hidden} exists: "), unknown.err
    # A partition without a leader: nobody can plan for it.
    kept = next(group["group"] for group in known)
    refused = kafkactl("groups", "reset", kept, "--topic", "single", "--to-latest", "--yes")
    assert refused.code == 3
    assert refused.err.startswith("Nothing was changed: the leader of single[")


def test_watching_rides_out_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        create(sandbox.bootstrap, NewTopic("orders", 3, 1))
        for name in GROUPS:
            commit(admin_client(sandbox.bootstrap), name, "orders", 0, partitions=3)
        watching = command("lag", "--watch")
        for end in (sandbox.stop, sandbox.kill):
            time.sleep(4)
            end(1)
            time.sleep(5)
            sandbox.start(1)
        time.sleep(5)
        assert watching.poll() is None, watching.communicate()
        watching.send_signal(2)
        _, said = watching.communicate(timeout=15)
        assert watching.returncode == 130
        away = f"Kafka does not answer at {sandbox.bootstrap}: connection refused."
        assert said.splitlines() == [away, "Kafka is back."] * 2
