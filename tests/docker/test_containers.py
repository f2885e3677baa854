"""Which containers are the stack, and what is known of them, on a real engine."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from docker.errors import DockerException

from kafkactl.containers.endpoint import EngineError
from kafkactl.containers.engine import connect_engine
from kafkactl.containers.model import Container
from kafkactl.containers.stack import find_stack
from kafkactl.errors import UsageError
from tests.conftest import Outcome, command
from tests.docker.compose import Stack
from tests.docker.engine import Engine, NoEngineError, own_engine
from tests.sandboxes import eventually, free_port

Kafkactl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _swept(engine: Engine) -> Iterator[None]:
    yield
    engine.sweep()


def compose_labels(project: str, service: str, directory: str = "/nowhere") -> dict[str, str]:
    prefix = "com.docker.compose"
    return {
        f"{prefix}.project": project,
        f"{prefix}.service": service,
        f"{prefix}.project.working_dir": directory,
    }


def container(name: str) -> Container:
    (found,) = connect_engine().inspect([name])
    return found


def test_the_stack_is_found_by_its_labels_whatever_its_name(zookeeper_stack: Stack) -> None:
    stack = find_stack(connect_engine())
    assert stack
    assert stack.project == zookeeper_stack.project
    assert stack.files
    assert [(c.service, c.role) for c in stack.containers] == [
        ("zookeeper", "zookeeper"),
        ("kafka", "broker"),
        ("init-topics", "other"),
        ("kafka-ui", "ui"),
        ("kafka-exporter", "exporter"),
    ]
    (kafka,) = stack.of_role("broker")
    assert kafka.environment["KAFKA_BROKER_ID"] == "1"
    assert kafka.memory_limit == 2**30
    assert kafka.restart_policy == "unless-stopped"
    assert {(port.container_port, port.host_ip, port.host_port) for port in kafka.ports} == {
        (9092, "127.0.0.1", zookeeper_stack.ports["KAFKA_INTERNAL_PORT"]),
        (9093, "127.0.0.1", zookeeper_stack.ports["KAFKA_PORT"]),
    }
    (data,) = (mount for mount in kafka.mounts if mount.destination == "/var/lib/kafka/data")
    assert (data.kind, data.source) == ("volume", f"{zookeeper_stack.project}_kafka-data")
    assert kafka.networks == (f"{zookeeper_stack.project}_default",)
    assert "environment" not in repr(kafka)


def test_memory_is_what_the_kernel_counts(zookeeper_stack: Stack) -> None:
    engine = connect_engine()
    stack = find_stack(engine)
    assert stack
    memory = engine.memory(stack.containers)
    (kafka,) = stack.of_role("broker")
    assert memory[kafka.id].limit == 2**30
    assert 100 * 2**20 < memory[kafka.id].used < 2**30
    (done,) = (c for c in stack.containers if c.service == "init-topics")
    assert eventually(lambda: container(done.name).finished_well, 60)
    assert container(done.name).id not in engine.memory([container(done.name)])


def test_several_stacks_are_told_and_one_is_named(zookeeper_stack: Stack, engine: Engine, tmp_path: Path) -> None:
    engine.run("tiny", name="other-kafka-1", labels=compose_labels("other", "kafka", str(tmp_path)))
    with pytest.raises(UsageError, match=r"2 compose projects run Kafka: .*other") as error:
        find_stack(connect_engine())
    assert "--project" in error.value.hint
    here = find_stack(connect_engine(), directory=tmp_path / "below")
    assert here
    assert here.project == "other"
    named = find_stack(connect_engine(), project=zookeeper_stack.project)
    assert named
    assert len(named.containers) == 5
    with pytest.raises(UsageError, match="no compose project nonsense"):
        find_stack(connect_engine(), project="nonsense")
    engine.client.containers.get("other-kafka-1").stop(timeout=0)
    running = find_stack(connect_engine())
    assert running
    assert running.project == zookeeper_stack.project


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, int]]:
    """An engine with nothing on it, and its process id: for what would disturb others."""
    if os.geteuid() != 0:
        pytest.skip("only root can start an engine")
    try:
        with own_engine() as started:
            monkeypatch.setenv("DOCKER_HOST", started.host)
            yield Engine(started.host), started.process.pid
    except NoEngineError as error:
        pytest.skip(str(error))


def test_a_stack_started_by_hand_is_found_by_its_names(own: tuple[Engine, int], kafkactl: Kafkactl) -> None:
    engine, _ = own
    assert find_stack(connect_engine()) is None
    nothing = kafkactl("ps")
    assert nothing.code == 1
    assert "No Kafka containers and no sandbox were found" in nothing.err
    assert "docker compose up -d" in nothing.err
    engine.run("tiny", name="payment-kafka", network_mode="none")
    engine.run("tiny", name="zookeeper", network_mode="none")
    engine.run("tiny", name="postgres", network_mode="none")
    stack = find_stack(connect_engine())
    assert stack
    assert stack.project is None
    assert [(c.service, c.role) for c in stack.containers] == [("zookeeper", "zookeeper"), ("payment-kafka", "broker")]
    assert kafkactl("logs", "payment-kafka").code == 0


def test_an_engine_that_hangs_after_it_answered_and_one_that_is_killed(own: tuple[Engine, int]) -> None:
    started, pid = own
    started.run("tiny", "sh", "-c", "echo begun; sleep 60", name="payment-kafka", network_mode="none")
    engine = connect_engine()
    os.kill(pid, signal.SIGSTOP)
    assert eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    for ask in (engine.listed, connect_engine):
        with pytest.raises(EngineError) as hung:
            ask()
        assert hung.value.kind == "hung"
    os.kill(pid, signal.SIGCONT)
    assert len(engine.listed()) == 1
    following = command("logs", "-f")
    assert following.stdout
    assert following.stdout.readline() == "begun\n"
    os.kill(pid, signal.SIGKILL)
    for ask in (engine.listed, engine.listed, connect_engine):  # on the connection there was, and on new ones
        with pytest.raises(EngineError, match="is not running") as killed:
            ask()
        assert killed.value.kind == "refused"
    _, said = following.communicate(timeout=20)
    assert following.returncode == 3
    assert "is not running" in said
    assert "Traceback" not in said


def test_states_as_they_are(engine: Engine) -> None:
    """The engine's `Running` is true of a paused and of a restarting container: the status is what counts."""
    engine.run("tiny", "sh", "-c", "exit 3", name="t-failed")
    engine.run("tiny", name="t-paused")
    engine.pause("t-paused")
    engine.run("tiny", "sh", "-c", "exit 1", name="t-looping", restart_policy={"Name": "always"})
    engine.run("tiny", "sh", "-c", "exit 0", name="t-done")
    assert eventually(lambda: container("t-failed").status == "exited")
    assert (container("t-failed").exit_code, container("t-failed").finished_well) == (3, False)
    assert container("t-paused").status == "paused"
    assert eventually(lambda: container("t-looping").restarts >= 2)
    assert eventually(lambda: container("t-done").finished_well)
    assert connect_engine().inspect(["t-done", "never-there"])[0].name == "t-done"


