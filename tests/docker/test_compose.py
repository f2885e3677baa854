"""The compose files: as the guide says, and really started."""

import json
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import REPOSITORY, Outcome
from tests.docker.compose import KRAFT_STACK, ZOOKEEPER_STACK, Stack, plain, stack
from tests.docker.engine import Engine
from tests.lab.examination import examination
from tests.prometheus import tool
from tests.sandboxes import eventually, free_port

Kafkactl = Callable[..., Outcome]


def state(stack: Stack, service: str) -> dict[str, Any]:
    """The engine's word on a service's container."""
    (id,) = stack.compose("ps", "-a", "-q", service).stdout.split()
    return stack.engine.client.api.inspect_container(id)["State"]  # type: ignore[no-any-return]


def healthy(stack: Stack, *services: str) -> bool:
    return all(state(stack, service).get("Health", {}).get("Status") == "healthy" for service in services)


def test_the_file_says_what_the_guide_says() -> None:
    services: Any = plain(ZOOKEEPER_STACK)["services"]
    published = {name: sorted(map(_published, service.get("ports", []))) for name, service in services.items()}
    assert published == {
        "zookeeper": ["127.0.0.1:42181:2181"],
        "kafka": ["127.0.0.1:40092:9092", "127.0.0.1:40093:9093"],
        "kafka-ui": ["127.0.0.1:40080:8080"],
        "kafka-exporter": ["127.0.0.1:40308:9308"],
        "init-topics": [],
        "prometheus": ["127.0.0.1:40909:9090"],
        "alertmanager": ["127.0.0.1:40903:9093"],
        "grafana": ["127.0.0.1:40300:3000"],
    }
    assert {name for name, service in services.items() if service.get("profiles") == ["monitoring"]} == {
        "prometheus",
        "alertmanager",
        "grafana",
    }
    kafka = services["kafka"]
    assert kafka["container_name"] == "payment-kafka"
    settings = {key: str(value) for key, value in kafka["environment"].items()}
    assert settings["KAFKA_ADVERTISED_LISTENERS"] == "INTERNAL://kafka:9092,EXTERNAL://localhost:40093"
    assert settings["KAFKA_NUM_PARTITIONS"] == "3"
    assert settings["KAFKA_DEFAULT_REPLICATION_FACTOR"] == "1"
    assert settings["KAFKA_LOG_RETENTION_HOURS"] == "168"
    assert "-Xmx512m" in settings["KAFKA_HEAP_OPTS"]
    assert settings["KAFKA_NUM_NETWORK_THREADS"] == "3"
    assert settings["KAFKA_NUM_IO_THREADS"] == "8"
    assert settings["KAFKA_AUTO_CREATE_TOPICS_ENABLE"].lower() == "false"


def _published(port: Any) -> str:
    if isinstance(port, str):
        return port.removesuffix("/tcp")
    return f"{port['host_ip']}:{port['published']}:{port['target']}"


@pytest.mark.parametrize("file", [ZOOKEEPER_STACK, KRAFT_STACK])
def test_every_image_is_pinned_limited_and_replaceable(file: str) -> None:
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    assert not re.search(r"^(version|name):", text, re.MULTILINE)
    images = re.findall(r"^ +image: (.*)$", text, re.MULTILINE)
    assert images
    assert all(re.fullmatch(r"\$\{[A-Z_]+_IMAGE:-([\w./-]+:[\w.]+|kafkactl)\}", image) for image in images)
    services: Any = plain(file)["services"]
    assert all(service.get("mem_limit") for service in services.values())
    assert all(service.get("healthcheck") for name, service in services.items() if name != "init-topics")
    assert "0.0.0.0:" not in "".join(re.findall(r"ports:.*", text))


