"""Options that the dlq commands share: which topic, and which of its letters."""

from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.tab_names import complete_topic

if TYPE_CHECKING:
    from kafkactl.commands.dlq.selection import Selection

DeadLetters = Annotated[
    str,
    typer.Argument(metavar="TOPIC", help="The dead-letter topic.", autocompletion=complete_topic),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="JQ",
        help="Only records for which this jq expression is true: .value.amount > 0.",
        rich_help_panel="Which dead letters",
    ),
]
Error = Annotated[
    str | None,
    typer.Option(
        "--error",
        metavar="REGEX",
        help="Only those whose error class or message matches.",
        rich_help_panel="Which dead letters",
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only those that were given up at or after TIME (15m = 15 minutes ago).",
        rich_help_panel="Which dead letters",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        help="Only those that were given up before TIME.",
        rich_help_panel="Which dead letters",
    ),
]
Key = Annotated[
    bytes | None,
    typer.Option(
        "--key",
        metavar="KEY",
        parser=options.escaped_bytes,
        help=r"Only records with this key; \x00 is a byte.",
        rich_help_panel="Which dead letters",
    ),
]


def selection(
    where: str | None, error: str | None, since: str | None, until: str | None, key: bytes | None
) -> "Selection":
    """What was typed. Raises UsageError for times between which nothing can be."""
    from kafkactl.commands.dlq.selection import Selection

    chosen = Selection(
        where, error, options.moment(since) if since else None, options.moment(until) if until else None, key
    )
    if chosen.since is not None and chosen.until is not None and chosen.since >= chosen.until:
        raise UsageError("--until is not after --since: no record can be between them.")
    return chosen
