"""Finding topics.yaml; and at a glance, for the Tab key, the topics it names."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from kafkactl.errors import UsageError

NAME = "topics.yaml"
VARIABLE = "KAFKACTL_CATALOG"


def find_catalog(explicit: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The catalogue: `explicit` (--file), else KAFKACTL_CATALOG, else topics.yaml in `cwd` or above, or None.

    The search stops at the repository's root (a directory with .git). Raises UsageError when a named file is missing.
    """
    named = explicit or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        if not os.path.exists(cwd / named):
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
    """The short, relative way to a file, as messages show it; the whole one when `cwd` is not where we run."""
    relative = Path(os.path.relpath(found, cwd.absolute()))
    return relative if relative.exists() and relative.samefile(found) else found


_SECTION = re.compile(r"^topics:[ \t]*(?:#.*)?\n((?:(?:[ \t#].*)?\n)+)", re.MULTILINE)
_KEY = re.compile(r"^( +)([\"']?)([A-Za-z0-9._-]+)\2:(?=\s)", re.MULTILINE)


def names_at_a_glance(text: str) -> list[str]:
    """The topics of a catalogue that is written a topic a line, without parsing it; [] where it is not.

    For suggestions only: nothing is validated, and a file that is wrong elsewhere still has its names.
    """
    section = _SECTION.search(text.replace("\r\n", "\n") + "\n")
    keys = _KEY.findall(section[1]) if section else []
    return [name for indent, _, name in keys if indent == keys[0][0]]
