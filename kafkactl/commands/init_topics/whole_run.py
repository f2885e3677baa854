"""init-topics from its first look to its last word: topics first, then who may do what with them."""

from collections.abc import Sequence
from dataclasses import dataclass

import typer

from kafkactl import consent
from kafkactl.carrying_out.access_changes import AccessRun
from kafkactl.carrying_out.plan_steps import steps_accounted, steps_of
from kafkactl.carrying_out.recorded import recorded
from kafkactl.cluster.client import Cluster, wait_for
from kafkactl.commands.init_topics.apply import Run, heading
from kafkactl.commands.init_topics.replica_changes import ReplicaChanges
from kafkactl.errors import ExitCode, KafkactlError, Terminated
from kafkactl.plan.account import Account, Entry, Fate
from kafkactl.plan.differences import require_chosen
from kafkactl.plan.risk import Risk
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.view import access_page, account_report, output, plan_table


@dataclass(frozen=True)
class InitWish:
    """What was typed. `wait` is in seconds."""

    wait: float
    dry_run: bool
    allowed: frozenset[Risk]
    rehearse: bool
    only: str | None
    confirm: str | None
    throttle: int | None  # bytes a second
    json: bool


def init(target: Target, wish: InitWish) -> None:
    """Do it. Raises Exit with the exit code, KafkactlError where it could not be finished."""
    catalog = target.declared
    chosen = require_chosen(catalog, wish.only)
    brokers_needed = max((topic.replication or 1 for topic in chosen), default=1)
    kafka = wait_for(
        target.connection,
        wish.wait,
        brokers_needed,
        waiting=lambda why: output.note(f"Waiting up to {wish.wait:g} s: {why}."),
    )
    movers = ReplicaChanges(kafka, target, wish.throttle, quiet=wish.json)
    run = Run(kafka, catalog, wish.only, wish.allowed, movers)
    access = AccessRun(kafka, catalog, wish.only, Risk.ACCESS in wish.allowed)
    run.look()
    access.look()
    if not wish.json:
        output.note(heading(kafka, catalog))
        plan_table.show_plan(run.plan, removing=Risk.OVERRIDES in wish.allowed)
        if access.declared:
            access_page.show_access_plan(access.plan)
    run.check()
    if wish.rehearse:
        from kafkactl.commands.init_topics.rehearsing import rehearse_run

        raise typer.Exit(rehearse_run(run, access, target, as_json=wish.json))
    foreseen = run.account(dry_run=wish.dry_run).of(Fate.FAILED)
    if not wish.json:
        account_report.tell_failures(foreseen)
    stopped = None if wish.dry_run else _make_so(target, wish, kafka, run, access)
    _tell(target, wish, run, access, foreseen)
    if stopped is not None:
        raise stopped
    successful = run.account(dry_run=wish.dry_run).successful and access.successful(dry_run=wish.dry_run)
    raise typer.Exit(ExitCode.OK if successful else ExitCode.FOUND)


def _make_so(target: Target, wish: InitWish, kafka: Cluster, run: Run, access: AccessRun) -> BaseException | None:
    """Ask, and do what may be done; what stopped it, if something did: what was done until then is told first."""
    # Reading changes nothing; from here on the environment's protection counts.
    if run.todo() or run.plan.risks or access.plan.changes:
        consent.require_unprotected(target, kafka.info.id, wish.confirm, "change its topics", kafka.info.addresses)
    run.ask()
    access.ask()
    if todo := run.todo():
        with recorded(target, kafka, steps_of(todo)) as recording:
            try:
                run.make_so(quiet=wish.json)
            except (KafkactlError, KeyboardInterrupt, Terminated) as error:
                return error
            finally:
                recording.end(steps_accounted(run.account(dry_run=False)))
    if access.todo:
        with recorded(target, kafka, access.steps()) as recording:
            try:
                access.make_so()
            except (KafkactlError, KeyboardInterrupt, Terminated) as error:
                return error
            finally:
                recording.end(access.steps())
    return None


def _tell(target: Target, wish: InitWish, run: Run, access: AccessRun, foreseen: Sequence[Entry]) -> None:
    """The account, as a document or in sentences."""
    account = run.account(dry_run=wish.dry_run)
    if wish.json:
        document = account_report.account_document(account, run.kafka)
        output.document("init-topics", document | ({"access": access.as_document()} if access.declared else {}))
        return
    account_report.tell_failures(entry for entry in account.of(Fate.FAILED) if entry not in foreseen)
    output.note(f"\n{account_report.summary(account, run.seconds)}".lstrip("\n" if not account.of(Fate.DONE) else ""))
    if access.declared:
        access.tell(dry_run=wish.dry_run)
    if account.missing or access.of(Fate.WITHHELD):
        output.note(f"To allow it: {kafkactl('init-topics', options=_allowing(target, wish, account, access)).text}")


def _allowing(target: Target, wish: InitWish, account: Account, access: AccessRun) -> list[str]:
    """The options of a command that does the same and what is withheld."""
    given = [word for risk in Risk if risk in wish.allowed for word in ("--allow", risk)]
    only = ["--only", wish.only] if wish.only is not None else []
    rules = ["--allow", Risk.ACCESS] if access.of(Fate.WITHHELD) else []
    rate = ["--throttle", f"{wish.throttle}B/s"] if wish.throttle is not None else []
    return [*target.flags, *only, *given, *account_report.allowing(account), *rules, *rate]
