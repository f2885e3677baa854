"""The codes: one place for what each is called, how bad it is, what it depends on, what heals it, what it means."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from kafkactl.doctor.findings import Severity

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

# Why a part of the facts is missing: one of these codes tells it.
_BOOTSTRAP = ("KD301", "KD302", "KD303", "KD304", "KD312", "KD313")
WHY_MISSING: Mapping[str, tuple[str, ...]] = {
    "stack": ("KD001", "KD002", "KD003", "KD004", "KD006"),
    "brokers": _BOOTSTRAP,
    "quorum": (*_BOOTSTRAP, "KD314", "KD305"),
    "cluster": (*_BOOTSTRAP, "KD314", "KD305", "KD306"),
    "groups": (*_BOOTSTRAP, "KD314", "KD305", "KD306"),
    "probe": (*_BOOTSTRAP, "KD314", "KD305", "KD306"),
}


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of codes.yaml.

    `says` is the headline and `heal` the remedy, with the finding's values in braces. `needs` are the facts without
    which there is nothing to check; `after` the codes whose findings make this one meaningless; `explained` those whose
    findings are the cause of what this one finds: it is looked at, and what it finds is not told a second time. `same`
    are such, too, and only for findings of the same target.
    `waits`: whether it can become well by waiting.
    """

    slug: str
    severity: Severity
    title: str
    says: str
    heal: tuple[str, ...]
    explain: str
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    waits: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every code that may explain this one: also why what it needs may be missing."""
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
