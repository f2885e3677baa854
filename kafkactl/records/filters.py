"""Which records are kept. Pure: filters are made once from what the user typed, and asked for every record."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from kafkactl.errors import UsageError
from kafkactl.records.jsonlines import encode_parsed
from kafkactl.records.model import Record

Filter = Callable[[Record], bool]


def by_key(key: str) -> Filter:
    """Records with exactly this key."""
    wanted = key.encode()
    return lambda record: record.key == wanted


def by_pattern(pattern: str) -> Filter:
    """Records in whose key, value or any header the pattern is found. Raises UsageError for a bad pattern."""
    try:
        search = re.compile(pattern.encode()).search
    except re.error as error:
        raise UsageError(f"--grep: {pattern!r} is not a valid regular expression: {error}.") from None

    def keep(record: Record) -> bool:
        texts = [record.value, record.key]
        for name, value in record.headers:
            texts += [name.encode(), value]
        return any(text is not None and search(text) for text in texts)

    return keep


def by_header(pair: str) -> Filter:
    """Records with this header, given as name=value; a name alone means any value. Raises UsageError."""
    name, equals, value = pair.partition("=")
    if not name:
        raise UsageError(f"--header: {pair!r} is not NAME=VALUE.")
    wanted = value.encode()
    return lambda record: any(n == name and (not equals or v == wanted) for n, v in record.headers)


def all_of(filters: Sequence[Filter]) -> Filter | None:
    """Combine filters into one; None if there are none."""
    if not filters:
        return None
    return lambda record: all(keep(record) for keep in filters)


Query = Callable[[Record], list[Any]]


def jq(expression: str) -> Query:
    """What a jq expression makes of a record's JSON object, its value parsed where it is JSON.

    true stands for the record itself; false and null are dropped already. Raises UsageError for an expression that
    does not compile; a record on which the expression fails does not match.
    """
    import jq as library

    try:
        program = library.compile(expression)
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"--jq: {reason}.", where=expression) from None

    def run(record: Record) -> list[Any]:
        try:
            found = program.input_text(encode_parsed(record).decode()).all()
        except ValueError:
            return []
        return [result for result in found if result is not None and result is not False]

    return run
