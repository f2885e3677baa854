"""kafkactl groups undo of what created a group: what was created is gone again, and nothing else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.carrying_out import offset_changes, restored_offsets
from kafkactl.cluster import commits
from kafkactl.errors import KafkactlError, Terminated, UnreachableError
from tests import test_groups_commands
from tests.conftest import Outcome, admin_client
from tests.test_lag_situations import commit, committed

Run = Callable[..., Outcome]
orders = test_groups_commands.orders


def names(kafkactl: Run) -> list[str]:
    return kafkactl("groups", "list", "-o", "name").out.split()


def creations(directory: Path) -> Iterator[tuple[str, ...]]:
    """Each way to create a group: copy, a file, --create."""
    yield "copy", "app", "new"
    yield "reset", "new", "--from-file", str(directory / "app.json")
    yield "reset", "new", "--create", "--topic", "orders", "--to-offset", "3"


def test_what_created_a_group_is_undone_with_it(kafkactl: Run, orders: str, tmp_path: Path) -> None:
    (tmp_path / "app.json").write_text(kafkactl("groups", "save", "app").out)
    for words in creations(tmp_path):
        assert kafkactl("groups", *words, "--yes").code == 0, words
        assert "new" in names(kafkactl)
        offset = committed(orders, "new", "orders")
        plan = kafkactl("groups", "undo", "--dry-run")
        assert plan.out.splitlines()[0].endswith("; delete the group, which was created then"), plan.out
        assert kafkactl("groups", "undo", "--yes").code == 0
        assert names(kafkactl) == ["app"], words
        redo = kafkactl("groups", "undo", "new", "--yes")
        assert redo.code == 0, redo.text
        assert redo.out.startswith("new · redo: ")
        assert committed(orders, "new", "orders") == offset
        assert kafkactl("groups", "undo", "--yes").code == 0
        assert names(kafkactl) == ["app"], words


def test_a_group_that_has_other_commits_by_now_stays(kafkactl: Run, orders: str) -> None:
    assert kafkactl("groups", "copy", "app", "new", "--topic", "orders", "--yes").code == 0
    commit(admin_client(orders), "new", "payments", 7)
    run = kafkactl("groups", "undo", "--yes")
    assert run.code == 0, run.text
    assert "the group stays: it has commits in payments[0], too" in run.out
    assert (committed(orders, "new", "orders"), committed(orders, "new", "payments")) == (-1, 7)


def test_a_group_that_was_there_before_stays(kafkactl: Run, orders: str) -> None:
    commit(admin_client(orders), "old", "payments", 1)
    assert kafkactl("groups", "copy", "app", "old", "--topic", "orders", "--yes").code == 0
    assert kafkactl("groups", "undo", "--yes").code == 0
    assert (committed(orders, "old", "orders"), committed(orders, "old", "payments")) == (-1, 1)


def test_commits_that_nobody_was_shown_are_not_deleted(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come after the plan was shown, in a partition that it does not name."""
    commit(admin_client(orders), "late", "orders", 3)
    shown = offset_changes._require_as_shown

    def meanwhile(*arguments: object) -> None:
        shown(*arguments)  # type: ignore[arg-type]
        commit(admin_client(orders), "late", "payments", 7)

    monkeypatch.setattr(offset_changes, "_require_as_shown", meanwhile)
    run = kafkactl("groups", "delete", "late", "--yes")
    assert run.code == 1
    assert "Nothing was changed: late has committed in payments[0] since the plan was shown." in run.err
    assert (committed(orders, "late", "orders"), committed(orders, "late", "payments")) == (3, 7)


@pytest.mark.parametrize("ending", ["refused", "unreachable", "signal"])
def test_of_several_groups_each_is_accounted_for(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Also if the third of four fails, in whatever way."""
    for name in ("a", "b", "c", "d"):
        commit(admin_client(orders), name, "orders", 5)
    real = commits.delete_group
    errors = {
        "refused": KafkactlError("c was not deleted: no permission."),
        "unreachable": UnreachableError("Kafka is gone."),
        "signal": Terminated(),
    }

    def fails(kafka: object, group: str) -> None:
        if group == "c":
            raise errors[ending]
        real(kafka, group)  # type: ignore[arg-type]

    monkeypatch.setattr(restored_offsets, "delete_group", fails)
    run = kafkactl("groups", "delete", "a", "b", "c", "d", "--yes")
    told = [line for line in run.err.splitlines() if line[:1] not in ("", " ")]
    assert told[:2] == ["Done. a: delete the group, 1 partition.", "Done. b: delete the group, 1 partition."]
    left = {
        "refused": ["Done. d: delete the group, 1 partition.", "Not changed: c: c was not deleted: no permission."],
        "unreachable": ["Not changed: c: Kafka is gone.", "Not tried: d"],
        "signal": ["Could not determine whether it was changed: c", "Not tried: d"],
    }[ending]
    assert told[2:4] == left
    assert told[4] == f"{3 if ending == 'refused' else 2} of 4 groups done."
    assert names(kafkactl) == ["app", "c", *([] if ending == "refused" else ["d"])]
    assert run.code == {"refused": 1, "unreachable": 3, "signal": 143}[ending]


def test_a_single_group_whose_change_is_interrupted(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restored_offsets, "set_commits", interrupted)
    run = kafkactl("groups", "copy", "app", "new", "--yes", "-o", "json")
    assert run.code == 130
    assert json.loads(run.out)["groups"][0]["outcome"] == "pending"
    assert "Could not determine whether it was changed: new" in run.err
    undo = kafkactl("groups", "undo", "--dry-run")
    assert "it was interrupted, and its outcome could not be determined" in undo.err
    assert "Nothing to do" in undo.err or "Dry run" in undo.err


def test_offsets_that_cannot_all_be_read_are_not_saved(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from kafkactl.groups import fetch

    real = fetch.read_groups

    def partly(*arguments: object) -> object:
        sample = real(*arguments)  # type: ignore[arg-type]
        return replace(sample, groups=tuple(replace(group, missing="commits: timed out") for group in sample.groups))

    monkeypatch.setattr(fetch, "read_groups", partly)
    run = kafkactl("groups", "save", "app")
    assert (run.code, run.out) == (3, "")
    assert run.err.startswith("Nothing was written: could not read the offsets of app: commits: timed out.")
