"""kcat's format strings: %t %p %o %k %s %T %h %S %K %R and backslash escapes. Pure."""

import re
import struct
from collections.abc import Callable

from kafkactl.errors import UsageError
from kafkactl.records.model import Record

Part = Callable[[Record], bytes]

_ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0", "\\": b"\\"}


def _length(data: bytes | None) -> int:
    return -1 if data is None else len(data)


def _headers(record: Record) -> bytes:
    pairs = (name.encode() + b"=" + (b"NULL" if value is None else value) for name, value in record.headers)
    return b",".join(pairs)


TOKENS: dict[str, Part] = {
    "t": lambda r: r.topic.encode(),
    "p": lambda r: b"%d" % r.partition,
    "o": lambda r: b"%d" % r.offset,
    "k": lambda r: r.key or b"",
    "s": lambda r: r.value or b"",
    "T": lambda r: b"%d" % (-1 if r.timestamp is None else r.timestamp),
    "h": _headers,
    "S": lambda r: b"%d" % _length(r.value),
    "K": lambda r: b"%d" % _length(r.key),
    "R": lambda r: struct.pack(">i", _length(r.value)),
    "%": lambda _: b"%",
}


def compile_format(text: str) -> Callable[[Record], bytes]:
    """A function from a record to its bytes. Raises UsageError for a token that does not exist."""
    parts: list[bytes | Part] = []
    for literal, token, escape in re.findall(r"([^%\\]+)|%(.?)|\\(x[0-9a-fA-F]{1,2}|.?)", text, re.DOTALL):
        if literal:
            parts.append(literal.encode())
        elif escape:
            parts.append(_escaped(escape))
        elif token in TOKENS:
            parts.append(TOKENS[token])
        else:
            raise UsageError(
                f"%{token} is no token of --format.", hint=f"There are {' '.join('%' + name for name in TOKENS)}."
            )
    return lambda record: b"".join([part if isinstance(part, bytes) else part(record) for part in parts])


def _escaped(escape: str) -> bytes:
    if escape[0] == "x" and len(escape) > 1:
        return bytes([int(escape[1:], 16)])
    return _ESCAPES.get(escape, b"\\" + escape.encode())
