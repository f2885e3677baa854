"""Which dead letters a command is about: the options that choose them, and the conditions they make."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.deadletters.letters import Wanted, all_wanted, between, by_error, of_record
from kafkactl.errors import UsageError
from kafkactl.records.filters import by_key
from kafkactl.records.query import Jq
from kafkactl.text.words import many
from kafkactl.view import output

DeadLetters = Annotated[
    str,
    typer.Argument(metavar="TOPIC", help="The dead-letter topic.", autocompletion=options.complete_topic),
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="JQ", help="Only records for which this jq expression is true: .value.amount > 0."),
]
Error = Annotated[
    str | None, typer.Option("--error", metavar="REGEX", help="Only those whose error class or message matches.")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Only those that were given up at or after TIME (15m = 15 minutes ago)."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only those that were given up before TIME.")
]
Key = Annotated[
    bytes | None,
    typer.Option(
        "--key", metavar="KEY", parser=options.escaped_bytes, help=r"Only records with this key; \x00 is a byte."
    ),
]


@dataclass(frozen=True)
class Selection:
    """Which letters, as the user typed it; times in ms."""

    where: str | None = None
    error: str | None = None
    since: int | None = None
    until: int | None = None
    key: bytes | None = None

    @property
    def everything(self) -> bool:
        """Whether no condition is given."""
        return self == Selection()


def selection(
    where: str | None, error: str | None, since: str | None, until: str | None, key: bytes | None
) -> Selection:
    """What was typed. Raises UsageError for times between which nothing can be."""
    chosen = Selection(
        where, error, options.moment(since) if since else None, options.moment(until) if until else None, key
    )
    if chosen.since is not None and chosen.until is not None and chosen.since >= chosen.until:
        raise UsageError("--until is not after --since: no record can be between them.")
    return chosen


@contextmanager
def conditions(chosen: Selection) -> Iterator[Wanted]:
    """The condition a letter has to meet. Raises UsageError for an expression that is wrong.

    jq runs in a process of its own while the context lasts; records it fails on are no match, and that is told.
    """
    wanted: list[Wanted] = []
    if chosen.since is not None or chosen.until is not None:
        wanted.append(between(chosen.since, chosen.until))
    if chosen.key is not None:
        wanted.append(of_record(by_key(chosen.key)))
    if chosen.error is not None:
        wanted.append(by_error(chosen.error))
    if chosen.where is None:
        yield all_wanted(wanted)
        return
    with Jq(chosen.where, "--where") as query:
        yield all_wanted([*wanted, of_record(lambda record: bool(query(record)))])
        if query.failed:
            output.warn(f"--where failed on {many(query.failed, 'record')}; on the first with: {query.first}")
