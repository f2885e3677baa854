"""The work of one produce: lines to records, records to the sender, and what was not acknowledged to its file."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kafkactl.process import Interruption
from kafkactl.records.lines import LONGEST, Repeated, Source
from kafkactl.records.outgoing import Check, Columns, Outgoing, Parse
from kafkactl.records.send import Sender
from kafkactl.records.unsent import Unsent
from kafkactl.text.words import size

_WAIT = 0.1  # seconds: how soon a signal is noticed
_GRACE = 5.0  # seconds for acknowledgements after a signal
_DRAIN, _QUIET = 30.0, 1.0  # seconds: how long to read on from a pipe after we stopped


class Pace:
    """Limits the number of records per second."""

    def __init__(self, per_second: float) -> None:
        self._step = 1 / per_second
        self._due = time.monotonic()

    def gap(self) -> float:
        """Seconds until the next record may go."""
        return self._due - time.monotonic()

    def went(self) -> None:
        """A record went. A pause in the input is not made up for."""
        self._due = max(self._due, time.monotonic() - _WAIT) + self._step


@dataclass
class Tally:
    """What happened to the input, besides what the sender counts."""

    lines: int = 0
    invalid: int = 0  # lines that are not valid records
    unfit: int = 0  # records the topic would reject
    refused: Counter[str] = field(default_factory=Counter)  # by the reason the brokers gave
    copies: int = 0  # of the one record that is written several times: those that were not tried
    left: int = 0  # records that were not tried, or not acknowledged
    unknown: int = 0  # of those, how many may have been written anyway
    cut_short: bool = False  # not all of the input was read


@dataclass
class Job:
    """One run of produce. `told` receives each invalid line (its number and the reason), `aged` records' timestamps."""

    source: Source
    parse: Parse
    check: Check
    sender: Sender
    unsent: Unsent
    stop: Interruption
    told: Callable[[int, str], None]
    aged: Callable[[int, int], None]
    progressed: Callable[["Job"], None]
    columns: Columns | None = None  # where lines can go many at once
    pace: Pace | None = None
    fail_fast: bool = False
    tally: Tally = field(default_factory=Tally)
    _held: Sequence[bytes] = ()  # lines that were read and not looked at

    def run(self) -> None:
        """Send what the source gives until its end, or a reason to stop; then see what became of it."""
        try:
            while not self.stop.why:
                lines = self.source.next(_WAIT)
                if lines is None:
                    self._give_up_endless()
                    break
                if lines and not self._send_all(lines):
                    self._send(lines)
                self.sender.poll()
                self._hear()
                self.progressed(self)
        except BaseException:
            self.stop.why = self.stop.why or "an error"
            raise
        finally:
            self._finish()

    def _give_up_endless(self) -> None:
        if self.source.endless:
            self.stop.why = self.stop.why or f"a line is longer than {size(LONGEST)}"

    def _send_all(self, lines: Sequence[bytes]) -> bool:
        """Send lines many at once; False where they have to be looked at one by one."""
        columns = self.columns(lines) if self.columns and not self.pace else None
        if columns is None:
            return False
        self.tally.lines += len(lines)
        self.sender.send_all(*columns)
        return True

    def _send(self, lines: Sequence[bytes]) -> None:
        tally, stop, pace, parse, check, send = (
            self.tally, self.stop, self.pace, self.parse, self.check, self.sender.send
        )  # fmt: skip
        for place, line in enumerate(lines):
            if pace is not None:
                self._await_turn(pace)
            if stop.why:
                self._held = lines[place:]
                return
            tally.lines += 1
            try:
                record = parse(line)
            except ValueError as error:
                self._invalid(line, str(error))
                continue
            if record is None:
                continue
            try:
                check(record)
            except ValueError as error:
                self._unfit(record, str(error))
                continue
            if record.timestamp:
                self.aged(tally.lines, record.timestamp)
            send(record)

    def _await_turn(self, pace: Pace) -> None:
        while (gap := pace.gap()) > 0 and not self.stop.why:
            self.sender.poll(min(gap, _WAIT))
            self._hear()
        pace.went()

    def _invalid(self, line: bytes, why: str) -> None:
        self.tally.invalid += 1
        self.told(self.tally.lines, why)
        self.unsent.invalid(line, self.tally.lines, why)
        self._failed_fast()

    def _unfit(self, record: Outgoing, why: str) -> None:
        self.tally.unfit += 1
        self.told(self.tally.lines, why)
        self.unsent.record(record)
        self._failed_fast()

    def _failed_fast(self) -> None:
        if self.fail_fast:
            self.stop.why = self.stop.why or "--fail-fast"

    def _hear(self) -> None:
        """Keep what the brokers refused; stop where they refuse everything."""
        if self.sender.given_up:
            self.stop.why = self.stop.why or self.sender.given_up
        elif self._keep_failures():
            self._failed_fast()

    def _keep_failures(self) -> int:
        """How many came back; they are in the file now."""
        failures = self.sender.failures()
        for failure in failures:
            if failure.refused:
                self.tally.refused[failure.why] += 1
            else:
                self.tally.left += 1
            self.tally.unknown += failure.may_be_written
            self.unsent.record(failure.record)
        return len(failures)

    def _finish(self) -> None:
        """Wait for acknowledgements as long as that makes sense, then keep what has none, in the order it came."""
        deadline = time.monotonic() + _GRACE
        while self.sender.waiting and not self.sender.given_up and not self.stop.again:
            self.sender.poll(_WAIT)
            self.progressed(self)
            if self.stop.signal is None:
                deadline = time.monotonic() + _GRACE
            elif time.monotonic() > deadline:
                break
        self.sender.take_back()
        self._keep_failures()
        if isinstance(self.source, Repeated) and self.stop.why:
            # They are all alike: a number says it, a file of them would say it no better.
            self.tally.copies = len(self._held) + self.source.drop()
            self._held = ()
        self._leave(self._held)
        if self.stop.why:
            for lines in self.source.rest(_DRAIN, _QUIET):
                self._leave(lines)
                self.progressed(self)
                if self.stop.again:
                    break
            self.tally.cut_short = not self.source.ended
        self.unsent.close()

    def _leave(self, lines: Sequence[bytes]) -> None:
        """Keep lines that are not tried any more."""
        for line in lines:
            self.tally.lines += 1
            try:
                record = self.parse(line)
            except ValueError as error:
                self.tally.invalid += 1
                self.unsent.invalid(line, self.tally.lines, str(error))
                continue
            if record is not None:
                self.tally.left += 1
                self.unsent.record(record)
