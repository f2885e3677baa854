"""Options shared by commands, each declared once."""

import inspect
import os
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from kafkactl import settings
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.settings import Target
from kafkactl.tab_names import complete_environment
from kafkactl.text.escapes import is_text, plain, printable, typed_bytes
from kafkactl.text.units import parse_byte_rate, parse_duration, parse_moment, parse_rate, parse_size
from kafkactl.topics import impossible_name, is_glob
from kafkactl.view import output
from kafkactl.view.formats import Format, ListFormat, ReportFormat
from kafkactl.whole_files import read_whole

P = TypeVar("P")


def duration(text: str | float) -> float:
    """Seconds from what a user types: 30s, 500ms, 2m, 1h, or a number of seconds."""
    return _read(parse_duration, str(text))


def positive_duration(text: str | float) -> float:
    """Like `duration`, but more than zero."""
    value = duration(text)
    if value < 0.001:  # librdkafka counts ms, and takes 0 for "without end"
        raise typer.BadParameter("must be 1ms or more.")
    return value


def network_duration(text: str | float) -> float:
    """As `positive_duration`, and no more than a request to Kafka may wait: an hour."""
    value = positive_duration(text)
    if value > 3600:
        raise typer.BadParameter("must be 1h or less.")
    return value


def rate(text: str | float) -> float:
    """Records per second from what a user types: 100/s, 6000/m, or a number per second."""
    return _read(parse_rate, str(text))


def byte_rate(text: str | int) -> int:
    """Bytes per second from what a user types: 50MB/s, 50MiB/s."""
    return text if isinstance(text, int) else _read(parse_byte_rate, text)


def byte_size(text: str | int) -> int:
    """Bytes from what a user types: 10GiB, 512MiB, or a number of bytes; more than none."""
    value = _read(parse_size, str(text))
    if value < 1:
        raise typer.BadParameter("must be 1 byte or more.")
    return value


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


def as_bytes(text: str) -> bytes:
    """An argument's very bytes, whatever they are."""
    return os.fsencode(text)


def escaped_bytes(text: str | bytes) -> bytes:
    r"""An argument's bytes, in which \xNN, \t, \n, \r, \0 and \\ are what they are in --format."""
    return text if isinstance(text, bytes) else typed_bytes(text)  # a default is parsed, too


def contents(path: Path) -> bytes:
    """All of a file that the user named; `-` is stdin. Raises UsageError if it cannot be read."""
    try:
        return read_whole(path)
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from None


def refuse_unusable(parameter: Any, given: Any) -> None:
    """Raise UsageError for a value that no parameter of its kind can have, before anybody is asked anything.

    Text that is not UTF-8 (what takes bytes has them as bytes), nothing at all (an unset shell variable), a number no
    `long` can hold, a topic that Kafka cannot have.
    """
    is_option = parameter.param_type_name == "option"
    name = max(parameter.opts, key=len) if is_option else parameter.metavar or parameter.name
    for value in given if isinstance(given, (list, tuple)) else [given]:
        metavar = parameter.metavar or ""
        why = _unusable(value, topic="TOPIC" in metavar, one=metavar == "TOPIC", group="GROUP" in metavar)
        if why:
            raise UsageError(f"{name}: {why}")


def _unusable(value: Any, *, topic: bool, one: bool, group: bool) -> str | None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return f"{value} is more than Kafka can count."
    if not isinstance(value, str | Path):
        return None
    text = "" if value == Path() else str(value)
    if not text:
        return "nothing is given; an unset shell variable looks like that."
    if not is_text(text):
        return f"{printable(os.fsencode(text))} is not UTF-8."
    if group and len(text.encode()) > _LONGEST_GROUP:
        size = f"{len(text.encode()):,} bytes"
        return f"the group name {text[:20]}… has {size}; Kafka cannot take more than {_LONGEST_GROUP:,}."
    return _no_topic(text, one=one) if topic else None


def _no_topic(text: str, *, one: bool) -> str | None:
    if not is_glob(text):
        return impossible_name(text)
    return f"{plain(text)} is a pattern, and this takes the name of one topic." if one else None


_LONGEST_GROUP = 32_767  # bytes: the length of a string is an int16 in Kafka's requests


def output_option() -> Any:
    """-o of a command that writes documents. Of YAML, another way to write the same ones, the command is told JSON."""
    return typer.Option("-o", "--output", help="Output format.", callback=_documents)


def _documents(show: Any) -> Any:
    in_yaml = str(show) == "yaml"
    output.write_yaml(in_yaml)
    return type(show)("json") if in_yaml else show


