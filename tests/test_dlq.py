"""kafkactl dlq on real brokers: found, shown, sent back each once, parked, saved and deleted."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from kafkactl.deadletters.ledger import LEDGER_TOPIC
from tests.conftest import Outcome, admin_client, commit, create
from tests.dead_letters import FROM_ORDERS, bury, copies
from tests.test_terminal import Terminal

Run = Callable[..., Outcome]


def limit(brokers: str) -> None:
    """Let `orders` take no records of more than 2,000 bytes."""
    entry = ConfigEntry("max.message.bytes", "2000", incremental_operation=AlterConfigOpType.SET)
    admin = admin_client(brokers)
    asked = admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, "orders", incremental_configs=[entry])])
    for future in asked.values():
        future.result(10)


def document(run: Outcome) -> dict:  # type: ignore[type-arg]
    return json.loads(run.out)  # type: ignore[no-any-return]


def listed(kafkactl: Run, topic: str = "orders-dlq") -> tuple[int, int, int, int]:
    run = kafkactl("dlq", "list", topic, "-o", "json")
    (found,) = document(run)["topics"]
    return found["pending"], found["replayed"], found["parked"], found["total"]


def test_from_burying_to_purging(kafkactl: Run, orders: str, tmp_path: Path) -> None:
    commit(admin_client(orders), "app", "orders", 0)
    bury(
        orders,
        (b"k1", b'{"n": 1}', (("own", b"\xff"), *FROM_ORDERS)),
        (None, b"", FROM_ORDERS),
        (b"k3", None, FROM_ORDERS),
        (b"\xff\x00", b"\xfe" * 10, FROM_ORDERS),
        (b"k5", b"who knows", (("trace", b"1"),)),
    )
    shown = kafkactl("dlq", "show", "orders-dlq")
    assert shown.code == 0
    assert shown.out.count("from orders[1] ") == 4
    assert "from an unknown topic" in shown.out
    assert "no such merchant" in shown.out
    assert listed(kafkactl) == (5, 0, 0, 5)
    planned = kafkactl("dlq", "replay", "orders-dlq", "--dry-run")
    assert planned.code == 0
    assert "orders is read by app: it gets these records again." in planned.err
    assert f"Creates {LEDGER_TOPIC}" in planned.err
    assert LEDGER_TOPIC not in admin_client(orders).list_topics(timeout=10).topics
    done = kafkactl("dlq", "replay", "orders-dlq", "--yes")
    assert done.code == 1  # not all could be sent
    assert "4 records sent back to orders." in done.err
    assert "1 parked: its headers name no source topic." in done.err
    found = copies(orders, "orders")
    assert {partition for partition, *_ in found} == {1}
    assert Counter((key, value) for _, key, value, _ in found) == Counter(
        [(b"k1", b'{"n": 1}'), (None, b""), (b"k3", None), (b"\xff\x00", b"\xfe" * 10)]
    )
    (headers,) = [headers for _, key, _, headers in found if key == b"k1"]
    assert [name for name, _ in headers] == [
        "own", "kafkactl-replay-count", "kafkactl-replay-id", "kafkactl-original-timestamp",
    ]  # fmt: skip
    assert headers[0] == ("own", b"\xff")
    assert listed(kafkactl) == (0, 4, 1, 5)
    again = kafkactl("dlq", "replay", "orders-dlq", "--yes")
    assert (again.code, len(copies(orders, "orders"))) == (0, 4)
    rescued = kafkactl("dlq", "replay", "orders-dlq", "--parked", "--to", "orders", "--yes")
    assert rescued.code == 0
    assert listed(kafkactl) == (0, 5, 0, 5)
    file = tmp_path / "gone.jsonl"
    gone = kafkactl("dlq", "purge", "orders-dlq", "--replayed", "--save", str(file), "--yes")
    assert gone.code == 0
    assert listed(kafkactl) == (0, 0, 0, 0)
    assert file.stat().st_mode & 0o777 == 0o600
    back = kafkactl("produce", "orders-dlq", "--json", "-l", str(file))
    assert back.code == 0
    assert Counter((k, v, h) for _, k, v, h in copies(orders, "orders-dlq")) == Counter(
        [
            (b"k1", b'{"n": 1}', (("own", b"\xff"), *FROM_ORDERS)),
            (None, b"", FROM_ORDERS),
            (b"k3", None, FROM_ORDERS),
            (b"\xff\x00", b"\xfe" * 10, FROM_ORDERS),
            (b"k5", b"who knows", (("trace", b"1"),)),
        ]
    )


def test_a_record_that_comes_back_again_and_again_is_parked(kafkactl: Run, orders: str) -> None:
    """As a service does that gives it up each time: it copies the headers."""
    bury(orders, (b"k", b"v", FROM_ORDERS))
    for round in range(3):
        assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
        ((_, key, value, headers),) = copies(orders, "orders")[round:]
        assert dict(headers)["kafkactl-replay-count"] == str(round + 1).encode()
        assert len(headers) == 3  # they do not grow
        bury(orders, (key, value, (*headers, *FROM_ORDERS)))
    parked = kafkactl("dlq", "replay", "orders-dlq", "--yes")
    assert parked.code == 1
    assert "1 parked: sent back 3 times already (--max-replays 3)." in parked.err
    assert len(copies(orders, "orders")) == 3


def test_what_the_target_refuses_blocks_nothing(kafkactl: Run, orders: str) -> None:
    """Known beforehand, or only when it is sent: the others go."""
    create(orders, NewTopic("keyed", 1, 1, config={"cleanup.policy": "compact"}))
    limit(orders)
    to_keyed = (("x-original-topic", b"keyed"),)
    bury(
        orders,
        *[(b"k%d" % n, b"v" * (3000 if n == 7 else 10), FROM_ORDERS) for n in range(20)],
        (None, b"v", to_keyed),
        (b"k", b"v", to_keyed),
        (b"k", b"v", (("x-original-topic", b"never-was"),)),
    )
    run = kafkactl("dlq", "replay", "orders-dlq", "--yes", "-o", "json")
    account = document(run)["account"]
    assert account["sent"], run.text
    assert account["sent"] == {"orders": 19, "keyed": 1}
    assert account["parked"] == {
        "orders would refuse it: it is larger than max.message.bytes": 1,
        "keyed would refuse it: it has no key, but the topic is compacted": 1,
        "there is no topic never-was": 1,
    }
    assert account["asked"] == 23
    assert len(copies(orders, "orders")) == 19


def test_a_refusal_that_nobody_foresaw(kafkactl: Run, orders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The topic's limit falls between the plan and the sending."""
    from kafkactl.deadletters import replay

    opened = replay.Replay._open
    monkeypatch.setattr(replay.Replay, "_open", lambda self: (limit(orders), opened(self))[1])
    bury(orders, *[(b"k%d" % n, b"v" * (3000 if n in (3, 11) else 10), FROM_ORDERS) for n in range(20)])
    run = kafkactl("dlq", "replay", "orders-dlq", "--yes")
    assert run.code == 1
    assert "18 records sent back to orders." in run.err
    assert "2 parked: orders refused it: larger than the topic allows (max.message.bytes)." in run.err
    assert len(copies(orders, "orders")) == 18
    assert listed(kafkactl) == (0, 18, 2, 20)


