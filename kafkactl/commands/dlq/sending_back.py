"""One run of dlq replay: plan, consent, the replay, and the account of it."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import typer

from kafkactl import consent
from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.metadata import Topics, read_configs, read_topics
from kafkactl.commands.dlq.correction import correct
from kafkactl.commands.dlq.selection import Selection, conditions
from kafkactl.consent import Asked
from kafkactl.deadletters.ledger import LetterLedger, LetterNote, Spot, held_by
from kafkactl.deadletters.ledger_topic import create_ledger, read_ledger
from kafkactl.deadletters.letters import DeadLetterTopic, Letter, find_dead_letter_topic, read_letters
from kafkactl.deadletters.origin import HeaderReading
from kafkactl.deadletters.replay import Replay, ReplayAccount, may_transact
from kafkactl.deadletters.replay_plan import DEDUP_WINDOW, Decision, ReplayPlan, ReplayTarget, ReplayWish, decide
from kafkactl.deadletters.sessions import Replayer, transactional_id
from kafkactl.errors import ExitCode, KafkactlError, NotPermittedError, UsageError
from kafkactl.groups.fetch import groups_by_topic
from kafkactl.process import Interruption
from kafkactl.records.outgoing import Outgoing, rules
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import many
from kafkactl.topics import LiveTopic, impossible_name
from kafkactl.view import output, replay_report


@dataclass(frozen=True)
class SendingBack:
    """What to send back and how, as the user typed it; `rate` is in records a second."""

    topic: str
    chosen: Selection
    limit: int | None
    to: str | None
    rate: float | None
    max_replays: int
    parked: bool
    keep_error_headers: bool
    keep_timestamp: bool
    edit: bool
    duplicates: bool
    take_over: bool


class _Scene(NamedTuple):
    """What a plan is made of."""

    kafka: Cluster
    topic: DeadLetterTopic
    ledger: LetterLedger
    reading: HeaderReading
    wish: ReplayWish
    targets: "_Targets"
    now: int

    def decide(self, letter: Letter, noted: LetterNote | None) -> Decision:
        return decide(letter, noted, self.wish, self.targets, self.reading, self.topic.id, self.now)


class _Targets:
    """What is known of the topics that records go to; each is looked at once."""

    def __init__(self, kafka: Cluster) -> None:
        self._kafka = kafka
        self._topics: Topics = read_topics(kafka, config_of=())
        self.known: dict[str, ReplayTarget] = {}

    def __call__(self, name: str) -> ReplayTarget:
        if name not in self.known:
            self.known[name] = self._look(name)
        return self.known[name]

    def _look(self, name: str) -> ReplayTarget:
        if impossible_name(name) is not None:
            return ReplayTarget(name)
        found = self._topics.found.get(name)
        if found is None:
            asked = read_topics(self._kafka, [name], config_of=())
            if name in asked.denied:
                return ReplayTarget(name, missing=asked.denied[name])
            found = asked.found.get(name)
        if found is None:
            return ReplayTarget(name)
        config = read_configs(self._kafka, [name]).get(name)
        return ReplayTarget(name, rules(LiveTopic(name, found.partitions, config)))


def send_back(asked: Asked, what: SendingBack) -> None:
    """Show the plan, ask, send, and say what became of each. Raises KafkactlError where not all was done."""
    kafka = connect(asked.target.connection)
    with conditions(what.chosen) as wanted:
        scene = _scene(kafka, asked.target, what)
        plan, letters = _plan(scene, what, wanted)
    transactional = may_transact(kafka, transactional_id(scene.topic.id)) if plan.to_send else None
    if not asked.json:
        _show(scene, plan, transactional)
    if asked.dry_run or not len(plan.agreed):
        if asked.json:
            output.document("dlq-replay", _document(what, plan, None, asked.dry_run, transactional))
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


def _scene(kafka: Cluster, target: Target, what: SendingBack) -> _Scene:
    catalog = target.catalog
    topic = find_dead_letter_topic(kafka, what.topic)
    ledger = read_ledger(kafka, topic.id, lambda text: output.note(f"{text}."))
    if ledger.missing:
        raise NotPermittedError(
            f"Which dead letters were replayed is not known: {ledger.missing}.",
            where="A replay reads and writes the ledger (Read, Write and Describe on it).",
            hint=kafkactl("whoami", note="To see what this user may do"),
        )
    declared = catalog.topics.get(what.topic) if catalog else None
    window = catalog.dedup_window if catalog else None
    wish = ReplayWish(
        to=what.to,
        max_replays=what.max_replays,
        keep_error_headers=what.keep_error_headers,
        keep_timestamp=what.keep_timestamp,
        parked=what.parked,
        duplicates=what.duplicates,
        window=DEDUP_WINDOW if window is None else window,
        value_path=tuple(declared.dlq_value.split(".")) if declared and declared.dlq_value else (),
    )
    reading = HeaderReading.of(catalog)
    return _Scene(kafka, topic, ledger, reading, wish, _Targets(kafka), int(time.time() * 1000))


def _plan(
    scene: _Scene, what: SendingBack, wanted: Callable[[Letter], bool]
) -> tuple[ReplayPlan, Mapping[Spot, tuple[Letter, Decision]]]:
    """The plan, and with --edit the letters to be sent."""
    plan = ReplayPlan()
    kept: dict[Spot, tuple[Letter, Decision]] = {}
    with output.progress(scene.topic.name, scene.topic.span) as show:
        for letters in read_letters(scene.kafka, scene.topic, scene.reading, lambda text: output.note(f"{text}.")):
            for letter in letters:
                if not wanted(letter):
                    continue
                decision = scene.decide(letter, scene.ledger.entries.get(letter.spot))
                plan.add(letter, decision, scene.targets, scene.now, what.limit)
                if what.edit and decision.verb == "send" and letter.spot in plan.agreed and len(kept) < 2:
                    kept[letter.spot] = letter, decision
            plan.looked += len(letters)
            show(plan.looked, f"{plan.looked:,} of {scene.topic.span:,}")
    return plan, kept


def _show(scene: _Scene, plan: ReplayPlan, transactional: bool | None) -> None:
    replay_report.show_replay_plan(scene.topic.name, plan)
    targets = list(plan.targets())
    readers = groups_by_topic(scene.kafka, targets) if targets else None
    known = {name: target.rules for name, target in scene.targets.known.items()}
    replay_report.tell_consequences(
        plan,
        readers.by_topic if readers else {},
        next(iter(readers.missing.values()), "") if readers else "",
        {name: found.retention for name, found in known.items() if found and found.retention is not None},
        transactional=transactional,
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
    scene: _Scene, plan: ReplayPlan, letters: Mapping[Spot, tuple[Letter, Decision]], catalog: Catalog | None
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
    asked: Asked, what: SendingBack, scene: _Scene, plan: ReplayPlan, transactional: bool | None
) -> None:
    kafka = scene.kafka
    consent.require_unprotected(
        asked.target, kafka.info.id, asked.confirm, "send dead letters back", kafka.info.addresses
    )
    lock = held_by(scene.ledger.lock, scene.now, socket.gethostname(), _is_alive(scene.ledger))
    if lock is not None and not what.take_over:
        words = replay_report.lock_words(lock, scene.now)
        if not consent.agrees(f"\n{words}. End that replay and go on in its place?"):
            raise UsageError(f"Nothing was sent: {words}.", hint="To end it and go on in its place: --take-over")
    unsafe = transactional is False and plan.to_send and not what.duplicates
    if unsafe and not consent.agrees("\nWithout a transaction duplicates are possible. Send nevertheless?"):
        raise UsageError(
            "Nothing was sent: without a transaction duplicates are possible, and this user may not use one.",
            where=f"It takes Write on the transactional id {transactional_id(scene.topic.id)}.",
            hint="To agree in advance: --allow duplicates",
        )
    if not asked.yes:
        consent.require_yes(f"\n{replay_report.question(what.topic, plan, asked.target.connection.label)}")


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
    scene: _Scene,
    plan: ReplayPlan,
    corrected: Mapping[Spot, Outgoing],
    transactional: bool | None,
) -> ReplayAccount:
    """Send, and tell what was done, also where it ends early."""
    identity = Replayer(scene.topic.id, _operator(), socket.gethostname(), os.getpid(), int(time.time() * 1000))
    with Interruption() as stop, output.progress(what.topic, len(plan.agreed)) as show:
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
        )
        error: KafkactlError | None = None
        try:
            replay.run()
        except KafkactlError as problem:
            error = problem
    account = replay.account
    if asked.json:
        output.document("dlq-replay", _document(what, plan, account, False, transactional))
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
    what: SendingBack, plan: ReplayPlan, account: ReplayAccount | None, dry_run: bool, transactional: bool | None
) -> dict[str, object]:
    return replay_report.replay_document(what.topic, plan, account, dry_run=dry_run, transactional=transactional)


def _operator() -> str:
    """Who is at it, for the notes: user@host."""
    import getpass

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
