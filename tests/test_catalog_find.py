"""Finding topics.yaml, and reading files that cannot be read."""

import os
from pathlib import Path

import pytest

from kafkactl.catalog.file import load_catalog
from kafkactl.catalog.find import find_catalog
from kafkactl.catalog.model import CatalogError
from kafkactl.errors import ExitCode, UsageError

MINIMAL = "topics: {a: {}}\n"


def test_the_named_file_wins_over_the_variable_and_the_directory(tmp_path: Path) -> None:
    for name in ("topics.yaml", "named.yaml", "variable.yaml"):
        (tmp_path / name).write_text(MINIMAL)
    environ = {"KAFKACTL_CATALOG": "variable.yaml"}
    assert find_catalog(Path("named.yaml"), environ, tmp_path) == Path("named.yaml")
    assert find_catalog(None, environ, tmp_path) == Path("variable.yaml")
    assert find_catalog(None, {"KAFKACTL_CATALOG": ""}, tmp_path) == Path("topics.yaml")
    assert find_catalog(None, {}, tmp_path) == Path("topics.yaml")


def test_a_parent_directory_is_searched_up_to_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "topics.yaml").write_text(MINIMAL)
    deep = tmp_path / "repository" / "services" / "orders"
    deep.mkdir(parents=True)
    assert find_catalog(None, {}, deep) == tmp_path / "topics.yaml"
    monkeypatch.chdir(deep)
    assert find_catalog(None, {}, deep) == Path("../../../topics.yaml")
    (tmp_path / "repository" / ".git").mkdir()
    assert find_catalog(None, {}, deep) is None
    (tmp_path / "repository" / "topics.yaml").write_text(MINIMAL)
    assert find_catalog(None, {}, deep) == Path("../../topics.yaml")


def test_a_directory_named_topics_yaml_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").mkdir()
    (tmp_path / ".git").mkdir()
    assert find_catalog(None, {}, tmp_path) is None


def test_the_search_ends_at_the_root() -> None:
    assert find_catalog(None, {}, Path("/")) is None


@pytest.mark.parametrize(
    ("explicit", "environ", "source"),
    [
        (Path("nope.yaml"), {}, "The name comes from --file."),
        (None, {"KAFKACTL_CATALOG": "nope.yaml"}, "The name comes from KAFKACTL_CATALOG."),
    ],
)
def test_a_named_file_must_exist(tmp_path: Path, explicit: Path | None, environ: dict[str, str], source: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_catalog(explicit, environ, tmp_path)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.lines() == ["There is no file nope.yaml.", f"  {source}"]


def test_the_path_is_shown_as_it_was_given(tmp_path: Path) -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: x}}\n")
    with pytest.raises(CatalogError) as caught:
        load_catalog(Path("topics.yaml"))
    assert str(caught.value.problems[0].position) == "topics.yaml:1:26"
    assert str(caught.value) == "topics.yaml is invalid."
    with pytest.raises(CatalogError) as caught:
        load_catalog(tmp_path / "topics.yaml")
    assert str(caught.value.problems[0].position) == f"{tmp_path}/topics.yaml:1:26"


def unreadable(content: bytes | None) -> str:
    if content is not None:
        Path("topics.yaml").write_bytes(content)
    with pytest.raises(CatalogError) as caught:
        load_catalog(Path("topics.yaml"))
    assert caught.value.exit_code == ExitCode.USAGE
    *lines, last = caught.value.lines()
    assert last == "1 problem."
    return lines[0]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "topics.yaml: the file does not exist."),
        (b"", "topics.yaml: the file is empty. It must declare topics."),
        (b"# nothing\n\n", "topics.yaml: the file is empty. It must declare topics."),
        (b"---\n...\n", "topics.yaml: the file is empty. It must declare topics."),
        (b"\xef\xbb\xbf", "topics.yaml: the file is empty. It must declare topics."),
        (
            b"topics:\n  a: {description: caf\xe9}\n",
            "topics.yaml:2:23  the file is not UTF-8: byte 0xe9 at offset 30. Save it as UTF-8.",
        ),
        (
            "描述: \n".encode("gbk"),
            "topics.yaml:1:1  the file is not UTF-8: byte 0xc3 at offset 0. Save it as UTF-8.",
        ),
        (
            MINIMAL.encode("utf-16"),
            "topics.yaml:1:1  the file is not UTF-8: it looks like UTF-16. Save it as UTF-8.",
        ),
        (b"topics: {a\x00: {}}\n", "topics.yaml:1:11  the character U+0000 is not allowed in YAML."),
        pytest.param(
            b"x" * (4 * 2**20 + 1),
            "topics.yaml: the file is larger than 4 MiB, too large for a topics.yaml.",
            id="too large",
        ),
    ],
)
def test_files_that_cannot_be_read(content: bytes | None, line: str) -> None:
    assert unreadable(content) == line


def test_a_directory_is_no_file() -> None:
    Path("topics.yaml").mkdir()
    assert unreadable(None) == "topics.yaml: this is a directory, not a file."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission() -> None:
    Path("topics.yaml").write_text(MINIMAL)
    Path("topics.yaml").chmod(0)
    assert unreadable(None) == "topics.yaml: the file cannot be read: Permission denied."


def test_a_path_that_is_no_path() -> None:
    Path("file").write_text("")
    with pytest.raises(CatalogError, match="is invalid"):
        load_catalog(Path("file/topics.yaml"))
    with pytest.raises(CatalogError, match="is invalid"):
        load_catalog(Path("nul\0byte.yaml"))


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    Path("topics.yaml").write_bytes(b"\xef\xbb\xbftopics:\r\n  a: {}\r\n")
    assert str(load_catalog(Path("topics.yaml")).topics["a"].position) == "topics.yaml:2:3"
