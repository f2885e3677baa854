"""kafkactl ps and logs of the sandbox, where there is no Docker engine."""

import json
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kafkactl.text.words import many
from tests.program import KAFKACTL
from tests.sandboxes import Shell, eventually, free_port, shell


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, int]]:
    """A sandbox that is up, on a port of its own, and no engine."""
    home = tmp_path_factory.mktemp("sandbox")
    with shell(home, DOCKER_HOST=f"unix://{home}/none.sock") as here:
        port = free_port()
        assert here.run("up", "--port", str(port)).returncode == 0
        yield here, port
        here.run("down", "--port", str(port))


def run(here: Shell, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*KAFKACTL, *arguments],
        env=here.environment, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_ps(up: tuple[Shell, int]) -> None:
    here, port = up
    done = run(here, "ps")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    heading, row = done.stdout.splitlines()
    assert heading.startswith("SERVICE")
    assert row.split()[:4] == [f"sandbox-{port}-1", "running", "healthy", "0"]
    assert str(port) in row.split()[6]
    (service,) = json.loads(run(here, "ps", "-o", "json").stdout)["services"]
    assert service["memory_bytes"] > 50 * 2**20


def test_an_engine_that_has_stopped_is_said(up: tuple[Shell, int], tmp_path: Path) -> None:
    here, _ = up
    with tempfile.TemporaryDirectory(dir="/tmp") as home, socket.socket(socket.AF_UNIX) as stale:
        stale.bind(f"{home}/docker.sock")
        stale.close()
        other = replace(here, environment={**here.environment, "DOCKER_HOST": f"unix://{home}/docker.sock"})
        done = run(other, "ps")
    assert done.returncode == 0
    assert "is not running: connection refused. Showing only the sandbox." in done.stderr


def test_logs(up: tuple[Shell, int]) -> None:
    here, port = up
    name = f"sandbox-{port}-1"
    last = run(here, "logs", "--tail", "2").stdout.splitlines()
    assert len(last) == 2
    assert run(here, "logs", name, "--tail", "2").stdout.splitlines() == last
    (started,) = run(here, "logs", "--grep", "Kafka Server started").stdout.splitlines()
    assert "INFO" in started
    stamped = json.loads(run(here, "logs", "--tail", "1", "-o", "json").stdout)
    assert stamped["service"] == name
    assert stamped["time"] is not None
    assert run(here, "logs", "--since", "1h").stdout.count("\n") > 2
    wrong = run(here, "logs", "sandbox-1")
    assert wrong.returncode == 2
    assert f"Services: {name}." in wrong.stderr


def test_following_the_sandbox(up: tuple[Shell, int], tmp_path: Path) -> None:
    here, port = up
    log = tmp_path / "log"
    command = [*KAFKACTL, "logs", "-f", "--tail", "0", "--save", str(log)]
    following = subprocess.Popen(command, env=here.environment, stderr=subprocess.PIPE, text=True)
    assert eventually(log.exists)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    Path("topics.yaml").write_text("topics: {made.while.followed: {partitions: 1}}")
    assert run(here, "init-topics", "--brokers", f"127.0.0.1:{port}", "--file", "topics.yaml").returncode == 0
    assert eventually(lambda: "made.while.followed" in log.read_text())
    following.send_signal(signal.SIGINT)
    _, err = following.communicate(timeout=20)
    assert following.returncode == 130
    written = log.read_text().count("\n")
    assert err.endswith(f"Wrote {many(written, 'line')} to {log}.\n")
