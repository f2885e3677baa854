"""A command that failed, in the format it was asked for: whoever reads stdout learns of it there, too."""

from typing import Any

from kafkactl.errors import KafkactlError
from kafkactl.view import cases, output


def tell_failure(command: str, show: Any, error: KafkactlError) -> None:
    """Write a document that says why there is none; nothing where one was written, or the format has none.

    `show` is the command's format, None if it has no choice of it.
    """
    if output.told():
        return
    name, message = f"kafkactl {command}", " ".join(filter(None, (error.message, error.where)))
    match str(show or ""):
        case "json" if not isinstance(show, output.RecordFormat):
            output.document(
                "error",
                {
                    "command": command,
                    "message": error.message,
                    "where": error.where or None,
                    "next": error.next_step or None,
                    "exit_code": int(error.exit_code),
                },
            )
        case "junit":
            cases.junit(command, [cases.Case(name, "error", message)])
        case "github":
            cases.github([cases.Case(name, "error", message)])
        case "prometheus":
            output.say("# HELP kafkactl_lag_complete 1 if every broker answered, else 0.")
            output.say("# TYPE kafkactl_lag_complete gauge")
            output.say("kafkactl_lag_complete 0")
