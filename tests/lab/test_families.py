"""Each family's quick start is healthy, and with one fault in it that fault is found, by the family's own words."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker.engine import Engine
from tests.lab.examination import Doctor, after, until_told
from tests.lab.families import FAMILIES, services_of_family
from tests.lab.stacks import LabStack, lab_stack, tiny

QUICK = "bitnami"  # what `make test` looks at; `make lab` looks at all of them


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.quick] if name == QUICK else []) for name in FAMILIES])
def stack(
    request: pytest.FixtureRequest, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[LabStack]:
    """The family's quick start, and an application that uses it."""
    yield from _of(request.param, engine, monkeypatch, tmp_path)


def _of(name: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[LabStack]:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with lab_stack(engine, home, empty=True) as there:
        there.services = services_of_family(name, engine, there.project, there.port)
        there.volumes = {"kafka-data": None}
        monkeypatch.setenv("KAFKA_BROKERS", there.brokers)
        yield there


@pytest.fixture
def family(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], LabStack]]:
    """Makes the quick start of one family."""
    made: list[Iterator[LabStack]] = []

    def make(name: str) -> LabStack:
        made.append(_of(name, engine, monkeypatch, tmp_path))
        return next(made[-1])

    yield make
    for entry in made:
        next(entry, None)


def inner(stack: LabStack) -> str:
    """The address that containers use, by the broker's variables."""
    environment = stack.kafka["environment"]
    text = next((value for name, value in environment.items() if name.endswith("ADVERTISED_LISTENERS")), "")
    return next((entry.partition("://")[2] for entry in text.split(",") if "kafka" in entry), stack.brokers)


def test_a_quick_start_is_healthy(doctor: Doctor, stack: LabStack) -> None:
    if "kafka" in inner(stack):
        given = {"APP_KAFKA": inner(stack)}
        stack.services["app"] = tiny(stack.engine, stack.project, "app", environment=given)
    stack.up()
    seen = doctor("--wait", "60s", "--fail-on", "error")
    assert seen.found() == expected(stack), seen.told
    assert seen.exit_code == 0


def expected(stack: LabStack) -> list[str]:
    """What is said of the quick start: Strimzi's keeps its data in the container."""
    return [] if stack.kafka["volumes"] else ["KD201"]


@pytest.mark.provokes("KD310", "an application that is told localhost, by a name of its own")
def test_an_application_told_localhost_is_found(doctor: Doctor, stack: LabStack) -> None:
    given: dict[str, Any] = {"EVENTS": f"localhost:{stack.port}"}
    stack.services["app"] = tiny(stack.engine, stack.project, "app", environment=given)
    stack.up()
    seen = until_told(doctor, "KD310", "--wait", "20s", seconds=100)
    assert seen.found() == sorted([*expected(stack), "KD310"]), seen.told
    assert f"localhost:{stack.port}" in seen.headline
    if "kafka" in inner(stack):
        assert f"set EVENTS: {inner(stack)} (in place of localhost:{stack.port}), then" in seen.remedies("KD310")[0]
        stack.services["app"] = tiny(stack.engine, stack.project, "app", environment={"EVENTS": inner(stack)})
        stack.write()
        after(seen.command("KD310"), "--wait", "20s").content()


@pytest.mark.quick
@pytest.mark.provokes(
    "KD113", "a variable without Bitnami's prefix", family="bitnami", healed="by the remedy, in the compose file"
)
def test_a_variable_without_the_prefix(doctor: Doctor, family: Callable[[str], LabStack]) -> None:
    stack = family("bitnami")
    stack.kafka["environment"]["KAFKA_MESSAGE_MAX_BYTES"] = "5000000"
    stack.up()
    seen = doctor("--wait", "60s")
    seen.names("KD113", exit_code=0)
    assert "KAFKA_CFG_MESSAGE_MAX_BYTES instead of KAFKA_MESSAGE_MAX_BYTES" in seen.remedies("KD113")[0]
    del stack.kafka["environment"]["KAFKA_MESSAGE_MAX_BYTES"]
    stack.kafka["environment"]["KAFKA_CFG_MESSAGE_MAX_BYTES"] = "5000000"
    stack.write()
    after(seen.command("KD113"), "--wait", "60s").content()


@pytest.mark.quick
@pytest.mark.provokes("KD114", "no ALLOW_PLAINTEXT_LISTENER", family="bitnami", healed="by the remedy")
def test_a_required_variable_of_bitnami(doctor: Doctor, family: Callable[[str], LabStack]) -> None:
    stack = family("bitnami")
    del stack.kafka["environment"]["ALLOW_PLAINTEXT_LISTENER"]
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD114")
    assert "\x1b" not in str(seen.document)
    assert "ALLOW_PLAINTEXT_LISTENER" in seen.headline
    stack.kafka["environment"]["ALLOW_PLAINTEXT_LISTENER"] = "yes"
    stack.write()
    after(seen.command("KD114"), "--wait", "60s").content()


@pytest.mark.provokes("KD114", "configured for ZooKeeper", family="cp 8", healed="with KRaft's variables")
def test_zookeeper_variables_with_an_image_that_has_none(doctor: Doctor, family: Callable[[str], LabStack]) -> None:
    stack = family("cp")
    right = dict(stack.kafka["environment"])
    stack.kafka["environment"] = {
        "KAFKA_HEAP_OPTS": right["KAFKA_HEAP_OPTS"],
        "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
        "KAFKA_ADVERTISED_LISTENERS": right["KAFKA_ADVERTISED_LISTENERS"],
    }
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD114")
    assert "its Kafka has no ZooKeeper any more" in seen.headline
    stack.kafka["environment"] = right
    stack.write()
    after(seen.command("KD114"), "--wait", "60s").content()
