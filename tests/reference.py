"""Keeps docs/commands/ true: each command's page is its --help.

python -m tests.reference           write the pages anew
python -m tests.reference --check   fail if they are not what --help says
"""

import os
import subprocess
import sys
from collections.abc import Iterator

from kafkactl.cli import COMMANDS, Leaf
from tests.documents import REPOSITORY, WIDTH
from tests.program import KAFKACTL

PAGES = REPOSITORY / "docs" / "commands"
_WRITTEN = "<!-- written by make docs, from --help -->\n"


def helped(*words: str) -> str:
    """What `kafkactl … --help` prints."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    done = subprocess.run([*KAFKACTL, *words, "--help"], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.replace("python -m kafkactl", "kafkactl").strip()


def pages() -> Iterator[tuple[str, str]]:
    """Each page's name and text: one for a command, one for a group of commands, and the list of them."""
    listed = []
    for name, entry in COMMANDS.items():
        names = [name] if isinstance(entry, Leaf) else [f"{name} {below}" for below in entry.commands]
        sections = [f"## kafkactl {leaf}\n\n```text\n{helped(*leaf.split())}\n```\n" for leaf in names]
        if isinstance(entry, Leaf):
            sections[0] = sections[0].removeprefix(f"## kafkactl {name}\n\n")
        yield f"{name}.md", f"# kafkactl {name}\n\n{_WRITTEN}\n" + "\n".join(sections)
        anchors = [
            f"[{leaf}]({name}.md{'' if leaf == name else f'#kafkactl-{leaf}'.replace(' ', '-')})" for leaf in names
        ]
        listed.append(f"- {', '.join(anchors)}")
    yield "README.md", f"# Commands\n\n{_WRITTEN}\n```text\n{helped()}\n```\n\n" + "\n".join(listed) + "\n"


def main() -> None:
    """Check or write; see above."""
    wanted = dict(pages())
    there = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    if "--check" in sys.argv:
        if wrong := sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)):
            sys.exit(f"docs/commands/ does not say what --help says: {', '.join(wrong)}. Write it anew: make docs")
        return
    PAGES.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - wanted.keys():
        (PAGES / name).unlink()
    for name, text in wanted.items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
