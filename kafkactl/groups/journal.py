"""The offsets of groups as they were before each change, on disk: what undo puts back. Written before, never after."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from kafkactl.errors import KafkactlError, UsageError
from kafkactl.groups.saved import Saved, document, parse
from kafkactl.state import state_directory

_LONGEST = 80  # characters of a group's name in that of a file: names are for people, the group is inside


def keep(saved: Saved) -> Path:
    """Write it down, whole and on the disk, readable by its owner only. Raises KafkactlError where that cannot be."""
    directory = _directory(saved.cluster)
    when = datetime.fromtimestamp(saved.taken / 1000, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    text = json.dumps({"schema_version": 1, "kind": "offsets", **document(saved)}, ensure_ascii=False, indent=2)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path = _free(directory, f"{when}-{quote(saved.group, safe='')[:_LONGEST]}")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KafkactlError(
            f"Nothing was changed: the offsets as they are cannot be saved: {error.strerror}.",
            where=str(error.filename or directory),
            hint="KAFKACTL_STATE names another directory for them.",
        ) from None
    return path


def latest(cluster: str, group: str | None) -> tuple[Path, Saved] | None:
    """What was written down last, of this group or of any; None where nothing was."""
    for path in sorted(_files(cluster), reverse=True):
        try:
            saved = parse(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UsageError):  # not ours, or cut off by a full disk: then nothing was changed after it
            continue
        if group is None or saved.group == group:
            return path, saved
    return None


def _files(cluster: str) -> Iterator[Path]:
    return _directory(cluster).glob("*.json")


def _directory(cluster: str) -> Path:
    return state_directory() / "groups" / quote(cluster, safe="")


def _free(directory: Path, base: str) -> Path:
    path, number = directory / f"{base}.json", 1
    while path.exists():
        path, number = directory / f"{base}~{number}.json", number + 1
    return path
