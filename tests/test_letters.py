"""Dead letters without Kafka: headers, notes, what is decided about each, how far a topic is emptied."""

import struct
from array import array
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.catalog.model import Catalog, Position, Topic
from kafkactl.deadletters.ledger import LetterLedger, LetterNote, Lock, encode_note, entry_key, held_by, lock_key
from kafkactl.deadletters.letters import Letter
from kafkactl.deadletters.origin import REPLAY_COUNT, REPLAY_ID, HeaderReading, Origin
from kafkactl.deadletters.purge_plan import PurgePlan
from kafkactl.deadletters.replay_plan import (
    DUPLICATES,
    Agreed,
    Decision,
    ReplayPlan,
    ReplayTarget,
    ReplayWish,
    decide,
    unwrapped,
)
from kafkactl.deadletters.topic_names import dead_letter_topics, declared_sources
from kafkactl.records.model import Headers, Record
from kafkactl.records.outgoing import ANY, Rules

NOW = 1_800_000_000_000
CONNECT: Headers = (
    ("__connect.errors.topic", b"orders"),
    ("__connect.errors.partition", b"2"),
    ("__connect.errors.offset", b"17"),
    ("__connect.errors.connector.name", b"sink"),
    ("__connect.errors.exception.class.name", b"org.apache.kafka.connect.errors.DataException"),
    ("__connect.errors.exception.message", b"bad"),
    ("__connect.errors.exception.stacktrace", b"DataException: bad\n\tat a.B"),
)
SPRING: Headers = (
    ("kafka_dlt-original-topic", b"orders"),
    ("kafka_dlt-original-partition", struct.pack(">i", 2)),
    ("kafka_dlt-original-offset", struct.pack(">q", 17)),
    ("kafka_dlt-original-timestamp", struct.pack(">q", NOW - 5)),
    ("kafka_dlt-original-timestamp-type", b"CreateTime"),
    ("kafka_dlt-original-consumer-group", b"app"),
    ("kafka_dlt-exception-fqcn", b"org.springframework.kafka.listener.ListenerExecutionFailedException"),
    ("kafka_dlt-exception-cause-fqcn", b"java.lang.IllegalStateException"),
    ("kafka_dlt-exception-message", b"bad"),
)
SPRING_RETRY: Headers = (
    ("kafka_original-topic", b"orders"),
    ("kafka_original-partition", struct.pack(">i", 2)),
    ("kafka_original-offset", struct.pack(">q", 17)),
    ("retry_topic-attempts", struct.pack(">i", 3)),
    ("kafka_exception-fqcn", b"a.Timeout"),
    ("kafka_exception-message", b"bad"),
)
BINDER: Headers = (
    ("x-original-topic", b"orders"),
    ("x-original-partition", struct.pack(">i", 2)),
    ("x-original-offset", struct.pack(">q", 17)),
    ("x-exception-message", b"bad"),
    ("x-exception-fqcn", b"a.B"),
)
PLAIN: Headers = (
    ("x-original-topic", b"orders"),
    ("x-original-partition", b"2"),
    ("x-original-offset", b"17"),
    ("x-error", b"bad"),
    ("x-retry-count", b"3"),
)


@pytest.mark.parametrize(
    ("headers", "writer", "error_class", "tries"),
    [
        (CONNECT, "Kafka Connect", "org.apache.kafka.connect.errors.DataException", None),
        (SPRING, "Spring Kafka", "org.springframework.kafka.listener.ListenerExecutionFailedException", None),
        (SPRING_RETRY, "Spring Kafka", "a.Timeout", 3),
        (BINDER, "x- headers", "a.B", None),
        (PLAIN, "x- headers", "", 3),
        (
            (("dlq-original-topic", b"orders"), ("dlq_partition", b"2"), ("dlq.offset", b"17"), ("dlq.reason", b"bad")),
            "dlq headers",
            "",
            None,
        ),
        (
            (("X-DLQ-Topic", b"orders"), ("X-DLQ-Partition", b"2"), ("X-DLQ-Offset", b"17"), ("X-DLQ-Error", b"bad")),
            "dlq headers",
            "",
            None,
        ),
        (
            (("original_topic", b"orders"), ("original_partition", b"2"), ("original.offset", b"17")),
            "dlq headers",
            "",
            None,
        ),
    ],
)
def test_every_writer_is_understood(headers: Headers, writer: str, error_class: str, tries: int | None) -> None:
    found = HeaderReading().origin((("trace", b"1"), *headers))
    assert (found.topic, found.partition, found.offset) == ("orders", 2, 17)
    assert (found.writer, found.error_class, found.tries) == (writer, error_class, tries)
    assert found.error == ("bad" if any(value == b"bad" for _, value in headers) else "")
    assert HeaderReading().kept((("trace", b"1"), *headers, ("own", None))) == (("trace", b"1"), ("own", None))
    assert HeaderReading().gist(headers) == (b"orders", error_class.encode(), writer)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("trace", b"x"),),
        (("topic", b"t"), ("error", b"e"), ("offset", b"3"), ("retries", b"1")),
        (("x-trace", b""),),
    ],
)
def test_other_headers_are_the_records_own(headers: Headers) -> None:
    assert HeaderReading().origin(headers) == Origin()
    assert HeaderReading().kept(headers) == headers
    assert HeaderReading().gist(headers) == (b"", b"", "unknown")


