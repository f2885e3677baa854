"""Which engine is meant: DOCKER_HOST, else the docker context, else the first socket that is there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kafkactl.containers.failures import EngineError

DEFAULT = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Endpoint:
    """An engine's address, and who named it. `context`: the docker context, which may bring TLS material."""

    address: str
    source: str
    context: str | None = None


def endpoint(environment: Mapping[str, str]) -> Endpoint:
    """The engine that is meant, as the docker command has it. Raises EngineError for a context that does not exist.

    Where the default socket is absent, those of rootless Docker, Docker Desktop, colima and Podman are looked for.
    """
    if host := environment.get("DOCKER_HOST"):
        return Endpoint(host, "DOCKER_HOST gives this address.")
    if named := endpoint_of_context(environment):
        return named
    if not Path(DEFAULT.removeprefix("unix://")).exists():
        for path in _other_sockets(environment):
            if path.is_socket():
                return Endpoint(f"unix://{path}", "DOCKER_HOST is not set; this socket is there.")
    return Endpoint(DEFAULT, "DOCKER_HOST is not set, so the default was tried.")


def endpoint_of_context(environment: Mapping[str, str]) -> Endpoint | None:
    """The engine of the docker context that is current; None where that is the default one. Raises EngineError."""
    name, source = _context_name(environment)
    return None if name == "default" else _of_context(name, source)


def _context_name(environment: Mapping[str, str]) -> tuple[str, str]:
    if name := environment.get("DOCKER_CONTEXT"):
        return name, f"DOCKER_CONTEXT={name} names it."
    config = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        name = json.loads(config.read_bytes()).get("currentContext") or "default"
    except (OSError, ValueError, AttributeError):
        name = "default"
    return name, f"The docker context {name} names it."


def _of_context(name: str, source: str) -> Endpoint:
    from docker.context import ContextAPI
    from docker.errors import ContextException

    # The library falls back to the default socket where a context is unknown: it would show another engine's stack.
    try:
        context = ContextAPI.get_context(name)
    except (ContextException, OSError, ValueError, KeyError):
        context = None
    if context is None:
        raise EngineError(
            "context",
            f"There is no docker context {name}.",
            where=source,
            hint="docker context ls    docker context use default",
        )
    return Endpoint((context.Host or DEFAULT).removeprefix("http+"), source, context=name)


def _other_sockets(environment: Mapping[str, str]) -> list[Path]:
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    home = Path.home()
    return [
        runtime / "docker.sock",
        home / ".docker" / "run" / "docker.sock",
        home / ".docker" / "desktop" / "docker.sock",
        home / ".colima" / "default" / "docker.sock",
        runtime / "podman" / "podman.sock",
        Path("/run/podman/podman.sock"),
    ]
