"""events schema, example and diff: no cluster is asked."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import typer

from kafkactl.catalog.model import Catalog
from kafkactl.contracts.contract import Contract
from kafkactl.contracts.event_tally import ANY_TYPE
from kafkactl.contracts.example import example_of
from kafkactl.contracts.schema_changes import SchemaChange, schema_changes
from kafkactl.contracts.schema_files import contract_names, load_contract, load_file
from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.settings import open_catalog
from kafkactl.text.suggest import suggest
from kafkactl.text.words import many
from kafkactl.view import output
from kafkactl.view.formats import Format


def _events(file: Path | None) -> tuple[Catalog | None, Mapping[str, Path]]:
    catalog = open_catalog(file, None, required=False)
    return catalog, catalog.events if catalog else {}


def print_schema(name: str, file: Path | None) -> None:
    """Print a contract's schema. Raises UsageError where there is none of this name."""
    _, events = _events(file)
    contract = load_contract(name, events)
    _print(contract.schema)


def _print(document: Any) -> None:
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    sys.stdout.write(text + "\n")


def print_example(name: str, file: Path | None) -> None:
    """Print a valid event of a topic, or of a contract. Raises KafkactlError where none can be made."""
    catalog, events = _events(file)
    topic = catalog.topics.get(name) if catalog else None
    if topic is None and name not in contract_names(events):
        names = [*(catalog.topics if catalog else ()), *contract_names(events)]
        raise UsageError(
            f"{name} is neither a declared topic nor a contract.{suggest(name, names, quoted=False)}",
            where=f"Contracts: {', '.join(contract_names(events))}.",
        )
    if topic is not None and topic.event is None:
        raise UsageError(f"{name} has no contract.", hint="Name one in topics.yaml, under the topic: event: base")
    contract = load_contract(topic.event if topic and topic.event else name, events)
    declared = topic.event_type if topic else None
    kind = declared if declared and declared != ANY_TYPE else name
    named = topic is not None and declared != ANY_TYPE
    event = example_of(contract.inlined, kind, datetime.now().astimezone(), fixed=named)
    if wrong := contract.violations_of(event):
        raise KafkactlError(
            f"No valid example could be made: {wrong[0].text}.",
            hint='Give that property an example in the contract: "examples": [VALUE]',
        )
    sys.stdout.write(msgspec.json.encode(event).decode() + "\n")


def print_changes(old: str, new: str, file: Path | None, show: Format) -> None:
    """Print the differences. Raises Exit with 1 where one of them breaks somebody."""
    _, events = _events(file)
    found = list(schema_changes(_named(old, events).inlined, _named(new, events).inlined))
    breaking = [change for change in found if change.breaks != "nobody"]
    if show is Format.JSON:
        output.document(
            "events-diff",
            {
                "old": old,
                "new": new,
                "breaks": bool(breaking),
                "changes": [{"path": c.path, "what": c.what, "breaks": c.breaks} for c in found],
            },
        )
    elif found:
        columns = [output.Column("WHERE"), output.Column("WHAT"), output.Column("BREAKS")]
        output.table(columns, [_cells(change) for change in found])
    if show is Format.TABLE:
        output.note(
            f"{many(len(found), 'difference')}, {len(breaking)} of them breaking." if found else "No difference."
        )
    if breaking:
        raise typer.Exit(ExitCode.FOUND)


def _cells(change: SchemaChange) -> list[output.Cell]:
    colour = "" if change.breaks == "nobody" else "red"
    return [change.path or "the event", change.what, output.Coloured(change.breaks, colour)]


def _named(name: str, events: Mapping[str, Path]) -> Contract:
    """A contract by its name, or from a file."""
    return load_contract(name, events) if name in contract_names(events) else load_file(Path(name), events)
