"""Kafka's own command-line tools, as its scripts start them: one JVM a command."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import CommandFailed, timed

from kafkactl.directories import cache_directory
from kafkactl.errors import KafkactlError
from kafkactl.sandbox import java
from kafkactl.sandbox.artifacts import fetch, read_sums, unfit
from kafkactl.sandbox.machine import disk_errors
from kafkactl.sandbox.preparation import class_path

VERSION = "4.1.1"
_SUMS = Path(__file__).parent / f"kafka-tools-{VERSION}.sha256"
# What kafka-run-class.sh gives every JVM where the user's environment says nothing else.
PERFORMANCE = (
    "-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
    "-XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true"
)
JMX = (
    "-Dcom.sun.management.jmxremote=true -Dcom.sun.management.jmxremote.authenticate=false "
    "-Dcom.sun.management.jmxremote.ssl=false"
)
# As config/tools-log4j2.yaml has it: tools log from warnings on, to stderr.
_LOG = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
# Script → class and heap, as in bin/.
_TOOLS = {
    "kafka-topics": ("org.apache.kafka.tools.TopicCommand", "-Xmx256M"),
    "kafka-console-producer": ("org.apache.kafka.tools.ConsoleProducer", "-Xmx512M"),
    "kafka-console-consumer": ("org.apache.kafka.tools.consumer.ConsoleConsumer", "-Xmx512M"),
    "kafka-consumer-groups": ("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "-Xmx256M"),
    "kafka-reassign-partitions": ("org.apache.kafka.tools.reassign.ReassignPartitionsCommand", "-Xmx256M"),
    "kafka-storage": ("kafka.tools.StorageTool", "-Xmx256M"),
    "kafka-server-start": ("kafka.Kafka", "-Xmx1G -Xms1G"),
}


# What a short-lived JVM is better off with; a user would have to know, and export them.
QUICK = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def tool(name: str, flags: str = f"{PERFORMANCE} {JMX}") -> str:
    """A shell fragment that starts the tool; $JAVA and CLASSPATH are in its environment."""
    main, heap = _TOOLS[name]
    return f'"$JAVA" {heap} {flags} {_LOG} {main}'


def broker_environment(classes: str) -> dict[str, str]:
    """What `tool` needs around it, with the jars of a broker."""
    return {"JAVA": str(java.runtime().launcher), "CLASSPATH": classes}


def tools_environment() -> dict[str, str]:
    """What `tool` needs around it, with the jars of Kafka's tools, fetched on first use and run once.

    Raises KafkactlError or CommandFailed where they cannot be had or do not run.
    """
    cache = cache_directory() / "bench"
    jars = read_sums(_SUMS.read_text())
    with disk_errors("KAFKACTL_CACHE names another directory."):
        if missing := unfit(jars, cache):
            fetch(missing, cache, cache_directory(), lambda _: None)
    environment = broker_environment(class_path(jars, cache))
    timed(["sh", "-c", f"{tool('kafka-topics')} --version"], None, environment)
    return environment


@dataclass(frozen=True)
class Tools:
    """Kafka's command-line tools, or why there are none."""

    environment: Mapping[str, str]
    unavailable: str = ""

    @classmethod
    def find(cls) -> "Tools":
        """Fetch them if they are not there."""
        try:
            return cls(tools_environment())
        except (KafkactlError, CommandFailed, OSError) as error:
            return cls({}, str(error).splitlines()[0])


def write_script(path: Path, lines: Sequence[str]) -> tuple[str, str]:
    """Write a shell script that stops at the first failure; the command that runs it."""
    path.write_text("\n".join(["set -e", *lines, ""]), encoding="utf-8")
    return ("bash", str(path))


def create_each(topics: Mapping[str, tuple[int, int, Mapping[str, str]]]) -> list[str]:
    """One `kafka-topics --create --if-not-exists` a topic; `topics` has partitions, replication and settings."""
    lines = []
    for name, (partitions, replication, config) in topics.items():
        settings = " ".join(f"--config {shlex.quote(f'{key}={value}')}" for key, value in config.items())
        lines.append(
            f'{tool("kafka-topics")} --bootstrap-server "$KAFKA_BROKERS" --create --if-not-exists '
            f"--topic {shlex.quote(name)} --partitions {partitions} --replication-factor {replication} {settings}"
        )
    return lines


def create_one(topic: str, flags: str) -> list[str]:
    """A single `kafka-topics --create --if-not-exists`, with other flags than the stock ones."""
    command = f"--create --if-not-exists --topic {topic} --partitions 3 --replication-factor 1"
    return [f'{tool("kafka-topics", flags)} --bootstrap-server "$KAFKA_BROKERS" {command}']


def round_trip(topic: str) -> list[str]:
    """Create a topic, write one record, read it back, delete the topic: a smoke test by hand."""
    server = '--bootstrap-server "$KAFKA_BROKERS"'
    return [
        f"{tool('kafka-topics')} {server} --create --topic {topic} --partitions 1 --replication-factor 1",
        f'echo \'{{"test": "message"}}\' | {tool("kafka-console-producer")} {server} --topic {topic}',
        f"{tool('kafka-console-consumer')} {server} --topic {topic} --from-beginning --max-messages 1",
        f"{tool('kafka-topics')} {server} --delete --topic {topic}",
    ]


def quick_start(brokers: int) -> list[str]:
    """Format and start brokers as the quick start says, wait until their ports are open, and kill them.

    $PORTS has two ports a broker, for clients and for controllers. An open port is a moment before Kafka serves.
    """
    clean = 'kill -KILL $pids 2>/dev/null || true; wait || true; rm -rf "$home"'
    lines = ["home=$(mktemp -d)", f"trap '{clean}' EXIT", "set -- $PORTS"]
    voters = ",".join(f"{id}@127.0.0.1:${{{2 * id}}}" for id in range(1, brokers + 1))
    for id in range(1, brokers + 1):
        lines += [
            f'mkdir "$home/{id}"',
            f'cat > "$home/{id}.properties" <<END',
            "process.roles=broker,controller",
            f"node.id={id}",
            f"controller.quorum.voters={voters}",
            f"listeners=PLAINTEXT://127.0.0.1:${{{2 * id - 1}}},CONTROLLER://127.0.0.1:${{{2 * id}}}",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names=CONTROLLER",
            "offsets.topic.replication.factor=1",
            f"log.dirs=$home/{id}",
            "END",
            f'{tool("kafka-storage")} format -t 4L6g3nShT-eMCtK--X86sw -c "$home/{id}.properties"',
        ]
    for id in range(1, brokers + 1):
        lines += [f'{tool("kafka-server-start")} "$home/{id}.properties" & pids="$pids $!"']
    for id in range(1, brokers + 1):
        lines += [f"until (exec 3<>/dev/tcp/127.0.0.1/${{{2 * id - 1}}}) 2>/dev/null; do sleep 0.05; done"]
    return lines
