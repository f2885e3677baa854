"""Which of an engine's containers are the stack: a compose project with a broker in it, whatever its name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kafkactl.containers.engine import Engine
from kafkactl.containers.model import PROJECT, SERVICE, Container, Role, role_of
from kafkactl.errors import UsageError

_DIRECTORY = "com.docker.compose.project.working_dir"
_FILES = "com.docker.compose.project.config_files"


@dataclass(frozen=True)
class Stack:
    """The containers of one stack. `project` is None where they were started by hand, without compose."""

    project: str | None
    directory: str
    files: tuple[str, ...]
    containers: tuple[Container, ...]

    def of_role(self, role: Role) -> tuple[Container, ...]:
        """The containers that are this in the stack."""
        return tuple(container for container in self.containers if container.role == role)


@dataclass(frozen=True)
class Listed:
    """A container in the engine's short form, as far as choosing needs it."""

    id: str
    project: str | None
    role: Role
    directory: str = ""
    running: bool = True
    ports: frozenset[int] = frozenset()  # of the host, published


def find_stack(
    engine: Engine,
    project: str | None = None,
    directory: Path | None = None,
    ports: Iterable[int] = (),
) -> Stack | None:
    """The stack on an engine, inspected; None where there is none.

    `project` names one; else it is the one that publishes one of `ports`, or would if it ran, else the one started from
    `directory` or above, else the only one with a broker that runs, else the only one with a broker.
    Raises EngineError, and UsageError where the project is unknown or several would do.
    """
    listed = [_listed(entry) for entry in engine.listed()]
    if project is None and ports:
        listed = _with_configured_ports(engine, listed)
    return _inspected(engine, choose(listed, project, directory, ports))


def find_stacks(engine: Engine, project: str | None = None, directory: Path | None = None) -> list[Stack]:
    """The same, but every stack where several would do. Raises EngineError, and UsageError for an unknown project."""
    found = candidates([_listed(entry) for entry in engine.listed()], project, directory)
    stacks = [_inspected(engine, [entry.id for entry in entries]) for entries in found]
    return [stack for stack in stacks if stack]


def _inspected(engine: Engine, ids: Sequence[str]) -> Stack | None:
    containers = sorted(engine.inspect(ids), key=_order)
    if not containers:
        return None
    of_compose = [container for container in containers if container.project]
    latest = max(of_compose, key=lambda container: container.created or datetime.min.replace(tzinfo=UTC), default=None)
    labels = latest.labels if latest else {}  # of the last `up`: the files may be others than those of an earlier one
    files = tuple(part for part in labels.get(_FILES, "").split(",") if part)
    return Stack(containers[0].project, labels.get(_DIRECTORY, ""), files, tuple(containers))


def _with_configured_ports(engine: Engine, listed: Sequence[Listed]) -> list[Listed]:
    """The containers with the ports that stopped brokers would publish: a list tells only of those that run."""
    stopped = [entry.id for entry in listed if entry.role == "broker" and not entry.running]
    if not stopped:
        return list(listed)
    configured = {
        container.id: frozenset(port.host_port for port in container.ports if port.host_port is not None)
        for container in engine.inspect(stopped)
    }
    return [replace(entry, ports=configured.get(entry.id, entry.ports)) for entry in listed]


def _listed(entry: Mapping[str, Any]) -> Listed:
    labels = entry.get("Labels") or {}
    name = (entry.get("Names") or [""])[0].lstrip("/")
    role = role_of(labels.get(SERVICE, name), entry.get("Image") or "", name)
    return Listed(
        entry["Id"],
        labels.get(PROJECT),
        role,
        labels.get(_DIRECTORY, ""),
        entry.get("State") == "running",
        frozenset(port["PublicPort"] for port in entry.get("Ports") or () if port.get("PublicPort")),
    )


def choose(
    listed: Iterable[Listed], project: str | None, directory: Path | None, ports: Iterable[int] = ()
) -> list[str]:
    """The ids of the stack's containers. Raises UsageError where the project is unknown or several would do."""
    found = candidates(listed, project, directory, ports)
    if len(found) > 1:
        names = sorted(entries[0].project or "" for entries in found)
        raise UsageError(
            f"{len(found)} compose projects run Kafka: {', '.join(names)}.", hint=f"Select one: --project {names[0]}"
        )
    return [entry.id for entries in found for entry in entries]


def candidates(
    listed: Iterable[Listed], project: str | None, directory: Path | None, ports: Iterable[int] = ()
) -> list[list[Listed]]:
    """The containers of each stack that would do. Raises UsageError where the project is unknown."""
    projects: dict[str | None, list[Listed]] = defaultdict(list)
    for entry in listed:
        projects[entry.project].append(entry)
    by_hand = [entry for entry in projects.pop(None, []) if entry.role != "other"]
    named = {name: entries for name, entries in projects.items() if name}
    if project is not None:
        if project not in named:
            raise UsageError(f"There is no compose project {project}.", where=_names(named), hint="docker compose ls")
        return [named[project]]
    stacks = {name: found for name, found in named.items() if any(e.role in ("broker", "zookeeper") for e in found)}
    at_port = {name: [e for e in found if e.ports & set(ports)] for name, found in stacks.items()}
    publishing = [name for name, found in at_port.items() if any(entry.running for entry in found)]
    publishing = publishing or [name for name, found in at_port.items() if found]
    here = [name for name, found in stacks.items() if directory and _is_at(found, directory)]
    up = [name for name, found in stacks.items() if any(entry.running for entry in found)]
    chosen = publishing or here or up or list(stacks)
    return [stacks[name] for name in sorted(chosen)] or ([by_hand] if by_hand else [])


def _is_at(found: Sequence[Listed], directory: Path) -> bool:
    return any(entry.directory and directory.is_relative_to(entry.directory) for entry in found)


def _names(projects: Iterable[str]) -> str:
    names = sorted(projects)
    return f"This engine has: {', '.join(names)}." if names else "This engine has no compose projects."


# In the order in which they start.
_ORDER: dict[Role, int] = {"zookeeper": 0, "controller": 1, "broker": 2, "other": 3, "ui": 4, "exporter": 5}


def _order(container: Container) -> tuple[int, str]:
    return _ORDER[container.role], container.service
