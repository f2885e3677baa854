"""One run of dlq replay: plan, consent, the replay, and the account of it."""

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import typer

from kafkactl import consent
from kafkactl.carrying_out.recorded import recorded
from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import connect
from kafkactl.commands.dlq.correction import correct
from kafkactl.commands.dlq.replay_scene import Scene, SendingBack, may_be_transactional, set_scene
from kafkactl.commands.dlq.selection import conditions
from kafkactl.consent import Asked
from kafkactl.deadletters.ledger import LetterLedger, Spot, held_by
from kafkactl.deadletters.ledger_topic import create_ledger
from kafkactl.deadletters.letters import Letter, read_letters
from kafkactl.deadletters.replay import Replay, ReplayAccount
from kafkactl.deadletters.replay_plan import Decision, ReplayPlan
from kafkactl.deadletters.sessions import Replayer, transactional_id
from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.groups.fetch import groups_by_topic
from kafkactl.history.model import Step, StepFate
from kafkactl.history.recording import person
from kafkactl.process import Interruption
from kafkactl.records.outgoing import Outgoing
from kafkactl.text.words import many
from kafkactl.view import output, replay_report, screen


def send_back(asked: Asked, what: SendingBack) -> None:
    """Show the plan, ask, send, and say what became of each. Raises KafkactlError where not all was done."""
    kafka = connect(asked.target.connection)
    with conditions(what.chosen) as wanted:
        scene = set_scene(kafka, asked.target, what)
        plan, letters = _plan(scene, what, wanted)
    transactional = may_be_transactional(scene) if plan.to_send else None
    if not asked.json:
        _show(scene, plan, transactional)
    if asked.dry_run or not (len(plan.agreed) or scene.doubted):
        if asked.json:
            output.document("dlq-replay", _document(what, scene, plan, None, asked.dry_run, transactional))
        output.note(_nothing_done(plan, dry_run=asked.dry_run))
        if not asked.dry_run and plan.withheld:
            raise _withheld(plan)
        return
    corrected = _edited(scene, plan, letters, asked.target.catalog) if what.edit else {}
    _require_consent(asked, what, scene, plan, transactional)
    if not scene.ledger.exists:
        create_ledger(kafka, scene.topic.topic)
    account = _send(asked, what, scene, plan, corrected, transactional)
    if account.parked or account.withheld or plan.withheld:
        raise typer.Exit(ExitCode.FOUND)


def _plan(
    scene: Scene, what: SendingBack, wanted: Callable[[Letter], bool]
) -> tuple[ReplayPlan, Mapping[Spot, tuple[Letter, Decision]]]:
    """The plan, and with --edit the letters to be sent."""
    plan = ReplayPlan()
    kept: dict[Spot, tuple[Letter, Decision]] = {}
    with screen.progress(scene.topic.name, scene.topic.span) as show:
        for letters in read_letters(scene.kafka, scene.topic, scene.reading, lambda text: output.note(f"{text}.")):
            for letter in letters:
                if not wanted(letter):
                    continue
                decision = scene.decide(letter, scene.settled.entries.get(letter.spot))
                plan.add(letter, decision, scene.targets, scene.now, what.limit)
                if what.edit and decision.verb == "send" and letter.spot in plan.agreed and len(kept) < 2:
                    kept[letter.spot] = letter, decision
            plan.looked += len(letters)
            show(plan.looked, f"{plan.looked:,} of {scene.topic.span:,}")
    return plan, kept


def _show(scene: Scene, plan: ReplayPlan, transactional: bool | None) -> None:
    replay_report.show_replay_plan(scene.topic.name, plan)
    targets = list(plan.targets())
    readers = groups_by_topic(scene.goal, targets) if targets else None
    known = {name: target.rules for name, target in scene.targets.known.items()}
    replay_report.tell_consequences(
        plan,
        readers.by_topic if readers else {},
        next(iter(readers.missing.values()), "") if readers else "",
        {name: found.retention for name, found in known.items() if found and found.retention is not None},
        transactional=transactional,
        elsewhere=scene.there.connection.label if scene.there else "",
        keep_timestamp=scene.wish.keep_timestamp,
    )
    if len(plan.agreed) and not scene.ledger.exists:
        replay_report.tell_new_ledger(scene.topic.topic.replication[0])


def _nothing_done(plan: ReplayPlan, *, dry_run: bool) -> str:
    if dry_run:
        return "\nDry run: nothing was sent."
    return "\nNothing was sent." if plan.matching else "\nNothing to do: no dead letter matches."


def _withheld(plan: ReplayPlan) -> KafkactlError:
    allowing = replay_report.what_allows(plan)
    return KafkactlError(
        f"{many(plan.withheld.total(), 'record')} withheld: {next(iter(plan.withheld))}.",
        hint=f"To agree in advance: {allowing}" if allowing else "",
    )


