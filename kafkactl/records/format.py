"""kcat's format strings: %t %p %o %k %s %T %h %S %K %R and backslash escapes. Pure."""

import re
from collections.abc import Callable
from typing import cast

from kafkactl.errors import UsageError
from kafkactl.records.model import Record

_ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0", "\\": b"\\"}


def length(data: bytes | None) -> int:
    """How many bytes; -1 for null."""
    return -1 if data is None else len(data)


def headers(record: Record) -> bytes:
    """name=value, with commas between them."""
    pairs = (name.encode() + b"=" + (b"NULL" if value is None else value) for name, value in record.headers)
    return b",".join(pairs)


# Token → conversion of bytes' %, and what of the record r it converts.
TOKENS = {
    "t": ("%b", "r.topic.encode()"),
    "p": ("%d", "r.partition"),
    "o": ("%d", "r.offset"),
    "k": ("%b", "r.key or b''"),
    "s": ("%b", "r.value or b''"),
    "T": ("%d", "-1 if r.timestamp is None else r.timestamp"),
    "h": ("%b", "headers(r)"),
    "S": ("%d", "length(r.value)"),
    "K": ("%d", "length(r.key)"),
    "R": ("%b", "length(r.value).to_bytes(4, 'big', signed=True)"),
}


def compile_format(text: str) -> Callable[[Record], bytes]:
    """A function from a record to its bytes. Raises UsageError for a token that does not exist."""
    template, arguments = b"", ""
    for literal, token, escape in re.findall(r"([^%\\]+)|%(.?)|\\(x[0-9a-fA-F]{1,2}|.?)", text, re.DOTALL):
        if literal or escape:
            template += (literal.encode() if literal else _escaped(escape)).replace(b"%", b"%%")
        elif token == "%":
            template += b"%%"
        elif token in TOKENS:
            conversion, argument = TOKENS[token]
            template += conversion.encode()
            arguments += f"{argument}, "
        else:
            names = " ".join(f"%{name}" for name in (*TOKENS, "%"))
            raise UsageError(f"%{token} is no token of --format.", hint=f"There are {names}.")
    # One expression for the whole record, of the pieces above alone: a call for each token takes twice as long.
    given = {"template": template, "headers": headers, "length": length}
    return cast("Callable[[Record], bytes]", eval(f"lambda r: template % ({arguments})", given))


def _escaped(escape: str) -> bytes:
    if escape[0] == "x" and len(escape) > 1:
        return bytes([int(escape[1:], 16)])
    return _ESCAPES.get(escape, b"\\" + escape.encode())
