"""One run of the doctor: facts, findings, and re-checks while waiting can help."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kafkactl import consent, process
from kafkactl.carrying_out.recorded import recorded
from kafkactl.containers.compose_edit import ComposeEditError, block
from kafkactl.doctor.bundle import bundle, read_facts, save_facts
from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.codes import category, codes
from kafkactl.doctor.diagnosis import Diagnosis, Ignored, diagnose
from kafkactl.doctor.facts import Facts
from kafkactl.doctor.file_repair import FileRepair, file_changes, make_change, prepared
from kafkactl.doctor.repair import Repair, Treatment, repairs
from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.history.model import Step
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.view import diagnosis_report, output
from kafkactl.view.formats import DoctorFormat


def fix(
    found: Diagnosis,
    facts: Facts,
    target: Target,
    *,
    yes: bool,
    confirm: str | None,
) -> list[Repair]:
    """Fix what is safe to fix, if the user agrees; returns the repairs that were made.

    A repair that fails is reported, and the next is tried. Raises UsageError if the user does not agree.
    """
    todo = repairs(found.findings("error", "warning", "info"), facts, target)
    if not todo:
        if found.headline:
            output.note("--fix cannot fix any of this: follow the remedy.")
        return []
    cluster = facts.cluster.id if facts.cluster else None
    consent.require_unprotected(target, cluster, confirm, "change the cluster", _advertised(facts))
    for repair in todo:
        output.note(f"--fix would {repair.words} ({repair.code}).")
    if not yes and not consent.agrees("Proceed?"):
        raise UsageError("Nothing was changed.", hint="To agree in advance: --fix --yes")
    treated: list[Repair] = []
    steps = [Step("repair", repair.target or "cluster", repair.code, after=repair.words) for repair in todo]
    with recorded(target, cluster or "", steps) as recording:
        ended = list(steps)
        try:
            for at, repair in enumerate(todo):
                done, why = _tried(repair)
                ended[at] = replace(steps[at], fate="done" if done else "failed", why=why)
                if done:
                    treated.append(repair)
        finally:
            recording.end(ended)
    return treated


def _tried(repair: Repair) -> tuple[bool, str]:
    """Whether a repair was made; and what of it was not, with the reason."""
    try:
        tried = repair.act()
    except KafkactlError as error:  # the other repairs may still succeed, and what was done is told
        tried = Treatment([f"Could not {repair.words}: {error}"], done=False)
    for line in tried.failed:
        output.warn(line)
    if not tried.done:
        output.note(f"Not fixed: {repair.name}.")
    return tried.done, "; ".join(tried.failed)


def fix_file(found: Diagnosis, facts: Facts, target: Target, wish: "DoctorOptions") -> list[Repair]:
    """Change the compose file as the findings say, each change if the user agrees; returns what was made.

    Raises UsageError if the user agrees to nothing.
    """
    changes = list(file_changes(found.findings("error", "warning")))
    if not changes:
        output.note("--fix-file has nothing to change: follow the remedy.")
        return []
    consent.require_unprotected(
        target, facts.cluster.id if facts.cluster else None, wish.confirm, "change the stack", _advertised(facts)
    )
    made: list[Repair] = []
    newly = facts
    for told, change in changes:
        name = f"{told.code} of {told.target}"
        try:
            repair = prepared(told, change, newly)
        except ComposeEditError as error:
            output.note(f"The compose file is not edited for {name}: {error}. Change it by hand:")
            output.note(block(change))
            continue
        output.note("\n".join(repair.diff))
        if not _agrees_to_file(repair, wish):
            continue
        assert facts.stack is not None
        step = Step("repair", change.service, told.code, after=f"{repair.file} was changed, and the service made anew")
        with recorded(target, facts.cluster.id if facts.cluster else "", [step]) as recording:
            try:
                kept = make_change(repair, facts.stack.compose)
            except KafkactlError as error:
                recording.end([replace(step, fate="failed", why=str(error))])
                output.warn(str(error))
                continue
            recording.end([replace(step, fate="done")])
        output.note(f"{repair.file} is changed, and {change.service} made anew. What was there before: {kept}")
        made.append(Repair(told.code, name, lambda: Treatment([]), told.target))
        newly = _with_new_containers(facts)
    if not made:
        raise UsageError("Nothing was changed.", hint="" if wish.yes else "To agree in advance: --fix-file --yes")
    return made


def _agrees_to_file(repair: FileRepair, wish: "DoctorOptions") -> bool:
    """Whether the user agrees to this change, and to the loss of data where it brings that."""
    service = repair.change.service
    if repair.loses_data and "data" not in wish.allow:
        loss = f"The data of {service} is in the container itself: this loses every topic."
        if not consent.interactive():
            output.warn(f"{loss} It takes --allow data.")
            return False
        return consent.agrees(f"{loss} Change the file, recreate {service} and lose its data?")
    return wish.yes or consent.agrees(f"Change the file, and recreate {service}?")


def _with_new_containers(facts: Facts) -> Facts:
    """The facts after kafkactl's own change: the file is newer than the other containers, but that is known."""
    assert facts.stack is not None
    now = datetime.now(UTC)
    renewed = tuple(replace(container, created=now) for container in facts.stack.containers)
    return replace(facts, stack=replace(facts.stack, containers=renewed))


