"""What a user sees. The only module that uses rich; one writer for each format.

stdout is data, stderr is talk: tables and documents go to stdout; notes, warnings and progress go to stderr.
Streams are looked up at each call, so that a test, a pipe or a redirection is always honoured.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from kafkactl.text.escapes import plain, plain_json

if TYPE_CHECKING:
    from kafkactl.text.remedies import Remedy

SCHEMA_VERSION = 1


class Coloured(NamedTuple):
    """A table's cell that wants a look: coloured on a terminal, its words elsewhere."""

    words: str
    colour: str


Cell = str | int | Coloured | None


class Column(NamedTuple):
    """A column of a table; figures are right-aligned."""

    title: str
    right: bool = False
    style: str = ""


def width() -> int:
    """How many cells a line of stdout may take: the width of a terminal, be it a dumb one; no limit in a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


class Style(NamedTuple):
    """Marks and colours of one stream: plain if it is not a terminal or the user asked for that."""

    colour: bool
    marks: Mapping[str, str]

    def paint(self, text: str, colour: str) -> str:
        """`text` in a colour ("red", "yellow", "green", "blue", "magenta", "cyan", "dim", "bold"), or as it is."""
        return f"\x1b[{_SGR[colour]}m{text}\x1b[0m" if self.colour and colour else text

    def mark(self, state: str) -> str:
        """The two-cell mark of a state: "ok", "error", "warning", "skipped"."""
        return self.paint(f"{self.marks[state]:<2}", _STATE_COLOUR[state])


_SGR = {
    "red": "31",
    "yellow": "33",
    "green": "32",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
    "bold": "1",
}
_STATE_COLOUR = {"ok": "green", "error": "red", "warning": "yellow", "skipped": "dim"}
_PLAIN_MARKS = {"ok": "ok", "error": "!!", "warning": " !", "skipped": "--"}
_MARKS = {"ok": "✓", "error": "✗", "warning": "!", "skipped": "–"}


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at this stream, on a terminal that takes colours and moves its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def style(stream: TextIO | None = None) -> Style:
    """The style for a stream (stdout by default); NO_COLOR takes the colour and the symbols away."""
    stream = stream or sys.stdout
    fancy = is_terminal(stream) and not os.environ.get("NO_COLOR")
    return Style(colour=fancy, marks=_MARKS if fancy else _PLAIN_MARKS)


def say(text: str = "") -> None:
    """Data: a line on stdout."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Talk: a line on stderr, after whatever stdout still holds. Names in it cannot drive the terminal."""
    _talk(plain(text, lines=True))


def announce(cluster: str) -> None:
    """Talk: which cluster the command speaks to."""
    _talk(style(sys.stderr).paint(plain(f"Kafka at {cluster}"), "dim"))


_standing: list[str] = []


def stand(text: str) -> None:
    """A line of stderr that gives way to all that is said there; "" takes it away. Only where a person looks."""
    if [text] == _standing or not (text or _standing) or (text and not is_terminal(sys.stderr)):
        return
    _standing[:] = [text] if text else []
    sys.stderr.write(f"\r\x1b[2K{text[: shutil.get_terminal_size().columns - 1]}")
    sys.stderr.flush()


def stands(text: str) -> bool:
    """Whether this line still stands."""
    return _standing == [text]


def _talk(text: str) -> None:
    stand("")
    if _pending:
        pending("")
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


_pending: list[str] = []


def pending(text: str) -> None:
    """What is being done right now, in a line that the next one replaces; only where a person looks at stdout."""
    if is_terminal(sys.stdout):
        _pending[:] = [text] if text else []
        sys.stdout.write(f"\r\x1b[2K{plain(text)[: width() - 1]}")
        sys.stdout.flush()


def tell_wait(seconds: float) -> None:
    """So long Kafka has not answered: a line that stands from the first second on, and which 0 takes away."""
    whole = int(seconds)
    if whole < 1:
        stand("")
    elif not _pending:
        stand(f"waiting for Kafka: {whole} s")


def warn(text: str) -> None:
    """A warning on stderr."""
    _talk(f"{style(sys.stderr).paint('warning:', 'yellow')} {plain(text, lines=True)}")


_told: list[str] = []


def told(kind: str = "") -> bool:
    """Whether a document was written to stdout; with `kind`, note that one of it is."""
    if kind:
        _told.append(kind)
    return bool(_told)


def nothing_told() -> None:
    """A command begins: no document was written yet."""
    _told.clear()


_in_yaml: list[bool] = []


def write_yaml(wanted: bool) -> None:
    """Whether documents are written as YAML from here on, instead of JSON."""
    _in_yaml[:] = [wanted]


def document(kind: str, body: dict[str, Any]) -> None:
    """One document on stdout, as JSON or YAML. Keys are stable within a schema version."""
    import json

    told(kind)
    whole = {"schema_version": SCHEMA_VERSION, "kind": kind, **body}
    if any(_in_yaml):
        _yaml_document(json.loads(json.dumps(whole)))
        return
    tokens = json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(whole)
    while text := "".join(islice(tokens, _TOKENS)):  # that of thousands of topics never is in memory as a whole
        sys.stdout.write(plain_json(text) if sys.stdout.isatty() else text)
    sys.stdout.write("\n")


