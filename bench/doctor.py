"""The doctor on a healthy stack in containers, beside the guide's checklist as its shell commands."""

import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import kafka_scripts
from measure import Contest, Entry, Sheet, timed

REPOSITORY = Path(__file__).resolve().parent.parent
KAFKACTL = str(Path(sys.executable).parent / "kafkactl")
sys.path.insert(0, str(REPOSITORY))  # the stack's images are those of the tests

# The commands of the guide's chapters "check the state" and "troubleshooting", as far as a healthy stack has them run.
_CHECKLIST = """
{compose} ps
{compose} logs --tail=100 kafka
{compose} ps zookeeper
lsof -i :{internal} || ss -ltn "sport = :{internal}"
lsof -i :{external} || ss -ltn "sport = :{external}"
docker stats --no-stream {kafka}
docker exec {kafka} kafka-broker-api-versions --bootstrap-server localhost:9092
docker exec {kafka} kafka-broker-api-versions --bootstrap-server kafka:9092
docker exec {kafka} kafka-topics --bootstrap-server localhost:9092 --list
docker exec {kafka} kafka-consumer-groups --bootstrap-server localhost:9092 --list
docker exec {kafka} kafka-consumer-groups --bootstrap-server localhost:9092 --describe --all-groups
"""


def doctor() -> Generator[Contest | Sheet, None, None]:
    """A healthy stack, looked at as a whole."""
    from tests.docker.compose import ZOOKEEPER_STACK, command, stack
    from tests.docker.engine import NoEngineError, engine

    label = "the guide's checklist"
    try:
        with engine() as running, stack(running, ZOOKEEPER_STACK) as there, tempfile.TemporaryDirectory() as scratch:
            there.compose("up", "-d")
            environment = {"DOCKER_HOST": running.host, "KAFKA_BROKERS": there.brokers}
            timed((KAFKACTL, "doctor", "--wait", "90s", "--fail-on", "warn"), REPOSITORY, environment)
            lines = _CHECKLIST.format(
                compose=f"{' '.join(command())} -p {there.project}",
                internal=there.ports["KAFKA_INTERNAL_PORT"],
                external=there.ports["KAFKA_PORT"],
                kafka=f"{there.project}-kafka",
            )
            script = kafka_scripts.write_script(Path(scratch) / "checklist.sh", lines.strip().splitlines())
            by_hand = Entry(label, script, environment=there.environment, directory=REPOSITORY, slow=True)
            ours = Entry(
                "kafkactl doctor", (KAFKACTL, "doctor"), environment=environment, directory=REPOSITORY, bar=2.5
            )
            yield Contest(
                "doctor: ZooKeeper, Kafka, stand-ins of Kafka UI and the exporter, 27 topics, in containers",
                [ours, by_hand],
                note="The checklist's tools run in the broker's container with the flags of the tests' image (serial "
                "GC, C1, an AOT cache), in their favour. It prints; what is wrong, one has to see.",
            )
    except NoEngineError as error:
        yield Contest("doctor in containers", [Entry(label, unavailable=str(error))])
