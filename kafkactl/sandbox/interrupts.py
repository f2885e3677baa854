"""Ctrl-C and SIGTERM that wait for a moment."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let SIGINT and SIGTERM take effect only at the end of the context.

    Between the start of a process and its being written down, an interrupt would leave a process nobody knows.
    The signals are not blocked: a child would inherit that. Other threads than the main one get no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda n, frame: came.append((n, frame)))
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
        for came_number, frame in came:
            handler = before[signal.Signals(came_number)]
            if callable(handler):
                handler(came_number, frame)
