"""What goes into a bundle beside facts and findings: the containers' logs and the compose files, without secrets."""

from collections.abc import Iterator
from pathlib import Path

from kafkactl.containers import EngineError, connect
from kafkactl.containers.logs import Logs
from kafkactl.doctor import redact
from kafkactl.doctor.facts import Facts

_LINES = 2000  # of each container's log, the last so many


def attachments(facts: Facts) -> Iterator[tuple[str, str]]:
    """Names and texts. What can't be read is a text that says why; nothing is raised."""
    if facts.stack is None:
        return
    for path in map(Path, facts.stack.files):
        yield f"compose/{path.name}", _file(path)
    for container in facts.stack.containers:
        try:
            lines = Logs(connect(), [container]).so_far(_LINES, None, None)
        except EngineError as error:
            yield f"logs/{container.name}.log", error.message
            continue
        yield f"logs/{container.name}.log", redact.text("".join(f"{line.text}\n" for line in lines))


def _file(path: Path) -> str:
    try:
        return redact.text(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        return f"{path} cannot be read here: {error.strerror}."
