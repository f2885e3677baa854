"""Options shared by commands, each declared once."""

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from kafkactl.output import Format, ListFormat, ReportFormat

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def duration(text: str | float) -> float:
    """Seconds from what a user types: 30s, 500ms, 2m, 1h, or a number of seconds."""
    match = _DURATION.fullmatch(str(text).strip())
    if not match:
        raise typer.BadParameter(f"{text!r} is not a time. Write 30s, 500ms, 2m or a number of seconds.")
    return float(match[1]) * _SECONDS[match[2]]


def positive_duration(text: str | float) -> float:
    """As `duration`, but more than nothing."""
    value = duration(text)
    if value <= 0:
        raise typer.BadParameter("must be more than 0.")
    return value


def typed_flags(brokers: str | None, env: str | None, client_config: Path | None, file: Path | None) -> str:
    """What was typed to name the cluster and the catalogue, for the commands of a remedy."""
    given = {"-b": brokers, "--env": env, "--client-config": client_config, "--file": file}
    return shlex.join(word for flag, value in given.items() if value is not None for word in (flag, str(value)))


def complete_topic(incomplete: str) -> list[str]:
    """The catalogue's topics that begin so, for the shell; nothing is dialled, and no error is shown."""
    from kafkactl.errors import KafkactlError
    from kafkactl.settings import open_catalog

    try:
        catalog = open_catalog(None, None, required=False)
    except KafkactlError:
        return []
    return [name for name in catalog.topics if name.startswith(incomplete)] if catalog else []


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