def test_chosen_by_error_key_time_and_jq(kafkactl: Run, orders: str) -> None:
    failed = (("x-original-topic", b"orders"), ("x-exception-fqcn", b"a.b.TimeoutException"), ("x-error", b"late"))
    bury(orders, (b"a", b'{"n": 1}', FROM_ORDERS), (b"b", b'{"n": 2}', failed), (b"c", b"\xff", failed))

    def matching(*options: str) -> int:
        return document(kafkactl("dlq", "replay", "orders-dlq", "--dry-run", "-o", "json", *options))["plan"][
            "matching"
        ]  # type: ignore[no-any-return]

    assert matching() == 3
    assert matching("--error", "Timeout") == 2
    assert matching("--error", "^late$") == 2
    assert matching("--key", "b") == 1
    assert matching("--where", ".value.n == 1") == 1
    assert matching("--since", "1h") == 3
    assert matching("--until", "1h") == 0
    limited = document(kafkactl("dlq", "replay", "orders-dlq", "--dry-run", "-o", "json", "--limit", "2"))["plan"]
    assert (limited["beyond_limit"], sum(entry["records"] for entry in limited["send"])) == (1, 2)
    for wrong in (["--error", "("], ["--where", ".a =="], ["--since", "1h", "--until", "2h"]):
        assert kafkactl("dlq", "replay", "orders-dlq", *wrong).code == 2


def test_a_replay_needs_a_yes(kafkactl: Run, orders: str) -> None:
    bury(orders, (b"k", b"v", FROM_ORDERS))
    refused = kafkactl("dlq", "replay", "orders-dlq")
    assert refused.code == 2
    assert "there is no terminal to confirm on" in refused.err
    assert listed(kafkactl) == (1, 0, 0, 1)
    terminal = Terminal("dlq", "replay", "orders-dlq")
    terminal.expect("Type yes:")
    terminal.type("no\r")
    assert terminal.end() == 2
    assert copies(orders, "orders") == []


