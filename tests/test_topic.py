"""kafkactl topic create and set, on a real broker."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from tests.conftest import Outcome, admin_client
from tests.sandboxes import eventually
from tests.test_init_topics import override, partitions, settings_of
from tests.test_lag_situations import commit, fill
from tests.test_terminal import Terminal

Kafkactl = Callable[..., Outcome]


def test_create_and_what_declares_it(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("topic", "create", "refunds", "--partitions", "2", "--set", "retention=7d", "--yes")
    assert run.code == 0, run.text
    assert partitions(one_broker) == {"refunds": 2}
    assert settings_of(one_broker, "refunds")["retention.ms"] == "604800000"
    assert "refunds was created in" in run.err
    lines = run.out[run.out.index("topics:") :]
    Path("topics.yaml").write_text(lines, encoding="utf-8")
    assert kafkactl("lint").code == 0
    assert kafkactl("diff").code == 0, lines
    again = kafkactl("topic", "create", "refunds", "--yes")
    assert again.code == 2
    assert "refunds exists already" in again.err


def test_a_dry_run_and_nobody_to_ask(one_broker: str, kafkactl: Kafkactl) -> None:
    dry = kafkactl("topic", "create", "refunds", "--dry-run")
    assert (dry.code, "Dry run: nothing was changed." in dry.err) == (0, True), dry.text
    asked = kafkactl("topic", "create", "refunds")
    assert asked.code == 2
    assert "--yes" in asked.err
    assert partitions(one_broker) == {}


def test_the_broker_refuses_before_anything_is_asked(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("topic", "create", "refunds", "--replication", "3", "--yes")
    assert run.code == 1
    assert "refunds: creating it failed" in run.err
    assert "Nothing was changed." in run.err
    unmet = kafkactl("topic", "create", "refunds", "--set", "min.insync.replicas=2", "--yes")
    assert unmet.code == 1
    assert "more than the 1 replica" in unmet.out
    assert partitions(one_broker) == {}


def test_set_and_unset(orders: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {orders: {retention: 3d}}\n", encoding="utf-8")
    override(orders, "orders", max__message__bytes="2000000")
    words = ("retention.ms=1d", "segment.bytes=16 MiB", "--unset", "max.message.bytes", "--partitions", "4")
    run = kafkactl("topic", "set", "orders", *words, "--yes")
    assert run.code == 0, run.text
    assert "deletes records" in run.out
    assert "breaks key order" in run.out
    assert "--allow" not in run.text
    assert "4 changes of orders made" in run.err
    assert "declares retention.ms 3d, the cluster has 1d" in run.err
    found = settings_of(orders, "orders")
    assert (found["retention.ms"], found["segment.bytes"]) == ("86400000", str(16 * 2**20))
    assert found["max.message.bytes"] != "2000000"
    assert partitions(orders)["orders"] == 4
    assert "Nothing to do: orders is so already." in kafkactl("topic", "set", "orders", "retention.ms=1d").err


def test_partitions_are_never_removed(orders: str, kafkactl: Kafkactl) -> None:
    have = partitions(orders)["orders"]
    run = kafkactl("topic", "set", "orders", "--partitions", "1", "retention.ms=1d", "--yes")
    assert run.code == 1
    assert "Kafka cannot remove partitions" in run.out
    assert partitions(orders)["orders"] == have
    assert settings_of(orders, "orders")["retention.ms"] != "86400000"


def test_an_override_that_equals_the_default_can_be_removed(orders: str, kafkactl: Kafkactl) -> None:
    override(orders, "orders", retention__ms=settings_of(orders, "orders")["retention.ms"])
    assert kafkactl("topic", "set", "orders", "--unset", "retention", "--yes").code == 0
    assert "is so already" in kafkactl("topic", "set", "orders", "--unset", "retention").err


def test_the_document(orders: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes", "-o", "json")
    told = json.loads(run.out)
    assert told["kind"] == "topic-change"
    assert told["done"] == [{"topic": "orders", "kind": "config", "key": "retention.ms"}]
    assert "retention: 1d" in told["declaration"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("create", "__own"), "Kafka's own topic"),
        (("set", "kafkactl.dlq.ledger", "retention.ms=1d"), "kafkactl's own topic"),
        (("set", "orders"), "Nothing says what to change."),
        (("set", "orders", "retention.ms"), "is not KEY=VALUE"),
        (("set", "orders", "retention.ms=soon"), "retention.ms: "),
        (("set", "orders", "retention.sm=1d"), 'Did you mean "retention.ms"?'),
        (("set", "orders", "retention.ms=1d", "--unset", "retention"), "is given a value and unset"),
    ],
)
def test_slips(kafkactl: Kafkactl, words: tuple[str, ...], why: str) -> None:
    run = kafkactl("topic", *words, "--yes")
    assert run.code == 2, run.text
    assert why in run.err


def test_a_topic_that_is_not_there(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("topic", "set", "refunds", "retention.ms=1d", "--yes")
    assert run.code == 1
    assert "There is no topic refunds." in run.err
    assert partitions(one_broker) == {}


def test_a_protected_environment(orders: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text(
        f"environments: {{live: {{brokers: ['{orders}'], protected: true}}}}\ntopics: {{}}\n", encoding="utf-8"
    )
    refused = kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes")
    assert refused.code == 2
    assert "live is protected" in refused.err
    assert settings_of(orders, "orders")["retention.ms"] != "86400000"
    assert kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes", "--confirm", "live").code == 0
    assert settings_of(orders, "orders")["retention.ms"] == "86400000"


def test_a_typed_yes_is_for_what_was_shown(orders: str) -> None:
    terminal = Terminal("topic", "set", "orders", "retention.ms=1d")
    terminal.expect("Type yes: ")
    override(orders, "orders", retention__ms="7200000")
    terminal.type("yes\n")
    assert terminal.end() == 1
    assert "changed while you were asked" in terminal.raw
    assert settings_of(orders, "orders")["retention.ms"] == "7200000"
    again = Terminal("topic", "set", "orders", "retention.ms=1d")
    again.expect("Type yes: ")
    again.type("yes\n")
    assert again.end() == 0, again.raw
    assert settings_of(orders, "orders")["retention.ms"] == "86400000"


def test_what_no_topics_yaml_can_say_is_named(orders: str, kafkactl: Kafkactl) -> None:
    override(orders, "orders", min__insync__replicas="2")
    run = kafkactl("topic", "set", "orders", "retention.ms=1d", "--yes")
    assert run.code == 0, run.text
    assert "# Left out: min.insync.replicas, which is more than the replication." in run.out


def test_delete_wants_the_name_typed(orders: str, kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {orders: {}}\n", encoding="utf-8")
    fill(orders, "orders", 7, 0)
    nobody = kafkactl("topic", "delete", "orders")
    assert (nobody.code, "To agree in advance: --yes" in nobody.err) == (2, True), nobody.text
    terminal = Terminal("topic", "delete", "orders")
    terminal.expect("Delete orders and up to 7 records on")
    terminal.expect("Type its name: ")
    terminal.type("yes\n")
    assert terminal.end() == 2
    assert "what you typed is not orders" in terminal.raw
    assert "orders" in partitions(orders)
    again = Terminal("topic", "delete", "orders")
    again.expect("Type its name: ")
    again.type("orders\n")
    assert again.end() == 0, again.raw
    assert "orders" not in partitions(orders)
    assert "topics.yaml:1:10 still declares orders: init-topics creates it again." in again.raw
    assert kafkactl("topic", "delete", "orders", "--yes").code == 1


def test_delete_names_who_reads(orders: str, kafkactl: Kafkactl) -> None:
    commit(admin_client(orders), "idle", "orders", 0)
    consumer = Consumer({"bootstrap.servers": orders, "group.id": "busy", "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe(["orders"])
        eventually(lambda: (consumer.poll(0.1), len(consumer.assignment()) == 3)[1])
        run = kafkactl("topic", "delete", "orders", "--yes")
        assert run.code == 2, run.text
        assert "busy reads it: 1 member." in run.err
        assert "idle has offsets in it and no member that reads it." in run.err
        assert "--allow readers" in run.err
        assert "orders" in partitions(orders)
        assert kafkactl("topic", "delete", "orders", "--yes", "--allow", "readers").code == 0
    finally:
        consumer.close()
    assert "orders" not in partitions(orders)


def test_trim_saves_first_and_names_who_has_not_read(orders: str, kafkactl: Kafkactl) -> None:
    fill(orders, "orders", 10, 0)
    commit(admin_client(orders), "slow", "orders", 4)
    dry = kafkactl("topic", "trim", "orders", "--before-offset", "6", "--dry-run", "--save", "kept.jsonl")
    assert dry.code == 0, dry.text
    assert "slow has not read 2 offsets of them." in dry.err
    assert not Path("kept.jsonl").exists()
    refused = kafkactl("topic", "trim", "orders", "--before-offset", "6", "--yes", "--save", "kept.jsonl")
    assert (refused.code, "--allow unread" in refused.err) == (2, True), refused.text
    assert not Path("kept.jsonl").exists()
    words = ("topic", "trim", "orders", "--before-offset", "6", "--yes", "--save", "kept.jsonl", "--allow", "unread")
    run = kafkactl(*words, "-o", "json")
    assert run.code == 0, run.text
    told = json.loads(run.out)
    assert (told["kind"], told["file"], told["unread_by"]) == ("topic-trim", "kept.jsonl", {"slow": 2})
    assert [p["new_first"] for p in told["partitions"]] == [6, 0, 0]
    kept = [json.loads(line)["offset"] for line in Path("kept.jsonl").read_text().splitlines()]
    assert kept == list(range(6))
    assert Path("kept.jsonl").stat().st_mode & 0o777 == 0o600
    left = kafkactl("tail", "orders", "--from-beginning", "--no-follow", "-o", "json").out.splitlines()
    assert sorted(json.loads(line)["offset"] for line in left) == [6, 7, 8, 9]
    again = kafkactl(
        "topic", "trim", "orders", "--before-offset", "8", "--yes", "--save", "kept.jsonl", "--allow", "unread"
    )
    assert (again.code, "already exists" in again.err) == (2, True), again.text


def test_trim_by_time_and_partition(orders: str, kafkactl: Kafkactl) -> None:
    fill(orders, "orders", 5, 0)
    fill(orders, "orders", 5, 1)
    assert "Nothing to do: no such record is there." in kafkactl("topic", "trim", "orders", "--before", "1h").err
    run = kafkactl("topic", "trim", "orders", "--before", "0s", "--partition", "1", "--yes")
    assert run.code == 0, run.text
    assert "5 offsets of orders deleted." in run.err
    left = kafkactl("tail", "orders", "--from-beginning", "--no-follow", "-o", "json").out.splitlines()
    assert {json.loads(line)["partition"] for line in left} == {0}
    override(orders, "orders", cleanup__policy="compact")
    compacted = kafkactl("topic", "trim", "orders", "--before", "0s", "--yes")
    assert (compacted.code, "cleanup.policy compact" in compacted.err) == (2, True), compacted.text


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("delete", "__consumer_offsets"), "Kafka's own topic"),
        (("delete", "orders*"), "is a pattern"),
        (("delete", "orders", "--allow", "unread"), "is for trimming a topic"),
        (("trim", "orders"), "Nothing says which records to delete."),
        (("trim", "orders", "--before", "1d", "--before-offset", "3"), "exclude each other"),
        (("trim", "orders", "--before", "1d", "--allow", "readers"), "is for deleting a topic"),
        (("trim", "orders", "--before-offset", "1", "--partition", "9"), "Partition 9 does not exist in orders."),
    ],
)
def test_slips_of_deleting(orders: str, kafkactl: Kafkactl, words: tuple[str, ...], why: str) -> None:
    run = kafkactl("topic", *words, "--yes")
    assert run.code == 2, run.text
    assert why in run.err
    assert partitions(orders).keys() >= {"orders"}


def test_ctrl_c_at_the_question_changes_nothing(orders: str) -> None:
    for words in (("topic", "delete", "orders"), ("topic", "set", "orders", "retention.ms=1d")):
        terminal = Terminal(*words)
        terminal.expect(": ")
        terminal.expect("Type ")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert partitions(orders)["orders"] == 3
    assert settings_of(orders, "orders")["retention.ms"] != "86400000"
