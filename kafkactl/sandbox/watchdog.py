"""What ends a throw-away cluster when kafkactl itself is killed.

A small shell waits on a pipe whose other end only this process has. However this process ends, the kernel closes
its end; the shell then kills the brokers that are left and removes their directory. A parent-death signal would
be bound to the thread that started the broker, exist on Linux only, and leave the directory.
"""

import contextlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

# The newest line says which process groups are to be killed. "Gone" must be told before a pid can be given away.
_SCRIPT = """
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
n=0
while [ -e "$1" ] && [ $n -lt 50 ]; do rm -rf -- "$1" 2>/dev/null; n=$((n+1)); [ -e "$1" ] && sleep 0.1; done
"""


class Watchdog:
    """Guards process groups and one directory for as long as this process lives."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "kafkactl-sandbox-watchdog", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def guard(self, groups: Sequence[int]) -> None:
        """From now on these process groups are the ones to kill."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{' '.join(map(str, groups))}\n".encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """End the watch. The brokers must have ended, and the directory be gone."""
        self.guard([])
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
