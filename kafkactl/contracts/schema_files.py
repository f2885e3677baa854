"""Contracts by their names: kafkactl's own, and the files that topics.yaml lists under events. Nothing is fetched."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import msgspec

from kafkactl.catalog.model import BUILT_IN_EVENTS
from kafkactl.contracts.contract import MASK, Contract
from kafkactl.errors import UsageError
from kafkactl.text.suggest import suggest
from kafkactl.whole_files import read_whole

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ROOM = "file:///events/"  # the files of topics.yaml refer to each other by their names


def contract_names(events: Mapping[str, Path]) -> list[str]:
    """Every name a topic may give as its event."""
    return [*BUILT_IN_EVENTS, *(name for name in events if name not in BUILT_IN_EVENTS)]


def load_contract(name: str, events: Mapping[str, Path]) -> Contract:
    """The contract of this name. Raises UsageError where there is none, or its file is no schema."""
    if name not in events and name not in BUILT_IN_EVENTS:
        names = contract_names(events)
        raise UsageError(
            f"There is no contract {name}.{suggest(name, names, quoted=False)}", where=f"Known: {', '.join(names)}."
        )
    if name in events:
        schema = read_schema(events[name])
        where = str(events[name])
    else:
        schema, where = built_in(name), f"kafkactl's own contract {name}"
    return compiled(name, schema, events, where)


def load_file(path: Path, events: Mapping[str, Path]) -> Contract:
    """The contract in a file. Raises UsageError where it is no schema."""
    return compiled(path.name, read_schema(path), events, str(path))


def built_in(name: str) -> dict[str, Any]:
    """The schema of one of kafkactl's own contracts."""
    text = (files("kafkactl.contracts") / "schemas" / f"{name}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Any])


def read_schema(path: Path) -> dict[str, Any]:
    """A file's JSON object. Raises UsageError where it cannot be read, or is none."""
    try:
        return parse_schema(read_whole(path), str(path))
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from None


def parse_schema(text: bytes, name: str) -> dict[str, Any]:
    """A schema from its text; `name` is that of its file. Raises UsageError."""
    try:
        return msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
    except msgspec.ValidationError:
        raise UsageError(f"{name} is not a JSON Schema: it is not an object.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name} is not valid JSON: {error}.") from None


def compiled(name: str, schema: Mapping[str, Any], events: Mapping[str, Path], where: str) -> Contract:
    """A contract that can be asked. Raises UsageError for what is no schema, or refers to what is not there."""
    import jsonschema_rs

    own = {"$schema": _DIALECT, **schema}
    if name in events:
        own["$id"] = schema.get("$id", _address(events[name]))
    base = str(own.get("$id") or _ROOM)
    try:
        others = _reachable(own, base, events)
        registry = jsonschema_rs.Registry(list(others.items())) if others else None
        validator = jsonschema_rs.Draft202012Validator(
            own, validate_formats=True, registry=registry, mask=MASK, base_uri=base, offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].replace(MASK, "it")
        raise UsageError(
            f"{where} is not a valid JSON Schema: {reason}.",
            where="A $ref leads to kafkactl:base, kafkactl:payment or another file under events; nothing is fetched.",
        ) from None
    return Contract(name, own, validator)


def _reachable(own: Mapping[str, Any], base: str, events: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """The schemas that one refers to, and those that they refer to, by their addresses; without those not there."""
    known = {str(schema["$id"]): schema for schema in _resources(events)}
    found: dict[str, dict[str, Any]] = {}
    waiting = [(own, base)]
    while waiting:
        schema, address = waiting.pop()
        for reference in _references(schema):
            wanted = reference if reference.startswith("kafkactl:") else urljoin(address, reference)
            wanted = wanted.partition("#")[0]
            if wanted in known and wanted not in found:
                found[wanted] = known[wanted]
                waiting.append((known[wanted], wanted))
    return found


def _references(schema: Any) -> Iterator[str]:
    """Every $ref in a schema."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _resources(events: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
    """Every schema that can be referred to, with its $id."""
    yield from map(built_in, BUILT_IN_EVENTS)
    for path in events.values():
        try:
            schema = read_schema(path)
        except UsageError:  # told where that one is used
            continue
        yield {"$schema": _DIALECT, "$id": _address(path), **schema}


def _address(path: Path) -> str:
    return _ROOM + quote(path.name)
