"""What is measured, beside what, and on which broker."""

import contextlib
import dataclasses
import re
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

import kafka_scripts
from doctor import doctor as doctor_in_containers
from groups import groups
from kafka_scripts import Tools
from measure import Contest, Entry, Sheet, timed
from moves import moves
from placement import placement
from records import records

from kafkactl.catalog.file import load_catalog
from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.ports import free_ports
from kafkactl.sandbox.preparation import prepare
from kafkactl.sandbox.running import RunningSandbox

REPOSITORY = Path(__file__).resolve().parent.parent
KAFKACTL = str(Path(sys.executable).parent / "kafkactl")
_THOUSAND = 1000
_LIGHT, _LOOK = 1.15, 2.2  # most times what `import typer` takes

Contests = Generator[Contest | Sheet, None, None]


def start() -> Contests:
    """The time before anything happens, on every run and every press of the Tab key."""
    with _broker() as broker, tempfile.TemporaryDirectory() as scratch:
        _ready(_on(broker, "kafkactl init-topics"))
        _ready(_on(broker, "kafkactl produce payment.created value"))
        bare = Path(scratch)
        yield Contest(
            "Start, as a multiple of what the command line's framework takes",
            [
                Entry("python -c 'import typer'", (sys.executable, "-c", "import typer")),
                Entry("python -c pass", (sys.executable, "-c", "pass")),
                Entry("kafkactl --version", (KAFKACTL, "--version"), most_factor=_LIGHT),
                Entry("kafkactl --help", (KAFKACTL, "--help"), most_factor=_LIGHT),
                _completion(""),
                _completion("tail --no-f"),
                _completion("describe payment."),
                _look(broker, "kafkactl tail payment.created -n 1 --no-follow", bare),
                _look(broker, "kafkactl describe", bare),
                _look(broker, "kafkactl lag", bare),
                _on(broker, "kafkactl tail payment.created -n 1 --no-follow"),
                _on(broker, "kafkactl describe"),
                _on(broker, "kafkactl lag"),
            ],
            note="Byte code is cached. The Tab key (⇥): the commands, an option, and a topic of topics.yaml. The last "
            "three also read a topics.yaml of 27 topics; the three before find none.",
        )


def _completion(words: str) -> Entry:
    """What the shell runs for the Tab key behind these words."""
    environment = {
        "_KAFKACTL_COMPLETE": "complete_bash",
        "COMP_WORDS": f"kafkactl {words}",
        "COMP_CWORD": str(len(words.split()) or 1),
    }
    return Entry(f"kafkactl {words}⇥", (KAFKACTL,), environment, REPOSITORY, most_factor=_LIGHT)


def _look(broker: RunningSandbox, label: str, directory: Path) -> Entry:
    return dataclasses.replace(_on(broker, label, directory), most_factor=_LOOK)


def create() -> Contests:
    """The repository's topics on an empty broker, and nothing to do with them in place."""
    with _broker() as broker, tempfile.TemporaryDirectory() as scratch:
        tools = Tools.find()
        old = _old_script(broker, tools, Path(scratch))
        ours, proof = _on(broker, "kafkactl init-topics"), _on(broker, "kafkactl diff")
        yield Contest(
            "init-topics: the 27 topics, on an empty broker",
            [_fresh(ours, broker, proof), _fresh(old, broker, proof)],
            note="Outside the timing, topics are deleted before each run and `kafkactl diff` must be content after it.",
            factor=30,
        )
        _ready(ours)
        yield Contest("init-topics: the 27 topics, nothing to do", [ours, old])
        yield Contest(
            "kafka-topics --create --if-not-exists: once, by the JVM's flags",
            [
                _script(broker, tools, Path(scratch), label, kafka_scripts.create_one("payment.created", flags))
                for label, flags in (
                    ("stock", f"{kafka_scripts.PERFORMANCE} {kafka_scripts.JMX}"),
                    ("KAFKA_JMX_OPTS=' '", kafka_scripts.PERFORMANCE),
                    (f"KAFKA_JMX_OPTS=' ' KAFKA_JVM_PERFORMANCE_OPTS='{kafka_scripts.QUICK}'", kafka_scripts.QUICK),
                )
            ],
            note="What the ratios above owe to the stock flags: a script whose author tuned them would be so much "
            "quicker.",
        )


