"""Values that a schema registry describes: Avro, Protobuf and JSON, on a real broker and a stand-in for a registry."""

import io
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic
from fastavro import parse_schema, schemaless_writer
from google.protobuf import descriptor_pb2, timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.registry.avro_values import avro_decoder
from kafkactl.registry.protobuf_values import protobuf_decoder
from kafkactl.registry.wire_format import framed, message_path
from tests.conftest import Outcome, create
from tests.registry import StandInRegistry, schema_registry

Run = Callable[..., Outcome]
PAYMENT = {
    "type": "record",
    "name": "Payment",
    "namespace": "pay",
    "fields": [
        {"name": "payment_no", "type": "string"},
        {"name": "amount", "type": "long"},
        {"name": "fee", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "raw", "type": ["null", "bytes"], "default": None},
    ],
}
SOME = {
    "payment_no": "4111111111111111",
    "amount": 1999,
    "fee": Decimal("1.50"),
    "at": datetime(2026, 11, 1, 12, tzinfo=UTC),
    "raw": b"\xff\x00",
}
SEEN = {
    "payment_no": "4111111111111111",
    "amount": 1999,
    "fee": "1.50",
    "at": "2026-11-01T12:00:00Z",
    "raw": "/wA=",
}


def avro(schema: Any, value: Any, id: int = 7) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(schema), value)
    return b"\x00" + id.to_bytes(4, "big") + out.getvalue()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInRegistry]:
    """A registry that has the schema of payments as 7; SCHEMA_REGISTRY_URL is its address."""
    with schema_registry() as there:
        there.avro(7, PAYMENT)
        monkeypatch.setenv("SCHEMA_REGISTRY_URL", there.url)
        yield there


@pytest.fixture
def topic(one_broker: str) -> Callable[..., None]:
    """Writes records to the topic `payment.created`, which there is."""
    create(one_broker, NewTopic("payment.created", 1, 1))

    def write(*values: bytes | None, key: bytes | None = None, headers: Any = None) -> None:
        producer = Producer({"bootstrap.servers": one_broker, "log_level": 0})
        for value in values:
            producer.produce("payment.created", value, key=key, headers=headers)
        assert producer.flush(10) == 0

    return write


def tail(kafkactl: Run, *words: str) -> Outcome:
    return kafkactl("tail", "payment.created", "--from-beginning", "--no-follow", *words)


def lines(run: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.out.splitlines()]


def test_avro_is_shown_as_json(kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None]) -> None:
    topic(avro(PAYMENT, SOME), avro(PAYMENT, {**SOME, "amount": 5}), None, b'{"plain": 1}', b"\x00abc")
    run = tail(kafkactl, "-o", "json")
    assert run.code == 0, run.text
    first, second, tombstone, plain, short = lines(run)
    assert json.loads(first["value"]) == SEEN
    assert first["decoded_with"] == "value 7"
    assert json.loads(second["value"])["amount"] == 5
    assert tombstone["value"] is None
    assert "decoded_with" not in plain
    assert "decoded_with" not in short
    assert registry.asked == ["schemas/ids/7"]  # once, whatever comes
    shown = tail(kafkactl, "-o", "line")
    assert '"amount":1999' in shown.out
    assert tail(kafkactl, "--jq", ".value.amount?").out.splitlines()[:2] == ["1999", "5"]
    assert '"amount":1999' in tail(kafkactl, "--format", "%s\n").out
    assert "1999" in tail(kafkactl, "--grep", "1999", "-o", "line").out
    last = kafkactl("tail", "payment.created", "-n", "5", "--no-follow", "-o", "json")
    assert lines(last) == lines(run)


def test_the_bytes_are_to_be_had(kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None]) -> None:
    written = avro(PAYMENT, SOME)
    topic(written)
    (line,) = lines(tail(kafkactl, "-o", "json", "--no-decode"))
    assert "base64" in line["value"]
    assert "decoded_with" not in line
    raw = tail(kafkactl, "-o", "raw")
    assert raw.out.encode("utf-8", "surrogateescape") == written + b"\n" or "\x00" in raw.out
    assert registry.asked == []
    Path("decoded.jsonl").write_text(tail(kafkactl, "-o", "json").out)
    refused = kafkactl("produce", "payment.created", "--json", "-l", "decoded.jsonl")
    assert refused.code == 1
    assert "it was decoded with a schema" in refused.err
    assert "--no-decode" in refused.err


