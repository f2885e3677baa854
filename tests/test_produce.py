"""produce on a real broker: where records come from, what they hold, where they land, and what is said of them."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Outcome, admin_client, create, without_cluster
from tests.program import KAFKACTL
from tests.test_tail import BASE, send

Kafkactl = Callable[..., Outcome]
FOREVER = {"retention.ms": "-1"}


@pytest.fixture(autouse=True)
def _no_catalogue(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()


def feed(data: bytes, *arguments: str, **options: Any) -> Outcome:
    """kafkactl as a process that reads this from a pipe."""
    words = [*KAFKACTL, *arguments]
    run = subprocess.run(words, input=data, capture_output=True, timeout=120, check=False, **options)
    return Outcome(run.returncode, run.stdout.decode(), without_cluster(run.stderr.decode()))


def records(topic: str) -> list[dict[str, Any]]:
    """Every record of a topic, as `tail -o json` shows them, partition by partition."""
    run = feed(b"", "tail", topic, "--from-beginning", "--no-follow", "-o", "json", "--read-uncommitted")
    assert run.code == 0, run.text
    found = [json.loads(line) for line in run.out.split("\n") if line]
    return sorted(found, key=lambda record: (record["partition"], record["offset"]))


def values(topic: str) -> list[Any]:
    return [record["value"] for record in records(topic)]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_value_with_everything(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("t", 3, 1, config=FOREVER))
    run = kafkactl(
        "produce", "t", "支付 1\n2", "-k", "p-1", "-H", "source=a=b", "-H", "none", "-H", "source=", "--timestamp",
        str(BASE), "--partition", "2",
    )  # fmt: skip
    assert (run.code, run.out) == (0, "")
    assert run.err.startswith("1 record acknowledged (")
    assert records("t") == [
        {
            "topic": "t", "partition": 2, "offset": 0, "timestamp": BASE, "timestamp_type": "create",
            "key": "p-1", "value": "支付 1\n2", "headers": [["source", "a=b"], ["none", None], ["source", ""]],
        }
    ]  # fmt: skip


def test_null_and_empty_are_two_things(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    for arguments in (("", "-k", ""), ("v",), ("--tombstone", "-k", "k"), ("--tombstone", "-k", "", "--count", "2")):
        assert kafkactl("produce", "t", *arguments).code == 0
    assert [(r["key"], r["value"]) for r in records("t")] == [
        ("", ""),
        (None, "v"),
        ("k", None),
        ("", None),
        ("", None),
    ]


def test_every_line_of_stdin_is_a_value(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    run = feed(b"a\n\nb\r\nc: \xff\nlast", "produce", "t", "-k", "k")
    assert (run.code, run.err.split(" (")[0]) == (0, "5 records acknowledged")
    assert values("t") == ["a", "", "b\r", {"base64": "Yzog/w=="}, "last"]
    assert {record["key"] for record in records("t")} == {"k"}
    assert feed(b"", "produce", "t").err.startswith("0 records acknowledged")
    assert feed(b"dash", "produce", "t", "-l", "-").code == 0
    assert values("t")[-1] == "dash"


def test_a_line_can_hold_its_key(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    assert feed(b"a::1\n::2\nb::\nc::x::y", "produce", "t", "-K", "::").code == 0
    assert [(r["key"], r["value"]) for r in records("t")] == [("a", "1"), ("", "2"), ("b", ""), ("c", "x::y")]


def test_a_line_without_a_key_is_told_and_kept_and_the_rest_goes_on(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    path = tmp_path / "in.txt"
    path.write_bytes(b"a:1\nno key\nb:2\n\xff\nc:3")
    run = feed(b"", "produce", "t", "-K", ":", "-l", str(path))
    assert (run.code, values("t")) == (1, ["1", "2", "3"])
    assert run.err.splitlines() == [
        f"{path}:2: it does not contain the key separator ':'.",
        f"{path}:4: it does not contain the key separator ':'.",
        "3 of 5 records acknowledged; 2 lines are not valid records.",
        f"  Unacknowledged records are in {path}.unsent.jsonl.",
        f'  Correct the "text" of these lines there, then send them: kafkactl produce t --json -l {path}.unsent.jsonl',
    ]
    unsent = tmp_path / "in.txt.unsent.jsonl"
    assert [(line["line"], line["text"]) for line in lines(unsent)] == [(2, "no key"), (4, {"base64": "/w=="})]
    assert stat.S_IMODE(unsent.stat().st_mode) == 0o600


def test_many_bad_lines_are_counted_and_not_all_named(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    run = feed(b"bad\n" * 50 + b"k:v", "produce", "t", "-K", ":")
    assert (run.code, values("t")) == (1, ["v"])
    assert run.err.count("does not contain the key separator") == 20
    assert "Further invalid lines are counted" in run.err
    assert "1 of 51 records acknowledged; 50 lines are not valid records." in run.err


def test_fail_fast_keeps_the_rest_to_be_sent(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    run = feed(b"a:1\nbad\nb:2\nc:3\n", "produce", "t", "-K", ":", "--fail-fast", "-H", "h=1")
    assert (run.code, values("t")) == (1, ["1"])
    assert "1 of 4 records acknowledged; 1 line is not a valid record, 2 not sent: --fail-fast." in run.err
    assert "of this line there, then send it and the rest: kafkactl produce t --json -l t.unsent.jsonl" in run.err
    again = feed(b"", "produce", "t", "--json", "-l", "t.unsent.jsonl")
    assert again.code == 1
    assert [(r["key"], r["value"], r["headers"]) for r in records("t")] == [
        ("a", "1", [["h", "1"]]), ("b", "2", [["h", "1"]]), ("c", "3", [["h", "1"]]),
    ]  # fmt: skip
    # The line that was none before is none again, kept under a name that is free.
    assert len(lines(tmp_path / "t.unsent-2.jsonl")) == 1
    assert 'Correct the "text" of this line' in again.err


def test_what_is_not_sent_goes_where_it_was_asked_to(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    run = feed(b"bad", "produce", "t", "-K", ":", "--unsent", "kept.jsonl")
    assert "are in kept.jsonl." in run.err
    assert len(lines(tmp_path / "kept.jsonl")) == 1
    refused = feed(b"bad", "produce", "t", "-K", ":", "--unsent", "kept.jsonl")
    assert (refused.code, "kept.jsonl already exists" in refused.err) == (2, True)
    nowhere = feed(b"bad", "produce", "t", "-K", ":", "--unsent", "nowhere/kept.jsonl")
    assert (nowhere.code, "Cannot create a file in nowhere" in nowhere.err) == (2, True)


def test_a_full_disk_is_said_and_no_traceback(one_broker: str) -> None:
    import resource

    create(one_broker, NewTopic("t", 1, 1))
    run = feed(
        b"bad\n" * 3,
        "produce",
        "t",
        "-K",
        ":",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.code == 1
    assert "Cannot write unsent records to t.unsent.jsonl: File too large." in run.err
    assert "Traceback" not in run.err


def test_count_and_rate(one_broker: str, kafkactl: Kafkactl) -> None:
    import time

    create(one_broker, NewTopic("t", 3, 1))
    assert "2,500 records acknowledged" in kafkactl("produce", "t", "x", "--count", "2500").err
    start = time.monotonic()
    assert kafkactl("produce", "t", "x", "--count", "20", "--rate", "2400/m").code == 0
    assert time.monotonic() - start > 0.45  # the last of 20 goes 19/40 s after the first
    assert values("t") == ["x"] * 2520


word = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
anything = st.none() | st.binary(max_size=40) | word.map(str.encode)
copied = st.fixed_dictionaries(
    {
        "key": anything,
        "value": anything,
        "headers": st.lists(st.tuples(word, anything), max_size=3),
        "timestamp": st.integers(1, 1_795_000_000_000),
    }
)


@settings(max_examples=settings.default.max_examples // 25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(copied, min_size=1, max_size=60))
def test_tail_into_produce_is_the_identity(one_broker: str, given_records: list[dict[str, Any]]) -> None:
    admin = admin_client(one_broker)
    for name in ("source", "target"):
        if name in admin.list_topics(timeout=10).topics:
            admin.delete_topics([name])[name].result(10)
        while name in admin.list_topics(timeout=10).topics:
            pass
        create(one_broker, NewTopic(name, 3, 1, config=FOREVER))
    send(one_broker, "source", given_records, partitioner="murmur2_random")
    shown = feed(b"", "tail", "source", "--from-beginning", "--no-follow", "-o", "json")
    copy = feed(shown.out.encode(), "produce", "target", "--json")
    assert copy.code == 0, copy.err

    def told(topic: str) -> list[Any]:
        parts = ("key", "value", "headers", "timestamp")
        # A key has its partition; a record without one goes anywhere.
        return [[r["partition"] if r["key"] is not None else -1, *(r[part] for part in parts)] for r in records(topic)]

    order = lambda rows: sorted(rows, key=repr)  # noqa: E731
    assert order(told("target")) == order(told("source"))
    keyed = [[row for row in told(topic) if row[0] != -1] for topic in ("source", "target")]
    assert keyed[0] == keyed[1]  # and within a partition keyed records keep their order


def test_a_copy_keeps_partitions_only_when_asked(one_broker: str) -> None:
    create(one_broker, NewTopic("a", 3, 1, config=FOREVER), NewTopic("b", 3, 1), NewTopic("c", 1, 1))
    send(one_broker, "a", [{"value": b"%d" % n, "key": b"same", "partition": n % 3} for n in range(6)])
    shown = feed(b"", "tail", "a", "--from-beginning", "--no-follow", "-o", "json").out.encode()
    assert feed(shown, "produce", "b", "--json", "--keep-partition").code == 0
    assert [(r["partition"], r["value"]) for r in records("b")] == [
        (0, "0"), (0, "3"), (1, "1"), (1, "4"), (2, "2"), (2, "5"),
    ]  # fmt: skip
    assert feed(shown, "produce", "b", "--json").code == 0
    assert len({r["partition"] for r in records("b") if r["offset"] > 1}) == 1  # where the key belongs
    small = feed(shown, "produce", "c", "--json", "--keep-partition")
    assert (small.code, len(records("c"))) == (1, 2)
    assert "line " in small.err and "partition 2 does not exist: the topic has 1." in small.err  # noqa: PT018
    assert "--keep-partition --json -l c.unsent.jsonl" in small.err


def test_a_masked_record_is_no_copy(one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1), NewTopic("b", 1, 1))
    send(one_broker, "a", [{"value": b'{"card":"4111111111111111"}'}, {"value": b'{"n":1}'}])
    shown = feed(b"", "tail", "a", "--no-follow", "-o", "json", "--mask", "pan")
    run = feed(shown.out.encode(), "produce", "b", "--json")
    assert (run.code, values("b")) == (1, ['{"n":1}'])
    assert "it is masked" in run.err
    assert "--no-mask" in run.err


@pytest.mark.parametrize(
    ("name", "librdkafka"),
    [(None, "murmur2_random"), ("murmur2", "murmur2_random"), ("crc32", "consistent"), ("fnv1a", "fnv1a")],
)
def test_keys_land_where_the_partitioner_puts_them(
    one_broker: str, kafkactl: Kafkactl, name: str | None, librdkafka: str
) -> None:
    create(one_broker, NewTopic("a", 7, 1), NewTopic("b", 7, 1))
    keys = [f"key-{n}" for n in range(50)]
    send(one_broker, "a", [{"value": b"", "key": key.encode()} for key in keys], partitioner=librdkafka)
    chosen = ("--partitioner", name) if name else ()
    assert feed("".join(f"{key}:\n" for key in keys).encode(), "produce", "b", "-K", ":", *chosen).code == 0
    assert {r["key"]: r["partition"] for r in records("b")} == {r["key"]: r["partition"] for r in records("a")}


def test_a_record_the_topic_would_refuse_is_told_by_its_line(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1, config={"max.message.bytes": "2000"}))
    large = b"x" * 3000
    run = feed(b"a\n" + large + b"\nb\n", "produce", "t")
    assert (run.code, values("t")) == (1, ["a", "b"])
    assert "line 2: it needs 3,070 bytes, but the topic allows 2,000 (max.message.bytes)." in run.err
    assert "2 of 3 records acknowledged; 1 would be rejected by the topic." in run.err
    alter(one_broker, "t", "max.message.bytes", "4000")
    assert feed(b"", "produce", "t", "--json", "-l", "t.unsent.jsonl").code == 0
    assert values("t") == ["a", "b", large.decode()]


def test_a_compacted_topic_wants_keys(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1, config={"cleanup.policy": "compact"}))
    run = feed(b'{"value":"1"}\n{"key":"k","value":"2"}\n', "produce", "t", "--json")
    assert (run.code, values("t")) == (1, ["2"])
    assert "line 1: it has no key, but the topic is compacted." in run.err
    assert feed(b"x", "produce", "t").code == 1


def test_one_record_the_broker_refuses_does_not_take_its_batch_along(one_broker: str) -> None:
    """The rules change behind our back: the broker refuses a whole batch, and the innocent go again."""
    create(one_broker, NewTopic("t", 1, 1))
    process = subprocess.Popen([*KAFKACTL, "produce", "t", "--json"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(b'{"key":"first","value":"0"}\n')
    process.stdin.flush()
    while not values("t"):
        pass
    alter(one_broker, "t", "cleanup.policy", "compact")
    batch = [{"key": f"k{n}" if n % 4 else None, "value": str(n)} for n in range(1, 13)]
    process.stdin.write("".join(json.dumps(record) + "\n" for record in batch).encode())
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert sorted(values("t"), key=int) == [str(n) for n in range(13) if n % 4 or n == 0]
    assert b"10 of 13 records acknowledged; 3 rejected: " in err
    assert sorted(line["value"] for line in lines(Path("t.unsent.jsonl"))) == ["12", "4", "8"]


def test_ten_megabytes_and_one_byte(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1, config={"max.message.bytes": "12000000"}))
    large = b"x" * 10_000_000
    assert feed(b"1\n" + large + b"\n2", "produce", "t", "-k", "k").code == 0
    assert [len(value) for value in values("t")] == [1, 10_000_000, 1]
    shown = feed(b"", "tail", "t", "--no-follow", "-o", "json").out.encode()
    assert feed(shown, "produce", "t", "--json").code == 0
    assert [len(value) for value in values("t")] == [1, 10_000_000, 1] * 2


def test_more_than_the_queue_holds(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 3, 1))
    number = 250_000
    run = feed(b"".join(b"k%d:%d\n" % (n % 97, n) for n in range(number)), "produce", "t", "-K", ":")
    assert (run.code, run.err.split(" (")[0]) == (0, "250,000 records acknowledged")
    found = feed(b"", "tail", "t", "--from-beginning", "--no-follow").out.split()
    assert sorted(map(int, found)) == list(range(number))


def test_old_records_are_warned_about_once(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1, config={"retention.ms": "604800000"}))
    line = json.dumps({"value": "v", "timestamp": BASE}).encode()
    run = feed(b"\n".join([b'{"value":"new"}', line, line]), "produce", "t", "--json")
    assert run.code == 0
    assert run.err.count("line 2 is older than the retention of t (7d): Kafka may delete such records at once.") == 1
    assert run.err.count("older") == 1


def test_a_topic_that_stamps_records_itself_is_said(one_broker: str) -> None:
    create(one_broker, NewTopic("t", 1, 1, config={"message.timestamp.type": "LogAppendTime"}))
    line = json.dumps({"value": "v", "timestamp": BASE}).encode()
    run = feed(line, "produce", "t", "--json")
    assert (run.code, "t sets timestamps itself (LogAppendTime)" in run.err) == (0, True)


def test_a_topic_has_to_exist_and_none_is_created(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("payment.created", 1, 1))
    run = kafkactl("produce", "payment.craeted", "x")
    assert run.code == 1
    assert "There is no topic payment.craeted" in run.err
    assert "Did you mean payment.created?" in run.err
    assert topics(one_broker) == {"payment.created"}
    internal = kafkactl("produce", "__consumer_offsets", "x")
    assert (internal.code, "internal topic" in internal.err) == (2, True)


def topics(brokers: str) -> set[str]:
    """The topics that are not Kafka's own."""
    admin = admin_client(brokers)
    return {name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")}


CATALOGUE = """
environments:
  live: {{brokers: ["{brokers}"], protected: true}}
topics:
  payment.created: {{partitions: 1}}
"""


def test_a_topic_has_to_be_declared(one_broker: str, kafkactl: Kafkactl, tmp_path: Path) -> None:
    create(one_broker, NewTopic("payment.created", 1, 1), NewTopic("scratch", 1, 1))
    (tmp_path / "topics.yaml").write_text(CATALOGUE.format(brokers="elsewhere:9092"), encoding="utf-8")
    run = kafkactl("produce", "scratch", "x")
    assert (run.code, "scratch is not declared in topics.yaml." in run.err) == (2, True)
    assert "--undeclared" in run.err
    assert kafkactl("produce", "scratch", "x", "--undeclared").code == 0
    assert kafkactl("produce", "payment.created", "x").code == 0


def test_a_protected_environment_wants_its_name(one_broker: str, kafkactl: Kafkactl, tmp_path: Path) -> None:
    create(one_broker, NewTopic("payment.created", 1, 1))
    (tmp_path / "topics.yaml").write_text(CATALOGUE.format(brokers=one_broker), encoding="utf-8")
    run = kafkactl("produce", "payment.created", "x")
    assert (run.code, "live is protected" in run.err) == (2, True)
    assert values("payment.created") == []
    assert kafkactl("produce", "payment.created", "x", "--confirm", "live").code == 0
    assert values("payment.created") == ["x"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", "-l", "f"), "VALUE and --lines cannot be combined"),
        (("x", "--tombstone", "-k", "k"), "VALUE and --tombstone cannot be combined"),
        (("--tombstone",), "--tombstone needs a key to delete."),
        (("x", "--json", "-k", "k"), "--json and --key cannot be combined"),
        (("x", "-k", "k", "-K", ":"), "--key and --key-separator cannot be combined"),
        (("x", "-K", ""), "--key-separator is empty"),
        (("--count", "3"), "--count needs a VALUE"),
        (("x", "--keep-partition"), "--keep-partition needs --json"),
        (("--json", "--keep-partition", "--partition", "1"), "--keep-partition needs --json"),
        (("x", "--partition", "3"), "t has no partition 3: its 3 partitions are numbered from 0"),
        (("x", "-H", "=v"), "=v is not NAME=VALUE"),
        (("x", "--timestamp", "soon"), "'soon' is not a valid time"),
        (("x", "--timestamp", "1969-12-31T00:00Z"), "before 1970"),
        (("x", "--rate", "fast"), "is not a valid rate"),
        (("x", "--rate", "0"), "is not a valid rate"),
        (("x", "--delivery-timeout", "0"), "must be 1ms or more"),
        (("-l", "missing.txt"), "Cannot read missing.txt: No such file or directory"),
        (("-l", "."), "Cannot read .: Is a directory"),
    ],
)
def test_what_contradicts_itself_is_refused(
    one_broker: str, kafkactl: Kafkactl, arguments: tuple[str, ...], message: str
) -> None:
    create(one_broker, NewTopic("t", 3, 1))
    run = kafkactl("produce", "t", *arguments)
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert values("t") == []


