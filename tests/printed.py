"""The commands that kafkactl prints: each is noted as it is printed, and must be one that can be typed."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from kafkactl.cli import app
from kafkactl.text import remedies
from kafkactl.text.remedies import Command

Words = tuple[str, ...]
_LEFT_OPEN = re.compile("[A-Z_]{2,}")  # what --explain leaves to the reader: TOPIC, PARTITION

# Programs that a machine has which runs what the remedy is about, and this one may not have.
_ELSEWHERE = frozenset({
    "docker", "docker-compose", "podman", "colima", "open", "sudo", "systemctl", "zookeeper-shell",
    "kafka-groups.sh", "kafka-share-groups.sh", "kafka-streams-groups.sh", "kafka-reassign-partitions.sh",
})  # fmt: skip
_OF_THE_SHELL = frozenset({"unset", "export", "kill", "cd"})
# What changes nothing and ends by itself.
_HARMLESS = ("describe", "diff", "doctor", "export", "groups describe", "groups list", "lag", "lint", "ps", "tail")
_NOT_HARMLESS = frozenset({"--fix", "--save", "--bundle", "--sample", "--wait", "--watch", "--probe", ">"})


@contextmanager
def printed(patch: pytest.MonkeyPatch) -> Iterator[list[Command]]:
    """The commands that are rendered meanwhile, in their order."""
    found: list[Command] = []
    plain = Command.text.fget  # type: ignore[attr-defined]

    def text(command: Command) -> Any:
        found.append(command)
        return plain(command)

    with patch.context() as patched:
        patched.setattr(remedies.Command, "text", property(text))
        yield found


def parts(words: Sequence[str]) -> Iterator[Words]:
    """The commands of a line, one after the other, without the files their output goes to."""
    part: list[str] = []
    for word in (*words, "&&"):
        if word == "&&":
            yield tuple(part[: part.index(">")] if ">" in part else part)
            part = []
        else:
            part.append(word)


def require_typeable(command: Command) -> None:
    """A shell takes it, its programs are there, and kafkactl's own parser takes its arguments."""
    asked = subprocess.run(["sh", "-n", "-c", command.text], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, (command, asked.stderr)
    for words in parts(command.words):
        if words[0] == "kafkactl":
            parse(["1" if _LEFT_OPEN.fullmatch(word) else word for word in words[1:]])
        else:
            program = words[0]
            known = program in _ELSEWHERE | _OF_THE_SHELL or shutil.which(program)
            assert known, f"{command.text}: there is no {program}"


def parse(arguments: Sequence[str]) -> None:
    """As kafkactl does before it starts to work. Raises what it would end with."""
    from typer.main import get_command

    from kafkactl.options import refuse_unusable

    *words, last = arguments or ("",)
    if last == "--help":
        found: Any = get_command(app)
        for word in words:
            found = found.table and found.get_command(None, word)
            assert found, arguments
        return
    if tuple(arguments) == ("--version",):
        return
    command: Any = get_command(app)
    context = command.make_context("kafkactl", list(arguments))
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    for parameter in command.params:
        refuse_unusable(parameter, context.params.get(parameter.name))


def harmless(command: Command) -> bool:
    """Whether it can be run in the scene that printed it: it changes nothing, and ends by itself."""
    words = command.words
    if words[0] != "kafkactl" or _NOT_HARMLESS & set(words) or "&&" in words:
        return False
    name = " ".join(words[1:3]) if words[1] == "groups" else words[1]
    return name in _HARMLESS and (name != "tail" or "--no-follow" in words)


Checked = Callable[[Sequence[Command]], None]


def checker() -> Checked:
    """A check of printed commands that looks at each but once."""
    seen: set[Words] = set()

    def check(commands: Sequence[Command]) -> None:
        for command in commands:
            if command.words not in seen:
                seen.add(command.words)
                require_typeable(command)

    return check
