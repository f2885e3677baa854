"""Writing down a change while it is made: its beginning before anything happens, and its end."""

import getpass
import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence

from kafkactl.history.book import HistoryBook
from kafkactl.history.model import HistoryEntry, Step


class Recording:
    """An entry that is being written. A crash leaves its beginning, whose end nobody knows.

    `share` publishes an entry, and says why it could not; `told` hears, once, what is not recorded.
    """

    def __init__(
        self,
        entry: HistoryEntry,
        told: Callable[[str], None],
        share: Callable[[HistoryEntry], str] | None = None,
    ) -> None:
        self.entry = entry
        self._told = told
        self._share = share
        self._book: HistoryBook | None = HistoryBook(entry.cluster)
        self._lost = ""
        self._write()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was to be done, with what became of it so far."""
        return self.entry.steps

    def end(self, steps: Sequence[Step]) -> None:
        """Write down what became of it."""
        self.entry = self.entry.closed(int(time.time() * 1000), steps)
        self._write()

    def _write(self) -> None:
        if self._book is not None:
            try:
                self._book.write(self.entry)
            except OSError as error:
                self._lost = f"the history on this machine lacks this change: {self._book.path}: {error.strerror}"
                self._book = None
        unshared = self._share(self.entry) if self._share is not None else ""
        if self.entry.ended is None or self.entry.outcome == "not done":
            return  # it may be shared yet; and what was not changed, nobody will look for
        if self._lost:
            self._told(self._lost)
        if unshared:
            self._told(f"the shared history lacks this change: {unshared}")


def new_entry(
    cluster: str, address: str, command: Sequence[str], steps: Sequence[Step], *, undoes: str = ""
) -> HistoryEntry:
    """The beginning of an entry: now, by whoever runs this."""
    return HistoryEntry(
        secrets.token_hex(4),
        int(time.time() * 1000),
        person(),
        socket.gethostname(),
        cluster,
        address,
        tuple(command),
        tuple(steps),
        undoes=undoes,
    )


def person() -> str:
    """Who is at it: the user of this process, and behind sudo the one who typed it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} (as {user})" if behind and behind != user else user
