"""Processes of detached brokers: found again by what was recorded, never by the pid alone."""

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kafkactl.sandbox.broker import signal_group
from kafkactl.sandbox.extra import sandbox_extra
from kafkactl.sandbox.node import Node
from kafkactl.sandbox.store import Process

if TYPE_CHECKING:
    import psutil

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


def find(node: Node, process: Process | None) -> "psutil.Process | None":
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
    found = {node.id: find(node, processes.get(node.id)) for node in nodes}
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
