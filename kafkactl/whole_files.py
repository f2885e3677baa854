"""Files that are read as a whole: up to a size, so that /dev/zero or a core dump does not fill the memory."""

import errno
import os
import sys
from pathlib import Path

_LARGEST = 256 * 2**20  # bytes


def read_whole(path: Path) -> bytes:
    """A file's bytes; those of stdin for `-`. Raises OSError, also (EFBIG) for more than 256 MiB."""
    if str(path) == "-":
        content = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content
