"""Running brokers: the handle to use and break a temporary cluster, and the watchdog for when kafkactl is killed.

A small shell waits on a pipe whose other end only this process has. However this process ends, the kernel closes its
end; the shell then kills the brokers that are left and removes their directory. A parent-death signal would be bound to
the thread that started the broker, exist on Linux only, and leave the directory.
"""

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from kafkactl.errors import KafkactlError
from kafkactl.process import interrupts_deferred
from kafkactl.sandbox.broker import (
    await_serving,
    launch,
    lost_a_port,
    prepare_directory,
    random_id,
    signal_group,
)
from kafkactl.sandbox.machine import disk_errors
from kafkactl.sandbox.model import Distribution, Node
from kafkactl.sandbox.ports import HOST, free_ports
from kafkactl.sandbox.secure_listeners import listeners
from kafkactl.sandbox.secured import Secured, admit, create_secured
from kafkactl.text.remedies import kafkactl

# The newest line says which process groups are to be killed. "Gone" must be told before a pid can be given away.
_SCRIPT = """
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
n=0
while [ -e "$1" ] && [ $n -lt 50 ]; do rm -rf -- "$1" 2>/dev/null; n=$((n+1)); [ -e "$1" ] && sleep 0.1; done
"""


class Watchdog:
    """Guards process groups and one directory for as long as this process lives."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "kafkactl-sandbox-watchdog", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def guard(self, groups: Sequence[int]) -> None:
        """From now on these process groups are the ones to kill."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{' '.join(map(str, groups))}\n".encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """End the watch. The brokers must have ended, and the directory be gone."""
        self.guard([])
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


START_SECONDS = 60.0
STOP_SECONDS = 10.0
_PORT_ATTEMPTS = 5


class RunningSandbox:
    """Brokers that are the children of this process. Not safe to use from two threads at once."""

    def __init__(
        self,
        nodes: Sequence[Node],
        distribution: Distribution,
        watchdog: Watchdog,
        settings: Mapping[str, str],
        secured: Secured | None = None,
        *,
        full_jit: bool = False,
        extra_flags: Sequence[str] = (),
        racks: Sequence[str | None] = (),
    ) -> None:
        self._racks = dict(zip((node.id for node in nodes), racks, strict=False))
        self._secured = secured
        self.cluster_id = random_id()
        self._nodes = {node.id: node for node in nodes}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._distribution = distribution
        self._watchdog = watchdog
        self._settings = settings
        self._full_jit = full_jit
        self._extra_flags = tuple(extra_flags)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The brokers, with the pid of each one's newest process."""
        return tuple(self._nodes.values())

    @property
    def bootstrap(self) -> str:
        """The addresses of all brokers, as KAFKA_BROKERS takes them."""
        return ",".join(node.address for node in self.nodes)

    @property
    def internal(self) -> str:
        """The addresses where every client may do everything, without TLS or a user's name, secured or not."""
        return ",".join(f"{HOST}:{node.inner_port}" for node in self.nodes)

    @property
    def secured(self) -> Secured:
        """A secured sandbox's listeners, users and files. There are none in a plain one: an AssertionError."""
        assert self._secured
        return self._secured

    @property
    def version(self) -> str:
        """The Kafka version."""
        return self._distribution.version

    def running(self, id: int) -> bool:
        """Whether the broker's process is there (it may be paused)."""
        process = self._processes.get(id)
        if process is None:
            return False
        if process.poll() is None:
            return True
        # Its pid can be given to another process from now on.
        del self._processes[id]
        self._guard()
        return False

    def start_all(self) -> None:
        """Start every broker and wait until each names all of them. Raises KafkactlError."""
        for node in self.nodes:
            rack = self._racks.get(node.id)
            settings = {**self._settings, "broker.rack": rack} if rack else self._settings
            prepare_directory(node, self.nodes, self._distribution, self.cluster_id, settings, self._secured)
            self.launch(node.id)
        await_serving(self.nodes, self._nodes, self.running, START_SECONDS)
        if self._secured:
            admit(self._secured, self.nodes)

    def start(self, id: int, *, timeout: float = START_SECONDS) -> None:
        """Start a broker that was stopped or killed, on its port and with its data, and wait until it serves.

        Raises KafkactlError if it does not serve within `timeout` seconds.
        """
        self.launch(id)
        await_serving([self._nodes[id]], [id], self.running, timeout)

    def launch(self, id: int) -> None:
        """Start a broker's process without waiting for it. Nothing happens if it runs."""
        if self.running(id):
            return
        with interrupts_deferred():
            process = launch(
                self._nodes[id], self._distribution, full_jit=self._full_jit, extra_flags=self._extra_flags
            )
            self._processes[id] = process
            self._nodes[id] = dataclasses.replace(self._nodes[id], pid=process.pid)
            self._guard()

    def stop(self, id: int, *, timeout: float = STOP_SECONDS) -> None:
        """Stop a broker as an operator would (SIGTERM), killing it after `timeout` seconds."""
        self.resume(id)
        self._signal(id, signal.SIGTERM)
        if self.running(id):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._processes[id].wait(timeout)
        self.kill(id)

    def kill(self, id: int) -> None:
        """Kill a broker (SIGKILL), as a crash would. Nothing happens if it does not run."""
        self._signal(id, signal.SIGKILL)
        while self.running(id):
            time.sleep(0.005)

    def pause(self, id: int) -> None:
        """Stop a broker's clock (SIGSTOP): its port is open, and it does not answer. It stands still on return."""
        if self.running(id):
            self._signal(id, signal.SIGSTOP)
            # On a busy machine its threads go on for a moment; WNOWAIT leaves an end for Popen to see.
            os.waitid(os.P_PID, self._processes[id].pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self, id: int) -> None:
        """Let a paused broker go on."""
        self._signal(id, signal.SIGCONT)

    def close(self) -> None:
        """Kill every broker that runs."""
        for id in self._nodes:
            self._signal(id, signal.SIGKILL)
        for id in self._nodes:
            self.kill(id)

    def _signal(self, id: int, number: signal.Signals) -> None:
        if self.running(id):
            signal_group(self._processes[id].pid, number)

    def _guard(self) -> None:
        self._watchdog.guard([process.pid for process in self._processes.values()])


