"""--fix and --bundle on real containers: what is stopped is started, what answers is left alone."""

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.lab.examination import Doctor, examination
from tests.lab.stacks import LabStack, tiny

Kafkactl = Callable[..., Outcome]


@pytest.fixture
def stack(zookeeper_stack: LabStack) -> LabStack:
    """ZooKeeper, a broker and a service beside them."""
    there = zookeeper_stack
    secret = {"DB_PASSWORD": "s3cret-a"}
    there.services["gateway"] = tiny(there.engine, there.project, "gateway", environment=secret)
    return there


def started(stack: LabStack, service: str = "kafka") -> str:
    return str(stack.state(service)["StartedAt"])


@pytest.mark.quick
def test_fix_starts_what_is_stopped_and_leaves_alone_what_answers(
    doctor: Doctor, kafkactl: Kafkactl, stack: LabStack
) -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 1, replication: 1}}")
    stack.up()
    doctor("--wait", "60s", "--ignore", "KD513").content()
    broker = started(stack)
    stack.compose("stop", "gateway")
    asked = kafkactl("doctor", "--fix")
    assert asked.code == 2
    assert f"--fix would start {stack.name('gateway')} (KD101)." in asked.err
    assert stack.state("gateway")["Status"] == "exited"  # nobody agreed
    healed = kafkactl("doctor", "--fix", "--yes")
    assert healed.code == 0, healed.text
    assert f"KD101 of {stack.name('gateway')} is fixed." in healed.err
    assert "KD513 is fixed." in healed.err
    assert started(stack) == broker
    # ZooKeeper first, then the broker, and each once.
    stack.compose("stop", "kafka")
    stack.compose("stop", "zookeeper")
    both = kafkactl("doctor", "--fix", "--yes", "-o", "json")
    examination(both).content()
    plan = [line for line in both.err.splitlines() if line.startswith("--fix would")]
    assert plan == [f"--fix would start {stack.name(name)} (KD101)." for name in ("zookeeper", "kafka")]


def test_a_container_that_cannot_start_does_not_keep_the_others_down(
    doctor: Doctor, kafkactl: Kafkactl, stack: LabStack, tmp_path: Path
) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    stack.services["zookeeper"]["volumes"] = [{"type": "bind", "source": str(mounted), "target": "/mounted"}]
    stack.up()
    doctor("--wait", "60s").content()
    stack.compose("stop", "-t", "5", "kafka", "zookeeper")
    before = started(stack)
    mounted.rmdir()
    run = kafkactl("doctor", "--fix", "--yes", "-o", "json")
    left = examination(run)
    assert f"Could not start {stack.name('zookeeper')}: " in run.err
    assert f"Not fixed: KD101 of {stack.name('zookeeper')}." in run.err
    assert started(stack) != before
    assert left.exit_code == 1
    assert [finding["target"] for finding in left.findings("KD101")] == [stack.name("zookeeper")]
    mounted.mkdir()
    healed = kafkactl("doctor", "--fix", "--yes")
    assert f"KD101 of {stack.name('zookeeper')} is fixed." in healed.err
    # The broker gave up meanwhile: that is another finding, and another question.
    if healed.code:
        healed = kafkactl("doctor", "--fix", "--yes")
        assert f"KD401 of {stack.name('kafka')} is fixed." in healed.err
    assert healed.code == 0, healed.text


def test_fix_restarts_zookeeper_that_hangs(doctor: Doctor, kafkactl: Kafkactl, stack: LabStack) -> None:
    stack.up()
    doctor("--wait", "60s").content()
    broker = started(stack)
    stack.engine.client.api.kill(stack.name("zookeeper"), signal="SIGSTOP")
    stack.until("zookeeper", "unhealthy")
    served = doctor().checks["KD302"]["state"] == "passed"
    healed = kafkactl("doctor", "--fix", "--yes")
    assert healed.code == 0, healed.text
    assert f"KD401 of {stack.name('zookeeper')} is fixed." in healed.err
    assert (started(stack) == broker) is served


def test_a_bundle_of_a_stack(kafkactl: Kafkactl, stack: LabStack) -> None:
    del stack.services["kafka"]
    stack.services["gateway"] = tiny(
        stack.engine,
        stack.project,
        "kafka-gateway",
        "echo login password=s3cret-b; echo at https://bob:s3cret-c@db/x; exit 1",
        environment={"DB_PASSWORD": "s3cret-a", "KAFKA_BROKERS": "kafka:9092"},
    )
    stack.up()
    stack.until("gateway", "exited")
    run = kafkactl("doctor", "--bundle", "all.zip", "--project", stack.project)
    assert run.code == 1
    assert "all.zip contains facts, findings, logs and compose files." in run.err
    with zipfile.ZipFile("all.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    logs = {f"logs/{stack.name(name)}.log" for name in ("zookeeper", "gateway")}
    assert texts.keys() == {"facts.json", "findings.json", "compose/lab.yml", *logs}
    assert not [name for name, text in texts.items() if "s3cret" in text]
    assert "login password=[hidden]" in texts[f"logs/{stack.name('gateway')}.log"]
    assert "kafka:9092" in texts["compose/lab.yml"]
    Path("facts.json").write_text(texts["facts.json"])
    again = json.loads(kafkactl("doctor", "--from", "facts.json", "-o", "json").out)
    assert again["checks"] == json.loads(texts["findings.json"])["checks"]
    assert os.path.getsize("all.zip") < 1_000_000
