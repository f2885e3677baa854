"""Every command says on stderr, before anything else, which cluster it speaks to, and why that one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.cli import COMMANDS, Branch
from tests.conftest import Outcome

Run = Callable[..., Outcome]

# How each command is typed so that it reaches Kafka; None for those that speak to none.
TYPED: dict[str, list[str] | None] = {
    "init-topics": ["--dry-run"],
    "diff": [],
    "lint": None,
    "export": [],
    "topic create": ["refunds", "--dry-run"],
    "topic set": ["orders", "retention.ms=1d", "--dry-run"],
    "topic delete": ["orders", "--dry-run"],
    "topic trim": ["orders", "--before", "1h"],
    "replicas plan": ["orders", "--spread"],
    "replicas move": ["orders", "--spread", "--dry-run"],
    "replicas status": [],
    "replicas cancel": ["--dry-run"],
    "describe": [],
    "test": [],
    "doctor": [],
    "whoami": [],
    "access show": [],
    "access check": None,  # of a service that topics.yaml knows: test_access.py
    "lag": [],
    "exporter": None,  # it runs until it is stopped: test_exporter.py
    "groups list": [],
    "groups describe": ["nobody"],
    "groups save": ["nobody"],
    "groups reset": ["nobody", "--to-earliest", "--topic", "orders"],
    "groups undo": None,  # it begins with this machine's journal
    "groups copy": ["nobody", "somebody"],
    "groups delete-offsets": ["nobody", "orders"],
    "groups delete": ["nobody"],
    "history list": [],
    "history show": ["00000000"],
    "history undo": ["00000000"],
    "env list": None,
    "env show": None,
    "dlq list": [],
    "dlq show": ["orders"],
    "dlq replay": ["orders"],
    "dlq purge": ["orders", "--replayed"],
    "dlq export": ["orders", "letters.jsonl"],
    "events check": ["orders"],
    "events schema": None,
    "events example": None,
    "events diff": None,
    "service-env": None,
    "tail": ["orders", "--no-follow"],
    "produce": ["orders", "x"],
    "ps": None,
    "completion": None,
    "logs": None,
    **dict.fromkeys(("sandbox up", "sandbox down", "sandbox status", "sandbox logs", "sandbox run")),
}


def names() -> Iterator[str]:
    for name, entry in COMMANDS.items():
        yield from ([f"{name} {own}" for own in entry.commands] if isinstance(entry, Branch) else [name])


def test_no_command_is_left_out() -> None:
    assert set(TYPED) == set(names())


@pytest.mark.parametrize("name", [name for name, words in TYPED.items() if words is not None])
def test_the_first_line(kafkactl: Run, orders: str, capfd: pytest.CaptureFixture[str], name: str) -> None:
    Path("topics.yaml").write_text("topics: {orders: {partitions: 3}}\n", encoding="utf-8")
    run = kafkactl(*name.split(), *(TYPED[name] or []))
    assert run.cluster == f"Kafka at {orders} (KAFKA_BROKERS)\n", run.text


@pytest.mark.parametrize(
    ("given", "env", "line"),
    [
        ((), "", "HERE (KAFKA_BROKERS)"),
        ((), "here", "HERE (env here, by KAFKACTL_ENV)"),
        (("--env", "there"), "here", "127.0.0.1:1 (env there)"),
        (("-b", "127.0.0.1:1"), "here", "127.0.0.1:1"),
        (("-b", "127.0.0.1:1", "--env", "here"), "", "127.0.0.1:1 (env here)"),
        (("-X", "bootstrap.servers=127.0.0.1:2"), "", "127.0.0.1:2 (-X)"),
        (("--client-config", "own.properties"), "", "127.0.0.1:3 (own.properties)"),
    ],
)
def test_why_that_one(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], env: str, line: str
) -> None:
    environments = f"{{here: {{brokers: ['{orders}']}}, there: {{brokers: ['127.0.0.1:1']}}}}"
    Path("topics.yaml").write_text(f"environments: {environments}\ntopics: {{}}\n", encoding="utf-8")
    Path("own.properties").write_text("bootstrap.servers=127.0.0.1:3\n", encoding="utf-8")
    monkeypatch.setenv("KAFKACTL_ENV", env)
    assert kafkactl("groups", "list", *given).cluster == f"Kafka at {line.replace('HERE', orders)}\n"


def test_the_default(kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BROKERS", "")
    assert kafkactl("groups", "list").cluster == "Kafka at localhost:40093 (the default)\n"


def test_an_environment_that_is_not_there(kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("topics.yaml").write_text("environments: {here: {brokers: ['h:1']}}\ntopics: {}\n", encoding="utf-8")
    monkeypatch.setenv("KAFKACTL_ENV", "her")
    refused = kafkactl("describe")
    assert refused.code == 2
    assert "There is no environment her in" in refused.err
    assert "Did you mean here?" in refused.err
    assert "It is named by KAFKACTL_ENV." in refused.err
    assert "KAFKACTL_ENV names her, which is not declared." in kafkactl("env", "list").err