def test_what_cannot_be_decoded_stays_as_it_is_and_is_told(
    kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = avro(PAYMENT, SOME)
    topic(good, avro(PAYMENT, SOME, id=8), good[:9], good + b"more")
    run = tail(kafkactl, "-o", "json")
    assert run.code == 0
    assert ["decoded_with" in line for line in lines(run)] == [True, False, False, False]
    assert "3 keys or values not decoded" in run.err
    assert "value, schema 8: the registry does not have it (1)" in run.err
    assert "value, schema 7: it was not written with that schema (1)" in run.err
    assert "value, schema 7: it was not written with that schema: bytes are left over (1)" in run.err
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://127.0.0.1:1")
    run = tail(kafkactl, "-o", "json")
    assert run.code == 0
    assert len(lines(run)) == 4
    assert "the schema registry at http://127.0.0.1:1 does not answer" in run.err
    registry.login = "reader:s3cret"
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", registry.url)
    assert f"the schema registry at {registry.url} refuses this login" in tail(kafkactl, "-o", "json").err
    monkeypatch.setenv("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", "reader:s3cret")
    run = tail(kafkactl, "-o", "json")
    assert lines(run)[0]["decoded_with"] == "value 7"
    assert "s3cret" not in run.text


def test_keys_guids_in_headers_and_references(
    kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None]
) -> None:
    money = {"type": "record", "name": "pay.Money", "fields": [{"name": "v", "type": "long"}]}
    bill = {
        "type": "record",
        "name": "pay.Bill",
        "fields": [{"name": "sum", "type": "pay.Money"}, {"name": "tip", "type": "pay.Money"}],
    }
    registry.subject("money", json.dumps(money), "AVRO")
    registry.avro(9, bill, [{"name": "pay.Money", "subject": "money", "version": 1}])
    whole = {**bill, "fields": [{"name": "sum", "type": money}, {"name": "tip", "type": "pay.Money"}]}
    value = avro(whole, {"sum": {"v": 5}, "tip": {"v": 1}}, id=9)
    guid = UUID("12345678-1234-5678-1234-567812345678")
    registry.answers[f"schemas/guids/{guid}"] = {"schema": '"string"'}
    topic(value, key=avro("string", "k")[5:], headers=[("__key_schema_id", b"\x01" + guid.bytes)])
    (line,) = lines(tail(kafkactl, "-o", "json"))
    assert json.loads(line["value"]) == {"sum": {"v": 5}, "tip": {"v": 1}}
    assert line["key"] == '"k"'
    assert line["decoded_with"] == f"key {guid}, value 9"


def protobuf_files() -> tuple[bytes, bytes]:
    """A file with a message in another one, which uses a third one of another file, and a time."""
    money = descriptor_pb2.FileDescriptorProto(name="money.proto", package="pay", syntax="proto3")
    entry = money.message_type.add(name="Money")
    entry.field.add(name="minor_units", number=1, type=3, label=1)
    file = descriptor_pb2.FileDescriptorProto(name="bill.proto", package="pay", syntax="proto3")
    file.dependency.extend(["money.proto", "google/protobuf/timestamp.proto"])
    file.message_type.add(name="Other")
    outer = file.message_type.add(name="Outer")
    bill = outer.nested_type.add(name="Bill")
    bill.field.add(name="sum", number=1, type=11, type_name=".pay.Money", label=1)
    bill.field.add(name="paid_at", number=2, type=11, type_name=".google.protobuf.Timestamp", label=1)
    return money.SerializeToString(), file.SerializeToString()


def test_protobuf_is_shown_as_json(kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None]) -> None:
    money, bill = protobuf_files()
    registry.subject("money-value", b64encode(money).decode(), "PROTOBUF")
    registry.protobuf(11, bill, [{"name": "money.proto", "subject": "money-value", "version": 1}])
    when = timestamp_pb2.Timestamp(seconds=1_700_000_000).SerializeToString()
    message = b"\x0a\x02\x08\x05" + b"\x12" + bytes([len(when)]) + when
    frame = b"\x00" + (11).to_bytes(4, "big")
    topic(frame + b"\x04\x02\x00" + message, frame + b"\x00", frame + b"\x02\x10" + message, frame)
    run = tail(kafkactl, "-o", "json")
    nested, first, wrong, cut = lines(run)
    assert json.loads(nested["value"]) == {"sum": {"minor_units": "5"}, "paid_at": "2023-11-14T22:13:20Z"}
    assert json.loads(first["value"]) == {}  # the first message, Other, which has no fields
    assert "decoded_with" not in wrong
    assert "decoded_with" not in cut
    assert "it was not written with that schema" in run.err
    assert "the indexes of its message are cut off" in run.err


def test_json_schema_is_the_text_itself(kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None]) -> None:
    registry.answers["schemas/ids/3"] = {"schema": "{}", "schemaType": "JSON"}
    topic(b'\x00\x00\x00\x00\x03{"a": 1}')
    (line,) = lines(tail(kafkactl, "-o", "json"))
    assert (line["value"], line["decoded_with"]) == ('{"a": 1}', "value 3")


