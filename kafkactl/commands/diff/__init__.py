"""kafkactl diff: how the cluster and the catalogue differ."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options
from kafkactl.errors import ExitCode, UsageError
from kafkactl.settings import Target
from kafkactl.text.remedies import kafkactl
from kafkactl.view import output
from kafkactl.view.cases import github, junit
from kafkactl.view.formats import ReportFormat

if TYPE_CHECKING:
    from kafkactl.access.access_plan import AccessPlan
    from kafkactl.plan.differences import Plan


@options.on_cluster()
def diff(
    target: Target,
    only: Annotated[
        str | None, typer.Option("--only", metavar="GLOB", help="Only topics whose name matches GLOB.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="ID|TIME",
            help="Instead: what is no longer as it was before an entry of the history, or at TIME (2h).",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count undeclared topics and overrides as drift.")] = False,
    show: options.ReportOutput = ReportFormat.TABLE,
) -> None:
    """Compare the cluster with topics.yaml without changing anything.

    The exit code is 0 if everything is as declared, 1 if anything differs. With --since, what kafkactl changed since
    then is compared, and not topics.yaml.

    \b
    Examples:
      kafkactl diff
      kafkactl diff --env production -o github
      kafkactl diff --since 2h
    """
    from kafkactl.cluster.client import connect
    from kafkactl.cluster.metadata import read_topics
    from kafkactl.plan.differences import make_plan, require_chosen

    if since is not None:
        from kafkactl.commands.diff.then_and_now import compare_since

        if only is not None or strict:
            raise UsageError("--since compares with the history: --only and --strict are about topics.yaml.")
        compare_since(target, since, show)
    catalog = target.declared
    require_chosen(catalog, only)
    kafka = connect(target.connection)
    topics = read_topics(kafka, [*catalog.topics, *catalog.removed], config_of=catalog.topics)
    plan = make_plan(catalog, topics.found, only=only, unreadable=topics.denied)
    access: AccessPlan | None = None
    if catalog.declares_access:
        from kafkactl.carrying_out.access_changes import compared_access

        access = compared_access(kafka, catalog, only)
    drift = bool(access and (access.changes or access.missing))
    drift = drift or bool(plan.changes or plan.unreadable or (strict and (plan.overrides or plan.undeclared)))
    named = [*target.flags, *(["--only", only] if only is not None else [])]
    _render(plan, show, named, access, drift=drift, strict=strict)
    raise typer.Exit(ExitCode.FOUND if drift else ExitCode.OK)


def _render(
    plan: "Plan",
    show: ReportFormat,
    named: Sequence[str],
    access: "AccessPlan | None",
    *,
    drift: bool,
    strict: bool,
) -> None:
    from kafkactl.view import access_page, plan_table

    cases = [*plan_table.plan_cases(plan, strict=strict), *(access_page.access_cases(access) if access else [])]

    match show:
        case ReportFormat.JSON:
            whole = {"drift": drift, **plan_table.plan_document(plan)}
            output.document("diff", whole | ({"access": access_page.access_document(access, {})} if access else {}))
        case ReportFormat.JUNIT:
            junit("diff", cases)
        case ReportFormat.GITHUB:
            github("diff", cases)
        case ReportFormat.TABLE:
            plan_table.show_plan(plan)
            if access:
                access_page.show_access_plan(access)
            output.note(" ".join([plan_table.plan_summary(plan), *_advice(plan, named, access)]))


def _advice(plan: "Plan", named: Sequence[str], access: "AccessPlan | None") -> list[str]:
    """The command that applies the difference, with every risk that would have to be allowed."""
    rules = [change for change in access.changes if not change.impossible] if access else []
    if all(change.impossible for change in plan.changes) and not rules:
        return []
    risks = [*plan.risks, *(["access"] if any(change.risk for change in rules) else [])]
    allowed = [word for risk in risks for word in ("--allow", risk)]
    return ["Apply with:", kafkactl("init-topics", options=[*named, *allowed]).text]
