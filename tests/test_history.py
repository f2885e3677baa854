"""The history: what every changing command leaves there, how it is shown, and what can be taken back."""

import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.history.book import HistoryBook
from kafkactl.history.command_line import told_command
from kafkactl.history.model import HistoryEntry, Step, entry_document, merged, read_entry
from kafkactl.history.undo import step_words, summary_words
from tests.conftest import REPOSITORY, Outcome, command, create
from tests.lab.faults import fill
from tests.test_init_topics import override, settings_of

Kafkactl = Callable[..., Outcome]

TOPICS = "topics: {orders: {retention: 3d, dlq: orders-dlq}, orders-dlq: {}, refunds: {partitions: 1}}\n"
LETTER = '{"value": "v", "headers": {"x-original-topic": "orders", "x-error": "no"}}'


def entries(kafkactl: Kafkactl, *words: str) -> list[dict[str, Any]]:
    run = kafkactl("history", *words, "-o", "json")
    assert run.code == 0, run.text
    found: list[dict[str, Any]] = json.loads(run.out)["entries"]
    return found


def last(kafkactl: Kafkactl) -> dict[str, Any]:
    return entries(kafkactl)[0]


# What changes a cluster, and what its entry says: kinds of steps, and the outcome.
CHANGES: list[tuple[tuple[str, ...], set[str], str]] = [
    (("init-topics", "--allow", "retention"), {"create", "config"}, "done"),
    (("topic", "create", "invoices", "--yes"), {"create"}, "done"),
    (("topic", "set", "orders", "retention.ms=1d", "--partitions", "4", "--yes"), {"config", "partitions"}, "done"),
    (("topic", "set", "orders", "--unset", "segment.bytes", "--yes"), {"override"}, "done"),
    (("topic", "trim", "orders", "--before-offset", "5", "--yes"), {"trim"}, "done"),
    (("topic", "delete", "orders", "--yes"), {"delete"}, "done"),
    (("groups", "reset", "app", "--topic", "orders", "--to-earliest", "--create", "--yes"), {"offsets"}, "done"),
    (("produce", "orders", "secret-value", "-k", "secret-key", "-H", "a=secret-header"), {"records"}, "done"),
    (("test", "--topic", "orders", "--count", "1"), {"records"}, "done"),
    (("dlq", "replay", "orders-dlq", "--yes"), {"replay"}, "done"),
    (("dlq", "purge", "orders-dlq", "--before", "0s", "--allow", "pending", "--yes"), {"trim"}, "done"),
]


@pytest.mark.parametrize(("words", "kinds", "outcome"), CHANGES, ids=[" ".join(words[:2]) for words, _, _ in CHANGES])
def test_what_changes_a_cluster_is_recorded(
    orders: str, kafkactl: Kafkactl, words: tuple[str, ...], kinds: set[str], outcome: str
) -> None:
    Path("topics.yaml").write_text(TOPICS)
    override(orders, "orders", segment__bytes="16777216")
    fill(orders, "orders", 10, 0)
    assert kafkactl("produce", "orders-dlq", "--json", LETTER).code == 0
    before = len(entries(kafkactl))
    run = kafkactl(*words)
    assert run.code == (1 if words[0] == "test" else 0), run.text  # refunds is not there
    found = last(kafkactl)
    assert len(entries(kafkactl)) == before + 1
    assert {step["kind"] for step in found["steps"]} == kinds
    assert (found["outcome"], found["begun"] <= found["ended"]) == (outcome, True)
    assert found["command"][:3] == ["kafkactl", *words[:2]]
    assert "secret-" not in json.dumps(found)
    kept = Path("own-state") if Path("own-state").exists() else next(Path().rglob("history"))
    for path in kept.rglob("*.jsonl"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert "secret-" not in path.read_text()
    assert kafkactl("history", "show", found["id"]).code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("init-topics", "--dry-run"),
        ("topic", "create", "invoices", "--dry-run"),
        ("topic", "set", "orders", "retention.ms=1d"),  # nobody to ask
        ("topic", "delete", "orders"),
        ("topic", "trim", "orders", "--before", "1d", "--yes"),  # nothing is that old
        ("test", "--count", "1"),  # its scratch topic is gone at the end
        ("diff",),
        ("describe",),
        ("doctor",),
        ("history",),
    ],
    ids=" ".join,
)
def test_what_changes_nothing_is_not_recorded(orders: str, kafkactl: Kafkactl, words: tuple[str, ...]) -> None:
    Path("topics.yaml").write_text(TOPICS)
    fill(orders, "orders", 3, 0)
    kafkactl(*words)
    assert entries(kafkactl) == []


