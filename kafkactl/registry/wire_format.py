"""How a record says which schema it was written with: a prefix of its value, or a header. Pure.

Confluent's wire format (docs.confluent.io, "Schema Registry wire format"): a byte 0 and four bytes of an id; or, in the
header `__value_schema_id` (`__key_schema_id`), a byte 1 and the sixteen bytes of a GUID. Protobuf then has the indexes
of the message within its file, as zigzag varints: their number, and each; the number 0 means the first message.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from kafkactl.records.model import Headers

_ID, _GUID = 0, 1
_PREFIX, _IN_HEADER = 5, 17  # bytes


class Framed(NamedTuple):
    """The schema that a value names (`id`, or `guid`), and what was written with it."""

    id: int | None
    guid: str | None
    payload: bytes

    @property
    def schema(self) -> str:
        """The schema as messages name it."""
        return str(self.id) if self.guid is None else self.guid


def framed(data: bytes | None, headers: Headers, part: str) -> Framed | None:
    """The schema of a record's `part` (key, value), if it names one."""
    if data is None:
        return None
    named = next((value for name, value in headers if name == f"__{part}_schema_id"), None)
    if named is not None:
        if len(named) == _IN_HEADER and named[0] == _GUID:
            return Framed(None, str(UUID(bytes=named[1:])), data)
        return Framed(int.from_bytes(named[1:]), None, data) if len(named) == _PREFIX and named[0] == _ID else None
    if len(data) >= _PREFIX and data[0] == _ID:
        return Framed(int.from_bytes(data[1:_PREFIX]), None, data[_PREFIX:])
    return None


def message_path(payload: bytes) -> tuple[Sequence[int], bytes]:
    """The indexes of a Protobuf message within its file, and the message. Raises ValueError where they are cut off."""
    count, at = _varint(payload, 0)
    if not count:
        return (0,), payload[at:]
    if not 0 < count <= len(payload):
        raise ValueError("the indexes of its message are not valid")
    path = []
    for _ in range(count):
        index, at = _varint(payload, at)
        path.append(index)
    return path, payload[at:]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag number and where it ends."""
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return (value >> 1) ^ -(value & 1), at
    raise ValueError("the indexes of its message are cut off")
