"""Each kind of fault in each family's quick start: the headline names it, and the remedy as printed heals it."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from tests.conftest import Outcome, create
from tests.docker.engine import Engine
from tests.lab import faults
from tests.lab.examination import Doctor, Examination, after, shell, until_told
from tests.lab.families import FAMILIES, Family, services_of_family, tell
from tests.lab.stacks import LabStack, lab_stack
from tests.sandboxes import free_port


@dataclass
class Case:
    """A family's stack, not started yet."""

    name: str
    family: Family
    stack: LabStack
    doctor: Doctor
    kafkactl: Callable[..., Outcome]

    def only(self, seen: Examination, code: str, *, exit_code: int = 1) -> None:
        """Assert that this is the headline, and all; but for data on no volume where the family has none."""
        assert seen.cause == code, seen.told
        assert [found for found in seen.found() if found != "KD201" or self.family.data] == [code], seen.told
        assert seen.exit_code == exit_code
        assert not [check for check in seen.checks.values() if check["state"] == "crashed"]

    def sound(self, seen: Examination | None = None) -> None:
        """Assert that nothing is wrong; but for data on no volume where the family has none."""
        seen = seen or self.doctor("--wait", "60s", "--fail-on", "error")
        assert seen.found() == ([] if self.family.data else ["KD201"]), seen.told
        assert seen.exit_code == 0

    def ends(self, code: str, seconds: float = 40) -> None:
        """Start a broker that ends, and assert that this is why."""
        self.stack.kafka.pop("restart", None)
        self.stack.up()
        self.stack.until("kafka", "exited", seconds=seconds)
        self.only(self.doctor(), code)

    def heals(self, code: str, *, patient: bool = False) -> None:
        """Let the remedy be made in the compose file; then nothing is wrong. `patient`: ZooKeeper may hold it up."""
        self.fix_file(code)
        self.sound(until_sound(self) if patient else None)

    def fix_file(self, code: str) -> None:
        """Let kafkactl change the compose file as the finding says, and start the service with it."""
        done = self.kafkactl("doctor", "--fix-file", "--yes", "--allow", "data")
        assert f"{code} of" in done.err, done.text
        assert "is fixed" in done.err, done.text


@pytest.fixture(params=list(FAMILIES))
def case(
    request: pytest.FixtureRequest,
    engine: Engine,
    doctor: Doctor,
    kafkactl: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Case]:
    """The quick start of each family."""
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with lab_stack(engine, tmp_path, empty=True) as there:
        there.services = services_of_family(request.param, engine, there.project, there.port)
        there.volumes = {"kafka-data": None} if FAMILIES[request.param].data else {}
        monkeypatch.setenv("KAFKA_BROKERS", there.brokers)
        yield Case(request.param, FAMILIES[request.param], there, doctor, kafkactl)


def skip_unless(condition: bool, why: str) -> None:
    if not condition:
        pytest.skip(why)


@pytest.mark.provokes("KD101", "the broker's container is stopped", healed="by the remedy")
def test_stopped(case: Case) -> None:
    case.stack.up()
    case.sound()
    case.stack.compose("stop", "kafka")
    seen = case.doctor()
    case.only(seen, "KD101")
    case.sound(after(seen.command("KD101"), "--wait", "60s", "--fail-on", "error"))


@pytest.mark.provokes("KD102", "another container has the broker's port")
def test_a_port_that_is_taken(case: Case) -> None:
    port = ("127.0.0.1", case.stack.port)
    taker = case.stack.engine.run("tiny", name=f"{case.stack.project}-taker", ports={"1/tcp": port})
    try:
        case.stack.up(check=False)
        seen = until_told(case.doctor, "KD102")
        case.only(seen, "KD102")
        case.sound(after(seen.command("KD102"), "--wait", "60s", "--fail-on", "error"))
    finally:
        taker.remove(force=True)


@pytest.mark.provokes("KD108", "a heap as large as the limit", healed="by --fix-file")
def test_a_heap_as_large_as_the_limit(case: Case) -> None:
    case.stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms64m -Xmx512m"
    case.stack.up()
    seen = until_told(case.doctor, "KD108", "--wait", "30s")
    case.only(seen, "KD108")
    case.heals("KD108")


@pytest.mark.provokes("KD111", "a heap of 20 MiB", healed="by --fix-file")
def test_a_heap_that_is_too_small(case: Case) -> None:
    case.stack.kafka["environment"]["KAFKA_HEAP_OPTS"] = "-Xms20m -Xmx20m"
    case.ends("KD111")
    case.heals("KD111")


