"""kafkactl ps and logs, on the platform's stack and on small containers."""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Outcome, command
from tests.docker.compose import Stack
from tests.docker.engine import Engine
from tests.docker.test_containers import compose_labels
from tests.sandboxes import eventually, free_port
from tests.test_terminal import Terminal

Kafkactl = Callable[..., Outcome]
SERVICES = ["zookeeper", "kafka", "init-topics", "kafka-ui", "kafka-exporter"]


@pytest.fixture(autouse=True)
def _settled(zookeeper_stack: Stack, kafkactl: Kafkactl) -> None:
    """The stack is up, and nothing of it is still starting."""

    def calm() -> bool:
        shown = json.loads(kafkactl("ps", "-o", "json").out)["services"]
        return all(s["health"] in (None, "healthy") and s["state"] in ("running", "done") for s in shown)

    assert eventually(calm, 60)


def test_one_line_a_service(zookeeper_stack: Stack, kafkactl: Kafkactl) -> None:
    run = kafkactl("ps")
    assert run.code == 0
    assert run.err == ""
    heading, *rows = run.out.splitlines()
    assert heading.split() == ["SERVICE", "STATE", "HEALTH", "RESTARTS", "MEMORY", "PORTS", "AGE"]
    assert [row.split()[0] for row in rows] == SERVICES
    kafka = rows[1].split()
    assert kafka[1:4] == ["running", "healthy", "0"]
    assert re.fullmatch(r"\d+/1,024", kafka[4])
    ports = zookeeper_stack.ports
    assert f"{ports['KAFKA_INTERNAL_PORT']}→9092 {ports['KAFKA_PORT']}→9093" in rows[1]
    assert rows[2].split()[1:3] == ["done", "–"]


def test_ps_as_json(zookeeper_stack: Stack, kafkactl: Kafkactl) -> None:
    document = json.loads(kafkactl("ps", "-o", "json").out)
    assert document["kind"] == "ps"
    assert document["stack"]["project"] == zookeeper_stack.project
    services = {service["name"]: service for service in document["services"]}
    assert list(services) == SERVICES
    assert services["kafka"]["memory_limit_bytes"] == 2**30
    assert services["kafka"]["memory_bytes"] > 100 * 2**20
    assert services["init-topics"]["exit_code"] == 0
    assert services["init-topics"]["memory_bytes"] is None


def test_ps_on_a_narrow_terminal(zookeeper_stack: Stack) -> None:
    terminal = Terminal("ps", columns=80)
    assert terminal.end() == 0
    assert all(len(line) <= 80 for line in terminal.lines), terminal.lines
    assert "…" not in terminal.raw
    assert any("running" in line and "healthy" in line and "/1,024 MiB" in line for line in terminal.lines)


def test_ps_says_what_is_wrong(zookeeper_stack: Stack, kafkactl: Kafkactl) -> None:
    zookeeper_stack.compose("kill", "kafka-exporter")
    zookeeper_stack.engine.pause(f"{zookeeper_stack.project}-kafka-ui")
    try:
        seen = kafkactl("ps")
        rows = {row.split()[0]: row for row in seen.out.splitlines()}
        assert "exited (137)" in rows.get("kafka-exporter", ""), seen.text
        assert "paused" in rows["kafka-ui"]
        terminal = Terminal("ps")
        terminal.end()
        assert "\x1b[31mexited (137)" in terminal.raw
    finally:
        zookeeper_stack.compose("unpause", "kafka-ui")
        zookeeper_stack.compose("start", "kafka-exporter")


