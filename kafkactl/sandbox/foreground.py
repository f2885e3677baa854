"""A temporary cluster, and a command run with it: its terminal, its signals, its exit code."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from kafkactl.errors import UsageError
from kafkactl.sandbox.artifacts import Progress
from kafkactl.sandbox.broker import check_settings
from kafkactl.sandbox.model import MOST, check_size
from kafkactl.sandbox.preparation import prepare
from kafkactl.sandbox.running import RunningSandbox, launched
from kafkactl.sandbox.secure_listeners import check_kind
from kafkactl.sandbox.secured import check_secured

_GRACE_SECONDS = 5.0


@contextmanager
def throwaway(
    brokers: int = 1,
    version: str | None = None,
    settings: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
    *,
    secure: str | None = None,
    unverified: bool = False,
    full_jit: bool = False,
    racks: Sequence[str | None] = (),
) -> Iterator[RunningSandbox]:
    """A cluster of up to five brokers on free ports, serving, which is gone without a trace afterwards.

    It is gone as well if this process is killed. `settings` are broker settings (Kafka's dotted keys); `version`
    is the newest pinned Kafka by default; `racks` are those of the brokers, in turn. With `secure` (one of
    secure_listeners.KINDS) clients are asked who they are, and `sandbox.secured` has the users' files. Raises
    UsageError, UnreachableError (jars that cannot be fetched) and KafkactlError (a broker that does not start, or a
    package that is not installed).
    """
    check_size(brokers, MOST)
    check_kind(secure)
    check_settings(settings or {}, secure)
    check_secured(secure)
    distribution = prepare(version, unverified=unverified, progress=progress)
    with launched(distribution, brokers, settings or {}, secure, full_jit=full_jit, racks=racks) as sandbox:
        yield sandbox


def check_command(command: Sequence[str]) -> None:
    """Raises UsageError for a program that cannot be found, before a broker is started for it."""
    import shutil

    if not shutil.which(command[0]):
        raise UsageError(f"Program {command[0]} was not found.", hint="Name one on the PATH, or name its path.")


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with our stdin, stdout and stderr; its exit code, or 128 + n if signal n ended it.

    When we receive SIGINT or SIGTERM, the command receives it too, and is killed after 5 s.
    """
    try:
        process = subprocess.Popen(command, env={**os.environ, **environment})
    except OSError as error:
        raise UsageError(f"Cannot run {command[0]}: {error.strerror}.") from error
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # On a terminal Ctrl-C has reached the command already; a second one would cut its own cleaning up short.
        _end(process, None if _in_foreground() else signal.SIGINT)
        raise
    except BaseException:
        _end(process, signal.SIGTERM)
        raise
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes], number: signal.Signals | None) -> None:
    try:
        if number:
            process.send_signal(number)
        process.wait(_GRACE_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _in_foreground() -> bool:
    """Whether this process group is the one that the terminal's keys send signals to."""
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
