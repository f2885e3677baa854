"""Which Docker engine to use, and the ways it may fail to answer, each with its remedy."""

import getpass
import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kafkactl.containers.model import EngineFailure, engine_remedies
from kafkactl.errors import UnreachableError
from kafkactl.text.remedies import in_one_line


class EngineError(UnreachableError):
    """The Docker engine cannot be asked. `kind` says why:

    absent (nothing is there), refused (it has stopped), denied (no permission), hung (it does not answer), context
    (the docker context does not exist), address (DOCKER_HOST cannot be used), foreign (something else answers),
    failed (it answered with an error).
    """

    def __init__(self, kind: EngineFailure, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint or in_one_line(engine_remedies(kind, user())))
        self.kind = kind


def engine_error(
    error: BaseException, address: str, source: str, limit: float, *, answered: bool = False
) -> EngineError:
    """What the docker library raised, as what it means.

    `limit`: the seconds that were waited. `answered`: it was a Docker engine a moment ago.
    """
    import requests

    causes = list(_causes(error))
    if _any(causes, FileNotFoundError):
        return EngineError("absent", f"There is no Docker engine at {address}.", where=source)
    if _any(causes, socket.gaierror):
        return EngineError(
            "absent", f"The host name in {address} does not resolve.", where=source, hint="echo $DOCKER_HOST"
        )
    if _any(causes, PermissionError):
        return EngineError(
            "denied",
            f"You ({user()}) have no permission to use the Docker engine at {address}.",
            where=source,
        )
    if _any(causes, ConnectionRefusedError) or (answered and _any(causes, ConnectionResetError, BrokenPipeError)):
        how = "connection refused" if _any(causes, ConnectionRefusedError) else "it closed the connection"
        return EngineError("refused", f"The Docker engine at {address} is not running: {how}.", where=source)
    if _any(causes, TimeoutError, requests.exceptions.Timeout):
        return EngineError(
            "hung",
            f"The Docker engine at {address} does not answer within {limit:g} s.",
            where=source,
        )
    return _answered_wrongly(error, address, source)


def _answered_wrongly(error: BaseException, address: str, source: str) -> EngineError:
    import docker

    text = str(error).removeprefix("Error while fetching server API version: ").splitlines()[0]
    if "paramiko" in text:
        return EngineError(
            "address",
            f"{address} needs an SSH library that is not installed.",
            where=source,
            hint="pip install 'docker[ssh]'",
        )
    if isinstance(error, docker.errors.APIError):
        return EngineError("failed", f"The Docker engine returned an error: {error.explanation or text}.", where=source)
    if isinstance(error, docker.errors.TLSParameterError | docker.errors.InvalidVersion):
        return EngineError("address", f"Cannot use {address}: {text}.", where=source)
    if text.startswith("Invalid bind"):
        return EngineError(
            "address",
            f"{address} is not a valid Docker engine address.",
            where=source,
            hint="Write unix:///var/run/docker.sock, tcp://HOST:PORT or ssh://USER@HOST.",
        )
    return EngineError("foreign", f"{address} is not a Docker engine.", where=source)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything it wraps: as its cause, its context, or among its arguments."""
    pending, seen = [error], set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        wrapped = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        pending += [inner for inner in wrapped if isinstance(inner, BaseException)]


def _any(causes: list[BaseException], *types: type[BaseException]) -> bool:
    return any(isinstance(cause, types) for cause in causes)


def user() -> str:
    """Who asks."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "this user"


DEFAULT = "unix:///var/run/docker.sock"


@dataclass(frozen=True)
class Endpoint:
    """An engine's address, and who named it. `context`: the docker context, which may bring TLS material."""

    address: str
    source: str
    context: str | None = None


def endpoint(environment: Mapping[str, str]) -> Endpoint:
    """The engine that the docker command would use. Raises EngineError for a context that does not exist.

    Where the default socket is absent, those of rootless Docker, Docker Desktop, colima and Podman are looked for.
    """
    if host := environment.get("DOCKER_HOST"):
        return Endpoint(host, "The address comes from DOCKER_HOST.")
    if named := endpoint_of_context(environment):
        return named
    if not Path(DEFAULT.removeprefix("unix://")).exists():
        for path in _other_sockets(environment):
            if path.is_socket():
                return Endpoint(f"unix://{path}", "DOCKER_HOST is not set; this socket exists.")
    return Endpoint(DEFAULT, "DOCKER_HOST is not set, so the default was tried.")


def endpoint_of_context(environment: Mapping[str, str]) -> Endpoint | None:
    """The engine of the docker context that is current; None where that is the default one. Raises EngineError."""
    name, source = _context_name(environment)
    return None if name == "default" else _of_context(name, source)


def _context_name(environment: Mapping[str, str]) -> tuple[str, str]:
    if name := environment.get("DOCKER_CONTEXT"):
        return name, f"The context comes from DOCKER_CONTEXT={name}."
    config = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        name = json.loads(config.read_bytes()).get("currentContext") or "default"
    except (OSError, ValueError, AttributeError):
        name = "default"
    return name, f"The address comes from the docker context {name}."


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
