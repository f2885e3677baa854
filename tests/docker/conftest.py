"""One stack for the tests that only look at it."""

from collections.abc import Iterator

import pytest

from tests.docker.compose import ZOOKEEPER_STACK, Stack, stack
from tests.docker.engine import Engine


@pytest.fixture(autouse=True)
def _own_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)


@pytest.fixture(scope="package")
def zookeeper_stack(engine: Engine) -> Iterator[Stack]:
    """The platform's stack, up. A test that breaks it mends it."""
    with stack(engine, ZOOKEEPER_STACK) as there:
        there.compose("up", "-d")
        yield there
