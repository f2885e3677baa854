"""One examination by the doctor, as a program reads it, and what the laboratory demands of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafkactl.doctor.codes import codes
from tests.conftest import Outcome

# The kafkactl of this interpreter is the one that a remedy's command means.
_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def texts(remedy: dict[str, str]) -> str:
    """A remedy without its note."""
    return remedy.get("command") or remedy["advice"]


@dataclass(frozen=True)
class Examination:
    """What `kafkactl doctor -o json` found."""

    exit_code: int
    document: dict[str, Any]

    @property
    def cause(self) -> str | None:
        """The code of the headline."""
        return self.document["cause"]  # type: ignore[no-any-return]

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        return {check["code"]: check for check in self.document["checks"]}

    def found(self, *severities: str) -> list[str]:
        """The codes with findings of these severities (of any but info, where none is named)."""
        wanted = severities or ("error", "warning")
        return [c for c, check in self.checks.items() for f in check["findings"][:1] if f["severity"] in wanted]

    def findings(self, code: str) -> list[dict[str, Any]]:
        return self.checks[code]["findings"]  # type: ignore[no-any-return]

    @property
    def told(self) -> list[str]:
        """Everything that was found, a line each."""
        return [f"{code}: {found['headline']}" for code, check in self.checks.items() for found in check["findings"]]

    @property
    def headline(self) -> str:
        return self.findings(self.cause)[0]["headline"] if self.cause else "Healthy."  # type: ignore[no-any-return]

    def remedies(self, code: str) -> list[str]:
        """What heals a finding, as printed."""
        return [texts(remedy) for remedy in self.findings(code)[0]["heal"]]

    def command(self, code: str) -> str:
        """The first remedy that is a command, without its comment."""
        return next(remedy["command"] for remedy in self.findings(code)[0]["heal"] if "command" in remedy)

    def names(self, code: str, *, exit_code: int = 1) -> None:
        """Assert that `code` is the headline and all that is wrong, and that what it explains was skipped for it."""
        assert self.cause == code, self.told
        assert self.found() == [code], self.told
        assert self.exit_code == exit_code
        blocks = self.checks[code]["findings"][0]["severity"] == "error"
        for other, entry in codes().items():
            if blocks and code in entry.after:
                assert self.checks[other]["because"] or self.checks[other]["state"] == "skipped", other
        for check in self.checks.values():
            assert check["state"] != "crashed", check
            if check["state"] == "skipped":
                assert check["reason"]
                assert check["because"] in (None, code)

    def names_both(self, cause: str, other: str) -> None:
        """Assert that two faults are told, `cause` first, and nothing besides."""
        assert self.cause == cause, self.told
        assert sorted(self.found()) == sorted((cause, other)), self.told
        assert not [c for c in self.checks.values() if c["state"] == "crashed"]

    def content(self) -> None:
        """Assert that nothing is wrong and no check crashed."""
        assert self.found() == [], self.told
        assert self.cause is None
        assert self.exit_code == 0


def examination(run: Outcome) -> Examination:
    """The examination that kafkactl printed."""
    assert "Traceback" not in run.text
    return Examination(run.code, json.loads(run.out))


def after(command: str, *arguments: str) -> Examination:
    """Run a remedy as printed, and examine in the same shell: what it exports holds there."""
    script = f"{{ {command}; }} >&2 && kafkactl doctor -o json {' '.join(arguments)}"
    done = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, "PATH": _PATH},
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, f"{command}: {done.stderr}"
    return examination(Outcome(done.returncode, done.stdout, done.stderr))


def shell(command: str) -> "subprocess.CompletedProcess[str]":
    """Run a remedy as printed."""
    return subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "PATH": _PATH},
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


Doctor = Callable[..., Examination]


def until_told(doctor: Doctor, code: str, *arguments: str, seconds: float = 40) -> Examination:
    """Examine until this code is the headline."""
    deadline = time.monotonic() + seconds
    while (seen := doctor(*arguments)).cause != code:
        assert time.monotonic() < deadline, seen.document
        time.sleep(0.3)
    return seen
