"""Who sends dead letters back: two operators, one that is stopped, and users who may not do everything."""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.cluster.accounts import Permission
from kafkactl.deadletters.ledger import LEDGER_TOPIC, Lock, encode_note, lock_key
from kafkactl.deadletters.sessions import transactional_id
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, command, create
from tests.dead_letters import FROM_ORDERS, bury, copies
from tests.sandboxes import as_user, permit

Run = Callable[..., Outcome]


def test_two_operators(kafkactl: Run, orders: str) -> None:
    """The second one is told of the first, and ends its replay only if that is meant."""
    bury(orders, *[(b"k%d" % n, b"%d" % n, FROM_ORDERS) for n in range(60)])
    first = command("dlq", "replay", "orders-dlq", "--yes", "--rate", "10/s")
    try:
        deadline = time.monotonic() + 20
        while not copies(orders, "orders") and time.monotonic() < deadline:
            time.sleep(0.1)
        second = kafkactl("dlq", "replay", "orders-dlq", "--yes")
        assert second.code == 2
        assert "has been replaying this topic for" in second.err
        third = kafkactl("dlq", "replay", "orders-dlq", "--yes", "--take-over")
        assert third.code == 0
        _, err = first.communicate(timeout=30)
    finally:
        first.kill()
        first.communicate()
    assert first.returncode == 1, err
    assert "Another replay of this topic began, and ended this one." in err
    assert Counter(value for _, _, value, _ in copies(orders, "orders")) == Counter(b"%d" % n for n in range(60))


def test_a_lock_of_another_machine_is_respected(kafkactl: Run, orders: str) -> None:
    bury(orders, (b"k", b"v", FROM_ORDERS), (b"j", b"v", FROM_ORDERS))
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes", "--limit", "1").code == 0
    ledger = copies(orders, LEDGER_TOPIC)
    id = next(key for _, key, _, _ in ledger if key and key.endswith(b"/lock")).decode().removesuffix("/lock")
    now = int(time.time() * 1000)
    held = Lock("ana@elsewhere", "elsewhere", 1, now - 65_000, now, now + 60_000)
    bury(orders, (lock_key(id), encode_note(held), ()), topic=LEDGER_TOPIC)
    refused = kafkactl("dlq", "replay", "orders-dlq", "--yes")
    assert "ana@elsewhere (process 1) has been replaying this topic for 1m 5s" in refused.err
    assert refused.code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_batches_and_it_goes_on_later(
    kafkactl: Run, orders: str, number: signal.Signals
) -> None:
    bury(orders, *[(b"k%d" % n, b"%d" % n, FROM_ORDERS) for n in range(50)])
    run = command("dlq", "replay", "orders-dlq", "--yes", "--rate", "10/s")
    while not copies(orders, "orders"):
        time.sleep(0.1)
    run.send_signal(number)
    _, err = run.communicate(timeout=20)
    assert run.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    sent = len(copies(orders, "orders"))
    assert 0 < sent < 50
    assert f"{sent} records sent back to orders." in err
    assert f"{50 - sent} not tried." in err
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    assert Counter(value for _, _, value, _ in copies(orders, "orders")) == Counter(b"%d" % n for n in range(50))


@pytest.fixture
def secured(secured_one: RunningSandbox) -> RunningSandbox:
    """The same two topics, with three dead letters, where users may do some things only."""
    create(secured_one.internal, NewTopic("payment.created", 3, 1), NewTopic("payment.dlq", 1, 1))
    origin = (("x-original-topic", b"payment.created"),)
    bury(secured_one.internal, *[(b"k%d" % n, b"%d" % n, origin) for n in range(3)], topic="payment.dlq")
    return secured_one


