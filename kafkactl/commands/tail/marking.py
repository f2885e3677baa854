"""tail --check and --invalid: what is said of a record that breaks its contract."""

from collections.abc import Sequence

import msgspec

from kafkactl.contracts.contract import Violation
from kafkactl.contracts.record_check import RecordCheck
from kafkactl.records.forms import Form
from kafkactl.records.jsonlines import encode, encode_parsed
from kafkactl.records.model import Record
from kafkactl.text.escapes import plain
from kafkactl.view import output

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Marking:
    """Judges each record as it is, before anything in it is masked, and marks what is shown of it.

    `keep` is asked first for every record; with `invalid_only` it keeps those that break their contract.
    """

    def __init__(self, check: RecordCheck, *, invalid_only: bool, parsed: bool = False) -> None:
        self._check = check
        self._encode = encode_parsed if parsed else encode
        self._invalid_only = invalid_only
        self._record: Record | None = None
        self._found: Sequence[Violation] = ()

    def keep(self, record: Record) -> bool:
        """Whether a record is shown."""
        self._record = record
        self._found = self._check(record.topic, record.timestamp, record.value)
        return bool(self._found) or not self._invalid_only

    def marked(self, form: Form | None) -> Form:
        """A form (None: JSON) that also says how a record breaks its contract: below it, or as `invalid` in JSON."""
        look = output.style()

        def mark(record: Record) -> bytes:
            reasons = [plain(violation.text) for violation in self._found]
            if form is None:
                line = _fields.decode(self._encode(record, masked=record != self._record))
                return msgspec.json.encode({**line, **({"invalid": reasons} if reasons else {})}) + b"\n"
            text = form(record)
            return text + "".join(f"    {look.mark('error')}{why}\n" for why in reasons).encode("utf-8", "replace")

        return mark
