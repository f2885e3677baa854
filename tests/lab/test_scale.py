"""Every command that reads, on a cluster of 5,000 topics × 3 and 2,000 groups, and on one of 30,000 partitions.

The bounds are those of an idle machine of two cores: 10 s and 300 MiB each. What others use of it is taken off: the
time that counts is that of the processor, and twice as much may pass on the clock.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from kafkactl.sandbox.foreground import throwaway
from tests.lab import scale
from tests.program import KAFKACTL

pytestmark = pytest.mark.lab

SECONDS, MEBIBYTES = 10.0, 300

READS = [
    ("describe",),
    ("describe", "-o", "json"),
    ("describe", "payments.00001"),
    ("describe", "payments.00001", "--groups"),
    ("lag",),
    ("lag", "--sample", "2s"),
    ("groups", "list"),
    ("groups", "describe", "group-00001"),
    ("doctor",),
    ("diff",),
    ("init-topics", "--dry-run"),
    ("export",),
    ("test",),
    ("tail", "payments.*", "--no-follow", "-n", "3"),
    ("lint",),
]


class Cost(NamedTuple):
    """What a run took: seconds of the processor, MiB at its peak; and its exit code."""

    code: int
    seconds: float
    mebibytes: float


def cost(words: Sequence[str], brokers: str, catalog: Path, out: Path) -> Cost:
    """Run kafkactl to its end."""
    environment = {**os.environ, "KAFKA_BROKERS": brokers, "KAFKACTL_CATALOG": str(catalog)}
    with out.open("w") as file:
        process = subprocess.Popen([*KAFKACTL, *words], stdout=file, stderr=subprocess.STDOUT, env=environment)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 2**20)


def within(words: Sequence[str], brokers: str, catalog: Path, directory: Path) -> None:
    """Assert that a command works, and stays within the bounds."""
    found = cost(words, brokers, catalog, directory / "out")
    print(f"{' '.join(words):45} {found.seconds:5.1f} s {found.mebibytes:5.0f} MiB")
    assert found.code in (0, 1), (directory / "out").read_text()[-2_000:]
    assert found.seconds < SECONDS, found
    assert found.mebibytes < MEBIBYTES, found


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """5,000 topics × 3, and 2,000 groups; and a catalogue that declares all of them."""
    catalog = tmp_path_factory.mktemp("large") / "topics.yaml"
    with throwaway(brokers=1, full_jit=True) as sandbox:
        scale.fill(sandbox.bootstrap, 5_000, 3, 2_000)
        catalog.write_text("topics:\n" + "".join(f"  {name}: {{partitions: 3}}\n" for name in scale.names(5_000)))
        yield sandbox.bootstrap, catalog


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_thousands_of_topics_and_groups(words: Sequence[str], large: tuple[str, Path], tmp_path: Path) -> None:
    within(words, *large, tmp_path)


def test_thirty_thousand_partitions(tmp_path: Path) -> None:
    catalog = tmp_path / "topics.yaml"
    catalog.write_text("topics: {payments.00000: {partitions: 6}}\n")
    with throwaway(brokers=3, full_jit=True) as sandbox:
        scale.fill(sandbox.bootstrap, 5_000, 6, 100)
        for words in (("describe",), ("doctor",)):
            within(words, sandbox.bootstrap, catalog, tmp_path)
