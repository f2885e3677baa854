"""tail while its topics change: partitions are added, topics deleted, recreated, made; each is told and handled."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewPartitions, NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.commands.tail.topic_watch import Seen, news
from kafkactl.topics import Place
from tests.conftest import KAFKACTL, Outcome, admin_client, create
from tests.sandboxes import eventually

places = st.frozensets(st.builds(Place, st.sampled_from("abc"), st.integers(0, 2)))


@given(places, places, st.dictionaries(st.sampled_from("abc"), st.sampled_from("12")), st.data())
def test_what_is_read_after_the_news_is_what_is_there(
    before: frozenset[Place], now: frozenset[Place], ids: dict[str, str], data: st.DataObject
) -> None:
    later = {topic: data.draw(st.sampled_from([id, "3"])) for topic, id in ids.items()}
    firsts = dict.fromkeys((p for p in now if p not in before or later.get(p.topic) != ids.get(p.topic)), 0)
    found = news(Seen(before, ids), Seen(now, later, firsts))
    reading = (before - found.leave) | found.join.keys()
    assert reading == now
    assert bool(found.told) >= bool(found.join)
    for topic in {place.topic for place in before & now}:
        if later.get(topic) != ids.get(topic):
            assert {p for p in now if p.topic == topic} <= found.join.keys()


def send(brokers: str, topic: str, *partitions: int) -> None:
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
    for partition in partitions:
        producer.produce(topic, value=f"{topic}[{partition}]", partition=partition)
    assert producer.flush(15) == 0


def delete(brokers: str, topic: str) -> None:
    admin = admin_client(brokers)
    for future in admin.delete_topics([topic]).values():
        future.result(10)
    assert eventually(lambda: topic not in admin.list_topics(timeout=10).topics)


@contextmanager
def following(tmp_path: Path, *words: str) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[str], bool]]]:
    """tail in a process of its own, and what tells whether it has said something on either stream."""
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        run = subprocess.Popen([*KAFKACTL, "tail", *words], stdout=out, stderr=err)
        try:
            yield (
                run,
                lambda text: eventually(
                    lambda: text in (tmp_path / "out").read_text() + (tmp_path / "err").read_text(), 25
                ),
            )
        finally:
            run.terminate()
            run.wait(10)


@pytest.mark.usefixtures("_no_catalogue")
def test_partitions_that_are_added_are_read_from_their_start(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    send(one_broker, "a", 0)
    with following(tmp_path, "a") as (_, said):
        assert said("a[0]\n")
        admin = admin_client(one_broker)
        for future in admin.create_partitions([NewPartitions("a", 3)]).values():
            future.result(10)
        assert eventually(lambda: len(admin.list_topics(timeout=10).topics["a"].partitions) == 3)
        send(one_broker, "a", 1, 2)
        assert said("a[1] is a new partition; reading it from its start.")
        assert said("a[1]\n")
        assert said("a[2]\n")


@pytest.mark.usefixtures("_no_catalogue")
def test_a_topic_that_is_recreated_and_one_that_is_deleted(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    send(one_broker, "a", *[0] * 5)
    with following(tmp_path, "a") as (run, said):
        assert said("a[0]\n")
        time.sleep(1)  # the first look has been taken
        delete(one_broker, "a")
        create(one_broker, NewTopic("a", 2, 1))
        send(one_broker, "a", 1)
        assert said("a[1]\n")
        assert said("a was deleted")
        delete(one_broker, "a")
        assert run.wait(25) == 1
        assert said("Nothing is left to follow.")


@pytest.mark.usefixtures("_no_catalogue")
def test_a_new_topic_that_matches_the_glob(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("pay.a", 1, 1))
    send(one_broker, "pay.a", 0)
    with following(tmp_path, "pay.*") as (_, said):
        assert said("pay.a[0]\n")
        create(one_broker, NewTopic("pay.b", 1, 1))
        send(one_broker, "pay.b", 0)
        assert said("pay.b is a new topic; reading it from its start.")
        assert said("pay.b[0]\n")


@pytest.fixture
def _no_catalogue(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()


def test_a_topic_is_waited_for_before_it_exists_and_after_it_is_deleted(one_broker: str, tmp_path: Path) -> None:
    with following(tmp_path, "later", "--wait", "20s", "-o", "raw") as (run, says):
        assert says("waiting: There is no topic later on ")
        create(one_broker, NewTopic("later", 1, 1))
        send(one_broker, "later", 0)
        assert says("later[0]")
        delete(one_broker, "later")
        assert says("Waiting up to 20 s for later to be created.")
        create(one_broker, NewTopic("later", 2, 1))
        send(one_broker, "later", 1)
        assert says("later[1]")
        assert run.poll() is None


def test_a_wait_for_a_topic_that_never_comes_ends(one_broker: str, kafkactl: Callable[..., Outcome]) -> None:
    run = kafkactl("tail", "never", "--wait", "1s")
    assert run.code == 4
    assert run.err.splitlines()[-2].startswith("Waited 1 s. There is no topic never on ")
    assert kafkactl("tail", "never").code == 1
