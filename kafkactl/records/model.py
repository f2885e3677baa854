"""A record as Kafka has it. Pure."""

from typing import Literal

import msgspec

TimestampType = Literal["create", "append"]
Headers = tuple[tuple[str, bytes | None], ...]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record. None is Kafka's null, which is not the empty text: a null value is a tombstone.

    `timestamp` is milliseconds since 1970 (None: the record has none); its type says whether the producer set it
    or the broker when it appended the record. `decoded_with` is empty but where key or value are not the record's own
    bytes, but what a schema of a registry makes of them: it names the schema.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    timestamp_type: TimestampType | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    decoded_with: str = ""
