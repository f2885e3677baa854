"""The house rule: a name means one thing, and a file can be read in one sitting."""

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

HOUSE = REPOSITORY / "kafkactl"
FILES = sorted(HOUSE.rglob("*.py"))
# A command has the name of what it calls, as the process has.
_COMMANDS_AND_WHAT_THEY_CALL = {"up", "down", "status", "logs", "explain", "main"}


def room(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def test_no_two_files_have_the_same_name() -> None:
    """But `model.py`, and a command's file, which is named after its command."""
    rooms = defaultdict(list)
    for path in FILES:
        if path.name not in ("__init__.py", "model.py") and path.parent != HOUSE / "commands":
            rooms[path.name].append(room(path))
    assert [found for found in rooms.values() if len(found) > 1] == []


def test_no_public_class_or_function_is_defined_twice() -> None:
    homes = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                homes[node.name].append(room(path))
    twice = {name: found for name, found in homes.items() if len(found) > 1}
    assert {name: twice[name] for name in twice.keys() - _COMMANDS_AND_WHAT_THEY_CALL} == {}


@pytest.mark.parametrize("path", FILES, ids=room)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


def test_what_users_read_has_one_name_for_topics_yaml() -> None:
    """It is a catalogue to those who read the code; to those who wrote the file it is topics.yaml."""
    told = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        comments = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, holders) and node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in comments:
                told += [f"{room(path)}: {node.value}"] if re.search(r"\b[Cc]atalogue\b", node.value) else []
    for path in HOUSE.rglob("*.yaml"):
        told += [line for line in path.read_text(encoding="utf-8").splitlines() if "atalogue" in line]
    assert told == []


def test_the_drawing_of_the_house_names_every_room_in_its_place() -> None:
    """CONTRIBUTING.md draws what the import contract in pyproject.toml says."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    layers = [set(re.split(r" [|:] ", layer)) for layer in contract["layers"]]
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawing = text.partition("## The house")[2].partition("```text\n")[2].partition("```")[0]
    drawn = []
    for line in drawing.splitlines():
        if not line.startswith(" "):
            drawn.append({name.removesuffix("/") for name in re.match(r"([\w/]+(, )?)+", line)[0].split(", ")})  # type: ignore[index]
    assert drawn == [layers[0] | layers[1], *layers[2:]]
    for name in set().union(*layers):
        assert (HOUSE / name).is_dir() or (HOUSE / f"{name}.py").is_file()
    folders = {name.removesuffix("/") for name in re.findall(r"\w+/", drawing)}
    assert folders == {name for name in set().union(*layers) if (HOUSE / name).is_dir()}
