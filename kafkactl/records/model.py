"""A record as Kafka has it, and the partition its key belongs to. Pure."""

import zlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Literal

import msgspec

TimestampType = Literal["create", "append"]
Headers = tuple[tuple[str, bytes | None], ...]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record. None is Kafka's null, which is not the empty text: a null value is a tombstone.

    `timestamp` is milliseconds since 1970 (None: the record has none); its type says whether the producer set it
    or the broker when it appended the record.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    timestamp_type: TimestampType | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


_BITS = 0xFFFFFFFF


class Partitioner(StrEnum):
    """murmur2: Java clients, and librdkafka's murmur2; crc32: librdkafka's consistent; fnv1a: Sarama."""

    MURMUR2 = "murmur2"
    CRC32 = "crc32"
    FNV1A = "fnv1a"


def partition_of(key: bytes, partitions: int, partitioner: Partitioner) -> int:
    """The partition where a producer with this partitioner puts a record with this key."""
    return _HASHES[partitioner](key) % partitions


def _murmur2(key: bytes) -> int:
    """MurmurHash2 of 32 bits as Java clients have it (org.apache.kafka.common.utils.Utils), without its sign."""
    m = 0x5BD1E995
    h = (0x9747B28C ^ len(key)) & _BITS
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(key[start : start + 4], "little") * m & _BITS
        h = (h * m & _BITS) ^ ((k ^ k >> 24) * m & _BITS)
    if rest := key[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & _BITS
    h = (h ^ h >> 13) * m & _BITS
    return (h ^ h >> 15) & 0x7FFFFFFF


def _fnv1a(key: bytes) -> int:
    """FNV-1a of 32 bits, taken as a signed number whose sign is dropped, as Sarama and librdkafka do."""
    h = 0x811C9DC5
    for byte in key:
        h = (h ^ byte) * 0x01000193 & _BITS
    return h if h < 1 << 31 else (1 << 32) - h


_HASHES: Mapping[Partitioner, Callable[[bytes], int]] = {
    Partitioner.MURMUR2: _murmur2,
    Partitioner.CRC32: zlib.crc32,
    Partitioner.FNV1A: _fnv1a,
}