def test_old_ones_need_a_word(kafkactl: Run, orders: str) -> None:
    Path("topics.yaml").write_text("topics: {orders: {dlq: orders-dlq}, orders-dlq: {}}\ndedup_window: 500ms\n")
    bury(orders, (b"k", b"v", FROM_ORDERS))
    time.sleep(0.6)
    withheld = kafkactl("dlq", "replay", "orders-dlq", "--yes")
    assert withheld.code == 1
    assert "To agree in advance: --allow duplicates" in withheld.err
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes", "--allow", "duplicates").code == 0
    assert len(copies(orders, "orders")) == 1


def test_wrapped_values_and_masks(kafkactl: Run, orders: str) -> None:
    Path("topics.yaml").write_text(
        "topics:\n  orders: {dlq: orders-dlq, mask: [pin]}\n  orders-dlq: {dlq_value: payload}\n"
        "dlq_headers: {topic: src, error: why}\n"
    )
    own = (("src", b"orders"), ("why", b"bad 4111111111111111"))
    bury(orders, (b"k", b'{"payload": {"pin": "pin-a"}}', own), (b"j", b'{"payload": "{\\"pin\\": \\"pin-b\\"}"}', own))
    for options in ([], ["--pretty"], ["-o", "json"]):
        shown = kafkactl("dlq", "show", "orders-dlq", *options).out
        assert "pin-a" not in shown
        assert "pin-b" not in shown
        assert "4111111111" not in shown
    assert "pin-b" in kafkactl("dlq", "show", "orders-dlq", "--no-mask").out
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    assert {value for _, _, value, _ in copies(orders, "orders")} == {b'{"pin": "pin-a"}', b'{"pin": "pin-b"}'}


