"""What every command has: it starts without what it does not need, has help, and completes names."""

import importlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from kafkactl.cli import Leaf
from tests.conftest import REPOSITORY
from tests.program import commands

EVERY = dict(commands())


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 3}}", encoding="utf-8")


HEAVY = ["confluent_kafka", "docker", "rich", "kafka", "yaml", "jgo", "requests", "psutil", "asyncio", "msgspec", "jq"]
_LOADED = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from kafkactl import cli
sys.argv[0] = "kafkactl"
cli.main()
"""


def run(*arguments: str, **environment: str) -> tuple[str, set[str]]:
    """What a run of kafkactl prints, and the modules that it has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(json.loads(done.stderr.splitlines()[-1]))


@cache
def help_of(name: str) -> tuple[str, set[str]]:
    """As `run`, of a command's --help."""
    return run(*name.split(), "--help")


def ours(modules: set[str]) -> set[str]:
    return {name.removeprefix("kafkactl.") for name in modules if name.startswith("kafkactl.")}


# What even --version, --help and completion need.
ROOT = {
    "build",
    "cli",
    "command_list",
    "completion",
    "help_pages",
    "imports",
    "process",
    "errors",
    "text",
    "text.escapes",
}


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy_and_no_command(argument: str) -> None:
    _, modules = run(argument)
    assert modules.isdisjoint(HEAVY)
    assert ours(modules) <= ROOT


def test_completing_a_commands_name_loads_no_command() -> None:
    _, modules = run(_KAFKACTL_COMPLETE="complete_bash", COMP_WORDS="kafkactl de", COMP_CWORD="1")
    assert modules.isdisjoint(HEAVY)
    assert ours(modules) <= ROOT


@pytest.mark.parametrize("name", EVERY)
def test_the_help_of_a_command_loads_no_other_command_and_nothing_heavy(name: str) -> None:
    _, modules = help_of(name)
    assert modules.isdisjoint(HEAVY)
    home = EVERY[name].home.partition(":")[0].split(".")
    own = {"commands", *(f"commands.{'.'.join(home[:length])}" for length in range(1, len(home) + 1))}
    shared = f"commands.{home[0]}."  # options that subcommands share
    loaded = {module for module in ours(modules) if module.startswith("commands")}
    assert {m for m in loaded if not (m.startswith(shared) and m.endswith("_options"))} == own


def test_lint_loads_no_client() -> None:
    _, modules = run("lint")
    assert modules.isdisjoint(["confluent_kafka", "docker", "rich", "kafka"])


def first_sentence(text: str) -> str:
    """As it reads in a list of commands."""
    return re.split(r"(?<=\.) (?=[A-Z])", " ".join(text.split("\n\n", maxsplit=1)[0].split()))[0]


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_help_with_an_example(name: str) -> None:
    out, _ = help_of(name)
    assert f"kafkactl {name}" in out.split("Example", 1)[1]


@pytest.mark.parametrize(("name", "leaf"), EVERY.items(), ids=EVERY)
def test_a_list_of_commands_shows_the_first_sentence_of_each_ones_help(name: str, leaf: Leaf) -> None:
    module, _, function = leaf.home.partition(":")
    described = getattr(importlib.import_module(f"kafkactl.commands.{module}"), function)
    assert leaf.help == first_sentence(described.__doc__)


@pytest.mark.parametrize("typed", ["kafkactl ", "kafkactl tail --", "kafkactl produce --", "kafkactl groups "])
def test_zsh_and_fish_are_offered_whole_help_texts(typed: str) -> None:
    def complete(shell: str, **more: str) -> str:
        program = "from kafkactl.cli import app; app(prog_name='kafkactl')"
        environment = {**os.environ, "_KAFKACTL_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": typed, **more}
        run = [sys.executable, "-c", program]
        return subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout

    # As zsh has it: it evaluates what it is given, and _arguments what is in the inner parentheses.
    script = f"""
    set -f
    _arguments() {{ local inner=${{1#"*: :(("}}; eval "words=( ${{inner%"))"}} )"; printf '%s\\n' "${{words[@]}}"; }}
    eval $(cat <<'ANSWER'
{complete("zsh")}
ANSWER
    )
    """
    shown = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    found = [re.split(r"(?<!\\):", line, maxsplit=1) for line in shown.splitlines()]
    offered = {value: text.replace("\\:", ":") for value, text in found}
    described = [line.split("\t") for line in complete("fish", _TYPER_COMPLETE_FISH_ACTION="get-args").splitlines()]
    assert offered == dict(described)
    assert any("'" in text for text in offered.values()) or typed == "kafkactl produce --"


def test_completion_offers_the_catalogues_topics_without_dialling() -> None:
    Path("topics.yaml").write_text("topics: {payment.created: {}, payment.failed: {}, audit.logs: {}}")
    environment = {
        **os.environ,
        "_KAFKACTL_COMPLETE": "complete_bash",
        "COMP_WORDS": "kafkactl describe payment.",
        "COMP_CWORD": "2",
        "KAFKA_BROKERS": "no-such-host.invalid:9092",
    }
    program = "from kafkactl.cli import app; app(prog_name='kafkactl')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["payment.created", "payment.failed"], done.stderr
