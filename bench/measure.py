"""Whole processes, timed from fork to exit, in turn."""

import contextlib
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

_GRACE_SECONDS = 10.0
_QUIET_PERCENT = 15.0
_QUIET_SECONDS = 30.0
# Settings of whoever runs the benchmark that would change what is measured.
_FOREIGN = ("PYTHON", "KAFKA", "JAVA_", "JDK_", "_JAVA_", "CLASSPATH", "GITHUB_", "FORCE_COLOR")
_KEPT = ("KAFKACTL_CACHE", "KAFKACTL_STATE")


def nothing() -> None:
    """What most runs need done before them."""


@dataclass(frozen=True)
class Entry:
    """One command of a contest. It must end with exit code 0."""

    label: str  # what a user would type
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    before: Callable[[], None] = nothing  # before each run, not timed
    after: Callable[[], None] = nothing  # after each run, not timed: raises where it did not do its work
    slow: bool = False  # takes so long that it is run less often, and not once more to warm up
    bar: float | None = None  # seconds the median should not exceed
    least_factor: float | None = None  # how many times as long as the first entry it should take at least
    most_factor: float | None = None  # and at most
    unavailable: str = ""  # why it cannot be run


@dataclass(frozen=True)
class Contest:
    """Commands that do the same job; the others are compared with the first."""

    title: str
    entries: Sequence[Entry]
    note: str = ""
    factor: float | None = None  # how many times longer the others should take at least


@dataclass(frozen=True)
class Sheet:
    """What was measured in another way: a table of its own, in Markdown."""

    title: str
    lines: Sequence[str]
    note: str = ""


@dataclass(frozen=True)
class Usage:
    """What one run took: seconds on the clock and of CPU, and the bytes of its largest process at its largest."""

    seconds: float
    cpu: float
    rss: int


@dataclass
class Result:
    """The runs of one entry."""

    entry: Entry
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # seconds, of the process and its children
    rss: list[int] = field(default_factory=list)  # bytes, of the largest of these
    first: float | None = None  # seconds of the run that warms caches and broker up, which is not among the others
    disturbed: int = 0  # runs that began while something else was using the processors

    @property
    def median(self) -> float:
        """Of the runs, in seconds."""
        return statistics.median(self.seconds)


class CommandFailed(Exception):
    """A command of the benchmark ended with another exit code than 0: there is nothing to measure."""


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what would change the measured command, and with `extra`."""
    own = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(_FOREIGN)}
    return {**own, **extra}


def run_contest(contest: Contest, runs: int, slow_runs: int, told: Callable[[str], None]) -> list[Result]:
    """Run the entries A B A B …, the quick ones once before that for the caches. Raises CommandFailed."""
    results = [Result(entry) for entry in contest.entries]
    able = [result for result in results if not result.entry.unavailable]
    for result in able:
        if not result.entry.slow:
            result.first = _run_once(result.entry)[1].seconds
    for number in range(max(runs, slow_runs)):
        for result in able:
            if number >= (slow_runs if result.entry.slow else runs):
                continue
            told(f"{contest.title}: run {number + 1}: {result.entry.label}")
            quiet, usage = _run_once(result.entry)
            result.seconds.append(usage.seconds)
            result.cpu.append(usage.cpu)
            result.rss.append(usage.rss)
            result.disturbed += not quiet
    return results


def _run_once(entry: Entry) -> tuple[bool, Usage]:
    """Run an entry; whether the machine was quiet when it began, and what it took."""
    entry.before()
    quiet = wait_for_quiet()
    usage = timed(entry.command, entry.directory, entry.environment)
    entry.after()
    return quiet, usage


def wait_for_quiet() -> bool:
    """Wait until the processors have next to nothing to do (a broker may still be deleting); False if they never do."""
    deadline = time.monotonic() + _QUIET_SECONDS
    while psutil.cpu_percent(interval=0.3) > _QUIET_PERCENT:
        if time.monotonic() > deadline:
            return False
    return True


def timed(command: Sequence[str], directory: Path | None, environment: Mapping[str, str]) -> Usage:
    """Run a command from fork to exit. Raises CommandFailed with what it said."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        with running(command, directory, environment, said) as process:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
            raise CommandFailed(f"{' '.join(command)}: exit code {process.returncode}\n{text[-2000:]}")
    # On Linux in KiB, and never less than what the forking process had: ours, which is small.
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


@contextlib.contextmanager
def running(
    command: Sequence[str], directory: Path | None, environment: Mapping[str, str], said: IO[bytes]
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process in a session of its own, which ends with whatever it started if we are interrupted."""
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=child_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
