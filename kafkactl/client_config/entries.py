"""The text of a client configuration as entries: keys, values, and the line that each stands on. Pure."""

import re
from typing import NamedTuple

from kafkactl.errors import ClientConfigError

_ENTRY = re.compile(r"\s*([^=:\s]+)\s*[=:]\s*(.*?)\s*", re.DOTALL)
_COMMENTS = ("#", "!")
# In Java's files the value of one of these goes on in the next line, after a backslash.
_LONG = re.compile(r"sasl\.jaas\.config|.*\.(pem|key|certificate\.chain|certificates)")


class Property(NamedTuple):
    """One `key=value`, as it stands in the file; `line` counts from 1."""

    key: str
    value: str
    line: int


def entries(text: str, name: str) -> list[Property]:
    """The entries of a file; `name` is the file's, for messages.

    `key=value` and `key: value`, values in quotes or not, CRLF and a byte order mark are all understood. Raises
    ClientConfigError for a line that is neither an entry nor a comment.
    """
    found: list[Property] = []
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    number = 0
    while number < len(lines):
        start, line = number, lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith(_COMMENTS):
            continue
        while line.endswith("\\") and number < len(lines) and _goes_on(line, lines[number]):
            line = line[:-1] + lines[number].lstrip()
            number += 1
        match = _ENTRY.fullmatch(line)
        if match is None:
            # The line itself may hold a secret: only its position is shown.
            raise ClientConfigError("A line of the client configuration is not key=value.", where=f"{name}:{start + 1}")
        found.append(Property(match[1], _unquoted(match[2]), start + 1))
    return found


def _goes_on(line: str, following: str) -> bool:
    """Whether a backslash at the end is a continuation, as in Java's files, and not the end of a password."""
    key = _ENTRY.match(line)
    return following[:1].isspace() or bool(key and _LONG.fullmatch(key[1]))


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
