"""Facts about the engine and the stack's containers, requested in parallel through kafkactl.containers."""

import http.client
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from kafkactl.cluster import network
from kafkactl.containers.compose_file import services_of
from kafkactl.containers.endpoint import Endpoint, EngineError, endpoint, endpoint_of_context, user
from kafkactl.containers.engine import Engine, connect_engine
from kafkactl.containers.logs import ContainerLogs
from kafkactl.containers.model import PROJECT, SERVICE, Container, role_of
from kafkactl.containers.sought import Sought, sought_by
from kafkactl.containers.stack import Stack, find_stack
from kafkactl.doctor.client_signs import client_signs
from kafkactl.doctor.dialling import dial
from kafkactl.doctor.facts import NO_STACK, Answer, Dial, EngineFacts, StackFacts, Unstarted
from kafkactl.doctor.listeners import SPARE_PORTS, for_host, published
from kafkactl.doctor.redact import redacted_environment
from kafkactl.doctor.signs import Sign, signs
from kafkactl.errors import UsageError
from kafkactl.redaction.structures import redacted, redacted_command

T = TypeVar("T")
R = TypeVar("R")

_TAIL = 2000  # lines of a log that are searched
_LONGEST = 300  # characters of its last line
_FIRST_WORDS_SECONDS = 1.0  # an engine records a start only once the process runs, which may have logged already
_LOOP_SECONDS = 180  # how much of the log is read for a container that keeps restarting
_MOST_LOGS = 40  # applications whose logs are read
_NEAR = 0.3  # seconds in which a port that listens takes a connection
_SPEECH = 1.5  # seconds a service in a container has to answer
_KAFKA = ("broker", "controller", "zookeeper")
_UNWELL = frozenset({"restarting", "exited", "dead", "created"})
# What a side service answers when it serves: the path to ask, and a word its answer must contain.
_PAGES = {"exporter": ("/metrics", "kafka_brokers "), "ui": ("/actuator/health", "UP")}


class StackLook:
    """What is known about containers: the engine, the stack, and why a part is missing, by its name."""

    def __init__(self) -> None:
        self.engine: EngineFacts | None = None
        self.stack: StackFacts | None = None
        self.missing: dict[str, str] = {}

    def without(self, *parts: str, why: str) -> "StackLook":
        """Record why these parts are missing."""
        self.missing |= dict.fromkeys(parts, why)
        return self


def look_at_stack(project: str | None, directory: Path, ports: Iterable[int]) -> StackLook:
    """Ask the selected engine for the stack that publishes one of these ports, else for the one `kafkactl ps` finds.

    Raises UsageError if `project` does not exist.
    """
    found = StackLook()
    try:
        meant = endpoint(os.environ)
        found.engine = EngineFacts(meant.address, meant.source, _is_named(meant), other_context=_other_context(meant))
        if _is_absent(meant):
            return _without_engine(found, "absent", f"There is no Docker engine at {meant.address}.")
        engine = connect_engine()
        info = engine.info()
        asked = time.time()
        found.engine = replace(
            found.engine,
            memory=info.memory,
            architecture=info.architecture,
            ahead=info.time.timestamp() - asked if info.time else 0.0,
        )
        stack = find_stack(engine, project, directory, ports)
        if stack is None:
            return found.without("stack", why=NO_STACK)
        found.stack = _stack(engine, stack)
    except EngineError as error:
        if found.engine is None:
            found.engine = EngineFacts("", error.where, named=True)
        return _without_engine(found, error.kind, error.message)
    except UsageError as error:
        if project is not None:
            raise
        return found.without("stack", why=error.message.rstrip("."))
    return found


def _without_engine(found: StackLook, failure: str, message: str) -> StackLook:
    assert found.engine is not None
    found.engine = replace(found.engine, failure=failure, message=message, user=user())
    return found.without("stack", why=message[:1].lower() + message[1:].rstrip("."))


def _is_named(meant: Endpoint) -> bool:
    return meant.context is not None or bool(os.environ.get("DOCKER_HOST"))


def _is_absent(meant: Endpoint) -> bool:
    """Whether there is no socket at all, found out without loading the docker library."""
    kind, _, path = meant.address.partition("://")
    return kind == "unix" and not Path(path).exists()


def _other_context(meant: Endpoint) -> str:
    """The docker context that DOCKER_HOST overrides, if it names another engine."""
    if meant.context or not os.environ.get("DOCKER_HOST"):
        return ""
    try:
        other = endpoint_of_context(os.environ)
    except EngineError:
        return ""
    return f"{other.context} ({other.address})" if other and other.address != meant.address else ""


