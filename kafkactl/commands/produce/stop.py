"""Ctrl-C and SIGTERM as facts to look at, so that no record is lost between two lines of code."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

from kafkactl.errors import Terminated

_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


class Stop:
    """Why to stop, empty as long as there is no reason. Within the context signals are one."""

    def __init__(self) -> None:
        self.why = ""
        self.signal: signal.Signals | None = None
        self.again = False  # a second signal: whoever sent it will wait no longer
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._came) for number in _NAMES}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _came(self, number: int, _: FrameType | None) -> None:
        self.again = self.signal is not None
        self.signal = self.signal or signal.Signals(number)
        self.why = self.why or _NAMES[self.signal]

    def raise_again(self) -> None:
        """End as the first signal would have ended us; nothing where none came."""
        if self.signal is signal.SIGINT:
            raise KeyboardInterrupt
        if self.signal is signal.SIGTERM:
            raise Terminated
