"""Keeps docs/commands/ and docs/codes.md true: each command's page is its --help, each code has what codes.yaml says.

python -m tests.reference           write the pages anew
python -m tests.reference --check   fail if they are not what --help and codes.yaml say
"""

import os
import subprocess
import sys
from collections.abc import Iterator

from kafkactl.cli import COMMANDS, Leaf
from kafkactl.doctor.codes import category, codes
from tests.documents import REPOSITORY, WIDTH
from tests.program import KAFKACTL

PAGES = REPOSITORY / "docs" / "commands"
CODES = REPOSITORY / "docs" / "codes.md"
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


def codes_page() -> str:
    """Every code of the doctor: what is checked, how bad it is, what it means."""
    parts = ["# Codes of the doctor\n", "<!-- written by make docs, from kafkactl/doctor/codes.yaml -->\n"]
    parts.append("`kafkactl doctor --explain KD305` says the same, and with it the remedies. [The doctor](doctor.md)\n")
    last = ""
    for name, code in codes().items():
        if (group := category(name)) != last:
            parts.append(f"## {group}\n\n`kafkactl doctor {group}` checks these.\n")
            last = group
        parts.append(f"### {name}\n\n**{code.title}** ({code.severity})\n\n{code.explain.strip()}\n")
    return "\n".join(parts)


def main() -> None:
    """Check or write; see above."""
    wanted = {PAGES / name: text for name, text in pages()} | {CODES: codes_page()}
    there = {path: path.read_text(encoding="utf-8") for path in (*PAGES.glob("*.md"), CODES) if path.exists()}
    if "--check" in sys.argv:
        if wrong := sorted(path.name for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path)):
            sys.exit(f"The reference in docs/ is not what kafkactl says: {', '.join(wrong)}. Write it anew: make docs")
        return
    PAGES.mkdir(parents=True, exist_ok=True)
    for path in there.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