def _edited(
    scene: Scene, plan: ReplayPlan, letters: Mapping[Spot, tuple[Letter, Decision]], catalog: Catalog | None
) -> Mapping[Spot, Outgoing]:
    """The one record, as it was corrected. Raises UsageError where it is not one, or breaks its contract."""
    if len(plan.agreed) != 1 or len(letters) != 1:
        raise UsageError(
            f"--edit opens one record, but {many(len(plan.agreed), 'record')} would be handled.",
            hint="Choose one with --where, --key or --limit 1.",
        )
    ((spot, (letter, decision)),) = letters.items()
    changed = correct(letter, decision, catalog)
    return {spot: changed} if changed is not None else {}


def _require_consent(
    asked: Asked, what: SendingBack, scene: Scene, plan: ReplayPlan, transactional: bool | None
) -> None:
    kafka, there = scene.kafka, scene.there
    action = f"note that dead letters went to {there.connection.label}" if there else "send dead letters back"
    own = consent.require_unprotected(asked.target, kafka.info.id, asked.confirm, action, kafka.info.addresses)
    if there is not None and what.to_env:
        other = asked.target.elsewhere(what.to_env)
        action = "send dead letters to it"
        consent.require_unprotected(other, there.info.id, asked.confirm, action, there.info.addresses, besides=own)
    lock = held_by(scene.ledger.lock, scene.now, socket.gethostname(), _is_alive(scene.ledger))
    if lock is not None and not what.take_over:
        words = replay_report.lock_words(lock, scene.now)
        if not consent.agrees(f"\n{words}. End that replay and go on in its place?"):
            raise UsageError(f"Nothing was sent: {words}.", hint="To end it and go on in its place: --take-over")
    unsafe = transactional is False and plan.to_send and not what.duplicates
    if unsafe and not consent.agrees("\nWithout a transaction duplicates are possible. Send nevertheless?"):
        why = "no transaction spans two clusters" if there else "this user may not use one"
        raise UsageError(
            f"Nothing was sent: without a transaction duplicates are possible, and {why}.",
            where="" if there else f"It takes Write on the transactional id {transactional_id(scene.topic.id)}.",
            hint="To agree in advance: --allow duplicates",
        )
    if not asked.yes:
        place = scene.goal.connection.label
        consent.require_yes(f"\n{replay_report.question(what.topic, plan, place, scene.doubted)}")


def _is_alive(ledger: LetterLedger) -> bool:
    if ledger.lock is None:
        return False
    try:
        os.kill(ledger.lock.pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _send(
    asked: Asked,
    what: SendingBack,
    scene: Scene,
    plan: ReplayPlan,
    corrected: Mapping[Spot, Outgoing],
    transactional: bool | None,
) -> ReplayAccount:
    """Send, and tell what was done, also where it ends early."""
    cluster = scene.there.info.id if scene.there else ""
    since = int(time.time() * 1000)
    identity = Replayer(
        scene.topic.id, f"{person()}@{socket.gethostname()}", socket.gethostname(), os.getpid(), since, cluster
    )
    with Interruption() as stop, screen.progress(what.topic, len(plan.agreed)) as show:
        replay = Replay(
            scene.kafka,
            scene.topic,
            scene.ledger,
            identity,
            plan.agreed,
            scene.decide,
            scene.reading,
            stop,
            lambda text: output.note(f"{text}."),
            lambda run: show(run.account.handled, f"{run.account.handled:,} of {run.account.asked:,}"),
            rate=what.rate,
            transactional=transactional is not False,
            corrected=corrected,
            there=scene.there,
        )
        error: KafkactlError | None = None
        targets = plan.targets() or {what.topic: 0}
        steps = [Step("replay", name, what.topic, own=False) for name in targets]
        with recorded(asked.target, scene.kafka, steps) as recording:
            try:
                replay.run()
            except KafkactlError as problem:
                error = problem
            finally:
                recording.end(_steps(steps, replay.account))
    account = replay.account
    if asked.json:
        output.document("dlq-replay", _document(what, scene, plan, account, False, transactional))
    for line in replay_report.account_lines(plan, account):
        output.note(line)
    if allowing := replay_report.what_allows(plan):
        output.note(f"To send those that are withheld, too: {allowing}")
    if error is not None:
        if account.left:
            error.hint = "Run it again: it goes on where it was."
        raise error
    if stop.why:
        if account.left:
            output.note("Run it again: it goes on where it was.")
        stop.raise_again()
    return account


def _document(
    what: SendingBack,
    scene: Scene,
    plan: ReplayPlan,
    account: ReplayAccount | None,
    dry_run: bool,
    transactional: bool | None,
) -> dict[str, object]:
    goal = scene.goal
    found = replay_report.replay_document(what.topic, plan, account, dry_run=dry_run, transactional=transactional)
    return {**found, "to_cluster": {"id": goal.info.id, "name": goal.connection.label}}


def _steps(steps: Sequence[Step], account: ReplayAccount) -> list[Step]:
    """What became of the replay, for the history: what was sent is not counted for each topic."""
    fate: StepFate = "done" if account.handled else "not known" if account.left else "not done"
    sent = f"{account.handled:,} of {account.asked:,} handled"
    return [replace(step, after=sent, fate=fate) for step in steps]
