"""What is written for a record: filters, masking, jq and the chosen form in one function. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from kafkactl.records.filters import Filter, Query
from kafkactl.records.jsonlines import encode, encode_lines
from kafkactl.records.masking import mask
from kafkactl.records.model import Record

Form = Callable[[Record], bytes]


@dataclass(frozen=True)
class Emitter:
    """Which records are shown, and how.

    `form` writes one record, its end of line included; None means as JSON. `masks` are the fields to hide, by
    topic; a topic that is not there is not masked. `keep` sees records as they are; `query`, which is jq, sees
    what is shown of them.
    """

    form: Form | None = None
    query: Query | None = None
    masks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keep: Filter | None = None

    @property
    def shows_all(self) -> bool:
        """Whether every record is shown, as it is."""
        return self.keep is None and self.query is None and not self.masks

    def text(self, record: Record) -> bytes | None:
        """What is written for a record; None where it is not shown."""
        if self.keep is not None and not self.keep(record):
            return None
        fields = self.masks.get(record.topic)
        shown = record if fields is None else mask(record, fields)
        if self.query is not None:
            results = self.query(shown)
            if not results:
                return None
            if not (len(results) == 1 and results[0] is True):  # 1 is a result, and equal to True
                return b"".join(msgspec.json.encode(result) + b"\n" for result in results)
        if self.form is not None:
            return self.form(shown)
        return encode(shown, masked=shown is not record and shown != record) + b"\n"

    def texts(self, records: Sequence[Record]) -> bytes:
        """What is written for these records."""
        if not self.shows_all:
            return b"".join([text for record in records if (text := self.text(record)) is not None])
        if self.form is not None:
            return b"".join(map(self.form, records))
        return encode_lines(records)


def raw(record: Record) -> bytes:
    """The value as it is, and a newline."""
    return (record.value or b"") + b"\n"
