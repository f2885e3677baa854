"""KD7: a cluster that looks well, and through which no record makes its way; services beside it that do not serve."""

from pathlib import Path

import pytest

from kafkactl.sandbox.foreground import throwaway
from tests.conftest import admin_client
from tests.lab import faults
from tests.lab.examination import Doctor, after, shell
from tests.lab.stacks import LabStack
from tests.sandboxes import free_port


@pytest.mark.quick
@pytest.mark.provokes("KD701", "a broker that takes no record larger than 100 bytes", healed="with the setting")
def test_round_trip(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(settings={"message.max.bytes": "100"}) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        unasked = doctor()
        unasked.content()
        assert unasked.checks["KD701"]["reason"] == "--probe not given"
        seen = doctor("--probe")
        seen.names("KD701")
        assert shell(seen.command("KD701")).returncode == 1  # it shows which step fails
        faults.restart(sandbox, 1, {"message.max.bytes": "1048588"})
        doctor("--probe").content()
        left = admin_client(sandbox.bootstrap).list_topics(timeout=10).topics
        assert not [name for name in left if not name.startswith("__")]


@pytest.mark.quick
def test_no_probe_of_a_protected_environment(doctor: Doctor, one_broker: str) -> None:
    Path("topics.yaml").write_text(
        f"environments: {{live: {{brokers: ['{one_broker}'], protected: true}}}}\ntopics: {{}}\n"
    )
    refused = shell("kafkactl doctor --probe")
    assert refused.returncode == 2
    assert "live is protected" in refused.stderr
    doctor("--probe", "--confirm", "live").content()


@pytest.fixture
def stack(kraft_stack: LabStack) -> LabStack:
    """A broker with the stand-ins of Kafka UI and the exporter, not started yet."""
    for kind, port in (("ui", 8080), ("exporter", 9308)):
        kraft_stack.services[f"kafka-{kind}"] = {
            "image": kraft_stack.engine.images.name(kind),
            "container_name": f"{kraft_stack.project}-kafka-{kind}",
            "ports": [f"127.0.0.1:{free_port()}:{port}"],
        }
    return kraft_stack


@pytest.mark.provokes("KD702", "an exporter that has metrics of no broker; a Kafka UI that serves nothing")
def test_side_services(doctor: Doctor, stack: LabStack) -> None:
    stack.up()
    doctor("--wait", "60s", "--fail-on", "warn").content()
    # busybox's httpd serves what is in /www: so much of an exporter can be made to ail.
    kept = "cp -r /www /tmp/kept && echo kafka_brokers 0 > /www/metrics && rm /www/actuator/health; true"
    for service in ("kafka-ui", "kafka-exporter"):
        stack.compose("exec", "-T", service, "sh", "-c", kept)
    seen = doctor()
    seen.names("KD702", exit_code=0)
    told = {finding["target"]: finding for finding in seen.findings("KD702")}
    assert told.keys() == {stack.name("kafka-ui"), stack.name("kafka-exporter")}
    assert "kafka_brokers 0" in str(told[stack.name("kafka-exporter")]["evidence"])
    assert "404" in str(told[stack.name("kafka-ui")]["evidence"])
    for service in ("kafka-ui", "kafka-exporter"):
        stack.compose("exec", "-T", service, "sh", "-c", "cp -r /tmp/kept/* /www/")
        remedy = told[stack.name(service)]["heal"][1]["command"]
        assert shell(remedy).returncode == 0
    doctor("--wait", "20s", "--fail-on", "warn").content()
    stack.compose("stop", "kafka-ui")
    gone = doctor()
    gone.names("KD101", exit_code=0)  # what does not run is told once
    after(gone.command("KD101"), "--fail-on", "warn", "--wait", "10s").content()
