"""Keeps the reference true: a command's page is its --help, codes and keys are what codes.yaml and the schema say.

python -m tests.reference           write the pages anew
python -m tests.reference --check   fail if they are not that
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from kafkactl.cli import COMMANDS, Leaf
from kafkactl.doctor.codes import category, codes
from tests.documents import REPOSITORY, WIDTH
from tests.program import KAFKACTL

PAGES = REPOSITORY / "docs" / "commands"
CODES = REPOSITORY / "docs" / "codes.md"
KEYS = REPOSITORY / "docs" / "topics-yaml.md"
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


def keys(schema: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Each key of topics.yaml with its description, as the JSON Schema that editors get has them."""
    for name, below in schema.get("properties", {}).items():
        yield f"{above}{name}", below.get("description", "")
        yield from keys(below, f"{above}{name}.")
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from keys(more, f"{above}NAME.")


def with_keys(page: str) -> str:
    """docs/topics-yaml.md with the table of all keys between its marks."""
    schema = json.loads(
        subprocess.run([*KAFKACTL, "lint", "--schema"], capture_output=True, text=True, check=True).stdout
    )
    rows = [f"| `{name}` | {description} |" for name, description in keys(schema)]
    begin, end = "<!-- keys: written by make docs, from kafkactl lint --schema -->", "<!-- end of keys -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    assert found, "docs/topics-yaml.md has lost the marks of its table of keys"
    table = "\n".join(["| Key | Is |", "|---|---|", *rows])
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def main() -> None:
    """Check or write; see above."""
    there = {path: path.read_text(encoding="utf-8") for path in (*PAGES.glob("*.md"), CODES, KEYS) if path.exists()}
    wanted = {PAGES / name: text for name, text in pages()} | {CODES: codes_page(), KEYS: with_keys(there[KEYS])}
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
