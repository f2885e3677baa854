"""A Docker engine for the tests: one of their own, with all it has in one directory, else the one that is there."""

import fcntl
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil
from docker import DockerClient
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from tests.docker.images import Images, buildable

LABEL = "kafkactl.test"  # whatever a test starts by hand has it, so that it can be removed
_START_SECONDS = 30
# Ends the engine, and with it its containers, when the tests are killed and their end of the pipe closes.
_WATCH = """
read -r done && exit
kill -s TERM "$1" 2>/dev/null
n=0
while kill -s 0 "$1" 2>/dev/null && [ $n -lt 300 ]; do n=$((n+1)); sleep 0.1; done
kill -s KILL "$1" 2>/dev/null
busybox ip link del "$3"
rm -rf -- "$2"
"""


class NoEngineError(Exception):
    """There is no engine, and none can be started here; the words say why."""


class Engine:
    """A running engine: `host` is what DOCKER_HOST says, `client` a client of the library.

    `process` is that of an engine of the tests' own, None of one that was there.
    """

    def __init__(self, host: str, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self.host = host
        self.process = process
        self.client: DockerClient = docker.DockerClient(base_url=host, timeout=120)
        self.images = Images(self.client)

    def run(self, image: str, *command: str, **options: object) -> "docker.models.containers.Container":
        """Start a container of a kind of image (images.py), to be removed by `sweep`."""
        labels = {LABEL: "yes", **options.pop("labels", {})}  # type: ignore[dict-item]
        return self.client.containers.run(
            self.images.name(image), list(command) or None, detach=True, labels=labels, init=False, **options
        )

    def pause(self, name: str) -> None:
        """Pause a container. On a busy machine runc gives up freezing one that does not hold still: so again."""
        for _ in range(20):
            try:
                self.client.api.pause(name)
            except APIError as error:
                if "unable to freeze" not in str(error):
                    raise
                time.sleep(0.2)
            else:
                return
        raise AssertionError(f"{name} cannot be paused")

    def sweep(self) -> None:
        """Remove the containers that `run` started."""
        for container in self.client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
            with suppress(DockerException):
                container.remove(force=True, v=True)


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine of the tests' own where one can be started, else the one that is there. Raises NoEngineError.

    On an engine of their own they meet no other stack, and leave nothing behind however they end.
    """
    if not buildable():
        raise NoEngineError("busybox-static is not installed")
    with ExitStack() as stack:
        if can_start():
            own = stack.enter_context(own_engine())
            running = Engine(own.host, own.process)
        else:
            running = Engine(_host_that_is_there())
        yield stack.enter_context(_swept(running))


def can_start() -> bool:
    """Whether tests start an engine of their own here; where they do, one that does not start is a failure."""
    return os.geteuid() == 0 and bool(shutil.which("dockerd"))


def _host_that_is_there() -> str:
    """What DOCKER_HOST or the docker context names, if it answers."""
    from kafkactl.containers.endpoint import endpoint

    host = endpoint(os.environ).address
    if not _answers(host):
        raise NoEngineError("no Docker engine answers, and only root can start one, where dockerd is installed")
    return host


@contextmanager
def _swept(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.sweep()
        engine.images.remove()
        engine.client.close()


@dataclass(frozen=True)
class OwnEngine:
    """An engine started here: what DOCKER_HOST says for it, and its process, for those who stop it."""

    host: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def own_engine() -> Iterator[OwnEngine]:
    """Start an engine that shares nothing but the kernel with any other, and stop it at the end."""
    # Short, because a Unix socket's path is: the engine puts several below it.
    home = Path(tempfile.mkdtemp(prefix="kafkactl-", dir="/tmp"))
    host = f"unix://{home}/docker.sock"
    roots = [f"--data-root={home}/data", f"--exec-root={home}/exec", f"--pidfile={home}/pid"]
    bridge, networks = f"kc-{home.name[-8:]}", _bridge(f"kc-{home.name[-8:]}")
    with (home / "log").open("wb") as log, _one_at_a_time():
        process = subprocess.Popen(
            ["dockerd", f"--host={host}", *roots, *networks], stdout=log, stderr=log, start_new_session=True
        )
        watch = subprocess.Popen(
            ["sh", "-c", _WATCH, "engine-watch", str(process.pid), str(home), bridge],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        started = _has_started(process, host)
    try:
        if not started:
            raise NoEngineError("dockerd does not start: " + (home / "log").read_text()[-500:])
        yield OwnEngine(host, process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        watch.communicate(b"done\n")
        process.wait()
        _end_orphans(home)
        _unmount(home)
        subprocess.run(["busybox", "ip", "link", "del", bridge], check=False)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """All engines write to the same chains of iptables when they start, and of two at once one fails."""
    with open(f"{tempfile.gettempdir()}/kafkactl-engines.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _has_started(process: "subprocess.Popen[bytes]", host: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(host):
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _bridge(name: str) -> list[str]:
    """A bridge and a range of addresses of its own: two engines that share docker0 give out the same ones."""
    used = Path("/proc/net/route").read_text()  # addresses in hexadecimal, the last part first
    network = random.choice([n for n in range(64, 250) if f"{n:02X}0A\t" not in used])
    for arguments in (
        ["link", "add", "name", name, "type", "bridge"],
        ["addr", "add", f"10.{network}.0.1/24", "dev", name],
        ["link", "set", name, "up"],
    ):
        subprocess.run(["busybox", "ip", *arguments], check=True)
    return [f"--bridge={name}", f"--default-address-pool=base=10.{network}.0.0/16,size=24"]


def _end_orphans(home: Path) -> None:
    """The containers that an engine that was killed left running, and who watches over each of them."""
    watchers = [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(word.startswith(f"{home}/") for word in process.info["cmdline"] or ())
    ]
    for watcher in watchers:
        with suppress(psutil.NoSuchProcess):
            for process in [*watcher.children(recursive=True), watcher]:
                process.kill()
    psutil.wait_procs(watchers, timeout=10)


def _unmount(home: Path) -> None:
    """What an engine that was killed left mounted below its directory."""
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{home}/"):
            subprocess.run(["umount", "--lazy", line.split()[1]], check=False)


def _answers(host: str) -> bool:
    try:
        client = docker.DockerClient(base_url=host, timeout=5)
    except (DockerException, RequestException, OSError):
        return False
    client.close()
    return True
