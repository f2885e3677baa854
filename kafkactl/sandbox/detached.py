"""The detached sandbox: up, status, down. It outlives the command that started it."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kafkactl.cluster.network import live_brokers
from kafkactl.errors import KafkactlError
from kafkactl.process import interrupts_deferred
from kafkactl.sandbox import store
from kafkactl.sandbox.artifacts import Progress
from kafkactl.sandbox.broker import await_serving, cause, check_settings, launch, log_tail, prepare_directory, random_id
from kafkactl.sandbox.model import Distribution, Node, check_size
from kafkactl.sandbox.ports import HOST, free_ports, has_ipv6, these_ports
from kafkactl.sandbox.preparation import prepare
from kafkactl.sandbox.running import START_SECONDS, STOP_SECONDS
from kafkactl.sandbox.secure_listeners import check_kind
from kafkactl.sandbox.secured import Secured, admit, check_secured, create_secured, secured_as
from kafkactl.sandbox.store import SandboxRecord
from kafkactl.text.remedies import Command, kafkactl

DEFAULT_PORT = 40093
_LAST_LINES = 5


@dataclass(frozen=True)
class UpOptions:
    """The options of `up`; None means "as it is, or the default"."""

    brokers: int | None = None
    version: str | None = None
    settings: Mapping[str, str] | None = None
    unverified: bool = False
    full_jit: bool = False
    secure: str | None = None


@dataclass(frozen=True)
class BrokerStatus:
    """A broker of a detached sandbox: serving, silent (it runs and does not answer), or dead."""

    node: Node
    state: str
    pid: int | None
    last_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """A detached sandbox: up, broken (a broker is dead or silent), or down with its data kept."""

    record: SandboxRecord
    brokers: tuple[BrokerStatus, ...]

    @property
    def state(self) -> str:
        """up, broken or kept."""
        if not self.record.processes:
            return "kept"
        return "up" if all(broker.state == "serving" for broker in self.brokers) else "broken"


@dataclass(frozen=True)
class Started:
    """What `up` did: the sandbox, and how many brokers had to be started (0: it was up already)."""

    record: SandboxRecord
    started: int


@dataclass(frozen=True)
class Stopped:
    """What `down` did. `clean` is False if a broker had to be killed."""

    brokers: int = 0
    clean: bool = True
    data: str = ""  # "kept", "removed", or nothing to speak of


def up(port: int, wish: UpOptions, progress: Progress) -> Started:
    """Start a sandbox, or what is missing of it, and return once every broker serves.

    Data that was kept is used again. Raises UsageError, UnreachableError (jars), PortInUseError, and KafkactlError
    if a broker does not start, or if a sandbox is there that is not what was asked for.
    """
    check_size(wish.brokers or 1)
    check_kind(wish.secure)
    with store.exclusively(port):
        known = store.load_record(port)
        secure = wish.secure or (known.secure if known else None)
        check_settings(wish.settings or {}, secure)
        check_secured(secure)
        if known is None:
            return _up_new(port, wish, progress)
        running = store.alive(known.nodes, known.processes)
        _refuse_other(known, wish, running=bool(running))
        record = known if running or wish.settings is None else dataclasses.replace(known, settings=wish.settings)
        if not running:
            record = dataclasses.replace(record, full_jit=wish.full_jit, secure=secure)
        distribution = prepare(record.version, unverified=record.unverified, progress=progress)
        return _up_again(record, distribution, set(running))


def _up_new(port: int, wish: UpOptions, progress: Progress) -> Started:
    distribution = prepare(wish.version, unverified=wish.unverified, progress=progress)
    store.remove(port)  # logs of a start that failed
    brokers = wish.brokers or 1
    with free_ports(store.inner_ports_needed(brokers, wish.secure)) as inner:
        record = SandboxRecord(
            port,
            distribution.version,
            random_id(),
            store.new_nodes(port, inner, wish.secure),
            wish.settings or {},
            wish.unverified,
            wish.full_jit,
            wish.secure,
        )
        with these_ports(_public_ports(record.nodes)):
            try:
                return _start(record, distribution, set())
            except KafkactlError:
                store.forget(record)
                raise
            except BaseException:
                store.remove(port)
                raise


def _up_again(record: SandboxRecord, distribution: Distribution, running: set[int]) -> Started:
    with _inner_ports(record, running) as placed, these_ports(_public_ports(placed.nodes, but=running)):
        try:
            return _start(placed, distribution, running)
        except BaseException:
            if not running:
                store.save_record(dataclasses.replace(record, processes={}))
                store.remove_secrets(record)
            raise


def _public_ports(nodes: Sequence[Node], but: Collection[int] = ()) -> list[int]:
    """The ports that clients know, of all nodes but those with these ids."""
    return [port for node in nodes if node.id not in but for port in node.ports or (node.port,)]


@contextmanager
def _inner_ports(record: SandboxRecord, running: set[int]) -> Iterator[SandboxRecord]:
    """New ports where clients do not look if no broker runs: the old ports may have been taken."""
    if running:
        yield record
        return
    with free_ports(store.inner_ports_needed(len(record.nodes), record.secure)) as inner:
        yield dataclasses.replace(record, nodes=store.new_nodes(record.port, inner, record.secure))


def secured_of(record: SandboxRecord) -> Secured | None:
    """How a sandbox is secured; None if it is not."""
    if record.secure is None:
        return None
    return secured_as(record.secure, store.secrets_home(record.port), record.nodes)


def _start(record: SandboxRecord, distribution: Distribution, running: set[int]) -> Started:
    """Start the brokers that do not run. What was started is stopped again if not all come to serve."""
    started = {}
    known = {id: process for id, process in record.processes.items() if id in running}
    ids = [node.id for node in record.nodes]
    if record.secure and not running:
        secured: Secured | None = create_secured(record.secure, store.secrets_home(record.port), record.nodes)
    else:
        secured = secured_of(record)
    try:
        for node in record.nodes:
            if node.id in running:
                continue
            prepare_directory(
                node, record.nodes, distribution, record.cluster_id, record.settings, secured, ipv6=has_ipv6()
            )
            with interrupts_deferred():
                started[node.id] = launch(node, distribution, full_jit=record.full_jit)
                known[node.id] = store.remember(started[node.id].pid)
                record = dataclasses.replace(record, processes=dict(known))
                store.save_record(record)
        await_serving(record.nodes, ids, lambda id: id not in started or started[id].poll() is None, START_SECONDS)
        if secured and started:
            admit(secured, record.nodes)
    except BaseException:
        for process in started.values():
            process.kill()
            process.wait()
        raise
    return Started(record, len(started))


def _refuse_other(known: SandboxRecord, wish: UpOptions, *, running: bool) -> None:
    """Raises KafkactlError if the sandbox that is there is not the one asked for."""
    other = []
    if wish.brokers not in (None, len(known.nodes)):
        other.append(f"{len(known.nodes)} broker{'s' if len(known.nodes) > 1 else ''}")
    if wish.version not in (None, known.version):
        other.append(f"Kafka {known.version}")
    if running and wish.settings is not None and dict(wish.settings) != dict(known.settings):
        other.append("other settings")
    if running and wish.secure not in (None, known.secure):
        other.append(f"--secure {known.secure}" if known.secure else "no security")
    if running and wish.full_jit and not known.full_jit:
        other.append("a quick-start JVM")
    if other:
        what = "A sandbox is up" if running else "There is data of a sandbox"
        raise KafkactlError(
            f"{what} on port {known.port} with {' and '.join(other)}.",
            hint=on_port("sandbox down", known.port, note="Remove it and its data first"),
        )


def on_port(subcommand: str, port: int, note: str = "") -> Command:
    """A command for the sandbox on a port, which need not be named where it is the default one."""
    return kafkactl(subcommand, options=[] if port == DEFAULT_PORT else ["--port", str(port)], note=note)


def status(port: int) -> Status | None:
    """The current status of the sandbox on a port; None if there is neither a sandbox nor data of one."""
    record = store.load_record(port)
    if record is None:
        return None
    running = store.alive(record.nodes, record.processes)
    brokers = []
    for node in record.nodes:
        pid = running[node.id].pid if node.id in running else None
        serving = pid is not None and node.id in live_brokers(HOST, node.inner_port)
        state = "serving" if serving else "silent" if pid else "dead"
        brokers.append(BrokerStatus(node, state, pid, () if serving else _last_words(node)))
    return Status(record, tuple(brokers))


@dataclass(frozen=True)
class Elsewhere:
    """A sandbox on another port: `up`, or only its data is kept there."""

    port: int
    up: bool


def elsewhere(port: int) -> list[Elsewhere]:
    """The sandboxes on other ports than this one. One whose record cannot be read may be up."""
    found = []
    for other in store.ports():
        if other == port:
            continue
        try:
            record = store.load_record(other)
        except KafkactlError:
            found.append(Elsewhere(other, up=True))
            continue
        if record is not None:
            found.append(Elsewhere(other, up=bool(record.processes)))
    return found


def _last_words(node: Node) -> tuple[str, ...]:
    """The last lines of a broker's log, and before them its last error if they do not show it."""
    lines, _ = log_tail(node.log, _LAST_LINES)
    why = cause(node.log)
    return tuple(lines if why in lines else [why, *lines])


def down(port: int, *, keep_data: bool) -> Stopped:
    """Stop the sandbox on a port, cleanly, and remove its data unless it is to be kept.

    Nothing happens where there is none. A process that is not provably ours is left alone.
    """
    with store.exclusively(port):
        record = store.load_record(port)
        if record is None:
            store.remove(port)
            return Stopped()
        running = store.alive(record.nodes, record.processes)
        clean = store.stop(list(running.values()), STOP_SECONDS)
        if keep_data:
            store.save_record(dataclasses.replace(record, processes={}))
            store.remove_secrets(record)
        else:
            store.remove(port)
        return Stopped(len(running), clean, "kept" if keep_data else "removed")