def test_every_command_that_asks_a_protected_environment_writes_history() -> None:
    """Whatever asks before it writes also notes what it wrote."""
    for path in (REPOSITORY / "kafkactl").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "consent.require_unprotected(" in text:
            assert re.search(r"\brecorded\(|carry_out_\w+\(", text), path


def test_settings_are_put_back(orders: str, kafkactl: Kafkactl) -> None:
    override(orders, "orders", segment__bytes="16777216")
    words = ("retention.ms=1d", "segment.bytes=32 MiB", "max.message.bytes=2000000")
    assert kafkactl("topic", "set", "orders", *words, "--yes").code == 0
    id = last(kafkactl)["id"]
    shown = kafkactl("history", "show", id)
    assert f"To undo it: kafkactl history undo {id}" in shown.err
    dry = kafkactl("history", "undo", id, "--dry-run")
    assert dry.code == 0, dry.text
    assert settings_of(orders, "orders")["retention.ms"] == "86400000"
    run = kafkactl("history", "undo", id[:5], "--yes")
    assert run.code == 0, run.text
    found = settings_of(orders, "orders")
    assert (found["retention.ms"], found["segment.bytes"]) == ("604800000", "16777216")
    assert last(kafkactl)["undoes"] == id
    assert f"undone by {last(kafkactl)['id']}" in kafkactl("history").out
    assert "all that can be taken back is as it was" in kafkactl("history", "undo", id, "--yes").err
    assert kafkactl("history", "undo", last(kafkactl)["id"], "--yes").code == 0
    assert settings_of(orders, "orders")["retention.ms"] == "86400000"