def test_what_is_masked_is_masked_in_what_is_decoded(
    kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None]
) -> None:
    Path("topics.yaml").write_text("topics: {payment.created: {mask: [payment_no]}}")
    topic(avro(PAYMENT, SOME), avro(PAYMENT, SOME, id=8))
    run = tail(kafkactl, "-o", "json")
    assert "41111111" not in run.out
    decoded, opaque = lines(run)
    assert json.loads(decoded["value"])["amount"] == 1999
    assert decoded["masked"] is True
    assert opaque["masked"] is True


def test_contracts_are_about_what_is_decoded(
    kafkactl: Run, registry: StandInRegistry, topic: Callable[..., None]
) -> None:
    Path("topics.yaml").write_text(
        "topics: {payment.created: {event: pay, event_type: any}}\nevents: {pay: pay.json}\n"
        f"environments: {{dev: {{brokers: ['localhost:1'], schema_registry: {registry.url}}}}}\n"
    )
    Path("pay.json").write_text('{"properties": {"amount": {"maximum": 100}}}')
    topic(avro(PAYMENT, {**SOME, "amount": 5}), avro(PAYMENT, SOME))
    run = kafkactl("events", "check", "payment.created", "-o", "json")
    assert run.code == 1, run.text
    (told,) = json.loads(run.out)["topics"]
    assert (told["valid"], told["invalid"]) == (1, 1)
    assert len(lines(tail(kafkactl, "--invalid", "-o", "json"))) == 1
    topic(avro(PAYMENT, SOME, id=8))
    run = kafkactl("events", "check", "payment.created", "-o", "json")
    assert run.code == 1
    assert "incomplete answer: 1 key or value not decoded" in run.err
    assert kafkactl("lint").code == 0


def test_dead_letters_are_decoded(kafkactl: Run, registry: StandInRegistry, one_broker: str) -> None:
    create(one_broker, NewTopic("dlq.payment", 1, 1))
    producer = Producer({"bootstrap.servers": one_broker, "log_level": 0})
    producer.produce("dlq.payment", avro(PAYMENT, SOME), headers=[("x-error", b"too much")])
    producer.flush(10)
    run = kafkactl("dlq", "show", "dlq.payment", "-o", "json")
    assert run.code == 0, run.text
    assert '"decoded_with":"value 7"' in run.out.replace(": ", ":")
    assert kafkactl("dlq", "show", "dlq.payment", "--where", ".value.amount == 1999").out


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host:1", "is not an address; write https://HOST:PORT."),
        ("https://user:pw@host", "holds a login"),
        ("host:8081", "is not an address"),
    ],
)
def test_an_address_that_is_none(kafkactl: Run, url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("topics.yaml").write_text(
        f"topics: {{a: {{}}}}\nenvironments: {{dev: {{brokers: ['localhost:1'], schema_registry: '{url}'}}}}\n"
    )
    run = kafkactl("lint")
    assert run.code == 2
    assert "schema_registry " in run.text
    assert words in run.text
    Path("topics.yaml").unlink()
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", url)
    run = kafkactl("tail", "a", "-o", "json")
    assert run.code in (2, 3)


def test_a_login_does_not_go_over_the_wire_as_it_is(
    kafkactl: Run, one_broker: str, topic: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    topic(b"x")
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://registry.example:8081")
    monkeypatch.setenv("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", "reader:s3cret")
    run = tail(kafkactl, "-o", "json")
    assert run.code == 2, run.text
    assert "unencrypted" in run.err
    assert "s3cret" not in run.text


@pytest.mark.property
@given(st.binary(max_size=40), st.sampled_from(["key", "value"]), st.binary(max_size=20))
def test_any_bytes_are_framed_or_not(data: bytes, part: str, header: bytes) -> None:
    found = framed(data, ((f"__{part}_schema_id", header), ("other", None)), part)
    assert found is None or found.payload in data
    alone = framed(data, (), part)
    assert (alone is not None) == (len(data) >= 5 and data[0] == 0)


@pytest.mark.property
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_reason(data: bytes) -> None:
    money, bill = protobuf_files()
    encoded = {"money.proto": b64encode(money).decode()}
    for decode in (avro_decoder(json.dumps(PAYMENT), {}), protobuf_decoder(b64encode(bill).decode(), encoded)):
        with suppress(ValueError):
            json.loads(decode(data))
    with suppress(ValueError):
        path, rest = message_path(data)
        assert path
        assert data.endswith(rest)


@pytest.mark.parametrize("schema", ["", "{", '{"type": "nonsense"}', '"Unknown"', '{"type": "record"}', "[1]", "7"])
def test_schemas_that_are_none(schema: str) -> None:
    with pytest.raises(ValueError, match="its schema is not valid Avro"):
        avro_decoder(schema, {})
    with pytest.raises(ValueError, match=r"its schema is not valid Protobuf|it was not written with that schema"):
        protobuf_decoder(schema, {})(b"\x00")
