"""The app: every command, in the order of --help. main() is the one place where an error becomes an exit code."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from kafkactl import __version__, garbage, interrupts
from kafkactl.commands import (
    describe,
    diff,
    doctor,
    export,
    groups,
    init_topics,
    lag,
    lint,
    logs,
    produce,
    ps,
    sandbox,
    smoke,
    tail,
)
from kafkactl.errors import ExitCode, KafkactlError, Terminated

app = typer.Typer(
    name="kafkactl",
    help="Operate Kafka from one command line: declare topics, prove the cluster works, see what is wrong.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

app.command("init-topics")(init_topics.init_topics)
app.command("diff")(diff.diff)
app.command("lint")(lint.lint)
app.command("export")(export.export)
app.command("describe")(describe.describe)
app.command("test")(smoke.smoke)
app.command("doctor")(doctor.doctor)
app.command("lag")(lag.lag)
app.add_typer(groups.app, name="groups")
app.command("tail")(tail.tail)
app.command("produce")(produce.produce)
app.command("ps")(ps.ps)
app.command("logs")(logs.logs)
app.add_typer(sandbox.app, name="sandbox")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"kafkactl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    interrupts.raise_on_arrival()
    garbage.collect_by_hand()
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    sys.exit(code)


def _app() -> int:
    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer has made an exit code 1 of it
            raise BrokenPipeError from None
        return end.code if isinstance(end.code, int) else ExitCode.OK
    return ExitCode.OK


def _run() -> int:
    try:
        return _app()
    except KafkactlError as error:
        if os.environ.get("KAFKACTL_DEBUG"):
            raise
        _tell(error)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`).
        _drop_stdout()
        return ExitCode.OK
    except (KeyboardInterrupt, Terminated) as end:
        return ExitCode.TERMINATED if isinstance(end, Terminated) else ExitCode.INTERRUPTED
    except Exception as error:  # whatever it is, a user never gets a traceback
        if os.environ.get("KAFKACTL_DEBUG"):
            raise
        return interrupts.code_of_arrived() or _unforeseen(error)


def _unforeseen(error: Exception) -> ExitCode:
    _tell(
        KafkactlError(
            f"kafkactl itself failed: {type(error).__name__}: {error}.",
            where="That is a mistake in kafkactl, not in what you did.",
            hint="See where, and report it: KAFKACTL_DEBUG=1 kafkactl …",
        )
    )
    return ExitCode.FOUND


def _tell(error: KafkactlError) -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    sys.stderr.write("\n".join(error.lines()) + "\n")


def _drop_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at exit has nothing to complain about."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
