"""stdout, written in batches."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from kafkactl.records.consume import as_record, raw_values
from kafkactl.records.emit import Emitter, raw


class Enough(Exception):
    """What was asked for has been shown."""


class Out:
    """Writes what is shown of the records that come; ends the look when that is enough.

    `count` is how many are shown at most, `stop` the time (ms) from which on none is; None: no limit.
    """

    def __init__(self, emitter: Emitter, count: int | None, stop: int | None) -> None:
        self.emitter = emitter
        self._left = count
        self._stop = stop
        self._raw = emitter.form is raw and emitter.shows_all
        self._stdout = sys.stdout.buffer

    def messages(self, messages: Sequence[Any]) -> None:
        """Write what is wanted of librdkafka's messages. Raises Enough."""
        if self._left is None and self._stop is None:
            # The fast paths: one write for all of them.
            texts = raw_values(messages) if self._raw else self.emitter.texts([as_record(m) for m in messages])
            self._stdout.write(texts)
            return
        for record in map(as_record, messages):
            late = self._stop is not None and record.timestamp is not None and record.timestamp >= self._stop
            if not late and (text := self.emitter.text(record)) is not None:
                self.text(text)

    def text(self, text: bytes) -> None:
        """Write one record. Raises Enough after the last one."""
        self._stdout.write(text)
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Enough

    def over(self) -> bool:
        """Whether the time to stop at has come."""
        return self._stop is not None and time.time() * 1000 >= self._stop

    def flush(self) -> None:
        """Let a reader have what was written."""
        self._stdout.flush()