def test_logs_of_all_services_are_interleaved_by_time(kafkactl: Kafkactl) -> None:
    run = kafkactl("logs", "--tail", "all")
    assert run.code == 0
    whose = [line.split(" |")[0].rstrip() for line in run.out.splitlines()]
    assert set(whose) == set(SERVICES)
    assert whose != sorted(whose, key=SERVICES.index)  # not one after another
    stamps = [json.loads(line)["time"] for line in kafkactl("logs", "-o", "json").out.splitlines()]
    assert stamps == sorted(stamps)
    assert all(re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", stamp) for stamp in stamps)


def test_tail_counts_for_each_service_after_grep(kafkactl: Kafkactl) -> None:
    last = kafkactl("logs", "zookeeper", "kafka", "--tail", "3").out.splitlines()
    assert sum(line.startswith("kafka ") for line in last) == 3
    assert sum(line.startswith("zookeeper ") for line in last) == 3
    found = kafkactl("logs", "kafka", "--tail", "2", "--grep", r"started \(kafka.server|KafkaServer.*started").out
    assert len(found.splitlines()) == 1, found  # long ago, and not among the last two lines
    assert " | " not in found  # one service's lines are its own
    assert kafkactl("logs", "kafka", "--tail", "0").out == ""


def test_since_and_save(kafkactl: Kafkactl, tmp_path: Path) -> None:
    everything = kafkactl("logs", "kafka", "--tail", "all").out.splitlines()
    assert kafkactl("logs", "kafka", "--since", "1h").out.splitlines()[: len(everything)] == everything
    assert len(kafkactl("logs", "kafka", "--since", "100ms").out.splitlines()) < len(everything)
    run = kafkactl("logs", "kafka", "--save", "kafka.log")
    assert run.out == ""
    saved = (tmp_path / "kafka.log").read_text().splitlines()
    assert saved[: len(everything)] == everything
    assert run.err == f"Wrote {len(saved):,} lines to kafka.log.\n"
    assert kafkactl("logs", "kafka", "--save", "/nowhere/kafka.log").err.startswith("Cannot write /nowhere/kafka.log")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("kafak",), "There is no service kafak. Did you mean kafka?"),
        (("--tail", "-1"), "--tail -1: not a number of lines."),
        (("--grep", "("), "--grep: missing )"),
        (("--project", "nonsense"), "There is no compose project nonsense."),
    ],
)
def test_what_cannot_be_meant(kafkactl: Kafkactl, arguments: tuple[str, ...], words: str) -> None:
    run = kafkactl("logs", *arguments)
    assert run.code == 2
    assert words in run.err


def test_each_service_has_its_colour_on_a_terminal() -> None:
    terminal = Terminal("logs", "zookeeper", "kafka", "--tail", "1")
    assert terminal.end() == 0
    assert "\x1b[36mzookeeper |\x1b[0m" in terminal.raw
    assert "\x1b[33mkafka     |\x1b[0m" in terminal.raw


class Following:
    """A `kafkactl logs -f` and what it has printed."""

    def __init__(self, path: Path, *arguments: str) -> None:
        self._path = path
        self.process = command("logs", "-f", *arguments, "--save", str(path))

    @property
    def lines(self) -> list[str]:
        return self._path.read_text().splitlines() if self._path.exists() else []

    def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=20)
        return self.process.returncode, err


@pytest.fixture
def talker(engine: Engine) -> Iterator[str]:
    """A container that counts, in a project of its own, and counts anew when it is started again."""
    name = "talker-kafka-1"
    _start_talker(engine, name)
    yield name
    engine.sweep()


def _start_talker(engine: Engine, name: str) -> None:
    script = "trap exit TERM; i=0; while :; do i=$((i+1)); echo $i; echo e$i >&2; sleep 0.05; done"
    engine.run("tiny", "sh", "-c", script, name=name, labels=compose_labels("talker", "kafka"))


def gapless(lines: list[str]) -> bool:
    """Whether the numbers go on by one, and nothing came twice, but for starts at 1."""
    out = [int(line) for line in lines if not line.startswith("e")]
    err = [int(line.removeprefix("e")) for line in lines if line.startswith("e")]
    return all(after in (before + 1, 1) for numbers in (out, err) for before, after in pairwise(numbers))


def test_following_goes_on_across_restarts_and_new_containers(engine: Engine, talker: str, tmp_path: Path) -> None:
    following = Following(tmp_path / "log", "--project", "talker", "--tail", "all")
    starts = lambda: following.lines.count("1")  # noqa: E731
    try:
        assert eventually(lambda: "5" in following.lines)
        found = engine.client.containers.get(talker)
        found.restart(timeout=1)
        assert eventually(lambda: starts() == 2)
        found.stop(timeout=0)
        time.sleep(1)  # long enough for it to be seen as ended
        found.start()
        assert eventually(lambda: starts() == 3)
        found.remove(force=True)
        _start_talker(engine, talker)  # within the time in which it is looked for
        assert eventually(lambda: starts() == 4), following.lines[-5:]
        fourth = [place for place, line in enumerate(following.lines) if line == "1"][-1]
        assert eventually(lambda: "5" in following.lines[fourth:])
    finally:
        code, err = following.end()
    assert code == 130
    assert re.fullmatch(r"Wrote [\d,]+ lines to .*log\.\n", err), err
    assert gapless(following.lines)
    assert following.lines.count("e1") == 4


