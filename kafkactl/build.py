"""Which build this is: its version, and the commit it was made from."""

from pathlib import Path

from kafkactl import __version__

_SHOWN = 12  # digits of a commit


def version_text() -> str:
    """As --version tells it: 0.1.0 (commit 0123456789ab), without the commit where nobody knows it."""
    known = commit()
    digits, plus, state = known.partition("+")
    return f"{__version__} (commit {digits[:_SHOWN]}{plus}{state})" if known else __version__


def commit() -> str:
    """The commit that a wheel was built from, is checked out, or pip cloned; "" where none of it is known."""
    package = Path(__file__).parent
    return _read(package / "commit.txt") or _checked_out(package.parent / ".git") or _cloned()


def _cloned() -> str:
    """What pip noted of a repository that it installed from (PEP 610)."""
    import json
    from importlib import metadata

    try:
        noted = json.loads(metadata.distribution("kafkactl").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return ""
    return str(noted.get("vcs_info", {}).get("commit_id", ""))


def _checked_out(git: Path) -> str:
    head = _read(git / "HEAD")
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    packed = (line.split() for line in _read(git / "packed-refs").splitlines())
    return _read(git / name) or next((words[0] for words in packed if words[1:] == [name]), "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
