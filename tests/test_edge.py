"""What every command has: it starts without what it does not need, has help, and completes names."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Outcome

Kafkactl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 3}}", encoding="utf-8")


HEAVY = ["confluent_kafka", "docker", "rich", "kafka", "yaml", "jgo", "requests", "psutil", "asyncio", "msgspec", "jq"]


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy(argument: str) -> None:
    script = (
        "import sys; sys.argv = ['kafkactl', sys.argv[1]]\n"
        "from kafkactl import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, argument], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stderr.strip() == "[]"


def test_lint_loads_no_client() -> None:
    script = (
        "import sys; sys.argv = ['kafkactl', 'lint']\n"
        "from kafkactl import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print([n for n in ('confluent_kafka', 'docker', 'rich', 'kafka') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stderr.strip().endswith("[]")


def test_every_command_has_help_with_an_example(kafkactl: Kafkactl) -> None:
    for name in ("init-topics", "diff", "lint", "export", "describe", "test", "tail", "ps", "logs"):
        run = kafkactl(name, "--help")
        assert run.code == 0
        assert f"kafkactl {name}" in run.out.split("Example", 1)[1]


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