def test_following_ends_when_the_containers_are_gone(engine: Engine, talker: str, tmp_path: Path) -> None:
    following = Following(tmp_path / "log", "--project", "talker")
    try:
        assert eventually(lambda: "5" in following.lines)
        engine.client.containers.get(talker).remove(force=True)
        assert following.process.wait(20) == 0
    finally:
        with suppress(ProcessLookupError):
            following.process.kill()
        following.process.communicate()


def test_ctrl_c_ends_it_quietly(talker: str) -> None:
    terminal = Terminal("logs", "-f", "--project", "talker")
    terminal.expect("5\r\n")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.raw
    assert "Error" not in terminal.raw


def test_a_reader_that_has_seen_enough(talker: str) -> None:
    process = command("logs", "-f", "--project", "talker")
    assert process.stdout
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 0
    assert process.stderr
    assert process.stderr.read() == ""


def test_long_lines_and_foreign_bytes_and_terminals(engine: Engine, kafkactl: Kafkactl) -> None:
    """The engine hands an entry over in pieces of 16 KiB, and what a terminal shows in pieces of any size."""
    for name, tty, length in (("lines-kafka-1", False, 40_000), ("lines-kafka-2", True, 4_000)):
        script = rf"head -c {length} /dev/zero | tr '\0' x; echo; printf '\377 支付\n'; printf 'no end'"
        engine.run("tiny", "sh", "-c", script, name=name, tty=tty, labels=compose_labels("lines", name))
    try:
        assert eventually(
            lambda: all(engine.client.containers.get(f"lines-kafka-{n}").status == "exited" for n in (1, 2))
        )
        for name, length in (("lines-kafka-1", 40_000), ("lines-kafka-2", 4_000)):
            shown = kafkactl("logs", name, "--project", "lines").out.splitlines()
            assert [len(shown[0]), shown[1:]] == [length, ["\N{REPLACEMENT CHARACTER} 支付", "no end"]], name
    finally:
        engine.sweep()


def test_a_container_whose_log_is_kept_nowhere_hides_no_other(engine: Engine, kafkactl: Kafkactl) -> None:
    from docker.types import LogConfig

    try:
        for name, driver in (("mute", "none"), ("kafka", "json-file")):
            engine.run(
                "tiny", "sh", "-c", "echo here", name=name, log_config=LogConfig(type=driver),
                labels=compose_labels("drivers", name),
            )  # fmt: skip
        assert eventually(lambda: kafkactl("logs", "--project", "drivers").out == "kafka | here\n")
        run = kafkactl("logs", "--project", "drivers")
        assert run.code == 0
        assert "warning: mute: The Docker engine returned an error: " in run.err
    finally:
        engine.sweep()


def test_every_stack_is_shown_where_several_would_do(
    zookeeper_stack: Stack, engine: Engine, kafkactl: Kafkactl, tmp_path: Path
) -> None:
    script = "printf '\\033[31mERROR\\033[0m no broker\\n'; trap exit TERM; sleep 3600 & wait"
    labels, ports = compose_labels("other", "kafka", str(tmp_path / "x")), {"1/tcp": ("0.0.0.0", free_port())}
    engine.run("tiny", "sh", "-c", script, name="other-kafka-1", labels=labels, ports=ports)
    heading, *rows = kafkactl("ps").out.splitlines()
    assert heading.split()[:2] == ["PROJECT", "SERVICE"]
    assert [row.split()[0] for row in rows].count(zookeeper_stack.project) == len(SERVICES)
    (row,) = [row for row in rows if row.startswith("other ")]
    assert f"0.0.0.0:{ports['1/tcp'][1]}→1" in row
    assert {service["project"] for service in json.loads(kafkactl("ps", "-o", "json").out)["services"]} == {
        "other",
        zookeeper_stack.project,
    }
    assert {row.split()[0] for row in kafkactl("ps", "--project", "other").out.splitlines()[1:]} == {"kafka"}
    found = kafkactl("logs", "other-kafka-1", "--grep", "^ERROR").out
    assert found == "ERROR no broker\n"
    engine.client.containers.get("other-kafka-1").stop(timeout=0)
    (service,) = json.loads(kafkactl("ps", "--project", "other", "-o", "json").out)["services"]
    assert service["state"] == "exited"
    assert service["ports"] == []
