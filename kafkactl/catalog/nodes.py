"""YAML text → a tree of nodes that know their place. Nothing is resolved: a scalar stays the text its writer typed.

Built from the parser's events rather than with yaml.compose(): composing recurses, so deep nesting could exhaust
the C stack, and it resolves YAML 1.1's types, which this file does not have (`no` and `1.0` are names like others).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from kafkactl.catalog.model import CatalogError, Position, Problem

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


def explain_syntax(error: "yaml.YAMLError", text: str, file: str) -> Problem:
    """What a syntax error means and where."""
    mark = getattr(error, "problem_mark", None)
    what = str(getattr(error, "problem", None) or "it cannot be parsed")
    context = str(getattr(error, "context", None) or "")
    opened = getattr(error, "context_mark", None)
    lines = text.splitlines()
    line, column = (mark.line, mark.column) if mark else (0, 0)

    tab = _indenting_tab(lines, line)
    if tab:
        return Problem(Position(file, *tab), "YAML does not allow tabs for indentation; use spaces.")
    if opened:
        for kind, message in _UNCLOSED.items():
            if kind in context and "escape" not in what:
                return Problem(Position(file, opened.line + 1, opened.column + 1), message)
    excerpt = _excerpt(lines, line)
    return Problem(
        Position(file, line + 1, column + 1), f"invalid YAML: {_plainly(what, lines, line, column)}{excerpt}"
    )


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
        return 'unexpected ":". Check the indentation, or quote the text that contains ": ".'
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


MAX_NESTING = 50
MAX_NODES = 200_000  # aliases counted as often as they are used, so that a few lines cannot become billions

_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_UNPRINTABLE_ASCII = re.compile("[^\t\n\r\x20-\x7e]")


@cache
def _unprintable() -> re.Pattern[str]:
    """As YAML has it. It takes 5 ms to compile: most catalogues are ASCII, and never need it."""
    return re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Scalar(NamedTuple):
    """A text. `plain` is false where it was quoted or written as a block."""

    text: str
    plain: bool
    line: int
    column: int

    @property
    def empty(self) -> bool:
        """Whether nothing was written where a value could be."""
        return self.plain and self.text in _NULL


class Sequence(NamedTuple):
    """A list."""

    items: tuple["Node", ...]
    line: int
    column: int


class Mapping(NamedTuple):
    """Keys with their values, duplicates included, in the order of the file."""

    pairs: tuple[tuple[Scalar, "Node"], ...]
    line: int
    column: int


Node = Scalar | Sequence | Mapping


class _Open:
    """A list or mapping whose end has not been reached."""

    __slots__ = ("anchor", "children", "size", "start")

    def __init__(self, start: "yaml.Event", anchor: str | None) -> None:
        self.start = start
        self.anchor = anchor
        self.children: list[Node] = []
        self.size = 1


def compose_nodes(text: str, file: str) -> Node | None:
    """The single document of a YAML text, or None if it has none. Raises CatalogError for anything but plain YAML."""
    roots = _compose(text, file, several=False)
    return roots[0] if roots else None


def compose_documents(text: str, file: str) -> list[Node]:
    """All documents of a YAML text. Raises CatalogError as `compose_nodes` does."""
    return _compose(text, file, several=True)


def _compose(text: str, file: str, *, several: bool) -> list[Node]:
    import yaml

    bad = (_UNPRINTABLE_ASCII if text.isascii() else _unprintable()).search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        raise _error(file, line, column, f"the character U+{ord(bad[0]):04X} is not allowed in YAML.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(file, several=several).compose(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        # Newer versions of libyaml look far ahead and reject deep nesting themselves; the parser in Python reports
        # where the nesting begins.
        if "nesting" in str(error) and loader is not yaml.SafeLoader:
            return _Composer(file, several=several).compose(yaml.parse(text, Loader=yaml.SafeLoader))

        raise CatalogError([explain_syntax(error, text, file)]) from None


class _Composer:
    """Turns the parser's events into nodes with a stack of its own."""

    def __init__(self, file: str, *, several: bool) -> None:
        self.file = file
        self.several = several
        self.stack: list[_Open] = []
        self.roots: list[Node] = []
        self.documents = 0
        self.anchors: dict[str, tuple[Node | None, int]] = {}
        self.nodes = 0

    def compose(self, events: Iterator["yaml.Event"]) -> list[Node]:
        import yaml

        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._refuse_tag(event)
                    node = Scalar(event.value, not event.style, *_place(event))
                    self._add(node, event.anchor, 1, event)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._open(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close()
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent():
                    self.documents += 1
                    self.anchors.clear()
                    if self.documents > 1 and not self.several:
                        raise self._at(event, "a second document begins here; a topics.yaml must be a single document.")
        return self.roots

    def _open(self, event: "yaml.MappingStartEvent | yaml.SequenceStartEvent") -> None:
        self._refuse_tag(event)
        if len(self.stack) == MAX_NESTING:
            raise self._at(event, f"nested more than {MAX_NESTING} levels deep.")
        if event.anchor:
            self.anchors[event.anchor] = (None, 0)
        self.stack.append(_Open(event, event.anchor))

    def _close(self) -> None:
        import yaml

        done = self.stack.pop()
        place = _place(done.start)
        node: Node
        if isinstance(done.start, yaml.SequenceStartEvent):
            node = Sequence(tuple(done.children), *place)
        else:
            node = Mapping(tuple(self._pairs(done.children)), *place)
        self._add(node, done.anchor, done.size, done.start, counted=done.size - 1)

    def _pairs(self, children: list[Node]) -> Iterator[tuple[Scalar, Node]]:
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise self._at(key, "a key must be a text, not a list or a mapping.")
            yield key, value

    def _alias(self, event: "yaml.AliasEvent") -> None:
        node, size = self.anchors.get(event.anchor or "", (None, -1))
        if size < 0:
            raise self._at(event, f"*{event.anchor} is used, but &{event.anchor} is not defined before it.")
        if node is None:
            raise self._at(event, f"*{event.anchor} is used inside &{event.anchor} itself.")
        self._add(node, None, size, event)

    def _add(self, node: Node, anchor: str | None, size: int, event: "yaml.Event", counted: int = 0) -> None:
        self.nodes += size - counted
        if self.nodes > MAX_NODES:
            raise self._at(
                event, f"the file contains more than {MAX_NODES:,} values once aliases (*name) are expanded."
            )
        if anchor:
            self.anchors[anchor] = (node, size)
        if self.stack:
            self.stack[-1].children.append(node)
            self.stack[-1].size += size
        else:
            self.roots.append(node)

    def _refuse_tag(self, event: "yaml.ScalarEvent | yaml.CollectionStartEvent") -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self._at(event, f"the tag {tag} is not supported; write the value itself.")

    def _at(self, what: "yaml.Event | Node", message: str) -> CatalogError:
        line, column = (what.line, what.column) if isinstance(what, Node) else _place(what)
        return _error(self.file, line, column, message)


def _place(event: "yaml.Event") -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _error(file: str, line: int, column: int, message: str) -> CatalogError:
    return CatalogError([Problem(Position(file, line, column), message)])