def test_what_somebody_changed_since_is_asked_about(orders: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes").code == 0
    id = last(kafkactl)["id"]
    override(orders, "orders", retention__ms="7200000")
    run = kafkactl("history", "undo", id, "--yes")
    assert run.code == 2
    assert "retention.ms 2h was changed again since" in run.err
    assert "--allow later" in run.err
    assert settings_of(orders, "orders")["retention.ms"] == "7200000"
    assert kafkactl("history", "undo", id, "--yes", "--allow", "later").code == 0
    assert settings_of(orders, "orders")["retention.ms"] == "604800000"


def test_a_recreated_topic_is_another_one(orders: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("topic", "set", "orders", "max.message.bytes=2000000", "--yes").code == 0
    id = last(kafkactl)["id"]
    assert kafkactl("topic", "delete", "orders", "--yes").code == 0
    deletion = last(kafkactl)["id"]
    again = kafkactl("history", "undo", deletion)
    assert again.code == 1
    assert "its records are gone" in again.err
    assert "kafkactl topic create orders --partitions 3 --replication 1 --set max.message.bytes=2000000" in again.err
    create(orders, NewTopic("orders", 1, 1, config={"max.message.bytes": "2000000"}))
    run = kafkactl("history", "undo", id, "--yes")
    assert run.code == 1
    assert "deleted and recreated since" in run.err
    assert settings_of(orders, "orders")["max.message.bytes"] == "2000000"


def test_offsets_are_put_back(orders: str, kafkactl: Kafkactl) -> None:
    fill(orders, "orders", 10, 0)
    reset = ("groups", "reset", "app", "--topic", "orders", "--partition", "0", "--yes")
    assert kafkactl(*reset, "--to-offset", "4", "--create").code == 0
    assert kafkactl(*reset, "--to-offset", "9").code == 0
    id = last(kafkactl)["id"]
    assert kafkactl("history", "app").out.count("app: 1 offset") == 2
    assert kafkactl("history", "undo", id, "--yes").code == 0
    state = json.loads(kafkactl("groups", "save", "app").out)["offsets"]
    assert state == [{"topic": "orders", "partition": 0, "offset": 4}]
    assert kafkactl(*reset, "--to-offset", "2").code == 0
    later = kafkactl("history", "undo", id, "--yes")
    assert later.code in (0, 2)  # it stands at 4 then: nothing to do, or changed again since
    assert json.loads(kafkactl("groups", "save", "app").out)["offsets"][0]["offset"] in (2, 4)


def test_a_team_shares_it(orders: str, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path("topics.yaml").write_text("topics: {orders: {}, audit.kafkactl: {}}\nhistory: audit.kafkactl\n")
    early = kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes")
    assert "warning: the shared history lacks this change: there is no topic audit.kafkactl" in early.err
    unread = kafkactl("history")
    assert unread.code == 3
    assert "the shared history could not be read: there is no topic audit.kafkactl" in unread.err
    first = kafkactl("init-topics")
    assert first.code == 0
    assert "warning" not in first.err  # what it creates is there at its end
    assert kafkactl("topic", "set", "orders", "retention.ms=2d", "--yes").code == 0
    mine = entries(kafkactl)
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "of a colleague"))
    theirs = entries(kafkactl)
    assert [entry["id"] for entry in theirs] == [entry["id"] for entry in mine[:2]]
    assert all(entry["outcome"] == "done" for entry in theirs)
    run = kafkactl("history", "undo", theirs[0]["id"], "--yes")
    assert run.code == 0, run.text
    assert settings_of(orders, "orders")["retention.ms"] == "86400000"


def test_without_kafka_what_is_kept_here_is_shown(
    orders: str, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes").code == 0
    (path,) = HistoryBook("x").path.parent.glob("*.jsonl")
    entry = HistoryBook(path.stem).entries()[0]
    HistoryBook(path.stem).write(
        HistoryEntry("0badcafe", entry.begun, "p", "h", entry.cluster, "127.0.0.1:1", ("kafkactl",), entry.steps)
    )
    monkeypatch.setenv("KAFKA_BROKERS", "127.0.0.1:1")
    run = kafkactl("history")
    assert run.code == 3
    assert "0badcafe" in run.out
    assert entry.id not in run.out
    assert "begun, its end is not known" in run.out
    assert "only what was changed from this machine through 127.0.0.1:1 is known" in run.err


def test_a_kill_leaves_what_was_begun(orders: str, kafkactl: Kafkactl) -> None:
    run = command("produce", "orders", "--undeclared", stdin=-1)
    assert run.stdin
    run.stdin.write("a\n")
    run.stdin.flush()
    deadline = time.monotonic() + 20
    while not (found := entries(kafkactl)) and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.wait(10)
    assert found[0]["outcome"] == "begun"
    assert found[0]["command"] == ["kafkactl", "produce", "orders", "--undeclared"]
    assert "begun, its end is not known" in kafkactl("history").out


def test_ctrl_c_is_accounted_for(orders: str, kafkactl: Kafkactl) -> None:
    run = command("produce", "orders", "--undeclared", "--rate", "5/s", "--count", "1000", "v")
    deadline = time.monotonic() + 20
    while not (found := entries(kafkactl)) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 130
    found = entries(kafkactl)
    assert found[0]["outcome"] == "done"
    assert 0 < int(found[0]["steps"][0]["after"]) < 1000


def test_a_history_that_cannot_be_written_is_told(
    orders: str, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "file"))
    run = kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes")
    assert run.code == 0, run.text
    assert run.err.count("the history on this machine lacks this change") == 1
    assert settings_of(orders, "orders")["retention.ms"] == "86400000"


def test_since(orders: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("diff", "--since", "1h").code == 0
    assert kafkactl("topic", "set", "orders", "retention.ms=1d", "--partitions", "5", "--yes").code == 0
    id = last(kafkactl)["id"]
    assert kafkactl("topic", "set", "orders", "retention.ms=2d", "--yes").code == 0
    assert kafkactl("topic", "create", "refunds", "--yes").code == 0
    assert kafkactl("topic", "delete", "orders-dlq", "--yes").code == 0
    for since in (id, id[:6], "1h"):
        run = kafkactl("diff", "--since", since, "-o", "json")
        assert run.code == 1, run.text
        found = {(t["kind"], t["name"], t["key"]): (t["then"], t["now"]) for t in json.loads(run.out)["things"]}
        assert found == {
            ("setting", "orders", "retention.ms"): (None, "172800000"),
            ("partitions", "orders", None): ("3", "5"),
            ("topic", "refunds", None): (None, "there"),
            ("topic", "orders-dlq", None): ("there", None),
        }
    assert "orders retention.ms" in kafkactl("diff", "--since", id).out
    assert kafkactl("topic", "set", "orders", "--unset", "retention.ms", "--yes").code == 0
    assert "retention.ms" not in kafkactl("diff", "--since", id).out
    assert kafkactl("diff", "--since", "nonsense").code == 2
    assert kafkactl("diff", "--since", "1h", "--strict").code == 2


def test_ids_and_names_that_are_not_there(one_broker: str, kafkactl: Kafkactl) -> None:
    for words in (("history", "show", "12345678"), ("history", "undo", "12345678", "--yes")):
        run = kafkactl(*words)
        assert run.code == 1
        assert "There is no entry 12345678 in the history." in run.err
    assert "No change about orders is recorded." in kafkactl("history", "orders").out
    assert "No change is recorded since then." in kafkactl("history", "list", "--since", "1h").out


# What is pure.

TEXT = st.text(max_size=12)
STEPS = st.builds(
    Step,
    st.sampled_from(["create", "config", "delete", "offsets", "group", "replay", "trim", "access", "replicas", "x"]),
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.none() | TEXT,
    st.booleans(),
    TEXT,
    st.sampled_from(["planned", "done", "failed", "not known", "not done"]),
    TEXT,
)
ENTRIES = st.builds(
    HistoryEntry,
    TEXT,
    st.integers(0, 2**40),
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    st.lists(STEPS, max_size=3).map(tuple),
    st.none() | st.integers(0, 2**40),
    TEXT,
    st.integers(0, 3),
)


@given(ENTRIES)
def test_an_entry_is_read_as_it_was_written(entry: HistoryEntry) -> None:
    assert read_entry(json.loads(json.dumps(entry_document(entry)))) == entry
    assert all("{" not in step_words(step) or "{" in f"{step}" for step in entry.steps)
    assert isinstance(summary_words(entry), str)


@given(st.lists(ENTRIES, max_size=6))
def test_each_entry_is_there_once_and_its_end_wins(found: list[HistoryEntry]) -> None:
    whole = merged(found)
    assert {entry.id for entry in whole} == {entry.id for entry in found}
    assert len({entry.id for entry in whole}) == len(whole)
    ended = {entry.id for entry in found if entry.ended is not None}
    assert {entry.id for entry in whole if entry.ended is not None} == ended
    assert [entry.begun for entry in whole] == sorted((entry.begun for entry in whole), reverse=True)


def test_a_line_that_was_cut_off_does_not_take_the_next_one_with_it() -> None:
    book = HistoryBook("c")
    entry = HistoryEntry("1", 1, "p", "h", "c", "a", ("kafkactl",), ())
    book.write(entry)
    with book.path.open("ab") as file:
        file.write(b'{"id": "2", "beg')
    other = HistoryEntry("3", 3, "p", "h", "c", "a", ("kafkactl",), (), 4)
    book.write(other)
    assert book.entries() == [other, entry]
    assert book.unread == 1


def test_a_damaged_history_says_so(orders: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes").code == 0
    (path,) = HistoryBook("x").path.parent.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'garbage\n{"id": 3}\n\xff\xfe\n[]\n')
    run = kafkactl("history")
    assert run.code == 0
    assert "orders: retention.ms 7d → 1d" in run.out
    assert f"warning: 4 lines of {path} cannot be read: entries may be missing" in run.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-X", "sasl.password=hunter2"], ["-X", "sasl.password=[hidden]"]),
        (["-Xsasl.password=hunter2"], ["-Xsasl.password=[hidden]"]),
        (["--password", "hunter2"], ["--password", "[hidden]"]),
        (
            ["produce", "t", "VALUE", "-kVALUE", "--key=VALUE"],
            ["produce", "t", "[hidden]", "-k[hidden]", "--key=[hidden]"],
        ),
        (["topic", "set", "t", "retention.ms=1d"], ["topic", "set", "t", "retention.ms=1d"]),
    ],
)
def test_secrets_are_not_in_the_command(words: list[str], told: list[str]) -> None:
    assert list(told_command(words, ["VALUE"])) == told
