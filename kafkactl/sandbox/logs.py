"""The brokers' logs: their last lines, and what is added to them."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from kafkactl.sandbox.node import Node

_POLL_SECONDS = 0.2
_WINDOW = 64 * 1024  # bytes, at first


def read(nodes: Sequence[Node], count: int, *, follow: bool = False) -> Iterator[tuple[int, str]]:
    """The last `count` lines of every broker's log as (node id, line), broker after broker.

    With `follow` also what is added afterwards, until the logs are removed.
    """
    ends = {}
    for node in nodes:
        lines, ends[node.id] = tail(node.log, count)
        yield from ((node.id, line) for line in lines)
    while follow and any(node.log.exists() for node in nodes):
        for node in nodes:
            added, ends[node.id] = whole_lines(node.log, ends[node.id])
            yield from ((node.id, line) for line in added)
        time.sleep(_POLL_SECONDS)


def tail(log: Path, count: int) -> tuple[list[str], int]:
    """The last `count` lines of a log, oldest first, and the offset (bytes) behind them. A missing log is empty."""
    window = _WINDOW
    while True:
        try:
            size = log.stat().st_size
        except OSError:
            return [], 0
        start = max(0, size - window)
        lines, end = whole_lines(log, start)
        if start:
            lines = lines[1:]  # begun before the window
        if len(lines) >= count or start == 0:
            return lines[len(lines) - min(count, len(lines)) :], end
        window *= 8


def whole_lines(log: Path, start: int) -> tuple[list[str], int]:
    """Lines that are complete, from an offset on, and the offset behind them. A log that shrank is read anew."""
    try:
        with log.open("rb") as file:
            if log.stat().st_size < start:
                start = 0
            file.seek(start)
            data = file.read()
    except OSError:
        return [], start
    end = data.rfind(b"\n") + 1
    return data[:end].decode(errors="replace").splitlines(), start + end