def test_a_teams_own_headers() -> None:
    reading = HeaderReading({"topic": "src", "tries": "n", "error": "why"})
    found = reading.origin((("src", b"orders"), ("n", b"2"), ("why", b"bad"), ("x-original-topic", b"other")))
    assert (found.topic, found.tries, found.error) == ("other", 2, "bad")  # the last of two that say the same
    assert reading.kept((("src", b"orders"), ("keep", b"1"))) == (("keep", b"1"),)


def test_of_a_chain_of_retries_the_first_source_and_the_last_error_count() -> None:
    again = (("kafka_dlt-original-topic", b"orders-retry"), ("kafka_dlt-exception-message", b"worse"))
    found = HeaderReading().origin((*SPRING, *again))
    assert (found.topic, found.error) == ("orders", "worse")


@given(st.lists(st.tuples(st.text(max_size=30), st.none() | st.binary(max_size=12)), max_size=8).map(tuple))
def test_any_headers_can_be_read(headers: Headers) -> None:
    found = HeaderReading().origin(headers)
    assert found.partition is None or found.partition >= 0
    assert set(HeaderReading().kept(headers)) <= set(headers)


def test_which_topics_hold_dead_letters() -> None:
    names = ["dlq.a", "b.DLT", "c-dlq", "d.dlq", "orders", "mydlq", "__x-dlq", "kafkactl.dlq.ledger", "failed"]
    position = Position("topics.yaml", 1, 1)
    catalog = Catalog(
        path=Path("topics.yaml"),
        topics={
            "orders": Topic("orders", 1, 1, {}, position, dlq="failed"),
            "failed": Topic("failed", 1, 1, {}, position),
        },
    )
    assert dead_letter_topics(names, None) == ["b.DLT", "c-dlq", "d.dlq", "dlq.a"]
    assert dead_letter_topics(names, catalog) == ["b.DLT", "c-dlq", "d.dlq", "dlq.a", "failed"]
    assert declared_sources("failed", catalog) == ["orders"]


spots = st.tuples(st.integers(0, 3), st.integers(0, 30))


@given(
    st.lists(st.tuples(spots, st.sampled_from(["replayed", "parked", "sending", None])), max_size=40),
    st.integers(0, 40),
)
def test_the_ledger_is_what_was_noted_last(notes: list[tuple[tuple[int, int], str | None]], cut: int) -> None:
    """Whatever it was read in: a ledger read in two parts is the one that was read at once."""
    records = [
        (entry_key("id/x", spot), encode_note(LetterNote(state, NOW, "me")) if state else None)  # type: ignore[arg-type]
        for spot, state in notes
    ]
    records += [
        (entry_key("other", (0, 1)), encode_note(LetterNote("parked", NOW, "me"))),
        (b"id/x/no", b"{}"),
        (b"", None),
    ]
    whole = LetterLedger().with_notes(records, "id/x", 9)
    parts = LetterLedger().with_notes(records[:cut], "id/x", 3).with_notes(records[cut:], "id/x", 9)
    last = dict(notes)
    assert {spot: entry.state for spot, entry in whole.entries.items()} == {s: v for s, v in last.items() if v}
    assert whole == parts
    assert whole.count("replayed", {}) == Counter(v for v in last.values())["replayed"]
    assert all(offset < 5 for _, offset in whole.expired(dict.fromkeys(range(4), 5)))


