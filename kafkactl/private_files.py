"""Files that only their owner can read, from their first moment on: records, offsets, facts, passwords."""

import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_private(path: Path, *, new: bool = False) -> BinaryIO:
    """A file to write to. With `new` there must be none yet, else what it held is lost. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
    descriptor = os.open(path, flags, 0o600)
    try:
        if not new and stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "wb")
    except BaseException:
        os.close(descriptor)
        raise


def open_log(path: Path) -> BinaryIO:
    """A file to which lines are added, in a directory that only its owner can open. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b", buffering=0)


def write_private(path: Path, content: bytes) -> None:
    """Write a whole file in place of what is there, in a directory that only its owner can open. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with open_private(path, new=True) as file:
        file.write(content)


def replace_content(path: Path, content: bytes) -> None:
    """Put this content into a user's own file that is there; its owner and its permissions stay. Raises OSError."""
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
