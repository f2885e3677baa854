"""tail on real brokers: where it starts and stops, what it keeps, what it shows, and what it survives."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kafkactl.cluster.client import connect
from kafkactl.connection import Connection
from kafkactl.records.consume import Reader
from kafkactl.sandbox.foreground import throwaway
from tests.conftest import Outcome, admin_client, command, create, piped
from tests.program import KAFKACTL
from tests.sandboxes import eventually

Kafkactl = Callable[..., Outcome]
BASE = 1_700_000_000_000  # ms


@pytest.fixture(autouse=True)
def _no_catalogue(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()


def send(brokers: str, topic: str, records: list[dict[str, object]], **settings: object) -> None:
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0, **settings})
    for record in records:
        producer.produce(topic, **record)
    assert producer.flush(20) == 0


def fill(brokers: str, topic: str, count: int, partitions: int = 3) -> None:
    """Records 0 … count-1, a second apart, round the partitions; their value is their number."""
    create(brokers, NewTopic(topic, partitions, 1, config={"retention.ms": "-1"}))
    send(
        brokers,
        topic,
        [
            {"value": b"%d" % n, "key": b"k%d" % (n % 7), "partition": n % partitions, "timestamp": BASE + n * 1000}
            for n in range(count)
        ],
    )


def commit(admin: AdminClient, offsets: ConsumerGroupTopicPartitions) -> bool:
    """Commit for a group; whether that worked: a new cluster makes its offsets topic first."""
    (future,) = admin.alter_consumer_group_offsets([offsets]).values()
    return future.exception(10) is None and not any(tp.error for tp in future.result().topic_partitions)


def numbers(run: Outcome) -> list[int]:
    assert run.code == 0, run.text
    return [int(line) for line in run.out.split()]


def test_the_last_records_of_all_partitions_merged_by_time(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "a", 100)
    assert numbers(kafkactl("tail", "a", "--no-follow")) == list(range(90, 100))
    assert numbers(kafkactl("tail", "a", "-n", "5", "--no-follow")) == list(range(95, 100))
    assert numbers(kafkactl("tail", "a", "-n", "1000", "--no-follow")) == list(range(100))
    assert numbers(kafkactl("tail", "a", "-n", "0", "--no-follow")) == []


def test_the_last_matching_records_are_as_many_as_asked_for(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "a", 3000)
    assert numbers(kafkactl("tail", "a", "-n", "3", "--key", "k3", "--no-follow")) == [2985, 2992, 2999]
    assert numbers(kafkactl("tail", "a", "-n", "2", "--grep", "^1[0-9]$", "--no-follow")) == [18, 19]


def test_several_topics_and_globs(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "pay.a", 4)
    fill(one_broker, "pay.b", 4)
    fill(one_broker, "other", 4)
    run = kafkactl("tail", "pay.*", "--no-follow", "-o", "json")
    lines = [json.loads(line) for line in run.out.splitlines()]
    assert sorted({line["topic"] for line in lines}) == ["pay.a", "pay.b"]
    assert len(lines) == 8
    none = kafkactl("tail", "nothing.*", "--no-follow")
    assert (none.code, "no topic that matches nothing.*" in none.err) == (1, True)


def test_from_the_beginning_to_the_end_as_it_is(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "a", 1000)
    found = numbers(kafkactl("tail", "a", "--from-beginning", "--no-follow"))
    assert sorted(found) == list(range(1000))
    for partition in range(3):
        own = [n for n in found if n % 3 == partition]
        assert own == sorted(own)  # the order within a partition is kept
    assert numbers(kafkactl("tail", "a", "--from-beginning", "--no-follow", "--partition", "1", "-c", "3")) == [1, 4, 7]


def test_since_and_until(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "a", 100)
    run = kafkactl("tail", "a", "--since", str(BASE + 50_000), "--until", str(BASE + 53_000))
    assert sorted(numbers(run)) == [50, 51, 52]
    assert sorted(numbers(kafkactl("tail", "a", "--since", "2023-11-14T22:14:57Z", "--no-follow"))) == [97, 98, 99]
    assert numbers(kafkactl("tail", "a", "--since", "15m", "--no-follow")) == []
    bad = kafkactl("tail", "a", "--since", "soon")
    assert (bad.code, "is not a valid time" in bad.err) == (2, True)


def test_an_offset_that_retention_removed(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "a", 30, partitions=1)
    admin = admin_client(one_broker)
    (future,) = admin.delete_records([TopicPartition("a", 0, 10)]).values()
    future.result(10)
    run = kafkactl("tail", "a", "--offset", "5", "--no-follow")
    assert numbers(run) == list(range(10, 30))
    assert "offset 5 has been deleted; starting at the first available one, 10" in run.err
    assert numbers(kafkactl("tail", "a", "--offset", "28", "--no-follow")) == [28, 29]


def test_where_a_group_reads_next_without_joining_it(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "a", 9)
    admin = admin_client(one_broker)
    offsets = ConsumerGroupTopicPartitions("g", [TopicPartition("a", p, 2) for p in range(3)])
    assert eventually(lambda: commit(admin, offsets))
    assert sorted(numbers(kafkactl("tail", "a", "--group", "g", "--no-follow"))) == [6, 7, 8]
    (future,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("g")]).values()
    assert {tp.offset for tp in future.result(10).topic_partitions} == {2}
    none = kafkactl("tail", "a", "--group", "nobody", "--no-follow")
    assert (none.code, none.err.startswith("There is no group nobody on ")) == (1, True)


def test_looking_at_groups_creates_nothing(kafkactl: Kafkactl) -> None:
    """Where no group ever was, asking for one's coordinator would make Kafka create its offsets topic."""
    with throwaway() as sandbox:
        create(sandbox.bootstrap, NewTopic("a", 1, 1))
        run = kafkactl("tail", "a", "--group", "nobody", "--no-follow", "-b", sandbox.bootstrap)
        assert (run.code, "There is no group nobody" in run.err) == (1, True)
        assert kafkactl("describe", "a", "-b", sandbox.bootstrap).code == 0
        assert list(admin_client(sandbox.bootstrap).list_topics(timeout=10).topics) == ["a"]


