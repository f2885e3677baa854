"""Records on their way to Kafka: what a line of input becomes, and what a topic would reject. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import msgspec

from kafkactl.records.jsonlines import RecordLine, as_text, data, decode, encode_line, header_data
from kafkactl.records.model import Headers
from kafkactl.text.units import is_number
from kafkactl.topics import LiveTopic

NOW = 0  # the timestamp librdkafka fills in itself
ANY = -1  # the partition the partitioner chooses


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One record to be written. `timestamp` is in ms since 1970, or NOW; `partition` may be ANY."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    timestamp: int = NOW
    partition: int = ANY


Parse = Callable[[bytes], Outgoing | None]
# Many lines at once, as their values and their keys; None if one of them needs individual treatment.
Columns = Callable[[Sequence[bytes]], tuple[Sequence[bytes], Sequence[bytes | None]] | None]
Check = Callable[[Outgoing], None]


@dataclass(frozen=True)
class Given:
    """What the command line says of every record; None where it says nothing."""

    key: bytes | None = None
    headers: Headers = ()
    timestamp: int | None = None
    partition: int | None = None

    def placed(self) -> tuple[Headers, int, int]:
        """Headers, timestamp and partition of a record that says none of these itself."""
        return (
            self.headers,
            NOW if self.timestamp is None else self.timestamp,
            ANY if self.partition is None else self.partition,
        )


def unkeyed(given: Given) -> Parse:
    """A line is a value."""
    key, (headers, timestamp, partition) = given.key, given.placed()
    return lambda line: Outgoing(line, key, headers, timestamp, partition)


def keyed(separator: bytes, given: Given) -> Parse:
    """A line is a key, the separator and a value. ValueError without a separator."""
    headers, timestamp, partition = given.placed()

    def parse(line: bytes) -> Outgoing:
        key, found, value = line.partition(separator)
        if not found:
            raise ValueError(f"it does not contain the key separator {separator.decode(errors='backslashreplace')!r}")
        return Outgoing(value, key, headers, timestamp, partition)

    return parse


def split_columns(separator: bytes | None, key: bytes | None, rules: "Rules") -> Columns:
    """`plain` or `keyed` for many lines at once, where nothing but the key is given: the way a million lines take."""
    roomy = rules.max_bytes - _OVERHEAD

    def split(lines: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes | None]] | None:
        if max(map(len, lines)) > roomy:
            return None
        if separator is None:
            return lines, [key] * len(lines)
        keys, separators, values = zip(*map(bytes.partition, lines, repeat(separator)), strict=True)
        return (values, keys) if all(separators) else None

    return split


def tombstone(given: Given) -> Parse:
    """Whatever the line, the record's value is null."""
    headers, timestamp, partition = given.placed()
    return lambda _: Outgoing(None, given.key, headers, timestamp, partition)


def from_json(given: Given, *, keep_partition: bool) -> Parse:
    """A line is a record as `tail -o json` or a person writes it; options of the command line override its values.

    An empty line is skipped (None). Raises ValueError for an invalid record, a masked or a decoded one, and a timestamp
    that cannot be written: the client library takes 0 for "now".
    """

    def parse(line: bytes) -> Outgoing | None:
        if not line or line.isspace():
            return None
        found = decode(line)
        if found.masked:
            raise ValueError("it is masked, so it is not an exact copy; use `tail --no-mask` to get one")
        if found.decoded_with:
            raise ValueError("it was decoded with a schema, so it is no exact copy; use `tail --no-decode` to get one")
        timestamp = found.timestamp if given.timestamp is None else given.timestamp
        if timestamp is not None and timestamp <= 0:
            raise ValueError(f"its timestamp is {timestamp} ms, which cannot be written")
        if timestamp is not None and timestamp >= 2**63:
            raise ValueError("its timestamp is beyond what Kafka can hold")
        if not keep_partition:
            partition = given.partition
        elif found.partition is None:
            raise ValueError("it has no partition, but --keep-partition needs one")
        elif not 0 <= found.partition < 2**31:
            raise ValueError(f"no partition can have the number {found.partition}")
        else:
            partition = found.partition
        return Outgoing(
            data(found.value),
            data(found.key),
            (*header_data(found), *given.headers),
            timestamp or NOW,
            ANY if partition is None else partition,
        )

    return parse


