"""The history on this machine: a file for each cluster, a line for each beginning and each end."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from kafkactl.directories import state_directory
from kafkactl.history.model import HistoryEntry, entry_document, merged, read_entry
from kafkactl.private_files import open_log

_NOT_REACHED = "not-reached"  # where the cluster's id is not known


class HistoryBook:
    """The entries of one cluster, by its id; "" for changes made while Kafka did not answer."""

    def __init__(self, cluster: str) -> None:
        self.unread = 0  # lines that were cut off, or are nobody's, when it was last read
        self.path = _directory() / f"{quote(cluster, safe='') or _NOT_REACHED}.jsonl"

    def write(self, entry: HistoryEntry) -> None:
        """Add a line, and flush it to the disk. Raises OSError."""
        line = json.dumps({"schema_version": 1, "kind": "history-entry", **entry_document(entry)}, ensure_ascii=False)
        with open_log(self.path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = file.seek(0, os.SEEK_END)
            # A crash in the middle of a line does not take the next one with it.
            cut_off = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
            content = b"\n" * cut_off + line.encode("utf-8", "backslashreplace") + b"\n"
            while content:  # a nearly full disk takes less than all of it
                content = content[file.write(content) :]
            os.fsync(file.fileno())

    def entries(self) -> list[HistoryEntry]:
        """The entries, the newest first. A line that cannot be read is left out, and counted. Raises OSError."""
        self.unread = 0
        with suppress(FileNotFoundError):
            return merged(self._lines())
        return []

    def _lines(self) -> Iterator[HistoryEntry]:
        with self.path.open("rb") as file:
            for line in file:
                try:
                    yield read_entry(json.loads(line))
                except ValueError:
                    self.unread += bool(line.strip())


def every_book() -> list[str]:
    """The ids of the clusters of which there is a history here."""
    names = (unquote(path.stem) for path in sorted(_directory().glob("*.jsonl")))
    return ["" if name == _NOT_REACHED else name for name in names]


def _directory() -> Path:
    return state_directory() / "history"
