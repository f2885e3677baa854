"""What kafkactl writes is for its owner only, unless it is for others."""

import ast
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkactl.groups.journal import Saved, keep, keep_outcome, latest
from kafkactl.private_files import open_private, write_private
from kafkactl.records.corrections import Reading
from kafkactl.records.unsent import Unsent
from kafkactl.topics import Place
from tests.conftest import REPOSITORY, Outcome

# Who else opens files to write them, and why all may read them.
_ORDINARY = {
    "private_files.py": "the room itself",
    "cli.py": "the null device",
    "view/cases.py": "the page of a job, which GitHub gave",
    "sandbox/artifacts.py": "sums of public jars",
    "sandbox/preparation.py": "a scratch directory",
    "sandbox/broker.py": "ids of the sandbox, and its broker's log",
}
_WRITING = {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"}


@pytest.fixture
def _generous() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


pytestmark = pytest.mark.usefixtures("_generous")


def writers(tree: ast.Module) -> Iterator[str]:
    """The calls that open a file to write to it."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        text = ast.unparse(call)
        modes = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
        writes = any(
            isinstance(mode, ast.Constant) and isinstance(mode.value, str) and set(mode.value) <= set("wxabt+")
            and set(mode.value) & set("wxa")
            for mode in modes
        )  # fmt: skip
        if name in _WRITING or (name == "open" and (writes or text.startswith("os.open"))):
            yield text


def test_one_room_opens_files_that_only_their_owner_may_read() -> None:
    house = REPOSITORY / "kafkactl"
    found = {
        str(path.relative_to(house)): calls
        for path in house.rglob("*.py")
        if (calls := list(writers(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found.keys() == _ORDINARY.keys(), found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_and_one_that_others_could_read(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("longer than what follows")
    for path in (old, tmp_path / "new"):
        with open_private(path) as file:
            file.write(b"x")
        assert (mode(path), path.read_bytes()) == (0o600, b"x")
    with pytest.raises(FileExistsError):
        open_private(old, new=True)
    with open_private(Path(os.devnull)) as file:
        file.write(b"x")
    assert mode(Path(os.devnull)) & 0o222 == 0o222


def test_a_whole_file_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "directory" / "link"
    target.write_text("kept")
    link.parent.mkdir()
    link.symlink_to(target)
    write_private(link, b"x")
    assert (mode(link), link.read_bytes(), target.read_text()) == (0o600, b"x", "kept")
    write_private(tmp_path / "a" / "b", b"x")
    assert mode(tmp_path / "a") == 0o700


def test_saved_offsets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAFKACTL_STATE", str(tmp_path))
    saved = Saved("g", "c", 0, {Place("t", 0): 1}, "a change", "pending")
    path = keep(saved)
    assert mode(path) == 0o600
    keep_outcome(path, saved, "done")
    assert mode(path) == 0o600
    found = latest("c", "g")
    assert found is not None
    assert found[1].outcome == "done"


@pytest.mark.parametrize("asked", [None, Path("asked.jsonl")])
def test_unsent_records(asked: Path | None) -> None:
    unsent = Unsent("orders", asked, None, Reading())
    unsent.invalid(b"line", 1, "why")
    unsent.close()
    assert unsent.path is not None
    assert mode(unsent.path) == 0o600


def test_facts_and_bundles(one_broker: str, kafkactl: Callable[..., Outcome]) -> None:
    """New ones, and over a file that others could read."""
    for name in ("facts.json", "bundle.zip"):
        Path(name).write_text("old")
    for name in ("facts.json", "new.json"):
        assert kafkactl("doctor", "--save", name).code in (0, 1)
    for name in ("bundle.zip", "new.zip"):
        assert kafkactl("doctor", "--bundle", name).code in (0, 1)
    for path in map(Path, ("facts.json", "new.json", "bundle.zip", "new.zip")):
        assert mode(path) == 0o600, path
    assert json.loads(Path("facts.json").read_text())["schema_version"]
