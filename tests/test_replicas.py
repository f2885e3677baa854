"""kafkactl replicas, on three brokers in three racks."""

import json
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, admin_client, command, commit
from tests.moved_replicas import (
    begin_behind,
    leaders,
    no_throttle,
    replicas,
    set_throttle,
    throttles,
    topic_with,
    under_load,
)
from tests.sandboxes import eventually
from tests.test_terminal import Terminal

Kafkactl = Callable[..., Outcome]


def moving(kafkactl: Kafkactl) -> list[dict[str, object]]:
    return json.loads(kafkactl("replicas", "status", "-o", "json").out)["moving"]  # type: ignore[no-any-return]


def test_a_plan_changes_nothing_and_shows_what_it_costs(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    topic_with(three_racks.bootstrap, "a", [[1, 2], [2, 1], [1, 2]], 50)
    run = kafkactl("replicas", "plan", "--spread", "--throttle", "1MB/s")
    assert run.code == 0, run.text
    assert "rack-3" in run.out
    assert "to copy" in run.err
    assert "at 977 KiB/s that takes" in run.err
    assert replicas(three_racks.bootstrap, "a") == [[1, 2], [2, 1], [1, 2]]
    found = json.loads(kafkactl("replicas", "plan", "--spread", "-o", "json").out)
    assert found["kind"] == "replicas-plan"
    assert [broker["replicas_after"] for broker in found["brokers"]] == [2, 2, 2]
    assert [broker["leaders_after"] for broker in found["brokers"]] == [1, 1, 1]
    assert found["copies_bytes"] > 100_000
    dry = kafkactl("replicas", "move", "--spread", "--dry-run", "-o", "json")
    assert json.loads(dry.out)["plan"]["moves"] == found["moves"]


def test_replicas_are_raised_and_lowered(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = three_racks.bootstrap
    topic_with(brokers, "a", [[1], [2], [1]], 20)
    topic_with(brokers, "b", [[1]])
    run = kafkactl("replicas", "move", "a", "--replication", "3", "--yes")
    assert run.code == 0, run.text
    assert "3 partitions moved" in run.err
    assert sorted(map(sorted, replicas(brokers, "a"))) == [[1, 2, 3]] * 3
    assert sorted(replicas[0] for replicas in replicas_of(brokers)) == [1, 2, 3]
    assert eventually(lambda: sorted(leaders(brokers, "a")) == [1, 2, 3])
    assert replicas(brokers, "b") == [[1]]
    run = kafkactl("replicas", "move", "a", "--replication", "2", "--yes", "-o", "json")
    assert run.code == 0, run.text
    assert len(json.loads(run.out)["done"]) == 3
    assert [len(found) for found in replicas(brokers, "a")] == [2, 2, 2]
    assert kafkactl("replicas", "move", "a", "--replication", "2", "--yes").err.startswith("Nothing to do")


def replicas_of(brokers: str) -> list[list[int]]:
    return replicas(brokers, "a")


def test_a_broker_is_drained_and_filled_again_under_load(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = three_racks.bootstrap
    topic_with(brokers, "a", [[1, 2], [2, 3], [3, 1], [1, 3]], 200, min_insync_replicas="2")
    with under_load(brokers, "a", 4):
        run = kafkactl("replicas", "move", "--from", "3", "--throttle", "20MB/s", "--yes", "--batch", "300KiB")
        assert run.code == 0, run.text
        assert all(3 not in found for found in replicas(brokers, "a"))
        assert no_throttle(brokers)
        run = kafkactl("replicas", "move", "--to", "3", "--throttle", "20MB/s", "--yes")
        assert run.code == 0, run.text
        assert sum(3 in found for found in replicas(brokers, "a")) == 2
    assert no_throttle(brokers)
    assert not list((Path(os.environ["KAFKACTL_STATE"]) / "replicas").rglob("plan.json"))


def test_what_kafka_keeps_for_itself_is_moved_by_name_only(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = three_racks.bootstrap
    topic_with(brokers, "a", [[3]])
    commit(admin_client(brokers), "readers", "a", 0)
    assert {len(found) for found in replicas(brokers, "__consumer_offsets")} == {3}
    run = kafkactl("replicas", "move", "--from", "3", "--yes")
    assert run.code == 0, run.text
    assert "moved by name only, and stay: __consumer_offsets" in run.err
    assert 3 not in replicas(brokers, "a")[0]
    for number in (2, 3):
        run = kafkactl("replicas", "move", "__consumer_offsets", "--replication", str(number), "--yes")
        assert run.code == 0, run.text
        assert {len(found) for found in replicas(brokers, "__consumer_offsets")} == {number}


def test_earlier_throttles_come_back_and_entries_of_others_stay(
    three_racks: RunningSandbox, kafkactl: Kafkactl
) -> None:
    brokers = three_racks.bootstrap
    topic_with(brokers, "a", [[1], [2]], 20)
    rate, held = "leader.replication.throttled.rate", "leader.replication.throttled.replicas"
    set_throttle(brokers, "2", rate, "7000000")
    try:
        set_throttle(brokers, "a", held, "1:2")
        before = {f"2/{rate}": "7000000", f"a/{held}": "1:2"}
        assert eventually(lambda: throttles(brokers) == before)
        assert kafkactl("replicas", "move", "a", "--replication", "3", "--throttle", "9MB/s", "--yes").code == 0
        assert eventually(lambda: throttles(brokers) == before, 10), throttles(brokers)
    finally:
        set_throttle(brokers, "2", rate, None)


@pytest.fixture
def slow(three_racks: RunningSandbox) -> RunningSandbox:
    """A topic of 3 × 4 MB on brokers 1 and 2, whose move to a third takes many seconds at 500 kB/s."""
    topic_with(three_racks.bootstrap, "a", [[1, 2], [2, 1], [1, 2]], 4000)
    return three_racks


MOVE = ("replicas", "move", "a", "--replication", "3", "--throttle", "500kB/s", "--yes", "--batch", "5MiB")


def begun(kafkactl: Kafkactl) -> bool:
    return eventually(lambda: moving(kafkactl), 30)


def test_ctrl_c_removes_the_throttle_and_move_goes_on(slow: RunningSandbox, kafkactl: Kafkactl) -> None:
    process = command(*MOVE)
    assert begun(kafkactl)
    assert throttles(slow.bootstrap)
    (plan,) = (Path(os.environ["KAFKACTL_STATE"]) / "replicas").rglob("plan.json")
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    second = kafkactl("replicas", "move", "a", "--replication", "1", "--yes")
    assert second.code == 1
    assert "another kafkactl" in second.err
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Kafka goes on with" in err
    assert "To go on: kafkactl replicas move" in err
    assert no_throttle(slow.bootstrap)
    assert "left" in kafkactl("replicas", "status").err
    run = kafkactl("replicas", "move", "--throttle", "50MB/s", "--yes")
    assert run.code == 0, run.text
    assert {len(found) for found in replicas(slow.bootstrap, "a")} == {3}
    assert no_throttle(slow.bootstrap)


def test_cancel_goes_back_and_removes_the_throttle(slow: RunningSandbox, kafkactl: Kafkactl) -> None:
    process = command(*MOVE)
    assert begun(kafkactl)
    process.kill()
    process.wait()
    assert throttles(slow.bootstrap)
    told = kafkactl("replicas", "status")
    assert "set by kafkactl" in told.err
    refused = kafkactl("replicas", "move", "a", "--replication", "1", "--yes")
    assert refused.code == 1
    assert "To go on with it: kafkactl replicas move" in refused.err
    run = kafkactl("replicas", "cancel", "--yes")
    assert run.code == 0, run.text
    assert "have the replicas from before" in run.err or "has the replicas from before" in run.err
    assert no_throttle(slow.bootstrap)
    assert eventually(lambda: sorted({len(found) for found in replicas(slow.bootstrap, "a")})[0] == 2)
    assert kafkactl("replicas", "status").err == "No partition is being moved.\n"
    assert kafkactl("replicas", "cancel", "--yes").err == "Nothing to cancel.\n"


def test_a_killed_move_is_taken_up_under_load(slow: RunningSandbox, kafkactl: Kafkactl) -> None:
    with under_load(slow.bootstrap, "a", 3):
        process = command(*MOVE)
        assert begun(kafkactl)
        process.kill()
        process.wait()
        run = kafkactl("replicas", "move", "--throttle", "50MB/s", "--yes")
        assert run.code == 0, run.text
    assert {len(found) for found in replicas(slow.bootstrap, "a")} == {3}
    assert no_throttle(slow.bootstrap)


def test_a_broker_that_dies_in_the_middle_is_waited_for(slow: RunningSandbox, kafkactl: Kafkactl) -> None:
    with under_load(slow.bootstrap, "a", 3):
        process = command(*MOVE[:-2])
        assert begun(kafkactl)
        slow.kill(3)
        said = process.next_line()
        while "down" not in said:
            assert said, "it ended"
            said = process.next_line()
        assert "Broker 3 is down: waiting" in said
        slow.start(3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert eventually(lambda: json.loads(kafkactl("replicas", "status", "-o", "json").out)["brokers_down"] == [])
        run = kafkactl("replicas", "move", "--throttle", "50MB/s", "--yes")
        assert run.code == 0, run.text
    assert {len(found) for found in replicas(slow.bootstrap, "a")} == {3}
    assert no_throttle(slow.bootstrap)


def test_nothing_begins_while_a_broker_is_down(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    topic_with(three_racks.bootstrap, "a", [[1, 3]])
    three_racks.kill(3)
    assert eventually(lambda: 3 not in admin_client(three_racks.bootstrap).list_topics(timeout=10).brokers)
    run = kafkactl("replicas", "move", "a", "--replication", "1", "--yes")
    assert run.code == 3, run.text
    assert "broker 3 is down" in run.err
    assert "It would not begin now: broker 3 is down" in kafkactl("replicas", "plan", "a", "--replication", "1").err


def test_a_throttle_below_what_is_written_is_refused(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    topic_with(three_racks.bootstrap, "a", [[1], [2]], 20)
    with under_load(three_racks.bootstrap, "a", 2):
        time.sleep(0.5)
        run = kafkactl("replicas", "move", "a", "--replication", "2", "--throttle", "1kB/s", "--yes")
    assert run.code == 1, run.text
    assert "would never end" in run.err
    assert no_throttle(three_racks.bootstrap)


def test_a_protected_cluster_wants_its_name_and_a_throttle(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    topic_with(three_racks.bootstrap, "a", [[1]], 5)
    addresses = three_racks.bootstrap.split(",")
    Path("topics.yaml").write_text(
        f"topics: {{a: {{}}}}\nenvironments: {{prod: {{brokers: {json.dumps(addresses)}, protected: true}}}}"
    )
    move = ("replicas", "move", "a", "--replication", "2", "--yes")
    run = kafkactl(*move)
    assert run.code == 2
    assert "needs a throttle" in run.err
    run = kafkactl(*move, "--throttle", "50MB/s")
    assert run.code == 2
    assert "--confirm prod" in run.err
    run = kafkactl(*move, "--throttle", "50MB/s", "--confirm", "prod")
    assert run.code == 0, run.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a"], "Nothing says what"),
        (["--spread", "--from", "1"], "cannot be combined"),
        (["--replication", "2"], "needs topics"),
        (["a", "--replication", "4"], "needs as many brokers"),
        (["--from", "9"], "there is no broker 9"),
        (["--from", "1", "--to", "1"], "both --from and --to"),
        (["payments", "--spread"], "There is no topic payments"),
        (["--spread", "--throttle", "50"], "not a valid rate"),
        ([], "No move was interrupted"),
    ],
)
def test_what_makes_no_sense_is_refused(
    three_racks: RunningSandbox, kafkactl: Kafkactl, words: list[str], said: str
) -> None:
    topic_with(three_racks.bootstrap, "a", [[1]])
    run = kafkactl("replicas", "move", *words, "--yes")
    assert run.code in (1, 2)
    assert said in run.err, run.err


def test_history_has_a_move_and_takes_it_back(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = three_racks.bootstrap
    topic_with(brokers, "a", [[1, 2], [2, 1], [1, 2]], 50)
    assert kafkactl("replicas", "move", "a", "--from", "2", "--yes").code == 0
    entry = json.loads(kafkactl("history", "a", "-o", "json").out)["entries"][0]
    assert {step["key"]: step["before"] for step in entry["steps"]} == {"a[0]": "1,2", "a[1]": "2,1", "a[2]": "1,2"}
    assert (entry["outcome"], {step["fate"] for step in entry["steps"]}) == ("done", {"done"})
    dry = kafkactl("history", "undo", entry["id"], "--dry-run")
    assert dry.code == 0, dry.text
    assert all(2 not in found for found in replicas(brokers, "a"))
    run = kafkactl("history", "undo", entry["id"], "--yes")
    assert run.code == 0, run.text
    assert replicas(brokers, "a") == [[1, 2], [2, 1], [1, 2]]
    assert "all of them are where they were" in kafkactl("history", "undo", entry["id"], "--yes").err


def test_a_move_is_rehearsed(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    brokers = three_racks.bootstrap
    topic_with(brokers, "a", [[1, 2], [2, 1], [1, 2]], 5)
    run = kafkactl("replicas", "move", "--from", "2", "--rehearse")
    assert run.code == 0, run.text
    assert "3 partitions moved in" in run.out
    assert "test after: Kafka works" in run.out
    assert "nothing was moved on" in run.err
    assert replicas(brokers, "a") == [[1, 2], [2, 1], [1, 2]]
    told = json.loads(kafkactl("replicas", "move", "a", "--replication", "3", "--rehearse", "-o", "json").out)
    assert (told["kind"], told["works"], told["moved"]) == ("replicas-rehearsal", True, 3)
    assert kafkactl("replicas", "move", "--from", "9", "--rehearse").code == 2


def test_a_protected_cluster_is_brought_to_what_is_declared(three_racks: RunningSandbox, kafkactl: Kafkactl) -> None:
    topic_with(three_racks.bootstrap, "a", [[1], [1]], 50)
    addresses = json.dumps(three_racks.bootstrap.split(","))
    Path("topics.yaml").write_text(
        "topics: {a: {partitions: 2, replication: 3, config: {min.insync.replicas: 2}}}\n"
        f"environments: {{prod: {{brokers: {addresses}, protected: true}}}}"
    )
    with under_load(three_racks.bootstrap, "a", 2):
        run = kafkactl("init-topics", "--allow", "replication", "--confirm", "prod")
        assert run.code == 1
        assert "needs --throttle" in run.err
        assert replicas(three_racks.bootstrap, "a") == [[1], [1]]
        run = kafkactl("init-topics", "--allow", "replication", "--throttle", "50MB/s", "--confirm", "prod")
        assert run.code == 0, run.text
    assert kafkactl("diff").code == 0
    assert no_throttle(three_racks.bootstrap)


def test_an_interrupted_init_topics_goes_on_as_a_move(slow: RunningSandbox, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 3, replication: 3, config: {min.insync.replicas: 2}}}")
    process = command("init-topics", "--allow", "replication", "--throttle", "500kB/s")
    assert begun(kafkactl)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "to go on: kafkactl replicas move" in err
    assert no_throttle(slow.bootstrap)
    run = kafkactl("replicas", "move", "--throttle", "50MB/s", "--yes")
    assert run.code == 0, run.text
    run = kafkactl("init-topics", "--allow", "replication")
    assert run.code == 0, run.text
    assert kafkactl("diff").code == 0


def test_a_typed_yes_is_for_the_replicas_that_were_shown(three_racks: RunningSandbox) -> None:
    topic_with(three_racks.bootstrap, "a", [[1]])
    terminal = Terminal("replicas", "move", "a", "--replication", "2")
    terminal.expect("Type yes: ")
    begin_behind(three_racks.bootstrap, "a", 0, [3])
    assert eventually(lambda: replicas(three_racks.bootstrap, "a") == [[3]])
    terminal.type("yes\n")
    assert terminal.end() == 1
    assert "replicas moved while you were asked" in terminal.raw
    again = Terminal("replicas", "move", "a", "--replication", "2")
    again.expect("Type yes: ")
    again.type("yes\n")
    assert again.end() == 0, again.raw
    assert len(replicas(three_racks.bootstrap, "a")[0]) == 2
