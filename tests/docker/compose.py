"""Stacks: the repository's compose files, started with the images of the tests, on ports of their own."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kafkactl.doctor.collect_stack import compose_program
from tests.conftest import REPOSITORY
from tests.docker.engine import Engine
from tests.sandboxes import free_port

ZOOKEEPER_STACK, KRAFT_STACK = "docker-compose.yml", "docker-compose.kraft.yml"
_PORTS = {
    ZOOKEEPER_STACK: ("ZOOKEEPER_PORT", "KAFKA_INTERNAL_PORT", "KAFKA_PORT", "KAFKA_UI_PORT", "KAFKA_EXPORTER_PORT"),
    KRAFT_STACK: ("KAFKA_PORT_1", "KAFKA_PORT_2", "KAFKA_PORT_3"),
}
_KAFKACTL = "kafkactl-test/kafkactl"  # built by compose itself, from the Dockerfile


@dataclass(frozen=True)
class Stack:
    """A compose project. `ports` has the host's ports by the variable that sets each."""

    engine: Engine
    file: str
    project: str
    environment: dict[str, str]
    ports: dict[str, int]
    overrides: tuple[Path, ...] = field(default=())

    @property
    def brokers(self) -> str:
        """What KAFKA_BROKERS says on the host."""
        names = [name for name in _PORTS[self.file] if name == "KAFKA_PORT" or name.startswith("KAFKA_PORT_")]
        return ",".join(f"localhost:{self.ports[name]}" for name in names)

    def compose(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run compose on this project."""
        files = [word for path in (REPOSITORY / self.file, *self.overrides) for word in ("-f", str(path))]
        done = subprocess.run(
            [*command(), "-p", self.project, *files, *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done


def command() -> list[str]:
    """What the doctor's remedies name: `docker compose` where it is installed, else docker-compose 1.29, as in CI."""
    return list(compose_program())


def plain(file: str) -> dict[str, object]:
    """A compose file as compose reads it, with no variable set."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(
        [*command(), "-p", "plain", "-f", str(REPOSITORY / file), "config"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    import yaml

    return json.loads(json.dumps(yaml.safe_load(done.stdout)))  # type: ignore[no-any-return]


@contextmanager
def stack(engine: Engine, file: str, *overrides: Path, **environment: str) -> Iterator[Stack]:
    """A project of this compose file, not started yet; with its volumes it is gone at the end.

    `overrides` are further compose files, `environment` further variables.
    """
    ports = {name: free_port() for name in _PORTS[file]}
    images = {
        "ZOOKEEPER_IMAGE": engine.images.name("zookeeper"),
        "KAFKA_IMAGE": engine.images.name("kafka" if file == ZOOKEEPER_STACK else "kraft"),
        "KAFKA_UI_IMAGE": engine.images.name("ui"),
        "KAFKA_EXPORTER_IMAGE": engine.images.name("exporter"),
        "PYTHON_IMAGE": engine.images.name("python"),
        "KAFKACTL_IMAGE": _KAFKACTL,
    }
    variables = {"DOCKER_HOST": engine.host, **images, **{name: str(port) for name, port in ports.items()}}
    project = f"kafkactl-test-{uuid.uuid4().hex[:8]}"
    variables["STACK"] = project
    there = Stack(
        engine,
        file,
        project,
        {**os.environ, **variables, **environment},
        ports,
        overrides,
    )
    try:
        yield there
    finally:
        there.compose("down", "-v", "--remove-orphans", check=False)
        engine.images.adopt(_KAFKACTL)
