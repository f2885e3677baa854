"""The record path: a million records out of Kafka and in, beside kcat and Kafka's console tools."""

import dataclasses
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import kafka_scripts
from kafka_scripts import Tools
from measure import CommandFailed, Contest, Entry, Sheet, child_environment, timed

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox

KAFKACTL = str(Path(sys.executable).parent / "kafkactl")
RECORDS = 1_000_000
_NO_KCAT = "apt-get install kcat"
_FORMAT = r"%t %p %o %k %s\n"
_TOPICS = {topic: {"partitions": 3, "retention": "infinite"} for topic in ("look", "follow")}
_WRITTEN = {"written": {"partitions": 3, "retention": "infinite"}}


@dataclass(frozen=True)
class Surroundings:
    """What the commands of this workload run on and with."""

    broker: RunningSandbox
    directory: Path
    tools: Tools

    @property
    def lines(self) -> Path:
        """The records: a key, a colon and a value on each line."""
        return self.directory / "records.txt"

    def entry(self, label: str, line: str, *, slow: bool = False, factor: float | None = None) -> Entry:
        """A shell line as an entry; $KAFKA_BROKERS says where."""
        unavailable = ""
        if "kcat" in line and not shutil.which("kcat"):
            unavailable = _NO_KCAT
        if "$JAVA" in line and self.tools.unavailable:
            unavailable = self.tools.unavailable
        environment = {**self.tools.environment, "KAFKA_BROKERS": self.broker.bootstrap}
        command = ("bash", "-c", f"set -o pipefail; {line}")
        return Entry(
            label, command, environment, self.directory, slow=slow, least_factor=factor, unavailable=unavailable
        )

    def counted(self, label: str, line: str, *, slow: bool = False, factor: float | None = None) -> Entry:
        """A shell line that must write a line for every record to its pipe."""
        return self.entry(label, f'test "$({line} | wc -l)" -eq {RECORDS}', slow=slow, factor=factor)


def records() -> Generator[Contest | Sheet, None, None]:
    """1,000,000 records of about 230 bytes with keys, 3 partitions, one broker; each command writes to a pipe."""
    with throwaway(full_jit=True) as broker, tempfile.TemporaryDirectory() as scratch:
        here = Surroundings(broker, Path(scratch), Tools.find())
        _write_lines(here.lines)
        _create(here, _TOPICS)
        _fill(here)
        yield from _reading(here)
        yield _first_record(here)
        yield _latency(here)
        yield from _writing(here)


def _reading(here: Surroundings) -> Generator[Contest, None, None]:
    consumer = f'{kafka_scripts.tool("kafka-console-consumer")} --bootstrap-server "$KAFKA_BROKERS" --topic look'
    tail = f"{KAFKACTL} tail look --from-beginning --no-follow"
    kcat = 'kcat -C -q -b "$KAFKA_BROKERS" -t look -o beginning -e'
    yield Contest(
        "tail: every record's value",
        [
            here.counted("kafkactl tail look --from-beginning --no-follow", tail),
            here.counted("kcat -C -q -t look -o beginning -e", kcat, factor=1.2),
            here.counted(
                "kafka-console-consumer --topic look --from-beginning --max-messages 1000000",
                f"{consumer} --from-beginning --max-messages {RECORDS}",
                slow=True,
                factor=3.0,
            ),
        ],
    )
    yield Contest(
        "tail: every record as JSON",
        [
            here.counted("kafkactl tail … -o json", f"{tail} -o json"),
            here.counted("kcat … -J", f"{kcat} -J", factor=1.5),
        ],
    )
    yield Contest(
        "tail: every record in a format",
        [
            here.counted(f"kafkactl tail … --format '{_FORMAT}'", f"{tail} --format '{_FORMAT}'"),
            here.counted(f"kcat … -f '{_FORMAT}'", f"{kcat} -f '{_FORMAT}'", factor=0.6),
        ],
    )


def _first_record(here: Surroundings) -> Contest:
    tail = here.entry(
        "kafkactl tail look -n 1 --no-follow", f'test "$({KAFKACTL} tail look -n 1 --no-follow | wc -l)" -eq 1'
    )
    kcat = here.entry(
        "kcat -C -q -t look -o -1 -c 1 -e",
        'test "$(kcat -C -q -b "$KAFKA_BROKERS" -t look -o -1 -c 1 -e | wc -l)" -eq 1',
    )
    return Contest(
        "tail: the last record, from the start of the process to its end",
        [dataclasses.replace(tail, bar=0.4), kcat],
        note="kcat's is the last record of one of the partitions, kafkactl's the newest of all.",
    )


