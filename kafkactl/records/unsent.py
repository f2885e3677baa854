"""The file of unacknowledged records: created only when needed, readable by its owner only."""

import os
import re
import tempfile
from itertools import count
from pathlib import Path
from typing import BinaryIO

from kafkactl.errors import KafkactlError, UsageError
from kafkactl.private_files import open_private
from kafkactl.records.corrections import Reading, as_invalid
from kafkactl.records.outgoing import Outgoing, as_line

_OURS = re.compile(r"\.unsent(-\d+)?\.jsonl$")
_LONGEST = 200  # bytes of the input's or topic's name in that of the file: file systems take 255 in all


class Unsent:
    """Records and lines that were not sent, in the form that `produce --json` reads.

    `path` is the requested file, which must not exist; None means a file with a free name next to the `input` (in the
    current directory if there is none). `reading` is how its lines are read, which is kept with invalid ones.
    """

    def __init__(self, topic: str, path: Path | None, input: Path | None, reading: Reading) -> None:
        if path is not None and os.path.lexists(path):  # of a name no file can have it is False, no error
            raise UsageError(f"{path} already exists and is not overwritten.", hint="Use another name: --unsent FILE")
        if path is not None and len(os.fsencode(path.name)) > 255:
            raise UsageError(f"--unsent: {path.name[:20]}… is too long for the name of a file.")
        if path is not None and not os.access(path.parent, os.W_OK):
            raise UsageError(f"Cannot create a file in {path.parent} for --unsent.")
        self._topic = topic
        self._asked = path
        self._reading = reading
        self._input = input
        self._file: BinaryIO | None = None
        self.path: Path | None = None  # once there is one
        self.count = 0

    def record(self, record: Outgoing) -> None:
        """Keep a record."""
        self._write(as_line(self._topic, record))

    def invalid(self, line: bytes, number: int, why: str) -> None:
        """Keep an invalid line."""
        self._write(as_invalid(line, number, why, self._reading))

    def close(self) -> None:
        """Flush what was kept to the disk. Raises KafkactlError if that fails."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._lost(error) from None
        self._file = None

    def _write(self, text: bytes) -> None:
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(text)
        except OSError as error:
            raise self._lost(error) from None
        self.count += 1

    def _open(self) -> BinaryIO:
        if self._asked is not None:
            return self._create(self._asked)
        directory, base = (self._input.parent, self._input.name) if self._input else (Path(), self._topic)
        if not os.access(directory, os.W_OK):
            directory = Path(tempfile.gettempdir())
        base = os.fsdecode(os.fsencode(_OURS.sub("", base))[:_LONGEST])
        for number in count(1):
            name = f"{base}.unsent{f'-{number}' if number > 1 else ''}.jsonl"
            try:
                return self._create(directory / name)
            except FileExistsError:
                continue
        raise AssertionError  # count() has no end

    def _create(self, path: Path) -> BinaryIO:
        file = open_private(path, new=True)
        self.path = path
        return file

    def _lost(self, error: OSError) -> KafkactlError:
        return KafkactlError(
            f"Cannot write unsent records to {self.path or self._asked or 'a file'}: {error.strerror}.",
            where=f"It holds {self.count:,} so far; the rest of {self._input or 'the input'} still has to be sent.",
            hint="Free some space, or use another file: --unsent FILE",
        )
