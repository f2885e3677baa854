"""What a sandbox runs: pinned jars, verified before every start; the AOT cache; versions."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from kafkactl.directories import cache_directory
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.sandbox.artifacts import Jar, digest, fetch, pinned, pinned_versions, read_sums
from kafkactl.sandbox.foreground import throwaway
from tests.sandboxes import Shell, free_port, shell

NEWEST, SECOND = pinned_versions()[:2]
SMALL = "org.slf4j:slf4j-simple:1.7.36"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """kafkactl with a cache of its own: the real cache's jars, and no AOT cache yet."""
    with throwaway():  # fills the real cache, if this is the first sandbox here
        pass
    home = tmp_path_factory.mktemp("sandbox")
    cache = home / "cache"
    shutil.copytree(cache_directory() / "jars", cache / "jars", copy_function=os.link)
    with shell(home, KAFKACTL_CACHE=str(cache)) as here:
        yield here


def _cache(sandbox: Shell) -> Path:
    return Path(sandbox.environment["KAFKACTL_CACHE"])


def _home(sandbox: Shell) -> Path:
    """Where the cache keeps Kafka, with its AOT cache; made by a first start where no other test has made it."""
    pattern = f"kafka-{NEWEST}-*"
    if not any(_cache(sandbox).glob(f"{pattern}/*.aot")):
        assert sandbox.run("run", "--", "true").returncode == 0
    (home,) = _cache(sandbox).glob(pattern)
    return home


def _replace(path: Path, content: bytes) -> None:
    """Another file of that name: the real cache's is a hard link to the old one."""
    path.unlink()
    path.write_bytes(content)


@pytest.mark.lab
def test_two_first_starts_at_once_make_one_aot_cache(sandbox: Shell) -> None:
    (real,) = cache_directory().glob(f"kafka-{NEWEST}-*")
    left = _cache(sandbox) / real.name / "aot-left-by-a-killed-one"
    left.mkdir(parents=True)
    both = [sandbox.start("run", "--", "true") for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("training" in text for text in said) == 1
    assert sum("waiting for another kafkactl" in text for text in said) == 1
    (aot,) = _cache(sandbox).glob("kafka-*/*.aot")
    assert aot.stat().st_size > 1_000_000
    assert not left.exists()
    assert sandbox.run("run", "--", "true").stderr == ""
    assert sandbox.traces() == []


@pytest.mark.lab
def test_a_damaged_jar_is_fetched_again(sandbox: Shell) -> None:
    (jar,) = [jar for jar in pinned(NEWEST) or () if jar.coordinates == SMALL]
    path = jar.path(_cache(sandbox))
    whole = path.read_bytes()
    _replace(path, whole[:-1] + bytes([whole[-1] ^ 1]))
    done = sandbox.run("run", "--", "true")
    assert done.returncode == 0, done.stderr
    assert "jar 1 of 1" in done.stderr
    assert path.read_bytes() == whole
    assert sandbox.run("run", "--", "true").stderr == ""


@pytest.mark.lab
@pytest.mark.parametrize("content", [b"", b"no AOT cache" * 1000], ids=["empty", "damaged"])
def test_an_aot_cache_that_cannot_be_used_only_costs_time(sandbox: Shell, content: bytes) -> None:
    (aot,) = _home(sandbox).glob("*.aot")
    whole = aot.read_bytes()
    aot.write_bytes(content)
    try:
        assert sandbox.run("run", "--", "true").returncode == 0
    finally:
        aot.write_bytes(whole)


def test_a_jar_with_another_sum_is_refused(tmp_path: Path) -> None:
    jar = Jar(SMALL, "0" * 64)
    with pytest.raises(KafkactlError, match=f"{SMALL} has a wrong checksum") as caught:
        fetch([jar], tmp_path, tmp_path, lambda _: None)
    assert "0" * 64 in caught.value.where
    assert list(tmp_path.rglob("*.jar")) == []


def test_an_artifact_that_does_not_exist_is_named(tmp_path: Path) -> None:
    jar = Jar("org.slf4j:slf4j-simple:0.0.0", "0" * 64)
    with pytest.raises(UnreachableError, match=jar.coordinates):
        fetch([jar], tmp_path, tmp_path, lambda _: None)


@pytest.mark.parametrize("version", [(), ("--kafka-version", "4.0.0", "--unverified")])
def test_without_a_network_the_artifact_is_named(tmp_path: Path, version: tuple[str, ...]) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), closed)
    with shell(tmp_path, KAFKACTL_CACHE=str(tmp_path / "cache"), NO_PROXY="", no_proxy="", **nowhere) as offline:
        done = offline.run("run", *version, "--", "true")
        assert done.returncode == 3
        *_, what, where, hint = done.stderr.splitlines()
        assert what.split()[-1].count(":") == 2
        assert what.startswith("Cannot fetch ")
        assert "does not answer" in where
        assert "KAFKACTL_CACHE" in hint
        assert "Traceback" not in done.stderr


def test_a_version_without_sums_is_refused(sandbox: Shell) -> None:
    done = sandbox.run("run", "--kafka-version", "4.3.1", "--", "true")
    assert done.returncode == 2
    assert "4.3.1" in done.stderr
    assert NEWEST in done.stderr
    assert "--unverified" in done.stderr


@pytest.mark.lab
def test_what_was_resolved_unverified_is_kept(sandbox: Shell) -> None:
    """As if it had been resolved before: the second start asks nobody."""
    cache = _cache(sandbox)
    listed = Path(__file__).parent.parent / "kafkactl" / "sandbox" / "sums" / f"{NEWEST}.sha256"
    (cache / "unverified").mkdir()
    shutil.copy(listed, cache / "unverified" / "4.3.9.sha256")
    home = _home(sandbox)
    shutil.copytree(home, cache / home.name.replace(NEWEST, "4.3.9"))
    done = sandbox.run("run", "--kafka-version", "4.3.9", "--unverified", "--", "true")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("version", [NEWEST, SECOND])
def test_each_version_runs_with_its_newest_metadata_version(version: str) -> None:
    with throwaway(version=version) as running:
        assert f"Kafka version: {version}" in running.nodes[0].log.read_text()
        admin = KafkaAdminClient(bootstrap_servers=running.bootstrap)
        try:
            features = admin.describe_features()
        finally:
            admin.close()
    # share.version and kraft.version are those that stay behind their newest on purpose.
    for name in ("metadata.version", "group.version", "transaction.version"):
        assert features[name]["finalized"][1] == features[name]["supported"][1], json.dumps(features, default=str)


def test_every_sums_file_is_whole() -> None:
    for version in pinned_versions():
        jars = pinned(version) or ()
        assert f"org.apache.kafka:kafka_2.13:{version}" in {jar.coordinates for jar in jars}
        assert SMALL in {jar.coordinates for jar in jars}
        assert all(len(jar.sha256) == 64 for jar in jars)
        assert list(jars) == sorted(set(jars))


def test_sums_are_read_back(tmp_path: Path) -> None:
    assert read_sums("ab  g:a:1\n\ncd  g:b:2\n") == (Jar("g:a:1", "ab"), Jar("g:b:2", "cd"))
    assert digest(tmp_path / "missing") == ""
