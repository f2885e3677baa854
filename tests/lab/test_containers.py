"""KD1: containers that do not run, are killed, loop, lie about their health, or have too little memory."""

import os
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import codes
from kafkactl.doctor.diagnosis import diagnose
from kafkactl.doctor.facts import EngineFacts, StackFacts
from tests.conftest import Outcome
from tests.lab.examination import Doctor, after, shell, until_told
from tests.lab.stacks import LabStack, tiny
from tests.test_doctor import sound


@pytest.fixture
def stack(kraft_stack: LabStack) -> LabStack:
    """One KRaft broker."""
    return kraft_stack


def sick(script: str, **more: object) -> dict[str, object]:
    """A health check that is asked every second."""
    return {"test": ["CMD-SHELL", script], "interval": "1s", "timeout": "1s", "retries": 2, **more}


@pytest.mark.quick
@pytest.mark.provokes("KD101", "the broker's container is stopped; another time it is paused")
def test_not_running(doctor: Doctor, stack: LabStack) -> None:
    stack.services["init-topics"] = tiny(stack.engine, stack.project, "init-topics", "exit 0")
    stack.up()
    doctor("--wait", "60s").content()  # with a one-shot service that has ended well
    stack.compose("stop", "kafka")
    seen = doctor()
    seen.names("KD101")
    assert "it was stopped" in seen.headline
    assert seen.checks["KD302"]["because"] == "KD101"
    assert seen.checks["KD513"]["because"] == "KD101" or seen.checks["KD513"]["reason"] == "no topics.yaml"
    after(seen.command("KD101"), "--wait", "60s").content()
    stack.engine.pause(stack.name())
    paused = doctor()
    paused.names("KD101")
    assert paused.command("KD101") == f"docker unpause {stack.name()}"
    after(paused.command("KD101"), "--wait", "60s").content()


@pytest.mark.provokes("KD101", "the one-shot service that makes the topics has failed")
def test_a_one_shot_service_that_failed(doctor: Doctor, stack: LabStack) -> None:
    stack.services["init-topics"] = tiny(
        stack.engine,
        stack.project,
        "init-topics",
        "test -e /tmp/again || { touch /tmp/again; echo no such luck; exit 3; }",
    )
    stack.up()
    stack.until("init-topics", "exited")
    seen = doctor("--wait", "60s")
    seen.names("KD101", exit_code=0)
    assert "it exited with code 3" in seen.headline
    assert {"what": "log", "text": "no such luck"} in seen.findings("KD101")[0]["evidence"]
    after(seen.command("KD101").replace("kafkactl logs init-topics --tail 50", "true"), "KD3").content()
    assert shell(f"docker start {stack.name('init-topics')}").returncode == 0
    stack.until("init-topics", "exited")
    doctor("--wait", "60s").content()


@pytest.mark.quick
@pytest.mark.provokes("KD102", "another container has the broker's port")
def test_port_conflict(doctor: Doctor, stack: LabStack) -> None:
    taker = stack.engine.run("tiny", name=f"{stack.project}-taker", ports={"1/tcp": ("127.0.0.1", stack.port)})
    try:
        stack.up(check=False)
        seen = doctor()
        seen.names("KD102")
        assert f"port {stack.port}" in seen.headline
        assert f"{stack.project}-taker" in seen.headline
        after(seen.command("KD102"), "--wait", "60s").content()
    finally:
        taker.remove(force=True)


@pytest.mark.provokes("KD102", "a process of this machine has the broker's port", healed="with the process")
def test_port_conflict_with_a_process(doctor: Doctor, stack: LabStack) -> None:
    import socket

    with socket.create_server(("127.0.0.1", stack.port)):
        stack.up(check=False)
        seen = doctor()
        seen.names("KD102")
        assert f"process {os.getpid()}" in seen.headline
    after(seen.command("KD102"), "--wait", "60s").content()