def _yaml_document(whole: dict[str, Any]) -> None:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    # A marker before each, since some commands write several. It escapes what could drive a terminal.
    yaml.dump(whole, sys.stdout, Dumper=dumper, explicit_start=True, allow_unicode=True, sort_keys=False, width=2**30)


_TOKENS = 10_000  # of JSON, written at once


def remedy_document(remedy: "Remedy") -> dict[str, str]:
    """A remedy as JSON: a command with its note, or advice."""
    from kafkactl.text.remedies import Advice, ServiceChange

    if isinstance(remedy, ServiceChange):
        from kafkactl.containers.compose_edit import block

        return {"advice": remedy.text, "yaml": block(remedy)}
    if isinstance(remedy, Advice):
        return {"advice": remedy.text}
    return {"command": remedy.text, **({"note": remedy.note} if remedy.note else {})}


def cell_width(text: str) -> int:
    """How many terminal cells a text takes: Chinese takes two a character, a combining mark none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, width: int, right: bool = False) -> str:
    """`text` filled with spaces to `width` cells."""
    gap = " " * max(0, width - cell_width(text))
    return gap + text if right else text + gap


def wrapped(text: str, room: int) -> list[str]:
    """`text` in lines of so many cells; a word that is longer stays whole, so that it can be copied."""
    import textwrap

    return textwrap.wrap(plain(text), room, break_long_words=False, break_on_hyphens=False) or [""]


def fitted(text: str) -> str:
    """`text` in one line of stdout; where it does not fit, its end is left off, visibly."""
    room = width()
    if cell_width(text) <= room:
        return text
    kept = text[: room - 1]
    while cell_width(kept) >= room:
        kept = kept[:-1]
    return f"{kept}…"


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Rows under headings: fitted to a terminal's width, or plain, aligned and never truncated in a pipe."""
    cells_of = [list(row) for row in rows]
    if sys.stdout.isatty():
        _rich_table(columns, cells_of)
        return
    titles = [_written(column.title) for column in columns]
    texts = [[_text(cell) for cell in row] for row in cells_of]
    widths = [column_width(column) for column in zip(titles, *texts, strict=True)]
    for row in [titles, *texts]:
        line = "  ".join(pad(t, w, c.right) for t, w, c in zip(row, widths, columns, strict=True))
        say(line.rstrip())


_WIDE = 60  # cells


def column_width(texts: Iterable[str]) -> int:
    """How wide to make a column of these: a text that is wider than most widens its own row only, not every one."""
    widths = [cell_width(text) for text in texts]
    return max((width for width in widths if width <= _WIDE), default=min(_WIDE, max(widths, default=0)))


def fits(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> bool:
    """Whether a table of these is no wider than stdout."""
    texts = [[column.title for column in columns], *([_text(cell) for cell in row] for row in rows)]
    return sum(max(map(cell_width, column)) + 2 for column in zip(*texts, strict=True)) - 2 <= width()


def _text(cell: Cell) -> str:
    """A cell as text that cannot drive the terminal: figures grouped, control characters escaped."""
    if cell is None:
        return _written("–")
    if isinstance(cell, int):
        return f"{cell:,}"
    return _written(plain(cell.words if isinstance(cell, Coloured) else cell))


def _written(text: str) -> str:
    """As stdout will have it, so that columns are as wide as what stands in them: escapes, where it is not UTF-8."""
    encoding = sys.stdout.encoding or "utf-8"
    return text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding, "replace")


def _shared_room(cells: Sequence[Sequence[str]], room: int) -> list[int | None]:
    """How wide to make columns of these cells where all of them do not fit: each as wide as its longest word, and what
    is left to those that need least. None for each, where there is not even room for the words.
    """
    whole = [max(map(cell_width, column)) for column in cells]
    words = [max(cell_width(word) for cell in column for word in cell.split() or [""]) for column in cells]
    spare = room - sum(words)
    if sum(whole) <= room or spare < 0:
        return [None] * len(cells)
    widths: list[int | None] = list(words)
    for at in sorted(range(len(cells)), key=lambda at: whole[at] - words[at]):
        given = min(whole[at] - words[at], spare)
        widths[at] = words[at] + given
        spare -= given
    return widths


def _rich_table(columns: Sequence[Column], rows: list[list[Cell]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    gap = 2 if width() >= 100 else 1
    grid = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim", show_edge=False)
    texts = [[_written(column.title) for column in columns], *([_text(cell) for cell in row] for row in rows)]
    widths = _shared_room(list(zip(*texts, strict=True)), width() - gap * len(columns))
    for column, title, own in zip(columns, texts[0], widths, strict=True):
        grid.add_column(
            Text(title),
            justify="right" if column.right else "left",
            style=column.style,
            overflow="fold",
            no_wrap=column.right,
            width=own,
        )
    for row in rows:
        grid.add_row(*(Text(_text(cell), style=cell.colour if isinstance(cell, Coloured) else "") for cell in row))
    # Its height is of no account, but without it rich takes a dumb terminal to have 80 columns.
    Console(highlight=False, no_color=bool(os.environ.get("NO_COLOR")), width=width(), height=25).print(grid)
