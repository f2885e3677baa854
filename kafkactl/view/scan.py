"""How far a read has come that shows nothing for long."""

import shutil
import sys
import time

from kafkactl.view import output

_BETWEEN = 0.2  # seconds between two drawings


class Scan:
    """How far a long read has come, in a line of stderr that gives way to all other output; only where a person looks.

    It appears once nothing was shown for a second. `total` is how many there are, None where nobody knows.
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self.total: int | None = None
        self._wanted = output.is_terminal(sys.stderr)
        self._quiet_since = time.monotonic()
        self._drawn = 0.0
        output.gives_way(self.clear)

    def at(self, read: int, matched: int) -> None:
        """So many were read, so many of them shown."""
        now = time.monotonic()
        if not self._wanted or now - self._quiet_since < 1 or now - self._drawn < _BETWEEN:
            return
        self._drawn = now
        of = f" of {self.total:,}" if self.total else ""
        text = f"scanned {read:,}{of} {self._unit}, {matched:,} matched"
        sys.stderr.write(f"\r\x1b[2K{text[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Something else is shown now."""
        if self._wanted:
            self._quiet_since = time.monotonic()
            if self._drawn:
                self._drawn = 0.0
                sys.stderr.write("\r\x1b[2K")
                sys.stderr.flush()
