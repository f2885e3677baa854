"""The alerts and the dashboard: checked by Prometheus's own tools, and provoked on real brokers."""

import importlib.util
import json
import re
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from tests.conftest import REPOSITORY, Outcome, admin_client, commit, create
from tests.dead_letters import FROM_ORDERS, bury
from tests.exporters import exporting
from tests.lab.faults import fill
from tests.printed import parse
from tests.prometheus import MONITORING, RULES, alerts, hurried, metrics_in, prometheus, tool
from tests.sandboxes import eventually

Run = Callable[..., Outcome]
UNIT_TESTS = REPOSITORY / "tests" / "monitoring" / "alerts.yml"
DASHBOARD = MONITORING / "grafana" / "dashboards" / "kafka.json"
RUNBOOKS = [REPOSITORY / "docs" / "runbook.md", REPOSITORY / "docs" / "runbook.zh-CN.md"]


def unit_tests() -> Iterator[dict[str, Any]]:
    """The cases of promtool's tests of alerts."""
    for test in yaml.safe_load(UNIT_TESTS.read_text(encoding="utf-8"))["tests"]:
        yield from test["alert_rule_test"]


def test_promtool_takes_the_rules_and_their_tests_pass() -> None:
    assert "SUCCESS" in tool("promtool", "check", "rules", str(RULES))
    assert "FAILED" not in tool("promtool", "test", "rules", str(UNIT_TESTS))
    assert "SUCCESS" in tool("promtool", "check", "config", str(MONITORING / "prometheus.yml"))


def test_each_alert_is_tested_silent_and_firing() -> None:
    cases = list(unit_tests())
    firing = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    assert firing == silent == alerts().keys()


def test_alertmanager_takes_its_file_and_wakes_nobody_for_a_warning() -> None:
    file = str(MONITORING / "alertmanager.yml")
    assert "SUCCESS" in tool("amtool", "check-config", file)
    for severity in {rule["labels"]["severity"] for rule in alerts().values()}:
        told = tool("amtool", "config", "routes", "test", f"--config.file={file}", f"severity={severity}")
        assert told.split()[0] == ("on-call" if severity == "critical" else "team")


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.name)
def test_each_alert_is_in_the_runbook_with_its_command(runbook: Path) -> None:
    text = runbook.read_text(encoding="utf-8")
    for name, rule in alerts().items():
        annotations = rule["annotations"]
        assert annotations.keys() == {"summary", "description", "command", "runbook_url"}
        assert annotations["runbook_url"] == f"docs/runbook.md#{name.lower()}"
        assert name.lower() in anchors(text)
        section = re.split(r"^#+ ", text.split(f"# {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
        first = " ".join(annotations["command"].split("{{", maxsplit=1)[0].split())
        assert first in section, (name, first)


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.name)
def test_the_commands_of_the_runbook_can_be_typed(runbook: Path) -> None:
    lines = [line for line in runbook.read_text(encoding="utf-8").splitlines() if line.startswith("kafkactl ")]
    assert len(lines) > 20
    for line in lines:
        parse(shlex.split(line, comments=True)[1:])


def test_the_command_of_each_alert_can_be_typed() -> None:
    typed = {alert["exp_annotations"]["command"] for case in unit_tests() for alert in case.get("exp_alerts", ())}
    for line in typed:
        words = shlex.split(line)
        assert words[0] == "kafkactl"
        parse(words[1:])
    assert len(typed) > len(alerts())


def queries() -> list[str]:
    """The dashboard's queries, with what Grafana puts in place of its variables."""
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    texts = [target["expr"] for panel in found["panels"] for target in panel["targets"]]
    return [text.replace("$__rate_interval", "1m").replace("$env", ".*") for text in texts]


def test_the_document_names_every_alert_as_long_as_it_waits() -> None:
    text = (REPOSITORY / "docs" / "monitoring.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| (Kafka\w+) \| [^|]+ \| (\S+) \|$", text, re.MULTILINE))
    assert told == {name: rule.get("for", "–") for name, rule in alerts().items()}


def test_the_dashboard_is_what_its_generator_writes() -> None:
    spec = importlib.util.spec_from_file_location("dashboard", MONITORING / "grafana" / "dashboard.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert DASHBOARD.read_text(encoding="utf-8") == module.text()


def test_promtool_takes_each_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries())]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert "SUCCESS" in tool("promtool", "check", "rules", str(path))
    assert not any("$" in query for query in queries())


CATALOG = """
environments: {local: {brokers: [BROKERS]}}
topics:
  orders:
    {partitions: 3, replication: 3, consumers: [billing], dlq: dlq.orders, config: {min.insync.replicas: 3}}
  solo: {partitions: 6, replication: 1}
  kept: {partitions: 1, replication: 1, retention: infinite}
  dlq.orders: {partitions: 1, replication: 1}
  forgotten: {partitions: 1, replication: 1}
"""
FOREVER = 9 * 10**18  # ms of retention: more than any disk holds, even at the rate of a test


