"""The README's picture: the main job on a real broker.

python -m tests.pictures     draw docs/kafkactl.svg anew
"""

import os
import pty
import subprocess

from tests.documents import REPOSITORY, WIDTH
from tests.program import KAFKACTL

PICTURE = REPOSITORY / "docs" / "kafkactl.svg"


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
    """Draw it."""
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
