"""KD1: are the stack's containers running, and do they have what they need? Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from kafkactl.containers.broker_listeners import among_controllers, bound
from kafkactl.containers.families import heap_of, heap_variable, program_of
from kafkactl.containers.model import Container
from kafkactl.doctor.checks.container_remedies import changed, compose, docker, recreated, show_log, stack
from kafkactl.doctor.checks.troubles import (
    KAFKA,
    Trouble,
    is_broken,
    is_looping,
    last_exit_code,
    session_left,
    told_by,
    troubles,
)
from kafkactl.doctor.codes import Finding, NotApplicableError, Severity, check
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.listeners import published
from kafkactl.text.remedies import Advice, Command, Remedy, ServiceChange, command
from kafkactl.text.words import age, and_more, many, size

_LARGE, _TOO_LARGE = 75, 100  # percent of the available memory
_LEAST_HEAP = {"broker": 256, "controller": 256}  # MiB that Kafka starts and serves with
_CLOSE = 90  # percent of the limit in use
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def severity(container: Container) -> Severity:
    """Without ZooKeeper or a broker there is no Kafka; trouble of any other service is a warning."""
    return "error" if container.role in KAFKA else "warning"


def suffering(trouble: Trouble) -> list[tuple[str, str]]:
    """The containers that are in trouble because of this one."""
    if not trouble.followers:
        return []
    return [("effect", and_more(f"{c.name} {_state(c)}" for c in trouble.followers))]


def _state(container: Container) -> str:
    if container.status == "running" and container.health:
        return f"is {container.health.status}"
    return {"created": "never started", "exited": f"exited with code {container.exit_code}"}.get(
        container.status, f"is {container.status}"
    )


def log_line(trouble: Trouble) -> list[tuple[str, str]]:
    """The log line that says why."""
    return [("log", trouble.sign.text)] if trouble.sign else []


def last_line(facts: Facts, trouble: Trouble) -> list[tuple[str, str]]:
    """The log line that says why, else the last one."""
    last = stack(facts).last.get(trouble.container.name)
    return log_line(trouble) or ([("log", last)] if last and trouble.container.exit_code else [])


@check("KD101")
def not_running(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD101"):
        container = trouble.container
        again = "unpause" if container.status == "paused" else "start"
        evidence = [("seen", _seen(container)), *last_line(facts, trouble), *suffering(trouble)]
        if container.error:
            evidence.insert(1, ("engine", container.error))
        heal = [docker(again, container)]
        if not (container.exit_code in (0, 143) or container.status in ("paused", "created")):
            heal.insert(0, show_log(container))
        yield Finding(container.name, {"how": _how(facts, container)}, evidence, heal, severity(container))


def _seen(container: Container) -> str:
    return f"status {container.status}, exit code {container.exit_code}, restarts {container.restarts}"


def _how(facts: Facts, container: Container) -> str:
    if container.status == "paused":
        return "it is paused"
    if container.status == "created":
        return "it was created but never started"
    ago = f" {_ago(facts, container.finished)} ago" if container.finished else ""
    if container.exit_code in (0, 130, 143):
        return f"it was stopped{ago}"
    return f"it exited with code {container.exit_code}{ago}"


def _ago(facts: Facts, moment: datetime) -> str:
    return age((datetime.fromtimestamp(facts.taken / 1000, UTC) - moment).total_seconds())


@check("KD102")
def port_conflict(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD102"):
        container = trouble.container
        holders = stack(facts).holders
        taken = [port for port in published(container).values() if str(port) in holders]
        named = re.search(r":(\d+)(?: failed|: bind)", container.error)
        port = taken[0] if taken else int(named[1]) if named else min(published(container).values(), default=0)
        holder = holders.get(str(port), "")
        start = docker("start", container)
        heal: list[Remedy]
        if holder.startswith("container "):
            heal = [command("docker", "stop", holder.removeprefix("container ")).then(start)]
        elif holder:
            heal = [Advice(f"stop {holder}, or publish {container.service} on another port, then"), start]
        else:
            who = command("lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", note="shows who uses it; once it is free:")
            heal = [who, start]
        word = ("engine", container.error) if container.error else ("seen", _seen(container))
        evidence = [word, *suffering(trouble)]
        values = {"port": port, "holder": holder or "something else"}
        yield Finding(container.name, values, evidence, heal, severity(container))


@check("KD103")
def out_of_memory(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD103"):
        container = trouble.container
        limit = container.memory_limit
        heap = heap_of(container)
        evidence = [("seen", f"OOMKilled, {_seen(container)}"), *suffering(trouble)]
        if heap:
            evidence.insert(1, ("seen", f"its heap can grow to {size(heap)}"))
        # Besides its heap a JVM needs as much again, and hardly ever less than 384 MiB.
        twice = max(2 * (limit or 0), 2 * (heap or 0), (heap or 0) + 384 * 2**20 if heap else 0, 64 * 2**20) // 2**20
        heal: list[Remedy] = [
            _with_memory(container, twice).then(docker("restart", container)),
            Advice(f"also set mem_limit: {twice}m for {container.service} in the compose file, or use a smaller heap"),
        ]
        values = {"limit": f"its limit of {size(limit)}" if limit else "the machine's memory"}
        yield Finding(container.name, values, evidence, heal, severity(container))


def _with_memory(container: Container, mebibytes: int, note: str = "") -> Command:
    limit = f"{mebibytes}m"
    return command("docker", "update", "--memory", limit, "--memory-swap", limit, container.name, note=note)


@check("KD104")
def killed(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD104"):
        container = trouble.container
        evidence = [("seen", f"{_seen(container)}, not OOMKilled"), *suffering(trouble)]
        heal: list[Remedy] = [docker("start", container)]
        if left := session_left(facts, container):
            note = "ZooKeeper holds its old registration until then"
            heal = [command("sleep", str(left)).then(docker("start", container, note=note))]
        heal.append(Advice("set stop_grace_period: 60s in the compose file to give a broker time to stop cleanly"))
        yield Finding(container.name, {}, evidence, heal, severity(container))


@check("KD105")
def restart_loop(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD105"):
        container = trouble.container
        heal = [
            show_log(container),
            docker("restart", container, note="once that is fixed"),
        ]
        yield Finding(
            container.name,
            {"times": many(container.restarts, "time"), "code": last_exit_code(facts, container)},
            [("seen", _seen(container)), *last_line(facts, trouble), *suffering(trouble)],
            heal,
            severity(container),
        )


@check("KD106")
def unhealthy(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD106"):
        container = trouble.container
        what = "its health check fails" if container.health else "no published port of it speaks Kafka's protocol"
        dialled = [("tried", f"{dial.address}: {dial.why}") for dial in stack(facts).dials.get(container.name, ())]
        yield Finding(
            container.name,
            {"what": what},
            [*(_check(container) or dialled), *suffering(trouble)],
            [show_log(container), docker("restart", container, note="if it hangs")],
            severity(container),
        )


def _check(container: Container) -> list[tuple[str, str]]:
    health = container.health
    if health is None:
        return []
    said = " ".join(health.output.split())[-300:] or "nothing"
    return [
        ("check", " ".join(container.healthcheck[1:]) or "the image's own"),
        ("said", f"{said} (exit code {health.exit_code}, {many(health.failing_streak, 'time')} in a row)"),
    ]


@check("KD107")
def healthcheck_broken(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD107"):
        container = trouble.container
        why = "it cannot run" if is_broken(container) else "Kafka answers at the published ports"
        evidence = [*_check(container), *suffering(trouble)]
        yield Finding(container.name, {"why": why}, evidence, _working_check(facts, container), "warning")


def _working_check(facts: Facts, container: Container) -> list[Remedy] | None:
    """A broker's health check that its image can run; None for what is no broker."""
    program = program_of(container, "kafka-broker-api-versions")
    port = next((one.port for one in bound(container) if one.name not in among_controllers(container)), None)
    if container.role != "broker" or not program or port is None:
        return None
    # Without these it inherits the broker's own port for JMX, its agents and its heap.
    words = f"JMX_PORT= KAFKA_OPTS= KAFKA_HEAP_OPTS=-Xmx64m {program} --bootstrap-server localhost:{port}"
    return recreated(facts, container, f'healthcheck: {{test: ["CMD-SHELL", "{words}"]}}')


