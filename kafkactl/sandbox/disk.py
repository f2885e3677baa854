"""Where the sandbox keeps things, locks between processes, and what a disk that refuses is told as."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafkactl.errors import KafkactlError


def cache_directory() -> Path:
    """What can be had again: $KAFKACTL_CACHE, else $XDG_CACHE_HOME/kafkactl, else ~/.cache/kafkactl."""
    if own := os.environ.get("KAFKACTL_CACHE"):
        return Path(own).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "kafkactl"


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock file's lock, calling `waiting` if another process has it.

    The kernel lets go of it however this process ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def disk_errors(hint: str) -> Iterator[None]:
    """Turn what the operating system refuses (a full disk, a missing right) into a KafkactlError with `hint`."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise KafkactlError(
            f"The sandbox cannot be used: {what}.", where=str(error.filename or ""), hint=hint
        ) from error
