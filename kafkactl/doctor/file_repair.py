"""What the doctor changes in a compose file (`--fix-file`): the lines that a finding names, and the service made anew.

Nothing is written that compose does not accept, and what was there before is kept in a file beside it.
"""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from kafkactl.containers.compose_edit import ComposeEditError, edited
from kafkactl.containers.model import Container
from kafkactl.doctor.checks.data_places import is_lost_with_its_container
from kafkactl.doctor.codes import Told
from kafkactl.doctor.facts import Facts
from kafkactl.errors import KafkactlError
from kafkactl.private_files import open_private, replace_content
from kafkactl.redaction.structures import redacted
from kafkactl.text.remedies import ServiceChange

_LIMIT = 300  # seconds that compose has
_LOCAL = ("unix:", "npipe:", "tcp://127.0.0.1", "tcp://localhost")


@dataclass(frozen=True)
class FileRepair:
    """A change that is ready to be made. `diff`: its lines, without secrets; `loses_data`: making it loses topics."""

    told: Told
    change: ServiceChange
    file: Path
    before: str
    after: str
    loses_data: bool

    @property
    def diff(self) -> list[str]:
        """The lines that go and come."""
        name = str(self.file)
        lines = unified_diff(self.before.splitlines(), self.after.splitlines(), name, name, n=1)
        return [redacted(line.rstrip()) for line in lines]


def file_changes(found: Sequence[Told]) -> Iterator[tuple[Told, ServiceChange]]:
    """What these findings would have changed in the compose file."""
    for told in found:
        yield from ((told, remedy) for remedy in told.heal if isinstance(remedy, ServiceChange))


def prepared(told: Told, change: ServiceChange, facts: Facts) -> FileRepair:
    """The change, on the file as it is now. Raises ComposeEditError where the file is not kafkactl's to edit."""
    stack = facts.stack
    if stack is None or stack.project is None or not stack.compose:
        raise ComposeEditError("no compose here started this stack")
    if len(stack.files) != 1:
        raise ComposeEditError(f"the stack has {len(stack.files)} compose files")
    if facts.engine is not None and not facts.engine.address.startswith(_LOCAL):
        raise ComposeEditError("the engine is on another machine")
    file = Path(stack.files[0])
    try:
        before = file.read_bytes().decode("utf-8")
    except (OSError, ValueError):
        raise ComposeEditError(f"{file} cannot be read here") from None
    container = next((one for one in stack.containers if one.service == change.service), None)
    if container is None:
        raise ComposeEditError(f"{change.service} has no container")
    if _is_newer(file, container):
        raise ComposeEditError(f"{file} was changed after {container.name} was made from it")
    after = edited(before, change)
    # A volume that is new to a broker is empty, wherever its data was.
    loses_data = bool(change.volumes) or is_lost_with_its_container(facts, container)
    return FileRepair(told, change, file, before, after, loses_data)


def _is_newer(file: Path, container: Container) -> bool:
    return container.created is not None and file.stat().st_mtime > container.created.timestamp() + 1


def make_change(repair: FileRepair, compose: Sequence[str]) -> Path:
    """Keep the file's content beside it, write the change, have compose accept it, and make the service anew.

    Returns where the earlier content is. Raises KafkactlError; where compose refuses the file, it is as before.
    """
    earlier = repair.before.encode()
    if repair.file.read_bytes() != earlier:
        raise KafkactlError(f"{repair.file} has changed meanwhile. Nothing was changed.")
    kept = _keep(repair.file, earlier)
    try:
        replace_content(repair.file, repair.after.encode())
        _run([*compose, "config", "-q"], "Compose does not accept the change, and the file is as it was")
    except BaseException as error:
        replace_content(repair.file, earlier)
        kept.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise KafkactlError(f"Cannot write {repair.file}: {error.strerror}.") from None
        raise
    service = repair.change.service
    failure = f"{repair.file} is changed (what was there before: {kept}), but {service} did not start"
    _run([*compose, "up", "-d", "--no-deps", service], failure)
    return kept


def _keep(file: Path, content: bytes) -> Path:
    """Write the content into a new file beside this one. Raises KafkactlError."""
    for number in range(1, 1000):
        kept = file.with_name(f"{file.name}.bak{'' if number == 1 else number}")
        try:
            with open_private(kept, new=True) as there:
                there.write(content)
        except FileExistsError:
            continue
        except OSError as error:
            raise KafkactlError(f"Cannot write {kept}: {error.strerror}. Nothing was changed.") from None
        return kept
    raise KafkactlError(f"There are too many copies of {file}. Nothing was changed.")


def _run(words: Sequence[str], failure: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KafkactlError(f"{failure}: {error}.") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise KafkactlError(f"{failure}: {redacted(said[-1])}")
