"""Records whose key or value names a schema, made readable; what cannot be decoded stays as it is, and is counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kafkactl.errors import KafkactlError
from kafkactl.records.consume import as_record
from kafkactl.records.model import Record
from kafkactl.registry.schema_source import SchemaSource
from kafkactl.registry.wire_format import Framed, framed
from kafkactl.text.words import and_more, many

Decoder = Callable[[bytes], bytes]


@dataclass
class Decoding:
    """Makes records readable with the schemas of a registry; each schema is asked for once.

    `failed` counts what could not be decoded, by the reason.
    """

    source: SchemaSource
    failed: Counter[str] = field(default_factory=Counter)
    _decoders: dict[str, Decoder | str] = field(default_factory=dict)  # by the schema; a text is why there is none

    def __call__(self, record: Record) -> Record:
        """The record with JSON in place of what was encoded, and the schemas named; as it was where nothing was."""
        key, key_schema = self._or_as_it_is(record, record.key, "key")
        value, value_schema = self._or_as_it_is(record, record.value, "value")
        if not key_schema and not value_schema:
            return record
        names = [f"{part} {name}" for part, name in (("key", key_schema), ("value", value_schema)) if name]
        return msgspec.structs.replace(record, key=key, value=value, decoded_with=", ".join(names))

    def of_message(self, message: Any) -> Record:
        """As called, for one of librdkafka's messages."""
        return self(as_record(message))

    def value(self, record: Record) -> bytes | None:
        """The readable value alone. Raises ValueError where it names a schema and cannot be decoded with it."""
        return self._part(record, record.value, "value")[0]

    def _or_as_it_is(self, record: Record, data: bytes | None, part: str) -> tuple[bytes | None, str]:
        try:
            return self._part(record, data, part)
        except ValueError:
            return data, ""

    def _part(self, record: Record, data: bytes | None, part: str) -> tuple[bytes | None, str]:
        """A record's key or value, decoded, and the schema's name; "" where it names none. Counts what fails."""
        found = framed(data, record.headers, part)
        if found is None:
            return data, ""
        try:
            return self._decoded(found), found.schema
        except ValueError as error:
            self.failed[f"{part}, schema {found.schema}: {error}"] += 1
            raise

    def _decoded(self, found: Framed) -> bytes:
        decoder = self._decoders.get(found.schema)
        if decoder is None:
            decoder = self._decoders[found.schema] = self._decoder(found)
        if callable(decoder):
            return decoder(found.payload)
        raise ValueError(decoder)

    def _decoder(self, found: Framed) -> Decoder | str:
        try:
            return self.source.decoder(found.id, found.guid)
        except ValueError as error:
            return str(error)
        except KafkactlError as error:  # the registry does not answer: nothing else will be decoded either
            return error.message.rstrip(".")

    @property
    def told(self) -> str:
        """What could not be decoded, in a sentence; "" where everything was."""
        if not self.failed:
            return ""
        reasons = [f"{reason} ({count:,})" for reason, count in self.failed.most_common()]
        return f"{many(self.failed.total(), 'key or value', 'keys or values')} not decoded: {and_more(reasons, 3)}."