def thousand() -> Contests:
    """A cluster of some size: 1,000 topics of 3 partitions."""
    with _broker() as broker, tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "thousand.yaml").write_text(_thousand_topics(), encoding="utf-8")
        init = _on(broker, "kafkactl init-topics -f thousand.yaml", directory, bar=4.0)
        missing = Entry(
            "kafka-topics --create … (1,000 times)",
            unavailable="not run: 37 times as many JVMs as for the 27 topics",
        )
        diff = _on(broker, "kafkactl diff -f thousand.yaml", directory)
        yield Contest(
            "init-topics: 1,000 topics × 3 partitions, on an empty broker",
            [_fresh(init, broker, diff), missing],
            note="Deleted and checked as for the 27 topics. The first run's broker had just started.",
        )
        _ready(init)
        again = _on(broker, "kafkactl init-topics -f thousand.yaml", directory, bar=2.5)
        yield Contest("init-topics: 1,000 topics × 3 partitions, nothing to do", [again])
        tools = Tools.find()
        script = [f'{kafka_scripts.tool("kafka-topics")} --bootstrap-server "$KAFKA_BROKERS" --describe']
        yield Contest(
            "diff: 1,000 topics × 3 partitions, all as declared",
            [diff, _script(broker, tools, directory, "kafka-topics --describe", script)],
            note="Kafka's tool shows partitions and settings; comparing them is left to the reader.",
        )


def everyday() -> Contests:
    """What is typed every day, with the 27 topics in place."""
    with _broker() as broker, tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        tools = Tools.find()
        _ready(_on(broker, "kafkactl init-topics"))
        server = '--bootstrap-server "$KAFKA_BROKERS"'
        describe = [f"{kafka_scripts.tool('kafka-topics')} {server} --describe"]
        by_hand = _script(broker, tools, directory, "kafka-topics --describe", describe)
        yield Contest(
            "diff: the 27 topics, all as declared",
            [_on(broker, "kafkactl diff"), by_hand],
            note="Kafka's tool shows partitions and settings; comparing them is left to the reader.",
        )
        yield Contest("describe: the cluster and its 27 topics", [_on(broker, "kafkactl describe"), by_hand])
        smoke = _script(
            broker,
            tools,
            directory,
            "kafka-topics --create, kafka-console-producer, kafka-console-consumer, kafka-topics --delete",
            kafka_scripts.round_trip("bench-smoke"),
            runs_less=True,
        )
        yield Contest(
            "test: the end-to-end proof",
            [_on(broker, "kafkactl test"), smoke],
            note="By hand: one record there and back. kafkactl test: 100 records to each partition, every byte "
            "compared, a committed offset, the declared topics looked for.",
        )
        yield Contest(
            "lint: the 27 topics",
            [Entry("kafkactl lint", (KAFKACTL, "lint"), directory=REPOSITORY)],
            note="Nothing to compare with: the old scripts had no check before they ran.",
        )


