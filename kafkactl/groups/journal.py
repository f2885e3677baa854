"""Saved offsets of groups on disk, taken before each change so that undo can restore them, and their file format."""

import csv
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import quote

from kafkactl.directories import state_directory
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.private_files import open_private
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import and_more
from kafkactl.topics import Place, impossible_name

# What became of a change. "pending": it was begun, and nobody knows how it ended; "refused": nothing was changed.
Outcome = Literal["pending", "done", "partly", "refused"]


@dataclass(frozen=True)
class Saved:
    """A group's saved offsets. `taken` is in ms since 1970, `cluster` an id; 0 and "" if unknown, as the group may be.

    An offset of None means that it had no commit there. `change` is what was about to be done to it, for undo; `ids`
    are those of the topics, where Kafka told them: a recreated topic is another one. `created`: there was no such group
    before.
    """

    group: str
    cluster: str
    taken: int
    offsets: Mapping[Place, int | None]
    change: str = ""
    outcome: Outcome = "done"
    ids: Mapping[str, str] = field(default_factory=dict)
    created: bool = False
    hidden: bool = False  # it may have lost commits that could not be saved


def offsets_document(saved: Saved) -> dict[str, Any]:
    """The body of the JSON document, of the kind `offsets`."""
    return {
        "cluster": saved.cluster,
        "group": saved.group,
        "taken": datetime.fromtimestamp(saved.taken / 1000, UTC).isoformat(timespec="milliseconds"),
        **({"change": saved.change, "outcome": saved.outcome} if saved.change else {}),
        **({"topic_ids": dict(saved.ids)} if saved.ids else {}),
        **({"group_created": True} if saved.created else {}),
        **({"commits_hidden": True} if saved.hidden else {}),
        "offsets": [
            {"topic": topic, "partition": id, "offset": offset} for (topic, id), offset in sorted(saved.offsets.items())
        ],
    }


def parse_offsets(text: str, name: str, group: str = "") -> Saved:
    """Parse such a file; `name` is its name for messages, `group` the one to take from a file of several.

    Raises UsageError if it is invalid.
    """
    text = text.removeprefix("\ufeff")
    try:
        return _from_json(text, name) if text.lstrip().startswith("{") else _from_csv(text, name, group)
    except UsageError as error:
        if group:
            error.hint = kafkactl("groups save", group, note="To write such a file").into("offsets.json")
        raise


def _from_csv(text: str, name: str, group: str) -> Saved:
    """What kafka-consumer-groups --export writes: topic,partition,offset, behind the group where it wrote several."""
    offsets: dict[Place, int | None] = {}
    groups: dict[str, None] = {}
    try:
        for number, row in enumerate(csv.reader(text.splitlines()), 1):
            if not row:
                continue
            *front, topic, id, offset = (cell.strip() for cell in row) if len(row) in (3, 4) else ("", "", "")
            if not (
                impossible_name(topic) is None
                and _DIGITS.fullmatch(id)
                and _DIGITS.fullmatch(offset)
                and _fits(int(id), int(offset))
            ):
                raise UsageError("A line is not topic,partition,offset.", where=f"{name}:{number}")
            groups |= dict.fromkeys(front)
            if not front or front == [group]:
                offsets[Place(topic, int(id))] = int(offset)
    except csv.Error as error:
        raise UsageError(f"{name} contains no offsets: {error}.") from None
    if not offsets:
        has = f"It has offsets of {and_more(groups)}." if groups else ""
        raise UsageError(f"{name} contains no offsets{f' of {group}' if groups else ''}.", where=has)
    return Saved("", "", 0, offsets)


_DIGITS = re.compile("[0-9]{1,19}")


def _fits(id: int, offset: int) -> bool:
    """Whether Kafka could have a partition and an offset of these numbers."""
    return 0 <= id < 2**31 and 0 <= offset < 2**63


def _from_json(text: str, name: str) -> Saved:
    try:
        data = json.loads(text)
        _require(data["kind"] == "offsets", f"its kind is {data['kind']}")
        return Saved(
            str(data["group"]),
            str(data["cluster"]),
            round(datetime.fromisoformat(data["taken"]).timestamp() * 1000),
            dict(_offsets(data["offsets"])),
            str(data.get("change", "")),
            _outcome(data.get("outcome", "done")),
            {str(topic): str(id) for topic, id in data.get("topic_ids", {}).items()},
            data.get("group_created", False) is True,
            data.get("commits_hidden", False) is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{name} is not a valid offsets file: {why}.") from None


def _outcome(word: Any) -> Outcome:
    _require(word in get_args(Outcome), f"{word} is no outcome of a change")
    return cast(Outcome, word)


def _offsets(entries: Any) -> Iterator[tuple[Place, int | None]]:
    for entry in entries:
        topic, id, offset = entry["topic"], entry["partition"], entry["offset"]
        good = (
            isinstance(topic, str)
            and impossible_name(topic) is None
            and _whole(id)
            and (offset is None or _whole(offset))
            and _fits(id, offset or 0)
        )
        _require(good, f"{entry} is not an offset of a partition")
        yield Place(topic, id), offset


def _require(good: bool, otherwise: str) -> None:
    if not good:
        raise ValueError(otherwise)


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


_LONGEST = 80  # characters of a group's name in that of a file: names are for people, the group is inside


def keep(saved: Saved) -> Path:
    """Write a file completely and flush it to disk, readable by its owner only. Raises KafkactlError if it cannot."""
    directory = _directory(saved.cluster)
    when = datetime.fromtimestamp(saved.taken / 1000, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path = _free(directory, f"{when}-{quote(saved.group, safe='')[:_LONGEST]}")
        _write(path, saved)
    except OSError as error:
        raise KafkactlError(
            f"Nothing was changed: could not save the current offsets: {error.strerror}.",
            where=str(error.filename or directory),
            hint="To save them in another directory, set KAFKACTL_STATE.",
        ) from None
    return path


def keep_outcome(path: Path, saved: Saved, outcome: Outcome) -> None:
    """Write down what became of a change. Where that cannot be written it stays pending: the change itself is over."""
    aside = path.with_suffix(".new")
    with suppress(OSError):
        aside.unlink(missing_ok=True)
        _write(aside, replace(saved, outcome=outcome))
        aside.replace(path)


def _write(path: Path, saved: Saved) -> None:
    text = json.dumps({"schema_version": 1, "kind": "offsets", **offsets_document(saved)}, ensure_ascii=False, indent=2)
    with open_private(path, new=True) as file:
        file.write(f"{text}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def latest(cluster: str, group: str | None) -> tuple[Path, Saved] | None:
    """The last change that was made, of this group or of any; None where none was. One that was refused is none."""
    for path in sorted(_files(cluster), reverse=True):
        try:
            saved = parse_offsets(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UsageError):  # not ours, or cut off by a full disk: then nothing was changed after it
            continue
        if saved.outcome != "refused" and (group is None or saved.group == group):
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