@check("KD108")
def heap_or_limit(facts: Facts) -> Iterator[Finding]:
    told = {trouble.container.name: trouble for trouble in told_by(facts, "KD108")}
    for container in stack(facts).containers:
        heap, limit, whose = heap_of(container), container.memory_limit, "its limit of"
        if not limit:
            limit, whose = (facts.engine.memory if facts.engine else 0), "the machine's"
        trouble = told.get(container.name)
        if not heap or not limit or container.finished_well:
            continue
        percent = 100 * heap // limit
        if not trouble and percent < _LARGE:
            continue
        bad = trouble is not None or percent >= _TOO_LARGE
        half, least = limit // 2**21, _LEAST_HEAP.get(container.role, 64)
        keys = () if half >= least else (("mem_limit", f"{2 * least + 128}m"),)
        change = _with_heap(container, max(half, least), keys)
        yield Finding(
            container.name,
            {"heap": size(heap), "limit": f"{whose} {size(limit)}"},
            [("seen", f"that is {percent} %"), *(log_line(trouble) + suffering(trouble) if trouble else [])],
            changed(facts, container, change),
            "error" if bad and container.role in KAFKA else "warning",
            blocks=trouble is not None,
        )


def _with_heap(container: Container, mebibytes: int, keys: tuple[tuple[str, str], ...]) -> ServiceChange:
    heap = (heap_variable(container), f"-Xms{mebibytes}m -Xmx{mebibytes}m")
    return ServiceChange(container.service, variables=(heap,), keys=keys)


