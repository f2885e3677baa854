"""Facts, collected once and in parallel: what Kafka tells, and what the engine tells of the stack's containers."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from kafkactl.cluster import network
from kafkactl.doctor.collect_kafka import of_kafka
from kafkactl.doctor.collect_stack import StackLook, compose_program, look_at_stack
from kafkactl.doctor.facts import Dial, Facts, ProbeStep, StackFacts
from kafkactl.doctor.listeners import published
from kafkactl.probe.steps import Order, Proof
from kafkactl.settings import Connection, Target


def collect(
    target: Target,
    sample: float = 0.0,
    project: str | None = None,
) -> Facts:
    """What there is to know of the cluster that is meant, of its containers, and of what topics.yaml declares.

    `project` names a compose project. With `sample` (seconds)
    partitions and groups are looked at twice, so far apart. Raises UsageError for a wrong property or project.
    """
    connection = target.connection
    with ThreadPoolExecutor(1) as pool:
        looking = (
            pool.submit(look_at_stack, project, Path.cwd(), _ports(connection)) if _may_be_here(connection) else None
        )
        facts = of_kafka(target, sample)
        found = looking.result() if looking else StackLook().without("engine", "stack", why="the cluster is elsewhere")
    missing = {**facts.missing, **found.missing}
    stack = found.stack
    if stack and not _is_of(stack, facts.bootstrap):
        where = ", ".join(map(str, sorted({port for c in stack.of_role("broker") for port in published(c).values()})))
        missing["stack"] = f"what answers is no container's (the stack {stack.project or ''} has {where or 'no port'})"
        stack = None
    return replace(
        facts,
        engine=found.engine,
        stack=stack,
        compose_up=_compose_up(Path.cwd()),
        root=os.geteuid() == 0,
        missing=missing,
    )


def _ports(connection: Connection) -> set[int]:
    return {network.split(address)[1] for address in connection.brokers}


def _may_be_here(connection: Connection) -> bool:
    """Whether the cluster may be in containers of the engine that is meant."""
    engine = urlsplit(os.environ.get("DOCKER_HOST", "")).hostname
    hosts = {network.split(address)[0] for address in connection.brokers}
    return engine in hosts or any(network.is_here(host) for host in hosts)


def _is_of(stack: StackFacts, bootstrap: Iterable[Dial]) -> bool:
    """Whether what answers at the bootstrap addresses is this stack's. Where nothing answers, it is to say why."""
    answering = [dial for dial in bootstrap if dial.manner == "kafka"]
    brokers = stack.of_role("broker")
    ports = {port for container in brokers for port in published(container).values()}
    by_host = any("host" in container.networks for container in brokers)
    return not answering or by_host or any(dial.port in ports for dial in answering)


def _compose_up(directory: Path) -> tuple[str, ...]:
    """The words that start the stack of the compose file that is here or above; none where there is none."""
    for place in (directory, *directory.parents):
        for name in ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"):
            path = place / name
            if path.is_file() and b"kafka" in path.read_bytes():
                file = () if place == directory else ("-f", str(path))
                return (*(compose_program() or ("docker", "compose")), *file, "up", "-d")
        if (place / ".git").exists():
            break
    return ()


_RECORDS = 10  # to each partition
_SECONDS = 15.0  # for each step


def with_round_trip(facts: Facts, connection: Connection) -> Facts:
    """The facts, with what became of a round trip. What is made on the cluster is removed again, whatever happens."""
    proof = Proof(Order(connection, count=_RECORDS, timeout=_SECONDS))
    try:
        steps = [ProbeStep(step.name, step.state == "ok", step.reason) for step in proof.steps()]
    finally:
        left = proof.clean()
    if left and left.state == "error":
        steps.append(ProbeStep(left.name, False, left.reason))
    missing = {name: why for name, why in facts.missing.items() if name != "probe"}
    return replace(facts, probe=tuple(steps), missing=missing)