@pytest.mark.provokes("KD103", "a broker that takes more memory than its limit, restarted for ever")
def test_out_of_memory(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["mem_limit"], stack.kafka["restart"] = "300m", "unless-stopped"
    stack.kafka["memswap_limit"] = "300m"
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms256m -Xmx256m -XX:+AlwaysPreTouch"
    stack.up()
    seen = until_told(doctor, "KD103")
    assert seen.found() == ["KD103"]
    healed = after(seen.command("KD103"), "--wait", "60s", "--fail-on", "error")
    assert healed.found("error") == [], healed.document


@pytest.mark.provokes("KD104", "docker kill, of a broker with ZooKeeper: the remedy waits for the old session to end")
def test_killed_with_zookeeper(doctor: Doctor, zookeeper_stack: LabStack) -> None:
    stack = zookeeper_stack
    stack.kafka["restart"] = "unless-stopped"
    stack.up()
    doctor("--wait", "60s").content()
    # Once too early: it comes back by its restart policy, and leaves old lines in its log.
    assert shell(f"docker kill {stack.name()} && docker start {stack.name()}").returncode == 0
    until_told(doctor, "KD402")
    doctor("--wait", "60s").content()
    assert shell(f"docker kill {stack.name()}").returncode == 0
    seen = doctor()
    seen.names("KD104")
    assert seen.command("KD104").startswith("sleep ")
    after(seen.command("KD104"), "--wait", "60s").content()


@pytest.mark.provokes("KD104", "docker kill")
def test_killed(doctor: Doctor, stack: LabStack) -> None:
    stack.up()
    doctor("--wait", "60s").content()
    assert shell(f"docker kill {stack.name()}").returncode == 0
    seen = doctor()
    seen.names("KD104")
    after(seen.command("KD104"), "--wait", "60s").content()


@pytest.mark.quick
@pytest.mark.provokes("KD105", "a broker whose command ends at once", healed="with its command, and the remedy")
def test_restart_loop(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["restart"] = "always"
    stack.kafka["command"] = ["sh", "-c", "exit 7"]
    stack.up()
    stack.until("kafka", "restarting")
    seen = doctor()
    seen.names("KD105")
    assert "exit code 7" in seen.headline
    assert "KD105" in {seen.checks[code]["because"] for code in ("KD302", "KD303")}
    del stack.kafka["command"]
    stack.up()
    doctor("--wait", "60s").content()


@pytest.mark.provokes("KD106", "a broker whose process hangs")
def test_unhealthy(doctor: Doctor, stack: LabStack) -> None:
    asks = "JMX_PORT= kafka-broker-api-versions --bootstrap-server localhost:9092 >/dev/null"
    stack.kafka["healthcheck"] = sick(asks, timeout="3s", start_period="20s")
    stack.up()
    doctor("--wait", "60s").content()
    stack.engine.client.api.kill(stack.name(), signal="SIGSTOP")
    stack.until("kafka", "unhealthy")
    seen = doctor()
    seen.names("KD106")
    assert seen.checks["KD313"]["because"] == "KD106"
    restart = next(line for line in seen.remedies("KD106") if line.startswith("docker restart"))
    after(restart.partition("    ")[0], "--wait", "60s").content()


@pytest.mark.provokes("KD107", "a health check whose program is not in the image", healed="with one that is")
def test_healthcheck_broken(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["healthcheck"] = sick("curl -f http://localhost:9092")
    stack.up()
    stack.until("kafka", "unhealthy")
    seen = doctor("--wait", "30s")
    seen.names("KD107", exit_code=0)
    (test,) = re.findall(r"\[\"CMD-SHELL\", \"(.*)\"\]", seen.remedies("KD107")[0])
    stack.kafka["healthcheck"] = sick(test, start_period="30s", timeout="10s", interval="5s")
    stack.write()
    after(seen.command("KD107"), "--wait", "60s", "--fail-on", "warn").content()


@pytest.mark.provokes("KD107", "a check that takes the broker's JMX port", healed="by the remedy, in the compose file")
def test_healthcheck_takes_the_jmx_port(doctor: Doctor, stack: LabStack) -> None:
    api = "kafka-broker-api-versions --bootstrap-server localhost:9092 >/dev/null"
    stack.kafka["environment"]["JMX_PORT"] = "9999"
    stack.kafka["healthcheck"] = sick(api, timeout="5s", interval="6s")  # the broker is to have the port first
    stack.up()
    stack.until("kafka", "unhealthy")
    doctor("--wait", "30s").names("KD107", exit_code=0)
    stack.kafka["healthcheck"] = sick(f"JMX_PORT= KAFKA_OPTS= KAFKA_HEAP_OPTS=-Xmx64m {api}", timeout="5s", retries=9)
    stack.up()
    doctor("--wait", "60s", "--fail-on", "warn").content()


@pytest.mark.provokes("KD108", "a heap as large as the limit", healed="by the remedy, in the compose file")
def test_heap_or_limit(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms64m -Xmx512m"
    stack.up()
    stack.until("kafka", "healthy")
    seen = doctor()
    seen.names("KD108")
    assert seen.findings("KD108")[0]["severity"] == "error"
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms64m -Xmx410m"
    stack.up()
    doctor("--wait", "60s", "--fail-on", "error").names("KD108", exit_code=0)
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms256m -Xmx256m"
    stack.write()
    assert seen.remedies("KD108")[0].startswith(
        "in the compose file, under kafka, set KAFKA_HEAP_OPTS: -Xms256m -Xmx256m"
    )
    after(seen.command("KD108"), "--wait", "60s", "--fail-on", "warn").content()


@pytest.mark.provokes("KD108", "a heap larger than the machine", healed="by the remedy, in the compose file")
def test_a_heap_that_is_not_to_be_had(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms900g -Xmx900g"
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD108")
    assert any("memory" in line["text"] for line in seen.findings("KD108")[0]["evidence"])
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx256m"
    stack.write()
    after(seen.command("KD108"), "--wait", "60s").content()


@pytest.mark.provokes("KD109", "an image for arm64, in made-up facts", healed="made up")
def test_foreign_architecture(stack: LabStack, doctor: Doctor, kafkactl: Callable[..., Outcome]) -> None:
    from kafkactl.containers.engine import connect_engine
    from kafkactl.containers.stack import find_stack

    stack.services["kafka"] = tiny(stack.engine, stack.project, "kafka")
    stack.up()
    found = find_stack(connect_engine(), project=stack.project)
    assert found
    (container,) = found.containers
    there = StackFacts(stack.project, ("docker", "compose"), (container,), architectures={container.image_id: "arm64"})
    facts = replace(sound(), engine=EngineFacts("unix:///x", "", architecture="x86_64"), stack=there, missing={})
    (told,) = diagnose(facts, codes(), CHECKS, wanted=["KD109"]).findings("warning")
    assert "built for arm64, but this machine is amd64" in told.headline
    native = replace(there, architectures={container.image_id: "amd64"})
    assert not diagnose(replace(facts, stack=native), codes(), CHECKS, wanted=["KD109"]).findings("warning")


@pytest.mark.provokes("KD110", "a service that has all but filled its limit")
def test_memory_close(doctor: Doctor, stack: LabStack) -> None:
    hoard = "head -c 62000000 /dev/zero | tr '\\0' x > /dev/shm/x; trap exit TERM; sleep 3600 & wait"
    stack.services["gateway"] = tiny(
        stack.engine, stack.project, "gateway", hoard, mem_limit="64m", memswap_limit="64m"
    )
    stack.up()
    seen = doctor("--wait", "60s")
    seen.names("KD110", exit_code=0)
    assert stack.name("gateway") in seen.headline
    after(seen.command("KD110")).content()


@pytest.mark.provokes("KD111", "a heap of 20 MiB", healed="by the remedy, in the compose file")
def test_heap_exhausted(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms20m -Xmx20m"
    stack.up()
    stack.until("kafka", "exited")
    seen = doctor()
    seen.names("KD111")
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms128m -Xmx256m"
    stack.write()
    after(seen.command("KD111"), "--wait", "60s").content()


@pytest.mark.provokes("KD112", "looked at a second after `up`", healed="by itself: the remedy waits for it")
def test_still_starting(doctor: Doctor, stack: LabStack) -> None:
    stack.up()
    seen = doctor()
    seen.names("KD112")
    assert shell(seen.command("KD112")).returncode == 0
    doctor().content()


@pytest.mark.provokes("KD115", "the broker's name is taken by an older container")
def test_a_name_that_is_taken(doctor: Doctor, stack: LabStack) -> None:
    older = stack.engine.run("tiny", name=stack.name())
    try:
        stack.services["app"] = tiny(stack.engine, stack.project, "app")
        stack.up("app")
        stack.up(check=False)
        seen = doctor("--project", stack.project)
        seen.names("KD115")
        assert f"the name {stack.name()} is taken by a container of no compose project" in seen.headline
        after(seen.command("KD115"), "--wait", "60s").content()
        assert older.name  # it is still there, under another name
    finally:
        older.remove(force=True)


@pytest.mark.provokes("KD115", "the broker's image cannot be had", healed="with the image")
def test_an_image_that_is_nowhere(doctor: Doctor, stack: LabStack) -> None:
    right = stack.kafka["image"]
    stack.services["zookeeper"] = tiny(stack.engine, stack.project, "zookeeper")
    stack.kafka["image"] = "kafkactl-test/nowhere:1"
    stack.up("zookeeper")
    seen = doctor()
    seen.names("KD115")
    assert "its image kafkactl-test/nowhere:1 is not on this machine" in seen.headline
    stack.kafka["image"] = right
    stack.write()
    after(seen.remedies("KD115")[1], "--wait", "60s").content()


@pytest.mark.provokes("KD108", "a heap above the limit, filled until it is killed", healed="by the remedy")
def test_a_heap_above_the_limit_is_the_cause(doctor: Doctor, stack: LabStack) -> None:
    stack.kafka["mem_limit"], stack.kafka["restart"] = "300m", "unless-stopped"
    stack.kafka["memswap_limit"] = "300m"
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms400m -Xmx400m -XX:+AlwaysPreTouch"
    stack.up()
    seen = until_told(doctor, "KD108")
    seen.names("KD108")
    assert "KAFKA_HEAP_OPTS: -Xms256m -Xmx256m and mem_limit: 640m" in seen.remedies("KD108")[0]
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms256m -Xmx256m"
    stack.kafka["mem_limit"] = stack.kafka["memswap_limit"] = "640m"
    stack.write()
    after(seen.command("KD108"), "--wait", "60s").content()
