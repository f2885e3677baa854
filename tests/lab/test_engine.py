"""KD0: an engine that is not there, refuses, hangs, is another one, or has no stack."""

import json
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import codes
from kafkactl.doctor.diagnosis import diagnose
from kafkactl.doctor.facts import EngineFacts
from kafkactl.sandbox.foreground import throwaway
from tests.docker.engine import Engine
from tests.docker.stranger import as_a_stranger
from tests.lab.examination import Doctor, after, examination
from tests.lab.stacks import lab_stack, tiny
from tests.sandboxes import eventually, free_port
from tests.test_doctor import sound

pytestmark = pytest.mark.quick


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address of this machine where no Kafka is, and what KAFKA_BROKERS says."""
    address = f"localhost:{free_port()}"
    monkeypatch.setenv("KAFKA_BROKERS", address)
    return address


@pytest.fixture
def path() -> Iterator[str]:
    """Where a socket can be: pytest's own directories are too deep for one."""
    with tempfile.TemporaryDirectory(prefix="kafkactl-", dir="/tmp") as home:
        os.chmod(home, 0o755)
        yield f"{home}/docker.sock"


@pytest.mark.provokes("KD001", "the engine has stopped; its socket is left", healed="with the engine")
def test_engine_down(doctor: Doctor, dead: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    seen = doctor()
    seen.names("KD001")
    assert seen.checks["KD302"]["because"] == "KD001"
    assert seen.checks["KD101"]["because"] == "KD001"
    Path(path).unlink()
    doctor().names("KD001")  # no socket at all, where DOCKER_HOST names one


def test_nobody_misses_an_engine_that_nobody_named(
    doctor: Doctor, one_broker: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    seen = doctor()
    seen.content()
    assert "no Docker engine" in seen.checks["KD101"]["reason"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.provokes("KD002", "a user who is not in the group docker", healed="no command can, in a test")
def test_engine_denied(doctor: Doctor, dead: str, path: str) -> None:
    seen = examination(as_a_stranger(path, "doctor", "-o", "json"))
    seen.names("KD002")
    assert seen.command("KD002") == "sudo usermod -aG docker operator && newgrp docker"


@pytest.mark.lab
@pytest.mark.provokes("KD003", "the engine hangs, with its stack running", healed="with the engine")
def test_engine_hung(doctor: Doctor, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if engine.process is None:
        pytest.skip("the engine that is there is not ours to stop")
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with lab_stack(engine, tmp_path) as stack:
        stack.up()
        monkeypatch.setenv("KAFKA_BROKERS", stack.brokers)
        doctor("--wait", "60s").content()
        with hung(engine):
            # Containers live without it: Kafka serves, and what can be looked at is.
            serving = doctor()
            serving.names("KD003", exit_code=0)
            assert serving.checks["KD501"]["state"] == "passed"
            monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{free_port()}")
            silent = doctor()
            silent.names("KD003")
            assert silent.checks["KD302"]["because"] == "KD003"
        monkeypatch.setenv("KAFKA_BROKERS", stack.brokers)
        doctor("--wait", "10s").content()


class hung:
    """The engine stopped for a while."""

    def __init__(self, engine: Engine) -> None:
        assert engine.process
        self._process = engine.process

    def __enter__(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        assert eventually(lambda: psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGCONT)


@pytest.mark.provokes("KD004", "DOCKER_CONTEXT names a context that does not exist", healed="without it")
def test_wrong_engine(doctor: Doctor, dead: str, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "colmia")
    seen = doctor()
    seen.names("KD004")
    assert "colmia" in seen.headline
    monkeypatch.delenv("DOCKER_CONTEXT")
    monkeypatch.setenv("DOCKER_HOST", "ftp://nowhere")
    doctor().names("KD004")


@pytest.mark.provokes("KD004", "DOCKER_HOST overrules the context that has the stack", healed="by the remedy")
def test_overruled_context(
    doctor: Doctor, dead: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from docker.context import ContextAPI

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    ContextAPI.create_context("colima", host="unix:///nowhere/docker.sock")
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "colima"}))
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    doctor().names_both("KD006", "KD004")


@pytest.mark.provokes("KD005", "compose was taken away under its stack", healed="with compose")
def test_no_compose(doctor: Doctor, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with throwaway() as sandbox, lab_stack(engine, tmp_path, empty=True) as stack:
        # A container that publishes the sandbox's port would take it; by host network it needs none.
        stack.services["kafka"] = tiny(engine, stack.project, "kafka", network_mode="host")
        stack.up()
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        seen = doctor("KD005")
        assert seen.found("info") == ["KD005"]
        assert seen.exit_code == 0
        monkeypatch.undo()


@pytest.mark.lab
@pytest.mark.provokes("KD006", "nobody started the stack")
def test_no_stack(doctor: Doctor, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with lab_stack(engine, tmp_path) as stack:
        stack.file = tmp_path / "docker-compose.yml"
        stack.write()
        monkeypatch.setenv("COMPOSE_PROJECT_NAME", stack.project)
        monkeypatch.setenv("KAFKA_BROKERS", stack.brokers)
        seen = doctor()
        seen.names("KD006")
        assert seen.checks["KD302"]["because"] == "KD006"
        after(seen.command("KD006"), "--wait", "60s").content()


@pytest.mark.provokes("KD007", "a clock that is 5 minutes ahead, in made-up facts", healed="made up")
def test_clock_skew(doctor: Doctor) -> None:
    def told(seconds: float) -> list[str]:
        facts = replace(sound(), engine=EngineFacts("unix:///x", "", ahead=seconds), missing={})
        return [
            finding.severity
            for finding in diagnose(facts, codes(), CHECKS, wanted=["KD007"]).findings("error", "warning")
        ]

    assert told(1.9) == []
    assert told(-5) == ["warning"]
    assert told(300) == ["error"]
