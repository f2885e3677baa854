"""kafkactl env: which environments there are, and what a command with --env would use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kafkactl.directories import personal_file
from kafkactl.errors import UsageError
from kafkactl.options import File, Output
from kafkactl.settings import Target, current_environment
from kafkactl.tab_names import complete_environment
from kafkactl.text.escapes import plain
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import suggest
from kafkactl.view import output
from kafkactl.view.formats import Format
from kafkactl.view.output import Cell, Column

if TYPE_CHECKING:
    from kafkactl.catalog.model import Environment

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Environment.", show_default=False, autocompletion=complete_environment)
]


def list_environments(file: File = None, show: Output = Format.TABLE) -> None:
    """List the environments for --env: those of topics.yaml, and your own.

    Your own are in config.yaml in $XDG_CONFIG_HOME/kafkactl (default ~/.config/kafkactl), under environments:, as in
    topics.yaml. Of a name that both have, yours is used; a protected environment stays protected.

    \b
    Examples:
      kafkactl env list
    """
    found = _environments(file)
    if show is Format.JSON:
        documents = [{**_document(e), "current": e.name == current_environment()} for e in found]
        output.document("environments", {"environments": documents})
        return
    if not found:
        output.say("No environments.")
        output.note(f"They are declared in topics.yaml or in {personal_file()}, under environments:.")
        return
    rows: list[list[Cell]] = [
        [e.name, " ".join(e.brokers), str(e.client_config or "–"), "yes" if e.protected else "no", str(e.position)]
        for e in found
    ]
    titles = ("NAME", "BROKERS", "CLIENT CONFIG", "PROTECTED", "DECLARED AT")
    output.table([Column(title) for title in titles], rows)
    if current := current_environment():
        known = any(environment.name == current for environment in found)
        output.note(f"KAFKACTL_ENV names {current}{'' if known else ', which is not declared'}.")


def show_environment(name: Name, file: File = None, show: Output = Format.TABLE) -> None:
    """Show what --env NAME would use: brokers, and client properties without secrets. Runs nothing, asks nobody.

    \b
    Examples:
      kafkactl env show production
    """
    found = {environment.name: environment for environment in reversed(_environments(file))}
    if name not in found:
        raise UsageError(
            f"There is no environment {name}.{suggest(name, found, quoted=False)}",
            hint=kafkactl("env", "list", note="List them"),
        )
    environment = found[name]
    properties = _properties(environment.client_config)
    if show is Format.JSON:
        output.document("environment", {**_document(environment), "properties": dict(properties)})
        return
    output.say(f"{output.style().paint(plain(name), 'bold')} · declared at {plain(str(environment.position))}")
    output.say(f"  brokers    {plain(', '.join(environment.brokers))}")
    output.say(f"  cluster    {plain(environment.cluster_id or 'id not declared')}")
    output.say(f"  protected  {'yes' if environment.protected else 'no'}")
    if environment.client_config:
        output.say(f"  client configuration  {plain(str(environment.client_config))}")
    for key, value in properties:
        output.say(f"    {plain(key)}={plain(value)}")


def _environments(file: Path | None) -> "list[Environment]":
    return Target(file=file).environments


def _properties(path: Path | None) -> list[tuple[str, str]]:
    """The properties as they stand in the file, secrets hidden. Raises ClientConfigError."""
    if path is None:
        return []
    from kafkactl.client_config.loading import shown_properties

    return shown_properties(path)


def _document(environment: "Environment") -> dict[str, Any]:
    return {
        "name": environment.name,
        "brokers": list(environment.brokers),
        "cluster_id": environment.cluster_id,
        "protected": environment.protected,
        "client_config": str(environment.client_config) if environment.client_config else None,
        "declared_at": str(environment.position),
    }
