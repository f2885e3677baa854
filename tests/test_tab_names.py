"""What the Tab key offers: names of topics.yaml and of clusters that were looked at before. It asks none."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.known_names import known_names, remember_names
from tests.conftest import Outcome, admin_client, commit, create

Run = Callable[..., Outcome]

CATALOGUE = """
environments:
  here: {brokers: ['HERE']}
  dr: {brokers: ['127.0.0.1:1']}
services:
  payment-gateway: {group: payment-gateway-group, aliases: [gateway]}
events: {refund: refund.json}
topics:
  payment.created: {producers: [payment-gateway], consumers: [accounting]}
"""

# A client that is made, a connection that is opened, a program that is started.
_NO_DIALLING = """
import sys, socket, subprocess, os
def refused(*_, **__): os._exit(77)
socket.socket.connect = socket.create_connection = subprocess.Popen.__init__ = refused
sys.argv[0] = "kafkactl"
from kafkactl import cli
cli.main()
assert "confluent_kafka" not in sys.modules
"""


def offered(line: str, **environment: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", _NO_DIALLING],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "_KAFKACTL_COMPLETE": "complete_bash", **words, **environment},
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.split()


@pytest.fixture
def seen(kafkactl: Run, one_broker: str) -> str:
    """A cluster on which a topic and a group were seen, and a topics.yaml that says other names."""
    create(one_broker, NewTopic("orders", 3, 1))
    commit(admin_client(one_broker), "orders-group", "orders", 0)
    assert kafkactl("lag").code == 0
    Path("topics.yaml").write_text(CATALOGUE.replace("HERE", one_broker), encoding="utf-8")
    Path("refund.json").write_text("{}", encoding="utf-8")
    return one_broker


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("kafkactl tail ", ["orders", "payment.created"]),
        ("kafkactl tail or", ["orders"]),
        ("kafkactl tail --env dr ", ["payment.created"]),
        ("kafkactl tail -b 127.0.0.1:1 ", ["payment.created"]),
        ("kafkactl tail --env here o", ["orders"]),
        ("kafkactl tail orders --group ", ["accounting-group", "orders-group", "payment-gateway-group"]),
        ("kafkactl groups describe o", ["orders-group"]),
        ("kafkactl groups reset ", ["accounting-group", "orders-group", "payment-gateway-group"]),
        ("kafkactl describe --broker ", ["1"]),
        ("kafkactl describe o", ["orders"]),
        ("kafkactl describe --env ", ["dr", "here"]),
        ("kafkactl env show ", ["dr", "here"]),
        ("kafkactl dlq replay x --to-env ", ["dr", "here"]),
        ("kafkactl service-env ", ["accounting", "gateway", "payment-gateway"]),
        ("kafkactl events schema ", ["base", "payment", "refund"]),
        ("kafkactl doctor KD51", [f"KD51{number}" for number in range(8)]),
        ("kafkactl doctor --explain KD513", ["KD513"]),
        ("kafkactl doctor net", ["network"]),
        ("kafkactl completion f", ["fish"]),
    ],
)
def test_names_by_what_is_typed(seen: str, line: str, names: list[str]) -> None:
    assert [name for name in offered(line) if not name.startswith("-")] == names


def test_the_current_environment_counts(seen: str) -> None:
    assert offered("kafkactl tail o", KAFKACTL_ENV="here", KAFKA_BROKERS="") == ["orders"]
    assert offered("kafkactl tail o", KAFKACTL_ENV="dr") == []
    assert offered("kafkactl tail o", KAFKA_BROKERS="127.0.0.1:2") == []


@pytest.mark.parametrize("broken", ["topics: [", "topics: {a: {partitions: many}}", "\xff\xfe"])
def test_nothing_is_said_where_the_file_is_broken(seen: str, broken: str) -> None:
    Path("topics.yaml").write_text(broken, encoding="latin-1")
    assert offered("kafkactl groups describe zz") == []


def test_the_file_is_private_bounded_and_may_be_anything(tmp_path: Path) -> None:
    remember_names("a/../b", ["h:1"], topics=[f"t{number:05}" for number in range(6_000)])
    (file,) = (tmp_path / "own-state" / "names").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert len(known_names("topics", ["h:1"])) == 5_000
    remember_names("a/../b", ["h:2"], groups=["g"])
    assert known_names("groups", ["h:1"]) == known_names("groups", ["h:2"]) == ["g"]
    assert known_names("groups", ["h:3"]) == []
    for content in ("", "[]", "{", '{"topics": 1, "addresses": ["h:1"]}', '{"topics": [1], "addresses": ["h:1"]}'):
        file.write_text(content, encoding="utf-8")
        assert known_names("topics", ["h:1"]) == []
    for number in range(60):
        remember_names(f"id-{number}", [f"h:{number}"], topics=["t"])
    assert len(list(file.parent.iterdir())) == 50


def test_where_nothing_can_be_kept_nothing_fails(kafkactl: Run, orders: str, tmp_path: Path) -> None:
    (tmp_path / "own-state").write_text("a file", encoding="utf-8")
    run = kafkactl("lag")
    assert (run.code, run.err) == (0, run.err)
    assert "own-state" not in run.text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_takes(kafkactl: Run, tmp_path: Path, shell: str) -> None:
    script = kafkactl("completion", shell)
    assert script.code == 0
    assert "_KAFKACTL_COMPLETE" in script.out
    if shutil.which(shell):
        file = tmp_path / "script"
        file.write_text(script.out, encoding="utf-8")
        assert subprocess.run([shell, "-n", str(file)], check=False).returncode == 0


def test_bash_completes_with_it(kafkactl: Run, seen: str, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(kafkactl("completion", "bash").out, encoding="utf-8")
    typed = f"""
        PATH={Path(sys.executable).parent}:$PATH; source {tmp_path}/script
        COMP_WORDS=(kafkactl tail or); COMP_CWORD=2
        $(complete -p kafkactl | sed 's/.*-F \\([^ ]*\\).*/\\1/') kafkactl or tail
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "orders", done.stderr
