"""A record, as Kafka has it. Pure."""

from dataclasses import dataclass
from typing import Literal

TimestampType = Literal["create", "append"]
Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
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
