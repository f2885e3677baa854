"""What people install: a wheel and an sdist, on every Python that is here; and the commit that each says it is."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kafkactl import __version__
from tests.conftest import REPOSITORY

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def pythons() -> Iterator[tuple[str, str]]:
    """The supported versions that are here, each with a program: on the path, or pyenv's."""
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for version in SUPPORTED:
        kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        program = sys.executable if version == own else shutil.which(f"python{version}")
        for candidate in filter(None, (program, *map(str, kept))):
            asked = subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True, check=False)
            if asked.returncode == 0:
                yield version, candidate
                break


def run(*words: object, **environment: str) -> str:
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that was built from an sdist, which was built from a clone with what is here now."""
    home = tmp_path_factory.mktemp("package")
    run("git", "clone", "--quiet", "--no-hardlinks", REPOSITORY, home / "clone")
    for name in ("kafkactl", "setup.py", "pyproject.toml", "README.md"):
        source, target = REPOSITORY / name, home / "clone" / name
        if source.is_dir():
            shutil.rmtree(target)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    venv.create(home / "builder", with_pip=True)
    pip = home / "builder" / "bin" / "pip"
    run(pip, "install", "--quiet", "setuptools>=77")
    make = "from setuptools import build_meta; print(build_meta.build_sdist('dist'))"
    subprocess.run(
        [home / "builder" / "bin" / "python", "-c", make], cwd=home / "clone", check=True, capture_output=True
    )
    (sdist,) = (home / "clone" / "dist").glob("*.tar.gz")
    run(pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", home / "dist", sdist)
    shutil.copy(sdist, home / "dist")
    return home / "dist"


def head() -> str:
    return run("git", "-C", REPOSITORY, "rev-parse", "HEAD").strip()


def test_both_hold_what_is_needed_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("kafkactl/commit.txt").decode().startswith(head())
    here = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "kafkactl").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if name.startswith("kafkactl/")} == here | {"kafkactl/commit.txt"}
    assert {name.split("/")[0] for name in names} == {"kafkactl", f"kafkactl-{__version__}.dist-info"}
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "setup.py", "README.md", "LICENSE", "kafkactl/commit.txt"} <= inside


@pytest.mark.parametrize(("version", "program"), list(pythons()), ids=[version for version, _ in pythons()])
def test_it_installs_and_runs(built: Path, tmp_path: Path, version: str, program: str) -> None:
    run(program, "-m", "venv", tmp_path / "venv")
    (wheel,) = built.glob("*.whl")
    run(tmp_path / "venv/bin/pip", "install", "--quiet", "--only-binary", ":all:", wheel)
    kafkactl = tmp_path / "venv/bin/kafkactl"
    told = run(kafkactl, "--version")
    assert told.startswith(f"kafkactl {__version__} (commit {head()[:12]}")
    assert version in run(tmp_path / "venv/bin/python", "--version")
    assert "No problems." in run(kafkactl, "lint", REPOSITORY / "topics.yaml")
    assert '"kind": "environments"' in run(kafkactl, "env", "list", "-o", "json", KAFKACTL_CATALOG="")


@pytest.mark.lab
@pytest.mark.parametrize("version", SUPPORTED)
def test_the_registry_has_wheels_of_all_that_it_needs(built: Path, tmp_path: Path, version: str) -> None:
    (wheel,) = built.glob("*.whl")
    words = ("--dry-run", "--only-binary", ":all:", "--python-version", version, "--target", tmp_path)
    told = run(sys.executable, "-m", "pip", "install", *words, f"{wheel}[sandbox,registry,secured,exporter]")
    assert "confluent-kafka" in told


def test_the_commit_of_a_checkout_and_of_none(tmp_path: Path) -> None:
    from kafkactl import build

    git = tmp_path / ".git"
    git.mkdir()
    assert build._checked_out(git) == ""
    (git / "HEAD").write_text("0123\n")
    assert build._checked_out(git) == "0123"
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text("# pack-refs\n4567 refs/heads/main\n")
    assert build._checked_out(git) == "4567"
    (git / "refs/heads").mkdir(parents=True)
    (git / "refs/heads/main").write_text("89ab\n")
    assert build._checked_out(git) == "89ab"
