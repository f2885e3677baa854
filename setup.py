"""The build: what is built knows its commit, where there is one. Everything else is in pyproject.toml."""

import os
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).parent
NAME = Path("kafkactl") / "commit.txt"


def commit() -> str:
    """Of the checkout; KAFKACTL_COMMIT says it where git's directory is left out, as in an image's build."""
    if given := os.environ.get("KAFKACTL_COMMIT"):
        return given
    if not (HERE / ".git").exists():
        return ""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
        changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "kafkactl"], cwd=HERE, check=False)
    except OSError:
        return ""
    return found.stdout.strip() + ("+changed" if changed.returncode == 1 else "") if found.returncode == 0 else ""


def note(directory: Path) -> None:
    """Write the commit into a copy of the project; an sdist has brought its own."""
    if known := commit():
        (directory / NAME).unlink(missing_ok=True)
        (directory / NAME).write_text(f"{known}\n", encoding="utf-8")


class BuildPy(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            note(Path(self.build_lib))


class Sdist(sdist):
    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        note(Path(base_dir))


setup(cmdclass={"build_py": BuildPy, "sdist": Sdist})
