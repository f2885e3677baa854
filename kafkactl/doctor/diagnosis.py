"""Facts to findings: runs every check once, and skips those that another finding makes meaningless. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from kafkactl.doctor.codes import WHY_MISSING, Check, Code, Finding, NotApplicableError, Result, Severity, Told
from kafkactl.doctor.facts import Facts
from kafkactl.text.remedies import filled, for_podman, with_flags


@dataclass(frozen=True)
class Diagnosis:
    """The result of every check, in the order of their codes."""

    results: tuple[Result, ...]
    limited: bool = False  # something is hidden from this user

    def findings(self, *severities: Severity) -> list[Told]:
        """The findings of these severities, those that explain the most others first, a minor one last."""
        found = [told for result in self.results for told in result.findings if told.severity in severities]
        return sorted(found, key=lambda told: (told.severity != "error", told.last, -len(self.explained_by(told.code))))

    def explained_by(self, code: str) -> list[str]:
        """The checks that were skipped because of this one."""
        return [result.code for result in self.results if result.because == code]

    @property
    def headline(self) -> Told | None:
        """The root cause: the error (else the warning) that nothing else explains."""
        return next(iter(self.findings("error", "warning")), None)

    @property
    def verdict(self) -> Literal["faulty", "healthy", "unknown"]:
        """Healthy is only what was looked at, and of which nothing is hidden from this user."""
        if self.headline is not None or self.states("crashed"):
            return "faulty"
        looked_at = self.states("passed") or self.states("found")
        return "healthy" if looked_at and not self.limited else "unknown"

    def states(self, state: str) -> list[Result]:
        """The checks that ended in this state."""
        return [result for result in self.results if result.state == state]


@dataclass(frozen=True)
class Ignored:
    """Findings not to be reported: by code, and by target (a glob) if one is named."""

    code: str
    target: str = "*"


def diagnose(
    facts: Facts,
    codes: Mapping[str, Code],
    checks: Mapping[str, Check],
    *,
    wanted: Iterable[str] | None = None,
    ignored: Sequence[Ignored] = (),
) -> Diagnosis:
    """Run the `wanted` checks and those that may explain them; the results of the wanted ones."""
    chosen = set(codes) if wanted is None else set(wanted)
    results: dict[str, Result] = {}
    limiting = {code for code, entry in codes.items() if entry.limits}
    for code in _ordered(codes, _with_reasons(codes, chosen | limiting)):
        results[code] = _run(code, codes[code], checks[code], facts, results, ignored)
    explaining = {result.because for code, result in results.items() if code in chosen}
    return Diagnosis(
        tuple(results[code] for code in codes if code in results and code in chosen | explaining),
        any(results[code].findings or results[code].ignored for code in limiting),
    )


def _with_reasons(codes: Mapping[str, Code], chosen: Iterable[str]) -> set[str]:
    """The codes and everything that may explain them."""
    found: set[str] = set()
    pending = list(chosen)
    while pending:
        code = pending.pop()
        if code not in found:
            found.add(code)
            pending += codes[code].reasons
    return found


def _ordered(codes: Mapping[str, Code], chosen: set[str]) -> Iterator[str]:
    """The codes, each after those that may explain it."""
    done: set[str] = set()

    def visit(code: str) -> Iterator[str]:
        if code in done:
            return
        done.add(code)
        for earlier in codes[code].reasons:
            yield from visit(earlier)
        if code in chosen:
            yield code

    for code in codes:
        yield from visit(code)


def _run(
    name: str, code: Code, check: Check, facts: Facts, before: Mapping[str, Result], ignored: Sequence[Ignored]
) -> Result:
    missing = [part for part in code.needs if part in facts.missing]
    explaining = [*code.after, *(earlier for part in missing for earlier in WHY_MISSING.get(part, ()))]
    if cause := _cause(explaining, before):
        return Result(name, "skipped", because=cause, reason=f"because of {cause}")
    if missing:
        return Result(name, "skipped", reason=facts.missing[missing[0]])
    try:
        findings = [(finding, _cause_of(finding, code, before)) for finding in check(facts)]
        if findings and all(cause for _, cause in findings):
            cause = findings[0][1]
            return Result(name, "skipped", because=cause, reason=f"because of {cause}")
        found = [_told(name, code, finding, facts) for finding, cause in findings if not cause]
    except NotApplicableError as error:
        return Result(name, "skipped", reason=str(error))
    except Exception as error:  # noqa: BLE001 - one check's mistake must not hide what the others find
        return Result(name, "crashed", reason=f"{type(error).__name__}: {error}")
    kept = tuple(told for told in found if not _is_ignored(told, ignored))
    return Result(name, "found" if kept else "passed", kept, ignored=len(found) - len(kept))


def _cause_of(finding: Finding, code: Code, before: Mapping[str, Result]) -> str:
    """The code that explains this finding, which is then not reported again; "" if none does."""
    if finding.alone:
        return ""
    for earlier in code.same:
        found = [told for told in before[earlier].findings if told.target == finding.target]
        if any(told.severity == "error" for told in found):
            return earlier
        if found and before[earlier].because:
            return before[earlier].because
    return _cause(code.explained, before)


def _cause(explaining: Iterable[str], before: Mapping[str, Result]) -> str:
    """The code that is the cause: one of these that was found, or what explains one of them."""
    for earlier in explaining:
        result = before[earlier]
        if any(told.blocks and told.severity == "error" for told in result.findings):
            return earlier
        if result.because:
            return result.because
    return ""


def _told(name: str, code: Code, finding: Finding, facts: Facts) -> Told:
    values = {"target": finding.target, **finding.values}
    heal = [filled(remedy, values) for remedy in code.remedies] if finding.heal is None else finding.heal
    if facts.engine is not None and facts.engine.is_podman:
        heal = [for_podman(remedy) for remedy in heal]
    return Told(
        code=name,
        slug=code.slug,
        severity=finding.severity or code.severity,
        target=finding.target,
        headline=code.says.format_map(values),
        evidence=tuple(finding.evidence),
        heal=tuple(with_flags(remedy, facts.flags) for remedy in heal),
        blocks=finding.blocks,
        last=code.last,
    )


def _is_ignored(told: Told, ignored: Sequence[Ignored]) -> bool:
    return any(entry.code == told.code and fnmatchcase(told.target, entry.target) for entry in ignored)
