"""`tail --jq`: a filter that never ends can be stopped, and no option beside it is ignored."""

import signal
import subprocess
import time
from collections.abc import Callable

import psutil
import pytest
from confluent_kafka.admin import NewTopic

from tests.conftest import Outcome, command, create

Run = Callable[..., Outcome]


def busy(tail: "subprocess.Popen[str]") -> psutil.Process:
    """jq's process, once it is at work."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(tail.pid).children():
            if child.cpu_times().user > 0.5:
                return child
        time.sleep(0.1)
    raise AssertionError("jq never began")


@pytest.mark.parametrize("query", ["def f: f; f", "[limit(1e12; repeat(1))]", "repeat(1)"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_filter_that_never_ends_is_ended(
    one_broker: str, kafkactl: Run, query: str, number: signal.Signals, code: int
) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    assert kafkactl("produce", "t", "1").code == 0
    tail = command("tail", "t", "--jq", query)
    worker = busy(tail)
    tail.send_signal(number)
    out, err = tail.communicate(timeout=10)
    assert (tail.returncode, out, err) == (code, "", "")
    assert not worker.is_running()  # jq is gone, too


def test_jq_goes_with_kafkactl_even_where_that_is_killed(one_broker: str, kafkactl: Run) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    assert kafkactl("produce", "t", "1").code == 0
    tail = command("tail", "t", "--jq", "def f: f; f")
    worker = busy(tail)
    tail.kill()
    tail.communicate()
    worker.wait(5)


def test_what_stands_beside_jq_is_honoured(one_broker: str, kafkactl: Run) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    for value in ('{"n": 1}', '{"n": 20}'):
        assert kafkactl("produce", "t", value, "-k", "k").code == 0
    shown = ("tail", "t", "--no-follow")
    assert kafkactl(*shown, "--jq", ".value.n > 5", "--format", "%k=%s;").out == 'k={"n": 20};'
    assert kafkactl(*shown, "--jq", ".value | select(.n > 5)", "--format", "%k=%s;").out == 'k={"n": 20};'
    assert kafkactl(*shown, "-n", "1", "--jq", ".value", "--pretty").out == '{\n  "n": 20\n}\n'
    assert kafkactl(*shown, "-n", "1", "--headers").out.endswith('  k  {"n":20}\n')


@pytest.mark.parametrize(
    "options",
    [
        ("--format", "%s", "-o", "json"),
        ("--format", "%s", "--headers"),
        ("--format", "%s", "--pretty"),
        ("-o", "raw", "--headers"),
        ("-o", "raw", "--pretty"),
        ("-o", "json", "--pretty"),
        ("--mask", "a", "--no-mask"),
    ],
)
def test_nothing_that_was_typed_is_ignored(one_broker: str, kafkactl: Run, options: tuple[str, ...]) -> None:
    run = kafkactl("tail", "t", *options)
    assert (run.code, "cannot be" in run.err) == (2, True), run.err
