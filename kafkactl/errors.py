"""Errors as users see them. Exit codes are those of the README, the same in every command."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kafkactl.text.remedies import Command


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

    def __init__(self, message: str, *, where: str = "", hint: "str | Command | Sequence[str | Command]" = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.flags: Sequence[str] = ()  # those that named the cluster, for the commands of the hint

    @property
    def next_step(self) -> str:
        """The hint as it is printed: a command behind its note ("List them: kafkactl groups list")."""
        parts = self.hint if isinstance(self.hint, Sequence) and not isinstance(self.hint, str) else [self.hint]
        return "      ".join(filter(None, (_step(part, self.flags) for part in parts)))

    def lines(self) -> list[str]:
        """The error as it is printed: one to three lines."""
        return [self.message, *(f"  {line}" for line in (self.where, self.next_step) if line)]


def _step(part: "str | Command", flags: Sequence[str]) -> str:
    if isinstance(part, str):
        return part
    from kafkactl.text.remedies import with_flags

    lead = part.note and part.note + (" " if part.note.endswith("?") else ": ")
    return lead + with_flags(part, flags).text


class UsageError(KafkactlError):
    """The command line is invalid."""

    exit_code = ExitCode.USAGE


class ClientConfigError(UsageError):
    """The client configuration cannot be used; nobody was asked yet."""


class NoTopicError(KafkactlError):
    """There is no such topic."""


class NoGroupError(KafkactlError):
    """There is no such group."""


class NotPermittedError(KafkactlError):
    """Kafka does not permit it to this user."""


class UnreachableError(KafkactlError):
    """Kafka does not answer, or stopped answering."""

    exit_code = ExitCode.UNREACHABLE


@dataclass(frozen=True)
class ClientRefusal:
    """Why a Kafka that is there does not serve this client.

    `code` is the doctor's; `seen` what the address answered, in a few words; "" where nobody was asked.
    """

    code: str
    message: str
    remedy: str
    seen: str = ""


class RefusedError(UnreachableError):
    """The cluster is there but does not serve this client: waiting does not help."""

    def __init__(self, refusal: ClientRefusal, where: str) -> None:
        super().__init__(refusal.message, where=where, hint=refusal.remedy)
        self.refusal = refusal


class WaitExpiredError(KafkactlError):
    """A wait ran out of time."""

    exit_code = ExitCode.WAIT_EXPIRED


class Terminated(BaseException):
    """SIGTERM arrived: unwinds to main(), through every `finally`.

    Not SystemExit: librdkafka's callbacks pass an exception on by its type and value, and lose one whose value
    is no exception.
    """
