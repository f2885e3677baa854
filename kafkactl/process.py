"""This process: when Python collects garbage, and what Ctrl-C and SIGTERM do.

Garbage is collected only where the main thread asks for it. Left to itself the collector runs in whichever thread
allocates, librdkafka's included. A client that has become garbage in a cycle (an exception's traceback is enough) would
then be destroyed by one of its own threads, which librdkafka answers by aborting the process. Nor do a million records
gain from it: they make no cycles, and looking for some takes a sixth of the time.
"""

import gc
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from kafkactl.errors import ExitCode, Terminated


def collect_garbage_by_hand() -> None:
    """From now on nothing is collected but by `collect_garbage`. What is not in a cycle is freed as ever."""
    gc.disable()


def collect_garbage() -> None:
    """Collect now, in this thread: for loops that run for long and leave cycles behind.

    A signal meanwhile takes effect afterwards: what it raises would be lost among the objects that are cleared.
    """
    with interrupts_deferred():
        gc.collect()


_M_ARENA_MAX = -8  # malloc.h


def share_heaps() -> None:
    """Let all threads share two heaps; nothing where the C library is not glibc.

    For what runs for days: glibc gives each thread a heap of its own, and what was free in those was a quarter of all
    memory after sixty looks at 1,000 groups.
    """
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def leave_garbage() -> None:
    """At the end of the process: what is in cycles goes with its memory. Nothing is collected any more."""
    gc.freeze()


_began = [time.monotonic()]


def start_clock() -> None:
    """A command begins."""
    _began[0] = time.monotonic()


def seconds() -> float:
    """How long the command has been running."""
    return time.monotonic() - _began[0]


_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_arrived: list[signal.Signals] = []


def raise_on_signals() -> None:
    """From here on Ctrl-C raises KeyboardInterrupt and SIGTERM raises Terminated, and which came first is kept.

    Python's own handler sets the type of its exception and no value, and confluent-kafka loses such a one in a callback
    (SystemError: poll returned NULL). A Ctrl-C that is ignored stays so: a shell's background job has inherited that.
    """
    _arrived.clear()
    signal.signal(signal.SIGTERM, _raise)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _raise)


def code_of_signal() -> ExitCode | None:
    """The exit code of the signal that came first; None where none came.

    A signal's exception may be lost: libraries in C put one of their own in its place (confluent-kafka says
    "expected header key to be unicode string" of a Ctrl-C that arrives while it reads that key).
    """
    if not _arrived:
        return None
    return ExitCode.TERMINATED if _arrived[0] is signal.SIGTERM else ExitCode.INTERRUPTED


def _raise(number: int, _: FrameType | None) -> NoReturn:
    _arrived.append(signal.Signals(number))
    _raise_for(_arrived[-1])


def _raise_for(number: signal.Signals) -> NoReturn:
    raise Terminated if number is signal.SIGTERM else KeyboardInterrupt


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let SIGINT and SIGTERM take effect only at the end of the context.

    For what an exception in its middle would break: between the start of a process and its being written down, an
    interrupt would leave a process nobody knows. The signals are not blocked: a child would inherit that. Other
    threads than the main one get no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = {number: signal.getsignal(number) for number in _NAMES}
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


class Interruption:
    """Why to stop, empty as long as there is no reason. Within the context signals are one, and raise nothing."""

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
        if self.signal is not None:
            _raise_for(self.signal)
