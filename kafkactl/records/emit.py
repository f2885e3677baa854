"""What is written for a record: filters, masking, jq and the chosen form in one function. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from kafkactl.records.filters import Filter, Query
from kafkactl.records.jsonlines import encode
from kafkactl.records.masking import mask
from kafkactl.records.model import Record

Form = Callable[[Record], bytes]


@dataclass(frozen=True)
class Emitter:
    """How records are shown.

    `form` writes one record, its end of line included; None means as JSON. `masks` are the fields to hide, by
    topic; a topic that is not there is not masked. `keep` has been asked already; `query` is jq.
    """

    form: Form | None = None
    query: Query | None = None
    masks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keep: Filter | None = None

    def wants(self, record: Record) -> bool:
        """Whether a record is shown at all."""
        if self.keep is not None and not self.keep(record):
            return False
        return self.query is None or bool(self.query(record))

    def text(self, record: Record) -> bytes:
        """What is written for a record that `wants` let pass."""
        fields = self.masks.get(record.topic)
        shown = record if fields is None else mask(record, fields)
        if self.query is not None:
            results = self.query(shown)
            if not (len(results) == 1 and results[0] is True):  # 1 is a result, and equal to True
                return b"".join(msgspec.json.encode(result) + b"\n" for result in results)
        if self.form is not None:
            return self.form(shown)
        return encode(shown, masked=shown is not record and shown != record) + b"\n"


def raw(record: Record) -> bytes:
    """The value as it is, and a newline."""
    return (record.value or b"") + b"\n"
