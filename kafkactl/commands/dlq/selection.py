"""Which dead letters a command is about: the conditions that a user's options make."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kafkactl.deadletters.letters import Wanted, all_wanted, between, by_error, of_record
from kafkactl.records.filters import by_key
from kafkactl.records.query import Jq
from kafkactl.text.words import many
from kafkactl.view import output


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
