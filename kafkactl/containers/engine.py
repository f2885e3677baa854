"""One Docker engine: asking it, within a few seconds, and the few things that change a container."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kafkactl.containers.endpoint import Endpoint, EngineError, endpoint, engine_error
from kafkactl.containers.model import Container, Death, Memory, docker_time, read_container, read_memory
from kafkactl.text.units import is_number

T = TypeVar("T")

# An engine on this machine answers in milliseconds. With kafkactl's own start an engine that hangs costs less than 3 s.
LIMIT = 2.4
_AT_ONCE = 8


@dataclass(frozen=True)
class EngineInfo:
    """The engine itself: its version, its machine's memory (bytes) and architecture, and its clock."""

    version: str
    api_version: str
    memory: int
    architecture: str
    time: datetime | None


class Engine:
    """A connected engine. Everything here raises EngineError where the engine fails."""

    def __init__(self, client: Any, meant: Endpoint) -> None:
        self.client = client
        self.endpoint = meant

    @property
    def host(self) -> str:
        """Where the engine publishes ports, as seen from here."""
        parts = urlsplit(self.endpoint.address)
        return (parts.hostname if parts.scheme in ("tcp", "http", "https", "ssh") else None) or "127.0.0.1"

    def call(self, function: Callable[..., T], *arguments: Any, limit: float = LIMIT, **options: Any) -> T:
        """One of the library's calls. Raises EngineError; `limit` is in seconds."""
        self.client.timeout = limit
        try:
            return function(*arguments, **options)
        except _failures() as error:
            raise self._error(error, limit) from error

    def stream(self, answers: Iterable[T]) -> Iterator[T]:
        """What the engine goes on to answer. Raises EngineError where that breaks off."""
        try:
            yield from answers
        except _failures() as error:
            raise self._error(error, LIMIT) from error

    def _error(self, error: BaseException, limit: float) -> EngineError:
        return engine_error(error, self.endpoint.address, self.endpoint.source, limit, answered=True)

    def listed(self) -> list[Mapping[str, Any]]:
        """Every container, in the engine's short form (Id, Names, Image, Labels, State, …), in one request."""
        return self.call(self.client.containers, all=True)

    def inspect(self, names: Iterable[str]) -> list[Container]:
        """These containers (ids or names), inspected. One that is gone by now is left out."""
        return [read_container(answer) for answer in self._each(self._inspect_one, names) if answer]

    def _inspect_one(self, name: str) -> Any:
        import docker

        try:
            return self.call(self.client.inspect_container, name)
        except EngineError as error:
            if isinstance(error.__cause__, docker.errors.NotFound):
                return None
            raise

    def memory(self, containers: Iterable[Container]) -> dict[str, Memory]:
        """The memory use of running containers, by id. Those without a figure are left out."""
        running = [container.id for container in containers if container.status == "running"]
        found = {
            id: read_memory(answer or {}) for id, answer in zip(running, self._each(self._stats, running), strict=True)
        }
        return {id: memory for id, memory in found.items() if memory}

    def _stats(self, id: str) -> Any:
        import docker

        # One shot: otherwise the engine takes two samples, a second apart, for a figure (CPU) that is not asked for.
        quick = not docker.utils.version_lt(self.client.api_version, "1.41")
        try:
            return self.call(self.client.stats, id, stream=False, one_shot=True if quick else None)
        except EngineError as error:
            if error.kind == "failed":  # it ended a moment ago
                return None
            raise

    def _each(self, function: Callable[[str], T], names: Iterable[str]) -> list[T]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(function, names))

    def info(self) -> EngineInfo:
        """The engine and its machine."""
        answer = self.call(self.client.info)
        return EngineInfo(
            version=answer.get("ServerVersion", ""),
            api_version=self.client.api_version,
            memory=answer.get("MemTotal", 0),
            architecture=answer.get("Architecture", ""),
            time=docker_time(answer.get("SystemTime")),
        )

    def architecture(self, image: str) -> str:
        """What an image was built for (amd64, arm64); "" where the engine does not know the image any more."""
        try:
            return str(self.call(self.client.inspect_image, image).get("Architecture", ""))
        except EngineError as error:
            if error.kind == "failed":
                return ""
            raise

    def deaths(self, seconds: float) -> dict[str, Death]:
        """The last exit of each container within a number of seconds, by id, as far as the engine remembers it."""
        now = time.time()
        asked = {"type": "container", "event": ["die", "oom"]}
        events = self.call(self.client.events, since=int(now - seconds), until=int(now) + 1, filters=asked, decode=True)
        short_of_memory: set[str] = set()
        found: dict[str, Death] = {}
        for event in self.stream(events):
            id = event.get("id", "")
            if event.get("status") == "oom":
                short_of_memory.add(id)
            else:
                code = event.get("Actor", {}).get("Attributes", {}).get("exitCode", "0")
                found[id] = Death(int(code) if is_number(code.lstrip("-")) else 0, id in short_of_memory)
                short_of_memory.discard(id)
        return found

    def start(self, name: str) -> None:
        """Start a container that was stopped, or go on with one that is paused."""
        for container in self.inspect([name]):
            self.call(self.client.unpause if container.status == "paused" else self.client.start, name, limit=30)

    def restart(self, name: str, grace: int) -> None:
        """Restart a container, which has `grace` seconds to stop cleanly before it is killed."""
        # The engine answers when it is done, and the library adds the grace to its limit itself.
        self.call(self.client.restart, name, timeout=grace, limit=30)


def _failures() -> tuple[type[Exception], ...]:
    """What the docker library lets through: its own exceptions, those of its HTTP libraries, and of what it unpacks."""
    import struct

    import docker
    import requests
    import urllib3

    return (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        ValueError,
        struct.error,
    )


def connect_engine(environment: Mapping[str, str] = os.environ) -> Engine:
    """The selected engine, connected. Raises EngineError."""
    import docker
    from docker.context import ContextAPI
    from docker.utils import kwargs_from_env

    meant = endpoint(environment)
    try:
        if meant.context:
            address = ContextAPI.kwargs_from_context(meant.context, environment)
        elif environment.get("DOCKER_HOST"):
            address = kwargs_from_env(environment=environment)
        else:
            address = {"base_url": meant.address}
        return Engine(docker.APIClient(**address, version="auto", timeout=LIMIT), meant)
    except _failures() as error:
        raise engine_error(error, meant.address, meant.source, LIMIT) from error
