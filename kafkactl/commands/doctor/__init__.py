"""kafkactl doctor: what is wrong, why, and how to fix it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kafkactl import options
from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.tab_names import complete_check, complete_code
from kafkactl.view.formats import DoctorFormat


class FailOn(StrEnum):
    """The severity from which the exit code is 1."""

    WARN = "warn"
    ERROR = "error"


class MayLose(StrEnum):
    """What --fix-file may lose."""

    DATA = "data"


@options.on_cluster(first_aid=True)
def doctor(
    target: Target,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CATEGORY|CODE]…",
            autocompletion=complete_check,
            help="Run only these checks: network, KD3, KD305. Default: all.",
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="TIME",
            parser=options.duration,
            help="Re-check for up to TIME, until healthy or waiting cannot help. Default: 0s.",
            show_default=False,
            rich_help_panel="How to look",
        ),
    ] = 0.0,
    sample: Annotated[
        float,
        typer.Option(
            "--sample",
            metavar="TIME",
            parser=options.duration,
            help="Sample groups twice, TIME apart; over 60s detects stuck consumers. Default: 0s.",
            show_default=False,
            rich_help_panel="How to look",
        ),
    ] = 0.0,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            "--fail-on",
            help="Exit with code 1 from this severity on.",
            rich_help_panel="How to look",
        ),
    ] = (FailOn.ERROR),
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="CODE[=TARGET]",
            autocompletion=complete_code,
            help="Ignore this finding. TARGET may be a glob. Repeatable.",
            rich_help_panel="How to look",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="Save the collected facts to FILE.",
            rich_help_panel="Facts in files",
        ),
    ] = None,
    saved: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Check the facts saved in FILE instead of a cluster.",
            rich_help_panel="Facts in files",
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE.zip",
            help="Save facts, findings, logs and compose files to share with a colleague, without secrets.",
            rich_help_panel="Facts in files",
        ),
    ] = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Also write records to every broker and read them back.",
            rich_help_panel="How to look",
        ),
    ] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Fix what is safe to fix: stopped containers, missing topics, leaders. Asks first.",
            rich_help_panel="Healing",
        ),
    ] = False,
    fix_file: Annotated[
        bool,
        typer.Option(
            "--fix-file",
            help="Change the compose file as the findings say, and recreate the service. Shows each change and asks.",
            rich_help_panel="Healing",
        ),
    ] = False,
    allow: Annotated[
        list[MayLose] | None,
        typer.Option(
            "--allow",
            help="Let --fix-file recreate a broker whose data is in its container, and lose it.",
            rich_help_panel="Healing",
        ),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="Do not ask before --fix and --fix-file.",
            rich_help_panel="Healing",
        ),
    ] = False,
    confirm: options.Confirm = None,
    project: options.Project = None,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="CODE",
            autocompletion=complete_code,
            help="Explain what a code means and how to fix it.",
            rich_help_panel="About the checks",
        ),
    ] = None,
    list_codes: Annotated[
        bool,
        typer.Option("--list", help="List every check.", rich_help_panel="About the checks"),
    ] = False,
    show: Annotated[DoctorFormat, options.output_option()] = DoctorFormat.TABLE,
) -> None:
    """Find out what is wrong with Kafka, name the cause first, and say how to fix it.

    Changes nothing without --fix or --fix-file.

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
    if fix and fix_file:
        raise UsageError("--fix and --fix-file are two steps.", hint="Use --fix first, then --fix-file.")
    if (fix or fix_file or probe) and saved is not None:
        option = "--fix" if fix else "--fix-file" if fix_file else "--probe"
        raise UsageError(f"{option} needs a cluster, but --from reads a file.", hint="Use one or the other.")
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
                fix_file=fix_file,
                allow=tuple(loss.value for loss in allow or ()),
                yes=yes,
                confirm=confirm,
                probe=probe,
                bundle=bundle,
                project=project,
            ),
        )
    )
