"""Files a diagnosis can leave behind: facts to be judged again, and a support bundle without secrets."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from kafkactl.containers.endpoint import EngineError
from kafkactl.containers.engine import connect_engine
from kafkactl.containers.logs import ContainerLogs
from kafkactl.doctor.facts import Facts, dump_facts, load_facts
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.private_files import open_private
from kafkactl.redaction.structures import redacted
from kafkactl.redaction.yaml_files import redacted_yaml
from kafkactl.text.remedies import kafkactl
from kafkactl.whole_files import read_whole

_LINES = 2000  # how many lines of each container's log are kept, the last ones


def attachments(facts: Facts) -> Iterator[tuple[str, str]]:
    """Names and texts. For what cannot be read, the text says why; nothing is raised."""
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
        yield f"logs/{container.name}.log", redacted("".join(f"{line.text}\n" for line in lines))


def _file(path: Path) -> str:
    try:
        return redacted_yaml(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        return f"cannot read {path}: {error.strerror}."


def read_facts(path: Path) -> Facts:
    """Facts as `save_facts` wrote them. Raises UsageError."""
    try:
        return load_facts(read_whole(path))
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(
            f"{path} is not a valid facts file: {error}.",
            hint=kafkactl("doctor", options=["--save", "facts.json"], note="Write one"),
        ) from None


def save_facts(path: Path, facts: Facts) -> None:
    """Write the facts. Raises KafkactlError."""
    try:
        with open_private(path) as file:
            file.write(dump_facts(facts))
    except OSError as error:
        raise KafkactlError(f"Cannot write {path}: {error.strerror}.") from None


def bundle(path: Path, facts: Facts, findings: object, *, live: bool) -> str:
    """Write facts and findings as a ZIP file; for a `live` stack also logs and compose files. It holds no secrets.

    Returns what it holds, in words. Raises KafkactlError.
    """
    try:
        with open_private(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("findings.json", json.dumps(findings, ensure_ascii=False, indent=2))
            archive.writestr("facts.json", dump_facts(facts))
            for name, text in attachments(facts) if live else ():
                archive.writestr(name, text)
    except OSError as error:
        raise KafkactlError(f"Cannot write {path}: {error.strerror}.") from None
    return f"facts, findings{', logs and compose files' if live and facts.stack else ''}"
