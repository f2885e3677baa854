"""The brokers' logs with their times, as `kafkactl logs` merges them with others."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from kafkactl.loglines import LogLine, merged, nanoseconds
from kafkactl.sandbox.logs import tail, whole_lines
from kafkactl.sandbox.node import Node

_POLL_SECONDS = 0.2


class Logs:
    """The logs of some brokers, by the name each is shown under."""

    unreadable: Mapping[str, str] = MappingProxyType({})  # files can always be read; containers' logs cannot

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._ends: dict[str, int] = {}
        self._last: dict[str, int] = dict.fromkeys(nodes, 0)

    def so_far(self, lines: int | None, since: float | None, keep: Callable[[str], bool] | None) -> list[LogLine]:
        """The last `lines` lines of each broker (None: all) since a time (s since the epoch), merged by time.

        `keep` chooses lines before the last ones are taken.
        """
        found = []
        for name, node in self._nodes.items():
            texts, self._ends[name] = tail(node.log, sys.maxsize if keep or since or lines is None else lines)
            kept = [
                line
                for line in self._timed(name, texts)
                if line.time >= (since or 0.0) * 1e9 and (keep is None or keep(line.text))
            ]
            found += kept[max(0, len(kept) - lines) :] if lines is not None else kept
        return merged(found)

    def follow(self) -> Iterator[list[LogLine]]:
        """What is added from now on, in batches in the order of time, until the logs are removed."""
        while any(node.log.exists() for node in self._nodes.values()):
            batch = []
            for name, node in self._nodes.items():
                texts, self._ends[name] = whole_lines(node.log, self._ends[name])
                batch += list(self._timed(name, texts))
            yield merged(batch)
            time.sleep(_POLL_SECONDS)

    def _timed(self, name: str, texts: list[str]) -> Iterator[LogLine]:
        """Lines with the time each begins with; one that has none (a stack trace) gets that of the line before."""
        for text in texts:
            self._last[name] = nanoseconds(text.partition(" ")[0]) or self._last[name]
            yield LogLine(self._last[name], name, text)
