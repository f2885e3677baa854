"""kafkactl groups on a real broker: looked at, moved with a plan and a way back, and left alone where it must be."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic

from tests.conftest import Outcome, admin_client, create, three_lines
from tests.lab.consumers import Consumes, consumer
from tests.sandboxes import eventually
from tests.test_lag_situations import commit, committed, fill, offsets
from tests.test_terminal import Terminal

Run = Callable[..., Outcome]


@pytest.fixture
def orders(one_broker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A broker with two topics of 20 records, `orders` in two partitions, and a group that stands at 12 in them."""
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    create(one_broker, NewTopic("orders", 2, 1), NewTopic("payments", 1, 1))
    for topic, partition in (("orders", 0), ("orders", 1), ("payments", 0)):
        fill(one_broker, topic, 20, partition)
    commit(admin_client(one_broker), "app", "orders", 12, partitions=2)
    commit(admin_client(one_broker), "app", "payments", 12)
    return one_broker


@pytest.fixture
def member(orders: str) -> Iterator[str]:
    """A group that somebody is in."""
    with consumer(Consumes(orders, "busy", "orders", name="busy-app")):
        assert eventually(lambda: offsets(orders, "busy", "orders") == [20, 20])
        yield "busy"


def plan(run: Outcome) -> list[dict[str, Any]]:
    assert run.code == 0, run.text
    (group,) = json.loads(run.out)["groups"]
    return group["partitions"]  # type: ignore[no-any-return]


def test_list_and_describe(kafkactl: Run, orders: str, member: str) -> None:
    listed = kafkactl("groups", "list")
    assert listed.out.splitlines()[0].split() == ["GROUP", "STATE", "TYPE", "ASSIGNOR", "MEMBERS", "COORDINATOR"]
    assert [line.split()[:3] for line in listed.out.splitlines()[1:]] == [
        ["app", "Empty", "classic"],
        ["busy", "Stable", "classic"],
    ]
    assert kafkactl("groups", "list", "a*", "-o", "name").out == "app\n"
    shown = kafkactl("groups", "describe", member)
    assert shown.code == 0
    assert shown.out.startswith("busy · Stable · protocol classic · assignor ")
    assert "orders[0,1]" in shown.out
    assert [line.split()[:4] for line in shown.out.splitlines() if line.startswith("orders[")] == [
        ["orders[0]", "20", "20", "0"],
        ["orders[1]", "20", "20", "0"],
    ]
    (found,) = json.loads(kafkactl("groups", "describe", "app", "-o", "json").out)["groups"]
    assert (found["lag"], found["members"], found["coordinator"]) == (24, [], 1)
    error = kafkactl("groups", "describe", "ap")
    assert error.code == 1
    assert error.err.startswith(f"There is no group ap on {orders}.")


@pytest.mark.parametrize(
    ("options", "offset", "effect"),
    [
        (("--to-earliest",), 0, (12, 0)),
        (("--to-latest",), 20, (0, 8)),
        (("--to-offset", "15"), 15, (0, 3)),
        (("--by", "-5"), 7, (5, 0)),
        (("--to-time", "0m"), 20, (0, 8)),
        (("--to-time", "2000-01-01"), 0, (12, 0)),
    ],
)
def test_reset_and_undo(
    kafkactl: Run, orders: str, options: tuple[str, ...], offset: int, effect: tuple[int, int]
) -> None:
    moves = plan(kafkactl("groups", "reset", "app", "--topic", "orders", *options, "--yes", "-o", "json"))
    assert [(m["from"], m["to"], m["read_again"], m["skipped"]) for m in moves] == [(12, offset, *effect)] * 2
    assert committed(orders, "app", "orders") == offset
    assert committed(orders, "app", "payments") == 12
    assert kafkactl("groups", "undo", "--yes").code == 0
    assert committed(orders, "app", "orders") == 12
    again = kafkactl("groups", "undo", "app", "--yes")  # of the undo
    assert again.out.startswith("app · redo: reset ")
    assert committed(orders, "app", "orders") == offset


