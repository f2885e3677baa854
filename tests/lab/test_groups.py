"""KD6: consumer groups in each of the states that have a code, and in those that only look like one."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from kafkactl.cluster.client import connect
from kafkactl.connection import resolve_connection
from kafkactl.groups.fetch import read_groups
from kafkactl.groups.model import Group, Sample
from kafkactl.groups.verdict import lag_of
from kafkactl.sandbox.foreground import throwaway
from tests.conftest import admin_client, create
from tests.lab.consumers import Consumes, arriving, consume_to_its_end, consumer
from tests.lab.examination import Doctor, Examination, shell
from tests.lab.faults import fill, made_anew
from tests.sandboxes import eventually


def named(seen: Examination, code: str) -> dict[str, Any]:
    """The finding of this code, which is the headline and all that is wrong."""
    seen.names(code)
    return seen.findings(code)[0]


def output(remedy: dict[str, str]) -> str:
    """What a remedy's command prints, run as it is printed."""
    done = shell(remedy["command"])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def app(one_broker: str) -> Consumes:
    """A consumer of the topic `orders`, which has one partition."""
    create(one_broker, NewTopic("orders", 1, 1))
    return Consumes(one_broker, "orders-group", "orders")


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def sample(brokers: str) -> Sample:
    """The groups as kafkactl's own gateway reads them."""
    found = resolve_connection(brokers=brokers, env=None, client_config=None, timeout=3.0, verbose=False)
    return read_groups(connect(found), committed=True)


def group(brokers: str, name: str) -> Group:
    return sample(brokers).group(name) or Group(name, "Dead")


def committed(brokers: str, name: str) -> int:
    """The largest offset a group has committed anywhere; -1 where it has committed nothing."""
    return max((p.committed if p.committed is not None else -1 for p in group(brokers, name).partitions), default=-1)


def drained(brokers: str, name: str) -> bool:
    lags = [lag_of(partition) for partition in group(brokers, name).partitions]
    return bool(lags) and not any(lags)


