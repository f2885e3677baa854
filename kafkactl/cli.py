"""The app: every command, in the order of --help. main() is the one place where an error becomes an exit code.

Only the command that runs is imported and has its parameters built: help and completion need only a name and one line.
"""

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

from kafkactl import imports, process
from kafkactl.command_list import COMMANDS, Branch, Leaf
from kafkactl.errors import ExitCode, KafkactlError, Terminated
from kafkactl.text.escapes import plain


class Commands(TyperGroup):
    """Commands that are imported when they run."""

    table: Mapping[str, Leaf | Branch] = COMMANDS
    default: str = ""  # the command that is meant where none is named

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: dict[str, Any] = dict.fromkeys(self.table)  # names, for "did you mean"

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if self.default and (not args or self._is_none_of_ours(args[0])):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def _is_none_of_ours(self, word: str) -> bool:
        """Whether a word is neither a command here nor what another tool calls one."""
        if word in self.table or word in ("-h", "--help"):
            return False
        from kafkactl.other_words import OTHER_SUBWORDS

        return not any(word in OTHER_SUBWORDS.get(name, ()) for name in self.table)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = self.table.get(cmd_name)
        return entry and _command(cmd_name, entry)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        from kafkactl.help_pages import write_commands

        write_commands(self.table, formatter, grouped=self.table is COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in self.table or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        from kafkactl.other_words import no_such_command

        raise no_such_command(args[0], list(self.table), ctx.info_name if ctx.parent else "")

    def _main_shell_completion(self, *given: Any, **named: Any) -> None:
        if os.environ.get("_KAFKACTL_COMPLETE", "").startswith("complete_"):
            from kafkactl.completion import offer_whole_texts

            offer_whole_texts()
        super()._main_shell_completion(*given, **named)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        from typer._click.shell_completion import CompletionItem

        names = [n for n in self.table if n.startswith(incomplete)]
        options = super(TyperGroup, self).shell_complete(ctx, incomplete)
        return [*(CompletionItem(name, help=self.table[name].help) for name in names), *options]


class _CheckedCommand(TyperCommand):
    """A command that looks at what was typed before it starts, and tells its failure in the format asked for."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        from kafkactl.help_pages import write_options

        write_options(self, ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        from kafkactl.options import refuse_unusable
        from kafkactl.view import output

        output.nothing_told()
        try:
            for parameter in self.params:
                refuse_unusable(parameter, ctx.params.get(parameter.name))
            return super().invoke(ctx)
        except KafkactlError as error:
            show = next((ctx.params[p.name] for p in self.params if "--output" in p.opts and p.name), None)
            if show is not None:
                from kafkactl.view.failure_report import tell_failure

                tell_failure(_name(ctx), show, error)
            raise


def _name(ctx: Any) -> str:
    """A command's name as it is typed, whatever the program is called: "groups list"."""
    return f"{_name(ctx.parent)} {ctx.info_name}".strip() if ctx.parent else ""


def _command(name: str, entry: Leaf | Branch) -> Any:
    if isinstance(entry, Branch):
        group = type("Subcommands", (Commands,), {"table": entry.commands, "default": entry.default})
        return group(name=name, help=entry.help, no_args_is_help=True, rich_markup_mode=None)
    module, _, function = entry.home.partition(":")
    callback = getattr(import_module(f"kafkactl.commands.{module}"), function)
    info = CommandInfo(name=name, cls=_CheckedCommand, callback=callback, context_settings=dict(entry.settings or {}))
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=None)


app = typer.Typer(
    cls=Commands,
    name="kafkactl",
    help="Operate Kafka from the command line: declare topics, prove that the cluster works, find out what is wrong.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        from kafkactl.build import version_text

        typer.echo(f"kafkactl {version_text()}")
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
    process.start_clock()
    process.raise_on_signals()
    process.collect_garbage_by_hand()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # where the locale is ASCII, escapes stand for the rest
            stream.reconfigure(errors="backslashreplace")
    imports.postpone_unused()
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
        _show_where()
        _tell(error)
        return process.code_of_signal() or error.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`).
        _drop_stdout()
        return ExitCode.OK
    except (KeyboardInterrupt, Terminated) as end:
        return ExitCode.TERMINATED if isinstance(end, Terminated) else ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, a user never gets a traceback unasked
        _show_where()
        return process.code_of_signal() or _unforeseen(error)


def _show_where() -> None:
    """The traceback of what is being handled, for whoever asked for it; the exit code is the same."""
    if os.environ.get("KAFKACTL_DEBUG"):
        import traceback

        traceback.print_exc()


def _unforeseen(error: Exception) -> ExitCode:
    _tell(
        KafkactlError(
            f"kafkactl itself failed: {type(error).__name__}: {error}.",
            where="This is a bug in kafkactl, not something you did wrong.",
            hint="Please report it with the traceback from: KAFKACTL_DEBUG=1 kafkactl …",
        )
    )
    return ExitCode.FOUND


def _tell(error: KafkactlError) -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    sys.stderr.write(plain("\n".join(error.lines()), lines=True) + "\n")


def _drop_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's own flush at exit has nothing to complain about."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
