"""Facts, collected once and in parallel: from Kafka, and from the engine about the stack's containers."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from kafkactl.cluster import network
from kafkactl.cluster.client import unconnected
from kafkactl.connection import Connection
from kafkactl.doctor.collect_kafka import of_kafka, without_client
from kafkactl.doctor.collect_stack import StackLook, compose_program, look_at_stack
from kafkactl.doctor.facts import Dial, Facts, ProbeStep, StackFacts
from kafkactl.doctor.listeners import published
from kafkactl.errors import ClientConfigError, RefusedError
from kafkactl.probe.model import Order
from kafkactl.probe.steps import Proof
from kafkactl.settings import Target


def collect(
    target: Target,
    sample: float = 0.0,
    project: str | None = None,
) -> Facts:
    """The facts about the target cluster, its containers, and what topics.yaml declares.

    `project` names a compose project. With `sample`, partitions and groups are sampled twice, that many seconds apart.
    Raises UsageError for an invalid property or an unknown project.
    """
    try:
        connection = target.connection
        unconnected(connection)
    except (ClientConfigError, RefusedError) as error:
        facts = without_client(target, error)
        unseen = dict.fromkeys(("engine", "stack"), "it is not known which cluster is meant")
        return replace(facts, missing={**facts.missing, **unseen})
    with ThreadPoolExecutor(1) as pool:
        looking = (
            pool.submit(look_at_stack, project, Path.cwd(), _ports(connection)) if _may_be_here(connection) else None
        )
        facts = of_kafka(target, sample)
        found = (
            looking.result() if looking else StackLook().without("engine", "stack", why="the cluster runs elsewhere")
        )
    missing = {**facts.missing, **found.missing}
    stack = found.stack
    if stack and not _is_of(stack, facts.bootstrap):
        where = ", ".join(map(str, sorted({port for c in stack.of_role("broker") for port in published(c).values()})))
        missing["stack"] = (
            f"no container answers there (the stack {stack.project or ''} publishes {where or 'no port'})"
        )
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
    """Whether the cluster may run in containers of the selected engine."""
    engine = urlsplit(os.environ.get("DOCKER_HOST", "")).hostname
    hosts = {network.split(address)[0] for address in connection.brokers}
    return engine in hosts or any(network.is_here(host) for host in hosts)


def _is_of(stack: StackFacts, bootstrap: Iterable[Dial]) -> bool:
    """Whether this stack answers at the bootstrap addresses. If nothing answers, the stack may explain why."""
    answering = [dial for dial in bootstrap if dial.is_kafka]
    brokers = stack.of_role("broker")
    ports = {port for container in brokers for port in published(container).values()}
    by_host = any("host" in container.networks for container in brokers)
    return not answering or by_host or any(dial.port in ports for dial in answering)


def _compose_up(directory: Path) -> tuple[str, ...]:
    """The words of the command that starts the compose file in this or a parent directory; empty if there is none."""
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
    """The facts, with the result of a round trip. Everything created on the cluster is removed, whatever happens."""
    proof = Proof(Order(connection, count=_RECORDS, timeout=_SECONDS))
    try:
        steps = [ProbeStep(step.name, step.state == "ok", step.reason) for step in proof.steps()]
    finally:
        left = proof.clean()
    if left and left.state == "error":
        steps.append(ProbeStep(left.name, False, left.reason))
    missing = {name: why for name, why in facts.missing.items() if name != "probe"}
    return replace(facts, probe=tuple(steps), missing=missing)