@pytest.mark.quick
@pytest.mark.provokes("KD601", "records deleted before a group read them", healed="consumer with earliest")
def test_out_of_range(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    fill(app.brokers, app.topic, 100)
    consume_to_its_end(replace(app, ends_after=30))
    admin = admin_client(app.brokers)
    for future in admin.delete_records([TopicPartition("orders", 0, 50)]).values():
        future.result(10)
    finding = named(doctor(), "KD601")
    assert finding["headline"] == "Up to 20 records that orders-group had not read are gone from orders[0]."
    assert output(finding["heal"][0]) == "50"
    running.enter_context(consumer(app))
    assert eventually(lambda: drained(app.brokers, app.group))
    doctor().content()


@pytest.mark.quick
@pytest.mark.provokes("KD602", "a topic made anew under a consumer that commits on", healed="commit set back")
def test_ahead(
    doctor: Doctor, app: Consumes, running: ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made_anew(app)
    finding = named(doctor(), "KD602")
    assert finding["headline"] == "orders-group has committed offset 100 in orders[0], but the log ends at 5."
    assert output(finding["heal"][0]) == "0"
    assert finding["heal"][2]["command"].startswith(
        "kafkactl groups reset orders-group --topic orders --partition 0 --to-earliest"
    )
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    assert shell(finding["heal"][2]["command"]).returncode == 0
    running.enter_context(consumer(app))
    assert eventually(lambda: committed(app.brokers, app.group) == 5)
    doctor().content()


@pytest.mark.provokes("KD603", "the only consumer of a group was killed", healed="start the consumer")
def test_no_members(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    with consumer(replace(app, properties={"session.timeout.ms": "6000"})) as process:
        fill(app.brokers, app.topic, 10)
        assert eventually(lambda: committed(app.brokers, app.group) == 10)
        process.kill()
        process.wait()
        fill(app.brokers, app.topic, 7)
        doctor().content()  # to Kafka it is still a member
        assert eventually(lambda: group(app.brokers, app.group).state == "Empty")
    finding = named(doctor("--fail-on", "warn"), "KD603")
    assert finding["headline"] == "orders-group has up to 7 records to read in orders[0]: it has no members."
    assert output(finding["heal"][1]) == "0"  # the first of the seven
    running.enter_context(consumer(app))
    assert eventually(lambda: drained(app.brokers, app.group))
    doctor().content()


@pytest.mark.provokes("KD604", "a consumer that hangs on a record", healed="start the consumer again")
def test_stalled_among_healthy_groups(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    topics = ("seldom", "idle", "modern")
    create(app.brokers, *(NewTopic(topic, 1, 1) for topic in topics))
    for topic in topics:
        fill(app.brokers, topic, 10)
    fill(app.brokers, app.topic, 20)
    seldom = replace(app, group="seldom-group", topic="seldom")
    consume_to_its_end(replace(seldom, ends_after=10))
    running.enter_context(consumer(replace(seldom, properties={"auto.commit.interval.ms": "30000"})))
    running.enter_context(arriving(app.brokers, "seldom", 20))
    running.enter_context(consumer(replace(app, group="idle-group", topic="idle")))
    modern = replace(app, group="modern-group", topic="modern", properties={"group.protocol": "consumer"})
    running.enter_context(consumer(modern))
    with consumer(replace(app, name="orders-1", stuck_after=12)):
        assert eventually(lambda: committed(app.brokers, app.group) == 12)
        assert eventually(lambda: drained(app.brokers, "modern-group") and drained(app.brokers, "idle-group"))
        assert group(app.brokers, "modern-group").type == "consumer"
        short = doctor("--sample", "2s")
        short.content()  # over two seconds, nobody can tell
        assert "too short" in short.checks["KD604"]["reason"]
        finding = named(doctor("--sample", "62s"), "KD604")
        assert finding["headline"].startswith("orders-1 of orders-group is stuck at orders[0]: no commit in")
        assert finding["headline"].endswith("up to 8 records wait.")
        assert output(finding["heal"][0]) == "12"
    running.enter_context(consumer(app))
    assert eventually(lambda: drained(app.brokers, app.group))
    doctor("--sample", "2s").content()


@pytest.mark.provokes("KD605", "a consumer that joins and leaves all the time", healed="stop it")
def test_rebalancing_for_ever(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    fill(app.brokers, app.topic, 10)
    running.enter_context(consumer(app))
    assert eventually(lambda: drained(app.brokers, app.group))
    with consumer(replace(app, name="restless", life=1.0)):
        assert eventually(lambda: group(app.brokers, app.group).rebalancing)
        finding = named(doctor("--sample", "8s"), "KD605")
        assert finding["target"] == "orders-group"
    assert eventually(lambda: group(app.brokers, app.group).state == "Stable")
    time.sleep(1)
    doctor("--sample", "3s").content()


@pytest.mark.provokes("KD606", "three members for one partition", healed="nothing to heal")
def test_idle_members(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    for number in range(3):
        running.enter_context(consumer(replace(app, name=f"app-{number}")))
    assert eventually(lambda: len(group(app.brokers, app.group).members) == 3)
    assert eventually(lambda: group(app.brokers, app.group).state == "Stable")
    seen = doctor()
    seen.content()
    (finding,) = seen.checks["KD606"]["findings"]
    assert finding["headline"] == "2 members of orders-group are idle: 1 member read all of its 1 partition."


@pytest.mark.provokes("KD607", "a declared consumer that never ran", healed="start it")
def test_no_group(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    Path("topics.yaml").write_text("topics: {orders: {partitions: 1, consumers: [analytics]}}")
    empty = doctor()
    empty.content()
    assert [finding["severity"] for finding in empty.checks["KD607"]["findings"]] == ["info"]
    fill(app.brokers, app.topic, 3)
    finding = named(doctor("--fail-on", "warn"), "KD607")
    assert finding["headline"] == (
        "analytics is declared to read orders, which holds up to 3 records, but group analytics-group does not exist."
    )
    running.enter_context(consumer(replace(app, group="analytics-group")))
    assert eventually(lambda: drained(app.brokers, "analytics-group"))
    doctor().content()


@pytest.mark.provokes("KD608", "a consumer slower than what arrives", healed="a faster one")
def test_slow(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    fill(app.brokers, app.topic, 11_000)  # more than arrives in a minute
    with arriving(app.brokers, app.topic, 150):
        with consumer(replace(app, handling=0.02)):
            assert eventually(lambda: committed(app.brokers, app.group) > 0)
            finding = named(doctor("--sample", "10s", "--fail-on", "warn"), "KD608")
            assert "with 1 member on 1 partition: a second would be idle" in finding["heal"][0]["advice"]
        running.enter_context(consumer(app))
        assert eventually(lambda: committed(app.brokers, app.group) > 11_000)
    assert eventually(lambda: drained(app.brokers, app.group))
    doctor("--sample", "2s").content()


@pytest.mark.quick
@pytest.mark.provokes("KD609", "a lag above the declared threshold", healed="a consumer that reads on")
def test_above_threshold(doctor: Doctor, app: Consumes, running: ExitStack) -> None:
    """Without a sample; and lag judges the same."""
    Path("topics.yaml").write_text(
        "topics: {orders: {partitions: 1, consumers: [orders]}}\nservices: {orders: {lag_threshold: 5}}\n"
    )
    fill(app.brokers, app.topic, 10)
    with consumer(replace(app, stuck_after=1)):
        assert eventually(lambda: committed(app.brokers, app.group) == 1)
        finding = named(doctor(), "KD609")
        assert finding["headline"] == "orders-group has a lag of 9, above its threshold of 5."
        assert shell("kafkactl lag orders-group").returncode == 1
    running.enter_context(consumer(app))
    assert eventually(lambda: drained(app.brokers, app.group))
    doctor().content()
    assert shell("kafkactl lag orders-group").returncode == 0


@pytest.mark.parametrize("end", ["committed", "aborted", "open"])
def test_what_transactions_leave_behind_does_not_wait(doctor: Doctor, app: Consumes, end: str) -> None:
    producer = Producer({"bootstrap.servers": app.brokers, "transactional.id": f"t-{end}", "log_level": 0})
    producer.init_transactions(10)
    for finish in (producer.commit_transaction, {"committed": None, "aborted": producer.abort_transaction}.get(end)):
        producer.begin_transaction()
        for _ in range(5):
            producer.produce(app.topic, b"x", partition=0)
        producer.flush(10)
        if finish:
            finish(10)
        elif end == "committed":
            producer.commit_transaction(10)
    consume_to_its_end(replace(app, ends_after=10 if end == "committed" else 5))
    (partition,) = group(app.brokers, app.group).partitions
    assert partition.committed is not None
    assert partition.end is not None
    assert partition.committed < partition.end  # what others call lag
    doctor().content()
    if end == "open":
        producer.commit_transaction(10)
        assert doctor().found() == ["KD603"]  # now there is something to read


def test_two_hundred_groups_at_once(doctor: Doctor, one_broker: str) -> None:
    create(one_broker, NewTopic("orders", 3, 1))
    for partition in range(3):
        fill(one_broker, "orders", 10, partition)
    names = [f"group-{number}" for number in range(200)]
    commit_for(one_broker, names, 10)
    assert eventually(lambda: len(sample(one_broker).groups) == 200)
    doctor().content()
    commit_for(one_broker, names[:150], 9)
    seen = doctor("--fail-on", "warn")
    seen.names("KD603")
    assert {finding["target"] for finding in seen.checks["KD603"]["findings"]} == set(names[:150])
    assert all("has up to 3 records to read in" in finding["headline"] for finding in seen.checks["KD603"]["findings"])


def commit_for(brokers: str, names: list[str], offset: int) -> None:
    """Commit this offset in all three partitions for each of these groups, which have no members."""
    admin = admin_client(brokers)
    pending = list(names)
    while pending:
        places = [TopicPartition("orders", partition, offset) for partition in range(3)]
        futures = {
            name: admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(name, places)])[name]
            for name in pending
        }
        # The coordinator of a new cluster takes a moment, and says so for each partition.
        pending = [
            name
            for name, future in futures.items()
            if future.exception(20) or any(place.error for place in future.result().topic_partitions)
        ]


def test_one_broker_of_three_down_is_said_to_be_partial(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, running: ExitStack
) -> None:
    # Each group is kept by one broker, and a dead one is known to be so sooner.
    quick = {"offsets.topic.replication.factor": "1", "broker.session.timeout.ms": "3000"}
    sandbox = running.enter_context(throwaway(3, settings=quick))
    monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
    create(sandbox.bootstrap, NewTopic("orders", 3, 3))
    commit_for(sandbox.bootstrap, [f"group-{number}" for number in range(20)], 0)
    assert eventually(lambda: len(sample(sandbox.bootstrap).groups) == 20)
    assert sample(sandbox.bootstrap).missing == {}
    doctor().content()
    sandbox.kill(3)
    assert eventually(lambda: "__consumer_offsets" in sample(sandbox.bootstrap).missing, 30)
    partial = sample(sandbox.bootstrap)
    assert 0 < len([g for g in partial.groups if not g.missing]) < 20
    seen = doctor()
    assert seen.cause == "KD501"
    for code in ("KD601", "KD602", "KD603"):
        assert seen.checks[code]["reason"].startswith("only some groups could be read: "), seen.checks[code]


def test_a_cluster_where_nothing_was_ever_consumed_stays_so(doctor: Doctor) -> None:
    with throwaway() as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        doctor().content()
        assert "__consumer_offsets" not in admin_client(sandbox.bootstrap).list_topics(timeout=10).topics
