"""The exporter: the usual names, what kafkactl knows beside them, and nothing that is not known now."""

import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.groups.model import Group
from kafkactl.groups.report import GroupLine, Report
from kafkactl.groups.verdict import GroupVerdict
from kafkactl.metrics.exposition import exposed
from kafkactl.metrics.group_families import group_families, unknown_of_groups
from kafkactl.metrics.model import single
from kafkactl.metrics.page import Page
from kafkactl.view import lag_report
from tests.conftest import Outcome, admin_client, commit, create
from tests.dead_letters import FROM_ORDERS, bury
from tests.exporters import exporting, metrics_of
from tests.lab import scale
from tests.lab.faults import fill, silent
from tests.sandboxes import as_user, eventually, free_port

if TYPE_CHECKING:
    from kafkactl.sandbox.running import RunningSandbox

Run = Callable[..., Outcome]

# The names and labels of danielqsj/kafka_exporter 1.9.
PLACE = {"topic", "partition"}
USUAL = {
    "kafka_brokers": set(),
    "kafka_broker_info": {"id", "address"},
    "kafka_topic_partitions": {"topic"},
    "kafka_topic_partition_current_offset": PLACE,
    "kafka_topic_partition_oldest_offset": PLACE,
    "kafka_topic_partition_in_sync_replica": PLACE,
    "kafka_topic_partition_leader": PLACE,
    "kafka_topic_partition_leader_is_preferred": PLACE,
    "kafka_topic_partition_replicas": PLACE,
    "kafka_topic_partition_under_replicated_partition": PLACE,
    "kafka_consumergroup_current_offset": {"consumergroup", *PLACE},
    "kafka_consumergroup_current_offset_sum": {"consumergroup", "topic"},
    "kafka_consumergroup_lag": {"consumergroup", *PLACE},
    "kafka_consumergroup_lag_sum": {"consumergroup", "topic"},
    "kafka_consumergroup_members": {"consumergroup"},
}


def test_the_usual_names_and_kafkactls_own(orders: str, kafkactl: Run) -> None:
    Path("topics.yaml").write_text("topics: {orders: {partitions: 3, consumers: [billing], dlq: orders-dlq}}")
    fill(orders, "orders", 30)
    admin = admin_client(orders)
    commit(admin, "billing-group", "orders", 10)
    bury(orders, (b"k", b"x", FROM_ORDERS))
    with exporting() as exporter:
        seen = exporter.until("kafkactl_topic_partition_under_min_isr", 0, topic="orders", partition=0)
        text = exporter.get()[1]
    assert {name: seen.labels(name) for name in seen.series if name.startswith("kafka_")} == USUAL
    place = {"topic": "orders", "partition": 0}
    assert seen.value("kafka_topic_partition_current_offset", **place) == 30
    assert seen.value("kafka_topic_partition_leader", **place) == 1
    group = {"consumergroup": "billing-group"}
    assert seen.value("kafka_consumergroup_lag", **group, **place) == 20
    assert seen.value("kafka_consumergroup_members", **group) == 0
    assert seen.value("kafkactl_group_verdict", **group, service="billing", verdict="STOPPED") == 1
    assert seen.value("kafkactl_group_partitions", **group, verdict="STOPPED") == 1
    assert 0 < (seen.value("kafkactl_group_behind_seconds", **group) or 0) < 120
    assert seen.value("kafkactl_dead_letters_pending", topic="orders-dlq") == 1
    assert seen.value("kafkactl_findings", code="KD603", severity="error") == 1
    assert seen.value("kafkactl_findings", code="KD501") == 0
    assert seen.value("kafkactl_findings", code="KD701") is None  # containers are not looked at
    assert (seen.value("kafkactl_broker_disk_usable_bytes", id=1) or 0) > 0
    assert seen.value("kafkactl_up") == 1
    assert set(seen.series["kafkactl_unknown"].values()) == {0}
    # `lag -o prometheus` says the same of groups and dead letters.
    told = metrics_of(kafkactl("lag", "-o", "prometheus").out)
    moving = ("kafkactl_group_behind_seconds", "kafkactl_group_drain_seconds")
    assert told.series.keys() <= seen.series.keys()
    assert {name: seen.series[name] for name in told.series.keys() - moving} == {
        name: series for name, series in told.series.items() if name not in moving
    }
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert checked.stdout == ""
    # The usual exporter's own names, and nothing else.
    complaints = [line.split()[0] for line in checked.stderr.splitlines()]
    assert complaints == ["kafka_consumergroup_current_offset_sum", "kafka_consumergroup_lag_sum"], checked.stderr


