"""kafkactl service-env: what a service is told of Kafka, in every form, and whether it is."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from kafkactl.catalog.service_settings import ServiceSettings, differences
from tests.conftest import Outcome

Run = Callable[..., Outcome]

CATALOGUE = """
environments:
  production: {brokers: ["k1:9093", "k2:9093"], client_config: p.properties}
services: {analytics: {group: numbers, aliases: [analytics-service]}, writer: {}}
topics:
  payment.created: {producers: [writer], consumers: [analytics-service]}
  order.created: {producers: ["*"], consumers: [analytics]}
  audit.logs: {producers: ["*"], consumers: []}
"""


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    Path("topics.yaml").write_text(CATALOGUE)
    Path("p.properties").write_text("")


def test_a_shell_takes_it(kafkactl: Run) -> None:
    run = kafkactl("service-env", "analytics", "-b", "kafka:9092")
    assert run.code == 0
    told = subprocess.run(
        ["sh", "-c", f"{run.out}\necho $KAFKA_BROKERS $KAFKA_CONSUMER_GROUP $KAFKA_TOPICS"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split() == ["kafka:9092", "numbers", "payment.created,order.created"]


def test_every_form(kafkactl: Run) -> None:
    def written(form: str, *options: str) -> str:
        run = kafkactl("service-env", "analytics-service", "--env", "production", "--format", form, *options)
        assert run.code == 0, run.err
        assert "p.properties" in run.err
        return run.out

    wanted = {
        "KAFKA_BROKERS": "k1:9093,k2:9093",
        "KAFKA_CONSUMER_GROUP": "numbers",
        "KAFKA_TOPICS": "payment.created,order.created",
    }
    assert yaml.safe_load(written("compose"))["services"]["analytics"]["environment"] == wanted
    pod = yaml.safe_load(written("k8s", "--from", "k8s"))["env"]
    assert {entry["name"]: entry["value"] for entry in pod} == wanted
    assert dict(line.split("=", 1) for line in written("dotenv").splitlines()) == wanted
    assert written("properties") == "bootstrap.servers=k1:9093,k2:9093\ngroup.id=numbers\n"
    assert 'Topics:        []string{"payment.created", "order.created"},' in written("go")


def test_a_service_that_only_writes_has_no_group(kafkactl: Run) -> None:
    run = kafkactl("service-env", "writer")
    assert run.out == "export KAFKA_BROKERS=localhost:40093\n"
    assert "reads no topic" in run.err


def test_where_the_address_is_not_known_it_is_not_made_up(kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kafkactl("service-env", "analytics", "--from", "k8s").code == 2
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    assert kafkactl("service-env", "analytics", "--from", "container").code in (1, 3)
    assert kafkactl("service-env", "analytics", "--from", "container", "-b", "kafka:9092").code == 0
    slip = kafkactl("service-env", "analitics")
    assert (slip.code, "Did you mean analytics?" in slip.err) == (2, True)


def test_what_a_service_is_told_wrongly(kafkactl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ServiceSettings("a", ("k:1", "k:2"), "g", ("x", "y"), ())
    assert differences(wanted, wanted.variables) == []
    assert differences(wanted, {"KAFKA_BROKERS": "k:2", "KAFKA_CONSUMER_GROUP": "g", "KAFKA_TOPICS": "y, x"}) == []
    assert differences(wanted, {"KAFKA_BROKERS": "other:1", "KAFKA_TOPICS": "x,z"}) == [
        "KAFKA_BROKERS is other:1; from there the address is k:1,k:2.",
        "KAFKA_CONSUMER_GROUP is not set; it should be g.",
        "KAFKA_TOPICS has z, which topics.yaml does not say that it reads.",
        "KAFKA_TOPICS lacks y.",
    ]
    monkeypatch.setenv("KAFKA_BROKERS", "localhost:40093")
    monkeypatch.setenv("KAFKA_CONSUMER_GROUP", "wrong")
    monkeypatch.setenv("KAFKA_TOPICS", "payment.created,order.created")
    checked = kafkactl("service-env", "analytics", "--check")
    assert (checked.code, checked.out) == (1, "KAFKA_CONSUMER_GROUP is wrong; topics.yaml says numbers.\n")
    monkeypatch.setenv("KAFKA_CONSUMER_GROUP", "numbers")
    assert kafkactl("service-env", "analytics", "--check").code == 0
