"""The doctor's report: the root cause first, with its evidence and its remedy."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from kafkactl.containers.compose_edit import block
from kafkactl.doctor.codes import Code, Told, category
from kafkactl.doctor.diagnosis import Diagnosis
from kafkactl.text.escapes import plain
from kafkactl.text.remedies import Advice, Remedy, ServiceChange, filled, kafkactl
from kafkactl.text.words import many, took
from kafkactl.view import output
from kafkactl.view.cases import Case, github, junit
from kafkactl.view.formats import DoctorFormat
from kafkactl.view.output import remedy_document

_LEVELS = {"error": "red", "warning": "yellow", "info": "dim"}
_WORDS = {"error": "ERROR", "warning": "WARN", "info": "INFO"}
_WIDEST = 100  # cells; longer lines are hard to read
_INDENT = 13  # where the texts begin
_NAMED = 5  # findings of one code that are listed one by one


def show_diagnosis(found: Diagnosis, form: DoctorFormat, seconds: float) -> None:
    """Show a diagnosis and how long it took."""
    match form:
        case DoctorFormat.JSON:
            output.document("doctor", {**diagnosis_document(found), "seconds": round(seconds, 3)})
        case DoctorFormat.JUNIT:
            junit("doctor", _cases(found))
        case DoctorFormat.GITHUB:
            github("doctor", _cases(found))
        case DoctorFormat.SHORT:
            for told in found.findings("error", "warning", "info"):
                output.say(f"{told.code} {told.severity:<7} {plain(told.headline)}")
            for result in found.states("crashed"):
                output.say(f"{result.code} crashed {plain(result.reason)}")
        case DoctorFormat.TABLE:
            _tell(found, seconds)


def _tell(found: Diagnosis, seconds: float) -> None:
    first = found.headline
    if first is None:
        _tell_news(found)
        crashed = found.states("crashed")
        if crashed:
            _tell_crashed(found)
        verdict = "Nothing else found" if crashed else _VERDICTS[found.verdict]
        if not found.states("passed"):
            verdict = "Nothing could be checked"
        output.say(f"{verdict}. {_passed(found)}{_skipped(found)} in {took(seconds)}.")
        return
    _tell_first(found, first)
    _tell_others(found, first)
    _tell_crashed(found)
    if found.findings("info"):
        output.say()
        _tell_news(found)
    output.say()
    explained = kafkactl("doctor", options=["--explain", first.code])
    summary, more = f"{_summary(found)} · {took(seconds)}", f"more: {explained.text}"
    gap = _room() - len(summary) - len(more)
    output.say(f"{summary}{' ' * gap}{more}" if gap > 1 else f"{summary}\n{more}")


_VERDICTS = {"healthy": "Healthy", "unknown": "No fault found in what this user may see"}


def _tell_news(found: Diagnosis) -> None:
    """What is worth knowing but not a fault."""
    for info in found.findings("info"):
        for place, line in enumerate(output.wrapped(info.headline, _room() - 7)):
            output.say(f"{info.code if place == 0 else '':<5}  {line}")


def _room() -> int:
    return min(output.width(), _WIDEST)


def _entry(word: str, text: str, colour: str = "") -> None:
    """A label, and next to it a text of as many lines as it takes."""
    for place, line in enumerate(output.wrapped(text, _room() - _INDENT)):
        output.say(f"  {word if place == 0 else '':<{_INDENT - 3}} {output.style().paint(line, colour)}")


def _heal(word: str, remedy: Remedy) -> None:
    """A remedy: a command stays on one line, whatever its length."""
    if isinstance(remedy, Advice):
        _entry(word, remedy.text)
        return
    if isinstance(remedy, ServiceChange):
        _entry(word, "in the compose file")
        for line in block(remedy).splitlines():
            output.say(f"  {'':<{_INDENT - 3}} {output.style().paint(plain(line), 'bold')}")
        _entry("", "then")
        return
    shown, note = plain(remedy.text), remedy.note
    beside = bool(note) and _INDENT + len(shown) + 4 + len(note) <= _room()
    comment = f"    {plain(note)}" if beside else ""
    output.say(f"  {word:<{_INDENT - 3}} {output.style().paint(shown, 'bold')}{comment}")
    if note and not beside:
        _entry("", f"({note})")


def _tell_first(found: Diagnosis, first: Told) -> None:
    look = output.style()
    headline, *more = output.wrapped(f"{_WORDS[first.severity]}  {first.headline}", _room() - len(first.code) - 2)
    gap = max(2, _room() - output.cell_width(headline) - len(first.code))
    output.say(look.paint(headline, _LEVELS[first.severity]) + " " * gap + look.paint(first.code, "dim"))
    for line in more:
        output.say(look.paint(line, _LEVELS[first.severity]))
    output.say()
    for word, text in first.evidence:
        _entry(word, text)
    for place, remedy in enumerate(first.heal):
        _heal("fix" if place == 0 else "", remedy)
    alike = [told for told in found.findings("error", "warning") if told.code == first.code and told is not first]
    for told in alike[:_NAMED]:
        _entry("and", told.headline)
    if len(alike) > _NAMED:
        _entry("and", f"{len(alike) - _NAMED:,} more like these")


def _tell_others(found: Diagnosis, first: Told) -> None:
    explained = found.explained_by(first.code)
    if explained:
        output.say()
        skipped = f"{many(len(explained), 'check')} skipped because of it: {_in_short(found, explained)}"
        for line in output.wrapped(skipped, _room() - 2):
            output.say(f"  {line}")
    others: dict[str, list[Told]] = defaultdict(list)
    for told in found.findings("error", "warning"):
        if told.code != first.code:
            others[told.code].append(told)
    if others and not explained:
        output.say()
    for code, tolds in others.items():
        more = f" (and {len(tolds) - 1:,} more)" if len(tolds) > 1 else ""
        _entry("also", f"{tolds[0].severity} {code}: {tolds[0].headline}{more}", _LEVELS[tolds[0].severity])
        # Nothing explains it, so it has its own cause, and needs its own remedy; of a warning the first will do.
        for remedy in tolds[0].heal if tolds[0].severity == "error" else tolds[0].heal[:1]:
            _heal("", remedy)


def _in_short(found: Diagnosis, listed: list[str]) -> str:
    """Codes; a category that is complete is shortened to KD5xx."""
    words: dict[str, None] = {}
    for code in listed:
        whole = all(result.code in listed for result in found.results if result.code[:3] == code[:3])
        words[f"{code[:3]}xx" if whole else code] = None
    return " ".join(words)


def _tell_crashed(found: Diagnosis) -> None:
    for result in found.states("crashed"):
        _entry("crashed", f"{result.code}: {result.reason}. Please report it, with the file that --save FILE writes.")


def _passed(found: Diagnosis) -> str:
    return f"{many(len(found.states('passed')), 'check')} passed"


def _skipped(found: Diagnosis) -> str:
    reasons = Counter(result.reason for result in found.states("skipped"))
    if not reasons:
        return ""
    listed = ", ".join(f"{reason}: {number}" for reason, number in reasons.most_common())
    return f", {sum(reasons.values())} skipped ({plain(listed)})"


def _summary(found: Diagnosis) -> str:
    parts = [f"{len(found.states('passed'))} passed"]
    for severity in ("error", "warning"):
        if number := len(found.findings(severity)):
            parts.append(many(number, severity))
    if skipped := found.states("skipped"):
        parts.append(f"{len(skipped)} skipped")
    if ignored := sum(result.ignored for result in found.results):
        parts.append(f"{ignored} ignored")
    return " · ".join(parts)


def diagnosis_document(found: Diagnosis) -> dict[str, object]:
    """A diagnosis as a program reads it."""
    first = found.headline
    return {
        "healthy": None if found.verdict == "unknown" else found.verdict == "healthy",
        "cause": first.code if first else None,
        "checks": [
            {
                "code": result.code,
                "state": result.state,
                "reason": result.reason or None,
                "because": result.because or None,
                "ignored": result.ignored,
                "findings": [
                    {
                        "slug": told.slug,
                        "severity": told.severity,
                        "target": told.target,
                        "headline": told.headline,
                        "evidence": [{"what": word, "text": text} for word, text in told.evidence],
                        "heal": [remedy_document(remedy) for remedy in told.heal],
                    }
                    for told in result.findings
                ],
            }
            for result in found.results
        ],
    }


def _cases(found: Diagnosis) -> list[Case]:
    cases = []
    for result in found.results:
        if result.state == "skipped":
            cases.append(Case(result.code, "skipped", result.reason))
        elif result.state == "crashed":
            cases.append(Case(result.code, "error", f"the check crashed: {result.reason}"))
        for told in result.findings:
            level = "ok" if told.severity == "info" else told.severity
            cases.append(Case(f"{told.code} {told.target}", level, told.headline, subject=told.code))
        if result.state == "passed":
            cases.append(Case(result.code))
    return cases


def explain(code: str, entry: Code) -> None:
    """Explain what a code means and how to fix it."""
    look = output.style()
    output.say(f"{look.paint(code, 'bold')}  {entry.slug}  ({entry.severity}, {category(code)})")
    output.say(f"{entry.title}.")
    output.say()
    for line in output.wrapped(" ".join(entry.explain.split()), _room()):
        output.say(line)
    output.say()
    for place, remedy in enumerate(entry.remedies):
        _heal("fix" if place == 0 else "", filled(remedy, _Capitals()))
    if entry.reasons:
        _entry("explained", f"by {', '.join(dict.fromkeys(entry.reasons))}: skipped if one of them is found")
    if entry.waits:
        _entry("waits", "it may recover without help: --wait 60s re-checks")


class _Capitals(dict[str, str]):
    """A placeholder for each value that a finding fills in: TOPIC."""

    def __missing__(self, name: str) -> str:
        return name.upper()


def listing(entries: Mapping[str, Code], form: DoctorFormat) -> None:
    """List every check."""
    if form is DoctorFormat.JSON:
        keys = ("slug", "severity", "title", "after")
        listed = [
            {"code": code, "category": category(code), **{key: getattr(entry, key) for key in keys}}
            for code, entry in entries.items()
        ]
        output.document("checks", {"checks": listed})
        return
    output.table(
        [output.Column("CODE"), output.Column("CATEGORY"), output.Column("SEVERITY"), output.Column("WHAT IT FINDS")],
        [(code, category(code), entry.severity, entry.title) for code, entry in entries.items()],
    )
