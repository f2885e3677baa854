"""Every command that reads, on a cluster of 5,000 topics × 3 and 2,000 groups, and on one of 30,000 partitions.

The bounds are 300 MiB, and 10 s for each look at the cluster: `lag --sample` looks twice. The time that counts is the
processor's: others may be at work on this machine.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from kafkactl.sandbox.foreground import throwaway
from tests.exporters import exporting
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


# A process begins with the peak of the one that started it: this one is small, pytest is not.
_MEASURE = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdout=open(sys.argv[1], "w"), stderr=subprocess.STDOUT).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


def cost(words: Sequence[str], brokers: str, catalog: Path, out: Path) -> Cost:
    """Run kafkactl to its end."""
    environment = {**os.environ, "KAFKA_BROKERS": brokers, "KAFKACTL_CATALOG": str(catalog)}
    measure = [sys.executable, "-c", _MEASURE, str(out), *KAFKACTL, *words]
    told = subprocess.run(measure, stdout=subprocess.PIPE, env=environment, check=True)
    code, seconds, peak = json.loads(told.stdout)
    return Cost(code, seconds, peak * (1 if sys.platform == "darwin" else 1024) / 2**20)


def within(words: Sequence[str], brokers: str, catalog: Path, directory: Path) -> None:
    """Assert that a command works, and stays within the bounds."""
    found = cost(words, brokers, catalog, directory / "out")
    print(f"{' '.join(words):45} {found.seconds:5.1f} s {found.mebibytes:5.0f} MiB")
    assert found.code in (0, 1), (directory / "out").read_text()[-2_000:]
    assert found.seconds < SECONDS * (2 if "--sample" in words else 1), found
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


def test_the_exporter_of_thousands(large: tuple[str, Path]) -> None:
    """Look after look: it grows to what a minute's trends take, and no further."""
    brokers, catalog = large
    with exporting("-b", brokers, "--file", str(catalog), every="15s", check_every="1m") as exporter:
        exporter.until("kafkactl_up", 1, seconds=60)
        time.sleep(150)
        seen = exporter.metrics()
    assert seen.value("kafkactl_up") == 1
    assert len(seen.series["kafka_consumergroup_members"]) == 2_000
    assert (seen.value("kafkactl_look_duration_seconds") or 0) < 15
    memory = (seen.value("process_resident_memory_bytes") or 0) / 2**20
    print(f"{'exporter':45} {memory:.0f} MiB")
    assert memory < 400


def test_thirty_thousand_partitions(tmp_path: Path) -> None:
    catalog = tmp_path / "topics.yaml"
    catalog.write_text("topics: {payments.00000: {partitions: 20}}\n")
    with throwaway(brokers=3, full_jit=True) as sandbox:
        scale.fill(sandbox.bootstrap, 1_500, 20, 100, filled=100)
        for words in (("describe",), ("doctor",)):
            within(words, sandbox.bootstrap, catalog, tmp_path)
