"""Records in a file: written whole, flushed to the disk and counted back before anybody relies on it."""

import os
from pathlib import Path
from typing import BinaryIO

from kafkactl.errors import KafkactlError, UsageError
from kafkactl.private_files import open_private
from kafkactl.records.jsonlines import encode
from kafkactl.records.model import Record


class RecordFile:
    """A new file of records, one a line, as `produce --json` reads them; its owner alone can read it.

    Raises UsageError where it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        try:
            self._file: BinaryIO = open_private(path, new=True)
        except FileExistsError:
            raise UsageError(f"{path} already exists and is not overwritten.", hint="Use another name.") from None
        except OSError as error:
            raise UsageError(f"Cannot create {path}: {error.strerror}.") from None

    def add(self, record: Record) -> None:
        """Write a record, byte for byte. Raises KafkactlError where the disk is full."""
        try:
            self._file.write(encode(record) + b"\n")
        except OSError as error:
            raise self._failed(error) from None
        self.count += 1

    def close(self) -> None:
        """Flush the file to the disk, and count its lines. Raises KafkactlError where they are not all there."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            with self.path.open("rb") as file:
                lines = sum(1 for _ in file)
        except OSError as error:
            raise self._failed(error) from None
        if lines != self.count:
            raise KafkactlError(f"{self.path} holds {lines:,} of {self.count:,} records.")

    def discard(self) -> None:
        """Remove the file: nothing that matters is in it."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> KafkactlError:
        return KafkactlError(
            f"Cannot write records to {self.path}: {error.strerror}.",
            where=f"It holds {self.count:,} so far.",
            hint="Nothing was deleted. Use another place for the file.",
        )
