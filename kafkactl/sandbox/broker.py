"""One broker: its directory, its settings, its process."""

import contextlib
import os
import re
import signal
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from kafkactl.cluster.network import live_brokers
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.private_files import write_private
from kafkactl.sandbox import java
from kafkactl.sandbox.model import Distribution, Node
from kafkactl.sandbox.ports import HOST, HOST6
from kafkactl.sandbox.secure_listeners import OURS_SECURED, access_settings, listener_settings
from kafkactl.sandbox.secured import Secured

_POLL_SECONDS = 0.02
_WINDOW = 64 * 1024  # bytes, at first


def log_tail(log: Path, count: int) -> tuple[list[str], int]:
    """The last `count` lines of a log, oldest first, and the offset (bytes) behind them. A missing log is empty."""
    window = _WINDOW
    while True:
        try:
            size = log.stat().st_size
        except OSError:
            return [], 0
        start = max(0, size - window)
        lines, end = whole_lines(log, start)
        if start:
            lines = lines[1:]  # begun before the window
        if len(lines) >= count or start == 0:
            return lines[len(lines) - min(count, len(lines)) :], end
        window *= 8


def whole_lines(log: Path, start: int) -> tuple[list[str], int]:
    """Lines that are complete, from an offset on, and the offset behind them. A log that shrank is read anew."""
    try:
        with log.open("rb") as file:
            if log.stat().st_size < start:
                start = 0
            file.seek(start)
            data = file.read()
    except OSError:
        return [], start
    end = data.rfind(b"\n") + 1
    return data[:end].decode(errors="replace").splitlines(), start + end


# What makes a broker ours: `settings` may not change it, or we would not find the broker again.
_OURS = {
    "broker.id",
    "controller.listener.names",
    "controller.quorum.voters",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dir",
    "log.dirs",
    "metadata.log.dir",
    "node.id",
    "process.roles",
}

_START = "kafkactl starts"  # the first line of every start, in the broker's log
# A stack trace names the innermost cause last; the lines around it only say that something was wrong.
_CAUSES = (r"^Caused by: ", r"^[\w.$]+(Exception|Error): ", r" ERROR ")


def random_id() -> str:
    """A random id as Kafka writes UUIDs: 22 characters of URL-safe base64, none of which leads with a dash."""
    while (text := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def check_settings(settings: Mapping[str, str], secure: str | None = None) -> None:
    """Raises UsageError if settings would change what the sandbox itself decides."""
    for key in sorted((_OURS | OURS_SECURED if secure else _OURS) & settings.keys()):
        raise UsageError(f"{key} is set by the sandbox and cannot be changed.", hint="Other broker settings can.")


def properties(
    node: Node,
    quorum: Sequence[Node],
    settings: Mapping[str, str],
    secured: Secured | None = None,
    *,
    ipv6: bool = False,
) -> dict[str, str]:
    """server.properties of a broker: KRaft, combined roles, small, quick to start, and nothing made unasked.

    With `ipv6` it listens on ::1 too, and sends clients who came that way to 127.0.0.1 like all others.
    """
    replication = str(min(3, len(quorum)))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "controller.quorum.voters": ",".join(f"{n.id}@{HOST}:{n.controller_port}" for n in quorum),
        **_listeners(node, secured, ipv6),
        "controller.listener.names": "CONTROLLER",
        # A third of Kafka's: the first election is most of the time three brokers take to start.
        "controller.quorum.election.timeout.ms": "300",
        "controller.quorum.election.backoff.max.ms": "300",
        # Half of Kafka's: a broker that was killed is missed, and can come back, after 5 s.
        "broker.session.timeout.ms": "5000",
        "broker.heartbeat.interval.ms": "1000",
        # Relative to the broker's directory: Kafka would split an absolute path at its commas.
        "log.dirs": "data",
        "auto.create.topics.enable": "false",
        "num.partitions": "1",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "log.retention.hours": "168",
        "offsets.topic.num.partitions": "8",
        "offsets.topic.replication.factor": replication,
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": replication,
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # 128 MiB by default, taken at the start
        # Some differ from broker to broker, as a rack does.
        **{key: value.replace("{id}", str(node.id)) for key, value in settings.items()},
    }


def _listeners(node: Node, secured: Secured | None, ipv6: bool) -> dict[str, str]:
    """Where a broker listens. A secured one talks to the others, and to us, on INTERNAL, which is plain."""
    places = [("CONTROLLER", HOST, node.controller_port, "PLAINTEXT")]
    more: dict[str, str] = {}
    hosts = {"": HOST, "6": f"[{HOST6}]"} if ipv6 else {"": HOST}
    if secured is None:
        inner = "PLAINTEXT"
        places += [(f"PLAINTEXT{suffix}", host, node.port, "PLAINTEXT") for suffix, host in hosts.items()]
    else:
        inner = "INTERNAL"
        places.append((inner, HOST, node.internal_port, "PLAINTEXT"))
        more |= access_settings()
        for listener, port in zip(secured.listeners, node.ports, strict=True):
            for suffix, host in hosts.items():
                name = listener.name + suffix
                places.append((name, host, port, listener.protocol))
                more |= listener_settings(listener, name, secured.stores, secured.passwords)
    return {
        "listeners": ",".join(f"{name}://{host}:{port}" for name, host, port, _ in places),
        "advertised.listeners": ",".join(f"{name}://{HOST}:{port}" for name, _, port, _ in places[1:]),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, _, _, protocol in places),
        "inter.broker.listener.name": inner,
        **more,
    }