def sandbox() -> Contests:
    """A whole Kafka, from nothing to gone."""
    with tempfile.TemporaryDirectory() as scratch, free_ports(6) as ports:
        classes = prepare(None, unverified=False, progress=lambda _: None).class_path
        for brokers, bar, options in ((1, 3.0, ""), (3, 6.0, "--brokers 3 ")):
            label = f"kafkactl sandbox run {options}-- true"
            command = (KAFKACTL, *label.split()[1:])
            script = Path(scratch) / f"quick-start-{brokers}.sh"
            by_hand = Entry(
                f"kafka-storage format, kafka-server-start, wait for the port, kill ({brokers} of each)",
                kafka_scripts.write_script(script, kafka_scripts.quick_start(brokers)),
                environment={
                    **kafka_scripts.broker_environment(classes),
                    "PORTS": " ".join(str(port) for port in ports[: 2 * brokers]),
                },
                slow=brokers > 1,
            )
            yield Contest(
                f"sandbox run: {brokers} broker{'s' if brokers > 1 else ''}, started, used and gone",
                [Entry(label, command, bar=bar), by_hand],
                note="The same jars and Java runtime. By hand an open port counts as started; kafkactl waits until "
                "every broker answers and names all of them.",
            )


def doctor() -> Contests:
    """A healthy stack, looked at as a whole: with containers, and without."""
    yield from doctor_in_containers()
    with _broker() as broker:
        ours = _on(broker, "kafkactl doctor", bar=1.5)
        _ready(_on(broker, "kafkactl init-topics"))
        yield Contest("doctor: a sandbox of one broker with 27 topics, no containers", [ours])


WORKLOADS: Mapping[str, Callable[[], Contests]] = {
    "start": start,
    "create": create,
    "thousand": thousand,
    "everyday": everyday,
    "sandbox": sandbox,
    "records": records,
    "doctor": doctor,
    "groups": groups,
    "placement": placement,
    "moves": moves,
}


@contextlib.contextmanager
def _broker() -> Iterator[RunningSandbox]:
    """An empty broker, its JVM as Kafka's own scripts start it."""
    with throwaway(full_jit=True) as broker:
        yield broker


def _on(broker: RunningSandbox, label: str, directory: Path = REPOSITORY, bar: float | None = None) -> Entry:
    """A kafkactl command as it is typed, on a broker."""
    environment = {"KAFKA_BROKERS": broker.bootstrap}
    return Entry(label, (KAFKACTL, *label.split()[1:]), environment=environment, directory=directory, bar=bar)


def _script(
    broker: RunningSandbox,
    tools: Tools,
    directory: Path,
    label: str,
    lines: list[str],
    *,
    runs_less: bool = False,
) -> Entry:
    """A shell script of Kafka's tools, on a broker."""
    if tools.unavailable:
        return Entry(label, unavailable=tools.unavailable)
    path = directory / f"{re.sub(r'[^a-z]+', '-', label)}.sh"
    environment = {**tools.environment, "KAFKA_BROKERS": broker.bootstrap}
    return Entry(label, kafka_scripts.write_script(path, lines), environment=environment, slow=runs_less)


def _old_script(broker: RunningSandbox, tools: Tools, directory: Path) -> Entry:
    """The script that kafkactl replaces: a JVM for each topic."""
    topics = {
        topic.name: (topic.partitions or 1, topic.replication or 1, topic.config)
        for topic in load_catalog(REPOSITORY / "topics.yaml").topics.values()
    }
    label = f"kafka-topics --create --if-not-exists … ({len(topics)} times)"
    return _script(broker, tools, directory, label, kafka_scripts.create_each(topics), runs_less=True)


def _fresh(entry: Entry, broker: RunningSandbox, proof: Entry) -> Entry:
    """The entry on a broker without topics; afterwards all must be there as declared, whoever made them."""
    command = (sys.executable, str(REPOSITORY / "bench" / "delete_topics.py"), broker.bootstrap)

    def delete_topics() -> None:
        timed(command, None, {})

    return dataclasses.replace(entry, before=delete_topics, after=lambda: _ready(proof))


def _ready(entry: Entry) -> None:
    """Run an entry, untimed."""
    timed(entry.command, entry.directory, entry.environment)


def _thousand_topics() -> str:
    lines = ["defaults: {partitions: 3, replication: 1, retention: 7d}", "topics:"]
    lines += [f"  bench.topic-{number:04}: {{}}" for number in range(_THOUSAND)]
    return "\n".join([*lines, ""])
