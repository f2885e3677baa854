"""kafkactl lag where groups are in trouble, and where they only look so: all of it real, in one sample."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from tests.conftest import Outcome, admin_client, command, commit, create, sweep
from tests.lab.consumers import Consumes, arriving, consume_to_its_end, consumer
from tests.lab.examination import shell
from tests.lab.faults import fill, made_anew
from tests.sandboxes import eventually

_SAMPLE = "64s"


@dataclass(frozen=True)
class Scene:
    """What was seen of the situations: the long sample, a short one within it, and what --watch printed meanwhile."""

    brokers: str
    groups: dict[str, dict[str, Any]]
    code: int
    short: dict[str, dict[str, Any]]
    watched: list[str]

    def is_(self, group: str, verdict: str, level: str) -> dict[str, Any]:
        found = self.groups[group]
        assert (found["verdict"], found["level"]) == (verdict, level), found
        return found

    def command(self, group: str) -> str:
        """The command that a group's advice ends with."""
        return next(remedy["command"] for remedy in self.groups[group]["advice"] if "command" in remedy)


def committed(brokers: str, group: str, topic: str) -> int:
    """The largest offset that a group has committed in a topic; -1 where there is none."""
    return max(offsets(brokers, group, topic), default=-1)


def offsets(brokers: str, group: str, topic: str) -> list[int]:
    """What a group has committed in a topic, by partition; without those where it has committed nothing."""
    request = ConsumerGroupTopicPartitions(group)
    admin = admin_client(brokers)
    found = admin.list_consumer_group_offsets([request])[group].result(10)
    return [tp.offset for tp in sorted(found.topic_partitions) if tp.topic == topic]


@contextmanager
def open_transaction(app: Consumes) -> Iterator[None]:
    """Records of a committed, an aborted and an open transaction; a group that has read what it can."""
    patient = {"transaction.timeout.ms": 600_000}  # Kafka ends an open one after a minute, which the scene may take
    producer = Producer({"bootstrap.servers": app.brokers, "transactional.id": app.group, "log_level": 0, **patient})
    producer.init_transactions(10)
    for finish in (producer.commit_transaction, producer.abort_transaction, None):
        producer.begin_transaction()
        for _ in range(5):
            producer.produce(app.topic, b"x", partition=0)
        producer.flush(10)
        if finish:
            finish(10)
    consume_to_its_end(replace(app, ends_after=5))
    yield
    producer.abort_transaction(10)


@contextmanager
def everything(brokers: str) -> Iterator[None]:
    """Every situation at once."""
    admin = admin_client(brokers)
    one = ("slow", "stuck", "dead", "restless", "rewound", "range", "ahead", "open", "idle", "seldom", "modern", "left")
    create(brokers, *(NewTopic(name, 1, 1) for name in one), NewTopic("hot", 3, 1))
    apps = {name: Consumes(brokers, f"{name}-group", name, name=f"{name}-app") for name in (*one, "hot")}
    for name in ("stuck", "restless", "idle", "modern", "rewound", "seldom", "dead", "left"):
        fill(brokers, name, 20)
    fill(brokers, "range", 100)
    fill(brokers, "slow", 9_000)
    fill(brokers, "hot", 9_000)
    commit(admin, "rewound-group", "rewound", 15)
    commit(admin, "left-group", "left", 4)
    commit(admin, "range-group", "range", 30)
    commit(admin, "hot-group", "hot", 0, partitions=3)
    commit(admin, "seldom-group", "seldom", 20)
    for future in admin.delete_records([TopicPartition("range", 0, 50)]).values():
        future.result(10)
    made_anew(apps["ahead"])
    with ExitStack() as running:
        begin = running.enter_context
        begin(open_transaction(apps["open"]))
        begin(consumer(replace(apps["slow"], handling=0.02)))
        begin(consumer(replace(apps["hot"], handling=0.02)))
        begin(consumer(replace(apps["stuck"], stuck_after=12)))
        begin(consumer(apps["idle"]))
        begin(consumer(apps["restless"]))
        begin(consumer(replace(apps["modern"], properties={"group.protocol": "consumer"})))
        begin(consumer(replace(apps["seldom"], properties={"auto.commit.interval.ms": "45000"})))
        dead = begin(consumer(replace(apps["dead"], properties={"session.timeout.ms": "6000"})))
        for name in ("slow", "hot", "idle", "modern", "restless", "dead"):
            assert eventually(lambda name=name: committed(brokers, f"{name}-group", name) > 0, 30), name
        assert eventually(lambda: committed(brokers, "stuck-group", "stuck") == 12)
        dead.kill()
        fill(brokers, "dead", 7)
        begin(consumer(replace(apps["restless"], name="restless-guest", life=1.0)))
        for name, rate in (("slow", 120), ("hot", 120), ("seldom", 20), ("modern", 50)):
            begin(arriving(brokers, name, rate))
        yield


