"""--fix-file on real stacks: the compose file gets the lines that were shown, and the service is made anew."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from kafkactl.doctor.codes import Told
from kafkactl.doctor.file_repair import FileRepair, make_change
from kafkactl.errors import KafkactlError
from kafkactl.text.remedies import ServiceChange
from tests.conftest import Outcome
from tests.lab.examination import Doctor
from tests.lab.stacks import LabStack, tiny

Kafkactl = Callable[..., Outcome]


@pytest.fixture
def stack(kraft_stack: LabStack) -> LabStack:
    """One KRaft broker, and an application that is told localhost."""
    there = kraft_stack
    given = {"DB_PASSWORD": "s3cret-a", "EVENTS": "localhost:9092"}
    there.services["app"] = tiny(there.engine, there.project, "app", environment=given)
    return there


def up_from_yaml(stack: LabStack, more: str = "") -> str:
    """The same stack from a file as people write it; its text."""
    document = {"services": stack.services, "volumes": stack.volumes}
    text = f"# our stack\n{yaml.safe_dump(document, sort_keys=False)}{more}"
    stack.file.write_text(text, encoding="utf-8")
    stack.compose("up", "-d")
    stack.until("kafka", "healthy")
    return text


@pytest.mark.quick
def test_the_lines_that_were_shown_are_changed(doctor: Doctor, kafkactl: Kafkactl, stack: LabStack) -> None:
    before = up_from_yaml(stack)
    seen = doctor()
    seen.names("KD310")
    assert "EVENTS: kafka:9092   # instead of localhost:9092" in str(seen.findings("KD310")[0]["heal"][0])
    broker = stack.state()["StartedAt"]
    asked = kafkactl("doctor", "--fix-file")
    assert asked.code == 2, asked.text
    assert stack.file.read_text() == before  # nobody agreed
    healed = kafkactl("doctor", "--fix-file", "--yes")
    assert healed.code == 0, healed.text
    assert "s3cret-a" not in healed.text
    assert "-      EVENTS: localhost:9092" in healed.err
    assert "+      EVENTS: kafka:9092" in healed.err
    assert stack.file.read_text() == before.replace("EVENTS: localhost:9092", "EVENTS: kafka:9092")
    kept = stack.file.with_name(f"{stack.file.name}.bak")
    assert kept.read_text() == before
    assert kept.stat().st_mode & 0o077 == 0
    assert f"KD310 of {stack.name('app')} is fixed." in healed.err
    assert stack.state()["StartedAt"] == broker  # no other service is touched
    doctor("--wait", "20s").content()


def test_a_file_of_json_is_edited_too(doctor: Doctor, kafkactl: Kafkactl, stack: LabStack) -> None:
    stack.up()
    stack.until("kafka", "healthy")
    doctor().names("KD310")
    assert kafkactl("doctor", "--fix-file", "--yes").code == 0
    assert '"EVENTS": "kafka:9092"' in stack.file.read_text()


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("variable", "gets localhost:9092 from a variable"),
        ("changed", "was changed after"),
        ("two files", "2 compose files"),
    ],
)
def test_what_is_not_kafkactls_to_edit_is_printed(
    doctor: Doctor, kafkactl: Kafkactl, stack: LabStack, kind: str, why: str
) -> None:
    if kind == "variable":
        stack.services["app"]["environment"]["EVENTS"] = "${WHERE:-localhost}:9092"
    before = up_from_yaml(stack)
    if kind == "two files":
        other = stack.file.with_name("other.yml")
        other.write_text("services: {app: {labels: {a: b}}}")
        words = ["-f", str(other), "up", "-d"]
        stack.compose(*words)
    if kind == "changed":
        before += "# a note\n"
        subprocess.run([sys.executable, "-c", "import time; time.sleep(2.5)"], check=True)
        stack.file.write_text(before)
    doctor().names("KD310")
    run = kafkactl("doctor", "--fix-file", "--yes")
    assert run.code == 2, run.text
    assert why in run.err
    assert "EVENTS: kafka:9092" in run.err
    assert stack.file.read_text() == before


def test_data_in_the_container_is_not_lost_by_a_plain_yes(doctor: Doctor, kafkactl: Kafkactl, stack: LabStack) -> None:
    del stack.services["app"]
    stack.kafka["volumes"] = []
    stack.kafka["environment"]["KAFKA_LOG_DIRS"] = "/tmp/logs"
    stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms64m -Xmx512m"
    before = up_from_yaml(stack)
    seen = doctor()
    assert seen.cause == "KD108"
    assert "this loses every topic" in str(seen.findings("KD108")[0]["heal"])
    refused = kafkactl("doctor", "--fix-file", "--yes")
    assert refused.code == 2, refused.text
    assert "It takes --allow data." in refused.err
    assert stack.file.read_text() == before
    healed = kafkactl("doctor", "--fix-file", "--yes", "--allow", "data")
    assert "KD108 of" in healed.err
    assert "KAFKA_HEAP_OPTS: -Xms256m -Xmx256m" in stack.file.read_text()
    doctor("--wait", "60s", "--ignore", "KD201").content()


def test_what_compose_refuses_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text("before")
    told = Told("KD310", "misrouted", "error", "app", "x", (), (), blocks=False)
    repair = FileRepair(told, ServiceChange("app"), file, "before", "after", loses_data=False)
    with pytest.raises(KafkactlError, match="Compose does not accept the change, and the file is as it was"):
        make_change(repair, ["false"])
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]
    file.write_text("by somebody else")
    with pytest.raises(KafkactlError, match="has changed meanwhile"):
        make_change(repair, ["true"])
    file.write_text("before")
    assert make_change(repair, ["true"]).read_text() == "before"
    assert file.read_text() == "after"