@pytest.mark.provokes("KD201", "no volume of the stack's holds its data", healed="by --fix-file")
def test_data_on_no_volume(case: Case) -> None:
    skip_unless(bool(case.family.data), "nobody knows where this image's user may write")
    del case.stack.kafka["volumes"]
    case.stack.volumes = {}
    if case.name == "apache":
        del case.stack.kafka["environment"]["KAFKA_LOG_DIRS"]
    case.stack.up()
    seen = until_told(case.doctor, "KD201", "--wait", "60s", "--fail-on", "error")
    case.only(seen, "KD201", exit_code=0)
    refused = case.kafkactl("doctor", "--fix-file", "--yes")
    assert "It takes --allow data." in refused.err
    case.heals("KD201")
    create(case.stack.brokers, NewTopic("kept", 1, 1))
    faults.write(case.stack.brokers, "kept")
    case.stack.compose("up", "-d", "--force-recreate", "--no-deps", "kafka")
    case.sound(until_sound(case))
    assert '"kept"' in case.kafkactl("describe", "kept", "-o", "json").out


@pytest.mark.provokes("KD204", "a directory of the host that belongs to root")
def test_a_directory_of_roots(case: Case, tmp_path: Path) -> None:
    skip_unless(os.geteuid() == 0, "only root can make a directory that is root's")
    skip_unless(case.name not in ("wurstmeister", "strimzi"), "it runs as root, or has no place for data")
    for place in (tmp_path, *tmp_path.parents[:3]):
        place.chmod(0o755)  # the container's user has to get there
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    case.stack.kafka["volumes"] = [f"{data}:{case.family.data}"]
    case.stack.kafka.pop("restart", None)
    case.stack.up()
    case.stack.until("kafka", "exited")
    seen = case.doctor()
    case.only(seen, "KD204")
    case.sound(after(seen.command("KD204"), "--wait", "60s", "--fail-on", "error"))


@pytest.mark.provokes("KD205", "the cluster's id was changed", healed="by --fix-file")
def test_another_cluster_id(case: Case) -> None:
    skip_unless(not case.family.zookeeper, "ZooKeeper has the id")
    case.stack.up()
    case.sound()
    name = "KAFKA_KRAFT_CLUSTER_ID" if case.name == "bitnami" else "CLUSTER_ID"
    case.stack.kafka["environment"][name] = "pYm3nTk4fkaKRaftOther1"
    case.ends("KD205")
    case.heals("KD205")


@pytest.mark.provokes("KD206", "the broker's id was changed", healed="by --fix-file")
def test_another_node_id(case: Case) -> None:
    skip_unless("debezium" not in case.name and bool(case.family.data), "its data is in another directory, or gone")
    case.stack.up()
    case.sound()
    tell(case.stack, case.family, **{"BROKER_ID" if case.family.zookeeper else "NODE_ID": "7"})
    if not case.family.zookeeper:
        tell(case.stack, case.family, CONTROLLER_QUORUM_VOTERS="7@kafka:29093")
    case.ends("KD206", seconds=60)
    case.heals("KD206", patient=True)


def until_sound(case: Case) -> Examination:
    """Examine until nothing is wrong: ZooKeeper holds an old registration for a while."""
    for _ in range(6):
        seen = case.doctor("--wait", "20s", "--fail-on", "error")
        if seen.cause == "KD402":
            shell(seen.command("KD402"))
        elif not seen.found("error"):
            break
    return seen


@pytest.mark.provokes("KD401", "ZooKeeper is looked for at another name", healed="by --fix-file")
def test_zookeeper_at_another_name(case: Case) -> None:
    skip_unless(case.family.zookeeper, "it has no ZooKeeper")
    tell(case.stack, case.family, ZOOKEEPER_CONNECT="zoo:2181")
    case.stack.kafka.pop("restart", None)
    case.stack.up()
    seen = until_told(case.doctor, "KD401", seconds=60)
    case.only(seen, "KD401")
    assert "zoo:2181" in seen.headline
    case.heals("KD401")


