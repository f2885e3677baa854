"""Options shared by commands, each declared once."""

import inspect
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from kafkactl.errors import UsageError
from kafkactl.settings import Target
from kafkactl.text.units import parse_duration, parse_moment, parse_rate
from kafkactl.view.output import Format, ListFormat, ReportFormat

P = TypeVar("P")


def duration(text: str | float) -> float:
    """Seconds from what a user types: 30s, 500ms, 2m, 1h, or a number of seconds."""
    return _read(parse_duration, str(text))


def positive_duration(text: str | float) -> float:
    """As `duration`, but more than nothing."""
    value = duration(text)
    if value <= 0:
        raise typer.BadParameter("must be more than 0.")
    return value


def rate(text: str | float) -> float:
    """Records a second from what a user types: 100/s, 6000/m, or a number a second."""
    return _read(parse_rate, str(text))


def moment(text: str) -> int:
    """Milliseconds since 1970 from what a user types: 15m (ago), or a time; without a zone it is local."""
    try:
        return parse_moment(text, datetime.now().astimezone())
    except ValueError as error:
        raise UsageError(str(error), hint="Write 15m, 2h, 2026-11-22T10:00, 2026-11-22T10:00Z or …+08:00.") from None


def _read(parse: Callable[[str], P], text: str) -> P:
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def complete_topic(incomplete: str) -> list[str]:
    """The catalogue's topics that begin so, for the shell; nothing is dialled, and no error is shown."""
    from kafkactl.errors import KafkactlError
    from kafkactl.settings import declared_names

    try:
        return [name for name in declared_names() if name.startswith(incomplete)]
    except (KafkactlError, OSError, UnicodeDecodeError):
        return []


Brokers = Annotated[
    str | None,
    typer.Option(
        "-b",
        "--brokers",
        metavar="HOST:PORT,…",
        help="Bootstrap addresses. Default: KAFKA_BROKERS, else localhost:40093.",
    ),
]
Env = Annotated[
    str | None,
    typer.Option("--env", metavar="NAME", help="An environment of topics.yaml: its brokers and its values."),
]
ClientConfig = Annotated[
    Path | None,
    typer.Option("--client-config", metavar="FILE", help="librdkafka properties (security.protocol=SASL_SSL …)."),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="TIME",
        parser=positive_duration,
        help="How long a silent cluster is waited for. Default: 3s.",
        show_default=False,
    ),
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show the Kafka client's log on stderr.")]
File = Annotated[
    Path | None,
    typer.Option(
        "-f",
        "--file",
        metavar="FILE",
        help="The catalogue. Default: KAFKACTL_CATALOG, else topics.yaml here or in a parent directory.",
    ),
]
# Where -f means follow.
StreamFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="The catalogue. Default: KAFKACTL_CATALOG, else topics.yaml here or in a parent directory.",
    ),
]
Utc = Annotated[bool, typer.Option("--utc", help="Show times in UTC instead of the local zone.")]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="Allow writing to the protected environment of this name."),
]
Project = Annotated[
    str | None,
    typer.Option("--project", metavar="NAME", help="The compose project. Default: the one with a Kafka."),
]
Output = Annotated[Format, typer.Option("-o", "--output", help="How to show it.")]
ReportOutput = Annotated[ReportFormat, typer.Option("-o", "--output", help="How to show it.")]
ListOutput = Annotated[ListFormat, typer.Option("-o", "--output", help="How to show it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Answer the question beforehand.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")]


def on_cluster(
    *, f_follows: bool = False, own_timeout: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that is about a cluster: adds the options that name it and the catalogue, and passes one Target.

    The command's first parameter, `target`, gets it. With `f_follows` -f is the command's own; with `own_timeout` so
    is --timeout.
    """
    added: dict[str, tuple[Any, Any]] = {
        "file": (StreamFile if f_follows else File, None),
        "brokers": (Brokers, None),
        "env": (Env, None),
        "client_config": (ClientConfig, None),
        **({} if own_timeout else {"timeout": (Timeout, 3.0)}),
        "verbose": (Verbose, False),
    }

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**given: Any) -> None:
            named = {name: given.pop(name) for name in added}
            command(Target(**named), **given)

        own = [p for p in inspect.signature(command).parameters.values() if p.name != "target"]
        options = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in added.items()
        ]
        del run.__wrapped__  # Typer reads this signature, not the command's
        run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
        return run

    return decorate