def test_a_client_configuration_cannot_weaken_the_promise(one_broker: str, tmp_path: Path) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    (tmp_path / "c.properties").write_text("acks=0\nenable.idempotence=false\nlinger.ms=0\n", encoding="utf-8")
    assert feed(b"x", "produce", "t", "--client-config", "c.properties").code == 0
    (tmp_path / "c.properties").write_text("linger.ms=soon\n", encoding="utf-8")
    run = feed(b"x", "produce", "t", "--client-config", "c.properties")
    assert (run.code, "The client configuration is invalid" in run.err) == (2, True)


def alter(brokers: str, topic: str, key: str, value: str) -> None:
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = admin_client(brokers)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)


def test_produce_leaves_no_group_and_no_topic(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("t", 1, 1))
    assert kafkactl("produce", "t", "x").code == 0
    assert topics(one_broker) == {"t"}


def test_the_library_itself_still_drops_what_we_work_round(one_broker: str) -> None:
    """produce_batch would be quicker for headers, and loses them (library trap): when this fails, use it."""
    create(one_broker, NewTopic("t", 1, 1))
    producer = Producer({"bootstrap.servers": one_broker})
    producer.produce_batch("t", [{"value": b"v", "headers": [("h", b"1")]}])
    assert producer.flush(10) == 0
    assert records("t")[0]["headers"] == []
