"""The codes: one place for each code's name, severity, dependencies, remedy and meaning."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kafkactl.text.remedies import Advice, Remedy, parse_command

if TYPE_CHECKING:
    from kafkactl.doctor.facts import Facts


Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one `target` (a container, an address, a topic, a group).

    `values` fill the texts of the code. `evidence` are pairs of a label and what was seen ("tried", "localhost:40093
    refused the connection"). `heal`, if given, replaces the code's own remedy; `severity` its severity.
    `blocks`: whether it explains later failures. `alone`: nothing else explains it, whatever else is found.
    """

    target: str
    values: Mapping[str, object] = field(default_factory=dict)
    evidence: Sequence[tuple[str, str]] = ()
    heal: Sequence[Remedy] | None = None
    severity: Severity | None = None
    blocks: bool = True
    alone: bool = False


class NotApplicableError(Exception):
    """A check has nothing to examine here; its text says why, and is shown next to "skipped"."""


Check = Callable[["Facts"], Iterator[Finding]]
CHECKS: dict[str, Check] = {}


def check(code: str) -> Callable[[Check], Check]:
    """Registers a function as the check of a code."""

    def register(function: Check) -> Check:
        assert code not in CHECKS, f"{code} has two checks"
        CHECKS[code] = function
        return function

    return register


@dataclass(frozen=True)
class Told:
    """A finding in words: what is wrong, the evidence, and the remedies."""

    code: str
    slug: str
    severity: Severity
    target: str
    headline: str
    evidence: tuple[tuple[str, str], ...]
    heal: tuple[Remedy, ...]
    blocks: bool
    last: bool = False


State = Literal["passed", "found", "skipped", "crashed"]


@dataclass(frozen=True)
class Result:
    """What became of one check.

    `reason` says why it was skipped or how it crashed, `because` which code explains it; `ignored` how many findings
    the user chose to ignore.
    """

    code: str
    state: State
    findings: tuple[Told, ...] = ()
    reason: str = ""
    because: str = ""
    ignored: int = 0


CATEGORIES = {
    "KD0": "engine",
    "KD1": "containers",
    "KD2": "storage",
    "KD3": "network",
    "KD4": "coordination",
    "KD5": "cluster",
    "KD6": "groups",
    "KD7": "services",
    "KD9": "doctor",
}

# Kafka is there, but does not serve this client.
REFUSED = ("KD314", *(f"KD{number}" for number in range(320, 336)))
_BOOTSTRAP = ("KD301", "KD302", "KD303", "KD304", "KD312", "KD313", *REFUSED)
# Why a part of the facts is missing: one of these codes reports it.
WHY_MISSING: Mapping[str, tuple[str, ...]] = {
    "stack": ("KD001", "KD002", "KD003", "KD004", "KD006"),
    "brokers": _BOOTSTRAP,
    "quorum": (*_BOOTSTRAP, "KD305"),
    "cluster": (*_BOOTSTRAP, "KD305", "KD306"),
    "topics": (*_BOOTSTRAP, "KD305", "KD306"),
    "groups": (*_BOOTSTRAP, "KD305", "KD306"),
    "probe": (*_BOOTSTRAP, "KD305", "KD306"),
}


class CommandEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A remedy of codes.yaml that is a command."""

    run: str
    note: str = ""


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of codes.yaml.

    `says` is the headline and `heal` the remedy, with the finding's values in braces. `needs` are the facts without
    which there is nothing to check; `after` the codes whose findings make this one meaningless; `explained` those whose
    findings are the cause of what this one finds: the check runs, but its findings are not reported a second time.
    `same` works like `explained`, but only for findings about the same target.
    `last`: told after the others of its severity. `waits`: whether waiting can fix it. `limits`: where it is
    found, not everything could be looked at.
    """

    slug: str
    severity: Severity
    title: str
    says: str
    heal: tuple[str | CommandEntry, ...]
    explain: str
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    waits: bool = False
    limits: bool = False
    last: bool = False

    @property
    def remedies(self) -> list[Remedy]:
        """The remedies, with names in braces for the finding's values."""
        return [
            Advice(entry) if isinstance(entry, str) else parse_command(entry.run, entry.note) for entry in self.heal
        ]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every code that may explain this one, including those that say why a fact it needs is missing."""
        missing = (code for part in self.needs for code in WHY_MISSING.get(part, ()))
        return (*self.after, *self.explained, *self.same, *missing)


@cache
def codes() -> Mapping[str, Code]:
    """Every code, in the order in which they are checked."""
    import yaml

    text = (files("kafkactl.doctor") / "codes.yaml").read_bytes()
    loaded: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return msgspec.convert(loaded, dict[str, Code])


def category(code: str) -> str:
    """The name of a code's category."""
    return CATEGORIES[code[:3]]
