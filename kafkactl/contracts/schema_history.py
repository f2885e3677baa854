"""The schema files of topics.yaml beside an earlier revision of theirs in git: for lint."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kafkactl.catalog.model import Position, Problem
from kafkactl.contracts.schema_changes import SchemaChange, schema_changes
from kafkactl.contracts.schema_files import SchemaError, load_file
from kafkactl.errors import UsageError
from kafkactl.private_files import write_private

_WHOM = {"readers": "services that read", "writers": "services that write", "both": "services that read and write"}
_LIMIT = 30  # seconds


def broken_promises(events: Mapping[str, Path], revision: str | None) -> list[Problem]:
    """What has changed in these files since a revision, and breaks who uses them.

    Without a revision it is HEAD, nothing is said where there is no git, and the problems are warnings. Raises
    UsageError for a revision that is none. A file that was not there then has no past.
    """
    paths = list(dict.fromkeys(events.values()))
    above = os.path.commonpath([path.resolve().parent for path in paths])
    with tempfile.TemporaryDirectory(prefix="kafkactl-") as directory:
        # What they refer to is what it was then, too, and at the same place beside them.
        then = {path: Path(directory) / os.path.relpath(path.resolve(), above) for path in paths}
        before: dict[Path, Path] = {}
        for path, kept in then.items():
            text = _then(path, revision)
            if text is not None:
                write_private(kept, text)
                before[path] = kept
            elif path.exists():
                write_private(kept, path.read_bytes())
        past = {name: then[path] for name, path in events.items()}
        found: list[Problem] = []
        for path, kept in before.items():
            try:
                changes = schema_changes(load_file(kept, past).inlined, load_file(path, events).inlined)
                broken = [change for change in changes if change.breaks != "nobody"]
            except SchemaError:  # it is told of elsewhere, or was mended
                continue
            since = revision or "git's HEAD"
            found += [
                Problem(Position(str(path), 1, 1), _words(change, since), warning=revision is None) for change in broken
            ]
        return found


def _words(change: SchemaChange, since: str) -> str:
    what = f"{change.path}: {change.what}" if change.path else change.what
    return f"since {since}, {what}; that breaks {_WHOM[change.breaks]}."


def _then(path: Path, revision: str | None) -> bytes | None:
    """A file's content at a revision; None where it was not there."""
    directory = path.resolve().parent
    try:
        known = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
        if revision is not None and _git(directory, *known).returncode:
            raise UsageError(f"--against: git knows no revision {revision} in {directory}.")
        shown = _git(directory, "show", "--end-of-options", f"{revision or 'HEAD'}:./{path.name}")
    except (OSError, subprocess.TimeoutExpired) as error:
        if revision is not None:
            raise UsageError(f"--against takes git: {error}.") from None
        return None
    return shown.stdout if shown.returncode == 0 else None


def _git(directory: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", "-C", str(directory), *words], capture_output=True, check=False, timeout=_LIMIT)