def test_what_is_bent_is_said_and_what_was_is_kept(kafkactl: Run, orders: str, tmp_path: Path) -> None:
    run = kafkactl("groups", "reset", "app", "--topic", "orders", "--partition", "1", "--to-offset", "900", "--yes")
    assert run.out.splitlines() == [
        "app · reset to offset 900",
        "PARTITION  FROM  TO  AGAIN  SKIPPED",
        "orders[1]    12  20      0        8  900 is beyond the end, 20",
    ]
    assert "To undo: kafkactl groups undo app" in run.err
    (kept,) = (tmp_path / "state" / "groups").rglob("*.json")
    assert str(kept) in run.err
    assert json.loads(kept.read_text())["offsets"] == [{"topic": "orders", "partition": 1, "offset": 12}]
    late = kafkactl("groups", "reset", "app", "--topic", "orders", "--to-time", "2999-01-01", "--dry-run")
    assert "orders[0]    12         20      0        8  no record at or after that time: to the end" in late.out
    assert "orders[1]    20  unchanged      –        –  no record at or after that time: already at the end" in late.out
    same = kafkactl("groups", "reset", "app", "--topic", "orders", "--by", "0", "--yes")
    assert (same.code, same.err.strip()) == (0, "Nothing to do: no offset would change.")
    assert same.out.splitlines() == [
        "app · reset by 0 offsets",
        "PARTITION  FROM         TO  AGAIN  SKIPPED",
        "orders[0]    12  unchanged      –        –  already there",
        "orders[1]    20  unchanged      –        –  already there",
    ]
    none = kafkactl("groups", "reset", "new", "--create", "--topic", "orders", "--by", "-1", "--dry-run")
    assert none.out.splitlines()[0] == "new · reset 1 offset back"
    assert none.out.splitlines()[2].split() == [
        "orders[0]",
        "–",
        "unchanged",
        "–",
        "–",
        "no",
        "commit",
        "to",
        "count",
        "from",
    ]


def test_a_glob_is_about_what_the_group_has_committed_in_and_a_name_about_the_topic(kafkactl: Run, orders: str) -> None:
    create(orders, NewTopic("ordered", 1, 1))
    globbed = plan(kafkactl("groups", "reset", "app", "--topic", "or*", "--to-earliest", "--dry-run", "-o", "json"))
    assert {move["topic"] for move in globbed} == {"orders"}
    named = plan(kafkactl("groups", "reset", "app", "--topic", "ordered", "--by", "-5", "--dry-run", "-o", "json"))
    assert named[0]["note"] == "no commit to count from"
    nothing = kafkactl("groups", "reset", "app", "--topic", "x*", "--to-earliest")
    assert nothing.code == 1
    assert "It has commits in orders, payments." in nothing.err


def test_a_group_with_members_is_refused_and_they_are_named(kafkactl: Run, orders: str, member: str) -> None:
    for words in (
        ("reset", member, "--topic", "orders", "--to-earliest", "--yes"),
        ("copy", "app", member, "--yes"),
        ("delete", "app", member, "--yes"),
        ("delete-offsets", member, "orders", "--yes"),
    ):
        run = kafkactl("groups", *words)
        assert run.code == 1
        lines = three_lines(run)
        assert lines[0].startswith("Nothing was changed: busy has 1 active member")
        assert lines[1] == "  Member: busy-app at 127.0.0.1 (orders[0,1])."
    assert committed(orders, member, "orders") == 20
    assert committed(orders, "app", "orders") == 12


def test_a_member_that_reads_something_else_does_not_hinder_forgetting_a_topic(
    kafkactl: Run, orders: str, member: str
) -> None:
    with ExitStack() as running:
        running.enter_context(consumer(Consumes(orders, "app", "payments", name="payments-app")))
        assert eventually(lambda: committed(orders, "app", "payments") == 20)
        run = kafkactl("groups", "delete-offsets", "app", "orders", "--yes")
        assert run.code == 0, run.err
        assert committed(orders, "app", "orders") == -1
    assert eventually(lambda: kafkactl("groups", "undo", "app", "--yes").code == 0)
    assert committed(orders, "app", "orders") == 12


def test_save_copy_delete_and_bring_back(kafkactl: Run, orders: str, tmp_path: Path) -> None:
    saved = kafkactl("groups", "save", "app")
    (tmp_path / "app.json").write_text(saved.out)
    assert "3 offsets of app: orders[0,1], payments[0]." in saved.err
    assert kafkactl("groups", "copy", "app", "next", "--topic", "orders", "--yes").code == 0
    assert (committed(orders, "next", "orders"), committed(orders, "next", "payments")) == (12, -1)
    assert kafkactl("groups", "undo", "next", "--yes").code == 0
    assert committed(orders, "next", "orders") == -1
    assert "next" not in kafkactl("groups", "list", "-o", "name").out.split()
    assert kafkactl("groups", "delete", "app", "--yes").code == 0
    assert "app" not in kafkactl("groups", "list", "-o", "name").out
    assert kafkactl("groups", "undo", "app", "--yes").code == 0
    assert committed(orders, "app", "payments") == 12
    kafkactl("groups", "reset", "app", "--topic", "*", "--to-latest", "--yes")
    assert kafkactl("groups", "reset", "app", "--from-file", "app.json", "--yes").code == 0
    assert committed(orders, "app", "payments") == 12
    other = kafkactl("groups", "reset", "app-2", "--from-file", "app.json", "--topic", "orders", "--yes")
    assert other.code == 0
    assert "these offsets were saved from another group, app" in other.err
    (tmp_path / "old.csv").write_text('"orders",0,3\n"orders",7,3\n')
    missing = kafkactl("groups", "reset", "app", "--from-file", "old.csv", "--yes")
    assert missing.code == 1
    assert missing.err.startswith(f"Nothing was changed: orders[7] does not exist on {orders}.")