def test_who_is_at_it() -> None:
    lock = Lock("ana@a", "a", 7, NOW - 5000, NOW, NOW + 20_000)
    ledger = LetterLedger().with_notes([(lock_key("id"), encode_note(lock))], "id", 1)
    assert ledger.lock == lock
    assert held_by(lock, NOW + 1000, "b", alive=False) == lock
    assert held_by(lock, NOW + 1000, "a", alive=True) == lock
    assert held_by(lock, NOW + 1000, "a", alive=False) is None  # killed, on this machine
    assert held_by(lock, NOW + 20_001, "b", alive=True) is None
    assert ledger.with_notes([(lock_key("id"), None)], "id", 2).lock is None


def letter(
    headers: Headers = PLAIN, *, offset: int = 5, key: bytes | None = b"k", value: bytes | None = b"v"
) -> Letter:
    record = Record("orders-dlq", 0, offset, NOW - 1000, "create", key, value, (("own", b"1"), *headers))
    return Letter(record, HeaderReading().origin(record.headers))


TARGETS = {
    "orders": ReplayTarget("orders", Rules(partitions=3, max_bytes=1_000)),
    "small": ReplayTarget("small", Rules(partitions=1, max_bytes=300)),
    "keyed": ReplayTarget("keyed", Rules(partitions=1, max_bytes=1_000, compacted=True)),
    "hidden": ReplayTarget("hidden", missing="no permission, or it does not exist"),
}


def judged(one: Letter, wish: ReplayWish | None = None, noted: LetterNote | None = None, now: int = NOW) -> Decision:
    return decide(
        one, noted, wish or ReplayWish(), lambda name: TARGETS.get(name, ReplayTarget(name)), HeaderReading(), "id", now
    )


def test_it_goes_back_as_it_was() -> None:
    found = judged(letter())
    assert (found.verb, found.to, found.placing) == ("send", "orders", "its partition")
    assert found.record is not None
    assert (found.record.key, found.record.value, found.record.partition, found.record.timestamp) == (b"k", b"v", 2, 0)
    assert found.record.headers[0] == ("own", b"1")
    assert dict(found.record.headers)[REPLAY_COUNT] == b"1"
    assert dict(found.record.headers)[REPLAY_ID] == b"id/0/5"
    assert not any(name.startswith("x-") for name, _ in found.record.headers)
    kept = judged(letter(), ReplayWish(keep_error_headers=True, keep_timestamp=True)).record
    assert kept is not None
    assert dict(kept.headers)["x-error"] == b"bad"
    assert kept.timestamp == NOW - 1000


def test_where_it_goes() -> None:
    assert judged(letter(), ReplayWish(to="small")).placing == "its key"
    assert judged(letter(key=None), ReplayWish(to="small")).placing == "any partition"
    gone = judged(letter((("x-original-topic", b"orders"), ("x-original-partition", b"7"))))
    assert (gone.verb, gone.placing) == ("send", "its key")  # the topic has three partitions now
    assert gone.record is not None
    assert gone.record.partition == ANY


@pytest.mark.parametrize(
    ("one", "wish", "verb", "why"),
    [
        (letter(()), None, "park", "name no source topic"),
        (letter((("x-original-topic", b"orders-dlq"),)), None, "park", "is this dead-letter topic itself"),
        (letter((("x-original-topic", b"old"),)), None, "park", "there is no topic old"),
        (letter((("x-original-topic", b"hidden"),)), None, "withhold", "no permission"),
        (letter((*PLAIN, (REPLAY_COUNT, b"3"))), None, "park", "sent back 3 times already (--max-replays 3)"),
        (letter((*PLAIN, (REPLAY_COUNT, b"3"))), ReplayWish(max_replays=4), "send", ""),
        (letter(value=b"x" * 400), ReplayWish(to="small"), "park", "larger than max.message.bytes"),
        (letter(key=None), ReplayWish(to="keyed"), "park", "it has no key, but the topic is compacted"),
        (letter(()), ReplayWish(to="orders"), "send", ""),
        (letter(value=b"v"), ReplayWish(value_path=("payload",)), "park", "its value has no payload (dlq_value)"),
    ],
)
def test_why_it_does_not_go(one: Letter, wish: ReplayWish | None, verb: str, why: str) -> None:
    found = judged(one, wish)
    assert found.verb == verb
    assert why in found.why