@dataclass(frozen=True)
class Rules:
    """What a topic accepts, and how it treats timestamps. Times are in ms; None if there is no limit."""

    partitions: int
    max_bytes: int  # of a batch of one record, as the broker counts them
    compacted: bool = False
    stamps: bool = False  # the broker's clock replaces the records' timestamps
    before: int | None = None  # how far before the broker's clock a timestamp may be
    after: int | None = None
    retention: int | None = None


def rules(topic: LiveTopic) -> Rules:
    """The rules of a topic; those of Kafka's defaults where we may not read its settings."""
    config = {key: setting.value or "" for key, setting in (topic.config or {}).items()}
    policy = config.get("cleanup.policy", "delete")
    stamps = config.get("message.timestamp.type") == "LogAppendTime"
    retention = _bound(config, "retention.ms")
    return Rules(
        partitions=len(topic.partitions),
        max_bytes=int(config.get("max.message.bytes") or 1_048_588),
        compacted="compact" in policy,
        stamps=stamps,
        before=None if stamps else _bound(config, "message.timestamp.before.max.ms"),
        after=None if stamps else _bound(config, "message.timestamp.after.max.ms"),
        retention=retention if "delete" in policy and not stamps else None,
    )


def _bound(config: Mapping[str, str], key: str) -> int | None:
    text = config.get(key, "")
    return int(text) if is_number(text) and int(text) < 2**63 - 1 else None


_OVERHEAD = 128  # bytes around a record that has no headers, at most


def checked(rules: Rules, now: Callable[[], int]) -> Check:
    """A check that raises ValueError for what the topic would reject, so that one record does not fail a whole batch.

    `now` is the clock, in ms.
    """
    most = rules.max_bytes
    roomy = most - _OVERHEAD

    def check(record: Outgoing) -> None:
        size = len(record.value or b"") + len(record.key or b"")
        if (size > roomy or record.headers) and (exact := batch_size(record)) > most:
            raise ValueError(f"it needs {exact:,} bytes, but the topic allows {most:,} (max.message.bytes)")
        if rules.compacted and record.key is None:
            raise ValueError("it has no key, but the topic is compacted")
        if record.partition >= rules.partitions:
            raise ValueError(f"partition {record.partition} does not exist: the topic has {rules.partitions}")
        if record.timestamp:
            clock = now()
            if rules.after is not None and record.timestamp > clock + rules.after:
                raise ValueError("its timestamp is too far ahead (message.timestamp.after.max.ms)")
            if rules.before is not None and record.timestamp < clock - rules.before:
                raise ValueError("its timestamp is too old (message.timestamp.before.max.ms)")

    return check


def batch_size(record: Outgoing) -> int:
    """Bytes of an uncompressed batch of this record alone, which max.message.bytes bounds (Kafka's batch format v2)."""
    body = 3 + _field(record.key) + _field(record.value) + _varint(len(record.headers))
    for name, value in record.headers:
        body += _field(name.encode()) + _field(value)
    return 61 + _varint(body) + body


def _field(data: bytes | None) -> int:
    return 1 if data is None else _varint(len(data)) + len(data)


def _varint(number: int) -> int:
    """Bytes of a zigzag varint of a number that is not negative."""
    return max(1, ((number << 1).bit_length() + 6) // 7)


def as_line(topic: str, record: Outgoing) -> bytes:
    """The record in the form `from_json` reads, with its newline."""
    line = RecordLine(
        value=as_text(record.value),
        key=as_text(record.key),
        headers=[(name, as_text(value)) for name, value in record.headers],
        topic=topic,
        partition=None if record.partition == ANY else record.partition,
        timestamp=None if record.timestamp == NOW else record.timestamp,
    )
    return encode_line(line) + b"\n"