@check("KD109")
def architecture(facts: Facts) -> Iterator[Finding]:
    there = stack(facts)
    machine = facts.engine.architecture if facts.engine else ""
    machine = _ARCHITECTURES.get(machine, machine)
    if not machine:
        raise NotApplicableError("the engine does not report its architecture")
    for container in there.containers:
        built = there.architectures.get(container.image_id, machine)
        if built != machine:
            seen = [("seen", f"image {container.image} is {built}, the machine is {machine}")]
            yield Finding(container.name, {"built": built, "machine": machine, "image": container.image}, seen)


@check("KD110")
def memory_close(facts: Facts) -> Iterator[Finding]:
    there = stack(facts)
    for container in there.containers:
        memory = there.memory.get(container.name)
        limit = container.memory_limit
        if memory is None or not limit or is_looping(facts, container):
            continue
        percent = 100 * memory.used // limit
        if percent >= _CLOSE:
            twice = 2 * limit // 2**20
            values = {"percent": percent, "limit": size(limit)}
            heal: list[Remedy] = [
                _with_memory(container, twice, note="takes effect at once"),
                Advice(f"also set mem_limit: {twice}m for {container.service} in the compose file"),
            ]
            yield Finding(container.name, values, [("seen", f"{size(memory.used)} in use")], heal)


@check("KD111")
def heap_exhausted(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD111"):
        container = trouble.container
        heap = heap_of(container) or 0
        more = max(2 * heap, 2**29) // 2**20
        limit = container.memory_limit
        keys = (("mem_limit", f"{2 * more}m"),) if limit and limit < more * 2**21 else ()
        yield Finding(
            container.name,
            {"heap": size(heap)},
            [("seen", _seen(container)), *log_line(trouble), *suffering(trouble)],
            changed(facts, container, _with_heap(container, more, keys)),
            severity(container),
        )


@check("KD112")
def starting(facts: Facts) -> Iterator[Finding]:
    for trouble in told_by(facts, "KD112"):
        container = trouble.container
        since = f"for {_ago(facts, container.started)}" if container.started else "just now"
        evidence = [("seen", f"running {since}, health starting"), *suffering(trouble)]
        # What has ended, or hangs, is what to look at; that the rest is starting explains nothing of it.
        level = "info" if any(map(_is_worse, troubles(facts))) else severity(container)
        yield Finding(container.name, {}, evidence, severity=level)


def _is_worse(trouble: Trouble) -> bool:
    return trouble.code != "KD112" and severity(trouble.container) == "error"


@check("KD115")
def without_container(facts: Facts) -> Iterator[Finding]:
    there = stack(facts)
    serves = any(there.answers_kafka(broker) for broker in there.of_role("broker"))
    for absent in there.absent:
        if absent.role not in KAFKA and not absent.holder:
            continue  # whoever starts a part of a stack leaves out the rest
        start = compose(facts, "up", "-d", absent.service)
        heal: list[Remedy] = [start]
        if absent.holder:
            why = f"the name {absent.container_name} is taken by a container of {absent.holder}"
            heal = [command("docker", "rename", absent.container_name, f"{absent.container_name}-old").then(start)]
        elif absent.image and not absent.pulled:
            why = f"its image {absent.image} is not on this machine"
            heal.insert(0, compose(facts, "pull", absent.service, note="says why, where it cannot be had; then"))
        else:
            why = "nobody started it, or it was removed"
        level: Severity = "error" if absent.role in KAFKA and not serves else "warning" if absent.holder else "info"
        yield Finding(absent.service, {"why": why}, [("seen", absent.file)], heal, level)