def test_an_out_of_memory_kill_and_a_port_that_is_taken(engine: Engine) -> None:
    engine.run("tiny", "sh", "-c", "tail /dev/zero", name="t-oom", mem_limit="16m", memswap_limit="16m")
    assert eventually(lambda: container("t-oom").status == "exited", 30)
    assert eventually(lambda: container("t-oom").oom_killed)  # the engine notes it a moment later
    assert container("t-oom").exit_code == 137
    assert container("t-oom").memory_limit == 16 * 2**20
    port = free_port()
    engine.run("tiny", name="t-first", ports={"9093/tcp": ("127.0.0.1", port)})
    with pytest.raises(DockerException):
        engine.run("tiny", name="t-second", ports={"9093/tcp": ("127.0.0.1", port)})
    second = container("t-second")
    assert (second.status, second.exit_code) == ("created", 128)
    assert "port is already allocated" in second.error
    assert [(p.container_port, p.host_port) for p in second.ports] == [(9093, port)]


def test_health_is_what_the_check_last_said(engine: Engine) -> None:
    second = 1_000_000_000
    check = {"test": ["CMD-SHELL", "echo not today; exit 1"], "interval": second, "timeout": second, "retries": 2}
    engine.run("tiny", name="t-sick", healthcheck=check)
    assert eventually(lambda: (h := container("t-sick").health) and h.status == "unhealthy", 30)
    health = container("t-sick").health
    assert health
    assert (health.exit_code, health.output) == (1, "not today")
    assert health.failing_streak >= 2
    assert container("t-sick").healthcheck == ("CMD-SHELL", "echo not today; exit 1")
    engine.run("tiny", name="t-plain")
    assert container("t-plain").health is None


def test_start_restart_and_unpause(engine: Engine) -> None:
    engine.run("tiny", name="t-kafka")
    first = container("t-kafka").started
    connect_engine().restart("t-kafka", grace=1)
    assert container("t-kafka").status == "running"
    assert container("t-kafka").started != first
    engine.pause("t-kafka")
    connect_engine().start("t-kafka")
    assert container("t-kafka").status == "running"
    engine.client.containers.get("t-kafka").stop(timeout=0)
    connect_engine().start("t-kafka")
    assert container("t-kafka").status == "running"
    with pytest.raises(EngineError, match="No such container") as error:
        connect_engine().restart("never-there", grace=1)
    assert error.value.kind == "failed"


def test_the_engine_itself(engine: Engine) -> None:
    info = connect_engine().info()
    assert info.version == engine.client.version()["Version"]
    assert info.memory > 2**30
    assert info.time is not None
