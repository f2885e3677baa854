"""A broker as others see it."""

from dataclasses import dataclass
from pathlib import Path

from kafkactl.sandbox.ports import HOST


@dataclass(frozen=True)
class Node:
    """A broker (which is a controller too): its node id, its ports, its directory and, once started, its process."""

    id: int
    port: int
    controller_port: int
    directory: Path
    pid: int = 0

    @property
    def log(self) -> Path:
        """What the broker wrote to stdout and stderr, over all its starts."""
        return self.directory / "broker.log"

    @property
    def address(self) -> str:
        """host:port, as clients reach it."""
        return f"{HOST}:{self.port}"
