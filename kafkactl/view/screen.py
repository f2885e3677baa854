"""What moves on a terminal: pages that replace each other, and bars that grow."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kafkactl.view.output import is_terminal


class _Frame(io.StringIO):
    """What is written to a terminal, kept until all of it is there."""

    def isatty(self) -> bool:
        return True


@contextmanager
def own_screen() -> Iterator[None]:
    """What the terminal shows is put aside, and comes back at the end."""
    sys.stdout.write("\x1b[?1049h\x1b[2J")
    sys.stdout.flush()
    try:
        yield
    finally:
        sys.stdout.write("\x1b[?1049l")
        sys.stdout.flush()


def captured(write: Callable[[], object]) -> list[str]:
    """The lines that a function writes to a terminal on stdout, as it would write them there."""
    terminal, sys.stdout = sys.stdout, _Frame()
    try:
        write()
        return sys.stdout.getvalue().splitlines()
    finally:
        sys.stdout = terminal


@contextmanager
def redrawn() -> Iterator[None]:
    """What is written to stdout within replaces what the terminal shows, at once: it does not flicker."""
    terminal, sys.stdout = sys.stdout, _Frame()
    try:
        yield
        # Each line is cleared to its end, and the screen below the last one.
        text = sys.stdout.getvalue().replace("\n", "\x1b[K\n")
    finally:
        sys.stdout = terminal
    terminal.write(f"\x1b[H{text}\x1b[J")
    terminal.flush()


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int, str], None]]:
    """A progress bar on stderr for `total` bytes, if it is a terminal; call the result with bytes done and a text."""
    if not total or not is_terminal(sys.stderr):
        yield lambda done, words: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        task = bar.add_task(label, total=total, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)
