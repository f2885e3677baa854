"""A command that failed, in the format it was asked for: whoever reads stdout learns of it there, too."""

from typing import Any

from kafkactl.catalog.model import CatalogError
from kafkactl.errors import KafkactlError
from kafkactl.view import cases, output
from kafkactl.view.formats import LetterFormat, LineFormat, RecordFormat
from kafkactl.view.problem_report import problem_cases, problem_documents


def tell_failure(command: str, show: Any, error: KafkactlError) -> None:
    """Write a document that says why there is none; nothing where one was written, or the format has none.

    `show` is the command's format, None if it has no choice of it.
    """
    if output.told():
        return
    told = _cases(command, error)
    match str(show or ""):
        case "json" if not isinstance(show, RecordFormat | LineFormat | LetterFormat):
            output.document(
                "error",
                {
                    "command": command,
                    "message": error.message,
                    "where": error.where or None,
                    "next": error.next_step or None,
                    "exit_code": int(error.exit_code),
                    **({"problems": problem_documents(error.problems)} if isinstance(error, CatalogError) else {}),
                },
            )
        case "junit":
            cases.junit(command, told)
        case "github":
            cases.github(command, told)
        case "prometheus":
            output.say("# HELP kafkactl_lag_complete 1 if every broker answered, else 0.")
            output.say("# TYPE kafkactl_lag_complete gauge")
            output.say("kafkactl_lag_complete 0")


def _cases(command: str, error: KafkactlError) -> list[cases.Case]:
    """The command's failure as one case; each problem of a topics.yaml, where that is the failure."""
    if isinstance(error, CatalogError):
        return problem_cases(error.problems)
    return [cases.Case(f"kafkactl {command}", "error", " ".join(filter(None, (error.message, error.where))))]