@pytest.mark.provokes("KD311", "0.0.0.0 is advertised", healed="by --fix-file")
def test_an_address_for_nobody(case: Case) -> None:
    port = case.stack.port
    if case.name == "wurstmeister":
        case.stack.kafka["environment"]["KAFKA_ADVERTISED_HOST_NAME"] = "0.0.0.0"
    elif case.name == "strimzi":
        tell(case.stack, case.family, ADVERTISED_LISTENERS=f"PLAINTEXT://0.0.0.0:{port}")
    else:
        inner = re.search(r"INTERNAL://kafka:(\d+)", str(case.stack.kafka["environment"]))
        assert inner
        text = f"INTERNAL://0.0.0.0:{inner[1]},EXTERNAL://localhost:{port}"
        tell(case.stack, case.family, ADVERTISED_LISTENERS=text)
    case.ends("KD311")
    case.heals("KD311")


@pytest.mark.provokes("KD311", "a listener without a protocol", healed="by --fix-file")
def test_a_listener_without_a_protocol(case: Case) -> None:
    skip_unless(case.name not in ("wurstmeister", "strimzi"), "its listeners are named for protocols")
    more = "" if case.family.zookeeper else ",CONTROLLER:PLAINTEXT"
    tell(case.stack, case.family, LISTENER_SECURITY_PROTOCOL_MAP=f"INTERNAL:PLAINTEXT{more}")
    case.ends("KD311")
    case.heals("KD311")


@pytest.mark.provokes("KD309", "a listener bound to localhost", healed="by --fix-file")
def test_a_listener_on_localhost(case: Case) -> None:
    port = case.stack.port
    given = str(case.stack.kafka["environment"])
    if case.name in ("wurstmeister", "strimzi"):
        tell(case.stack, case.family, LISTENERS=f"PLAINTEXT://localhost:{port}")
    else:
        inner = re.search(r"INTERNAL://[\w.]*:(\d+)", given)
        assert inner
        more = "" if case.family.zookeeper else "CONTROLLER://:29093,"
        text = f"INTERNAL://0.0.0.0:{inner[1]},{more}EXTERNAL://localhost:{port}"
        tell(case.stack, case.family, LISTENERS=text)
    case.stack.up()
    seen = until_told(case.doctor, "KD309", "--wait", "20s", seconds=90)
    case.only(seen, "KD309")
    case.heals("KD309", patient=True)


