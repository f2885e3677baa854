"""jq on records, in a process of its own: see `jq_worker`, which is that process."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from kafkactl.errors import KafkactlError, UsageError
from kafkactl.process import interrupts_deferred
from kafkactl.records import jq_worker
from kafkactl.records.jsonlines import encode_parsed
from kafkactl.records.model import Record
from kafkactl.text.escapes import plain

Query = Callable[[Record], list[bytes]]
_Answer = list[msgspec.Raw] | str


class Jq:
    """What a jq expression makes of a record's JSON object, its value parsed where it is JSON: results as JSON.

    `true` stands for the record itself; false and null are dropped already. A record the expression fails on is no
    match: `failed` counts them, `first` says why the first of them did. Raises UsageError for an expression that does
    not compile, of which `option` is the name. A context: its process ends with it.
    """

    def __init__(self, expression: str, option: str = "--jq") -> None:
        import jq as library

        self._option = option
        self.failed = 0
        self.first = ""
        try:
            library.compile(expression)
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            raise UsageError(f"{option}: {reason}.", where=plain(expression)) from None
        with interrupts_deferred():
            self._worker = subprocess.Popen(
                # -P: of its directory nothing is imported.
                [sys.executable, "-P", str(Path(jq_worker.__file__)), expression],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        self._decoder = msgspec.json.Decoder(_Answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._worker.kill()
        self._worker.wait()
        for pipe in (self._worker.stdin, self._worker.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # of a record that was on its way
                    pipe.close()

    def __call__(self, record: Record) -> list[bytes]:
        """The results. Raises KafkactlError where jq's process is gone."""
        assert self._worker.stdin
        assert self._worker.stdout
        try:
            self._worker.stdin.write(encode_parsed(record) + b"\n")
            self._worker.stdin.flush()
            line = self._worker.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            place = f"{record.topic}[{record.partition}]@{record.offset}"
            raise KafkactlError(
                f"{self._option}: jq ended at {place} with code {self._worker.wait()}.",
                where="The expression may need more memory than there is.",
                hint="Try a simpler expression.",
            )
        answer = self._decoder.decode(line)
        if isinstance(answer, str):
            self.failed += 1
            self.first = self.first or plain(answer)
            return []
        return [bytes(result) for result in answer if bytes(result) not in (b"null", b"false")]