def prepare_directory(
    node: Node,
    quorum: Sequence[Node],
    distribution: Distribution,
    cluster_id: str,
    settings: Mapping[str, str],
    secured: Secured | None = None,
    *,
    ipv6: bool = False,
) -> None:
    """Write a broker's settings and, if there is none yet, its formatted data directory.

    The format is a copy of what Kafka's own StorageTool wrote once for this version (see preparation.py); only
    meta.properties differs from cluster to cluster. Its keys are those of Kafka's MetaProperties, version 1.
    """
    node.directory.mkdir(parents=True, exist_ok=True)
    lines = (
        f"{_escape(key)}={_escape(value)}\n"
        for key, value in properties(node, quorum, settings, secured, ipv6=ipv6).items()
    )
    write_private(node.directory / "server.properties", "".join(lines).encode("ascii"))
    data = node.directory / "data"
    if (data / "meta.properties").exists():
        return
    for source in distribution.format.rglob("*"):
        target = data / source.relative_to(distribution.format)
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    meta = {"version": "1", "cluster.id": cluster_id, "node.id": str(node.id), "directory.id": random_id()}
    (data / "meta.properties").write_text("".join(f"{key}={value}\n" for key, value in meta.items()))


def _escape(text: str) -> str:
    """A key or value as java.util.Properties reads it back."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("=", "\\=").replace(":", "\\:")
    text = f"\\{text}" if text.startswith((" ", "\t", "\f", "#", "!")) else text
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)


def launch(
    node: Node, distribution: Distribution, *, full_jit: bool, extra_flags: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start the broker's process from its directory, in a session of its own, with its output in its log."""
    aot = distribution.aot if not extra_flags else None
    command = java.java_command(
        distribution.java,
        distribution.class_path,
        # The directory is named on the command line so that a process can be known as ours later.
        [*java.flags(aot, full_jit=full_jit), *extra_flags, f"-Dkafkactl.sandbox={node.directory}"],
        "kafka.Kafka",
        "server.properties",
    )
    with node.log.open("ab") as log:
        log.write(f"{_START} broker {node.id}, Kafka {distribution.version}\n".encode())
        log.flush()
        return subprocess.Popen(
            command,
            cwd=node.directory,
            env=java.java_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a broker and whatever it started; nothing happens if it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def cause(log: Path) -> str:
    """The line that most likely says why a broker ended: its last exception since it was started, else its last line.

    Empty where it said nothing.
    """
    lines = _since_start(log)
    for pattern in _CAUSES:
        for line in reversed(lines):
            if re.search(pattern, line):
                return line
    return lines[-1] if lines else ""


def lost_a_port(node: Node) -> bool:
    """Whether a broker ended because somebody else had one of its ports."""
    return any("Address already in use" in line for line in _since_start(node.log))


def _since_start(log: Path) -> list[str]:
    lines, _ = log_tail(log, 1000)
    starts = [at for at, line in enumerate(lines) if line.startswith(_START)]
    return [line for line in lines[starts[-1] + 1 if starts else 0 :] if line.strip()]


def await_serving(
    nodes: Sequence[Node], expected: Collection[int], runs: Callable[[int], bool], timeout: float
) -> None:
    """Wait until each of `nodes` serves and names all `expected` brokers; `runs` says whether a broker's process does.

    Raises KafkactlError, with the log's word on the cause, when one ends or `timeout` seconds have passed.
    """
    ports = [node.inner_port for node in nodes]
    if _wait_until_serving(ports, expected, timeout, lambda: not all(runs(node.id) for node in nodes)):
        return
    ended = [node for node in nodes if not runs(node.id)]
    silent = [node for node in nodes if not live_brokers(HOST, node.inner_port) >= set(expected)]
    node = [*ended, *silent, *nodes][0]
    what = "exited while starting" if ended else f"is not serving after {timeout:.0f} s"
    raise KafkactlError(f"Broker {node.id} {what}.", where=cause(node.log), hint=f"Its log: {node.log}")


def _wait_until_serving(
    ports: Collection[int], expected: Collection[int], timeout: float, broken: Callable[[], bool]
) -> bool:
    """Wait until the broker on every one of `ports` names all `expected` broker ids.

    Asks for at most `timeout` seconds, and gives up at once when `broken()` says that it cannot happen any more.
    Returns whether it serves.
    """
    deadline = time.monotonic() + timeout
    waiting = list(ports)
    while waiting:
        if live_brokers(HOST, waiting[0]) >= set(expected):
            waiting.pop(0)
            continue
        if broken() or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
