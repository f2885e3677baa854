"""kafkactl as a program of its own: how every test starts it."""

import shlex
import signal
import sys
from collections.abc import Iterator

from kafkactl.cli import COMMANDS, Leaf

KAFKACTL = (sys.executable, "-m", "kafkactl")
IN_A_SHELL = shlex.join(KAFKACTL)


def heed_interrupts() -> None:
    """Let Ctrl-C end what this process starts, also where whoever started us ignores it (`nohup make test &`).

    A child inherits that a signal is ignored, and kafkactl honours it; a handler it does not inherit.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def commands() -> Iterator[tuple[str, Leaf]]:
    """Every command and sub-command by the words that name it, in the order of --help."""
    for name, entry in COMMANDS.items():
        if isinstance(entry, Leaf):
            yield name, entry
        else:
            yield from ((f"{name} {below}", leaf) for below, leaf in entry.commands.items())
