"""YAML's syntax errors in words a person can act on. The C parser keeps no excerpt, so the line is cut here."""

import re
from typing import TYPE_CHECKING

from kafkactl.catalog.model import Position, Problem

if TYPE_CHECKING:
    import yaml

_LONGEST_EXCERPT = 60
_UNCLOSED = {
    "flow sequence": 'the "[" that opens here is not closed, or a "," is missing.',
    "flow mapping": 'the "{" that opens here is not closed, or a "," is missing.',
    "scanning a quoted scalar": "the quote that opens here is not closed.",
    "single-quoted scalar": "the quote that opens here is not closed.",
    "double-quoted scalar": "the quote that opens here is not closed.",
}


def explain(error: "yaml.YAMLError", text: str, file: str) -> Problem:
    """What a syntax error means and where."""
    mark = getattr(error, "problem_mark", None)
    what = str(getattr(error, "problem", None) or "it cannot be parsed")
    context = str(getattr(error, "context", None) or "")
    opened = getattr(error, "context_mark", None)
    lines = text.splitlines()
    line, column = (mark.line, mark.column) if mark else (0, 0)

    tab = _indenting_tab(lines, line)
    if tab:
        return Problem(Position(file, *tab), "tabs cannot indent YAML; use spaces.")
    if opened:
        for kind, message in _UNCLOSED.items():
            if kind in context and "escape" not in what:
                return Problem(Position(file, opened.line + 1, opened.column + 1), message)
    excerpt = _excerpt(lines, line)
    return Problem(Position(file, line + 1, column + 1), f"not YAML: {_plainly(what, lines, line, column)}{excerpt}")


def _indenting_tab(lines: list[str], line: int) -> tuple[int, int] | None:
    """The tab before the text of the line an error is on, or of the one before; the parser may stop a line late."""
    for number in (line, line - 1):
        if 0 <= number < len(lines):
            indent = re.match(r"[ \t]*", lines[number])
            if indent and "\t" in indent[0]:
                return number + 1, indent[0].index("\t") + 1
    return None


def _plainly(what: str, lines: list[str], line: int, column: int) -> str:
    if "mapping values are not allowed" in what:
        return 'a ":" is not expected here. Check the indentation, or quote a text that holds ": ".'
    if "cannot start any token" in what and line < len(lines) and column < len(lines[line]):
        return f'a value cannot begin with "{lines[line][column]}". Put it in quotes.'
    if "expected key" in what or "<block end>" in what or "document start" in what:
        return "this line does not fit the one above it. Check the indentation."
    return f"{what}."


def _excerpt(lines: list[str], line: int) -> str:
    if line >= len(lines) or not lines[line].strip():
        return ""
    text = lines[line].strip()
    return f"  ({text[:_LONGEST_EXCERPT]}{'…' if len(text) > _LONGEST_EXCERPT else ''})"