def _stack(engine: Engine, stack: Stack) -> StackFacts:
    host = engine.host
    containers = stack.containers
    with ThreadPoolExecutor(8) as pool:
        memory = pool.submit(engine.memory, containers)
        images = {container.image_id for container in containers if container.image_id}
        architectures = _each(pool, images, engine.architecture)
        dials = _each(pool, stack.of_role("broker"), lambda c: _dials(host, c))
        keepers = [container for container in stack.of_role("zookeeper") if _port(container)]
        words = _each(pool, keepers, lambda c: network.four_letters(host, _port(c) or 0, "srvr", _SPEECH))
        sides = [c for c in containers if c.role in _PAGES and c.status == "running" and _port(c)]
        pages = _each(pool, sides, lambda c: _page(host, c))
        served = {container.name: answer for container, answer in _results(dials)}
        # The log of a healthy container says nothing about its current state.
        unwell = [c for c in containers if _is_unwell(c, any(d.is_kafka for d in served.get(c.name, ())))]
        applications = [c for c in containers if c not in unwell and _may_use_kafka(c)][:_MOST_LOGS]
        asked = _each(pool, [*unwell, *applications], lambda c: _told(engine, c))
        looping = any(container.restarts or container.status == "restarting" for container in containers)
        deaths = engine.deaths(_LOOP_SECONDS) if looping else {}
        used = memory.result()
        told = list(_results(asked))
        return StackFacts(
            project=stack.project,
            compose=_compose(stack),
            containers=tuple(map(_without_secrets, containers)),
            files=stack.files,
            memory={c.name: used[c.id] for c in containers if c.id in used},
            deaths={c.name: deaths[c.id] for c in containers if c.id in deaths and c.restarts},
            signs={c.name: found for c, (found, _) in told if found},
            last={c.name: line for c, (_, line) in told if line and c.status != "running"},
            dials=served,
            zookeeper={c.name: answer for c, answer in _results(words)},
            answers={c.name: answer for c, answer in _results(pages)},
            holders=_holders(engine, containers),
            architectures={image: name for image, name in _results(architectures) if name},
            sought=_sought(containers),
            absent=tuple(_absent(engine, stack)),
            free_ports=tuple(_free_ports(host, containers)),
        )


def _free_ports(host: str, containers: Iterable[Container]) -> Iterator[int]:
    brokers = [container for container in containers if container.role == "broker"]
    if brokers and not any(map(for_host, brokers)):
        yield from (port for port in SPARE_PORTS if network.unreachable(host, port, timeout=_NEAR) is not None)


def _sought(containers: Sequence[Container]) -> dict[str, tuple[Sought, ...]]:
    """Where each container that is no part of Kafka looks for it; of what it is told only the addresses are kept."""
    brokers = [container for container in containers if container.role == "broker"]
    others = [c for c in containers if c.role not in _KAFKA]
    return {container.name: found for container in others if (found := sought_by(container, brokers))}


def _absent(engine: Engine, stack: Stack) -> Iterator[Unstarted]:
    """The services of the stack's compose files without a container, as far as the files are on this machine."""
    if stack.project is None or engine.host != "127.0.0.1":
        return
    there = {container.service for container in stack.containers}
    for service in services_of([os.path.join(stack.directory, file) for file in stack.files]):
        if service.name in there:
            continue
        names = {name.lstrip("/"): entry for entry in engine.listed() for name in entry.get("Names") or ()}
        taken = names.get(service.container_name) if service.container_name else None
        labels = (taken or {}).get("Labels") or {}
        holder = "" if taken is None else f"project {labels[PROJECT]}" if PROJECT in labels else "no compose project"
        yield Unstarted(
            service.name,
            role_of(service.name, service.image, service.container_name, service.environment, service.command),
            service.file,
            service.image,
            bool(service.image and engine.architecture(service.image)),
            service.container_name,
            holder,
        )


def _each(pool: ThreadPoolExecutor, items: Iterable[T], ask: Callable[[T], R]) -> "list[tuple[T, Future[R]]]":
    return [(item, pool.submit(ask, item)) for item in items]


def _results(asked: "Iterable[tuple[T, Future[R]]]") -> Iterator[tuple[T, R]]:
    for item, future in asked:
        yield item, future.result()


def _port(container: Container) -> int | None:
    """The host's port of a container that publishes one for its clients."""
    return min(published(container).values(), default=None)


def _dials(host: str, container: Container) -> tuple[Dial, ...]:
    if container.status != "running":
        return ()
    return tuple(dial(host, port, _SPEECH) for port in published(container).values())


