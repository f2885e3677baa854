"""KD2: disks that fill up, and topics that would fill them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic

from kafkactl.sandbox.foreground import throwaway
from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import create
from tests.lab import faults
from tests.lab.examination import Doctor, after

MIB = 1024 * 1024


@contextmanager
def small_disk(sandbox: RunningSandbox, size: str) -> Iterator[Path]:
    """Move the only broker's data to a disk of this size, which takes root to make."""
    if os.geteuid() != 0:
        pytest.skip("a small disk (tmpfs) can only be mounted by root")
    (node,) = sandbox.nodes
    data, kept = node.directory / "data", node.directory / "kept"
    sandbox.stop(node.id)
    data.rename(kept)
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", data], check=False)
    if mounted.returncode:
        pytest.skip("this root may not mount a tmpfs")
    try:
        shutil.copytree(kept, data, dirs_exist_ok=True)
        sandbox.start(node.id)
        yield data
    finally:
        sandbox.kill(node.id)
        subprocess.run(["umount", data], check=True)


@pytest.mark.quick
@pytest.mark.provokes("KD202", "a disk of 128 MiB that something else fills", healed="with room")
def test_disk_low(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox, small_disk(sandbox, "128m") as disk:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        doctor().content()
        usable = shutil.disk_usage(disk).free
        filler = disk / "filler"
        filler.write_bytes(b"\0" * (usable - 14 * MIB))
        seen = doctor()
        seen.names("KD202", exit_code=0)
        assert seen.findings("KD202")[0]["severity"] == "warning"
        filler.write_bytes(b"\0" * (usable - 3 * MIB))
        full = doctor()
        full.names("KD202")
        assert full.findings("KD202")[0]["severity"] == "error"
        filler.unlink()
        doctor().content()


@pytest.mark.provokes("KD208", "10 MiB a day, kept for 90 days, on a disk of 256 MiB")
def test_retention_beyond_disk(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway() as sandbox, small_disk(sandbox, "256m"):
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        create(sandbox.bootstrap, NewTopic("a", 1, 1, config={"retention.ms": str(90 * 86_400_000)}))
        faults.write(sandbox.bootstrap, "a", 100, size=100_000)
        seen = doctor()
        seen.names("KD208", exit_code=0)
        retention = re.search(r"retention: (\w+)", seen.remedies("KD208")[0])
        assert retention, seen.remedies("KD208")
        Path("topics.yaml").write_text(f"topics: {{a: {{partitions: 1, replication: 1, retention: {retention[1]}}}}}")
        after(seen.command("KD208")).content()