def test_looking_leaves_no_group_and_no_topic(one_broker: str, kafkactl: Kafkactl) -> None:
    fill(one_broker, "payment.created", 3)
    run = kafkactl("tail", "paymnet.created")
    assert run.code == 1
    assert "Did you mean payment.created?" in run.err
    kafkactl("tail", "payment.created", "--no-follow")
    admin = admin_client(one_broker)
    assert "paymnet.created" not in admin.list_topics(timeout=10).topics
    assert admin.list_consumer_groups().result().valid == []


def test_every_form(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    headers = [("h", b"1"), ("h", b"\xff"), ("n", None)]
    send(
        one_broker,
        "a",
        [
            {"value": b'{"x":1}', "key": "支".encode(), "headers": headers, "timestamp": BASE},
            {"value": None, "key": b"k", "timestamp": BASE + 1},
            {"value": b"\x1b[2J", "key": b"", "timestamp": BASE + 2},
        ],
    )
    lines = [json.loads(line) for line in kafkactl("tail", "a", "--no-follow", "-o", "json").out.splitlines()]
    assert lines[0] == {
        "topic": "a", "partition": 0, "offset": 0, "timestamp": BASE, "timestamp_type": "create", "key": "支",
        "value": '{"x":1}', "headers": [["h", "1"], ["h", {"base64": "/w=="}], ["n", None]],
    }  # fmt: skip
    assert (lines[1]["value"], lines[2]["key"]) == (None, "")
    assert kafkactl("tail", "a", "--no-follow").out == '{"x":1}\n\n\x1b[2J\n'  # bytes untouched
    assert kafkactl("tail", "a", "--no-follow", "--format", "%t/%p@%o %k\\n").out.splitlines()[1] == "a/0@1 k"
    line = kafkactl("tail", "a", "--no-follow", "-o", "line", "--headers").out.splitlines()
    assert "∅ tombstone" in line[1]
    assert "\\x1b[2J" in line[2]
    assert kafkactl("tail", "a", "--no-follow", "--jq", ".value.x").out == "1\n"
    assert kafkactl("tail", "a", "--no-follow", "--header", "h=1").out == '{"x":1}\n'


def test_keys_and_values_that_are_no_text(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    send(one_broker, "a", [{"key": b"\xff\x00", "value": b"\xfe\n", "timestamp": BASE}])
    assert json.loads(kafkactl("tail", "a", "--no-follow", "-o", "json").out)["key"] == {"base64": "/wA="}
    assert "\\xff\\x00  \\xfe\\x0a" in kafkactl("tail", "a", "--no-follow", "-o", "line").out
    raw = subprocess.run(
        [*KAFKACTL, "tail", "a", "--no-follow", "--format", "%k|%s|%R"],
        capture_output=True, check=True,
    )  # fmt: skip
    assert raw.stdout == b"\xff\x00|\xfe\n|\0\0\0\2"


def test_how_a_line_looks(one_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    create(one_broker, NewTopic("a", 1, 1, config={"retention.ms": "-1"}))
    send(one_broker, "a", [{"value": b'{"x": 1}', "headers": [("h", b"1")], "timestamp": BASE}])

    def shown(*options: str) -> str:
        return command("tail", "a", "--no-follow", *options).communicate(timeout=20)[0]  # reads TZ when it starts

    assert shown("-o", "line") == '2023-11-15 06:13:20.000  a[0]@0  ∅  {"x":1}\n'
    assert shown("-o", "line", "--utc").startswith("2023-11-14 22:13:20.000  a[0]@0")
    assert "{h=1}" in shown("-o", "line", "--headers")
    assert shown("-o", "line", "--pretty").endswith('\n{\n  "x": 1\n}\n')
    assert shown("--since", "2023-11-15T06:13", "--jq", ".value.x") == "1\n"
    assert shown("--since", "2023-11-15T06:14") == ""
    assert shown("-o", "raw") == '{"x": 1}\n'


def test_masking_where_the_catalogue_says_so(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    value = b'{"card":"4111111111111111","cvv":"123","amount":5}'
    send(one_broker, "a", [{"value": value}])
    open_run = kafkactl("tail", "a", "--no-follow")
    assert "4111111111111111" in open_run.out
    Path("topics.yaml").write_text("topics: {a: {mask: [cvv]}}")
    hidden = kafkactl("tail", "a", "--no-follow", "-o", "json")
    assert "4111111111111111" not in hidden.out
    assert "123" not in json.loads(hidden.out)["value"]
    assert json.loads(hidden.out)["masked"] is True
    assert "4111111111111111" in kafkactl("tail", "a", "--no-follow", "--no-mask").out
    assert "************1111" in kafkactl("tail", "a", "--no-follow", "--mask", "amount").out
    assert kafkactl("tail", "a", "--no-follow", "--jq", ".value.cvv").out == '"***"\n'  # jq sees what is shown
    Path("topics.yaml").rename("other.yaml")
    assert "4111111111111111" not in kafkactl("tail", "a", "--no-follow", "--file", "other.yaml").out


def test_compaction_and_transactions_leave_gaps_but_not_fewer_records(one_broker: str, kafkactl: Kafkactl) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    producer = Producer({"bootstrap.servers": one_broker, "log_level": 0, "transactional.id": "t"})
    producer.init_transactions(30)
    for number in range(30):
        producer.begin_transaction()
        producer.produce("a", b"%d" % number)
        producer.flush(10)
        (producer.abort_transaction if number % 3 else producer.commit_transaction)(10)
    assert numbers(kafkactl("tail", "a", "-n", "5", "--no-follow")) == [15, 18, 21, 24, 27]
    assert len(numbers(kafkactl("tail", "a", "--from-beginning", "--no-follow", "--read-uncommitted"))) == 30
    producer.begin_transaction()
    producer.produce("a", b"99")
    producer.flush(10)
    waiting = kafkactl("tail", "a", "-n", "1", "--no-follow")
    assert numbers(waiting) == [27]
    assert "at least 1 offset held back by an open transaction of t (producer " in waiting.err
    producer.abort_transaction(10)


def test_following_waits_for_a_transaction_to_end(one_broker: str) -> None:
    create(one_broker, NewTopic("a", 1, 1))
    producer = Producer({"bootstrap.servers": one_broker, "log_level": 0, "transactional.id": "t"})
    producer.init_transactions(30)
    run = command("tail", "a", "--from-beginning")
    assert run.stdout
    for value, end in ((b"1", producer.abort_transaction), (b"2", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce("a", value)
        producer.flush(10)
        end(10)
    assert run.stdout.readline() == "2\n"
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=10) == ("", "")


def test_an_offset_that_is_gone_when_it_is_read(one_broker: str) -> None:
    """Between the look at where a partition begins and the first fetch, retention can pass; a log can be cut."""
    fill(one_broker, "a", 30, partitions=1)
    admin = admin_client(one_broker)
    (future,) = admin.delete_records([TopicPartition("a", 0, 10)]).values()
    future.result(10)
    for wanted, found, words in (
        (5, 10, "offset 5 has been deleted; continuing at the first available one, 10"),
        (40, 30, "beyond the end, 30"),
    ):
        told: list[str] = []
        reader = Reader(connect(Connection((one_broker,), "")), told.append)
        reader.assign({("a", 0): wanted})
        assert eventually(lambda told=told, reader=reader: reader.messages(0.1)[0] or told)
        send(one_broker, "a", [{"value": b"new"}] if found == 30 else [])
        messages: list[object] = []
        assert eventually(lambda messages=messages, reader=reader: messages.extend(reader.messages(0.1)[0]) or messages)
        assert messages[0].offset() == found  # type: ignore[attr-defined]
        assert words in told[0]
        reader.close()


def test_large_and_small_values(kafkactl: Kafkactl) -> None:
    with throwaway(settings={"message.max.bytes": "20000000", "replica.fetch.max.bytes": "20000000"}) as sandbox:
        create(sandbox.bootstrap, NewTopic("a", 1, 1))
        large = b"x" * 10_000_000
        send(sandbox.bootstrap, "a", [{"value": large}, {"value": b"y"}], **{"message.max.bytes": 20_000_000})
        run = kafkactl("tail", "a", "--no-follow", "-b", sandbox.bootstrap)
        assert run.out == large.decode() + "\ny\n"


def test_following_shows_what_comes(one_broker: str) -> None:
    fill(one_broker, "a", 3)
    run = command("tail", "a", "-n", "1", "-f")
    assert run.stdout
    assert run.stdout.readline() == "2\n"
    for number in range(10, 15):
        send(one_broker, "a", [{"value": b"%d" % number}])
        assert run.stdout.readline() == f"{number}\n"
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=10)
    assert (run.returncode, err) == (130, "")


def test_a_pipe_that_is_closed_early(one_broker: str) -> None:
    fill(one_broker, "a", 20_000)
    run = piped("tail", "a", "--from-beginning", "--no-follow", into=("head", "-n", "2"))
    assert (run.code, len(run.out.splitlines()), run.err) == (0, 2, "")


def test_two_starts_are_refused(one_broker: str, kafkactl: Kafkactl) -> None:
    run = kafkactl("tail", "a", "--from-beginning", "--since", "1h")
    assert run.code == 2
    assert "--from-beginning and --since cannot be combined: each says where to start" in run.err


def test_topics_come_from_the_environment_too(
    one_broker: str, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(one_broker, "a", 3)
    assert kafkactl("tail", "--no-follow").code == 2
    monkeypatch.setenv("KAFKA_TOPICS", "a, a")
    assert numbers(kafkactl("tail", "--no-follow")) == [0, 1, 2]
