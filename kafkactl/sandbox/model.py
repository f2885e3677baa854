"""A broker as others see it, and what it needs besides its own directory."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from kafkactl.errors import UsageError
from kafkactl.sandbox.java import Java
from kafkactl.sandbox.ports import HOST


@dataclass(frozen=True)
class Node:
    """A broker (which is a controller too): its node id, its ports, its directory and, once started, its process.

    A secured one has a port for each of its listeners, of which `port` is the first, and one for INTERNAL.
    """

    id: int
    port: int
    controller_port: int
    directory: Path
    pid: int = 0
    internal_port: int = 0
    ports: tuple[int, ...] = ()

    @property
    def log(self) -> Path:
        """What the broker wrote to stdout and stderr, over all its starts."""
        return self.directory / "broker.log"

    @property
    def inner_port(self) -> int:
        """The port on which a client is served as it is, and may do everything."""
        return self.internal_port or self.port

    @property
    def address(self) -> str:
        """host:port, as clients reach it."""
        return f"{HOST}:{self.port}"


@dataclass(frozen=True)
class Distribution:
    """A Kafka version that is ready to run.

    `format` is a directory with what StorageTool writes into an empty data directory, less meta.properties.
    `aot` is None where there is no AOT cache: the broker starts without, slower.
    """

    version: str
    java: Java
    class_path: str
    format: Path
    aot: Path | None


SIZES = (1, 3)  # brokers of a sandbox that is started by hand
MOST = range(1, 6)  # and of one that a program needs


def check_size(brokers: int, sizes: Container[int] = SIZES) -> None:
    """Raise UsageError for a number of brokers that the sandbox does not support."""
    if brokers not in sizes:
        raise UsageError(f"A sandbox can have 1 or 3 brokers, not {brokers}.")
