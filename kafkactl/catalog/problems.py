"""Problems of a catalogue file: collected in one run, raised together."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from kafkactl.catalog.model import Position, Problem
from kafkactl.errors import ExitCode, KafkactlError

_LONGEST_MESSAGE = 400


class Placed(Protocol):
    """Anything that has a place in the file."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class CatalogError(KafkactlError):
    """A catalogue that does not validate. `problems` holds every problem, warnings among them, by place."""

    exit_code = ExitCode.USAGE

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(f"{self.problems[0].position.file} does not validate.")

    def lines(self) -> list[str]:
        """One line a problem, and how many there are."""
        return [*problem_lines(self.problems), problem_count(self.problems)]


def problem_lines(problems: Sequence[Problem]) -> list[str]:
    """Problems with their messages in one column."""
    width = max((len(str(problem.position)) for problem in problems), default=0)
    return [
        f"{f'{problem.position!s:<{width}} ' if problem.position.line else f'{problem.position}:'}"
        f" {'warning: ' if problem.warning else ''}{problem.message}"
        for problem in problems
    ]


def problem_count(problems: Sequence[Problem]) -> str:
    """ "3 problems.", "1 problem, 2 warnings.", "No problems."."""
    warnings = sum(problem.warning for problem in problems)
    errors = len(problems) - warnings
    parts = [_count(errors, "problem")] if errors else []
    parts += [_count(warnings, "warning")] if warnings else []
    return f"{', '.join(parts) or 'No problems'}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _one_line(message: str) -> str:
    """A message that quotes what a file says, on one line, of sensible length, with nothing that drives a terminal."""
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[: _LONGEST_MESSAGE // 2]}…{message[-_LONGEST_MESSAGE // 2 :]}"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in message)


class Problems:
    """Collects what is found wrong while one file is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def position(self, at: Placed) -> Position:
        """The place of something in this file."""
        return Position(self.file, at.line, at.column)

    def error(self, at: Placed, message: str) -> None:
        """Something that must be put right."""
        self.found.append(Problem(self.position(at), _one_line(message)))

    def warn(self, at: Placed, message: str) -> None:
        """Something doubtful."""
        self.found.append(Problem(self.position(at), _one_line(message), warning=True))

    def raise_errors(self) -> None:
        """Raise CatalogError if anything must be put right."""
        if any(not problem.warning for problem in self.found):
            raise CatalogError(self.found)


def unreadable(path: Path, why: str) -> CatalogError:
    """A file that cannot be read at all."""
    return CatalogError([Problem(Position(str(path), 0, 0), why)])