@pytest.mark.provokes("KD308", "published at another port than advertised", healed="by --fix-file")
def test_published_elsewhere(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    other = free_port()
    case.stack.kafka["ports"] = [f"127.0.0.1:{other}:{case.stack.port}"]
    case.stack.up()
    monkeypatch.setenv("KAFKA_BROKERS", f"localhost:{other}")
    seen = until_told(case.doctor, "KD308", "--wait", "20s", seconds=90)
    case.only(seen, "KD308")
    case.fix_file("KD308")
    monkeypatch.setenv("KAFKA_BROKERS", case.stack.brokers)
    case.sound(until_sound(case))


@pytest.mark.provokes("KD405", "a setting that Kafka does not take", healed="with one that it takes")
def test_a_setting_that_kafka_refuses(case: Case) -> None:
    tell(case.stack, case.family, NUM_NETWORK_THREADS="0")
    case.stack.kafka.pop("restart", None)
    case.stack.up()
    case.stack.until("kafka", "exited")
    seen = case.doctor()
    case.only(seen, "KD405")
    assert "num.network.threads" in seen.headline
    tell(case.stack, case.family, NUM_NETWORK_THREADS="2")
    case.stack.up()
    case.sound()


def heal_setting(case: Case, seen: Examination, code: str, name: str, right: str) -> None:
    """Give the setting its right value as the remedy says: in the file, or in the command where that has it."""
    if case.family.command:
        assert f"--override {name.lower().replace('_', '.')}={right}" in seen.remedies(code)[0]
        tell(case.stack, case.family, **{name: right})
        case.stack.write()
        after(seen.command(code), "--wait", "60s", "--fail-on", "error")
    else:
        case.fix_file(code)
    case.sound(until_sound(case))


@pytest.mark.provokes("KD506", "Kafka's default of three replicas for __consumer_offsets", healed="by --fix-file")
def test_more_replicas_than_brokers(case: Case) -> None:
    tell(case.stack, case.family, OFFSETS_TOPIC_REPLICATION_FACTOR="3")
    case.stack.up()
    seen = until_told(case.doctor, "KD506", seconds=90)
    case.only(seen, "KD506")
    heal_setting(case, seen, "KD506", "OFFSETS_TOPIC_REPLICATION_FACTOR", "1")


@pytest.mark.provokes("KD507", "topics are created by mistake", healed="by --fix-file")
def test_topics_that_make_themselves(case: Case) -> None:
    tell(case.stack, case.family, AUTO_CREATE_TOPICS_ENABLE="true")
    case.stack.up()
    seen = until_told(case.doctor, "KD507", "--wait", "60s", "--fail-on", "error", seconds=90)
    case.only(seen, "KD507", exit_code=0)
    heal_setting(case, seen, "KD507", "AUTO_CREATE_TOPICS_ENABLE", "false")


@pytest.mark.provokes("KD107", "a health check whose program is not in the image", healed="with one that is")
def test_a_health_check_that_cannot_run(case: Case) -> None:
    quick = {"interval": "1s", "timeout": "1s", "retries": 2}
    case.stack.kafka["healthcheck"] = {"test": ["CMD-SHELL", "curl -f http://localhost:9092"], **quick}
    case.stack.up()
    case.stack.until("kafka", "unhealthy")
    seen = until_told(case.doctor, "KD107", "--wait", "30s", seconds=60)
    case.only(seen, "KD107", exit_code=0)
    (test,) = re.findall(r"\[\"CMD-SHELL\", \"(.*)\"\]", seen.remedies("KD107")[0])
    slow = {"interval": "5s", "timeout": "10s", "retries": 3, "start_period": "30s"}
    case.stack.kafka["healthcheck"] = {"test": ["CMD-SHELL", test], **slow}
    case.stack.write()
    after(seen.command("KD107"), "--wait", "60s", "--fail-on", "error")
    case.sound(until_sound(case))
    case.stack.until("kafka", "healthy", seconds=60)


@pytest.mark.provokes("KD308", "no port is published", healed="by --fix-file")
def test_a_broker_that_publishes_nothing(case: Case) -> None:
    del case.stack.kafka["ports"]
    case.stack.up()
    seen = until_told(case.doctor, "KD308")
    case.only(seen, "KD308")
    case.heals("KD308", patient=True)


@pytest.mark.provokes("KD305", "only the name inside the network is advertised", healed="by --fix-file")
def test_a_name_that_only_containers_know(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_unless(case.name not in ("wurstmeister", "strimzi"), "its listeners are told in ways of its own")
    inner = re.search(r"INTERNAL://kafka:(\d+)", str(case.stack.kafka["environment"]))
    assert inner
    tell(case.stack, case.family, ADVERTISED_LISTENERS=f"INTERNAL://kafka:{inner[1]}")
    more = "" if case.family.zookeeper else ",CONTROLLER://:29093"
    tell(case.stack, case.family, LISTENERS=f"INTERNAL://:{inner[1]}{more}")
    case.stack.kafka["ports"] = [f"127.0.0.1:{case.stack.port}:{inner[1]}"]
    case.stack.up()
    seen = until_told(case.doctor, "KD305", "--wait", "20s", seconds=90)
    case.only(seen, "KD305")
    (use,) = re.findall(r"export KAFKA_BROKERS=(\S+)", "\n".join(seen.remedies("KD305")))
    done = case.kafkactl("doctor", "--fix-file", "--yes", "--allow", "data")
    assert "KAFKA" in done.err, done.text
    monkeypatch.setenv("KAFKA_BROKERS", use)
    case.sound(until_sound(case))


@pytest.mark.provokes("KD104", "docker kill")
def test_killed_from_outside(case: Case) -> None:
    case.stack.kafka.pop("restart", None)
    case.stack.up()
    case.sound()
    assert shell(f"docker kill {case.stack.name()}").returncode == 0
    seen = case.doctor()
    case.only(seen, "KD104")
    case.sound(after(seen.command("KD104"), "--wait", "60s", "--fail-on", "error"))


@pytest.mark.provokes("KD105", "a broker whose command ends at once", healed="with its command")
def test_a_command_that_ends_at_once(case: Case) -> None:
    right, case.stack.kafka["command"] = case.stack.kafka.get("command"), ["sh", "-c", "exit 7"]
    case.stack.kafka["restart"] = "always"
    case.stack.up()
    case.stack.until("kafka", "restarting")
    seen = until_told(case.doctor, "KD105")
    case.only(seen, "KD105")
    del case.stack.kafka["command"]
    if right:
        case.stack.kafka["command"] = right
    case.stack.up()
    case.sound()
