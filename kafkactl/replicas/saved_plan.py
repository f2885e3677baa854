"""The plan of a move on disk, and the throttle that kafkactl set for it: what a later run goes on with, or takes away.

One file for each cluster, readable by its owner only. Kafka's own list says what is being moved; the file says what
else was to be moved, and what was there before the throttle was set.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kafkactl.directories import state_directory
from kafkactl.errors import KafkactlError
from kafkactl.placement.model import ReplicaMove
from kafkactl.private_files import open_private
from kafkactl.text.remedies import kafkactl
from kafkactl.topics import Place


@dataclass
class SavedPlan:
    """A move that was begun. `begun` in ms since 1970, `rate` in bytes a second, `batch` in bytes.

    `rates`: by broker and setting, the value before (None: none) and the one that kafkactl set. `lists`: by topic and
    setting, the entries that kafkactl added. Both only hold what is still to be taken away. `ids` are those of the
    topics, where known: a recreated topic is another one.
    """

    cluster: str
    begun: int
    moves: tuple[ReplicaMove, ...]
    rate: int | None
    batch: int
    ids: Mapping[str, str] = field(default_factory=dict)
    rates: dict[int, dict[str, tuple[str | None, str]]] = field(default_factory=dict)
    lists: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    over: bool = False  # nothing is left to be moved; the throttle is, in part

    @property
    def throttled(self) -> bool:
        """Whether something of the throttle is still to be taken away."""
        return bool(self.rates or self.lists)

    def keep(self) -> None:
        """Write it down completely, in place of what was written before. Raises KafkactlError if it cannot."""
        path = _path(self.cluster)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside = path.with_suffix(".new")
            aside.unlink(missing_ok=True)
            with open_private(aside, new=True) as file:
                file.write(json.dumps(self._document(), ensure_ascii=False, indent=1).encode())
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except OSError as error:
            raise KafkactlError(
                f"The plan could not be saved: {error.strerror}.",
                where=str(error.filename or path),
                hint="To save it in another directory, set KAFKACTL_STATE.",
            ) from None

    def forget(self) -> None:
        """It is over: remove the file."""
        _path(self.cluster).unlink(missing_ok=True)

    def _document(self) -> dict[str, Any]:
        return {
            "schema_version": 1,
            "kind": "replicas-saved",
            "cluster": self.cluster,
            "begun": self.begun,
            "rate": self.rate,
            "batch": self.batch,
            "over": self.over,
            "topic_ids": dict(self.ids),
            "rates": {str(id): {key: list(pair) for key, pair in rates.items()} for id, rates in self.rates.items()},
            "lists": self.lists,
            "moves": [[m.place.topic, m.place.partition, m.before, m.after, m.size] for m in self.moves],
        }


def saved_plan(cluster: str) -> SavedPlan | None:
    """What an earlier run left for this cluster; None for nothing. Raises KafkactlError for a file that is none."""
    path = _path(cluster)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return SavedPlan(
            str(data["cluster"]),
            int(data["begun"]),
            tuple(
                ReplicaMove(Place(str(topic), int(id)), tuple(before), tuple(after), size)
                for topic, id, before, after, size in data["moves"]
            ),
            data["rate"],
            int(data["batch"]),
            dict(data["topic_ids"]),
            {int(id): {key: (was, ours) for key, (was, ours) in r.items()} for id, r in data["rates"].items()},
            {topic: {key: list(entries) for key, entries in keys.items()} for topic, keys in data["lists"].items()},
            bool(data["over"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not one that kafkactl wrote"
        raise KafkactlError(f"The saved plan cannot be read: {why}.", where=str(path)) from None


def _path(cluster: str) -> Path:
    return state_directory() / "replicas" / quote(cluster, safe="") / "plan.json"


@contextmanager
def only_mover(cluster: str) -> Iterator[None]:
    """Be the only run of this user that moves replicas of a cluster. Raises KafkactlError where another one does."""
    path = _path(cluster).with_name("lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open_private(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise KafkactlError(
                    "Nothing was changed: another kafkactl on this machine is moving replicas of this cluster.",
                    hint=kafkactl("replicas status", note="To see how far it is"),
                ) from None
            yield
    except OSError as error:
        raise KafkactlError(
            f"Nothing was changed: the plan cannot be saved: {error.strerror}.",
            where=str(error.filename or path),
            hint="To save it in another directory, set KAFKACTL_STATE.",
        ) from None


def moves_right_now(cluster: str) -> bool:
    """Whether a run of this user is moving replicas of a cluster at this moment."""
    try:
        with _path(cluster).with_name("lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
