"""dlq replay --edit: one record, opened in the user's editor."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import msgspec

from kafkactl.catalog.model import Catalog
from kafkactl.contracts.record_check import tally_of
from kafkactl.deadletters.letters import Letter
from kafkactl.deadletters.replay_plan import Decision, as_corrected
from kafkactl.errors import UsageError
from kafkactl.private_files import write_private
from kafkactl.records.jsonlines import as_text, data, decode, header_data
from kafkactl.records.outgoing import Outgoing
from kafkactl.text.escapes import plain
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import and_more
from kafkactl.view import output


def correct(letter: Letter, decision: Decision, catalog: Catalog | None) -> Outgoing | None:
    """The record as the user leaves it; None where nothing was changed.

    Raises UsageError where it is no record, or breaks the contract of the topic that it goes to as it did not before.
    """
    assert decision.record is not None
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    before = _document(decision.record)
    with tempfile.TemporaryDirectory(prefix="kafkactl-") as directory:
        path = Path(directory) / f"{letter.record.topic[:100]}-{letter.record.offset}.json"
        write_private(path, before)
        try:
            ended = subprocess.run([*shlex.split(command), str(path)], check=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"Nothing was sent: the editor {plain(command)} cannot be started: {error}.", hint="Set EDITOR."
            ) from None
        if ended.returncode:
            raise UsageError(f"Nothing was sent: the editor ended with code {ended.returncode}.")
        after = path.read_bytes()
    if after == before:
        return None
    try:
        line = decode(after)
        value, key, headers = data(line.value), data(line.key), header_data(line)
    except ValueError as error:
        raise UsageError(f"Nothing was sent: what the editor left is no record: {error}.") from None
    corrected = _compact(value)
    _require_contract(decision, corrected, catalog)
    return as_corrected(decision, Outgoing(corrected, key), headers)


def _require_contract(decision: Decision, value: bytes | None, catalog: Catalog | None) -> None:
    """What the correction broke is refused; what it left as it was is told, since services sent it so before."""
    tally = tally_of(decision.to, catalog)
    if tally is None or value is None:
        return
    earlier = decision.record.value if decision.record else None
    _, before = tally.judge(None, earlier) if earlier is not None else (None, ())  # when it happened is not for today
    _, found = tally.judge(None, value)
    if broken := [violation.text for violation in found if violation not in before]:
        raise UsageError(
            f"Nothing was sent: the record breaks the contract of {decision.to}: {and_more(broken)}.",
            hint=kafkactl("events example", decision.to, note="To see what it has to look like"),
        )
    if found:
        left = and_more([violation.text for violation in found])
        output.warn(f"the record still breaks the contract of {decision.to}: {left}")


def _document(record: Outgoing) -> bytes:
    """The record as people write it: a value that is JSON stands there as what it is, indented."""
    try:
        value = msgspec.Raw(msgspec.json.format(record.value or b"", indent=2)) if record.value else None
    except (msgspec.DecodeError, RecursionError):
        value = msgspec.Raw(msgspec.json.encode(as_text(record.value)))
    headers = [(name, as_text(header)) for name, header in record.headers if not name.startswith("kafkactl-")]
    whole = msgspec.json.encode({"key": as_text(record.key), "value": value, "headers": headers})
    return msgspec.json.format(whole, indent=2) + b"\n"


def _compact(value: bytes | None) -> bytes | None:
    """JSON without the white space that was added for people."""
    try:
        return msgspec.json.format(value, indent=-1) if value and value.lstrip()[:1] in (b"{", b"[") else value
    except (msgspec.DecodeError, RecursionError):
        return value
