"""What a check finds, and what becomes of a check. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kafkactl.doctor.facts import Facts

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one `target` (a container, an address, a topic, a group).

    `values` fill the texts of the code. `evidence` are lines of a word and what was seen ("tried", "localhost:40093
    refused the connection"). `heal`, where it is given, replaces the code's own remedy; `severity` its severity.
    `blocks`: whether it explains what fails after it. `alone`: nothing else explains it, whatever else is found.
    """

    target: str
    values: Mapping[str, object] = field(default_factory=dict)
    evidence: Sequence[tuple[str, str]] = ()
    heal: Sequence[str] | None = None
    severity: Severity | None = None
    blocks: bool = True
    alone: bool = False


class NotApplicableError(Exception):
    """A check has nothing to look at here; its text says why, to be shown beside "skipped"."""


Check = Callable[["Facts"], Iterator[Finding]]


@dataclass(frozen=True)
class Told:
    """A finding in words: what is wrong, the evidence, the commands that heal it."""

    code: str
    slug: str
    severity: Severity
    target: str
    headline: str
    evidence: tuple[tuple[str, str], ...]
    heal: tuple[str, ...]
    blocks: bool


State = Literal["passed", "found", "skipped", "crashed"]


@dataclass(frozen=True)
class Result:
    """What became of one check.

    `reason` says why it was skipped or how it crashed, `because` which code explains it; `ignored` how many findings
    the user did not want to be told.
    """

    code: str
    state: State
    findings: tuple[Told, ...] = ()
    reason: str = ""
    because: str = ""
    ignored: int = 0