def test_one_record_is_corrected(kafkactl: Run, orders: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bury(orders, (b"a", b'{"amount": "12"}', FROM_ORDERS), (b"b", b'{"amount": 1}', FROM_ORDERS))
    editor = tmp_path / "editor"
    editor.write_text("""#!/bin/sh\nsed -i 's/"12"/12/' "$1"\n""")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    assert kafkactl("dlq", "replay", "orders-dlq", "--edit", "--yes").code == 2  # which of the two?
    assert kafkactl("dlq", "replay", "orders-dlq", "--edit", "--key", "a", "--yes").code == 0
    ((_, _, value, headers),) = copies(orders, "orders")
    assert value == b'{"amount":12}'
    assert dict(headers)["kafkactl-edited"] == b"true"
    Path("topics.yaml").write_text("topics: {orders: {event: order, event_type: any}}\nevents: {order: order.json}")
    Path("order.json").write_text('{"properties": {"amount": {"type": "integer", "maximum": 9}}}')
    editor.write_text("""#!/bin/sh\nsed -i 's/ 1/ 10/' "$1"\n""")
    refused = kafkactl("dlq", "replay", "orders-dlq", "--edit", "--key", "b", "--yes")
    assert (refused.code, "breaks the contract of orders: amount" in refused.err) == (2, True), refused.err
    Path("topics.yaml").unlink()
    monkeypatch.setenv("EDITOR", "false")
    refused = kafkactl("dlq", "replay", "orders-dlq", "--edit", "--key", "b", "--yes")
    assert (refused.code, "the editor ended with code 1" in refused.err) == (2, True)
    monkeypatch.setenv("EDITOR", "true")
    Path("topics.yaml").write_text("topics: {orders: {event: order, event_type: any}}\nevents: {order: order.json}")
    Path("order.json").write_text('{"required": ["currency"]}')
    editor.write_text("""#!/bin/sh\nsed -i 's/ 1/ 10/' "$1"\n""")
    monkeypatch.setenv("EDITOR", str(editor))
    told = kafkactl("dlq", "replay", "orders-dlq", "--edit", "--key", "b", "--yes")
    assert (told.code, "the record still breaks the contract of orders: currency" in told.err) == (0, True), told.err
    Path("topics.yaml").unlink()
    bury(orders, (b"c", b'{"amount": 1}', FROM_ORDERS))
    monkeypatch.setenv("EDITOR", "true")
    assert kafkactl("dlq", "replay", "orders-dlq", "--edit", "--key", "c", "--yes").code == 0
    assert [v for _, k, v, _ in copies(orders, "orders") if k == b"c"] == [b'{"amount": 1}']  # as it was


def test_a_compacted_dead_letter_topic_is_not_purged(kafkactl: Run, one_broker: str) -> None:
    create(one_broker, NewTopic("odd-dlq", 1, 1, config={"cleanup.policy": "compact"}))
    bury(one_broker, (b"k", b"v", ()), topic="odd-dlq")
    refused = kafkactl("dlq", "purge", "odd-dlq", "--before", "0s", "--allow", "pending", "--yes")
    assert refused.code == 2
    assert "cleanup.policy compact" in refused.err
    assert not list(Path().glob("*.jsonl"))


def test_pending_ones_are_never_implied(kafkactl: Run, orders: str) -> None:
    bury(orders, (b"k", b"v", FROM_ORDERS), (b"j", b"w", ()))
    assert kafkactl("dlq", "purge", "orders-dlq").code == 2
    kept = kafkactl("dlq", "purge", "orders-dlq", "--before", "0s", "--yes")
    assert (kept.code, listed(kafkactl)[3]) == (1, 2)
    assert "--allow pending" in kept.err
    assert not list(Path().glob("*.jsonl"))
    assert kafkactl("dlq", "purge", "orders-dlq", "--before", "0s", "--yes", "--allow", "pending").code == 0
    (file,) = Path().glob("orders-dlq.purged-*.jsonl")
    assert len(file.read_bytes().splitlines()) == 2


def test_a_recreated_topic_begins_anew(kafkactl: Run, orders: str) -> None:
    bury(orders, (b"k", b"v", FROM_ORDERS))
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    admin = admin_client(orders)
    admin.delete_topics(["orders-dlq"])["orders-dlq"].result(10)
    while "orders-dlq" in admin.list_topics(timeout=10).topics:
        pass
    create(orders, NewTopic("orders-dlq", 2, 1))
    bury(orders, (b"k", b"other", FROM_ORDERS))
    assert listed(kafkactl) == (1, 0, 0, 1)
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    assert len(copies(orders, "orders")) == 2


def test_the_doctor_counts_what_nobody_handled(kafkactl: Run, orders: str) -> None:
    failed = (("x-original-topic", b"orders"), ("x-exception-fqcn", b"a.b.TimeoutException"))
    bury(orders, (b"a", b"v", FROM_ORDERS), (b"b", b"v", FROM_ORDERS))
    bury(orders, (b"c", b"v", failed))
    told = kafkactl("doctor", "KD512", "-o", "short").out
    assert "orders-dlq holds up to 3 records that nobody handled" in told
    assert "the latest is from orders with TimeoutException" in told
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes", "--limit", "2").code == 0
    assert "orders-dlq holds up to 1 record that nobody" in kafkactl("doctor", "KD512", "-o", "short").out
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    assert "orders-dlq" not in kafkactl("doctor", "KD512", "-o", "short").out


@pytest.mark.parametrize("value", [b"[" * 100_000, b'{"a":' * 1_200 + b"1" + b"}" * 1_200])
def test_a_value_nested_deeper_than_anybody_parses(kafkactl: Run, orders: str, value: bytes) -> None:
    bury(orders, (b"deep", value, FROM_ORDERS), (b"k", b'{"a": 1}', FROM_ORDERS))
    for words in (
        "tail orders-dlq --no-follow -o line", "tail orders-dlq --no-follow -o line --pretty",
        "tail orders-dlq --no-follow --jq .value.a", "tail orders-dlq --no-follow -o json", "dlq show orders-dlq",
        "dlq show orders-dlq --pretty", "dlq show orders-dlq -o json", "dlq show orders-dlq --where .value.a==1",
        "dlq list orders-dlq", "dlq export orders-dlq all.jsonl", "dlq replay orders-dlq --dry-run",
        "events check orders-dlq --contract base",
    ):  # fmt: skip
        run = kafkactl(*words.split())
        assert run.code in (0, 1), (words, run.text[-300:])
        assert "itself failed" not in run.err, (words, run.err[-300:])
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    assert {found for _, _, found, _ in copies(orders, "orders")} == {value, b'{"a": 1}'}


@pytest.mark.parametrize(
    "command",
    [
        ["dlq", "show"],
        ["dlq", "replay"],
        ["dlq", "purge", "--replayed"],
        ["produce", "--tombstone", "-k", "k"],
        ["groups", "delete-offsets", "g"],
    ],
    ids=" ".join,
)
def test_a_pattern_is_no_name_of_one_topic(kafkactl: Run, orders: str, command: list[str]) -> None:
    refused = kafkactl(*command, "orders*")
    assert (refused.code, "orders* is a pattern, and this takes the name of one topic." in refused.err) == (2, True)