@contextlib.contextmanager
def launched(
    distribution: Distribution,
    brokers: int,
    settings: Mapping[str, str],
    secure: str | None = None,
    *,
    full_jit: bool = False,
    extra_flags: Sequence[str] = (),
    racks: Sequence[str | None] = (),
) -> Iterator[RunningSandbox]:
    """A cluster of so many brokers on free ports, serving, which is gone without a trace afterwards, however we end."""
    with interrupts_deferred():
        directory = Path(tempfile.mkdtemp(prefix="kafkactl-sandbox-"))
        watchdog = Watchdog(directory)
    sandbox = None

    def build(home: Path, nodes: Sequence[Node]) -> RunningSandbox:
        secured = create_secured(secure, home / "secure", nodes) if secure else None
        return RunningSandbox(
            nodes, distribution, watchdog, settings, secured, full_jit=full_jit, extra_flags=extra_flags, racks=racks
        )

    try:
        with disk_errors("To use another directory for the sandbox's data, set TMPDIR."):
            sandbox = _on_free_ports(directory, brokers, secure, build)
        yield sandbox
    finally:
        if sandbox:
            sandbox.close()
        _remove(directory)
        watchdog.close()


def _node(id: int, ports: Sequence[int], directory: Path) -> Node:
    """A broker on these ports: the controller's, INTERNAL's or that of a plain one, and its listeners'."""
    controller, inner, *public = ports
    if not public:
        return Node(id, inner, controller, directory)
    return Node(id, public[0], controller, directory, internal_port=inner, ports=tuple(public))


def _on_free_ports(
    directory: Path, brokers: int, secure: str | None, build: Callable[[Path, Sequence[Node]], RunningSandbox]
) -> RunningSandbox:
    """A serving cluster; where another process took a port in the meantime, the next ports are tried."""
    public = len(listeners(secure))
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        with free_ports(brokers * (2 + public)) as ports:
            home = directory / str(attempt)
            nodes = [_node(i + 1, ports[i::brokers], home / f"broker-{i + 1}") for i in range(brokers)]
            sandbox = build(home, nodes)
            try:
                sandbox.start_all()
            except KafkactlError as error:
                sandbox.close()
                if attempt < _PORT_ATTEMPTS and any(map(lost_a_port, nodes)):
                    continue
                # Its log goes with its directory.
                hint = kafkactl("sandbox up", note="To keep a broker's log")
                raise KafkactlError(error.message, where=error.where, hint=hint) from error
            except BaseException:
                sandbox.close()
                raise
            return sandbox
    raise AssertionError


def _remove(directory: Path) -> None:
    """Remove a directory, though a process that is being killed may still write into it for a moment."""
    for _ in range(50):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.02)
