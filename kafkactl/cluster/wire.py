"""Kafka's protocol over a plain connection, for requests that librdkafka lacks, reads in part or sends to any broker.

kafka-python has them, too, but loading it takes longer than all the rest of `describe`: it is left to connections that
need TLS or SASL, and to brokers older than 2.6. Layouts are those of the Kafka protocol guide; all are "flexible"
versions: arrays and strings have their length + 1 as a varint, and every structure ends in tagged fields.
"""

import struct
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from kafkactl.cluster import frames
from kafkactl.cluster.network import connected

T = TypeVar("T")

_GROUPS, _API_VERSIONS, _PERMISSIONS, _LOG_DIRS, _MOVES, _PASSWORDS, _QUORUM = 16, 18, 29, 35, 46, 50, 55
_LOG_DIRS_WITH_TOTALS, _LOG_DIRS_WITH_ERROR = 4, 3
_GROUPS_WITH_TYPE = 5
# By request: the oldest and the newest version that is understood here.
_KNOWN = {_GROUPS: (4, 5), _LOG_DIRS: (2, 4), _MOVES: (0, 0), _QUORUM: (0, 0), _PERMISSIONS: (2, 3), _PASSWORDS: (0, 0)}
_LARGEST = 256 * 2**20  # bytes of an answer; more is not Kafka
_METADATA_TOPIC = b"__cluster_metadata"


class UnknownToBrokerError(Exception):
    """The broker has no version of a request that is known here."""


class RefusedRequestError(Exception):
    """The broker answered with an error; its code in Kafka's protocol."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Wire:
    """A connection to one broker. `timeout` is in seconds, for each step.

    Raises OSError where it breaks, and what is declared above.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._socket = connected(host, port, timeout)
        self._last = 0
        try:
            self._versions = self._read_versions()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def log_dirs(self) -> list[dict[str, Any]]:
        """The broker's log directories: error_code, topics with their partitions' sizes, total_bytes, usable_bytes."""
        version, answer = self._ask(_LOG_DIRS, b"\x00")  # of every topic
        answer.skip(4)
        if version >= _LOG_DIRS_WITH_ERROR:
            answer.raise_error()
        return answer.array(lambda: _log_dir(answer, version))

    def groups(self) -> list[tuple[str, str, str, str]]:
        """The groups that this broker coordinates, of every kind: id, type ("" if not told), protocol type, state."""
        typed = self._version(_GROUPS) == _GROUPS_WITH_TYPE
        _, answer = self._ask(_GROUPS, b"\x01\x01" if typed else b"\x01")  # of every state and type
        answer.skip(4)
        answer.raise_error()

        def group() -> tuple[str, str, str, str]:
            id, protocol, state = answer.text(), answer.text(), answer.text()
            kind = answer.text() if typed else ""
            answer.tags()
            return id, kind.lower(), protocol, state

        return answer.array(group)

    def quorum_leader(self) -> int:
        """The id of the active controller of a KRaft cluster."""
        asked = _text(_METADATA_TOPIC) + b"\x02" + struct.pack(">i", 0) + b"\x00\x00"
        _, answer = self._ask(_QUORUM, b"\x02" + asked)
        answer.raise_error()
        answer.length()
        answer.text()
        answer.length()
        answer.skip(4)
        answer.raise_error()
        return answer.number(">i", 4)

    def moves(self) -> list[tuple[str, int]]:
        """The partitions whose replicas are being moved. Only the controller knows, or in KRaft whoever asks it."""
        _, answer = self._ask(_MOVES, struct.pack(">i", int((self._socket.gettimeout() or 1) * 1000)) + b"\x00")
        answer.skip(4)
        answer.raise_error()
        answer.text()

        def topic() -> list[tuple[str, int]]:
            name = answer.text()
            ids = answer.array(lambda: _moving_partition(answer))
            answer.tags()
            return [(name, id) for id in ids]

        return [place for places in answer.array(topic) for place in places]

    def permissions(self) -> int:
        """How many permissions (ACLs) this broker knows."""
        _, answer = self._ask(_PERMISSIONS, b"\x01\x00\x01\x00\x00\x01\x01")  # any, of anybody
        answer.skip(4)
        answer.raise_error()
        answer.text()

        def entry() -> None:
            answer.text()
            answer.text()
            answer.skip(2)
            answer.tags()

        def resource() -> int:
            answer.skip(1)
            answer.text()
            answer.skip(1)
            count = len(answer.array(entry))
            answer.tags()
            return count

        return sum(answer.array(resource))

    def iterations(self) -> dict[str, set[int]]:
        """How often the SCRAM passwords of each user are hashed, as this broker knows them."""
        _, answer = self._ask(_PASSWORDS, b"\x00")  # of everybody
        answer.skip(4)
        answer.raise_error()
        answer.text()

        def password() -> int:
            _, count = answer.numbers(">bi", 5)
            answer.tags()
            return count

        def user() -> tuple[str, set[int]]:
            name = answer.text()
            answer.skip(2)
            answer.text()
            found = set(answer.array(password))
            answer.tags()
            return name, found

        return dict(answer.array(user))

    def _version(self, request: int) -> int | None:
        oldest, newest = _KNOWN[request]
        theirs = self._versions.get(request)
        if theirs is None or theirs[0] > newest or theirs[1] < oldest:
            return None
        return min(newest, theirs[1])

    def _ask(self, request: int, body: bytes) -> "tuple[int, _Answer]":
        """The version that was used, and the answer behind its header: ours is of version 2, the answer's of 1."""
        version = self._version(request)
        if version is None:
            raise UnknownToBrokerError
        answer = self._exchange(request, version, b"\x00" + body + b"\x00")
        answer.tags()
        return version, answer

    def _exchange(self, request: int, version: int, rest: bytes) -> "_Answer":
        self._last += 1
        self._socket.sendall(frames.request(request, version, self._last, rest))
        (size,) = struct.unpack(">i", frames.exactly(self._socket, 4))
        if not 0 < size < _LARGEST:
            raise ConnectionError("no answer of Kafka's")
        answer = _Answer(frames.exactly(self._socket, size))
        if answer.number(">i", 4) != self._last:
            raise ConnectionError("an answer to something else")
        return answer

    def _read_versions(self) -> dict[int, tuple[int, int]]:
        answer = self._exchange(_API_VERSIONS, 0, b"")
        answer.raise_error()
        entries = [answer.numbers(">hhh", 6) for _ in range(answer.number(">i", 4))]
        return {key: (oldest, newest) for key, oldest, newest in entries}


