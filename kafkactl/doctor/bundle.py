"""What an examination leaves behind: facts to be judged again, and a bundle for a colleague, without secrets."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from kafkactl.containers.endpoint import EngineError
from kafkactl.containers.engine import connect_engine
from kafkactl.containers.logs import ContainerLogs
from kafkactl.doctor import redact
from kafkactl.doctor.facts import Facts, dump_facts, load_facts
from kafkactl.errors import KafkactlError, UsageError

_LINES = 2000  # of each container's log, the last so many


def attachments(facts: Facts) -> Iterator[tuple[str, str]]:
    """Names and texts. What can't be read is a text that says why; nothing is raised."""
    if facts.stack is None:
        return
    for path in map(Path, facts.stack.files):
        yield f"compose/{path.name}", _file(path)
    for container in facts.stack.containers:
        try:
            lines = ContainerLogs(connect_engine(), [container]).so_far(_LINES, None, None)
        except EngineError as error:
            yield f"logs/{container.name}.log", error.message
            continue
        yield f"logs/{container.name}.log", redact.redacted("".join(f"{line.text}\n" for line in lines))


def _file(path: Path) -> str:
    try:
        return redact.redacted(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        return f"{path} cannot be read here: {error.strerror}."


def read_facts(path: Path) -> Facts:
    """Facts as `save_facts` wrote them. Raises UsageError."""
    try:
        return load_facts(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(
            f"{path} holds no facts of the doctor: {error}.", hint="Write them: kafkactl doctor --save FILE"
        ) from None


def save_facts(path: Path, facts: Facts) -> None:
    """Write the facts. Raises KafkactlError."""
    try:
        path.write_bytes(dump_facts(facts))
    except OSError as error:
        raise KafkactlError(f"{path} cannot be written: {error.strerror}.") from None


def bundle(path: Path, facts: Facts, findings: object, *, live: bool) -> str:
    """Write facts and findings as a ZIP file, of a `live` stack also logs and compose files; no secret is in them.

    Returns what it holds, in words. Raises KafkactlError.
    """
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("findings.json", json.dumps(findings, ensure_ascii=False, indent=2))
            archive.writestr("facts.json", dump_facts(facts))
            for name, text in attachments(facts) if live else ():
                archive.writestr(name, text)
    except OSError as error:
        raise KafkactlError(f"{path} cannot be written: {error.strerror}.") from None
    return f"facts, findings{', logs and compose files' if live and facts.stack else ''}"
