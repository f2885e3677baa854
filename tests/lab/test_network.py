"""KD3: addresses that do not resolve, refuse, hang up, keep silent, lie, or lead to something else."""

from pathlib import Path

import pytest

from kafkactl.sandbox.foreground import throwaway
from tests.lab import faults
from tests.lab.examination import Doctor, after, shell
from tests.sandboxes import free_port

TOPICS = "a: {partitions: 1, replication: 1}"


@pytest.mark.quick
@pytest.mark.provokes(
    "KD301", "KAFKA_BROKERS names a host that only the containers know", healed="with the right address"
)
def test_bootstrap_unresolvable(doctor: Doctor, one_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faults.catalogue("", local=one_broker)
    monkeypatch.setenv("KAFKA_BROKERS", "payment-kafka.invalid:9092")
    seen = doctor()
    seen.names("KD301")
    # What answers at another environment's address may be another cluster: it is not offered.
    assert not [text for text in seen.remedies("KD301") if one_broker in text]
    doctor("-b", one_broker).content()


@pytest.mark.quick
@pytest.mark.provokes("KD302", "nothing runs")
def test_bootstrap_refused(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "state"))
    port = free_port()
    monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{port}")
    seen = doctor()
    seen.names("KD302")
    assert seen.command("KD302") == f"kafkactl sandbox up --port {port}"
    try:
        after(seen.command("KD302")).content()
    finally:
        shell(f"kafkactl sandbox down --port {port}")


@pytest.mark.provokes("KD302", "the wrong port, given with -b")
def test_the_wrong_port_on_the_command_line(doctor: Doctor, one_broker: str) -> None:
    faults.catalogue("", local=one_broker)
    seen = doctor("-b", f"localhost:{free_port()}")
    seen.names("KD302")
    after(seen.command("KD302"), "-b", one_broker).content()
    assert f"-b {one_broker}" in seen.command("KD302")


@pytest.mark.provokes(
    "KD303",
    "the port accepts and closes, as Docker's does while the broker is starting",
    healed="by itself: the remedy waits for it",
)
def test_bootstrap_hangs_up(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox:
        (node,) = sandbox.nodes
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        sandbox.kill(node.id)
        with faults.hanging_up(node.port):
            seen = doctor()
            seen.names("KD303")
        with faults.later(lambda: sandbox.launch(node.id)):
            assert shell(seen.command("KD303")).returncode == 0
        doctor().content()


@pytest.mark.quick
@pytest.mark.provokes("KD304", "the port is a web server's", healed="with the right port")
def test_bootstrap_is_http(doctor: Doctor, one_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faults.catalogue("", local=one_broker)
    with faults.http() as port:
        monkeypatch.setenv("KAFKA_BROKERS", f"127.0.0.1:{port}")
        seen = doctor()
        seen.names("KD304")
        assert "HTTP" in seen.headline
        after(seen.command("KD304")).content()


@pytest.mark.quick
@pytest.mark.provokes("KD305", "the containers' listener, used from the host", healed="with the other listener")
def test_advertised_unresolvable(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox:
        (node,) = sandbox.nodes
        host, settings = faults.second_listener(node, "payment-kafka.invalid:9092")
        faults.restart(sandbox, node.id, settings)
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        faults.catalogue("", local=f"127.0.0.1:{host}")
        seen = doctor()
        seen.names("KD305")
        assert "payment-kafka.invalid" in seen.headline
        assert seen.remedies("KD305") == [
            "use the listener meant for clients on this side, or correct the broker's advertised.listeners"
        ]
        doctor("-b", f"127.0.0.1:{host}").content()


@pytest.mark.provokes("KD306", "the advertised port is not the one that is open", healed="with the other listener")
def test_advertised_unreachable(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox:
        (node,) = sandbox.nodes
        host, settings = faults.second_listener(node, f"127.0.0.1:{free_port()}")
        faults.restart(sandbox, node.id, settings)
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        faults.catalogue(TOPICS, local=f"127.0.0.1:{host}")
        seen = doctor()
        seen.names("KD306")
        assert seen.checks["KD513"]["because"] == "KD306"
        Path("topics.yaml").write_text("topics: {}")
        doctor("-b", f"127.0.0.1:{host}").content()


@pytest.mark.provokes("KD306", "one broker of three hangs", healed="with the broker")
def test_one_broker_hangs(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(3, settings={"broker.session.timeout.ms": "60000"}) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        sandbox.pause(3)
        faults.until(lambda: "KD403" not in doctor().found(), "the others have a controller")
        seen = doctor()
        seen.names("KD306")
        assert seen.checks["KD507"]["state"] == "passed"  # the others are there to be looked at
        sandbox.resume(3)
        doctor("--wait", "20s").content()


@pytest.mark.provokes("KD307", "two brokers advertise one address", healed="with an address each")
def test_advertised_twice(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(3) as sandbox:
        one, two, _ = sandbox.nodes
        sandbox.stop(2)
        faults.set_properties(two, {"advertised.listeners": f"PLAINTEXT://{one.address}"})
        sandbox.launch(2)
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        faults.until(lambda: "KD307" in doctor().found(), "broker 2 is registered")
        seen = doctor()
        seen.names("KD307")
        assert "1 and 2" in seen.headline
        sandbox.stop(2)
        faults.set_properties(two, {"advertised.listeners": f"PLAINTEXT://{two.address}"})
        sandbox.start(2)
        doctor("--wait", "20s").content()


@pytest.mark.quick
@pytest.mark.provokes("KD312", "an address that drops what comes", healed="no command can")
def test_bootstrap_silent(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with faults.silent() as port:
        monkeypatch.setenv("KAFKA_BROKERS", f"127.0.0.1:{port}")
        doctor().names("KD312")


@pytest.mark.provokes("KD313", "a broker that hangs for a while", healed="by itself: the remedy waits for it")
def test_bootstrap_mute(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        sandbox.pause(1)
        seen = doctor()
        seen.names("KD313")
        with faults.later(lambda: sandbox.resume(1)):
            assert shell(seen.command("KD313")).returncode == 0
        doctor().content()
