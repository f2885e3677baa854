"""Who may not write is told so, loses no input, and is not told of topics that were never made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, create
from tests.sandboxes import as_user

Kafkactl = Callable[..., Outcome]


@pytest.mark.parametrize("lines", [1, 50, 5000], ids=str)
def test_input_of_who_may_not_write_is_kept(
    lines: int, secured_one: RunningSandbox, kafkactl: Kafkactl, capfd: pytest.CaptureFixture[str]
) -> None:
    create(secured_one.internal, NewTopic("payment.created", 1, 1))
    values = [str(number) for number in range(lines)]
    Path("values.txt").write_text("".join(f"{value}\n" for value in values))
    reader = as_user(secured_one, "reader")
    run = kafkactl("produce", "payment.created", "-l", "values.txt", *reader)
    assert run.code == 1, run.text
    assert "no permission to write" in run.err
    assert f"0 of {lines:,} record" in run.err
    assert "FATAL" not in run.text + capfd.readouterr().err
    assert len(Path("values.txt.unsent.jsonl").read_text().splitlines()) == lines
    admin = as_user(secured_one, "admin")
    assert kafkactl("produce", "payment.created", "--json", "-l", "values.txt.unsent.jsonl", *admin).code == 0
    read = kafkactl("tail", "payment.created", "-n", str(lines), "--no-follow", "--format", "%s\\n", *reader)
    assert read.out.split() == values


def test_a_scratch_topic_that_was_refused_was_never_there(secured_one: RunningSandbox, kafkactl: Kafkactl) -> None:
    run = kafkactl("test", *as_user(secured_one, "reader"))
    assert run.code == 1, run.text
    assert "no permission" in run.text
    assert "could not remove" not in run.text
