"""Any argument, to any command: exit 2 and a sentence, or it works. Walks the app; nothing is listed by hand."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.cli import COMMANDS, Branch, Commands
from tests.conftest import create

_SECONDS = 20.0  # for one command line; the slowest wait for --timeout

_TEXTS = [
    "",
    "\udcff",
    "\udced\udca0\udc80",
    "中文 tópico",
    "-",
    "--",
    "-x",
    "a\nb",
    "\x1b[31mred",
    "x" * 300,
    "'\"$(id)`",
    "*[",
    "=",
    "\\x",
]
_NUMBERS = ["-1", "0", "99999999999999999999", "9223372036854775807", "²", "1e9", "0x10", "１２", "nan", ""]
_TIMES = [
    "-1s",
    "0.5ms",
    "99999999999999999999d",
    "1969-12-31",
    "10000-01-01",
    "1s500ms",
    "22:50",
    "today",
    "inf",
    "²s",
    "",
]


def leaves(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if isinstance(command, Commands):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


ALL = list(leaves(Commands(name="kafkactl")))

# What would start, stop or replace something on this machine, or run a command of ours: only what is refused by the
# parser is tried there.
_ACTS = {("sandbox", "up"), ("sandbox", "down"), ("sandbox", "run")}


def hostile(parameter: Any) -> list[str]:
    """The values to try, by what the parameter takes."""
    kind, metavar = parameter.type.name, parameter.metavar or ""
    if kind.startswith("integer") or metavar == "N":
        return _NUMBERS
    return [*_TIMES, *_TEXTS] if metavar.startswith(("TIME", "N/s")) else [*_TEXTS, *_NUMBERS[:4]]


def command_lines(words: tuple[str, ...], command: Any, each: int | None) -> Iterator[list[str]]:
    """A command line for `each` values of each parameter (None: for all), the others as harmless as they can be.

    Which ones goes round with the parameters: each value is tried somewhere in every command.
    """
    required = {p.name: "t" for p in command.params if p.param_type_name == "argument" and p.required}
    for number, parameter in enumerate(command.params):
        if parameter.is_flag if hasattr(parameter, "is_flag") else False:
            continue
        values = hostile(parameter)
        start = 0 if each is None else number * each % len(values)
        for value in [*values, *values][start : start + (each or len(values))]:
            arguments = dict(required)
            options: list[str] = []
            if parameter.param_type_name == "argument":
                arguments[parameter.name] = value
            else:
                options = [max(parameter.opts, key=len), value]
            positional = [arguments[p.name] for p in command.params if p.name in arguments]
            yield [*words, *options, "--", *positional]


def run(words: list[str], brokers: str, directory: Path) -> tuple[int, str]:
    """The exit code (minus the signal) and what was said, of a forked child: nothing is started anew."""
    said = directory / "said"
    child = os.fork()
    if child == 0:
        code = 99
        try:
            out = os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0), os.dup2(out, 1), os.dup2(out, 2)
            sys.stdin = open(0, closefd=False)  # noqa: SIM115
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
            os.environ["KAFKA_BROKERS"] = brokers
            os.environ["KAFKACTL_STATE"] = str(directory / "state")
            sys.argv = ["kafkactl", *words]
            from kafkactl import cli

            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1 if end.code else 0
        except BaseException:  # noqa: BLE001 - whatever it is, it is what the test is about
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    until = time.monotonic() + _SECONDS
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), said.read_text(encoding="utf-8", errors="replace")
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return 124, said.read_text(encoding="utf-8", errors="replace")
        time.sleep(0.005)


NAMES = [" ".join(words) for words, _ in ALL]


@pytest.mark.parametrize(("words", "command"), ALL, ids=NAMES)
def test_hostile_values(words: tuple[str, ...], command: Any, one_broker: str, tmp_path: Path) -> None:
    """No traceback, no signal, no hang, no "kafkactl itself failed"; a parser's refusal is exit 2."""
    walk(words, command, one_broker, tmp_path, each=3)


@pytest.mark.lab
@pytest.mark.parametrize(("words", "command"), ALL, ids=NAMES)
def test_every_hostile_value(words: tuple[str, ...], command: Any, one_broker: str, tmp_path: Path) -> None:
    walk(words, command, one_broker, tmp_path, each=None)


def walk(words: tuple[str, ...], command: Any, brokers: str, tmp_path: Path, *, each: int | None) -> None:
    create(brokers, NewTopic("t", 1, 1))
    (tmp_path / "topics.yaml").write_text("topics: {t: {}}\n")
    wrong = []
    for line in command_lines(words, command, each):
        if words in _ACTS:
            line.insert(len(words), "--unheard-of")
        if words == ("tail",):
            line.insert(1, "--no-follow")
        if words == ("exporter",):
            line[1:1] = ["--tls-cert", os.devnull]  # no certificate: else it would serve until it is killed
        code, said = run(line, brokers, tmp_path)
        bad = [sign for sign in ("Traceback", "kafkactl itself failed", "Exception ignored") if sign in said]
        if code not in (0, 1, 2, 3, 4) or bad:
            wrong.append((line, code, said[-300:]))
    assert not wrong, "\n".join(map(repr, wrong[:10])) + f"\n{len(wrong)} in all"


def test_every_command_is_walked() -> None:
    words = {words for words, _ in ALL}
    for name, entry in COMMANDS.items():
        assert isinstance(entry, Branch) or (name,) in words
