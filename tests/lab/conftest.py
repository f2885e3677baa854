"""The doctor in the laboratory, and the record of what it found: tests/lab/RESULTS.md, where KAFKACTL_LAB names it."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.doctor.codes import codes
from tests.conftest import Outcome
from tests.docker.engine import Engine
from tests.lab.examination import Doctor, Examination, examination
from tests.lab.stacks import LabStack, lab_stack

_ROWS = pytest.StashKey[list[tuple[str, ...]]]()
_PASSED = pytest.StashKey[bool]()
_HEADING = """\
# What the laboratory found

Written by `make lab`: each fault provoked on a real Kafka, engine or container. A run of a part of it replaces the rows
of that part.

| code | fault | image | headline | healed | seconds |
|---|---|---|---|---|---|
"""


@pytest.fixture
def kraft_stack(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LabStack]:
    """One KRaft broker in a container, not started yet; KAFKA_BROKERS is its address, DOCKER_HOST its engine's."""
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with lab_stack(engine, tmp_path) as there:
        monkeypatch.setenv("KAFKA_BROKERS", there.brokers)
        yield there


@pytest.fixture
def zookeeper_stack(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LabStack]:
    """The same with ZooKeeper, and the last Kafka that has it."""
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    with lab_stack(engine, tmp_path, zookeeper=True) as there:
        monkeypatch.setenv("KAFKA_BROKERS", there.brokers)
        yield there


# From these files on, two stacks of others run on the engine beside the one that is examined.
_NOT_ALONE = (
    "test_families",
    "test_family_faults",
    "test_fix",
    "test_fix_file",
    "test_pairs",
    "test_services",
    "test_wiring",
)


@pytest.fixture(autouse=True)
def _others_on_the_engine(request: pytest.FixtureRequest) -> None:
    if request.path.stem in _NOT_ALONE and "engine" in request.fixturenames:
        request.getfixturevalue("neighbours")


@pytest.fixture(scope="session")
def neighbours(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two stacks of others on the same engine: one that works, and one whose broker is stopped."""
    with (
        lab_stack(engine, tmp_path_factory.mktemp("works")) as sound,
        lab_stack(engine, tmp_path_factory.mktemp("stopped"), zookeeper=True) as stopped,
    ):
        sound.up()
        stopped.up()
        stopped.compose("stop", "kafka")
        sound.until("kafka", "healthy")
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` leaves out what is marked so."""
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.get_closest_marker("quick"):
            item.add_marker("lab")


@pytest.fixture
def doctor(kafkactl: Callable[..., Outcome], request: pytest.FixtureRequest) -> Iterator[Doctor]:
    """kafkactl doctor; what it says of the fault that a test is marked with is recorded."""
    seen: list[Examination] = []
    start = time.monotonic()

    def run(*arguments: str) -> Examination:
        seen.append(examination(kafkactl("doctor", "-o", "json", *arguments)))
        return seen[-1]

    yield run
    mark = request.node.get_closest_marker("provokes")
    if mark and request.node.stash.get(_PASSED, False):
        code, fault = mark.args
        told = next((s for s in seen if code in s.checks and s.findings(code)), seen[0] if seen else None)
        words = f"{codes()[code].title}."  # where a test examines in a way of its own
        if told:
            words = told.findings(code)[0]["headline"] if told.findings(code) else told.headline
        rows = request.config.stash.setdefault(_ROWS, [])
        healed, seconds = mark.kwargs.get("healed", "by the remedy"), f"{time.monotonic() - start:.1f}"
        rows.append((code, fault, _family(request, mark), _steady(words), healed, seconds))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Only what a test that passed has seen is recorded."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report


def _family(request: pytest.FixtureRequest, mark: pytest.Mark) -> str:
    """The family of images whose broker it was; the laboratory's own image where none is named."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return str(mark.kwargs.get("family") or parameters.get("stack") or parameters.get("case") or "own")


def _steady(words: str) -> str:
    """A headline without what a run makes up: directories, and a stack's prefix."""
    return re.sub(r"\blab\w{6}-", "", re.sub(r"/\w*/kafkactl-\w+/", "/…/", words))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the table of what was provoked, where KAFKACTL_LAB names a file for it."""
    path, rows = os.environ.get("KAFKACTL_LAB"), session.config.stash.get(_ROWS, [])
    if hasattr(session.config, "workeroutput"):  # one of several processes: the first one writes
        session.config.workeroutput["laboratory"] = rows
    elif path and rows:
        chosen = any(getattr(session.config.option, name) for name in ("keyword", "file_or_dir", "deselect"))
        whole = exitstatus == pytest.ExitCode.OK and not chosen
        _write(Path(path), rows, whole=whole)


def pytest_testnodedown(node: object) -> None:
    """What another process has seen."""
    config = node.config  # type: ignore[attr-defined]
    found = getattr(node, "workeroutput", {}).get("laboratory", [])
    config.stash.setdefault(_ROWS, []).extend(map(tuple, found))


def _write(path: Path, rows: list[tuple[str, ...]], *, whole: bool) -> None:
    """The rows, and those of faults that were not provoked this time, unless all were."""
    lines = path.read_text("utf-8").splitlines() if path.exists() and not whole else []
    before = [tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| KD")]
    told = [tuple(cell.replace("|", "/") for cell in row) for row in rows]
    table = {row[:3]: row for row in [*before, *told] if len(row) == _COLUMNS}
    path.write_text(_HEADING + "".join(f"| {' | '.join(row)} |\n" for row in sorted(table.values())), "utf-8")


_COLUMNS = 6