@pytest.fixture(scope="module")
def _swept(_one_broker: str) -> Iterator[str]:
    yield _one_broker
    sweep(_one_broker)


@pytest.fixture(scope="module")
def scene(_swept: str, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One sample of everything."""
    home = tmp_path_factory.mktemp("lag")
    environment = {**os.environ, "KAFKA_BROKERS": _swept, "NO_COLOR": "1", "KAFKACTL_STATE": str(home / "state")}
    options = {"env": environment, "cwd": home}
    with everything(_swept):
        watching = command("lag", "--watch", **options)
        long = command("lag", "--sample", _SAMPLE, "-o", "json", "--partitions", **options)
        time.sleep(2)
        short = command("lag", "stuck-group", "seldom-group", "--sample", "5s", "-o", "json", **options)
        time.sleep(5)
        back = command("groups", "reset", "rewound-group", "--topic", "rewound", "--by", "-10", "--yes", **options)
        _, said = back.communicate(timeout=20)
        assert back.returncode == 0, said
        out, err = long.communicate(timeout=90)
        assert not err, err
        time.sleep(3)  # --watch began before it, and looks every two seconds
        watching.send_signal(2)
        watched, _ = watching.communicate(timeout=10)
        assert watching.returncode == 130
        brief = json.loads(short.communicate(timeout=10)[0])
    return Scene(
        _swept,
        {group["group"]: group for group in json.loads(out)["groups"]},
        long.returncode,
        {group["group"]: group for group in brief["groups"]},
        watched.splitlines(),
    )


def test_what_is_wrong_fails_and_comes_first(scene: Scene) -> None:
    assert scene.code == 1
    levels = [group["level"] for group in scene.groups.values()]
    assert levels == sorted(levels, key=["error", "warning", "ok"].index)
    assert len(levels) == 13


def test_slow(scene: Scene) -> None:
    found = scene.is_("slow-group", "SLOW", "error")  # an error by its threshold
    assert found["thresholds_passed"][0]["lag"] == found["lag"] > 1_000
    assert 0 < found["out_per_second"] < found["in_per_second"]
    assert (found["drains"], found["drained_seconds"]) == (False, None)
    assert found["behind_seconds"] > 30  # what it reads was there before the sample
    assert found["reason"] == "1 member on 1 partition of slow"
    words = found["advice"][0]["advice"]
    assert (
        "with 1 member on 1 partition: a second would be idle. Make the handler faster, or first raise slow to "
        in words
    )
    assert "(breaks key order)" in words
    assert found["advice"][1]["command"] == "kafkactl init-topics --allow partitions"


def test_one_partition_that_holds_a_group_up(scene: Scene) -> None:
    found = scene.is_("hot-group", "SLOW", "error")
    assert "is in hot[0], which only one member can read, so more members do not help" in found["advice"][0]["advice"]


def test_stuck(scene: Scene) -> None:
    found = scene.is_("stuck-group", "STALLED", "error")
    assert found["reason"].startswith("stuck[0] at 12: no commit in 6")
    assert found["advice"][0]["advice"].startswith("Member stuck-app (stuck-app-")
    assert shell(f"KAFKA_BROKERS={scene.brokers} {scene.command('stuck-group')}").stdout == "12\n"
    (partition,) = found["partitions"]
    assert partition["owner"]["client"] == "stuck-app"
    assert (partition["committed"], partition["end_offset"], partition["lag"]) == (12, 20, 8)


def test_a_short_sample_claims_nothing_but_what_it_saw(scene: Scene) -> None:
    stuck, seldom = scene.short["stuck-group"], scene.short["seldom-group"]
    assert (stuck["verdict"], seldom["verdict"]) == ("OK", "OK")
    assert stuck["reason"].startswith("no commit in "), stuck


def test_a_consumer_that_commits_every_45_s_is_healthy(scene: Scene) -> None:
    found = scene.is_("seldom-group", "OK", "ok")
    assert found["out_per_second"] > 0


def test_dead(scene: Scene) -> None:
    found = scene.is_("dead-group", "STOPPED", "warning")
    assert (found["state"], found["members"], found["lag"]) == ("Empty", [], 7)
    assert found["reason"] == "nobody reads dead[0]"
    assert found["advice"][0]["advice"].startswith("Up to 7 records wait, but the group has no members.")


def test_a_group_that_never_had_members(scene: Scene) -> None:
    assert scene.is_("left-group", "STOPPED", "warning")["lag"] == 16


def test_rebalancing_for_ever(scene: Scene) -> None:
    found = scene.is_("restless-group", "REBALANCING", "error")
    assert found["reason"].startswith("keeps rebalancing: in ")


def test_rewound(scene: Scene) -> None:
    found = scene.is_("rewound-group", "REWOUND", "warning")
    assert found["reason"] == "rewound[0] went back by 10 offsets"
    assert found["lag"] == 15


def test_out_of_range(scene: Scene) -> None:
    found = scene.is_("range-group", "OUT_OF_RANGE", "error")
    assert found["reason"] == "up to 20 records deleted unread from range[0]"
    assert found["lag"] == 50  # what is gone does not wait
    assert found["partitions"][0]["lost"] == 20


def test_ahead(scene: Scene) -> None:
    found = scene.is_("ahead-group", "AHEAD", "error")
    assert found["reason"] == "ahead[0]: committed 100, but the log ends at 5"
    assert found["lag"] == 0


def test_the_advice_heals_what_offsets_can_heal(
    scene: Scene, kafkactl: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", scene.brokers)
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path))
    for group in ("ahead-group", "range-group"):
        done = shell(f"{scene.command(group)} --yes")
        assert done.returncode == 0, done.stderr
    after = {
        g["group"]: g for g in json.loads(kafkactl("lag", "ahead-group", "range-group", "-o", "json").out)["groups"]
    }
    assert (after["ahead-group"]["verdict"], after["ahead-group"]["lag"]) == ("STOPPED", 5)
    assert (after["range-group"]["verdict"], after["range-group"]["lag"]) == ("STOPPED", 50)


def test_what_an_open_and_an_aborted_transaction_leave_is_no_lag(scene: Scene) -> None:
    found = scene.is_("open-group", "OK", "ok")
    (partition,) = found["partitions"]
    assert partition["committed"] < partition["stable_end_offset"] < partition["end_offset"]  # what others call lag
    assert (found["lag"], found["behind_seconds"]) == (0, 0)
    assert found["reason"] == "5 offsets behind an open transaction"


def test_an_idle_topic_is_not_behind(scene: Scene) -> None:
    found = scene.is_("idle-group", "OK", "ok")
    assert (found["lag"], found["behind_seconds"], found["reason"]) == (0, 0, None)


def test_a_group_of_the_new_protocol_that_keeps_up(scene: Scene) -> None:
    found = scene.is_("modern-group", "OK", "ok")
    assert found["type"] == "consumer"
    assert found["out_per_second"] > 0
    assert found["members"][0]["assigned"] == [{"topic": "modern", "partition": 0}]


def test_watching_in_a_pipe_says_who_is_not_well_and_then_only_what_changes(scene: Scene) -> None:
    words = [line.split("  ", 1)[1] for line in scene.watched]
    at_first = [line for line in words if "→" not in line]
    assert any(line.startswith("range-group  OUT OF RANGE  lag 50") for line in at_first), words
    assert not any(line.startswith("idle-group") for line in words)
    assert [line for line in words if line.startswith("rewound-group  STOPPED → REWOUND")], words
    assert [line for line in words if line.startswith("stuck-group  ok → STALLED  lag 8  stuck[0] at 12")], words
