"""The user goes away: closed pipes, Ctrl-C, SIGTERM; and what nobody foresaw."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Outcome, admin_client, command, piped, three_lines
from tests.sandboxes import eventually, free_port

Kafkactl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 3}}", encoding="utf-8")


@pytest.mark.parametrize("reader", [("head", "-c", "1"), ("true",)], ids=" ".join)
def test_a_pipe_that_is_closed_early_ends_quietly(one_broker: str, reader: tuple[str, ...]) -> None:
    names = "".join(f"  t{i}: {{partitions: 1}}\n" for i in range(50))
    Path("topics.yaml").write_text("topics:\n" + names)
    run = piped("describe", "-o", "json", into=reader)
    assert (run.code, run.err) == (0, "")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_test_and_what_it_made_is_removed(sent: signal.Signals, code: int, one_broker: str) -> None:
    Path("topics.yaml").unlink()
    run = command("test", "--count", "100000")
    admin = admin_client(one_broker)

    def scratch() -> list[str]:
        return [name for name in admin.list_topics(timeout=10).topics if name.startswith("kafkactl-test-")]

    deadline = time.monotonic() + 20
    while not scratch() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    run.send_signal(sent)
    _, err = run.communicate(timeout=20)
    assert run.returncode == code, err
    assert "Traceback" not in err
    assert eventually(lambda: not scratch())  # a broker may list a deleted topic for a moment
    assert not [g for g in admin.list_consumer_groups().result().valid if g.group_id.startswith("kafkactl-test-")]


def test_ctrl_c_while_waiting() -> None:
    run = command("init-topics", "--wait", "60s", "-b", f"127.0.0.1:{free_port()}")
    time.sleep(1.0)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=10)
    assert run.returncode == 130
    assert "Traceback" not in err


def test_an_unforeseen_failure_is_no_traceback(kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    # A directory that cannot be listed any more is as unforeseen as anything.
    gone = Path("gone").resolve()
    gone.mkdir()
    monkeypatch.chdir(gone)
    os.rmdir(gone)
    run = kafkactl("diff")
    assert run.code in (1, 2)
    assert "Traceback" not in run.text
    three_lines(run)


_INTERRUPTED = """
import os, signal, threading, time
from confluent_kafka import Producer
from kafkactl.process import interrupts_deferred

def bother():
    for _ in range(300):
        time.sleep(0.0005)
        os.kill(os.getpid(), signal.SIGTERM)

def came(*_):
    global inside
    if inside:
        inside = False  # a second one finds nobody who expects it
        raise SystemExit

signal.signal(signal.SIGTERM, came)
producer = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
thread = threading.Thread(target=bother)
inside, caught = False, 0
thread.start()
while thread.is_alive():
    try:
        inside = True
        with interrupts_deferred():
            producer.produce("t", value=b"v", headers=[("first", b"1"), ("second", b"2")])
    except SystemExit:
        caught += 1
    except BufferError:
        producer.purge()
        producer.poll(0)
    inside = False
print(caught)
"""


def test_a_signal_in_the_middle_of_a_call_to_c_is_not_taken_for_an_error_in_it() -> None:
    run = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 10  # without the deferral: TypeError: expected header key to be unicode string


@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_exception_that_took_the_place_of_a_signals_ends_as_the_signal(sent: str, code: int) -> None:
    lost = f"""
import signal
from kafkactl import cli

def app():
    try:
        signal.raise_signal(signal.{sent})
    except BaseException:
        pass
    raise TypeError("expected header key to be unicode string")

cli.app = app
cli.main()
"""
    run = subprocess.run([sys.executable, "-c", lost], capture_output=True, text=True, timeout=30, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (code, "", "")


_IN_A_CALLBACK = """
import signal
from confluent_kafka import Producer
from kafkactl import process
from kafkactl.errors import Terminated

process.raise_on_signals()
producer = Producer({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 1, "log_level": 0})
producer.produce("t", value=b"v", on_delivery=lambda error, message: signal.raise_signal(signal.SENT))
try:
    while True:
        producer.poll(1)
except (KeyboardInterrupt, Terminated) as end:
    print(type(end).__name__)
"""


@pytest.mark.parametrize(("sent", "raised"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "Terminated")])
def test_a_signal_in_the_middle_of_a_callback_is_what_poll_raises(sent: str, raised: str) -> None:
    code = _IN_A_CALLBACK.replace("SENT", sent)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (run.returncode, run.stdout) == (0, f"{raised}\n"), run.stderr


_WHILE_IMPORTING = """
import signal, sys
from kafkactl.__main__ import main

class Impatient:
    def find_spec(self, name, *_):
        if name == "typer":
            signal.raise_signal(signal.SENT)

sys.meta_path.insert(0, Impatient())
main()
"""


@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_while_kafkactl_is_still_starting_is_no_traceback(sent: str, code: int) -> None:
    script = _WHILE_IMPORTING.replace("SENT", sent)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (code, "", "")


_WHILE_COLLECTING = """
import signal
from kafkactl import process

class Cleared:
    def __init__(self):
        self.itself = self

    def __del__(self):
        signal.raise_signal(signal.SIGINT)

process.raise_on_signals()
process.collect_garbage_by_hand()
Cleared()
try:
    process.collect_garbage()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_signal_while_garbage_is_collected_is_not_lost_among_it() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _WHILE_COLLECTING], capture_output=True, text=True, timeout=30, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "interrupted\n", "")
