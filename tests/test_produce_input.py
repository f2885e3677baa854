"""produce: what is read, and how: one value from a file, other ends of records, marks, terminals, many copies."""

import json
import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from tests.conftest import KAFKACTL, Outcome, command, create, without_cluster
from tests.test_terminal import Terminal

Run = Callable[..., Outcome]


@pytest.fixture
def topic(one_broker: str, tmp_path: Path) -> str:
    (tmp_path / ".git").mkdir()
    create(one_broker, NewTopic("t", 1, 1))
    return "t"


def values(kafkactl: Run) -> list[str]:
    run = kafkactl("tail", "t", "--from-beginning", "--no-follow", "-o", "json")
    return [json.loads(line)["value"] for line in run.out.splitlines()]


def test_a_file_is_one_value(topic: str, kafkactl: Run) -> None:
    Path("v").write_text('{"a":\n 1}\n')
    assert kafkactl("produce", topic, "--value-file", "v", "-k", "k").code == 0
    both = kafkactl("produce", topic, "x", "--value-file", "v")
    assert (both.code, "cannot be combined" in both.err) == (2, True)
    assert kafkactl("produce", topic, "--value-file", "gone").code == 2
    assert values(kafkactl) == ['{"a":\n 1}\n']


@pytest.mark.parametrize(("end", "text"), [(r"\0", "a\nb\0c\0"), ("--\\n", "a\nb--\nc--\n"), ("ENDE", "a\nbENDEc")])
def test_records_end_where_it_is_said(end: str, text: str, topic: str, kafkactl: Run) -> None:
    Path("lines").write_text(text)
    run = kafkactl("produce", topic, "--delimiter", end, "-l", "lines")
    assert run.code == 0, run.text
    assert values(kafkactl) == ["a\nb", "c"]


def test_a_mark_before_the_text_is_no_part_of_it(topic: str, kafkactl: Run) -> None:
    Path("lines").write_text("\ufeffk:a\nl:b\n", encoding="utf-8")
    assert kafkactl("produce", topic, "-K", ":", "-l", "lines").code == 0
    run = kafkactl("tail", topic, "--no-follow", "--format", r"%k=%s\n")
    assert run.out == "k=a\nl=b\n"


def test_a_separator_may_be_a_tab(topic: str, kafkactl: Run) -> None:
    Path("lines").write_text("k\ta\n")
    assert kafkactl("produce", topic, "-K", r"\t", "-l", "lines").code == 0
    assert kafkactl("tail", topic, "--no-follow", "--format", r"%k=%s\n").out == "k=a\n"


def test_a_line_that_a_terminal_cuts_is_not_sent(topic: str, kafkactl: Run) -> None:
    terminal = Terminal("produce", topic)
    terminal.expect("Enter one record per line")
    terminal.type("short\n")
    terminal.type("x" * 5000 + "\n")
    terminal.type("\x04")
    assert terminal.end() == 1
    assert "this one may be cut" in terminal.raw
    assert values(kafkactl) == ["short"]


def test_copies_that_were_not_tried_are_a_number(topic: str, kafkactl: Run, tmp_path: Path) -> None:
    run = command("produce", topic, "it's a value", "-k", "k", "--count", "5000000", "--rate", "5/s")
    import time

    time.sleep(3)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "not sent: Ctrl-C" in err
    assert "Send the rest: kafkactl produce t 'it'\"'\"'s a value' --rate 5/s -k k --count 49999" in err
    assert sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) < 10_000


def test_a_line_without_end_is_given_up_and_accounted_for(topic: str) -> None:
    script = f"(printf 'a\\nb\\n'; head -c 400000000 /dev/zero) | {shlex.join([*KAFKACTL, 'produce', topic])}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert without_cluster(done.stderr).startswith(
        "2 of 2 records acknowledged; the input was not read to its end: a line is longer than 256 MiB."
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("produce", "t", "--value-file", "/dev/zero"),
        ("describe", "--client-config", "/dev/zero"),
        ("doctor", "--from", "/dev/zero"),
        ("init-topics", "--file", "/dev/zero"),
        ("groups", "reset", "g", "--from-file", "/dev/zero"),
    ],
)
def test_a_file_without_end_is_refused(arguments: tuple[str, ...], topic: str, kafkactl: Run) -> None:
    run = kafkactl(*arguments)
    assert run.code == 2, run.text
    assert "/dev/zero" in run.err
