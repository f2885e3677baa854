"""Which records are kept. Pure: filters are made once from what the user typed, and asked for every record."""

import re
from collections.abc import Callable, Sequence

from kafkactl.errors import UsageError
from kafkactl.records.model import Record
from kafkactl.text.escapes import printable

Filter = Callable[[Record], bool]


def by_key(key: bytes) -> Filter:
    """Records with exactly this key."""
    return lambda record: record.key == key


def by_pattern(pattern: bytes) -> Filter:
    """Records in whose key, value or any header the pattern is found. Raises UsageError for a bad pattern."""
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"--grep: {printable(pattern)} is not a valid regular expression: {error}.") from None

    def keep(record: Record) -> bool:
        texts = [record.value, record.key]
        for name, value in record.headers:
            texts += [name.encode(), value]
        return any(text is not None and search(text) for text in texts)

    return keep


def by_header(pair: bytes) -> Filter:
    """Records with this header, given as name=value; a name alone means any value. Raises UsageError."""
    front, equals, wanted = pair.partition(b"=")
    name = front.decode("utf-8", "surrogateescape")
    if not name:
        raise UsageError(f"--header: {printable(pair)} is not NAME=VALUE.")
    return lambda record: any(n == name and (not equals or v == wanted) for n, v in record.headers)


def all_of(filters: Sequence[Filter]) -> Filter | None:
    """Combine filters into one; None if there are none."""
    if not filters:
        return None
    return lambda record: all(keep(record) for keep in filters)
