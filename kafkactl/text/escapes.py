"""Text that cannot drive a terminal, whoever wrote it; and bytes as a user types them. Pure."""

import os
import re

# Control characters but the tab, C1 included, and the marks that turn the direction of what follows.
_DRIVING = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str, *, lines: bool = False) -> str:
    """`text` with what could drive a terminal shown as escapes (`\\x1b`, `\\u202e`); `lines` keeps newlines."""

    def escape(match: re.Match[str]) -> str:
        if lines and match[0] == "\n":
            return "\n"
        code = ord(match[0])
        return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"

    return _DRIVING.sub(escape, text)


_COLOURS = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")


def without_colours(text: str) -> str:
    """`text` without the sequences by which a program colours its output."""
    return _COLOURS.sub("", text) if "\x1b" in text else text


def plain_json(text: str) -> str:
    """A JSON document in which what could drive a terminal is written as JSON's own escapes; it says the same."""
    return _DRIVING.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)


def printable(data: bytes, *, lines: bool = False) -> str:
    """Bytes as text safe for a terminal; what is not UTF-8 is shown as escapes. `lines` keeps newlines."""
    return plain(data.decode("utf-8", "backslashreplace"), lines=lines)


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8: an argument or a JSON string may hold halves of characters.

    librdkafka's Python client ends the process (SIGSEGV) where it is given such a name.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_TYPED = re.compile(rb"\\(x[0-9a-fA-F]{2}|[tnr0\\])")
SIGNS = {"n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0", "\\": b"\\"}  # by the sign behind a backslash


def typed_bytes(text: str) -> bytes:
    """The bytes of an argument, those that are not UTF-8 among them; `\\xNN`, `\\t`, `\\n`, `\\r`, `\\0` and `\\\\` are
    what they are in --format. Any other backslash stands for itself."""
    return _TYPED.sub(lambda m: SIGNS.get(m[1].decode()) or bytes([int(m[1][1:], 16)]), os.fsencode(text))
