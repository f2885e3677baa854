"""What the sandbox's tests share: kafkactl as a user runs it, in directories of its own, and a look at what is left."""

import os
import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.program import KAFKACTL

if TYPE_CHECKING:
    from kafkactl.cluster.accounts import Permission
    from kafkactl.sandbox.running import RunningSandbox


@dataclass(frozen=True)
class Shell:
    """kafkactl with its state and its temporary files below one directory."""

    home: Path
    environment: dict[str, str]

    def run(self, *arguments: str, input: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run kafkactl to its end."""
        return subprocess.run(
            self._command(arguments),
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
            input=input,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start kafkactl, in a process group of its own."""
        return subprocess.Popen(
            self._command(arguments),
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    @staticmethod
    def _command(arguments: Sequence[str]) -> list[str]:
        return [*KAFKACTL, "sandbox", *arguments]

    def brokers(self) -> list[psutil.Process]:
        """The brokers that run below this directory."""
        return _processes(lambda line: "kafka.Kafka" in line and any(str(self.home) in word for word in line))

    def traces(self) -> list[str]:
        """Everything a sandbox left: processes and temporary files."""
        processes = _processes(lambda line: any(str(self.home) in word for word in line))
        return [_words(p) for p in processes] + [p.name for p in (self.home / "tmp").iterdir()]


@contextmanager
def shell(home: Path, **environment: str) -> Iterator[Shell]:
    """A Shell in an empty directory; what a failed test leaves running is killed."""
    (home / "tmp").mkdir()
    own = {"KAFKACTL_STATE": str(home / "state"), "TMPDIR": str(home / "tmp")}
    here = Shell(home, {**os.environ, **own, **environment})
    try:
        yield here
    finally:
        for process in _processes(lambda line: any(str(home) in word for word in line)):
            process.kill()


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.NoSuchProcess:  # it ended between two looks
        return f"process {process.pid}, ending"


def _processes(wanted: Callable[[list[str]], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and wanted(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


# Above those that Linux gives to outgoing connections, and those that throw-away brokers take: nobody else comes by.
_PORTS = range(61_000, 65_000)
_SHARE = 500  # each worker has its own
_given: set[int] = set()  # to tests of this worker, lately


def free_port(count: int = 1) -> int:
    """The first of `count` free ports in a row. It stays free until the caller uses it, whatever other tests do."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = _PORTS[worker * _SHARE % len(_PORTS) :][:_SHARE]
    while True:
        first = random.choice(own)
        if len(_given) > _SHARE // 2:
            _given.clear()
        if _given & set(range(first, first + count)):
            continue  # whoever was given it has perhaps not bound it yet
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, one in enumerate(sockets):
                one.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
        _given.update(range(first, first + count))
        return first


def eventually(true: Callable[[], object], seconds: float = 60) -> bool:
    """Whether something becomes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def as_user(sandbox: "RunningSandbox", user: str = "admin", kind: str = "scram") -> list[str]:
    """The flags with which kafkactl reaches a secured sandbox's listener of a kind as a user of it, good or bad."""
    return ["-b", sandbox.secured.addresses[kind], "--client-config", str(sandbox.secured.file(user, kind))]


_permitted: "set[RunningSandbox]" = set()  # to more than a new sandbox permits


def will_change_rules(sandbox: "RunningSandbox") -> None:
    """The test adds or removes rules itself: a new sandbox's are put back behind it."""
    _permitted.add(sandbox)


def permit(sandbox: "RunningSandbox", *permissions: "Permission") -> None:
    """Allow more to users of a secured sandbox, until the test ends."""
    from kafkactl.cluster import accounts
    from kafkactl.cluster.client import unconnected
    from kafkactl.connection import Connection

    before = [accounts.permissions_known("127.0.0.1", node.inner_port) for node in sandbox.nodes]
    accounts.allow(unconnected(Connection(tuple(sandbox.internal.split(",")), "")), permissions)
    _permitted.add(sandbox)
    more = sum(len(permission.operations) for permission in permissions)
    for node, known in zip(sandbox.nodes, before, strict=True):
        _await_permissions(node.inner_port, known + more)


def _await_permissions(port: int, count: int) -> None:
    from kafkactl.cluster.accounts import permissions_known

    assert eventually(lambda: permissions_known("127.0.0.1", port) == count)


def take_back(sandbox: "RunningSandbox") -> None:
    """Let users do what those of a new sandbox may, and no more."""
    from confluent_kafka.admin import (
        AclBindingFilter,
        AclOperation,
        AclPermissionType,
        AdminClient,
        ResourcePatternType,
        ResourceType,
    )

    from kafkactl.sandbox.secured import admit

    if sandbox not in _permitted:
        return
    _permitted.remove(sandbox)
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    admin = AdminClient({"bootstrap.servers": sandbox.internal})
    (gone,) = admin.delete_acls([everything]).values()
    gone.result(10)
    for node in sandbox.nodes:
        _await_permissions(node.inner_port, 0)
    admit(sandbox.secured, sandbox.nodes)