def is_under_way(treated: Iterable[Repair], found: Diagnosis) -> bool:
    """Whether what was treated, or a consequence of it, may still recover."""
    there = found.findings("error", "warning")
    return any(repair.is_of(told) for repair in treated for told in there) or any(
        codes()[told.code].waits for told in found.findings("error")
    )


def say_whether_healed(treated: Iterable[Repair], after: Diagnosis) -> None:
    """Report which of the treated findings are gone."""
    left = after.findings("error", "warning", "info")
    said = {repair.name: any(repair.is_of(told) for told in left) for repair in treated}
    for name, found in said.items():
        output.note(f"{name} is {'not fixed' if found else 'fixed'}.")


_AGAIN = 1.0  # seconds between two checks
_RECOVERY = 60.0  # seconds that started containers have to come up


@dataclass(frozen=True)
class DoctorOptions:
    """What to check and how to show it, as the user typed it."""

    what: tuple[str, ...]
    wait: float  # seconds
    sample: float  # seconds
    fail_on_warnings: bool
    ignore: tuple[str, ...]
    save: Path | None
    saved: Path | None
    show: DoctorFormat
    fix: bool = False
    fix_file: bool = False
    allow: tuple[str, ...] = ()
    yes: bool = False
    confirm: str | None = None
    probe: bool = False
    bundle: Path | None = None
    project: str | None = None


def examine(target: Target, wish: DoctorOptions) -> ExitCode:
    """Run the checks, fix what --fix allows, show the findings, and return the exit code.

    Raises UsageError for a check that does not exist.
    """
    look = partial(diagnose, codes=codes(), checks=CHECKS, wanted=_wanted(wish.what), ignored=_ignored(wish.ignore))
    start = time.monotonic()
    again = partial(_look_again, target, wish, look)
    facts, found, waited = again(wish.wait, lambda found: _may_heal(found, wish))
    told = False
    if wish.fix or wish.fix_file:
        if wish.show is DoctorFormat.TABLE:  # a program gets one document: the final result
            diagnosis_report.show_diagnosis(found, wish.show, time.monotonic() - start)
            told = True
        if wish.fix_file:
            treated = fix_file(found, facts, target, wish)
        else:
            treated = fix(found, facts, target, yes=wish.yes, confirm=wish.confirm)
        if treated:
            facts, found, _ = again(max(wish.wait, _RECOVERY), lambda found: is_under_way(treated, found))
            told = False
            say_whether_healed(treated, found)
    if wish.save is not None:
        save_facts(wish.save, facts)
    if wish.bundle is not None:
        held = bundle(wish.bundle, facts, diagnosis_report.diagnosis_document(found), live=wish.saved is None)
        output.note(f"{wish.bundle} contains {held}.")
    if not told:
        diagnosis_report.show_diagnosis(found, wish.show, time.monotonic() - start)
    _name_the_stack(facts, wish)
    return _exit_code(found, wish, waited=waited)


