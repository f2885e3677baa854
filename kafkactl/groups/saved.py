"""Offsets of a group as a file: what `groups save` writes, what a reset keeps for undo, what --from-file reads. Pure.

JSON, or the lines that kafka-consumer-groups --export writes: topic,partition,offset.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafkactl.errors import UsageError
from kafkactl.topics import Place

_HINT = "Such a file is written by: kafkactl groups save GROUP > FILE"


@dataclass(frozen=True)
class Saved:
    """Where a group stood. `taken` is in ms since 1970, `cluster` an id; 0 and "" where not known, as the group may be.

    None among the offsets: it had no commit there. `change` is what was about to be done to it, for undo.
    """

    group: str
    cluster: str
    taken: int
    offsets: Mapping[Place, int | None]
    change: str = ""


def document(saved: Saved) -> dict[str, Any]:
    """The body of the JSON document, of the kind `offsets`."""
    return {
        "cluster": saved.cluster,
        "group": saved.group,
        "taken": datetime.fromtimestamp(saved.taken / 1000, UTC).isoformat(timespec="milliseconds"),
        **({"change": saved.change} if saved.change else {}),
        "offsets": [
            {"topic": topic, "partition": id, "offset": offset} for (topic, id), offset in sorted(saved.offsets.items())
        ],
    }


def parse(text: str, name: str) -> Saved:
    """What such a file holds; `name` is the file's, for messages. Raises UsageError where it is none."""
    if text.lstrip().startswith("{"):
        return _from_json(text, name)
    offsets: dict[Place, int | None] = {}
    for number, row in enumerate(csv.reader(text.splitlines()), 1):
        if not row:
            continue
        if len(row) != 3 or not row[1].strip().isdigit() or not row[2].strip().isdigit():
            raise UsageError("A line is not topic,partition,offset.", where=f"{name}:{number}", hint=_HINT)
        offsets[row[0].strip(), int(row[1])] = int(row[2])
    if not offsets:
        raise UsageError(f"{name} holds no offsets.", hint=_HINT)
    return Saved("", "", 0, offsets)


def _from_json(text: str, name: str) -> Saved:
    try:
        data = json.loads(text)
        _require(data["kind"] == "offsets", f"it is of the kind {data['kind']}")
        return Saved(
            str(data["group"]),
            str(data["cluster"]),
            round(datetime.fromisoformat(data["taken"]).timestamp() * 1000),
            dict(_offsets(data["offsets"])),
            str(data.get("change", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{name} holds no offsets: {why}.", hint=_HINT) from None


def _offsets(entries: Any) -> Iterator[tuple[Place, int | None]]:
    for entry in entries:
        topic, id, offset = entry["topic"], entry["partition"], entry["offset"]
        good = isinstance(topic, str) and _whole(id) and (offset is None or _whole(offset))
        _require(good, f"{entry} is no offset of a partition")
        yield (topic, id), offset


def _require(good: bool, otherwise: str) -> None:
    if not good:
        raise ValueError(otherwise)


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