def test_nothing_is_changed_without_a_yes_and_never_for_a_group_of_the_environment(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_CONSUMER_GROUP", "app")
    run = kafkactl("groups", "reset", "app", "--topic", "orders", "--to-latest")
    assert (run.code, run.err) == (
        2,
        "Nothing was changed: there is no terminal to confirm on.\n  To agree in advance: --yes\n",
    )
    assert "orders[1]    12  20      0        8" in run.out
    for words in (("reset", "--topic", "orders", "--to-latest"), ("delete",), ("delete-offsets", "orders"), ("save",)):
        assert kafkactl("groups", *words, *(["--yes"] if words[0] != "save" else [])).code == 2
    assert kafkactl("groups", "undo", "--yes").code == 1  # nothing was changed yet
    assert committed(orders, "app", "orders") == 12


def test_a_yes_typed_on_a_terminal(orders: str) -> None:
    terminal = Terminal("groups", "reset", "app", "--topic", "orders", "--to-latest")
    terminal.expect("app: reset to the end (16 skipped) on")
    terminal.type("yes\n")
    assert terminal.end() == 0
    assert "To undo: kafkactl groups undo app" in terminal.raw
    assert committed(orders, "app", "orders") == 20


def test_a_protected_environment_wants_its_name(kafkactl: Run, orders: str, tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text(
        f"environments: {{production: {{brokers: ['{orders}'], protected: true}}}}\ntopics: {{orders: {{}}}}\n"
    )
    for words in (
        ("reset", "app", "--topic", "orders", "--to-latest"),
        ("delete", "app"),
        ("delete-offsets", "app", "orders"),
        ("copy", "app", "next"),
    ):
        run = kafkactl("groups", *words, "--yes")
        assert run.code == 2
        assert "production is protected, and this would move offsets of its groups." in run.err
    assert committed(orders, "app", "orders") == 12
    assert kafkactl("groups", "delete-offsets", "app", "orders", "--yes", "--confirm", "production").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("reset", "app", "--topic", "orders"), "No target given."),
        (("reset", "app", "--to-latest"), "No topic given."),
        (
            ("reset", "app", "--topic", "orders", "--to-latest", "--by", "1"),
            "--to-latest and --by cannot be combined.",
        ),
        (("reset", "app", "--topic", "orders", "--to-time", "soon"), "'soon' is not a valid time."),
        (("reset", "app", "--from-file", "nothing.json"), "Cannot read nothing.json: No such file or directory."),
        (("copy", "app", "app"), "FROM and TO are the same group."),
    ],
)
def test_usage(kafkactl: Run, words: tuple[str, ...], message: str) -> None:
    run = kafkactl("groups", *words)
    assert run.code == 2
    assert run.err.startswith(message)


def test_slips_and_what_cannot_be_saved(
    kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slip = kafkactl("groups", "reset", "app", "--topic", "ordres", "--to-latest", "--yes")
    assert (slip.code, "Did you mean orders?" in slip.err) == (1, True)
    typed = kafkactl("groups", "delete", "apps", "--yes")
    assert (typed.code, "Did you mean app?" in typed.err) == (1, True)
    none = kafkactl("groups", "delete-offsets", "app", "order", "--yes")
    assert none.err == "app has no commits in order.\n  It has commits in orders, payments.\n"
    (tmp_path / "full").write_text("")
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "full"))
    refused = kafkactl("groups", "delete", "app", "--yes")
    assert refused.code == 1
    assert three_lines(refused)[0].startswith("Nothing was changed: could not save the current offsets")
    assert committed(orders, "app", "orders") == 12


def test_records_that_are_gone_are_no_place_to_go_back_to(kafkactl: Run, orders: str) -> None:
    admin = admin_client(orders)
    for future in admin.delete_records([TopicPartition("orders", 0, 10)]).values():
        future.result(10)
    moves = plan(kafkactl("groups", "reset", "app", "--topic", "orders", "--to-offset", "4", "--dry-run", "-o", "json"))
    assert [(move["to"], move["read_again"]) for move in moves] == [(10, 2), (4, 8)]
    assert moves[0]["note"] == "4 has been deleted: the first available offset is 10"


def test_no_group_has_a_name_longer_than_kafka_takes(kafkactl: Run, orders: str) -> None:
    name = "g" * 32_768
    for words in (
        ["groups", "reset", name, "--topic", "orders", "--to-latest", "--create", "--yes"],
        ["groups", "describe", name], ["groups", "delete", name, "--yes"], ["groups", "copy", "app", name, "--yes"],
        ["groups", "save", name], ["lag", name], ["tail", "orders", "--group", name, "--no-follow"],
    ):  # fmt: skip
        run = kafkactl(*words)
        assert run.code == 2, words[:2]
        assert "Kafka cannot take more than 32,767" in run.err
