"""Names that commands saw on clusters, kept for the Tab key, which asks no cluster: a small private file for each.

What cannot be kept or read is not offered; nothing else depends on it.
"""

import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kafkactl.directories import state_directory
from kafkactl.private_files import write_private

KINDS = ("topics", "groups", "brokers")
_MOST = 5_000  # names of a kind
_CLUSTERS = 50

_written: dict[Path, dict[str, list[str]]] = {}  # what this process knows to be there


def remember_names(cluster: str, addresses: Iterable[str], **names: Iterable[str]) -> None:
    """Keep names of a cluster, by its id and the addresses it is reached at; `names` by kind replace those before."""
    if not cluster:
        return
    given = {kind: sorted(set(of_kind))[:_MOST] for kind, of_kind in names.items()}
    path = _path(cluster)
    before = _written.get(path, {})
    if all(before.get(kind) == of_kind for kind, of_kind in given.items()):
        return
    there = _read(path)
    known = {*there.get("addresses", ()), *addresses}
    content = {**there, **given, "addresses": sorted(known)[:_MOST]}
    _written[path] = content
    if content != there:
        with suppress(OSError):
            write_private(path, json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
            _drop_oldest()


def known_names(kind: str, addresses: Collection[str]) -> list[str]:
    """The names of a kind that were seen on the cluster that any of these addresses reaches, without order."""
    found: dict[str, None] = {}
    for content in _contents():
        if not set(addresses).isdisjoint(content.get("addresses", ())):
            found |= dict.fromkeys(content.get(kind, ()))
    return list(found)


def _contents() -> Iterator[dict[str, list[str]]]:
    with suppress(OSError):
        for path in sorted(_directory().glob("*.json")):
            yield _read(path)


def _directory() -> Path:
    return state_directory() / "names"


def _path(cluster: str) -> Path:
    return _directory() / f"{quote(cluster, safe='')}.json"


def _read(path: Path) -> dict[str, list[str]]:
    try:
        content: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    lists = {kind: content.get(kind) for kind in (*KINDS, "addresses")}
    return {
        kind: found
        for kind, found in lists.items()
        if isinstance(found, list) and all(isinstance(name, str) for name in found)
    }


def _drop_oldest() -> None:
    files = sorted(_directory().glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in files[:-_CLUSTERS]:
        os.unlink(path)