def test_who_may_not_see_the_ledger_is_not_told_that_all_wait(kafkactl: Run, secured: RunningSandbox) -> None:
    admin, operator = as_user(secured), as_user(secured, "operator")
    assert kafkactl("dlq", "replay", "payment.dlq", "--yes", *admin).code == 0
    seen = kafkactl("dlq", "list", "payment.dlq", *operator)
    assert "not known" in seen.out
    assert LEDGER_TOPIC in seen.err
    refused = kafkactl("dlq", "replay", "payment.dlq", "--yes", *operator)
    assert refused.code == 1
    assert "Which dead letters were replayed is not known" in refused.err
    assert kafkactl("dlq", "list", *as_user(secured, "nobody")).err.startswith("No topic that this user may describe")


def test_without_the_right_to_a_transaction(kafkactl: Run, secured: RunningSandbox) -> None:
    """Notes before and after: agreed to, and what was in doubt is looked for, not sent twice."""
    operator = as_user(secured, "operator")
    may = [
        Permission("operator", "topic", "payment.", ("WRITE",), prefixed=True),
        Permission("operator", "topic", LEDGER_TOPIC, ("READ", "WRITE", "CREATE", "DESCRIBE")),
    ]
    permit(secured, *may)
    refused = kafkactl("dlq", "replay", "payment.dlq", "--yes", *operator)
    assert refused.code == 2
    assert "this user may not use one" in refused.err
    assert "transactional id" in refused.err
    done = kafkactl("dlq", "replay", "payment.dlq", "--yes", "--limit", "2", "--allow", "duplicates", *operator)
    assert done.code == 0, done.err
    assert "duplicates are possible" in done.err
    ledger = copies(secured.internal, LEDGER_TOPIC)
    states = [json.loads(value)["state"] for _, key, value, _ in ledger if value and b"/lock" not in (key or b"")]
    assert states == ["sending", "sending", "replayed", "replayed"]
    # As if the process had been killed after the records went, before the second note.
    doubtful = [(key, value, ()) for _, key, value, _ in ledger if value and b'"sending"' in value]
    bury(secured.internal, *doubtful, topic=LEDGER_TOPIC)
    again = kafkactl("dlq", "replay", "payment.dlq", "--yes", "--allow", "duplicates", *operator)
    assert again.code in (0, 1), again.err
    found = Counter(value for _, _, value, _ in copies(secured.internal, "payment.created"))
    assert found == Counter([b"0", b"1", b"2"])


def test_with_the_right_to_a_transaction(kafkactl: Run, secured: RunningSandbox) -> None:
    from kafkactl.cluster.client import connect
    from kafkactl.cluster.metadata import read_topic_ids
    from kafkactl.connection import Connection

    id = read_topic_ids(connect(Connection((secured.internal,), "")), ["payment.dlq"])["payment.dlq"]
    permit(
        secured,
        Permission("operator", "topic", "payment.", ("WRITE",), prefixed=True),
        Permission("operator", "topic", LEDGER_TOPIC, ("READ", "WRITE", "CREATE", "DESCRIBE")),
        Permission("operator", "transactional_id", transactional_id(id), ("WRITE", "DESCRIBE")),
    )
    done = kafkactl("dlq", "replay", "payment.dlq", "--yes", *as_user(secured, "operator"))
    assert done.code == 0, done.err
    assert len(copies(secured.internal, "payment.created")) == 3


def test_a_topic_that_grows_while_it_is_replayed(kafkactl: Run, orders: str) -> None:
    early = [f"early-{number}".encode() for number in range(120)]
    late = [f"late-{number}".encode() for number in range(60)]
    bury(orders, *((key, b"x", FROM_ORDERS) for key in early))
    run = command("dlq", "replay", "orders-dlq", "--yes", "--rate", "60")
    deadline = time.monotonic() + 30
    while not copies(orders, "orders"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    bury(orders, *((key, b"x", FROM_ORDERS) for key in late))
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    # What came after the plan was agreed to is not in it.
    assert Counter(key for _, key, _, _ in copies(orders, "orders")) == Counter(early)
    assert kafkactl("dlq", "replay", "orders-dlq", "--yes").code == 0
    assert Counter(key for _, key, _, _ in copies(orders, "orders")) == Counter([*early, *late])
