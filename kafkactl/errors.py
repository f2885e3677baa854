"""Errors as users see them. Exit codes are those of the README, the same in every command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes, the same for every command and output format."""

    OK = 0
    FOUND = 1  # something was found (drift, a failing check), or an operation failed
    USAGE = 2  # a wrong command line, or an invalid file
    UNREACHABLE = 3  # Kafka is unreachable, or the work could not be finished
    WAIT_EXPIRED = 4  # --wait ran out
    INTERRUPTED = 130  # Ctrl-C
    TERMINATED = 143  # SIGTERM


class KafkactlError(Exception):
    """An error a user can act on: what happened, where, and the command to run next."""

    exit_code = ExitCode.FOUND

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def lines(self) -> list[str]:
        """The error as it is printed: one to three lines."""
        return [self.message, *(f"  {line}" for line in (self.where, self.hint) if line)]


class UsageError(KafkactlError):
    """The command line is invalid."""

    exit_code = ExitCode.USAGE


class UnreachableError(KafkactlError):
    """Kafka does not answer, or stopped answering."""

    exit_code = ExitCode.UNREACHABLE


class WaitExpiredError(KafkactlError):
    """A wait ran out of time."""

    exit_code = ExitCode.WAIT_EXPIRED


class Terminated(BaseException):
    """SIGTERM arrived: unwinds to main(), through every `finally`.

    Not SystemExit: librdkafka's callbacks pass an exception on by its type and value, and lose one whose value
    is no exception.
    """
