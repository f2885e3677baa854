"""Thousands of topics, partitions and groups: what is asked is split and bounded, and nothing is looked up in a list.

tests/lab/test_scale.py runs the commands on a cluster of that size.
"""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError

from kafkactl.cluster import client, metadata, offsets
from kafkactl.cluster.outage import Patience
from kafkactl.connection import Connection
from kafkactl.doctor.facts import ClusterFacts, TopicFacts
from kafkactl.records import consume
from kafkactl.topics import Place

TOPICS = 10_000


class Admin:
    """A client that answers at once, and counts: how many requests there were, and how much was under way."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def list_offsets(self, asked: Mapping[Any, Any], **_: Any) -> dict[Any, "Future[Any]"]:
        self.sizes.append(len(asked))
        return {key: _done(SimpleNamespace(offset=7, timestamp=7)) for key in asked}

    def describe_configs(self, asked: list[Any], **_: Any) -> dict[Any, "Future[Any]"]:
        self.sizes.append(len(asked))
        entry = SimpleNamespace(value="1", source=5, synonyms={})
        return {resource: _done({"min.insync.replicas": entry}) for resource in asked}


def _done(answer: Any) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_result(answer)
    return future


class Clusterlike:
    """As much of a Cluster as is used here; `most` is how many futures it was given at once."""

    def __init__(self) -> None:
        self.admin = Admin()
        self.connection = SimpleNamespace(timeout=3.0)
        self.most = 0

    def gather(self, futures: Mapping[Any, "Future[Any]"], *, limit: float = 60.0) -> dict[Any, Any]:
        self.most = max(self.most, len(futures))
        return {key: future.result() for key, future in futures.items()}


@pytest.fixture
def cluster() -> Any:
    return Clusterlike()


def test_offsets_of_thirty_thousand_partitions(cluster: Any) -> None:
    places = [Place(f"payments.{number:05}", id) for number in range(TOPICS) for id in range(3)]
    start = time.process_time()
    ranges = offsets.ranges_of(cluster, places)
    assert list(ranges) == places
    assert set(ranges.values()) == {offsets.Range(7, 7)}
    assert list(offsets.read_stable_ends(cluster, places)) == places
    assert list(offsets.read_time_offsets(cluster, places, 0)) == places
    assert list(offsets.read_newest(cluster, places)) == places
    assert max(cluster.admin.sizes) <= 2_000
    assert cluster.most <= 8_000  # each is a future of some KB
    assert time.process_time() - start < 10


def test_settings_of_ten_thousand_topics(cluster: Any) -> None:
    names = [f"payments.{number:05}" for number in range(TOPICS)]
    found = metadata.read_configs(cluster, names)
    assert list(found) == names
    assert max(cluster.admin.sizes) <= 500
    assert len({id(value) for config in found.values() for value in (config or {}).values()}) == 1  # shared


def test_what_does_not_answer_is_waited_for_once() -> None:
    """Not once more for each of thousands."""
    link: Any = SimpleNamespace(connection=SimpleNamespace(timeout=60.0), events=list)
    patience = Patience(link, 0.05)
    start = time.monotonic()
    cluster = object.__new__(client.Cluster)
    cluster.connection = Connection(("127.0.0.1:1",), "")
    answers = [cluster._result(Future(), patience, 0.0) for _ in range(TOPICS)]
    assert all(answer.code() == KafkaError._TIMED_OUT for answer in answers)
    assert time.monotonic() - start < 5


def test_a_topic_is_found_without_a_search() -> None:
    facts = ClusterFacts("", "KRaft", (), tuple(TopicFacts(str(n), (), {}, None, None) for n in range(TOPICS)))
    start = time.process_time()
    assert all(facts.topic(str(number)) is facts.topics[number] for number in range(TOPICS))
    assert facts.topic("none") is None
    assert time.process_time() - start < 1


class Readerlike:
    """A reader of partitions with one record each; `most` is how many it was given before it was renewed."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.read: set[Place] = set()
        self.most = 0

    def assign(self, starts: Mapping[Place, int]) -> None:
        self.places = list(starts)
        self.read |= starts.keys()
        self.most = max(self.most, len(self.read))

    def renew(self) -> None:
        self.read.clear()

    def messages(self, _: float) -> tuple[list[Any], dict[Place, int]]:
        return [], dict.fromkeys(self.places, 1)

    def leave(self, _: Any) -> None:
        pass

    def last_offsets(self, _: Any) -> dict[Place, int]:
        return {}


def test_the_last_records_of_thousands_of_partitions_are_read_a_few_at_a_time() -> None:
    """librdkafka takes time that grows with the square of the partitions that it has ever read."""
    reader: Any = Readerlike()
    places = [Place("t", number) for number in range(TOPICS)]
    firsts, ends = dict.fromkeys(places, 0), dict.fromkeys(places, 1)
    assert consume.last_records(reader, firsts, ends, 3, lambda _: b"", 1.0) == []
    assert reader.most <= 2_500