def test_each_alert_fires_on_real_brokers(tmp_path: Path, kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cluster, one Prometheus: what is healthy, then one fault after the other."""
    from kafkactl.sandbox.foreground import throwaway

    tool("prometheus", "--version")
    seen: set[str] = set()
    settings = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
    with throwaway(3, settings=settings, secure="all") as sandbox:
        brokers = sandbox.internal
        Path("topics.yaml").write_text(CATALOG.replace("BROKERS", brokers.replace(",", ", ")))
        create(
            brokers,
            NewTopic("orders", 3, 3, config={"min.insync.replicas": "3"}),
            NewTopic("solo", 6, 1),
            NewTopic("kept", 1, 1, config={"retention.ms": str(FOREVER)}),
            NewTopic("dlq.orders", 1, 1),
            NewTopic("forgotten", 1, 1),
        )
        expired = ("-b", sandbox.secured.addresses["expired"], "--client-config")
        expired += (str(sandbox.secured.file("admin", "expired")), "-X", "enable.ssl.certificate.verification=false")
        monkeypatch.chdir(tmp_path)
        with exporting("--env", "local") as plain, exporting("--every", "2s", *expired) as secured:
            targets = {f"127.0.0.1:{plain.port}": {"env": "local"}, f"127.0.0.1:{secured.port}": {}}
            with prometheus(tmp_path, targets, [hurried(tmp_path)]) as watching:
                # The certificate has expired from the beginning; nothing else is wrong.
                watching.until_firing("KafkaCertificateExpires")
                assert eventually(lambda: watching.firing().keys() == {"KafkaCertificateExpires"}, 40), (
                    watching.firing()
                )

                _neglect(brokers)
                told = watching.until_firing(
                    "KafkaConsumerLagHigh",
                    "KafkaGroupBehind",
                    "KafkaGroupStopped",
                    "KafkaGroupOffsetOutOfRange",
                    "KafkaDeadLettersArriving",
                    "KafkaDiskFillsUp",
                    "KafkaDoctorFinding",
                )
                _require_commands_that_work(told, kafkactl)
                assert watching.query('kafkactl_group_verdict{consumergroup="billing-group",verdict="STOPPED"}')
                for query in queries():
                    if "drain" not in query and "unknown" not in query:
                        assert watching.query(query), query
                names = {one["metric"]["__name__"] for one in watching.query('{__name__=~"kafka.+"}')}
                seen |= names

                sandbox.kill(3)
                told = watching.until_firing(
                    "KafkaBrokerDown",
                    "KafkaPartitionOffline",
                    "KafkaPartitionUnderMinIsr",
                    "KafkaPartitionUnderReplicated",
                    "KafkaNotAllKnown",
                )
                assert {alert["labels"].get("id") for alert in told["KafkaBrokerDown"]} == {"3"}
                _require_commands_that_work(told, kafkactl)
                assert eventually(
                    lambda: watching.query('kafkactl_topic_bytes{topic="orders"}') == []
                )  # not two thirds

                for id in (1, 2):
                    sandbox.kill(id)
                assert eventually(lambda: None in _downs(watching), 40), _downs(watching)
                assert watching.query("kafka_brokers") == []

                for exporter in (plain, secured):
                    assert exporter.end(signal.SIGTERM) == 143
                told = watching.until_firing("KafkaExporterNoData")
                assert eventually(lambda: {"severity", "alertname"} in map(set, _labels(watching, "KafkaBrokerDown")))
    asked = [*queries(), *(rule["expr"] for rule in alerts().values())]
    needed = {name for query in asked for name in metrics_in(query)}
    assert needed - seen <= LATER
    assert documented() - seen <= LATER
    assert seen <= documented()


LATER = {"kafkactl_group_drain_seconds"}  # of a group that was seen to read for a minute


def documented() -> set[str]:
    """The metrics in the tables of the document."""
    text = (REPOSITORY / "docs" / "monitoring.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(kafka(?:ctl)?_\w+)` \|", text, re.MULTILINE))


def _neglect(brokers: str) -> None:
    """Records that wait since long, for a group that is not there; records that were deleted unread; dead letters."""
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})
    hour_ago = int(time.time() * 1000) - 3_600_000
    for number in range(1_500):
        producer.produce("orders", b"late", partition=0, timestamp=hour_ago + number)
    producer.flush(30)
    admin = admin_client(brokers)
    commit(admin, "billing-group", "orders", 1)
    fill(brokers, "solo", 30)
    commit(admin, "audit-group", "solo", 5)
    for future in admin.delete_records([TopicPartition("solo", 0, 20)]).values():
        future.result(10)
    fill(brokers, "kept", 50)
    bury(brokers, *((b"k", b"x", FROM_ORDERS) for _ in range(3)), topic="dlq.orders")
    for future in admin.delete_topics(["forgotten"]).values():
        future.result(10)


def _require_commands_that_work(told: dict[str, list[dict[str, Any]]], kafkactl: Run) -> None:
    for alert in (alert for found in told.values() for alert in found):
        words = shlex.split(alert["annotations"]["command"])
        run = kafkactl(*[word for word in words[1:] if word not in ("--sample", "65s")])
        assert run.code in (0, 1, 3), (words, run.text)
        assert "itself failed" not in run.text


def _labels(watching: Any, name: str) -> list[dict[str, str]]:
    return [alert["labels"] for alert in watching.firing().get(name, ())]


def _downs(watching: Any) -> set[str | None]:
    return {labels.get("id") for labels in _labels(watching, "KafkaBrokerDown")}
