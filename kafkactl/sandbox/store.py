"""What is known about detached sandboxes: a record on disk for each port, and the processes it names."""

import dataclasses
import json
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafkactl.directories import state_directory
from kafkactl.errors import KafkactlError
from kafkactl.private_files import write_private
from kafkactl.sandbox.broker import signal_group
from kafkactl.sandbox.machine import disk_errors, locked, sandbox_extra
from kafkactl.sandbox.model import Node
from kafkactl.sandbox.secure_listeners import listener_ports

if TYPE_CHECKING:
    import psutil


_LAYOUT = 1
_HINT = "To use another directory for the sandbox's state, set KAFKACTL_STATE."


@dataclass(frozen=True)
class Process:
    """A broker's process. The creation time (seconds, as psutil gives it) tells it from a later one of its pid."""

    pid: int
    created: float


@dataclass(frozen=True)
class SandboxRecord:
    """A detached sandbox: its brokers, what it was started with, and the processes it was last seen to have."""

    port: int
    version: str
    cluster_id: str
    nodes: tuple[Node, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    unverified: bool = False
    full_jit: bool = False
    secure: str | None = None  # one of secure_listeners.KINDS
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


def load_record(port: int) -> SandboxRecord | None:
    """The record of the sandbox on a port; None if there is none. Raises KafkactlError if it cannot be read."""
    path = home(port) / "sandbox.json"
    try:
        return _read(port, json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KafkactlError(
            f"Cannot read the record of the sandbox on port {port}.",
            where=f"{path}: {error}",
            hint="Stop its brokers yourself if any are running, then remove that directory.",
        ) from error


def _read(port: int, data: Any) -> SandboxRecord:
    if data["layout"] != _LAYOUT:
        raise ValueError("it was written by another version of kafkactl")
    secure = data.get("secure")
    return SandboxRecord(
        port=port,
        version=data["version"],
        cluster_id=data["cluster_id"],
        nodes=_nodes(port, [(n["controller_port"], n.get("internal_port", 0)) for n in data["nodes"]], secure),
        settings=data["settings"],
        unverified=data["unverified"],
        full_jit=data["full_jit"],
        secure=secure,
        processes={int(id): Process(**process) for id, process in data["processes"].items()},
    )


def new_nodes(port: int, inner_ports: list[int], secure: str | None) -> tuple[Node, ...]:
    """Brokers 1…n on `port`, `port` + 1 … `inner_ports` are as many as `inner_ports_needed` says."""
    if secure is None:
        return _nodes(port, [(controller, 0) for controller in inner_ports], None)
    return _nodes(port, list(zip(inner_ports[::2], inner_ports[1::2], strict=True)), secure)


def inner_ports_needed(brokers: int, secure: str | None) -> int:
    """How many ports brokers have that clients do not know: the controllers', and a secured one's INTERNAL."""
    return brokers * (2 if secure else 1)


def _nodes(port: int, inner: Sequence[tuple[int, int]], secure: str | None) -> tuple[Node, ...]:
    """Brokers with these controllers' ports and, of secured ones, ports of INTERNAL."""
    public = listener_ports(port, len(inner), secure) if secure else [()] * len(inner)
    return tuple(
        Node(i + 1, port + i, controller, _broker(port, i + 1), internal_port=internal, ports=ports)
        for i, ((controller, internal), ports) in enumerate(zip(inner, public, strict=True))
    )


def _broker(port: int, id: int) -> Path:
    return home(port) / f"broker-{id}"


def save_record(record: SandboxRecord) -> None:
    """Write a record, whole or not at all."""
    directory = home(record.port)
    nodes = [
        {"id": n.id, "port": n.port, "controller_port": n.controller_port, "internal_port": n.internal_port}
        for n in record.nodes
    ]
    data = {
        "layout": _LAYOUT,
        "version": record.version,
        "cluster_id": record.cluster_id,
        "nodes": nodes,
        "settings": dict(record.settings),
        "unverified": record.unverified,
        "full_jit": record.full_jit,
        "secure": record.secure,
        "processes": {id: dataclasses.asdict(process) for id, process in record.processes.items()},
    }
    partial = directory / "sandbox.json.new"
    write_private(partial, json.dumps(data, indent=2).encode())  # settings may hold a password
    partial.replace(directory / "sandbox.json")


def remove(port: int) -> None:
    """Remove everything about a sandbox: record, logs and data."""
    shutil.rmtree(home(port), ignore_errors=True)


def secrets_home(port: int) -> Path:
    """The directory of a secured sandbox's certificates and client files."""
    return home(port) / "secure"


def remove_secrets(record: SandboxRecord) -> None:
    """Remove a secured sandbox's passwords, certificates and client files; the next start makes new ones."""
    if record.secure is None:
        return
    shutil.rmtree(secrets_home(record.port), ignore_errors=True)
    for node in record.nodes:
        (node.directory / "server.properties").unlink(missing_ok=True)


def forget(record: SandboxRecord) -> None:
    """Remove a sandbox's record, secrets and data, and leave its logs for whoever wants to know what went wrong."""
    remove_secrets(record)
    (home(record.port) / "sandbox.json").unlink(missing_ok=True)
    for node in record.nodes:
        shutil.rmtree(node.directory / "data", ignore_errors=True)


_POLL_SECONDS = 0.02
_CREATED_TOLERANCE = 2.0  # seconds: the boot time, from which it is reckoned, moves when the clock is set


def remember(pid: int) -> Process:
    """What identifies a process that was just started. One that is gone already is remembered as never there."""
    with sandbox_extra():
        import psutil
    try:
        return Process(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return Process(pid, 0.0)


def find_process(node: Node, process: Process | None) -> "psutil.Process | None":
    """The broker's live process; None if it ended, or if its pid now belongs to somebody else's process.

    Ours it is only if the pid, the creation time and the directory on its command line all agree.
    """
    if process is None:
        return None
    with sandbox_extra():
        import psutil
    try:
        found = psutil.Process(process.pid)
        if found.status() == psutil.STATUS_ZOMBIE or abs(found.create_time() - process.created) > _CREATED_TOLERANCE:
            return None
        return found if f"-Dkafkactl.sandbox={node.directory}" in found.cmdline() else None
    except psutil.Error:
        return None


def alive(nodes: Sequence[Node], processes: Mapping[int, Process]) -> "dict[int, psutil.Process]":
    """The brokers that run, by node id."""
    found = {node.id: find_process(node, processes.get(node.id)) for node in nodes}
    return {id: process for id, process in found.items() if process}


@dataclass(frozen=True)
class Usage:
    """A process's resident memory (bytes), and when it was created (seconds since the epoch)."""

    memory: int
    created: float


def usage(pid: int) -> Usage | None:
    """What a broker's process uses; None if it has ended."""
    with sandbox_extra():
        import psutil
    try:
        process = psutil.Process(pid)
        return Usage(process.memory_info().rss, process.create_time())
    except psutil.Error:
        return None


def stop(running: "Sequence[psutil.Process]", timeout: float) -> bool:
    """Stop brokers cleanly (SIGTERM), killing those that have not ended after `timeout` seconds.

    Returns whether all ended by themselves.
    """
    for process in running:
        signal_group(process.pid, signal.SIGCONT)
        signal_group(process.pid, signal.SIGTERM)
    left = _still_there(running, timeout)
    for process in left:
        signal_group(process.pid, signal.SIGKILL)
    _still_there(left, timeout)
    return not left


def _still_there(running: "Sequence[psutil.Process]", timeout: float) -> "list[psutil.Process]":
    """The processes that have not ended within `timeout` seconds. Whether init has buried them is its own affair."""
    deadline = time.monotonic() + timeout
    left = list(running)
    while (left := [process for process in left if _runs(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return left


def _runs(process: "psutil.Process") -> bool:
    with sandbox_extra():
        import psutil
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
