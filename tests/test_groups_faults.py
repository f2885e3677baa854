"""kafkactl groups where something comes between: groups without offsets, members that join, offsets that move."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from tests import test_groups_commands
from tests.conftest import Outcome, admin_client, create
from tests.lab.consumers import Consumes, consumer
from tests.sandboxes import eventually
from tests.test_lag_situations import commit, committed
from tests.test_terminal import Terminal

Run = Callable[..., Outcome]
orders = test_groups_commands.orders


def without_offsets(brokers: str, group: str) -> None:
    """A group whose only topic is gone, and its offsets with it."""
    create(brokers, NewTopic("old", 1, 1))
    admin = admin_client(brokers)
    commit(admin, group, "old", 0)
    for future in admin.delete_topics(["old"]).values():
        future.result(10)
    assert eventually(lambda: "old" not in admin.list_topics(timeout=10).topics)


def groups(kafkactl: Run) -> list[str]:
    return kafkactl("groups", "list", "-o", "name").out.split()


def test_groups_without_offsets_are_deleted_with_the_others(kafkactl: Run, orders: str) -> None:
    without_offsets(orders, "bare")
    commit(admin_client(orders), "full", "orders", 3)
    run = kafkactl("groups", "delete", "bare", "full", "--yes")
    assert run.code == 0, run.text
    assert "Done. bare: " in run.err
    assert "Done. full: " in run.err
    assert run.err.count("To undo:") == 1  # of bare there is nothing to put back
    assert groups(kafkactl) == ["app"]
    assert kafkactl("groups", "undo", "--yes").code == 0
    assert committed(orders, "full", "orders") == 3


def test_a_group_that_is_joined_while_the_question_waits(kafkactl: Run, orders: str) -> None:
    """Each group is accounted for, and what was refused is no last change."""
    assert kafkactl("groups", "reset", "app", "--topic", "orders", "--to-offset", "3", "--yes").code == 0
    commit(admin_client(orders), "other", "orders", 12)
    terminal = Terminal("groups", "delete", "other", "app")
    terminal.expect("Proceed?")
    with consumer(Consumes(orders, "app", "payments", name="late")):
        assert eventually(
            lambda: json.loads(kafkactl("groups", "describe", "app", "-o", "json").out)["groups"][0]["members"]
        )
        terminal.type("yes\n")
        assert terminal.end() == 1
    assert "Done. other: " in terminal.raw
    assert "Not changed: app: " in terminal.raw
    assert "1 of 2 groups done." in terminal.raw
    assert groups(kafkactl) == ["app"]
    undo = kafkactl("groups", "undo", "app", "--dry-run")
    assert "The last change to app from here: reset to offset 3" in undo.err


def test_offsets_that_move_while_the_question_waits_are_not_overwritten(kafkactl: Run, orders: str) -> None:
    terminal = Terminal("groups", "reset", "app", "--topic", "orders", "--to-latest")
    terminal.expect("Proceed?")
    commit(admin_client(orders), "app", "orders", 15)
    terminal.type("yes\n")
    assert terminal.end() == 1
    assert "Nothing was changed: app was at 12 in orders[0] when the plan was shown, and now is at 15." in terminal.raw
    assert committed(orders, "app", "orders") == 15


def test_a_no_is_no_reason_to_be_told_of_options(orders: str) -> None:
    terminal = Terminal("groups", "delete", "app")
    terminal.expect("Proceed?")
    terminal.type("no\n")
    assert terminal.end() == 2
    assert "Nothing was changed." in terminal.raw
    assert "--yes" not in terminal.raw


def test_a_new_group_is_created_where_that_is_asked_for(kafkactl: Run, orders: str) -> None:
    slip = kafkactl("groups", "reset", "new", "--topic", "orders", "--to-earliest", "--yes")
    assert slip.code == 1
    assert "add --create" in slip.err
    made = kafkactl("groups", "reset", "new", "--topic", "o*", "--to-offset", "5", "--create", "--yes")
    assert made.code == 0, made.text
    assert committed(orders, "new", "orders") == 5
    assert "new" in groups(kafkactl)


def test_a_partition_that_is_not_there(kafkactl: Run, orders: str) -> None:
    run = kafkactl("groups", "reset", "app", "--topic", "orders", "--partition", "99", "--to-earliest", "--yes")
    assert (run.code, run.err) == (2, "Partition 99 does not exist in orders.\n")


def test_an_export_of_several_groups(kafkactl: Run, orders: str, tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(
        '\ufeff"app","orders",0,3\n"app","orders",1,3\n"other","orders",0,4\n', encoding="utf-8"
    )
    assert kafkactl("groups", "reset", "app", "--from-file", "all.csv", "--yes").code == 0
    assert committed(orders, "app", "orders") == 3
    missing = kafkactl("groups", "reset", "third", "--from-file", "all.csv", "--yes")
    assert missing.code == 2
    assert "no offsets of third" in missing.err
    assert "It has offsets of app, other." in missing.err


def test_as_json_each_group_has_its_outcome(kafkactl: Run, orders: str) -> None:
    commit(admin_client(orders), "other", "orders", 12)
    run = kafkactl("groups", "delete", "app", "other", "--yes", "-o", "json")
    document = json.loads(run.out)
    assert document["done"] is True
    assert [group["outcome"] for group in document["groups"]] == ["done", "done"]
    assert len(document["saved"]) == 2


EVIL = "\x1b[31mred\x1b]0;title\x07\u202e"


@pytest.mark.lab
def test_a_name_cannot_drive_the_terminal(orders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every stream, and on a terminal that is dumb, too; the commands that are printed still name the group."""
    commit(admin_client(orders), EVIL, "orders", 12)
    lines = (
        ("groups", "list"),
        ("groups", "list", "-o", "json"),
        ("groups", "describe", EVIL),
        ("groups", "describe", EVIL + "x"),
        ("groups", "reset", EVIL, "--topic", "orders", "--to-latest", "--yes"),
        ("groups", "undo", EVIL, "--yes"),
        ("groups", "save", EVIL),
        ("lag",),
        ("doctor",),
    )
    for term in ("xterm", "dumb"):
        monkeypatch.setenv("TERM", term)
        monkeypatch.setenv("NO_COLOR", "1")
        for words in lines:
            terminal = Terminal(*words)
            assert terminal.end() in (0, 1)
            for evil in ("\x1b[31mred", "\x1b]0;", "\x07", "\u202e"):
                assert evil not in terminal.raw, (words, terminal.raw)
    terminal = Terminal("groups", "delete", EVIL, "--yes")
    assert terminal.end() == 0
    undo = next(line.split("To undo: ")[1] for line in terminal.raw.splitlines() if "To undo: " in line)
    typed = f"{undo.replace('kafkactl', f'{sys.executable} -m kafkactl', 1)} --yes"
    assert subprocess.run(["bash", "-c", typed], check=False).returncode == 0
    assert committed(orders, EVIL, "orders") == 12


def test_an_undo_is_not_for_a_topic_that_was_recreated(kafkactl: Run, orders: str) -> None:
    assert kafkactl("groups", "reset", "app", "--topic", "payments", "--to-offset", "3", "--yes").code == 0
    admin = admin_client(orders)
    for future in admin.delete_topics(["payments"]).values():
        future.result(10)
    assert eventually(lambda: "payments" not in admin.list_topics(timeout=10).topics)
    create(orders, NewTopic("payments", 1, 1))
    undo = kafkactl("groups", "undo", "app", "--yes")
    assert undo.code == 1
    assert "payments[0] was deleted, or recreated, since" in undo.err
