"""Where a key goes: our functions beside real producers that use the partitioner, and fixed vectors."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.records.partitioning import Partitioner, partition_of
from tests.conftest import Outcome, create

Kafkactl = Callable[..., Outcome]
OF_LIBRDKAFKA = {Partitioner.MURMUR2: "murmur2", Partitioner.CRC32: "consistent", Partitioner.FNV1A: "fnv1a"}


@pytest.mark.parametrize(
    ("key", "hash_"),
    [
        # From the tests of Java clients (UtilsTest.testMurmur2), their sign dropped as the partitioner does.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_that_of_java_clients(key: bytes, hash_: int) -> None:
    assert partition_of(key, 2**31, Partitioner.MURMUR2) == hash_ & 0x7FFFFFFF


def test_crc32_and_fnv1a_have_their_published_values() -> None:
    assert partition_of(b"123456789", 2**32, Partitioner.CRC32) == 0xCBF43926
    assert partition_of(b"", 2**32, Partitioner.FNV1A) == 2**32 - 0x811C9DC5
    assert partition_of(b"foobar", 2**32, Partitioner.FNV1A) == 2**32 - 0xBF9CF968


@given(st.binary(), st.integers(1, 10_000), st.sampled_from(Partitioner))
def test_a_key_is_always_in_a_partition_that_exists(key: bytes, partitions: int, partitioner: Partitioner) -> None:
    assert 0 <= partition_of(key, partitions, partitioner) < partitions


@pytest.mark.parametrize("partitioner", Partitioner)
def test_producers_put_keys_where_we_look_for_them(partitioner: Partitioner, one_broker: str) -> None:
    create(one_broker, NewTopic("a", 17, 1))
    source = random.Random(17)
    keys = [source.randbytes(length) for length in range(40) for _ in range(5)] + ["支付-7".encode()]
    placed: dict[bytes, int] = {}

    def delivered(error: object, message: object) -> None:
        assert error is None
        placed[message.key()] = message.partition()  # type: ignore[attr-defined]

    producer = Producer({"bootstrap.servers": one_broker, "log_level": 0, "partitioner": OF_LIBRDKAFKA[partitioner]})
    for key in keys:
        producer.produce("a", b"v", key=key, on_delivery=delivered)
    assert producer.flush(20) == 0
    assert placed == {key: partition_of(key, 17, partitioner) for key in keys}


def test_only_the_partition_of_the_key_is_read(one_broker: str, kafkactl: Kafkactl, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    create(one_broker, NewTopic("a", 17, 1))
    place = partition_of(b"k", 17, Partitioner.MURMUR2)
    producer = Producer({"bootstrap.servers": one_broker, "log_level": 0})
    producer.produce("a", b"where it must be", key=b"k", partition=place)
    producer.produce("a", b"elsewhere", key=b"k", partition=(place + 1) % 17)
    assert producer.flush(20) == 0
    look = ("tail", "a", "--no-follow", "--key", "k")
    assert sorted(kafkactl(*look).out.splitlines()) == ["elsewhere", "where it must be"]
    found = kafkactl(*look, "--partitioner", "murmur2")
    assert found.out == "where it must be\n"
    assert f"Only a[{place}] is read. If partitions were added to the topic, older records" in found.err
    assert kafkactl(*look, "--partitioner", "murmur2", "--partition", str(place)).out == "where it must be\n"
    contradiction = kafkactl(*look, "--partitioner", "murmur2", "--partition", str((place + 1) % 17))
    assert (contradiction.code, f"belongs in partition {place}" in contradiction.err) == (2, True)


def test_a_partitioner_without_a_key_is_a_slip(kafkactl: Kafkactl, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    run = kafkactl("tail", "a", "--partitioner", "murmur2")
    assert (run.code, "--key" in run.err) == (2, True)