def _name_the_stack(facts: Facts, wish: DoctorOptions) -> None:
    """Say which stack was looked at, where neither the user named it nor the directory is that of its files."""
    stack = facts.stack
    if stack is None or stack.project is None or wish.project or wish.saved:
        return
    if stack.files and Path.cwd().is_relative_to(Path(stack.files[0]).parent):
        return
    output.note(f"Containers: compose project {stack.project}{f' ({stack.files[0]})' if stack.files else ''}.")


def _look_again(
    target: Target,
    wish: DoctorOptions,
    look: Callable[[Facts], Diagnosis],
    seconds: float,
    under_way: Callable[[Diagnosis], bool],
) -> tuple[Facts, Diagnosis, bool]:
    """The final diagnosis after re-checking for up to so many seconds, and whether they ran out."""
    deadline = time.monotonic() + seconds
    while True:
        facts = _facts(target, wish)
        found = look(facts)
        left = deadline - time.monotonic()
        if wish.saved is not None or left <= 0 or not under_way(found):
            if wish.show is DoctorFormat.TABLE:
                output.pending("")
            return facts, found, seconds > 0 and left <= 0
        if wish.show is DoctorFormat.TABLE and found.headline:
            output.pending(f"  …   waiting: {found.headline.headline}")
        process.collect_garbage()
        time.sleep(min(_AGAIN, left))


def _facts(target: Target, wish: DoctorOptions) -> Facts:
    if wish.saved is None:
        from kafkactl.doctor.collect import collect

        if wish.sample and wish.show is DoctorFormat.TABLE:
            output.pending(f"  …   sampling consumer groups for {wish.sample:g} s")
        facts = collect(target, wish.sample, wish.project)
        return _probed(facts, target, wish) if wish.probe else facts
    return read_facts(wish.saved)


def _advertised(facts: Facts) -> list[str]:
    return [broker.dial.address for broker in facts.brokers or ()]


def _probed(facts: Facts, target: Target, wish: DoctorOptions) -> Facts:
    if facts.cluster is None:
        return facts
    from kafkactl.doctor.collect import with_round_trip

    consent.require_unprotected(target, facts.cluster.id, wish.confirm, "write test records to it", _advertised(facts))
    return with_round_trip(facts, target.connection)


def _bad(found: Diagnosis, wish: DoctorOptions) -> Sequence[str]:
    """The codes that make the exit code 1."""
    severities = ("error", "warning") if wish.fail_on_warnings else ("error",)
    return [told.code for told in found.findings(*severities)]


def _may_heal(found: Diagnosis, wish: DoctorOptions) -> bool:
    bad = _bad(found, wish)
    return bool(bad) and all(codes()[code].waits for code in bad)


def _exit_code(found: Diagnosis, wish: DoctorOptions, *, waited: bool) -> ExitCode:
    if found.states("crashed"):
        return ExitCode.UNREACHABLE
    if not _bad(found, wish):
        nothing = found.verdict == "unknown" and not found.states("passed")
        return ExitCode.UNREACHABLE if nothing else ExitCode.OK
    return ExitCode.WAIT_EXPIRED if waited else ExitCode.FOUND


def _wanted(texts: Iterable[str]) -> list[str] | None:
    """The codes these words mean: a category, its digits, a code, a code's slug. None for all."""
    wanted: list[str] = []
    for text in texts:
        found = [
            code
            for code, entry in codes().items()
            if text.upper() in (code, code[:3]) or text.lower() in (entry.slug, category(code))
        ]
        if not found:
            known = [*codes(), *map(category, codes()), *(entry.slug for entry in codes().values())]
            raise UsageError(
                f"There is no check {text}.{suggest(text, known, quoted=False)}",
                hint=kafkactl("doctor", options=["--list"], note="List them"),
            )
        wanted += found
    return wanted or None


def _ignored(texts: Iterable[str]) -> list[Ignored]:
    ignored = []
    for text in texts:
        name, equals, target = text.partition("=")
        ignored += [Ignored(code, target if equals else "*") for code in _wanted([name]) or ()]
    return ignored


def explain(text: str) -> None:
    """Explain what a code means."""
    for code in _wanted([text]) or ():
        diagnosis_report.explain(code, codes()[code])


def list_codes(form: DoctorFormat) -> None:
    """List every check."""
    diagnosis_report.listing(codes(), form)