def test_a_scrape_asks_kafka_nothing(orders: str) -> None:
    with exporting(every="1h") as exporter:
        first = exporter.until("kafkactl_up", 1)
        fill(orders, "orders", 5)
        again = exporter.metrics()
    name = "kafka_topic_partition_current_offset"
    assert again.series[name] == first.series[name]
    assert (again.value("kafkactl_last_look_age_seconds") or 0) > (first.value("kafkactl_last_look_age_seconds") or 0)


def test_nothing_stale_while_kafka_is_away() -> None:
    from kafkactl.sandbox.foreground import throwaway

    with throwaway() as sandbox:
        create(sandbox.bootstrap, NewTopic("orders", 1, 1))
        with exporting("-b", sandbox.bootstrap) as exporter:
            exporter.until("kafka_brokers", 1)
            sandbox.kill(1)
            away = exporter.until("kafkactl_findings", 1, code="KD302")
            assert away.value("kafkactl_up") == 0
            assert [name for name in away.series if name.startswith("kafka_")] == []
            assert away.value("kafkactl_unknown", what="cluster") == 1
            assert away.value("kafkactl_unknown", what="disks") == 1
            assert exporter.get("/-/healthy")[0] == 200
            sandbox.start(1)
            back = exporter.until("kafka_brokers", 1)
            assert back.value("kafkactl_up") == 1
            exporter.until("kafkactl_findings", 0, code="KD302")
            assert exporter.end(signal.SIGTERM) == 143
    assert "connection refused" in exporter.err
    assert exporter.err.splitlines()[-1] == "Kafka is back."


def test_one_broker_that_hangs_takes_only_its_own_partitions_from_the_page() -> None:
    from kafkactl.sandbox.foreground import throwaway

    offset = "kafka_topic_partition_current_offset"
    with throwaway(3) as sandbox:
        create(sandbox.bootstrap, NewTopic("orders", 6, 1))
        for partition in range(6):
            fill(sandbox.bootstrap, "orders", 4, partition)
        commit(admin_client(sandbox.bootstrap), "billing-group", "orders", 1, partitions=6)
        with exporting("-b", sandbox.bootstrap, "--timeout", "1s") as exporter:
            whole = exporter.until("kafkactl_unknown", 0, what="offsets")
            led = {id: whole.value("kafka_topic_partition_leader", topic="orders", partition=id) for id in range(6)}
            assert set(led.values()) == {1, 2, 3}
            sandbox.pause(3)
            try:
                lame = exporter.until("kafkactl_unknown", 2, what="offsets")
            finally:
                sandbox.resume(3)
            for id, leader in led.items():
                wanted = None if leader == 3 else 4
                assert lame.value(offset, topic="orders", partition=id) == wanted
            assert lame.value("kafkactl_up") == 1
            assert lame.value("kafkactl_lag_complete") == 0
            exporter.until("kafkactl_unknown", 0, what="offsets")


def test_a_user_who_may_not_see_everything(secured_one: "RunningSandbox") -> None:

    create(secured_one.internal, NewTopic("seen", 1, 1), NewTopic("hidden", 1, 1))
    with exporting(*as_user(secured_one, "reader")) as exporter:
        seen = exporter.until("kafkactl_findings", 1, code="KD341")
    assert seen.value("kafkactl_unknown", what="topics") == 1
    assert (seen.value("kafkactl_unknown", what="groups") or 0) > 0
    assert (seen.value("kafkactl_unknown", what="disks") or 0) > 0
    assert seen.value("kafkactl_lag_complete") == 0
    assert seen.value("kafkactl_broker_disk_bytes") is None
    assert seen.value("kafka_topic_partitions", topic="hidden") is None


def test_certificates(secured_one: "RunningSandbox") -> None:
    with exporting(*as_user(secured_one, "admin", "mtls")) as exporter:
        seen = exporter.until("kafkactl_unknown", 0, what="certificates")
    name = "kafkactl_certificate_expiry_timestamp_seconds"
    ends = {dict(labels)["of"]: value for labels, value in seen.series[name].items()}
    assert ends.keys() == {"broker", "client"}
    assert all(300 * 86_400 < end - time.time() < 400 * 86_400 for end in ends.values())


