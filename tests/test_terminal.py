"""kafkactl on a terminal: questions, colours, and a width to fit into."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import NewTopic

from kafkactl.view.output import cell_width
from tests import conftest
from tests.conftest import admin_client, create
from tests.program import KAFKACTL

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A command on a pseudo-terminal of so many columns."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 100,
        rows: int = 40,
        kind: str = "xterm-256color",
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
        self._process = subprocess.Popen(
            [*KAFKACTL, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**environment, "TERM": kind, **(more or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no other thread runs
        )
        os.close(terminal)
        self.raw = ""

    def expect(self, text: str, seconds: float = 20) -> None:
        """Read until this text has appeared."""
        deadline = time.monotonic() + seconds
        while text not in self.raw:
            assert time.monotonic() < deadline, self.raw
            assert self._read(0.2), self.raw

    def type(self, text: str) -> None:
        os.write(self._controller, text.encode())

    def end(self, seconds: float = 30) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._read(0.2):
            pass
        os.close(self._controller)
        return self._process.wait(10)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._controller], [], [], seconds)
        if not ready:
            return True
        try:
            part = os.read(self._controller, 65536)
        except OSError:
            return False
        self.raw += part.decode()
        return bool(part)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen in the end: a carriage return writes a line anew."""
        written = ESCAPE.sub("", self.raw).replace("\r\n", "\n")
        return [line.rpartition("\r")[2] for line in written.split("\n")]


def partitions(brokers: str, topic: str) -> int:
    return len(admin_client(brokers).list_topics(timeout=10).topics[topic].partitions)


