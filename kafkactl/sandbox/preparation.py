"""Making a Kafka version ready: jars, the format, the AOT cache. Made once, shared by every later start.

The AOT cache (JDK 25, JEP 514) holds the broker's classes loaded and linked. It belongs to one Java runtime, one
class path and one set of jars, and halves the time a broker takes to start. One training run makes it.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kafkactl.directories import cache_directory
from kafkactl.errors import KafkactlError
from kafkactl.sandbox import java
from kafkactl.sandbox.artifacts import Jar, Progress, fetch, jars_of, pinned_versions, unfit
from kafkactl.sandbox.java import Java
from kafkactl.sandbox.machine import disk_errors, locked
from kafkactl.sandbox.model import Distribution
from kafkactl.sandbox.running import launched
from kafkactl.sandbox.secured import check_secured, log_in

# The training run ends with the JVM writing the cache, which takes some seconds of every core.
_TRAINING_SECONDS = 120.0
_TRAINING = "secured"  # what the training is: another one makes another cache
_UNUSED_SECONDS = 30 * 24 * 3600


def prepare(version: str | None, *, unverified: bool, progress: Progress) -> Distribution:
    """Make a Kafka version (default: the newest pinned one) ready to run, and verify its jars.

    Raises UsageError (no sums for this version), UnreachableError (an artifact that cannot be fetched) and
    KafkactlError (a wrong sum, or the extra is not installed).
    """
    with disk_errors("To use another directory for jars, set KAFKACTL_CACHE."):
        return _prepare(version or pinned_versions()[0], cache_directory(), unverified, progress)


def _prepare(version: str, cache: Path, unverified: bool, progress: Progress) -> Distribution:
    runtime = java.runtime()

    def told(step: str) -> None:
        progress(f"Preparing Kafka {version} (only once): {step}")

    jars = jars_of(version, cache, unverified=unverified, progress=told)
    home = cache / f"kafka-{version}-{_short_digest(*(jar.sha256 for jar in jars))}"
    aot = home / f"{_short_digest(runtime.identity, str(cache), _TRAINING)}.aot"
    format_directory = home / "format"
    if unfit(jars, cache) or not format_directory.is_dir() or not aot.exists():
        home.mkdir(parents=True, exist_ok=True)
        with locked(home / "lock", lambda: told("waiting for another kafkactl to finish it")):
            _sweep(home)
            _provide_jars(jars, cache, home, told)
            _provide_format(home, format_directory, runtime, class_path(jars, cache), told)
            if not aot.exists():
                plain = Distribution(version, runtime, class_path(jars, cache), format_directory, aot=None)
                _train(plain, aot, told)
    return Distribution(version, runtime, class_path(jars, cache), format_directory, _usable(aot))


def _usable(aot: Path) -> Path | None:
    """The AOT cache if there is one that holds something, marked as used now."""
    if not aot.is_file() or not aot.stat().st_size:
        return None
    with suppress(OSError):
        os.utime(aot)
    return aot


def class_path(jars: Sequence[Jar], cache: Path) -> str:
    """The class path: the same text at every start, or the JVM would not take the AOT cache."""
    return os.pathsep.join(str(jar.path(cache)) for jar in jars)


def _short_digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def _sweep(home: Path) -> None:
    """Remove what a preparation left that was killed; the lock is ours, so none is at work."""
    for kind in ("fetching-*", "format-*", "aot-*"):
        for left in home.glob(kind):
            shutil.rmtree(left, ignore_errors=True)


def _provide_jars(jars: Sequence[Jar], cache: Path, home: Path, told: Progress) -> None:
    if wanted := unfit(jars, cache):
        fetch(wanted, cache, home, told)


def _provide_format(home: Path, target: Path, runtime: Java, classes: str, told: Progress) -> None:
    """Let Kafka's StorageTool format a directory; all but meta.properties is the same for every cluster."""
    if target.is_dir():
        return
    told("formatting")
    with tempfile.TemporaryDirectory(prefix="format-", dir=home) as scratch:
        (Path(scratch) / "server.properties").write_text(
            "process.roles=broker,controller\nnode.id=1\nlog.dirs=data\n"
            "controller.quorum.voters=1@127.0.0.1:9093\ncontroller.listener.names=CONTROLLER\n"
            "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n"
        )
        arguments = ("format", "--cluster-id", "A" * 22, "--config", "server.properties")
        done = subprocess.run(
            java.java_command(
                runtime, classes, java.flags(None, full_jit=False), "kafka.tools.StorageTool", *arguments
            ),
            cwd=scratch,
            env=java.java_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        data = Path(scratch) / "data"
        if done.returncode or not (data / "meta.properties").is_file():
            last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
            raise KafkactlError("Kafka's storage tool failed to format a data directory.", where=" ".join(last))
        (data / "meta.properties").unlink()
        data.replace(target)


def _train(distribution: Distribution, aot: Path, told: Progress) -> None:
    """Make the AOT cache with one broker that starts, serves and stops: a secured one, which loads the most classes.

    If that fails, an empty file records it: brokers then start without a cache, and the training is not repeated.
    """
    told("training the JVM for fast starts (takes some seconds)")
    with tempfile.TemporaryDirectory(prefix="aot-", dir=aot.parent) as scratch:
        made = Path(scratch) / "broker.aot"
        flags = (f"-XX:AOTCacheOutput={made}",)
        with suppress(KafkactlError):
            check_secured("all")
            with launched(distribution, 1, {}, "all", extra_flags=flags) as sandbox:
                with suppress(KafkactlError):
                    log_in(sandbox.secured)
                sandbox.stop(1, timeout=_TRAINING_SECONDS)
        if not made.exists():
            made.touch()
        with suppress(OSError):
            made.replace(aot)
    _forget_unused(aot.parent)


def _forget_unused(home: Path) -> None:
    """Remove AOT caches of runtimes that started no broker for a month (virtual environments come and go)."""
    for other in home.glob("*.aot"):
        with suppress(OSError):
            if time.time() - other.stat().st_mtime > _UNUSED_SECONDS:
                other.unlink()