def test_a_thousand_groups(one_broker: str) -> None:
    scale.fill(one_broker, 4, 3, 1_000)
    with exporting() as exporter:
        seen = exporter.until("kafkactl_unknown", 0, what="min_isr")
        assert len(seen.series["kafka_consumergroup_members"]) == 1_000
        assert len(seen.series["kafka_consumergroup_lag"]) == 12_000
        assert len(seen.series["kafkactl_group_behind_seconds"]) == 1_000
        assert seen.value("kafkactl_unknown", what="groups") == 0
        assert (exporter.metrics().value("process_resident_memory_bytes") or 0) < 250 * 2**20


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A certificate of localhost, its key, and who signed it."""
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    paths = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    issued.cert_chain_pems[0].write_to_path(paths[0])
    issued.private_key_pem.write_to_path(paths[1])
    authority.cert_pem.write_to_path(paths[2])
    return paths


def test_tls_and_a_login(one_broker: str, certificate: tuple[Path, Path, Path], tmp_path: Path) -> None:
    cert, key, authority = certificate
    (tmp_path / "password").write_text("s3cret: with a colon\n")
    wanted = ("--tls-cert", str(cert), "--tls-key", str(key))
    login = ("--user", "prometheus", "--password-file", str(tmp_path / "password"))
    with exporting(*wanted, *login, login="prometheus:s3cret: with a colon", authority=authority) as exporter:
        exporter.until("kafka_brokers", 1)
        for wrong in ("prometheus:no", "nobody:s3cret: with a colon", "prometheus:"):
            assert exporter.get(login=wrong)[0] == 401
        assert exporter.get("/", login="nobody:no")[0] == 401
        assert exporter.get("/-/healthy", login="nobody:no") == (200, "ok\n")
        with socket.create_connection(("127.0.0.1", exporter.port)) as plain:  # neither TLS nor a request
            plain.sendall(b"\x00\xff" * 100)
            assert exporter.get()[0] == 200
        with socket.create_connection(("127.0.0.1", exporter.port)):  # silent
            assert exporter.get()[0] == 200
        assert exporter.end(signal.SIGTERM) == 143
    assert len(exporter.err.splitlines()) == 1
    assert f"https://127.0.0.1:{exporter.port}/metrics" in exporter.err


def test_a_page_can_be_had_gzipped_and_only_its_head(one_broker: str) -> None:
    with exporting() as exporter:
        exporter.until("kafka_brokers", 1)
        url = f"http://127.0.0.1:{exporter.port}/metrics"
        import gzip

        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})) as answer:
            packed = answer.read()
        assert metrics_of(gzip.decompress(packed).decode()).value("kafka_brokers") == 1
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD")) as answer:
            assert (answer.read(), int(answer.headers["Content-Length"]) > 1000) == (b"", True)
        assert exporter.get("/nope")[0] == 404
        assert exporter.get("/")[0] == 200


def test_many_clients_at_once_are_turned_away(one_broker: str) -> None:
    with exporting() as exporter:
        exporter.until("kafka_brokers", 1)
        waiting = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(40)]
        try:
            assert eventually(lambda: sum(map(_closed, waiting)) >= 20)
        finally:
            for one in waiting:
                one.close()
        exporter.until("kafka_brokers", 1)


def _closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_within_a_second(number: int, code: int) -> None:
    with silent() as port, exporting("-b", f"127.0.0.1:{port}") as exporter:
        time.sleep(1.0)  # it waits for an answer that never comes
        start = time.monotonic()
        assert exporter.end(number) == code
        assert time.monotonic() - start < 1.0
        assert "Traceback" not in exporter.err


def test_what_cannot_be_begun_is_said_at_once(kafkactl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("topics.yaml").write_text("topics: {a: {}}\nenvironments: {local: {brokers: [localhost:1]}}\n")
    assert "There is no environment prod" in kafkactl("exporter", "--env", "prod").err
    (tmp_path / "empty").write_text("\n")
    for words in (
        ("--tls-key", "key.pem"),
        ("--tls-cert", "none.pem"),
        ("--password-file", "empty"),
        ("--user", "me"),
        ("--user", "me", "--password-file", "empty"),
        ("--user", "me", "--password-file", "none"),
        ("--every", "0"),
        ("--port", "70000"),
        ("-X", "no.such.property=1"),
    ):
        run = kafkactl("exporter", *words)
        assert run.code == 2, (words, run.text)
    monkeypatch.setenv("KAFKACTL_EXPORTER_PASSWORD", "x")
    assert "colon" in kafkactl("exporter", "--user", "a:b").err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = str(taken.getsockname()[1])
        run = kafkactl("exporter", "--port", port)
        assert (run.code, f"Cannot listen on 127.0.0.1:{port}: address already in use." in run.err) == (1, True)
    assert kafkactl("exporter", "--listen", "no-such-host.invalid").code == 1


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "prometheus_client.py").write_text("raise ImportError('not here')")
    run = subprocess.run(
        [sys.executable, "-m", "kafkactl", "exporter"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "pip install 'kafkactl[exporter]'" in run.stderr


def page_of(text: bytes = b"", **unknown: int) -> Page:
    page = Page(every=1.0)
    page.starts(100.0)
    page.shows(text or exposed([single("kafka_brokers", "", 3)]), unknown, 100.0, 101.5)
    return page


def test_a_page_before_the_first_look_claims_nothing() -> None:
    seen = metrics_of(Page(1.0).content(5.0).decode())
    assert seen.value("kafkactl_up") is None
    assert seen.value("kafkactl_unknown", what="cluster") == 1
    assert Page(1.0).healthy(5.0)


def test_a_page_tells_its_age_and_forgets_what_failed() -> None:
    page = page_of(lag=2)
    page.shows_checks(exposed([single("kafkactl_findings", "", 0)]), {"disks": 1}, 102.0)
    seen = metrics_of(page.content(110.0).decode())
    assert seen.value("kafka_brokers") == 3
    assert seen.value("kafkactl_last_look_age_seconds") == 10
    assert seen.value("kafkactl_look_duration_seconds") == 1.5
    assert seen.value("kafkactl_last_check_age_seconds") == 8
    assert {dict(key)["what"]: value for key, value in seen.series["kafkactl_unknown"].items()} == {
        "cluster": 0,
        "lag": 2,
        "disks": 1,
    }
    page.fails()
    failed = metrics_of(page.content(111.0).decode())
    assert failed.value("kafkactl_up") == 0
    assert failed.value("kafka_brokers") is None
    assert failed.value("kafkactl_findings") is None
    assert failed.value("kafkactl_last_look_age_seconds") == 11


def test_a_look_that_does_not_end_takes_the_last_one_from_the_page() -> None:
    page = page_of()
    page.starts(110.0)
    assert metrics_of(page.content(160.0).decode()).value("kafka_brokers") == 3
    assert page.healthy(160.0)
    stuck = metrics_of(page.content(171.0).decode())
    assert stuck.value("kafka_brokers") is None
    assert stuck.value("kafkactl_up") == 0
    assert not page.healthy(171.0)


def report_of(*judged: GroupVerdict, **more: Any) -> Report:
    return Report(0, 70.0, tuple(GroupLine(Group(one.group, "Stable"), one, 3.0, True, **more) for one in judged))


def test_a_group_that_never_drains_and_one_of_which_nobody_knows(capfd: pytest.CaptureFixture[str]) -> None:
    slow = GroupVerdict("slow", "SLOW", 5, 0, None, None, math.inf, ())
    new = GroupVerdict("new", "OK", 5, 0, None, None, None, ())
    found = report_of(slow, new)
    lag_report.prometheus(found, 1)
    for text in (exposed(group_families(found)).decode(), capfd.readouterr().out):
        seen = metrics_of(text)
        assert seen.series["kafkactl_group_drain_seconds"] == {frozenset({("consumergroup", "slow")}): math.inf}
        assert seen.value("kafkactl_group_verdict", consumergroup="slow", verdict="SLOW") == 1


def test_a_group_that_keeps_rebalancing_and_one_with_an_odd_name(capfd: pytest.CaptureFixture[str]) -> None:
    name = 'two "words"\\\n付'
    found = report_of(GroupVerdict(name, "OK", 0, 0, None, None, 0.0, ()), restless="3 of 4 checks")
    lag_report.prometheus(found, 1)
    for text in (exposed(group_families(found)).decode(), capfd.readouterr().out):
        assert metrics_of(text).value("kafkactl_group_verdict", consumergroup=name, verdict="REBALANCING") == 1


def test_what_is_not_known_of_groups_is_counted() -> None:
    group = Group("g", "Unknown", missing="members: no answer")
    judged = GroupVerdict("g", "UNKNOWN", 0, 2, None, None, None, ())
    found = Report(0, 0.0, (GroupLine(group, judged, None, False),), gaps=("a", "b"), others={"s": "share group"})
    assert unknown_of_groups(found) == {"groups": 2, "group_kinds": 1, "lag": 2, "behind": 1}
    seen = metrics_of(exposed(group_families(found)).decode())
    assert seen.value("kafkactl_lag_complete") == 0
    assert "kafka_consumergroup_members" not in seen.series
    assert "kafkactl_group_behind_seconds" not in seen.series
