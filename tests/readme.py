"""Keeps the README true: its command reference is --help, its picture is real output.

python -m tests.readme           write both anew
python -m tests.readme --check   fail if the command reference is not what --help says
"""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from tests.program import KAFKACTL, commands

REPOSITORY = Path(__file__).resolve().parent.parent
README = REPOSITORY / "README.md"
PICTURE = REPOSITORY / "docs" / "kafkactl.svg"
BEGIN, END = "<!-- commands: written by make docs -->", "<!-- end of commands -->"
WIDTH = 100


def reference() -> str:
    """Every command's --help, as Markdown."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    parts = []
    for name, _ in commands():
        done = subprocess.run(
            [*KAFKACTL, *name.split(), "--help"], capture_output=True, text=True, check=True, env=environment
        )
        text = done.stdout.replace("python -m kafkactl", "kafkactl").strip()
        parts.append(f"### kafkactl {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def with_reference(readme: str) -> str:
    """The README with the reference put between its marks."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    assert pattern.search(readme), "README.md has lost the marks of its command reference"
    return pattern.sub(lambda _: f"{BEGIN}\n\n{reference()}\n{END}", readme)


def on_a_terminal(*arguments: str) -> str:
    """What kafkactl prints on a terminal of WIDTH columns, colours and all."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "LINES": "50", "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [*KAFKACTL, *arguments], stdout=terminal, stderr=terminal, cwd=REPOSITORY, env=environment
    )
    os.close(terminal)
    output = b""
    try:
        while part := os.read(controller, 65536):
            output += part
    except OSError:
        pass  # Linux's way to say that the other end is closed
    process.wait()
    os.close(controller)
    return output.decode().replace("\r\n", "\n")


def picture() -> str:
    """The main job on a real broker, as an SVG."""
    from rich.console import Console
    from rich.text import Text

    from kafkactl.sandbox.foreground import throwaway

    with throwaway() as sandbox, open(os.devnull, "w") as nowhere:
        os.environ["KAFKA_BROKERS"] = sandbox.bootstrap
        console = Console(record=True, width=WIDTH, file=nowhere)
        for command in (("init-topics",), ("init-topics",), ("test",)):
            console.print(Text(f"$ kafkactl {' '.join(command)}", style="bold"))
            shown = on_a_terminal(*command).replace(sandbox.bootstrap, "localhost:40093")
            console.print(Text.from_ansi(shown), end="\n\n")
    return console.export_svg(title="kafkactl", unique_id="kafkactl")


def main() -> None:
    """Check or write; see above."""
    readme = README.read_text(encoding="utf-8")
    wanted = with_reference(readme)
    if "--check" in sys.argv:
        if wanted != readme:
            sys.exit("README.md does not say what --help says. Write it anew: make docs")
        return
    README.write_text(wanted, encoding="utf-8")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