Brokers = Annotated[
    str | None,
    typer.Option(
        "-b",
        "--brokers",
        metavar="HOST:PORT,…",
        help="Bootstrap addresses. Default: KAFKA_BROKERS, else localhost:40093.",
        rich_help_panel="Cluster and topics.yaml",
    ),
]
Env = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="NAME",
        autocompletion=complete_environment,
        help="Environment of topics.yaml: uses its brokers and values. Default: KAFKACTL_ENV, unless -b is given.",
        rich_help_panel="Cluster and topics.yaml",
    ),
]
ClientConfig = Annotated[
    Path | None,
    typer.Option(
        "--client-config",
        metavar="FILE",
        help="Client properties: librdkafka's, kcat's or Java's. Default: KAFKACTL_CLIENT_CONFIG.",
        rich_help_panel="Cluster and topics.yaml",
    ),
]
Property = Annotated[
    list[str] | None,
    typer.Option(
        "-X",
        metavar="KEY=VALUE",
        help="Client property, such as security.protocol=SSL. Repeatable.",
        rich_help_panel="Cluster and topics.yaml",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="TIME",
        parser=network_duration,
        help="How long to wait for the cluster to respond. Default: 3s.",
        show_default=False,
        rich_help_panel="Cluster and topics.yaml",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "-v", "--verbose", help="Show the Kafka client's log on stderr.", rich_help_panel="Cluster and topics.yaml"
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "-f",
        "--file",
        metavar="FILE",
        help="Path to topics.yaml. Default: KAFKACTL_CATALOG, else topics.yaml here or in a parent directory.",
        rich_help_panel="Cluster and topics.yaml",
    ),
]
# Where -f means follow.
StreamFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="Path to topics.yaml. Default: KAFKACTL_CATALOG, else topics.yaml here or in a parent directory.",
        rich_help_panel="Cluster and topics.yaml",
    ),
]
Utc = Annotated[bool, typer.Option("--utc", help="Show times in UTC instead of the local zone.")]
Confirm = Annotated[
    str | None,
    typer.Option(
        "--confirm",
        metavar="NAME",
        help="Allow changes to the protected environment NAME.",
        rich_help_panel="Cluster and topics.yaml",
    ),
]
Project = Annotated[
    str | None,
    typer.Option("--project", metavar="NAME", help="Compose project. Default: the one that runs Kafka."),
]
Output = Annotated[Format, output_option()]
ReportOutput = Annotated[ReportFormat, output_option()]
ListOutput = Annotated[ListFormat, output_option()]


class LaterChanges(StrEnum):
    """What an undo may take away besides."""

    LATER = "later"


Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan without changing anything.")]


def on_cluster(
    *, f_follows: bool = False, own_timeout: bool = False, first_aid: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that works on a cluster: adds the options that select it and the catalogue, and passes one Target.

    The command's first parameter, `target`, receives it. With `f_follows`, -f is the command's own option; with
    `own_timeout`, so is --timeout. `first_aid`: it warns of a catalogue that has problems, and does not stop for it.
    """
    added: dict[str, tuple[Any, Any]] = {
        "file": (StreamFile if f_follows else File, None),
        "brokers": (Brokers, None),
        "env": (Env, None),
        "client_config": (ClientConfig, None),
        "properties": (Property, None),
        **({} if own_timeout else {"timeout": (Timeout, 3.0)}),
        "verbose": (Verbose, False),
    }

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**given: Any) -> None:
            named = {name: given.pop(name) for name in added}
            named["properties"] = tuple(named["properties"] or ())
            current = None if named["brokers"] else settings.current_environment()
            target = Target(
                current=current,
                **named,
                warn=output.warn if first_aid else None,
                remark=output.warn,
                tell=output.note,
                announce=output.announce,
                waited=output.tell_wait,
            )
            try:
                command(target, **given)
            except KafkactlError as error:
                error.flags = target.flags
                raise

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


# What commands that change a cluster take; they get it as one `Asked`.
_AGREEMENT: dict[str, tuple[Any, Any]] = {
    "dry_run": (DryRun, False),
    "yes": (Yes, False),
    "confirm": (Confirm, None),
    "show": (Output, Format.TABLE),
}


def changes_cluster(command: Callable[..., None]) -> Callable[..., None]:
    """A command on a cluster that shows a plan and asks: its first parameter, `asked`, receives the options above."""

    @wraps(command)
    def run(target: Target, **given: Any) -> None:
        from kafkactl.consent import Asked

        agreed = {name: given.pop(name) for name in _AGREEMENT}
        as_json = agreed.pop("show") is Format.JSON
        command(Asked(target, **agreed, json=as_json), **given)

    own = [p for p in inspect.signature(command).parameters.values() if p.name != "asked"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _AGREEMENT.items()
    ]
    target = inspect.Parameter("target", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Target)
    run.__signature__ = inspect.Signature([target, *own, *added])  # type: ignore[attr-defined]
    return on_cluster()(run)
