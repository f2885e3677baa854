"""What a command loads: nothing that its run does not use. Counted, not timed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kafkactl.catalog.file import parse_catalog
from kafkactl.catalog.find import names_at_a_glance
from tests.conftest import REPOSITORY, Outcome


def test_the_names_at_a_glance_are_those_of_the_catalogue() -> None:
    text = (REPOSITORY / "topics.yaml").read_text(encoding="utf-8")
    assert sorted(names_at_a_glance(text)) == sorted(parse_catalog(text).topics)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("topics:\n  a: {}\n  b.c:\n    partitions: 3\n", ["a", "b.c"]),
        ("topics: # ours\n\n  # one\n    'a': {}\n\n    \"b\": {}\nservices:\n    x: {}\n", ["a", "b"]),
        ("environments:\n  e:\n    topics:\n      no: {}\ntopics:\r\n  a:\r\n    dlq: b\r\n", ["a"]),
        ("topics:\n  a:", ["a"]),
        ("topics: {a: {}}\n", []),
        ("topics:\n- a\n", []),
        ("services: {}\n", []),
        ("", []),
    ],
)
def test_names_at_a_glance(text: str, names: list[str]) -> None:
    assert names_at_a_glance(text) == names


# What costs most, and what a plain look at a cluster has no use for.
HEAVY = frozenset(
    [
        "asyncio",
        "docker",
        "encodings.idna",
        "jgo",
        "jq",
        "kafka",
        "psutil",
        "pydantic",
        "requests",
        "rich",
        "ssl",
        "yaml",
    ]
)
LIBRARIES = frozenset({"confluent_kafka", "msgspec"})
PROGRAM = """
import sys
from kafkactl.__main__ import main
sys.argv[0] = "kafkactl"
try:
    main()
finally:
    print("", *sys.modules, file=sys.stderr)
"""


def loaded(*arguments: str, directory: Path, **environment: str) -> tuple[str, set[str]]:
    """What a run of kafkactl says, and the names of the modules that it has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("command", "libraries"),
    [
        ("tail t -n 1 --no-follow", LIBRARIES),
        ("produce t v", LIBRARIES),
        ("describe", {"confluent_kafka"}),
        ("describe -o json", {"confluent_kafka"}),
        ("lag", LIBRARIES),
        ("groups list", LIBRARIES),
    ],
)
def test_a_command_loads_no_more_than_it_uses(
    command: str, libraries: set[str], one_broker: str, tmp_path: Path, kafkactl: Callable[..., Outcome]
) -> None:
    Path("t.yaml").write_text("topics: {t: {}}", encoding="utf-8")
    assert kafkactl("init-topics", "-f", "t.yaml").code == 0
    _, names = loaded(*command.split(), directory=tmp_path)
    assert names & (HEAVY | LIBRARIES) == libraries
    assert len([name for name in names if name.startswith("kafkactl.")]) < 78


@pytest.mark.parametrize(
    ("words", "expected"),
    [("", "tail"), ("tail --no-f", "--no-follow"), ("describe payment.cr", "payment.created")],
)
def test_completion_loads_nothing_heavy(words: str, expected: str) -> None:
    environment = {
        "_KAFKACTL_COMPLETE": "complete_bash",
        "COMP_WORDS": f"kafkactl {words}",
        "COMP_CWORD": str(len(words.split()) or 1),
    }
    offered, names = loaded(directory=REPOSITORY, **environment)
    assert expected in offered.split()
    assert "kafkactl.cli" in names
    assert not names & (HEAVY | LIBRARIES | {"kafkactl.cluster.client", "kafkactl.catalog.model"})


def test_who_needs_the_module_that_is_stood_in_for_gets_it() -> None:
    script = (
        "import sys\n"
        "from kafkactl import imports\n"
        "imports.postpone_unused()\n"
        "import confluent_kafka\n"
        "assert 'asyncio' not in sys.modules\n"
        "from confluent_kafka import _serde_builder\n"
        "seen = _serde_builder.asyncio\n"
        "import asyncio.subprocess\n"
        "assert seen is not asyncio and seen.Task is asyncio.Task\n"
        "assert asyncio.run(asyncio.sleep(0, 7)) == 7\n"
        "import confluent_kafka.aio\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)


def test_where_it_is_loaded_already_nothing_is_stood_in_for() -> None:
    script = (
        "import asyncio\n"
        "from kafkactl import imports\n"
        "imports.postpone_unused(); imports.postpone_unused()\n"
        "from confluent_kafka import _serde_builder\n"
        "assert _serde_builder.asyncio is asyncio\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)
