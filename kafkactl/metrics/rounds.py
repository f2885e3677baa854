"""Round after round: look, render, wait. It goes on while Kafka is away, and says what changed."""

import threading
import time
from collections.abc import Callable

from kafkactl import process
from kafkactl.errors import KafkactlError
from kafkactl.metrics.exposition import exposed
from kafkactl.metrics.looking import Checked, Looker
from kafkactl.metrics.page import Page

_LEAST_PAUSE = 0.5  # seconds; a cluster that answers slowly is not asked without a pause


class Rounds:
    """The thread that looks. `tell` is given what changed: why Kafka does not answer, and that it is back."""

    def __init__(
        self, looker: Looker, page: Page, every: float, check_every: float, tell: Callable[[str], None]
    ) -> None:
        self._looker, self._page, self._tell = looker, page, tell
        self._every, self._check_every = every, check_every
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="looks", daemon=True)
        self._trouble, self._unable = "", ""  # why the last look, and the last checks, failed
        self._checked, self._next_check = Checked(), 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """End; whether it did within so many seconds. A look that waits for a broker may take longer."""
        self._end.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _go_on(self) -> None:
        while not self._end.is_set():
            began = time.monotonic()
            self._page.starts(began)
            if why := _failure(self._look):
                self._page.fails()
                self._checked, self._next_check = Checked(), 0.0  # what the checks find now is the cause
            self._tell_change(self._trouble, why, "Kafka is back.")
            self._trouble = why
            if not self._end.is_set() and time.monotonic() >= self._next_check:
                self._next_check = time.monotonic() + self._check_every
                if unable := _failure(self._check):
                    self._checked = Checked()
                    self._page.shows_checks(b"", self._checked.unknown, None)
                self._tell_change(self._unable, unable, "The checks work again.")
                self._unable = unable
            process.collect_garbage()
            self._end.wait(max(_LEAST_PAUSE, self._every - (time.monotonic() - began)))

    def _tell_change(self, before: str, now: str, well: str) -> None:
        if now != before:
            self._tell(now or well)

    def _look(self) -> None:
        began = time.monotonic()
        families, unknown = self._looker.look(self._checked)
        self._page.shows(exposed(families), unknown, began, time.monotonic())
        if self._trouble:
            self._next_check = 0.0

    def _check(self) -> None:
        began = time.monotonic()
        self._checked = self._looker.check()
        self._page.shows_checks(exposed(self._checked.families), self._checked.unknown, began)


def _failure(act: Callable[[], None]) -> str:
    """Do it; why it failed, "" where it did not."""
    try:
        act()
    except KafkactlError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - the next round may do better, and what fails is said
        return f"kafkactl itself failed: {type(error).__name__}: {error}."
    return ""
