"""What a line of input becomes, and what a topic would refuse. Pure, but for one look at what a broker counts."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.records import outgoing
from kafkactl.records.outgoing import ANY, NOW, Given, Outgoing, Rules, batch_size, checked
from kafkactl.topics import ConfigValue, LivePartition, LiveTopic
from tests.conftest import create

maybe_bytes = st.none() | st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
records = st.builds(
    Outgoing,
    maybe_bytes,
    maybe_bytes,
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), maybe_bytes), max_size=3).map(tuple),
    st.just(NOW) | st.integers(1, 2**52),
    st.just(ANY) | st.integers(0, 99),
)
read_back = outgoing.from_json(Given(), keep_partition=False)


def rules(**given: object) -> Rules:
    return Rules(**{"partitions": 3, "max_bytes": 1_000_000, **given})  # type: ignore[arg-type]


@given(records)
def test_what_was_not_sent_is_read_back_exactly(record: Outgoing) -> None:
    line = outgoing.as_line("t", record)
    assert line.index(b"\n") == len(line) - 1
    found = read_back(line[:-1])
    assert found == Outgoing(record.value, record.key, record.headers, record.timestamp, ANY)
    if record.partition != ANY:
        kept = outgoing.from_json(Given(), keep_partition=True)(line)
        assert kept is not None
        assert kept.partition == record.partition


def test_lines_become_values_or_keys_and_values() -> None:
    said = Given(b"k", (("h", None),), 5, 2)
    assert outgoing.unkeyed(said)(b"v") == Outgoing(b"v", b"k", (("h", None),), 5, 2)
    assert outgoing.keyed(b"::", Given())(b"a::b::c") == Outgoing(b"b::c", b"a")
    assert outgoing.keyed(b":", Given())(b":v") == Outgoing(b"v", b"")
    assert outgoing.tombstone(Given(b"k"))(b"whatever") == Outgoing(None, b"k")
    with pytest.raises(ValueError, match="not contain the key separator ':'"):
        outgoing.keyed(b":", Given())(b"nothing")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"value":"v","masked":true}', "masked"),
        (b'{"value":"v","timestamp":0}', "timestamp is 0"),
        (b'{"value":"v","timestamp":-1}', "timestamp is -1"),
        (b'{"value":{"base64":"?"}}', "base64"),
    ],
)
def test_json_that_is_no_record_is_told(line: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_back(line)


def test_what_the_command_line_says_comes_before_what_json_says() -> None:
    line = b'{"value":"v","timestamp":7,"partition":1,"headers":[["a","1"]],"somebody":"else"}'
    assert read_back(line) == Outgoing(b"v", None, (("a", b"1"),), 7)
    said = outgoing.from_json(Given(None, (("b", None),), 9, 2), keep_partition=False)
    assert said(line) == Outgoing(b"v", None, (("a", b"1"), ("b", None)), 9, 2)
    assert read_back(b"  ") is None
    with pytest.raises(ValueError, match="it has no partition, but"):
        outgoing.from_json(Given(), keep_partition=True)(b'{"value":"v"}')


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), min_size=1), st.none() | st.just(b":"))
def test_many_lines_at_once_are_what_they_are_one_by_one(lines: list[bytes], separator: bytes | None) -> None:
    said = Given(b"k" if separator is None else None)
    one = outgoing.unkeyed(said) if separator is None else outgoing.keyed(separator, said)
    columns = outgoing.split_columns(separator, said.key, rules())(lines)
    if separator is not None and not all(separator in line for line in lines):
        assert columns is None
    else:
        assert columns is not None
        assert [Outgoing(v, k) for v, k in zip(*columns, strict=True)] == [one(line) for line in lines]


def test_many_lines_at_once_hold_none_that_may_be_too_large() -> None:
    assert outgoing.split_columns(None, None, rules(max_bytes=1000))([b"x" * 873]) is None
    assert outgoing.split_columns(None, None, rules(max_bytes=1000))([b"x" * 872]) is not None


@pytest.mark.parametrize(
    ("record", "given_rules", "why"),
    [
        (Outgoing(b"x" * 1000), {"max_bytes": 1000}, r"1,070 bytes, but the topic allows 1,000"),
        (Outgoing(b"x", headers=(("h", b"x" * 1000),)), {"max_bytes": 1000}, "max.message.bytes"),
        (Outgoing(b"x"), {"compacted": True}, "no key"),
        (Outgoing(b"x", partition=3), {}, "partition 3 does not exist: the topic has 3"),
        (Outgoing(b"x", timestamp=5002), {"after": 4000}, "too far ahead"),
        (Outgoing(b"x", timestamp=999), {"before": 1}, "too old"),
    ],
)
def test_what_a_topic_would_refuse(record: Outgoing, given_rules: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked(rules(**given_rules), lambda: 1001)(record)
    checked(rules(), lambda: 1001)(record) if record.partition == ANY else None


def test_the_rules_of_a_topic_are_read_from_its_settings() -> None:
    def topic(**config: str) -> LiveTopic:
        values = {key.replace("_", "."): ConfigValue(value, None, True) for key, value in config.items()}
        return LiveTopic("t", (LivePartition(0, 1, (1,), (1,)),), values)

    week = "604800000"
    assert outgoing.rules(topic(cleanup_policy="compact", retention_ms=week)).retention is None
    assert outgoing.rules(topic(cleanup_policy="compact,delete", retention_ms=week)) == rules(
        partitions=1, max_bytes=1_048_588, compacted=True, retention=604_800_000
    )
    assert outgoing.rules(topic(retention_ms="-1")).retention is None
    stamping = topic(message_timestamp_type="LogAppendTime", message_timestamp_after_max_ms="5", retention_ms=week)
    assert outgoing.rules(stamping) == rules(partitions=1, max_bytes=1_048_588, stamps=True)
    assert outgoing.rules(topic(message_timestamp_before_max_ms=str(2**63 - 1))).before is None
    assert outgoing.rules(LiveTopic("t", (), None)).max_bytes == 1_048_588


def test_bytes_are_counted_as_the_broker_counts_them(one_broker: str) -> None:
    limit = 3000
    create(one_broker, NewTopic("t", 1, 1, config={"max.message.bytes": str(limit)}))
    shapes = [
        Outgoing(b"", None),
        Outgoing(b"", b""),
        Outgoing(b"", b"k" * 63),
        Outgoing(b"", b"k" * 64, (("h", None), ("name", b"v" * 200), ("ü", b""))),
    ]
    for shape in shapes:
        room = limit - batch_size(shape)
        while batch_size(Outgoing(b"x" * room, shape.key, shape.headers)) > limit:
            room -= 1
        assert write(one_broker, Outgoing(b"x" * room, shape.key, shape.headers))
        assert not write(one_broker, Outgoing(b"x" * (room + 1), shape.key, shape.headers))


def write(brokers: str, record: Outgoing) -> bool:
    taken: list[bool] = []  # never compare a KafkaError with None: it leaves a TypeError behind
    producer = Producer({"bootstrap.servers": brokers})
    producer.produce(
        "t",
        record.value,
        record.key,
        headers=list(record.headers),
        on_delivery=lambda error, _: taken.append(error is None),
    )
    assert producer.flush(10) == 0
    return taken == [True]
