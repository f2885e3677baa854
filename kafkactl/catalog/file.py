"""Finding topics.yaml and reading it: the one place of the catalogue that touches files."""

import os
from collections.abc import Mapping
from pathlib import Path

from kafkactl.catalog import nodes
from kafkactl.catalog.declaration import Declaration, check_references, declare
from kafkactl.catalog.model import Catalog, CatalogError, Problem, Problems, unreadable
from kafkactl.catalog.reader import read_root
from kafkactl.errors import UsageError

NAME = "topics.yaml"
VARIABLE = "KAFKACTL_CATALOG"
MAX_BYTES = 4 * 2**20


def find_catalog(explicit: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """Find the catalogue: `explicit` (--file), else KAFKACTL_CATALOG, else topics.yaml in `cwd` or above, else None.

    The search stops at the repository's root (a directory with .git). Raises UsageError when a named file is missing.
    """
    named = explicit or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        if not (cwd / named).exists():
            source = "The name comes from --file." if explicit else f"The name comes from {VARIABLE}."
            raise UsageError(f"There is no file {named}.", where=source)
        return named
    start = cwd.absolute()
    for directory in (start, *start.parents):
        if (directory / NAME).is_file():
            return _as_seen_from(cwd, directory / NAME)
        if (directory / ".git").exists():
            break
    return None


def _as_seen_from(cwd: Path, found: Path) -> Path:
    """The relative path of a file for messages; the absolute one if `cwd` is not the current directory."""
    relative = Path(os.path.relpath(found, cwd.absolute()))
    return relative if relative.exists() and relative.samefile(found) else found


def load_catalog(path: Path, environment: str | None = None) -> Catalog:
    """The catalogue of a file, for one environment or with the file's own values.

    The whole file is validated, with every environment. Raises CatalogError, with all problems, for a file that
    cannot be read or does not validate, and UsageError for an environment that it does not have.
    """
    return parse_catalog(_read(path), str(path), environment)


def parse_catalog(data: str | bytes, name: str = NAME, environment: str | None = None) -> Catalog:
    """Like `load`, but from a text; `name` is the path that messages show and other files are relative to."""
    declaration, warnings = _declaration(data, name)
    return declaration.seen_for(environment, warnings)


def _declaration(data: str | bytes, name: str) -> tuple[Declaration, tuple[Problem, ...]]:
    path = Path(name)
    if len(data) > MAX_BYTES:
        raise unreadable(path, f"the file is larger than {MAX_BYTES // 2**20} MiB, too large for a catalogue.")
    text = data if isinstance(data, str) else _decoded(data, path)
    root = nodes.compose_nodes(text.removeprefix("\ufeff"), name)
    if root is None or (isinstance(root, nodes.Scalar) and root.empty):
        raise unreadable(path, "the file is empty. It must declare topics.")
    problems = Problems(name)
    if not isinstance(root, nodes.Mapping):
        problems.error(root, "the file must be a mapping that begins with keys such as topics:.")
        raise CatalogError(problems.found)
    fields = read_root(root, problems)
    declaration = declare(fields, path, problems)
    check_references(fields, declaration, problems)
    problems.raise_errors()
    return declaration, tuple(sorted(set(problems.found)))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise unreadable(path, "the file does not exist.") from None
    except IsADirectoryError:
        raise unreadable(path, "this is a directory, not a file.") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise unreadable(path, f"the file cannot be read: {why}.") from None


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        begin = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[begin : error.start].decode("utf-8", "replace")) + 1
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        what = "it looks like UTF-16" if utf16 else f"byte 0x{data[error.start]:02x} at offset {error.start:,}"
        problems = Problems(str(path))
        problems.error(nodes.Scalar("", True, line, column), f"the file is not UTF-8: {what}. Save it as UTF-8.")
        raise CatalogError(problems.found) from None