def test_the_stack_comes_up_healthy_with_its_topics(
    zookeeper_stack: Stack, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = zookeeper_stack
    assert eventually(lambda: healthy(stack, "zookeeper", "kafka", "kafka-ui", "kafka-exporter"), 60)
    assert eventually(lambda: state(stack, "init-topics")["Status"] == "exited", 60)
    assert state(stack, "init-topics")["ExitCode"] == 0, stack.compose("logs", "init-topics").stdout
    monkeypatch.setenv("KAFKA_BROKERS", stack.brokers)
    monkeypatch.setenv("KAFKACTL_CATALOG", str(REPOSITORY / "topics.yaml"))
    assert kafkactl("diff", "--strict").code == 0
    seen = examination(kafkactl("doctor", "--wait", "90s", "--fail-on", "warn", "-o", "json"))
    seen.content()
    assert not [
        code for code, check in seen.checks.items() if check["state"] == "skipped" and code[:3] in ("KD0", "KD1")
    ]
    # On a new cluster: making the 50 partitions of __consumer_offsets takes longer than librdkafka looks for them.
    proven = kafkactl("test", "--count", "10")
    assert proven.code == 0, proven.text
    document = json.loads(kafkactl("describe", "-o", "json").out)
    assert document["cluster"]["mode"] == "ZooKeeper"
    assert len(document["topics"]) == 27


def test_the_side_services_serve_their_ports(zookeeper_stack: Stack) -> None:
    assert eventually(lambda: healthy(zookeeper_stack, "kafka-ui", "kafka-exporter"), 60)
    for variable, path, word in (
        ("KAFKA_UI_PORT", "/actuator/health", "UP"),
        ("KAFKA_EXPORTER_PORT", "/metrics", "kafka_brokers"),
    ):
        with urllib.request.urlopen(f"http://127.0.0.1:{zookeeper_stack.ports[variable]}{path}", timeout=5) as answer:
            assert word in answer.read().decode()


def test_kafkactl_takes_the_exporters_place_and_is_watched(zookeeper_stack: Stack) -> None:
    tool("prometheus", "--version")
    image = zookeeper_stack.environment["KAFKACTL_IMAGE"]
    own = {"KAFKA_EXPORTER_IMAGE": image, "KAFKA_EXPORTER_COMMAND": "exporter --listen 0.0.0.0 --port 9308"}
    replaced = replace(zookeeper_stack, environment={**zookeeper_stack.environment, **own})
    url = f"http://127.0.0.1:{zookeeper_stack.ports['KAFKA_EXPORTER_PORT']}/metrics"

    def told() -> str:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())

    assert eventually(lambda: state(zookeeper_stack, "init-topics")["Status"] == "exited", 60)
    replaced.compose("up", "-d", "--no-deps", "kafka-exporter")
    try:
        assert eventually(lambda: healthy(replaced, "kafka-exporter"), 60), replaced.compose("logs").stdout
        assert eventually(
            lambda: 'kafkactl_findings{check="topic-missing",code="KD513",severity="error"} 0.0' in told()
        )
        assert "\nkafka_brokers 1.0\n" in told()
        assert 'kafkactl_unknown{what="cluster"} 0.0' in told()
        check = health_check(replaced, "kafka-exporter")
        for command, code in ((check, 0), (check.replace("kafka_brokers", "kafka_brokers_of_nobody"), 1)):
            done = replaced.compose("exec", "-T", "kafka-exporter", "sh", "-c", command, check=False)
            assert done.returncode == code, done.stdout + done.stderr
        _require_watched(replaced)
        start = time.monotonic()
        replaced.compose("stop", "kafka-exporter")
        assert time.monotonic() - start < 5  # it heeds SIGTERM; docker would wait for 10 s
    finally:
        zookeeper_stack.compose("up", "-d", "--no-deps", "kafka-exporter")


WATCHING = ("prometheus", "alertmanager", "grafana")


def _require_watched(there: Stack) -> None:
    """The profile's services come up; Prometheus scrapes the exporter, has the rules, and knows Alertmanager."""
    ports = {name: free_port() for name in WATCHING}
    variables = {f"{name.upper()}_PORT": str(port) for name, port in ports.items()}
    variables |= {f"{name.upper()}_IMAGE": there.engine.images.name(name) for name in WATCHING}
    watched = replace(there, environment={**there.environment, **variables})

    def asked(path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['prometheus']}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]

    try:
        watched.compose("--profile", "monitoring", "up", "-d", "--no-deps", *WATCHING)
        assert eventually(lambda: healthy(watched, *WATCHING), 60), watched.compose("logs", *WATCHING).stdout
        assert eventually(lambda: [t["health"] for t in asked("targets")["activeTargets"]] == ["up"], 40)
        (target,) = asked("targets")["activeTargets"]
        assert target["labels"] == {"job": "kafka", "env": "local", "instance": "kafka-exporter:9308"}
        assert sum(len(group["rules"]) for group in asked("rules")["groups"]) == 15
        assert eventually(lambda: len(asked("alertmanagers")["activeAlertmanagers"]) == 1)
    finally:
        watched.compose("--profile", "monitoring", "rm", "-s", "-f", "-v", *WATCHING, check=False)


def test_the_guides_own_commands_work_in_the_container(zookeeper_stack: Stack) -> None:
    tool = ["exec", "-T", "kafka", "kafka-topics", "--bootstrap-server", "localhost:9092", "--list"]
    assert "payment.created" in zookeeper_stack.compose(*tool).stdout.split()


