"""How far a read has come that shows nothing for long."""

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
        self._quiet_since = time.monotonic()
        self._drawn = 0.0
        self._text = ""

    def at(self, read: int, matched: int) -> None:
        """So many were read, so many of them shown."""
        if self._text and not output.stands(self._text):
            self.clear()  # something was said in its place
        now = time.monotonic()
        if now - self._quiet_since < 1 or now - self._drawn < _BETWEEN:
            return
        of = f" of {self.total:,}" if self.total else ""
        self._drawn, self._text = now, f"scanned {read:,}{of} {self._unit}, {matched:,} matched"
        output.stand(self._text)

    def clear(self) -> None:
        """Something else is shown now."""
        self._quiet_since = time.monotonic()
        if self._text:
            self._text = ""
            output.stand("")
