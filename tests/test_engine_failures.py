"""A Docker engine that cannot be asked: each way for real, told apart, with its remedy. No engine is needed here."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.docker.stranger import as_a_stranger
from tests.sandboxes import free_port

Kafkactl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))


@pytest.fixture
def path() -> Iterator[str]:
    """Where a socket can be: pytest's own directories are too deep for one."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="kafkactl-", dir="/tmp") as home:
        os.chmod(home, 0o755)
        yield f"{home}/docker.sock"


def failed(run: Outcome, *words: str) -> None:
    """Three lines at most, exit code 3, no traceback, and these words."""
    assert run.code == 3, run.text
    assert run.out == "" or json.loads(run.out)["kind"] == "error"
    assert len(run.err.splitlines()) <= 3, run.err
    assert "Traceback" not in run.err
    for word in words:
        assert word in run.err, run.err


@pytest.mark.parametrize("command", [("ps",), ("logs",), ("ps", "-o", "json")])
def test_absent(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, path: str, command: tuple[str, ...]) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    failed(
        kafkactl(*command), f"There is no Docker engine at unix://{path}.", "comes from DOCKER_HOST", "systemctl start"
    )


def test_stopped_and_its_socket_left_behind(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    failed(kafkactl("ps"), "is not running: connection refused", "systemctl start docker")


def test_nobody_listens_on_the_port(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{free_port()}")
    failed(kafkactl("ps"), "is not running: connection refused")


def test_a_host_nobody_knows(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.invalid:2375")
    failed(kafkactl("ps"), "The host name in tcp://engine.invalid:2375 does not resolve", "DOCKER_HOST")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_denied(path: str) -> None:
    """As another user, who may not write to the socket."""
    run = as_a_stranger(path, "ps")
    failed(run, "You (operator) have no permission to use the Docker engine", "sudo usermod -aG docker operator")


def test_hung(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """A socket that accepts and says nothing."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        failed(kafkactl("ps"), "does not answer within 2.4 s", "systemctl restart docker")


@pytest.mark.parametrize("answer", [(200, b"{}"), (404, b"not found"), (200, b"<html>")])
def test_somebody_else_answers(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes]) -> None:
    code, body = answer

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        failed(kafkactl("ps"), "is not a Docker engine", "docker context ls")
        server.shutdown()


def test_not_even_http(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, one_broker: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://{one_broker}")
    failed(kafkactl("ps"), "is not a Docker engine")


@pytest.mark.parametrize("address", ["ftp://somewhere", "nonsense:::", "tcp://"])
def test_an_address_that_is_none(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    failed(
        kafkactl("ps"), f"{address} is not a valid Docker engine address.", "comes from DOCKER_HOST", "tcp://HOST:PORT"
    )


def test_an_unknown_context_is_not_taken_for_the_default(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "colmia")
    failed(
        kafkactl("ps"),
        "There is no docker context colmia",
        "comes from DOCKER_CONTEXT=colmia",
        "docker context ls",
    )


def test_the_current_context_of_the_docker_command(
    kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, path: str, tmp_path: Path
) -> None:
    """As colima and Docker Desktop write it; its address is the one that is told."""
    from docker.context import ContextAPI

    config = tmp_path / "docker"
    config.mkdir()
    (config / "config.json").write_text("{}")
    ContextAPI.create_context("colima", host=f"unix://{path}")
    (config / "config.json").write_text(json.dumps({"currentContext": "colima"}))
    failed(
        kafkactl("ps"),
        f"There is no Docker engine at unix://{path}",
        "The address comes from the docker context colima.",
    )
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}x")
    failed(kafkactl("ps"), f"unix://{path}x", "comes from DOCKER_HOST")


def test_other_sockets_are_found_where_the_default_is_absent(
    kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Podman's and rootless Docker's."""
    if Path("/var/run/docker.sock").exists():
        pytest.skip("there is a default socket")
    runtime = Path(path).parent
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("HOME", str(runtime))
    failed(kafkactl("ps"), "There is no Docker engine at unix:///var/run/docker.sock", "so the default was tried")
    (runtime / "podman").mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(runtime / "podman" / "podman.sock"))
    failed(kafkactl("ps"), f"unix://{runtime}/podman/podman.sock is not running", "this socket exists")