def test_what_was_done_before_is_not_done_again() -> None:
    for state, verb in (("replayed", "pass"), ("parked", "pass"), ("sending", "withhold")):
        assert judged(letter(), noted=LetterNote(state, NOW, "me")).verb == verb  # type: ignore[arg-type]
    assert judged(letter(), ReplayWish(parked=True), LetterNote("parked", NOW, "me")).verb == "send"
    assert judged(letter(), ReplayWish(parked=True), LetterNote("replayed", NOW, "me")).verb == "pass"


def test_what_consumers_may_have_forgotten_needs_a_word() -> None:
    late = NOW + 25 * 3_600_000
    assert judged(letter(), now=late).why == DUPLICATES
    assert judged(letter(), ReplayWish(duplicates=True), now=late).verb == "send"
    assert judged(letter(), ReplayWish(window=-1), now=late).verb == "send"


@pytest.mark.parametrize(
    ("value", "path", "inner"),
    [
        (b'{"payload": "a\\nb"}', "payload", b"a\nb"),
        (b'{"payload": {"a" : 1.10}}', "payload", b'{"a" : 1.10}'),
        (b'{"x": {"payload": [1, 2]}}', "x.payload", b"[1, 2]"),
        (b'{"payload": null}', "payload", None),
    ],
)
def test_a_wrapped_value_is_unwrapped_byte_for_byte(value: bytes, path: str, inner: bytes | None) -> None:
    assert unwrapped(value, tuple(path.split("."))) == inner


@given(st.lists(st.integers(0, 1000), unique=True).map(sorted), st.integers(0, 1000))
def test_what_was_agreed_to_is_found_again(offsets: list[int], asked: int) -> None:
    agreed = Agreed()
    for offset in offsets:
        agreed.add((1, offset))
    assert len(agreed) == len(offsets)
    assert ((1, asked) in agreed) == (asked in offsets)
    assert (0, asked) not in agreed
    assert array("q", offsets) == array("q", sorted(offsets))


@given(st.lists(st.sampled_from(["send", "park", "withhold", "pass"]), max_size=30), st.none() | st.integers(1, 10))
def test_a_plans_numbers_add_up(verbs: list[str], limit: int | None) -> None:
    plan = ReplayPlan()
    for number, verb in enumerate(verbs):
        decision = Decision(verb, "why", "orders")  # type: ignore[arg-type]
        plan.add(letter(offset=number), decision, TARGETS.__getitem__, NOW, limit)
    counts = [plan.to_send, *(c.total() for c in (plan.parked, plan.withheld, plan.passed)), plan.beyond]
    assert sum(counts) == plan.matching == len(verbs)
    assert len(plan.agreed) == plan.to_send + plan.parked.total()
    assert limit is None or len(plan.agreed) <= limit


STATES = ["replayed", "parked", "sending", None]


@given(st.lists(st.tuples(st.sampled_from(STATES), st.booleans()), max_size=30), st.booleans())
def test_only_a_beginning_is_deleted_and_nothing_that_waits(
    asked: list[tuple[str | None, bool]], pending: bool
) -> None:
    plan = PurgePlan(pending_too=pending)
    deleted = []
    for number, (state, wanted) in enumerate(asked):
        entry = LetterNote(state, NOW, "me") if state else None  # type: ignore[arg-type]
        if plan.add(letter(offset=number), entry, wanted=wanted):
            deleted.append(number)
    assert deleted == list(range(len(deleted)))
    assert all(asked[n][1] and (pending or asked[n][0] in ("replayed", "parked")) for n in deleted)
    assert plan.deleted.total() + plan.behind + plan.withheld + plan.kept == len(asked)
    plan.close({0: 99})
    if deleted:
        assert plan.cuts[0] == (99 if len(deleted) == len(asked) else len(deleted))


def test_a_note_is_small() -> None:
    assert len(encode_note(LetterNote("replayed", NOW, "ana@host", to="payment.created"))) < 90
    assert msgspec.json.decode(encode_note(LetterNote("parked", NOW, "a", why="w")))["why"] == "w"