def _page(host: str, container: Container) -> Answer:
    """The service's answer on the page that shows whether it serves."""
    path, word = _PAGES[container.role]
    port = _port(container) or 0
    url = f"http://{host}:{port}{path}"
    connection = http.client.HTTPConnection(host, port, timeout=_SPEECH)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(1_000_000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return Answer(url, 0, str(error) or type(error).__name__)
    finally:
        connection.close()
    if answer.status != 200:
        return Answer(url, answer.status, answer.reason)
    said = next((line for line in body.splitlines() if word in line and not line.startswith("#")), "")
    if not said:
        return Answer(url, answer.status, f"{word.strip()} is missing from the answer")
    return Answer(url, answer.status, "" if not said.rstrip().endswith(" 0") else said)


def _is_unwell(container: Container, answers: bool) -> bool:
    """Whether its log is worth reading: it is not running, or not known to be healthy."""
    if container.finished_well:
        return False
    if container.status in _UNWELL:
        return True
    if container.role not in _KAFKA:
        return False
    return container.health.status != "healthy" if container.health else not answers


def _may_use_kafka(container: Container) -> bool:
    """Whether it is an application that runs: its log may say that Kafka does not serve it."""
    return container.role not in _KAFKA and container.status == "running"


def _told(engine: Engine, container: Container) -> tuple[tuple[Sign, ...], str]:
    """The signs in the log of its last start, and the last line. For a restart loop, also of the starts just before."""
    lines = ContainerLogs(engine, [container]).so_far(_TAIL, told_since(container, time.time()), None)
    last = next((line.text.strip() for line in reversed(lines) if line.text.strip()), "")
    found = signs(lines) if container.role in _KAFKA else (*signs(lines), *client_signs(lines))
    return found, redacted(last)[:_LONGEST]


def told_since(container: Container, now: float) -> float | None:
    """When (s since the epoch) the log of its last start, or of its restart loop, begins; None if it never started."""
    if container.started is None:
        return None
    started = container.started.timestamp()
    if container.restarts and container.status in ("restarting", "running"):
        return min(started, now - _LOOP_SECONDS)
    # For an exited container this is the end of its last run, even if it is recorded before that run's start.
    before = (
        container.finished.timestamp() if container.finished and container.status not in ("exited", "dead") else 0.0
    )
    return max(started - _FIRST_WORDS_SECONDS, before)


def _without_secrets(container: Container) -> Container:
    health = container.health
    return replace(
        container,
        environment=redacted_environment(container.environment),
        labels={key: container.labels[key] for key in (PROJECT, SERVICE) if key in container.labels},
        command=redacted_command(container.command),
        healthcheck=redacted_command(container.healthcheck),
        error=redacted(container.error),
        health=health and replace(health, output=redacted(health.output)),
    )


def _compose(stack: Stack) -> tuple[str, ...]:
    program = compose_program()
    if not program or stack.project is None:
        return ()
    return (*program, "-p", stack.project, *(word for file in stack.files for word in ("-f", file)))


def compose_program() -> tuple[str, ...]:
    """How to call compose here: `docker compose` (v2), `docker-compose` (v1), empty if it is not installed."""
    if shutil.which("docker") and any((Path(home) / "docker-compose").exists() for home in _plugin_directories()):
        return ("docker", "compose")
    return ("docker-compose",) if shutil.which("docker-compose") else ()


def _plugin_directories() -> list[str]:
    config = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    system = [f"{prefix}/{lib}/docker/cli-plugins" for prefix in ("/usr/local", "/usr") for lib in ("lib", "libexec")]
    return [f"{config}/cli-plugins", *system, "/opt/homebrew/lib/docker/cli-plugins"]


def _holders(engine: Engine, containers: Iterable[Container]) -> dict[str, str]:
    """Who uses the host ports that a container which never ran needs."""
    wanted = {port for c in containers if c.status == "created" for port in published(c).values()}
    if not wanted:
        return {}
    holders = _processes(wanted) if engine.host == "127.0.0.1" else {}
    for entry in engine.listed():
        if entry.get("State") not in ("running", "paused"):  # Podman also lists the ports a container will have
            continue
        for port in entry.get("Ports") or ():
            if port.get("PublicPort") in wanted:
                holders[str(port["PublicPort"])] = f"container {(entry.get('Names') or ['?'])[0].lstrip('/')}"
    return holders


def _processes(ports: Collection[int]) -> dict[str, str]:
    """The processes on this machine that listen there, as far as this user may see them."""
    try:
        import psutil
    except ImportError:  # it comes with the sandbox
        return {}
    found = {}
    try:
        for entry in psutil.net_connections("tcp"):
            port = entry.laddr.port if entry.laddr else None
            if entry.status == psutil.CONN_LISTEN and port in ports and entry.pid:
                found[str(port)] = f"process {entry.pid} ({psutil.Process(entry.pid).name()})"
    except (psutil.Error, OSError):
        pass
    return found
