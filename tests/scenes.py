"""What the documents show of the doctor: real faults of the real stack, as kafkactl tells them.

python -m tests.scenes     provoke them, write what is said into the documents, and draw docs/doctor.svg

A document has a scene's text in the block after <!-- scene: NAME -->.

Needs root and dockerd, and the stack's own ports (40092, 40093, …) free.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.text import Text

from tests.docker.compose import ZOOKEEPER_STACK, Stack, stack
from tests.docker.engine import engine
from tests.documents import REPOSITORY, WIDTH, documents
from tests.lab.consumers import Consumes, arriving, consumer
from tests.lab.faults import write
from tests.pictures import on_a_terminal

PORTS = {
    "ZOOKEEPER_PORT": "42181",
    "KAFKA_INTERNAL_PORT": "40092",
    "KAFKA_PORT": "40093",
    "KAFKA_UI_PORT": "40080",
    "KAFKA_EXPORTER_PORT": "40308",
}


def scene(*arguments: str, **environment: str) -> str:
    """A command as it is typed, and what it shows on a terminal."""
    typed = " ".join([*(f"{name}={value}" for name, value in environment.items()), "kafkactl", *arguments])
    os.environ.update(environment)
    shown = on_a_terminal(*arguments).replace("docker-compose", "docker compose")
    for name in environment:
        del os.environ[name]
    return f"\x1b[1m$ {typed}\x1b[0m\n{shown}"


def scenes(there: Stack) -> Iterator[tuple[str, str]]:
    """The guide's five chapters of troubleshooting, and a healthy stack before them."""
    settled()
    yield "healthy", scene("doctor")
    yield "ps", scene("ps")
    with broken(there, "stop", "zookeeper", "start"):
        there.compose("restart", "-t", "5", "kafka")
        time.sleep(5)
        yield "start", scene("doctor")
    settled()
    yield "connect", scene("doctor", KAFKA_BROKERS="localhost:40092")
    there.compose("exec", "-T", "kafka", "kafka-topics", "--bootstrap-server", "kafka:9092", "--delete",
                  "--topic", "payment.created")  # fmt: skip
    time.sleep(2)
    yield "produce", scene("doctor")
    scene("init-topics")
    write("localhost:40093", "payment.success", 20, partition=0)
    stuck = Consumes("localhost:40093", "accounting-group", "payment.success", "accounting-1", stuck_after=12)
    with consumer(stuck):
        time.sleep(5)
        yield "lag", scene("doctor", "groups", "--sample", "65s", "--ignore", "KD607")
    yield "verdicts", verdicts()
    yield "logs", scene("logs", "kafka", "zookeeper", "--tail", "2")


def verdicts() -> str:
    """lag, where one consumer is stuck, one too slow, and one is fine."""
    brokers = "localhost:40093"
    write(brokers, "payment.failed", 20, partition=2)
    apps = (
        Consumes(brokers, "notification-group", "payment.failed", "notification-1", stuck_after=12),
        Consumes(brokers, "analytics-group", "payment.created", "analytics-1", handling=0.03),
        Consumes(brokers, "accounting-group", "payment.success", "accounting-1"),
    )
    with ExitStack() as stack:
        for app in apps:
            stack.enter_context(consumer(app))
        for topic, rate in (("payment.created", 117), ("payment.success", 31)):
            stack.enter_context(arriving(brokers, topic, rate))
        time.sleep(40)
        return scene("lag", *(app.group for app in apps), "--sample", "65s")


def settled() -> None:
    """Wait until nothing is wrong."""
    scene("doctor", "--wait", "90s", "--fail-on", "warn")


@contextmanager
def broken(there: Stack, verb: str, service: str, mend: str) -> Iterator[None]:
    there.compose(verb, service)
    try:
        yield
    finally:
        there.compose(mend, service)


def with_scene(document: str, name: str, text: str) -> str:
    """A document with a scene's text in its block."""
    block = re.compile(rf"(<!-- scene: {name} -->\n```text\n).*?(^```$)", re.MULTILINE | re.DOTALL)
    plain = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    return block.sub(lambda found: f"{found[1]}{plain}\n{found[2]}", document)


def main() -> None:
    """Print the scenes, and draw those of the picture."""
    drawn = Console(record=True, width=WIDTH, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    with engine() as running, stack(running, ZOOKEEPER_STACK, STACK="payment", **PORTS) as there:
        os.environ["DOCKER_HOST"] = running.host
        there.compose("up", "-d")
        for name, text in scenes(there):
            sys.stdout.write(f"=== {name}\n{Text.from_ansi(text).plain}\n\n")
            for path in documents():
                before = path.read_text("utf-8")
                after = with_scene(before, name, Text.from_ansi(text).plain)
                if after != before:
                    path.write_text(after, "utf-8")
            if name in ("start", "healthy"):
                drawn.print(Text.from_ansi(text), end="\n\n")
    (REPOSITORY / "docs" / "doctor.svg").write_text(
        drawn.export_svg(title="kafkactl doctor", unique_id="doctor"), "utf-8"
    )


if __name__ == "__main__":
    main()
