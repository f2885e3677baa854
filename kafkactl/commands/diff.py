"""kafkactl diff: what the cluster has that the catalogue does not say, and the other way round."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import options, output, settings
from kafkactl.cases import github, junit
from kafkactl.errors import ExitCode

if TYPE_CHECKING:
    from kafkactl.plan import Plan


def diff(
    file: options.File = None,
    only: Annotated[str | None, typer.Option("--only", metavar="GLOB", help="Only topics that match.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="What is not declared counts as drift, too.")] = False,
    show: options.ReportOutput = output.ReportFormat.TABLE,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Compare the cluster with topics.yaml; change nothing.

    Exit code 0: everything declared is as declared. 1: something differs.

    \b
    Examples:
      kafkactl diff
      kafkactl diff --env production -o github
    """
    catalog = settings.open_catalog(file, env)
    assert catalog is not None
    connection = settings.resolve(
        brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
    )
    from kafkactl import cluster
    from kafkactl.cluster.topics import read_topics
    from kafkactl.plan import make_plan

    kafka = cluster.connect(connection)
    topics = read_topics(kafka, catalog.topics, config_of=catalog.topics)
    plan = make_plan(catalog, topics.found, only=only, unreadable=topics.denied)
    drift = bool(plan.changes or plan.unreadable or (strict and (plan.overrides or plan.undeclared)))
    where = {"-f": file, "--env": env, "-b": brokers, "--client-config": client_config, "--only": only}
    apply = " ".join(
        ["kafkactl init-topics", *(f"{flag} {shlex.quote(str(value))}" for flag, value in where.items() if value)]
    )
    _render(plan, show, apply, drift=drift, strict=strict)
    raise typer.Exit(ExitCode.FOUND if drift else ExitCode.OK)


def _render(plan: "Plan", show: output.ReportFormat, apply: str, *, drift: bool, strict: bool) -> None:
    from kafkactl import planview

    match show:
        case output.ReportFormat.JSON:
            output.document("diff", {"drift": drift, **planview.plan_document(plan)})
        case output.ReportFormat.JUNIT:
            junit("diff", planview.plan_cases(plan, strict=strict))
        case output.ReportFormat.GITHUB:
            github(planview.plan_cases(plan, strict=strict))
        case output.ReportFormat.TABLE:
            planview.show_creates([change for change in plan.changes if change.kind == "create"])
            planview.show_differences(plan)
            output.note(" ".join([planview.summary(plan), *_advice(plan, apply)]))


def _advice(plan: "Plan", apply: str) -> list[str]:
    """The command that makes it so, with every risk that would have to be allowed."""
    if all(change.impossible for change in plan.changes):
        return []
    return ["Apply with:", apply, *(f"--allow {risk}" for risk in plan.risks)]
