"""Problems of a topics.yaml, for those who read documents: JSON, and cases for JUnit and GitHub."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kafkactl.view.cases import Case

if TYPE_CHECKING:
    from kafkactl.catalog.model import Problem


def problem_documents(problems: "Iterable[Problem]") -> list[dict[str, Any]]:
    """Each problem with its place; line 0 stands for the whole file."""
    return [
        {
            "file": problem.position.file,
            "line": problem.position.line,
            "column": problem.position.column,
            "severity": "warning" if problem.warning else "error",
            "message": problem.message,
        }
        for problem in problems
    ]


def problem_cases(problems: "Iterable[Problem]") -> list[Case]:
    """A case for each problem; one of the whole file is annotated on line 1."""
    return [
        Case(
            name=str(problem.position),
            level="warning" if problem.warning else "error",
            message=problem.message,
            file=problem.position.file,
            line=max(1, problem.position.line),
            column=max(1, problem.position.column),
        )
        for problem in problems
    ]
