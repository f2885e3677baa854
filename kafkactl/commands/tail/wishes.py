"""What a user asks of tail besides where to start: where to stop, which records, and how they are shown."""

from dataclasses import dataclass

from kafkactl.view.formats import RecordFormat


@dataclass(frozen=True)
class End:
    """Where to stop: at a time (ms), after a number of records, at the current end, or never.

    `late` is how many seconds late a record may have been written, None for any; `wait` for how many a topic that is
    not there, or not any more, is waited for.
    """

    until: int | None
    late: float | None
    count: int | None
    follow: bool
    wait: float


@dataclass(frozen=True)
class Shown:
    """Which records are shown, and how, as the user typed it."""

    key: bytes | None
    grep: bytes | None
    headers: tuple[bytes, ...]
    query: str | None
    show: RecordFormat
    form: str | None
    with_headers: bool
    pretty: bool
    parse: bool  # in JSON, a value that is JSON is no text
    mask: tuple[str, ...]
    unmasked: bool
    utc: bool
    check: bool  # records that break their contract are marked
    invalid: bool  # only those are shown
    decode: bool  # with the schema registry, if there is one