class _Answer:
    """An answer that is read from its beginning to its end. What is too short or not text raises ConnectionError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def numbers(self, layout: str, size: int) -> tuple[int, ...]:
        self._at += size
        try:
            return struct.unpack_from(layout, self._data, self._at - size)
        except struct.error:
            raise ConnectionError("an answer that is cut short") from None

    def number(self, layout: str, size: int) -> int:
        return self.numbers(layout, size)[0]

    def skip(self, size: int) -> None:
        self._at += size

    def raise_error(self) -> None:
        """Raise RefusedRequestError where an error code other than 0 comes next."""
        if code := self.number(">h", 2):
            raise RefusedRequestError(code)

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.number(">B", 1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def length(self) -> int:
        """How many bytes or entries follow; 0 for null."""
        return max(0, self.varint() - 1)

    def text(self) -> str:
        size = self.length()
        self._at += size
        return self._data[self._at - size : self._at].decode("utf-8", "replace")

    def array(self, entry: Callable[[], T]) -> list[T]:
        return [entry() for _ in range(self.length())]

    def tags(self) -> None:
        """Pass over tagged fields."""
        for _ in range(self.varint()):
            self.varint()
            self.skip(self.varint())


def _text(text: bytes) -> bytes:
    return bytes([len(text) + 1]) + text  # short ones only


def _log_dir(answer: _Answer, version: int) -> dict[str, Any]:
    error = answer.number(">h", 2)
    answer.text()
    topics = answer.array(lambda: _log_dir_topic(answer))
    total, usable = answer.numbers(">qq", 16) if version >= _LOG_DIRS_WITH_TOTALS else (None, None)
    answer.tags()
    return {"error_code": error, "topics": topics, "total_bytes": total, "usable_bytes": usable}


def _log_dir_topic(answer: _Answer) -> dict[str, Any]:
    name = answer.text()
    partitions = answer.array(lambda: _log_dir_partition(answer))
    answer.tags()
    return {"name": name, "partitions": partitions}


def _log_dir_partition(answer: _Answer) -> dict[str, Any]:
    index, size, _, future = answer.numbers(">iqqB", 21)
    answer.tags()
    return {"partition_index": index, "partition_size": size, "is_future_key": bool(future)}


def _moving_partition(answer: _Answer) -> int:
    index = answer.number(">i", 4)
    for _ in range(3):  # replicas, and those that are added and removed
        answer.skip(4 * answer.length())
    answer.tags()
    return index
