"""kafkactl doctor: what is wrong, why, and what heals it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.view.output import DoctorFormat


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    WARN = "warn"
    ERROR = "error"


@options.on_cluster()
def doctor(
    target: Target,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CATEGORY|CODE]…", help="Only these checks: network, KD3, KD305. Default: all."),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="TIME",
            parser=options.duration,
            help="Look again for so long, until all is well or waiting can't heal it. Default: 0s.",
            show_default=False,
        ),
    ] = 0.0,
    sample: Annotated[
        float,
        typer.Option(
            "--sample",
            metavar="TIME",
            parser=options.duration,
            help="Look at consumer groups twice, so far apart; more than 30s tells who is stuck. Default: 0s.",
            show_default=False,
        ),
    ] = 0.0,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="The exit code is 1 from this severity on.")] = (
        FailOn.ERROR
    ),
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODE[=TARGET]", help="Do not tell this finding. TARGET may be a glob."),
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", metavar="FILE", help="Keep the facts in a file.")] = None,
    saved: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Judge the facts of such a file instead.")
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE.zip",
            help="Keep facts, findings, logs and compose files for a colleague; no secret is in them.",
        ),
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Also write records to every broker, and read them back.")
    ] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Heal what can be healed without a loss: stopped containers, missing topics, leaders. Asks first.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer the question of --fix.")] = False,
    confirm: options.Confirm = None,
    project: options.Project = None,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="CODE", help="What a code means, and what heals it.")
    ] = None,
    list_codes: Annotated[bool, typer.Option("--list", help="List every check.")] = False,
    show: Annotated[DoctorFormat, typer.Option("-o", "--output", help="How to show it.")] = DoctorFormat.TABLE,
) -> None:
    """Find what is wrong with Kafka, name the cause first, and say what heals it. Changes nothing without --fix.

    \b
    Examples:
      kafkactl doctor
      kafkactl doctor network -b localhost:40092
      kafkactl doctor --wait 60s --fail-on warn
      kafkactl doctor --explain KD305
    """
    from kafkactl.commands.doctor import examine

    if explain is not None:
        examine.explain(explain)
        return
    if list_codes:
        examine.list_codes(show)
        return
    if (fix or probe) and saved is not None:
        option = "--fix heals a cluster" if fix else "--probe writes to a cluster"
        raise UsageError(f"{option}, and --from looks at none.", hint="Leave one of them out.")
    raise typer.Exit(
        examine.examine(
            target,
            examine.DoctorOptions(
                what=tuple(what or ()),
                wait=wait,
                sample=sample,
                fail_on_warnings=fail_on is FailOn.WARN,
                ignore=tuple(ignore or ()),
                save=save,
                saved=saved,
                show=show,
                fix=fix,
                yes=yes,
                confirm=confirm,
                probe=probe,
                bundle=bundle,
                project=project,
            ),
        )
    )
