"""Dead letters that go to another cluster: no transaction spans two, so each record has a note before and after it."""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic

from kafkactl.deadletters.ledger import LEDGER_TOPIC, Lock, encode_note
from kafkactl.records.model import Headers
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import Outcome, admin_client, command, create
from tests.dead_letters import FROM_ORDERS, bury, copies

Run = Callable[..., Outcome]


@pytest.fixture
def there(orders: str, secured_one: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Another cluster with a topic orders, and a topics.yaml that knows both."""
    create(secured_one.internal, NewTopic("orders", 3, 1))
    file = tmp_path / "topics.yaml"
    file.write_text(
        "environments:\n"
        f"  here: {{brokers: ['{orders}'], protected: true}}\n"
        f"  dr: {{brokers: ['{secured_one.internal}'], protected: true}}\n"
        "topics: {}\n"
    )
    monkeypatch.setenv("KAFKACTL_CATALOG", str(file))
    return secured_one.internal


def letters(count: int) -> list[tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]]:
    return [(b"k%d" % n, b"%d" % n, FROM_ORDERS) for n in range(count)]


AGREED = ["--to-env", "dr", "--yes", "--allow", "duplicates", "--confirm", "here,dr"]


def states(brokers: str) -> list[tuple[str, bool]]:
    notes = [json.loads(v) for _, k, v, _ in copies(brokers, LEDGER_TOPIC) if v and not (k or b"").endswith(b"/lock")]
    return [(note["state"], bool(note.get("cluster"))) for note in notes]


def test_into_another_cluster(kafkactl: Run, orders: str, there: str) -> None:
    bury(orders, *letters(3))
    plan = kafkactl("dlq", "replay", "orders-dlq", "--to-env", "dr", "--dry-run")
    assert plan.code == 0, plan.err
    assert f"They go to another cluster, dr ({there}), and count as replayed here from then on." in plan.err
    assert "no transaction spans two clusters" in plan.err
    done = kafkactl("dlq", "replay", "orders-dlq", *AGREED, "-o", "json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["to_cluster"]["name"] == f"dr ({there})"
    assert copies(orders, "orders") == []
    assert Counter(value for _, _, value, _ in copies(there, "orders")) == Counter([b"0", b"1", b"2"])
    assert {partition for partition, *_ in copies(there, "orders")} == {1}
    assert states(orders) == [("sending", True)] * 3 + [("replayed", True)] * 3
    shown = kafkactl("dlq", "show", "orders-dlq")
    assert "replayed to orders in cluster " in shown.out
    again = kafkactl("dlq", "replay", "orders-dlq", "--yes", "--confirm", "here")
    assert "Nothing was sent." in again.err
    assert "replayed already" in again.out


def sending_notes(brokers: str) -> list[tuple[bytes | None, bytes, Headers]]:
    return [(key, value, ()) for _, key, value, _ in copies(brokers, LEDGER_TOPIC) if value and b'"sending"' in value]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (["--confirm", "here,dr"], "no transaction spans two clusters"),
        (["--allow", "duplicates"], "here is protected, and this would note that dead letters went to dr"),
        (["--allow", "duplicates", "--confirm", "dr"], "here is protected"),
        (["--allow", "duplicates", "--confirm", "here"], "To do it anyway: --confirm here,dr"),
        (["--to-env", "here"], "--to-env here is the cluster that the dead letters are in"),
        (["--to-env", "nowhere"], "nowhere"),
    ],
)
def test_what_has_to_be_agreed_to(kafkactl: Run, orders: str, there: str, given: list[str], what: str) -> None:
    bury(orders, *letters(1))
    refused = kafkactl("dlq", "replay", "orders-dlq", "--to-env", "dr", "--yes", *given)
    assert refused.code == 2, refused.err
    assert what in refused.err
    assert copies(there, "orders") == []


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("more", [0, 1])
def test_what_an_interrupted_one_may_have_sent(kafkactl: Run, orders: str, there: str, sent: bool, more: int) -> None:
    """As if it had been killed before the second note: it is looked for in the other cluster, and nowhere else."""
    bury(orders, *letters(1))
    assert kafkactl("dlq", "replay", "orders-dlq", *AGREED).code == 0
    doubtful = [
        (key, value, ()) for _, key, value, _ in copies(orders, LEDGER_TOPIC) if value and b'"sending"' in value
    ]
    if not sent:  # the note of another try, before which the target ended where it ends now
        doubtful = [(k, v.replace(b'"1":0', b'"1":1'), h) for k, v, h in doubtful]
    bury(orders, *doubtful, topic=LEDGER_TOPIC)
    bury(orders, *letters(more))
    elsewhere = kafkactl("dlq", "replay", "orders-dlq", "--dry-run")
    assert "may have sent it to another cluster than this one" in elsewhere.out
    assert kafkactl("dlq", "show", "orders-dlq").out.count("may have been sent to orders in cluster ") == 1
    plan = kafkactl("dlq", "replay", "orders-dlq", "--to-env", "dr", "--dry-run")
    words = "1 arrived" if sent else "1 did not"
    assert f"1 record that an interrupted replay may have sent: {words}." in plan.err
    done = kafkactl("dlq", "replay", "orders-dlq", *AGREED)
    assert done.code == 0, done.err
    assert len(copies(there, "orders")) == 1 + more + (not sent)
    assert "may have been sent" not in kafkactl("dlq", "show", "orders-dlq").out
    assert "Nothing was sent." in kafkactl("dlq", "replay", "orders-dlq", *AGREED).err


def test_what_cannot_be_known_is_not_sent_again_without_a_word(kafkactl: Run, orders: str, there: str) -> None:
    """Its copy would be among records that are deleted by now."""

    bury(orders, *letters(1))
    assert kafkactl("dlq", "replay", "orders-dlq", *AGREED).code == 0
    doubtful = [
        (key, value, ()) for _, key, value, _ in copies(orders, LEDGER_TOPIC) if value and b'"sending"' in value
    ]
    bury(orders, *doubtful, topic=LEDGER_TOPIC)
    admin, gone = admin_client(there), TopicPartition("orders", 1, 1)
    admin.delete_records([gone])[gone].result(10)
    cautious = [word for word in AGREED if word not in ("--allow", "duplicates")]
    held = kafkactl("dlq", "replay", "orders-dlq", *cautious)
    assert held.code == 1
    assert "of 1 it is not known" in held.err
    assert "its copy could not be looked for" in held.out
    assert "To agree in advance: --allow duplicates" in held.err
    assert kafkactl("dlq", "replay", "orders-dlq", *AGREED).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_goes_on_where_it_was(kafkactl: Run, orders: str, there: str, number: signal.Signals) -> None:
    bury(orders, *letters(60))
    run = command("dlq", "replay", "orders-dlq", *AGREED, "--rate", "20/s")
    deadline = time.monotonic() + 30
    while not copies(there, "orders") and time.monotonic() < deadline:
        time.sleep(0.1)
    run.send_signal(number)
    run.communicate(timeout=20)
    assert 0 < len(copies(there, "orders")) < 60
    again = kafkactl("dlq", "replay", "orders-dlq", *AGREED)
    assert again.code == 0, again.err
    assert Counter(value for _, _, value, _ in copies(there, "orders")) == Counter(b"%d" % n for n in range(60))


def test_who_takes_over_ends_it(kafkactl: Run, orders: str, there: str) -> None:
    """Without a transaction only the notes tell: nobody goes on beside who took over."""
    bury(orders, *letters(60))
    first = command("dlq", "replay", "orders-dlq", *AGREED, "--rate", "10/s")
    try:
        deadline = time.monotonic() + 30
        while not copies(there, "orders") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert kafkactl("dlq", "replay", "orders-dlq", *AGREED).code == 2
        key = next(key for _, key, _, _ in copies(orders, LEDGER_TOPIC) if key and key.endswith(b"/lock"))
        now = int(time.time() * 1000)
        bury(orders, (key, encode_note(Lock("ana@there", "there", 1, now, now, now + 60_000)), ()), topic=LEDGER_TOPIC)
        _, err = first.communicate(timeout=30)
    finally:
        first.kill()
        first.communicate()
    assert first.returncode == 1, err
    assert "Another replay of this topic began, and ended this one." in err
    sent = Counter(value for _, _, value, _ in copies(there, "orders"))
    assert 0 < sent.total() < 60
    assert "ana@there (process 1) has been replaying" in kafkactl("dlq", "replay", "orders-dlq", *AGREED).err
    assert kafkactl("dlq", "replay", "orders-dlq", *AGREED, "--take-over").code == 0
    assert Counter(value for _, _, value, _ in copies(there, "orders")) == Counter(b"%d" % n for n in range(60))