def test_a_service_in_a_container_is_told_the_address_that_works_there(
    zookeeper_stack: Stack, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    run = kafkactl("service-env", "analytics", "--from", "container", "--format", "dotenv")
    assert run.code == 0, run.err
    assert run.out.splitlines()[0] == "KAFKA_BROKERS=kafka:9092"
    checked = kafkactl("service-env", "analytics", "--from", "container", "--check")
    assert (checked.code, "has no container here" in checked.err) == (1, True)


def test_kafkactl_in_the_image_is_small_and_not_root(zookeeper_stack: Stack) -> None:
    assert eventually(lambda: state(zookeeper_stack, "init-topics")["Status"] == "exited", 60)
    engine = zookeeper_stack.engine
    image = zookeeper_stack.environment["KAFKACTL_IMAGE"]
    base = engine.client.images.get(engine.images.name("python")).attrs["Size"]
    found = engine.client.images.get(image)
    assert found.attrs["Config"]["User"] not in ("", "0", "root")
    assert found.attrs["Size"] - base < 70 * 2**20
    said = engine.client.containers.run(image, ["--version"], remove=True, network_mode="none")
    assert said.decode().startswith("kafkactl ")


def health_check(stack: Stack, service: str) -> str:
    (id,) = stack.compose("ps", "-a", "-q", service).stdout.split()
    return str(stack.engine.client.api.inspect_container(id)["Config"]["Healthcheck"]["Test"][1])


def test_a_health_check_takes_neither_the_brokers_jmx_port_nor_its_agents(zookeeper_stack: Stack) -> None:
    stack = zookeeper_stack
    assert eventually(lambda: healthy(stack, "kafka"), 60)
    check = health_check(stack, "kafka")
    # In each case the same check twice: as it is, and as a naive one would be.
    for variable, guard in (("JMX_PORT=9092", "JMX_PORT= "), ("KAFKA_OPTS=-javaagent:/nowhere.jar", "KAFKA_OPTS= ")):
        assert guard in check
        for command, code in ((check, 0), (check.replace(guard, ""), 1)):
            done = stack.compose("exec", "-T", "-e", variable, "kafka", "sh", "-c", command, check=False)
            assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.lab
def test_a_health_check_fails_where_nobody_answers(zookeeper_stack: Stack) -> None:
    for service, address, dead in (
        ("kafka", "kafka:9092", "kafka:9095"),
        ("zookeeper", "127.0.0.1 2181", "127.0.0.1 2182"),
        ("kafka-ui", ":8080/", ":8081/"),
        ("kafka-exporter", "kafka_brokers", "kafka_brokers_of_nobody"),
    ):
        check = health_check(zookeeper_stack, service)
        assert address in check
        for command, code in ((check, 0), (check.replace(address, dead), 1)):
            done = zookeeper_stack.compose("exec", "-T", service, "sh", "-c", command, check=False)
            assert done.returncode == code, (service, done.stdout + done.stderr)


@pytest.mark.lab
def test_three_brokers_without_zookeeper(engine: Engine, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch) -> None:
    with stack(engine, KRAFT_STACK) as there:
        there.compose("up", "-d")
        assert healthy(there, "kafka-1", "kafka-2", "kafka-3")
        assert eventually(lambda: state(there, "init-topics")["Status"] == "exited", 60)
        assert state(there, "init-topics")["ExitCode"] == 0, there.compose("logs", "init-topics").stdout
        monkeypatch.setenv("KAFKA_BROKERS", there.brokers)
        monkeypatch.setenv("KAFKACTL_CATALOG", str(REPOSITORY / "topics.yaml"))
        assert kafkactl("diff", "--env", "kraft", "--brokers", there.brokers, "--strict").code == 0
        examination(
            kafkactl(
                "doctor", "--env", "kraft", "-b", there.brokers, "--wait", "90s", "--fail-on", "warn", "-o", "json"
            )
        ).content()
        proven = kafkactl("test", "--count", "10")
        assert proven.code == 0, proven.text
        document = json.loads(kafkactl("describe", "-o", "json").out)
        assert document["cluster"]["mode"] == "KRaft"
        assert len(document["brokers"]) == 3
        assert {topic["replication"] for topic in document["topics"]} == {"3"}
        # One broker down is what replication is for.
        there.compose("stop", "-t", "5", "kafka-3")
        assert kafkactl("test", "--topic", "payment.created", "--count", "10").code == 0