def test_a_typed_yes_allows_a_risk(one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    Path("topics.yaml").write_text("topics: {a: {partitions: 2}}")
    terminal = Terminal("init-topics")
    terminal.expect("Breaks key order for a. Proceed? Type yes: ")
    terminal.type("yes\n")
    assert terminal.end() == 0, terminal.raw
    assert partitions(one_broker, "a") == 2


def test_anything_else_leaves_it_alone(one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    Path("topics.yaml").write_text("topics: {a: {partitions: 2}}")
    terminal = Terminal("init-topics")
    terminal.expect("Type yes: ")
    terminal.type("\n")
    assert terminal.end() == 1
    assert partitions(one_broker, "a") == 1


def test_ctrl_c_at_a_question_changes_nothing(one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    Path("topics.yaml").write_text("topics: {a: {partitions: 2}}")
    terminal = Terminal("init-topics")
    terminal.expect("Type yes: ")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.raw
    assert partitions(one_broker, "a") == 1


def test_the_name_of_a_protected_environment_is_typed(one_broker: str) -> None:
    Path("topics.yaml").write_text(
        f"environments: {{prod: {{brokers: ['{one_broker}'], protected: true}}}}\ntopics: {{a: {{partitions: 1}}}}"
    )
    wrong = Terminal("init-topics")
    wrong.expect("prod is protected. Type its name")
    wrong.type("yes\n")
    assert wrong.end() == 2
    right = Terminal("init-topics")
    right.expect("prod is protected. Type its name")
    right.type("prod\n")
    assert right.end() == 0
    assert partitions(one_broker, "a") == 1


@pytest.mark.parametrize("kind", ["xterm-256color", "dumb"])
def test_everything_fits_into_80_columns(kind: str, one_broker: str) -> None:
    names = ["accounting.settlement.completed", "accounting.transaction.created", "payment.created"]
    create(one_broker, *(NewTopic(name, 3, 1) for name in names))
    Path("topics.yaml").write_text(
        "topics:\n" + "".join(f"  {name}: {{partitions: 6, retention: 1d}}\n" for name in names)
    )
    for arguments in (("describe",), ("diff",), ("test", "--count", "2"), ("describe", names[0])):
        terminal = Terminal(*arguments, columns=80, kind=kind)
        terminal.end()
        # What is long by nature is a sentence with a command to copy; figures and tables fit.
        long = [line for line in terminal.lines if len(line) > 80 and "Apply with" not in line]
        assert long == [], arguments
        assert "…" not in "".join(terminal.lines)


GROUP, TOPIC = "g" * 300, "t" * 249


def commit(brokers: str, group: str, topic: str) -> None:
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
    consumer.close()


WIDE = [
    ("lag",),
    ("groups", "list"),
    ("groups", "describe", GROUP, "small"),
    ("describe",),
    ("describe", TOPIC, "--groups"),
    ("diff",),
]


@pytest.mark.parametrize("arguments", WIDE, ids=lambda words: " ".join(words)[:20])
@pytest.mark.parametrize("kind", ["xterm-256color", "dumb", ""])
def test_a_long_name_widens_no_other_row(kind: str, arguments: tuple[str, ...], one_broker: str) -> None:
    create(one_broker, NewTopic(TOPIC, 1, 1), NewTopic("short", 1, 1))
    for group, topic in ((GROUP, "short"), ("small", "short"), ("small", TOPIC)):
        commit(one_broker, group, topic)
    Path("topics.yaml").write_text(f"topics: {{short: {{partitions: 2}}, {TOPIC}: {{partitions: 2}}}}")
    if kind:
        terminal = Terminal(*arguments, columns=100, kind=kind)
        terminal.end()
        lines, raw = terminal.lines, "".join(terminal.raw.split())
    else:
        done = subprocess.run([*KAFKACTL, *arguments], capture_output=True, text=True, check=False)
        lines, raw = done.stdout.splitlines(), done.stdout
    others = [line for line in lines if "ggg" not in line and "ttt" not in line]
    assert [line for line in others if len(line) > 100] == []
    shown = [name for name in (GROUP, TOPIC) if name in raw.replace("\n", "")]
    assert shown or kind  # whole in a pipe


def test_colours_on_a_terminal_and_none_without(one_broker: str) -> None:
    terminal = Terminal("test", "--count", "1")
    assert terminal.end() == 0
    assert "\x1b[32m✓" in terminal.raw


def test_what_a_cluster_says_cannot_drive_the_terminal() -> None:
    from kafkactl.text.escapes import plain

    assert plain("a\x1b[2Jb\x07\r\n") == "a\\x1b[2Jb\\x07\\x0d\\x0a"
    assert plain("支付\tok") == "支付\tok"


# --- every table, wherever it is shown

TABLES = [
    ("describe",),
    ("describe", "--catalog"),
    ("describe", "orders"),
    ("describe", "--broker"),
    ("diff",),
    ("lag",),
    ("groups", "list"),
    ("groups", "describe", "*"),
    ("env", "list"),
    ("dlq", "list"),
    ("whoami",),
    ("doctor", "cluster"),
]
AROUND: dict[str, dict[str, str]] = {
    "80 columns": {},
    "dumb": {"TERM": "dumb"},
    "no colour": {"NO_COLOR": "1"},
    "LANG=C": {"LANG": "C", "LC_ALL": "C"},
    "ASCII": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture
def chinese(orders: str) -> None:
    """Names of two cells a character, in the groups and in topics.yaml."""
    admin = admin_client(orders)
    conftest.commit(admin, "订单组", "orders", 0)
    Path("topics.yaml").write_text(
        f"environments: {{本地: {{brokers: ['{orders}']}}}}\n"
        "topics:\n"
        "  orders: {partitions: 3, description: 订单事件, producers: [order-service], consumers: ['*']}\n"
        "  payment.refund.success: {description: 退款成功事件, consumers: [accounting, analytics]}\n",
        encoding="utf-8",
    )


@pytest.mark.parametrize("arguments", TABLES, ids=" ".join)
@pytest.mark.parametrize("around", AROUND)
def test_every_table_wherever_it_is_shown(arguments: tuple[str, ...], around: str, chinese: None) -> None:
    run = Terminal(*arguments, columns=80, kind=AROUND[around].get("TERM", "xterm-256color"), more=AROUND[around])
    code = run.end()
    assert code in (0, 1), run.raw
    assert "Traceback" not in run.raw
    if around in ("dumb", "no colour"):
        assert not re.search(r"\x1b\[[0-9;]*m", run.raw.replace("\x1b[2m", "").replace("\x1b[0m", ""))
    for line in run.lines:
        if "\\xb7" in line:
            continue  # a sentence that escapes have made longer
        words = line.split()
        assert cell_width(line) <= 80 or "kafkactl " in line or max(map(cell_width, words)) > 50, line


def test_a_long_wait_says_how_long_it_is_and_leaves_nothing(one_broker: str) -> None:
    """A port that takes connections and says nothing: what stands there in the end is the error alone."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:
        run = Terminal("groups", "list", "-b", f"127.0.0.1:{mute.getsockname()[1]}", "--timeout", "4s")
        run.expect("waiting for Kafka: 2 s")
        assert run.end() == 3
    assert not any("waiting for Kafka" in line for line in run.lines)
