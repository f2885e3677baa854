"""KD3 in containers: listeners, ports and addresses that do not fit each other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.lab.examination import Doctor, after
from tests.lab.stacks import LabStack, lab_stack, tiny
from tests.sandboxes import free_port


@pytest.fixture
def stack(kraft_stack: LabStack) -> LabStack:
    """One KRaft broker."""
    return kraft_stack


@pytest.mark.provokes("KD305", "KAFKA_BROKERS has the containers' port, used from the host")
def test_the_containers_port_from_the_host(doctor: Doctor, stack: LabStack, monkeypatch: pytest.MonkeyPatch) -> None:
    internal = free_port()
    stack.kafka["ports"].append(f"127.0.0.1:{internal}:9092")
    stack.up()
    doctor("--wait", "60s").content()
    monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{internal}")
    seen = doctor()
    seen.names("KD305")
    because = [line["text"] for line in seen.findings("KD305")[0]["evidence"] if line["what"] == "because"]
    assert f"gives port {internal} the INTERNAL address kafka:9092" in because[0]
    assert seen.command("KD305") == f"export KAFKA_BROKERS={stack.brokers}"
    after(seen.command("KD305")).content()


@pytest.mark.provokes("KD302", "a port that no container of the stack has")
def test_a_port_that_no_container_has(doctor: Doctor, stack: LabStack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.up()
    doctor("--wait", "60s").content()
    monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{free_port()}")
    seen = doctor()
    seen.names("KD302")
    assert seen.command("KD302") == f"export KAFKA_BROKERS={stack.brokers}"
    after(seen.command("KD302")).content()


@pytest.mark.provokes("KD308", "published at another port than advertised", healed="by the remedy, in the compose file")
def test_not_published(doctor: Doctor, stack: LabStack, monkeypatch: pytest.MonkeyPatch) -> None:
    other = free_port()
    stack.kafka["ports"] = [f"127.0.0.1:{other}:9093"]
    stack.up()
    stack.until("kafka", "healthy")
    monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{other}")
    seen = doctor()
    seen.names("KD308")
    assert seen.checks["KD306"]["because"] == "KD308"
    assert f"published at {other}" in seen.headline
    assert f'"127.0.0.1:{stack.port}:9093"' in seen.remedies("KD308")[0]
    stack.kafka["ports"] = [f"127.0.0.1:{stack.port}:9093"]
    stack.write()
    monkeypatch.setenv("KAFKA_BROKERS", stack.brokers)
    after(seen.command("KD308"), "--wait", "60s").content()


@pytest.mark.provokes("KD309", "KAFKA_LISTENERS has localhost", healed="by the remedy, in the compose file")
def test_bound_to_loopback(doctor: Doctor, stack: LabStack) -> None:
    right = stack.kafka["environment"]["KAFKA_LISTENERS"]
    stack.kafka["environment"]["KAFKA_LISTENERS"] = right.replace("EXTERNAL://0.0.0.0", "EXTERNAL://localhost")
    stack.up()
    stack.until("kafka", "healthy")
    seen = doctor()
    seen.names("KD309")
    assert "KD309" in {seen.checks[code]["because"] for code in ("KD302", "KD303")}
    assert "EXTERNAL://0.0.0.0:9093" in seen.remedies("KD309")[0]
    stack.kafka["environment"]["KAFKA_LISTENERS"] = right
    stack.write()
    after(seen.command("KD309"), "--wait", "60s").content()


WRONG = {
    "itself": ({"KAFKA_BROKERS": "localhost:9092"}, [], "the container itself"),
    "the host's port": ({"SPRING_KAFKA_BOOTSTRAP_SERVERS": "kafka:PORT"}, [], "that port is for the host"),
    "the host's listener": ({"KAFKA_BROKERS": "kafka:9093"}, [], "is for the host: it sends its clients to localhost"),
    "an exporter's flag": ({}, ["--kafka.server=kafka:9094"], "has no listener there"),
}


@pytest.mark.provokes("KD310", "a service is told localhost, or the host's port", healed="by the remedy, in the file")
def test_misrouted(doctor: Doctor, stack: LabStack) -> None:
    for number, (environment, words, _) in enumerate(WRONG.values()):
        said = {name: value.replace("PORT", str(stack.port)) for name, value in environment.items()}
        stack.services[f"service-{number}"] = service = tiny(stack.engine, stack.project, f"service-{number}")
        service["environment"] = said
        service["command"] += words
    stack.services["fine"] = tiny(stack.engine, stack.project, "fine", environment={"KAFKA_BROKERS": "kafka:9092"})
    stack.up()
    stack.until("kafka", "healthy")
    seen = doctor()
    seen.names("KD310")
    told = {finding["target"]: finding["headline"] for finding in seen.findings("KD310")}
    assert told.keys() == {stack.name(f"service-{number}") for number in range(len(WRONG))}
    for number, (_, _, why) in enumerate(WRONG.values()):
        assert why in told[stack.name(f"service-{number}")], told
        stack.services[f"service-{number}"]["environment"] = {"KAFKA_BROKERS": "kafka:9092"}
        stack.services[f"service-{number}"]["command"] = stack.services["fine"]["command"]
    assert "kafka:9092" in seen.remedies("KD310")[0]
    stack.up()
    doctor("--wait", "20s").content()


@pytest.mark.provokes("KD310", "a service in another network", healed="in the broker's")
def test_another_network(doctor: Doctor, stack: LabStack) -> None:
    stack.services["gateway"] = tiny(
        stack.engine, stack.project, "gateway", environment={"KAFKA_BROKERS": "kafka:9092"}, network_mode="none"
    )
    stack.up()
    stack.until("kafka", "healthy")
    seen = doctor()
    seen.names("KD310")
    assert "shares no network" in seen.headline
    del stack.services["gateway"]["network_mode"]
    stack.up()
    doctor("--wait", "20s").content()


@pytest.mark.quick
@pytest.mark.provokes("KD311", "0.0.0.0 is advertised", healed="by the remedy, in the compose file")
def test_listeners_rejected(doctor: Doctor, stack: LabStack) -> None:
    right = dict(stack.kafka["environment"])
    stack.kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"] = (
        f"INTERNAL://0.0.0.0:9092,EXTERNAL://localhost:{stack.port}"
    )
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD311")
    assert f"INTERNAL://kafka:9092,EXTERNAL://localhost:{stack.port}" in seen.remedies("KD311")[0]
    stack.kafka["environment"] = right
    stack.write()
    after(seen.command("KD311"), "--wait", "60s").content()


@pytest.mark.provokes("KD311", "a listener without a protocol", healed="by the remedy, in the compose file")
def test_a_listener_without_a_protocol(doctor: Doctor, stack: LabStack) -> None:
    environment = stack.kafka["environment"]
    environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] = "CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT"
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD311")
    assert "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT" in seen.remedies("KD311")[0]
    environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] += ",EXTERNAL:PLAINTEXT"
    stack.write()
    after(seen.command("KD311"), "--wait", "60s").content()


@pytest.mark.provokes("KD101", "a stopped broker, beside another project that runs")
def test_a_stopped_stack_beside_another_one(
    doctor: Doctor, stack: LabStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("other", "elsewhere"):
        (tmp_path / name).mkdir()
    with lab_stack(stack.engine, tmp_path / "other") as other:
        other.up()
        other.until("kafka", "healthy")
        stack.up()
        stack.until("kafka", "healthy")
        stack.compose("stop", "kafka")
        monkeypatch.chdir(tmp_path / "elsewhere")
        there = ("-b", f"localhost:{stack.port}")
        seen = doctor(*there)
        seen.names("KD101")
        assert stack.name() in seen.headline
        after(seen.command("KD101"), "--wait", "60s", *there).content()


@pytest.mark.provokes(
    "KD310", "an application that crashes for localhost, by a name of its own", healed="by the remedy"
)
def test_an_application_crashes_for_a_wrong_address(doctor: Doctor, stack: LabStack) -> None:
    script = "echo connect ECONNREFUSED 127.0.0.1:9092; sleep 1; exit 1"
    given = {"EVENTS_ADDR": "localhost:9092"}
    stack.services["app"] = {
        **tiny(stack.engine, stack.project, "app", script, environment=given),
        "restart": "always",
    }
    stack.up()
    stack.until("kafka", "healthy")
    seen = doctor("--wait", "20s")
    seen.names("KD310")
    assert "localhost:9092" in seen.headline
    assert "EVENTS_ADDR: kafka:9092" in seen.remedies("KD310")[0]


def test_a_stack_of_another_directory_is_named(
    kafkactl: Callable[..., Outcome], stack: LabStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stack.up()
    stack.until("kafka", "healthy")
    assert "compose project" not in kafkactl("doctor").err
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere.parent.parent)
    assert f"Containers: compose project {stack.project} ({stack.file})." in kafkactl("doctor").err
    assert "compose project" not in kafkactl("doctor", "--project", stack.project).err
