"""What a scrape gets: the last look, as it was rendered once, and how old it is. A scrape asks Kafka nothing.

What was not learnt, or is too old to be said of now, is left out, and kafkactl_up says so.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from kafkactl import __version__
from kafkactl.metrics.exposition import exposed, exposed_process
from kafkactl.metrics.model import Family, single, unknown_family

_LEAST = 60.0  # seconds that a look may take before its predecessor is no longer said of now


@dataclass
class _Part:
    """A part of the page, rendered: `taken` is when it was looked at, None where it was not; it is then empty."""

    taken: float | None = None
    text: bytes = b""
    unknown: Mapping[str, int] = field(default_factory=dict)


class Page:
    """The page of one exporter; written by the thread that looks, read by those that serve.

    Times are seconds of one clock that does not jump. `every`: how far apart the looks should be.
    """

    def __init__(self, every: float) -> None:
        self._lock = threading.Lock()
        self._patience = max(_LEAST, 3 * every)
        self._look, self._check = _Part(), _Part()
        self._began: float | None = None  # when the first look began, or the last one that ended
        self._failed = False
        self._answered: float | None = None  # when Kafka answered last
        self._took: float | None = None

    def starts(self, now: float) -> None:
        """A look begins."""
        with self._lock:
            self._began = now

    def shows(self, text: bytes, unknown: Mapping[str, int], began: float, now: float) -> None:
        """A look ended; `text` are its metrics."""
        with self._lock:
            self._look = _Part(began, text, unknown)
            self._failed, self._answered, self._took = False, began, now - began

    def fails(self) -> None:
        """A look failed: nothing is known any more."""
        with self._lock:
            self._look, self._check, self._failed, self._took = _Part(), _Part(), True, None

    def shows_checks(self, text: bytes, unknown: Mapping[str, int], began: float | None) -> None:
        """The checks ended; `text` are their metrics. `began` is None where they failed."""
        with self._lock:
            self._check = _Part(began, text, unknown)

    def healthy(self, now: float) -> bool:
        """Whether the exporter itself works: it looks, whether Kafka answers or not."""
        with self._lock:
            return self._began is None or now - self._began < self._patience

    def content(self, now: float) -> bytes:
        """The page at a moment."""
        with self._lock:
            stuck = self._began is not None and now - self._began >= self._patience
            parts = [] if stuck else [self._look, self._check]
            live = self._live(now, parts, stuck=stuck)
        return b"".join([*(part.text for part in parts), exposed(live), exposed_process()])

    def _live(self, now: float, parts: list[_Part], *, stuck: bool) -> list[Family]:
        up = self._look.taken is not None and not stuck
        found = [Family("kafkactl_build_info", "1 for the version.", ("version",), [((__version__,), 1)])]
        if up or stuck or self._failed:
            found.append(single("kafkactl_up", "1 if Kafka answered the last look, else 0.", int(up)))
        if self._answered is not None:
            age = "Seconds since Kafka last answered a look."
            found.append(single("kafkactl_last_look_age_seconds", age, now - self._answered))
        if self._took is not None:
            found.append(single("kafkactl_look_duration_seconds", "How long the last look took.", self._took))
        if self._check.taken is not None and not stuck:
            age = "Seconds since the doctor's checks, disks and certificates were looked at."
            found.append(single("kafkactl_last_check_age_seconds", age, now - self._check.taken))
        counts = {"cluster": int(not up)}
        for part in parts:
            counts |= part.unknown
        return [*found, unknown_family(counts)]
