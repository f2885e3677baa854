"""Text that cannot drive a terminal, whoever wrote it. Pure."""

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
