"""KD4 and KD5: brokers that are gone, partitions that suffer, settings that promise too much."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import admin_client, commit, create, sweep
from tests.lab import faults
from tests.lab.consumers import arriving
from tests.lab.examination import Doctor, after, shell, until_told
from tests.moved_replicas import a_slow_move, begin_behind, cancel_behind, no_throttle, topic_with


@pytest.fixture(scope="module")
def _cluster() -> Iterator[RunningSandbox]:
    with throwaway(3, settings={"replica.lag.time.max.ms": "1500"}) as sandbox:
        yield sandbox


@pytest.fixture
def cluster(_cluster: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    """Three brokers to take apart; whole and empty again afterwards."""
    monkeypatch.setenv("KAFKA_BROKERS", _cluster.bootstrap)
    yield _cluster
    for node in _cluster.nodes:
        if not _cluster.running(node.id):
            _cluster.start(node.id)
    faults.until(lambda: len(admin_client(_cluster.bootstrap).list_topics(timeout=10).brokers) == 3, "all are back")
    sweep(_cluster.bootstrap)


def configure(brokers: str, kind: ResourceType, name: str, **settings: str | None) -> None:
    """Set (or, with None, unset) dynamic settings; `_` in their names stands for a dot."""
    resource = ConfigResource(kind, name)
    for key, value in settings.items():
        operation = AlterConfigOpType.SET if value is not None else AlterConfigOpType.DELETE
        resource.add_incremental_config(ConfigEntry(key.replace("_", "."), value, incremental_operation=operation))
    admin = admin_client(brokers)  # has to outlive its futures
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(20)


@pytest.mark.provokes("KD403", "two of three controllers are down", healed="with the brokers")
def test_no_quorum(doctor: Doctor, cluster: RunningSandbox) -> None:
    create(cluster.bootstrap, NewTopic("a", 3, 3))
    cluster.kill(2)
    cluster.kill(3)
    seen = until_told(doctor, "KD403")  # once the last controller has given up
    seen.names("KD403")
    evidence = str(seen.findings("KD403")[0]["evidence"])
    assert "broker 2" in evidence
    assert "broker 3" in evidence
    cluster.launch(2)
    cluster.start(3)
    doctor("--wait", "30s", "--fail-on", "warn").content()


@pytest.mark.provokes("KD501", "a broker was killed", healed="with the broker")
def test_broker_missing(doctor: Doctor, cluster: RunningSandbox) -> None:
    create(cluster.bootstrap, NewTopic("a", 3, 3), NewTopic("b", 3, 1))
    cluster.kill(3)
    assert doctor().cause in ("KD306", "KD501")  # refused, while the cluster does not miss it yet
    faults.until(lambda: 3 not in admin_client(cluster.bootstrap).list_topics(timeout=10).brokers, "it is missed")
    seen = doctor()
    seen.names("KD501")
    assert "Broker 3" in seen.headline
    assert seen.checks["KD502"]["because"] == "KD501"
    cluster.start(3)
    doctor("--wait", "30s", "--fail-on", "warn").content()


@pytest.mark.provokes("KD502", "a log directory of a running broker has failed", healed="with the directory")
def test_offline_partition(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox:
        (node,) = sandbox.nodes
        sandbox.stop(1)
        second = node.directory / "data2"
        second.mkdir()
        meta = (node.directory / "data" / "meta.properties").read_text()
        other = re.sub(r"directory\.id=.*", "directory.id=x1y2z3A4B5C6D7E8F9G0HA", meta)
        (second / "meta.properties").write_text(other)
        faults.set_properties(node, {"log.dirs": "data,data2", "metadata.log.dir": "data"})
        sandbox.start(1)
        create(sandbox.bootstrap, NewTopic("a", 4, 1))
        time.sleep(5)  # the broker tells the controller in which directory a replica is, and nobody else
        sandbox.stop(1)
        assert list(second.glob("a-*"))
        kept = node.directory / "kept"
        second.rename(kept)
        second.write_text("no directory any more")
        sandbox.start(1)
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        faults.until(lambda: doctor().found(), "the broker has told what it lost")
        seen = doctor()
        seen.names("KD502")
        sandbox.stop(1)
        second.unlink()
        kept.rename(second)
        sandbox.start(1)
        doctor("--wait", "30s").content()


def fall_behind(cluster: RunningSandbox, topic: NewTopic) -> None:
    """Let broker 3 come back to a topic whose records it may fetch one byte a second of."""
    create(cluster.bootstrap, topic)
    configure(cluster.bootstrap, ResourceType.TOPIC, topic.topic, follower_replication_throttled_replicas="*")
    configure(cluster.bootstrap, ResourceType.BROKER, "3", follower_replication_throttled_rate="1")
    cluster.stop(3)
    faults.write(cluster.bootstrap, topic.topic, 1000, size=10_000, acks="1")
    cluster.start(3)


def let_go(cluster: RunningSandbox) -> None:
    """Take the brake of `fall_behind` away."""
    configure(cluster.bootstrap, ResourceType.BROKER, "3", follower_replication_throttled_rate=None)


@pytest.mark.provokes("KD503", "a follower that cannot keep up", healed="by itself: the remedy waits for it")
def test_under_replicated(doctor: Doctor, cluster: RunningSandbox) -> None:
    fall_behind(cluster, NewTopic("a", 1, 3))
    try:
        seen = doctor()
        seen.names("KD503", exit_code=0)
        assert doctor("--fail-on", "warn").exit_code == 1
        with faults.later(lambda: let_go(cluster)):
            healing = shell(seen.command("KD503"))
        assert healing.returncode == 0, healing.stdout
    finally:
        let_go(cluster)
    doctor().content()


@pytest.mark.provokes("KD504", "too few replicas in sync for acks=all", healed="by itself: the remedy waits for it")
def test_under_min_isr(doctor: Doctor, cluster: RunningSandbox) -> None:
    # Asked for from the start, it would keep the high watermark, and so the follower in sync, where they are.
    fall_behind(cluster, NewTopic("a", 1, 3))
    configure(cluster.bootstrap, ResourceType.TOPIC, "a", min_insync_replicas="3")
    try:
        seen = doctor()
        seen.names("KD504")
        assert "2 replicas in sync, but min.insync.replicas requires 3" in seen.headline
        with faults.later(lambda: let_go(cluster)):
            healing = shell(seen.command("KD504"))
        assert healing.returncode == 0, healing.stdout
    finally:
        let_go(cluster)
    doctor().content()


@pytest.mark.quick
@pytest.mark.provokes("KD505", "min.insync.replicas 2 on a topic with 1 replica")
def test_min_isr_over_replication(doctor: Doctor, one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1, config={"min.insync.replicas": "2"}))
    seen = doctor()
    seen.names("KD505", exit_code=0)
    advice = seen.remedies("KD505")[0]
    setting = re.search(r"config: (\{.*\}), then", advice)
    assert setting, advice
    Path("topics.yaml").write_text(f"topics: {{a: {{partitions: 1, replication: 1, config: {setting[1]}}}}}")
    after(seen.command("KD505")).content()


@pytest.mark.provokes(
    "KD506",
    "one broker, and Kafka's default of three replicas for __consumer_offsets",
    healed="by the remedy, typed into server.properties",
)
def test_internal_topic_impossible(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(settings={"offsets.topic.replication.factor": "3"}) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        seen = doctor()
        seen.names("KD506")
        setting = re.search(r"set (\S+)=(\d+)", seen.remedies("KD506")[0])
        assert setting
        faults.restart(sandbox, 1, {setting[1]: setting[2]})
        doctor().content()


@pytest.mark.provokes(
    "KD507",
    "auto.create.topics.enable is left on, and somebody mistyped a topic",
    healed="by the remedy, typed into server.properties",
)
def test_auto_create(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(settings={"auto.create.topics.enable": "true"}) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        faults.catalogue("payment.created: {partitions: 3, replication: 1}")
        create(sandbox.bootstrap, NewTopic("payment.created", 3, 1), NewTopic("paymnet.created", 1, 1))
        seen = doctor()
        seen.names("KD507", exit_code=0)
        assert "Possibly created that way: paymnet.created" in seen.headline
        setting = re.search(r"set (\S+)=(\w+)", seen.remedies("KD507")[0])
        assert setting
        faults.restart(sandbox, 1, {setting[1]: setting[2]})
        doctor().content()


@pytest.mark.provokes("KD508", "a topic takes larger records than its followers fetch")
def test_size_chain(doctor: Doctor, three_brokers: str) -> None:
    create(three_brokers, NewTopic("a", 1, 3, config={"max.message.bytes": "5000000"}))
    seen = doctor()
    seen.names("KD508", exit_code=0)
    setting = re.search(r"config: (\{.*\}), then", seen.remedies("KD508")[0])
    assert setting
    Path("topics.yaml").write_text(f"topics: {{a: {{partitions: 1, replication: 3, config: {setting[1]}}}}}")
    after(seen.command("KD508")).content()


@pytest.mark.quick
@pytest.mark.provokes("KD509", "a producer whose clock is a year ahead", healed="no command can: shown by the remedy")
def test_future_timestamp(doctor: Doctor, one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1, config={"message.timestamp.after.max.ms": faults.FAR}))
    faults.write(one_broker, "a", timestamp=int((time.time() + 365 * 86_400) * 1000))
    seen = doctor()
    seen.names("KD509", exit_code=0)
    shown = shell(seen.command("KD509"))
    assert shown.returncode == 0, shown.stderr
    assert "xxxxxxxxxx" in shown.stdout


@pytest.mark.quick
@pytest.mark.provokes("KD510", "a key that nearly every record has", healed="no command can: shown by the remedy")
def test_hot_partition(doctor: Doctor, one_broker: str) -> None:
    create(one_broker, NewTopic("a", 6, 1))
    with arriving(one_broker, "a", 300):
        seen = doctor("--sample", "1s")
    seen.content()  # news, and no fault
    assert seen.found("info") == ["KD510"]
    assert "a[0]" in seen.findings("KD510")[0]["headline"]
    assert shell(f"timeout 10 {seen.command('KD510')}").returncode == 0
    assert doctor().checks["KD510"]["reason"] == "no sample taken"


@pytest.mark.provokes("KD511", "a broker was restarted and its partitions stayed with the others")
def test_leader_skew(doctor: Doctor, cluster: RunningSandbox) -> None:
    create(cluster.bootstrap, NewTopic("a", 6, 3))
    cluster.stop(2)
    cluster.start(2)
    faults.until(lambda: all(len(p.isrs) == 3 for p in faults.partitions(cluster.bootstrap, "a").values()), "in sync")
    seen = doctor()
    seen.content()  # info is not a finding
    assert seen.found("info") == ["KD511"]
    assert shell(f"{seen.command('KD511')} --yes").returncode == 0
    healed = doctor()
    healed.content()
    assert healed.found("info") == []


@pytest.mark.quick
@pytest.mark.provokes("KD512", "a dead letter", healed="no command can: shown by the remedy")
def test_dead_letters(doctor: Doctor, one_broker: str) -> None:
    create(one_broker, NewTopic("dlq.payment", 1, 1))
    doctor().content()
    faults.write(one_broker, "dlq.payment")
    seen = doctor()
    seen.names("KD512", exit_code=0)
    shown = shell(seen.command("KD512"))
    assert shown.returncode == 0, shown.stderr
    assert "xxxxxxxxxx" in shown.stdout
    assert shell(next(text for text in seen.remedies("KD512") if "replay" in text)).returncode == 0


@pytest.mark.quick
@pytest.mark.provokes("KD513", "nobody created the topics")
def test_topic_missing(doctor: Doctor, one_broker: str) -> None:
    faults.catalogue("a: {partitions: 3, replication: 1}, b: {partitions: 1, replication: 1}")
    seen = doctor()
    seen.names("KD513")
    after(seen.command("KD513")).content()


@pytest.mark.quick
@pytest.mark.provokes("KD514", "a topic with fewer partitions than declared")
def test_topic_drift(doctor: Doctor, one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    faults.catalogue("a: {partitions: 3, replication: 1}")
    seen = doctor("-b", one_broker)
    seen.names("KD514", exit_code=0)
    commands = [remedy.get("command", "") for remedy in seen.findings("KD514")[0]["heal"]]
    assert commands == [f"kafkactl diff -b {one_broker}", f"kafkactl init-topics -b {one_broker} --allow partitions"]
    assert shell(commands[0]).returncode == 1
    after(commands[1]).content()


def test_drift_that_no_command_heals(doctor: Doctor, three_brokers: str) -> None:
    create(three_brokers, NewTopic("a", 3, 3))
    faults.catalogue("a: {partitions: 2, replication: 4}")
    seen = doctor()
    seen.names("KD514", exit_code=0)
    remedies = [finding["heal"][1] for finding in seen.findings("KD514")]
    assert not any("command" in remedy for remedy in remedies)
    assert "declare 3" in remedies[0]["advice"]
    assert "declare replication: 3, or add brokers: there are 3" in remedies[1]["advice"]


def test_replicas_that_differ_are_moved_by_the_remedy(doctor: Doctor, three_brokers: str) -> None:
    create(three_brokers, NewTopic("a", 3, 3))
    faults.catalogue("a: {partitions: 3, replication: 2}")
    seen = doctor()
    seen.names("KD514", exit_code=0)
    after(seen.remedies("KD514")[1]).content()


@pytest.mark.provokes("KD515", "a move that was killed, and cancelled by somebody else")
def test_throttle_left(
    doctor: Doctor, three_racks: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    topic_with(three_racks.bootstrap, "a", [[1]], 4000)
    with a_slow_move("a"):
        doctor().content()  # while it goes on
    cancel_behind(three_racks.bootstrap)
    seen = doctor()
    seen.names("KD515", exit_code=0)
    assert "Brokers 1, 2, 3 are still throttled to 195 KiB/s" in seen.headline
    with monkeypatch.context() as other:
        other.setenv("KAFKACTL_STATE", str(tmp_path / "of-another-machine"))
        elsewhere = doctor()
    elsewhere.names("KD515", exit_code=0)
    assert "where the move was begun" in elsewhere.remedies("KD515")[0]
    after(f"{seen.command('KD515')} --yes").content()
    assert no_throttle(three_racks.bootstrap)


@pytest.mark.provokes("KD516", "a throttle that lets nothing through")
def test_move_stands_still(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    # What comes at once fills the quota of minutes.
    with throwaway(3, settings={"replication.quota.window.size.seconds": "30"}) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        topic_with(sandbox.bootstrap, "a", [[1]], 4000)
        configure(sandbox.bootstrap, ResourceType.TOPIC, "a", follower_replication_throttled_replicas="*")
        configure(sandbox.bootstrap, ResourceType.BROKER, "3", follower_replication_throttled_rate="1")
        begin_behind(sandbox.bootstrap, "a", 0, [1, 3])
        time.sleep(2)
        doctor().content()  # a single look does not tell
        seen = doctor("--sample", "10s")
        seen.names("KD516", exit_code=0)
        assert "stands still: nothing was copied in 10 s" in seen.headline
        assert shell(seen.command("KD516")).returncode == 0
        after(f"{seen.remedies('KD516')[1]} --yes").content()


@pytest.mark.provokes("KD517", "consumer offsets on one broker only")
def test_internal_replication(doctor: Doctor, three_racks: RunningSandbox) -> None:
    brokers = three_racks.bootstrap
    topic_with(brokers, "a", [[1, 2, 3]])
    commit(admin_client(brokers), "readers", "a", 0)
    faults.catalogue("a: {partitions: 1, replication: 3}")
    doctor().content()
    lowered = shell("kafkactl replicas move __consumer_offsets --replication 1 --yes")
    assert lowered.returncode == 0, lowered.stderr
    seen = doctor()
    seen.names("KD517", exit_code=0)
    after(f"{seen.command('KD517')} --yes").content()
