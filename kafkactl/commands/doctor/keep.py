"""What an examination leaves behind: facts to be judged again, and a bundle for a colleague."""

import json
import zipfile
from pathlib import Path

from kafkactl import output
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


def bundle(path: Path, facts: Facts, found: Diagnosis, *, live: bool) -> None:
    """Write facts and findings as a ZIP file, of a `live` stack also logs and compose files; no secret is in them.

    Raises KafkactlError.
    """
    from kafkactl.doctor.attachments import attachments

    findings = json.dumps(show.document(found), ensure_ascii=False, indent=2)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("findings.json", findings)
            archive.writestr("facts.json", dump(facts))
            for name, text in attachments(facts) if live else ():
                archive.writestr(name, text)
    except OSError as error:
        raise KafkactlError(f"{path} cannot be written: {error.strerror}.") from None
    output.note(f"{path} holds facts, findings{', logs and compose files' if live and facts.stack else ''}.")
