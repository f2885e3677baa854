"""What is known about detached sandboxes, on disk: one directory a port, with a record and the brokers' own."""

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafkactl.errors import KafkactlError
from kafkactl.sandbox.disk import disk_errors, locked
from kafkactl.sandbox.node import Node
from kafkactl.state import state_directory

_LAYOUT = 1
_HINT = "KAFKACTL_STATE names another directory for what a sandbox keeps."


@dataclass(frozen=True)
class Process:
    """A broker's process. The creation time (seconds, as psutil gives it) tells it from a later one of its pid."""

    pid: int
    created: float


@dataclass(frozen=True)
class Record:
    """A detached sandbox: its brokers, what it was started with, and the processes it was last seen to have."""

    port: int
    version: str
    cluster_id: str
    nodes: tuple[Node, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    unverified: bool = False
    full_jit: bool = False
    processes: Mapping[int, Process] = field(default_factory=dict)  # by node id


def home(port: int) -> Path:
    """The directory of the sandbox on a port."""
    return state_directory() / "sandbox" / str(port)


def ports() -> list[int]:
    """The ports of the sandboxes there is a record of. Raises KafkactlError if the disk does not let us look."""
    with disk_errors(_HINT):
        return sorted(int(path.parent.name) for path in (state_directory() / "sandbox").glob("[0-9]*/sandbox.json"))


@contextmanager
def exclusively(port: int) -> Iterator[None]:
    """While the context is open, no other kafkactl starts or stops the sandbox on this port.

    What the disk refuses meanwhile is raised as KafkactlError.
    """
    with disk_errors(_HINT), locked(home(port).with_suffix(".lock")):
        yield


def load(port: int) -> Record | None:
    """The record of the sandbox on a port; None if there is none. Raises KafkactlError if it cannot be read."""
    path = home(port) / "sandbox.json"
    try:
        return _read(port, json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KafkactlError(
            f"The record of the sandbox on port {port} cannot be read.",
            where=f"{path}: {error}",
            hint="Stop its brokers yourself if any run, then remove that directory.",
        ) from error


def _read(port: int, data: Any) -> Record:
    if data["layout"] != _LAYOUT:
        raise ValueError("written by another kafkactl")
    return Record(
        port=port,
        version=data["version"],
        cluster_id=data["cluster_id"],
        nodes=tuple(Node(n["id"], n["port"], n["controller_port"], _broker(port, n["id"])) for n in data["nodes"]),
        settings=data["settings"],
        unverified=data["unverified"],
        full_jit=data["full_jit"],
        processes={int(id): Process(**process) for id, process in data["processes"].items()},
    )


def new_nodes(port: int, controller_ports: list[int]) -> tuple[Node, ...]:
    """Brokers 1…n on `port`, `port` + 1 …"""
    return tuple(
        Node(i + 1, port + i, controller, _broker(port, i + 1)) for i, controller in enumerate(controller_ports)
    )


def _broker(port: int, id: int) -> Path:
    return home(port) / f"broker-{id}"


def save(record: Record) -> None:
    """Write a record, whole or not at all."""
    directory = home(record.port)
    nodes = [{"id": n.id, "port": n.port, "controller_port": n.controller_port} for n in record.nodes]
    data = {
        "layout": _LAYOUT,
        "version": record.version,
        "cluster_id": record.cluster_id,
        "nodes": nodes,
        "settings": dict(record.settings),
        "unverified": record.unverified,
        "full_jit": record.full_jit,
        "processes": {id: dataclasses.asdict(process) for id, process in record.processes.items()},
    }
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / "sandbox.json.new"
    partial.write_text(json.dumps(data, indent=2))
    partial.replace(directory / "sandbox.json")


def remove(port: int) -> None:
    """Remove everything about a sandbox: record, logs and data."""
    shutil.rmtree(home(port), ignore_errors=True)


def forget(record: Record) -> None:
    """Remove a sandbox's record and data, and leave its logs for whoever wants to know what went wrong."""
    (home(record.port) / "sandbox.json").unlink(missing_ok=True)
    for node in record.nodes:
        shutil.rmtree(node.directory / "data", ignore_errors=True)
