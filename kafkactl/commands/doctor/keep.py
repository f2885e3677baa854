"""What an examination leaves behind: facts to be judged again, and a bundle for a colleague."""

import json
import zipfile
from pathlib import Path

from kafkactl.commands.doctor import show
from kafkactl.doctor.facts import Facts, dump, load
from kafkactl.doctor.judge import Diagnosis
from kafkactl.errors import KafkactlError, UsageError


def read(path: Path) -> Facts:
    """Facts as `save` wrote them. Raises UsageError."""
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(
            f"{path} holds no facts of the doctor: {error}.", hint="Write them: kafkactl doctor --save FILE"
        ) from None


def save(path: Path, facts: Facts) -> None:
    """Write the facts. Raises KafkactlError."""
    try:
        path.write_bytes(dump(facts))
    except OSError as error:
        raise KafkactlError(f"{path} cannot be written: {error.strerror}.") from None


def bundle(path: Path, facts: Facts, found: Diagnosis) -> None:
    """Write facts and findings as a ZIP file; neither holds the client's properties. Raises KafkactlError."""
    findings = json.dumps(show.document(found), ensure_ascii=False, indent=2)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("findings.json", findings)
            archive.writestr("facts.json", dump(facts))
    except OSError as error:
        raise KafkactlError(f"{path} cannot be written: {error.strerror}.") from None
