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
        self._trouble = ""
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
            self._once(self._look)
            if not self._end.is_set() and time.monotonic() >= self._next_check:
                self._next_check = time.monotonic() + self._check_every
                self._once(self._check)
            process.collect_garbage()
            self._end.wait(max(_LEAST_PAUSE, self._every - (time.monotonic() - began)))

    def _once(self, act: Callable[[], None]) -> None:
        try:
            act()
        except KafkactlError as error:
            self._fails(error.message)
        except Exception as error:  # noqa: BLE001 - the next round may do better, and what fails is said
            self._fails(f"kafkactl itself failed: {type(error).__name__}: {error}.")

    def _fails(self, why: str) -> None:
        self._page.fails()
        self._checked, self._next_check = Checked(), 0.0  # what the checks say now is why
        if why != self._trouble:
            self._tell(why)
        self._trouble = why

    def _look(self) -> None:
        began = time.monotonic()
        families, unknown = self._looker.look(self._checked)
        self._page.shows(exposed(families), unknown, began, time.monotonic())
        if self._trouble:
            self._tell("Kafka is back.")
            self._next_check = 0.0
        self._trouble = ""

    def _check(self) -> None:
        began = time.monotonic()
        self._checked = self._looker.check()
        self._page.shows_checks(exposed(self._checked.families), self._checked.unknown, began)
