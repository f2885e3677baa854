"""How an engine fails, told apart, each with its remedy. The docker library wraps them all in one exception."""

import getpass
import socket
from collections.abc import Iterator
from typing import Literal

from kafkactl.errors import UnreachableError

Kind = Literal["absent", "refused", "denied", "hung", "context", "address", "foreign", "failed"]

_START = "Start it: sudo systemctl start docker, Docker Desktop or colima start.    Without Docker: kafkactl sandbox up"


class EngineError(UnreachableError):
    """The Docker engine cannot be asked. `kind` says why:

    absent (nothing is there), refused (it has stopped), denied (no permission), hung (it does not answer), context
    (the docker context does not exist), address (DOCKER_HOST cannot be used), foreign (something else answers),
    failed (it answered with an error).
    """

    def __init__(self, kind: Kind, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
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
        return EngineError("absent", f"There is no Docker engine at {address}.", where=source, hint=_START)
    if _any(causes, socket.gaierror):
        return EngineError("absent", f"The host of {address} is not known.", where=source, hint="echo $DOCKER_HOST")
    if _any(causes, PermissionError):
        return EngineError(
            "denied",
            f"You ({_user()}) may not use the Docker engine at {address}.",
            where=source,
            hint=f"sudo usermod -aG docker {_user()} && newgrp docker",
        )
    if _any(causes, ConnectionRefusedError) or (answered and _any(causes, ConnectionResetError, BrokenPipeError)):
        how = "connection refused" if _any(causes, ConnectionRefusedError) else "it closed the connection"
        return EngineError("refused", f"The Docker engine at {address} has stopped: {how}.", where=source, hint=_START)
    if _any(causes, TimeoutError, requests.exceptions.Timeout):
        return EngineError(
            "hung",
            f"The Docker engine at {address} does not answer within {limit:g} s.",
            where=source,
            hint="Restart it: sudo systemctl restart docker, Docker Desktop's Restart, or colima restart.",
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
        return EngineError("failed", f"The Docker engine refused: {error.explanation or text}.", where=source)
    if isinstance(error, docker.errors.TLSParameterError | docker.errors.InvalidVersion):
        return EngineError("address", f"{address} cannot be used: {text}.", where=source)
    if text.startswith("Invalid bind"):
        return EngineError(
            "address",
            f"{address} is no Docker engine's address.",
            where=source,
            hint="Write unix:///var/run/docker.sock, tcp://HOST:PORT or ssh://USER@HOST.",
        )
    return EngineError(
        "foreign", f"What answers at {address} is no Docker engine.", where=source, hint="docker context ls"
    )


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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "this user"
