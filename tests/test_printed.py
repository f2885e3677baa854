"""A printed command works: it is run where it was printed. Nothing in the source writes one by hand."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.text.remedies import Command, kafkactl
from tests.conftest import Outcome, admin_client, commit, create
from tests.lab.faults import fill
from tests.printed import harmless, parse, printed, require_typeable
from tests.program import commands
from tests.test_house import FILES, room

Run = Callable[..., Outcome]

CATALOGUE = """
topics:
  -lead: {partitions: 2, consumers: [accounting], config: {retention.ms: 3600000}}
  missing: {consumers: [analytics]}
environments:
  here: {brokers: ["BROKERS"]}
"""


def test_a_line_is_written_as_a_shell_takes_it() -> None:
    assert kafkactl("export").into("a file").text == "kafkactl export > 'a file'"
    with pytest.raises(AssertionError):
        require_typeable(Command(("no-such-program",)))
    for wrong in (("describe", "--nope"), ("groups", "nope"), ("tail", "-lead"), ("describe", "")):
        with pytest.raises(Exception, match=r"."):
            parse(wrong)


# By the exit code of what is run; each prints at least one command.
SCENES = {
    ("describe", "nope"): 1,
    ("describe", "missing"): 1,
    ("describe", "x", "--groups", "--broker"): 2,
    ("tail", "nope", "--no-follow"): 1,
    ("tail",): 2,
    ("lag", "nope"): 1,
    ("lag",): 1,
    ("lag", "--threshold", "1"): 1,
    ("groups", "describe", "nope"): 1,
    ("groups", "reset", "--topic", "nope", "--to-earliest", "--", "-dash"): 1,
    ("groups", "reset", "--from-file", "bad.csv", "--", "-dash"): 2,
    ("doctor", "groups", "--fail-on", "warn"): 1,
    ("doctor", "cluster", "--fail-on", "warn"): 1,
    ("doctor", "nope"): 2,
    ("test",): 1,
    ("diff",): 1,
    ("init-topics", "--only", "*lead"): 1,
    ("produce", "nope", "value", "--undeclared"): 1,
}


def _with(words: tuple[str, ...], flags: tuple[str, ...]) -> list[str]:
    end = words.index("--") if "--" in words else len(words)
    return [*words[:end], *flags, *words[end:]]


def test_what_is_printed_can_be_run_where_it_was_printed(
    one_broker: str, kafkactl: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    Path("topics.yaml").write_text(CATALOGUE.replace("BROKERS", one_broker), encoding="utf-8")
    Path("bad.csv").write_text("no offsets\n")
    create(one_broker, NewTopic("-lead", 1, 1), NewTopic("other", 1, 1))
    admin = admin_client(one_broker)
    for topic in ("-lead", "other"):
        fill(one_broker, topic, 20)
    for group in ("-dash", "accounting-group", "two words"):
        commit(admin, group, "-lead", 5)
        commit(admin, group, "other", 40)  # beyond the end
    # However the cluster was named: the commands reach the same one.
    for flags in ((), ("-b", one_broker), ("--env", "here")):
        monkeypatch.setenv("KAFKA_BROKERS", "127.0.0.1:1" if flags else one_broker)
        for words, code in SCENES.items():
            with printed(monkeypatch) as found:
                run = kafkactl(*_with(words, flags))
            assert run.code == code, (words, run.text)
            for command in dict.fromkeys(found):
                shown = command.text in run.text
                if shown and harmless(command):
                    again = kafkactl(*command.words[1:])
                    assert again.code in (0, 1), (words, command.text, again.text)
                    assert "itself failed" not in again.text
            assert any(command.text in run.text for command in found), (words, run.text)


_NAMES = "|".join(sorted({name.split()[0] for name, _ in commands()}))
_LITERAL = re.compile(rf"\bkafkactl (?:{_NAMES})\b")


def test_no_command_is_written_by_hand() -> None:
    """Quoting, `--` and the flags of the connection are added in one place; help texts show examples."""
    found = {}
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = {
            node.body[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        if by_hand := [node.value for node in texts if node not in documented and _LITERAL.search(node.value)]:
            found[room(path)] = by_hand
    assert found == {}
