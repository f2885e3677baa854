"""Lines of a file, a pipe or a terminal, in the batches they come in; and one line many times over."""

import os
import select
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

_CHUNK = 1 << 18  # bytes: small enough that the chunk and its lines stay in the processor's cache
_AT_ONCE = 1000  # lines
LONGEST = 256 * 2**20  # bytes of a line: far above what any Kafka takes, and little enough to be held
_BOM = b"\xef\xbb\xbf"  # the mark that some editors put before UTF-8


class Source(Protocol):
    """Where lines come from."""

    size: int | None  # total bytes, None if unknown
    read: int  # bytes so far

    def next(self, wait: float) -> Sequence[bytes] | None:
        """Lines without their newlines; an empty list if none came within `wait` seconds; None at the end."""
        ...

    def rest(self, seconds: float, quiet: float) -> Iterator[Sequence[bytes]]:
        """The remaining input. For a pipe: what arrives until `quiet` seconds of silence, or `seconds` have passed."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the end was reached."""
        ...

    @property
    def endless(self) -> bool:
        """Whether reading was given up in a line longer than LONGEST."""
        ...


class Lines:
    """The lines of a file descriptor, which end with `end`. A last line without it is a line; a BOM is none of it."""

    def __init__(self, descriptor: int, end: bytes = b"\n") -> None:
        self._descriptor = descriptor
        self._end = end
        self._partial: list[bytes] = []  # of a line whose newline has not come
        self.ended = self.endless = False
        self.read = 0
        status = os.fstat(descriptor)
        self._is_file = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self._is_file else None

    def next(self, wait: float) -> Sequence[bytes] | None:
        if self.ended or self.endless:
            return None
        if not select.select([self._descriptor], [], [], wait)[0]:
            return []
        chunk = os.read(self._descriptor, _CHUNK)
        if not chunk:
            self.ended = True
            last = b"".join(self._partial)
            self._partial = []
            return [last] if last else None
        text = chunk if self.read else chunk.removeprefix(_BOM)
        self.read += len(chunk)
        if self._partial and len(self._end) > 1:  # the end may have come in two parts
            text, self._partial = b"".join([*self._partial, text]), []
        lines = text.split(self._end)
        tail = lines.pop()
        if lines and self._partial:
            lines[0] = b"".join([*self._partial, lines[0]])
            self._partial = []
        if tail:
            self._partial.append(tail)
        if sum(map(len, self._partial)) > LONGEST:
            self.endless, self._partial = True, []
        return lines

    def rest(self, seconds: float, quiet: float) -> Iterator[Sequence[bytes]]:
        deadline = time.monotonic() + seconds
        while self._is_file or time.monotonic() < deadline:
            before = self.read
            lines = self.next(0 if self._is_file else quiet)
            if lines:
                yield lines
            elif lines is None or self.read == before:
                return


class Repeated:
    """One line, `count` times; or as many that are made as they are needed."""

    size: int | None = None
    endless = False

    def __init__(self, line: bytes | Callable[[], bytes], count: int) -> None:
        self._line = line
        self._left = count
        self.read = 0

    @property
    def ended(self) -> bool:
        return self._left == 0

    def drop(self) -> int:
        """Give up the copies that are left; how many."""
        left, self._left = self._left, 0
        return left

    def next(self, wait: float) -> Sequence[bytes] | None:
        if not self._left:
            return None
        number = min(self._left, _AT_ONCE)
        self._left -= number
        return [self._line() for _ in range(number)] if callable(self._line) else [self._line] * number

    def rest(self, seconds: float, quiet: float) -> Iterator[Sequence[bytes]]:
        while lines := self.next(0):
            yield lines