def _latency(here: Surroundings) -> Sheet:
    """The way of single records to the pipe of a command that follows."""
    server = here.broker.bootstrap
    followers = {
        "kafkactl tail follow -n 0": (KAFKACTL, "tail", "follow", "-n", "0", "-b", server),
        "kcat -C -q -u -t follow -o end": ("kcat", "-C", "-q", "-u", "-b", server, "-t", "follow", "-o", "end"),
    }
    rows = []
    for label, command in followers.items():
        if not shutil.which(command[0]):
            rows.append(f"| `{label}` | not available: {_NO_KCAT} | | | | |")
            continue
        script = str(Path(__file__).parent / "latency.py")
        found = json.loads(_output([sys.executable, script, server, "follow", *command]))
        cells = [f"{found[name] * 1000:.1f} ms" for name in ("p50", "p95", "p99", "max")]
        bar = "" if command[0] == "kcat" else f"p99 ≤ 50 ms: {'kept' if found['p99'] <= 0.05 else '**missed**'}"
        rows.append(f"| `{label}` | {' | '.join(cells)} | {bar} |")
    return Sheet(
        "tail: from produce() to the output of a command that follows",
        ["| Command | p50 | p95 | p99 | Max | Bar |", "| --- | ---: | ---: | ---: | ---: | --- |", *rows],
        note="2,000 records, each sent alone, 5 ms apart (bench/latency.py).",
    )


def _writing(here: Surroundings) -> Generator[Contest, None, None]:
    if _run([KAFKACTL, "produce", "--help"]).returncode:
        return
    producer = (
        f'{kafka_scripts.tool("kafka-console-producer")} --bootstrap-server "$KAFKA_BROKERS" --topic written '
        "--property parse.key=true --property key.separator=:"
    )
    entries = [
        here.entry("kafkactl produce written -K :", f"{KAFKACTL} produce written -K : < {here.lines}"),
        here.entry("kcat -P -t written -K:", f'kcat -P -b "$KAFKA_BROKERS" -t written -K: < {here.lines}', factor=0.7),
        here.entry(
            "kafka-console-producer --property parse.key=true …", f"{producer} < {here.lines}", slow=True, factor=2.5
        ),
    ]
    yield Contest(
        "produce: records with keys from stdin",
        [dataclasses.replace(entry, before=lambda: _anew(here), after=lambda: _all_written(here)) for entry in entries],
        note="Into an empty topic, whose end offsets must say afterwards that every record is there. kafkactl and "
        "Kafka's tool write with acks=all and idempotence, kcat with acks=all.",
    )


def _write_lines(path: Path) -> None:
    """Payment events as the platform's services write them, the same in every run."""
    source = random.Random(4)
    with path.open("w", encoding="ascii") as file:
        for number in range(RECORDS):
            payload = {"payment_id": f"pay_{number:012}", "amount": source.randrange(100, 99_999), "currency": "CNY"}
            event = {
                "event_id": f"{source.getrandbits(128):032x}",
                "event_type": "payment.created",
                "timestamp": f"2026-11-22T10:{number // 60 % 60:02}:{number % 60:02}Z",
                "source": "payment-gateway",
                "payload": payload,
            }
            file.write(f"user-{number % 10_007:05}:{json.dumps(event, separators=(',', ':'))}\n")


def _create(here: Surroundings, topics: Mapping[str, Mapping[str, object]], removed: str = "") -> None:
    catalogue = here.directory / "topics.yaml"
    catalogue.write_text(json.dumps({"topics": topics, "removed": [removed] if removed else []}), encoding="utf-8")
    entry = here.entry("", f"{KAFKACTL} init-topics -f {catalogue} --allow delete")
    timed(entry.command, entry.directory, entry.environment)


def _anew(here: Surroundings) -> None:
    """An empty topic to write to."""
    _create(here, _TOPICS, removed="written")
    _create(here, {**_TOPICS, **_WRITTEN})


def _all_written(here: Surroundings) -> None:
    described = json.loads(_output([KAFKACTL, "describe", "-o", "json", "-b", here.broker.bootstrap]))
    (found,) = [topic["records"] for topic in described["topics"] if topic["name"] == "written"]
    if found != RECORDS:
        raise CommandFailed(f"{found} of {RECORDS} records are there.")


def _fill(here: Surroundings) -> None:
    script = str(Path(__file__).parent / "fill.py")
    timed([sys.executable, script, here.broker.bootstrap, "look", str(here.lines)], None, {})


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, env=child_environment({}), check=False)


def _output(command: list[str]) -> str:
    done = _run(command)
    if done.returncode:
        raise CommandFailed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout
