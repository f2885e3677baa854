"""Real brokers for the tests, and the command line as a user runs it."""

import gc
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.arrangement import arrange, group
from tests.printed import checker, printed
from tests.program import KAFKACTL, heed_interrupts
from tests.sandboxes import eventually, take_back

if TYPE_CHECKING:
    from kafkactl.sandbox.running import RunningSandbox
    from tests.docker.engine import Engine

REPOSITORY = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).resolve().parent / "golden"

hypothesis.settings.register_profile("test", max_examples=100, deadline=None)
hypothesis.settings.register_profile("lab", max_examples=400, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--shuffle SEED: the order must not matter."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run groups, and the tests in each, in another order")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test runs; in every worker, too."""
    heed_interrupts()
    # Only where a test asks for it: a client that librdkafka's own thread destroys ends this process (abort).
    gc.disable()
    hypothesis.settings.load_profile("lab" if os.environ.get("KAFKACTL_LAB") else "test")


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark property tests, which `make lab` runs with more examples; and arrange all."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("property")
    arrange(items, config.getoption("shuffle"))


@dataclass(frozen=True)
class Outcome:
    """What one run of kafkactl printed and ended with."""

    code: int
    out: str
    err: str  # without the line that says which cluster it speaks to
    cluster: str = ""  # that line

    @property
    def text(self) -> str:
        return self.out + self.err


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test inherits a developer's environment, or finds the repository's own topics.yaml by accident."""
    for name in ("KAFKA_BROKERS", "KAFKACTL_CATALOG", "KAFKACTL_DEBUG", "KAFKA_TOPICS", "KAFKA_CONSUMER_GROUP"):
        monkeypatch.delenv(name, raising=False)
    for name in ("KAFKACTL_CLIENT_CONFIG", "KAFKACTL_SECURE_DIR", "KAFKACTL_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path / "own-state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _young_garbage() -> Iterator[None]:
    yield
    gc.collect(1)


@pytest.fixture(autouse=True, scope="module")
def _garbage() -> Iterator[None]:
    yield
    gc.collect()


_check_printed = checker()
_OF_CLUSTER = r"(?m)^Kafka at \S+(?: \([^)]*\))?\n"


def without_cluster(err: str) -> str:
    """What was written to stderr, without the line that says which cluster the command speaks to."""
    return re.sub(_OF_CLUSTER, "", err)


class Started(subprocess.Popen[str]):
    """A process of kafkactl. Its stderr is without the line that says which cluster it speaks to."""

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        out, err = super().communicate(input, timeout)
        return out, without_cluster(err) if isinstance(err, str) else err

    def next_line(self) -> str:
        """The next line of its stderr."""
        assert self.stderr
        while re.fullmatch(_OF_CLUSTER, line := self.stderr.readline()):
            pass
        return line


@pytest.fixture
def kafkactl(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """kafkactl through its main(), in this process: exit code, stdout and stderr as a user gets them.

    Every command that it prints must be one that can be typed (tests/printed.py).
    """
    from kafkactl import cli

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["kafkactl", *arguments])
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        capfd.readouterr()
        try:
            with printed(monkeypatch) as commands, pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        out, err = capfd.readouterr()
        code = int(ended.value.code or 0)
        del ended
        _check_printed(commands)
        _require_no_secret(out + err)
        gc.collect(1)  # in this thread, as a process of its own would: see kafkactl/process.py
        return Outcome(code, out, without_cluster(err), "".join(re.findall(_OF_CLUSTER, err)))

    return run


def _require_no_secret(text: str) -> None:
    """Nothing that any test sees kafkactl print holds a password of a secured sandbox."""
    for user, password in _passwords.items():
        assert password not in text, f"the password of {user} was printed"


def command(*arguments: str, **options: object) -> Started:
    """kafkactl as a process of its own, for signals, pipes and whole-process behaviour."""
    return Started(
        [*KAFKACTL, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def piped(*arguments: str, into: Sequence[str]) -> Outcome:
    """What became of kafkactl in a pipe: its exit code and stderr; `out` is what the program behind it printed."""
    writer = command(*arguments)
    assert writer.stdout
    reader = subprocess.Popen(into, stdin=writer.stdout, stdout=subprocess.PIPE, text=True)
    writer.stdout.close()  # only the reader has that end now
    out, _ = reader.communicate(timeout=60)
    assert writer.stderr
    with writer.stderr:
        err = without_cluster(writer.stderr.read())
    return Outcome(writer.wait(60), out, err)


def three_lines(run: Outcome) -> list[str]:
    """The lines of an error as every command tells it: what happened, where, what to do next."""
    lines = run.err.strip().splitlines()
    assert len(lines) == 3, run.err
    assert "Traceback" not in run.text
    assert "%3|" not in run.text  # librdkafka's log
    return lines


@pytest.fixture(scope="session")
def _one_broker() -> Iterator[str]:
    from kafkactl.sandbox.foreground import throwaway

    with throwaway(brokers=1, settings=_CALM) as sandbox:
        yield sandbox.bootstrap


# Kafka writes to its metadata twice a second, to prove that it is there; nobody here looks.
_CALM = {"metadata.max.idle.interval.ms": "0"}
_until_the_group_ends = ExitStack()
_passwords: dict[str, str] = {}  # of the last secured sandbox's users
_shared: "dict[str, RunningSandbox]" = {}  # what the tests of this group share, by the fixture's name


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Brokers are busy even while nobody asks for them: three, or secured ones, end with the last test of theirs."""
    if _shared and (nextitem is None or group(nextitem) != group(item)):
        _shared.clear()
        _until_the_group_ends.close()


@pytest.fixture(scope="session")
def engine() -> "Iterator[Engine]":
    """A Docker engine (tests/docker/). Where none is and none can be started, tests are skipped; in CI they fail."""
    from tests.docker.engine import NoEngineError, can_start, engine

    try:
        with engine() as running:
            yield running
    except NoEngineError as error:
        if os.environ.get("CI") or can_start():
            pytest.fail(f"a Docker engine is needed here: {error}")
        pytest.skip(str(error))


@pytest.fixture
def one_broker(_one_broker: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a one-broker cluster, empty, and what KAFKA_BROKERS says."""
    monkeypatch.setenv("KAFKA_BROKERS", _one_broker)
    yield _one_broker
    sweep(_one_broker)


@pytest.fixture
def orders(one_broker: str) -> str:
    """A topic of three partitions and the topic of its dead letters."""
    from confluent_kafka.admin import NewTopic

    create(one_broker, NewTopic("orders", 3, 1), NewTopic("orders-dlq", 2, 1))
    return one_broker


@pytest.fixture
def three_brokers(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The addresses of a three-broker cluster, empty, and what KAFKA_BROKERS says."""
    brokers = _share("three_brokers", brokers=3).bootstrap
    monkeypatch.setenv("KAFKA_BROKERS", brokers)
    yield brokers
    sweep(brokers)


@pytest.fixture
def secured_one() -> "Iterator[RunningSandbox]":
    """One broker with every kind of listener and user (`as_user` of tests/sandboxes.py), empty."""
    sandbox = _share("secured_one", brokers=1, secure="all")
    yield sandbox
    swept(sandbox)


@pytest.fixture
def secured_three() -> "Iterator[RunningSandbox]":
    """Three such brokers. Those that a test stopped or killed are started again after it."""
    sandbox = _share("secured_three", brokers=3, secure="all")
    yield sandbox
    swept(sandbox)


@pytest.fixture
def three_racks(monkeypatch: pytest.MonkeyPatch) -> "Iterator[RunningSandbox]":
    """Three brokers, each in a rack of its own, empty; what KAFKA_BROKERS says. Those that died come back after it."""
    sandbox = _share("three_racks", brokers=3, more={"broker.rack": "rack-{id}"})
    monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
    yield sandbox
    swept(sandbox)


def _share(
    name: str, brokers: int, secure: str | None = None, more: Mapping[str, str] | None = None
) -> "RunningSandbox":
    """The sandbox of this group of tests, which is started for the first of them."""
    from kafkactl.sandbox.foreground import throwaway

    if name not in _shared:
        wanted = throwaway(brokers, settings={**_CALM, **(more or {})}, secure=secure)
        _shared[name] = _until_the_group_ends.enter_context(wanted)
        _passwords.update(_shared[name].secured.passwords if secure else {})
    return _shared[name]


def swept(sandbox: "RunningSandbox") -> None:
    """Delete what a test left on a secured sandbox, and take back what it permitted."""
    for id in [node.id for node in sandbox.nodes if not sandbox.running(node.id)]:
        sandbox.start(id)
    sweep(sandbox.internal)
    take_back(sandbox)


def sweep(brokers: str) -> None:
    """Delete every topic and group that a test left on a cluster the next test shares."""
    admin = admin_client(brokers)
    groups = [group.group_id for group in admin.list_consumer_groups().result().valid]
    for future in admin.delete_consumer_groups(groups).values() if groups else ():
        future.exception()
    names = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")]
    for future in admin.delete_topics(names).values() if names else ():
        future.exception()
    while any(name in admin.list_topics(timeout=10).topics for name in names):
        pass


def admin_client(brokers: str):  # type: ignore[no-untyped-def]
    """A plain client of the library: what a test looks at the cluster with, beside kafkactl."""
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": brokers, "log_level": 0})


def create(brokers: str, *topics: Any) -> None:
    """Create topics behind kafkactl's back, and wait until they are known, and each partition's leader answers."""
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import OffsetSpec

    admin = admin_client(brokers)
    for future in admin.create_topics(list(topics)).values():
        future.result(10)
    while not all(topic.topic in admin.list_topics(timeout=10).topics for topic in topics):
        pass
    known = admin.list_topics(timeout=10).topics
    parts = [TopicPartition(topic.topic, id) for topic in topics for id in known[topic.topic].partitions]
    deadline = time.monotonic() + 10
    while any(
        future.exception(10) for future in admin.list_offsets(dict.fromkeys(parts, OffsetSpec.latest())).values()
    ):
        assert time.monotonic() < deadline, parts
        time.sleep(0.02)


def commit(admin: Any, group: str, topic: str, offset: int, partitions: int = 1) -> None:
    """Commit for a group without members; the coordinator of a new cluster takes a moment."""
    from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

    places = [TopicPartition(topic, partition, offset) for partition in range(partitions)]

    def done() -> bool:
        future = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group]
        return not future.exception(10) and not any(place.error for place in future.result().topic_partitions)

    assert eventually(done)


def steady(text: str, brokers: str) -> str:
    """Output without what differs from run to run: addresses, ids, sizes, times."""
    port = brokers.rpartition(":")[2]
    for pattern, kept in (
        (re.escape(brokers), "127.0.0.1:PORT"),
        (rf'"port": {port}', '"port": 0'),
        (r"cluster [\w-]{22}", "cluster ID"),
        (r"cluster metadata: [\w-]{22}", "cluster metadata: ID"),
        (r'"id": "[\w-]{22}"', '"id": "ID"'),
        (r'"(\w+_bytes|leaders|seconds|p50|p95|p99)": [\d.e-]+', r'"\1": 0'),
        (r'time="[\d.]+"', 'time="0"'),
        (r" +\d+ leaders.*", "  N leaders  SPACE"),
        (r"  +\d+ B$|\d+(?:\.\d)? KiB", "  SIZE"),
        (r"  +[\d.]+ m?s\b.*$", "  TIME"),
    ):
        text = re.sub(pattern, kept, text, flags=re.MULTILINE)
    return text


def untimed(text: str) -> str:
    """JUnit without its times."""
    return re.sub(r'time="[\d.]+"', 'time="0"', text)


def golden(name: str, text: str) -> None:
    """Compare with a stored output; KAFKACTL_GOLDEN=write stores it anew."""
    path = GOLDEN / name
    if os.environ.get("KAFKACTL_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path} is missing; write it with KAFKACTL_GOLDEN=write"
    assert text == path.read_text(encoding="utf-8")
