"""Contracts by their names: kafkactl's own, and the files that topics.yaml lists under events. Nothing is fetched."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin

import msgspec

from kafkactl.catalog.model import BUILT_IN_EVENTS, Position, Problem
from kafkactl.contracts.contract import MASK, Contract
from kafkactl.contracts.schema_places import place_in, place_of_byte
from kafkactl.errors import UsageError
from kafkactl.text.suggest import suggest
from kafkactl.whole_files import read_whole

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ROOM = "file:///events/"  # the files of topics.yaml refer to each other by their names
_REFERENCES = "A $ref leads to kafkactl:base, kafkactl:payment or another file under events; nothing is fetched."
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


class SchemaError(UsageError):
    """A file that is no JSON Schema, or refers to what is not there. `problems` has each fault with its place."""

    def __init__(self, problems: Sequence[Problem], where: str = "") -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(f"{first.position}: {first.message}", where=where)


def contract_names(events: Mapping[str, Path]) -> list[str]:
    """Every name a topic may give as its event."""
    return [*BUILT_IN_EVENTS, *(name for name in events if name not in BUILT_IN_EVENTS)]


def load_contract(name: str, events: Mapping[str, Path]) -> Contract:
    """The contract of this name. Raises UsageError where there is none, SchemaError where its file is no schema."""
    if name in events:
        return load_file(events[name], events, name)
    if name in BUILT_IN_EVENTS:
        return compiled(name, built_in(name), events, f"kafkactl's own contract {name}")
    names = contract_names(events)
    raise UsageError(
        f"There is no contract {name}.{suggest(name, names, quoted=False)}", where=f"Known: {', '.join(names)}."
    )


def load_file(path: Path, events: Mapping[str, Path], name: str = "") -> Contract:
    """The contract in a file. Raises UsageError where it cannot be read, SchemaError where it is no schema."""
    text = schema_text(path)
    return compiled(name or path.name, parse_schema(text, str(path)), events, str(path), text, path)


@cache
def built_in(name: str) -> dict[str, Any]:
    """The schema of one of kafkactl's own contracts."""
    text = (files("kafkactl.contracts") / "schemas" / f"{name}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Any])


def schema_text(path: Path) -> bytes:
    """A file's text, without a byte order mark. Raises SchemaError where it cannot be read."""
    try:
        return read_whole(path).removeprefix(b"\xef\xbb\xbf")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SchemaError([Problem(Position(str(path), 0, 0), f"the file cannot be read: {why}.")]) from None


def parse_schema(text: bytes, name: str) -> dict[str, Any]:
    """A schema from its text; `name` is that of its file. Raises SchemaError."""
    try:
        text.decode()
        return msgspec.json.decode(text, type=dict[str, Any])
    except UnicodeDecodeError as error:
        place, message = place_of_byte(text, error.start), "the file is not UTF-8."
    except msgspec.ValidationError:
        place, message = (1, 1), "a JSON Schema is an object, which this is not."
    except RecursionError:
        place, message = (1, 1), "the file is nested too deeply."
    except msgspec.DecodeError as error:
        found = re.fullmatch(r"(.*) \(byte (\d+)\)", str(error), re.DOTALL)
        reason = (found[1] if found else str(error)).removeprefix("JSON is malformed: ")
        place, message = place_of_byte(text, int(found[2]) if found else len(text)), f"not valid JSON: {reason}."
    raise SchemaError([Problem(Position(name, *place), message)])


def compiled(
    name: str,
    schema: Mapping[str, Any],
    events: Mapping[str, Path],
    where: str,
    text: bytes = b"",
    path: Path | None = None,
) -> Contract:
    """A contract that can be asked. Raises SchemaError for what is no schema, or refers to what is not there.

    `where` is what messages call it, `text` the text that places are counted in, `path` that of its file.
    """
    import jsonschema_rs

    known = _resources(events)
    base = str(schema.get("$id") or (_addresses(events).get(os.path.abspath(path)) if path else None) or _ROOM)
    others = _reachable(schema, base, known)
    if faults := [*_dialect_faults(schema), *_keyword_faults(schema)]:
        raise _schema_error(faults, where, text)
    if lost := list(_lost_references(schema, base, others)):
        raise _schema_error(lost, where, text, _REFERENCES)
    try:
        registry = jsonschema_rs.Registry(list(others.items())) if others else None
        validator = jsonschema_rs.Draft202012Validator(
            dict(schema), validate_formats=True, registry=registry, mask=MASK, base_uri=base, offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].replace(MASK, "it")
        raise _schema_error([((), f"not a valid JSON Schema: {reason}.")], where, text, _REFERENCES) from None
    return Contract(name, schema, validator, _inlined(schema, base, others))


def _inlined(schema: Mapping[str, Any], base: str, others: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A schema with what its $refs lead to in their places."""
    import jsonschema_rs

    registry = jsonschema_rs.Registry([(k, _apart(v)) for k, v in others.items()]) if others else None
    try:
        found: Mapping[str, Any] = jsonschema_rs.dereference(
            _apart(schema), registry=registry, base_uri=base, offline=True
        )
    except (jsonschema_rs.ReferencingError, ValueError):  # something that looks like a $ref, and is a value
        return schema
    return found


def _apart(schema: Any) -> Any:
    """A schema whose $refs have nothing beside them: what is inlined there would take the place of the other."""
    if isinstance(schema, list):
        return list(map(_apart, schema))
    if not isinstance(schema, Mapping):
        return schema
    plain = {key: value if key in _VALUES else _apart(value) for key, value in schema.items()}
    if isinstance(plain.get("$ref"), str) and len(plain) > 1:
        reference = {"$ref": plain.pop("$ref")}
        plain["allOf"] = [*plain.get("allOf", ()), reference]  # last: a pointer may count the others
    return plain


_VALUES = ("const", "enum", "examples", "default")  # keywords that hold no schemas
_FORMATS = {"regex": "regular expression", "uri-reference": "address"}
Fault = tuple[Sequence[object], str]  # the path in the schema, and what is wrong there


def _schema_error(faults: Sequence[Fault], where: str, text: bytes, hint: str = "") -> SchemaError:
    readable = text.decode("utf-8", "replace")
    places = [place_in(readable, path) if text else (0, 0) for path, _ in faults]
    found = {Problem(Position(where, *place), message) for place, (_, message) in zip(places, faults, strict=True)}
    return SchemaError(sorted(found), hint)


def _dialect_faults(schema: Mapping[str, Any]) -> Iterator[Fault]:
    said = schema.get("$schema", DIALECT)
    if said != DIALECT:
        yield ["$schema"], f"contracts are JSON Schema draft 2020-12 ({DIALECT}), not {said}."


def _keyword_faults(schema: Mapping[str, Any]) -> Iterator[Fault]:
    """What the standard's own schema says of this one."""
    for error in _standard().iter_errors(dict(schema)):
        path, value = error.instance_path, error.instance
        name = ".".join(map(str, path)) or "the schema"
        shown = msgspec.json.encode(value).decode() if isinstance(value, str | int | float | bool) else "this"
        if path and path[-1] == "type":
            reason = f"{shown} is no type: one of {', '.join(_TYPES)}, or a list of them."
            reason += suggest(value, _TYPES) if isinstance(value, str) else ""
        else:
            rest = str(error.message).removeprefix(shown).strip()
            reason = f"{shown} {rest if len(rest) < 200 else 'is not allowed'}."
            if error.kind.name == "format":
                reason = f"{shown} is no valid {_FORMATS.get(str(error.kind.value), error.kind.value)}."
        yield path, f"{name}: {reason}"


@cache
def _standard() -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator({"$ref": DIALECT}, validate_formats=True)


def _lost_references(schema: Mapping[str, Any], base: str, others: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """Each $ref that leads nowhere. Where a part of a schema has an address of its own, the validator tells."""
    if _has_own_addresses(schema):
        return
    for path, reference in references_in(schema):
        address, part = urldefrag(_joined(base, reference))
        there = schema if address == urldefrag(base).url else others.get(address)
        if there is None or not _has_part(there, unquote(part)):
            yield path, f"$ref {reference} leads nowhere."


def _joined(base: str, reference: str) -> str:
    return reference if reference.startswith("kafkactl:") else urljoin(base, reference)


def _has_part(schema: Any, part: str) -> bool:
    """Whether a schema has what a $ref names behind its "#": nothing, a pointer, or an anchor."""
    if part and not part.startswith("/"):
        return part in _anchors(schema)
    for step in part.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, Mapping) and name in schema:
            schema = schema[name]
        elif isinstance(schema, list) and name.isdecimal() and int(name) < len(schema):
            schema = schema[int(name)]
        else:
            return False
    return True


def _anchors(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        yield from (schema[key] for key in ("$anchor", "$dynamicAnchor") if isinstance(schema.get(key), str))
        for inner in schema.values():
            yield from _anchors(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _anchors(inner)


def _reachable(own: Mapping[str, Any], base: str, known: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The schemas that one refers to, and those that they refer to, by their addresses; without those not there."""
    found: dict[str, dict[str, Any]] = {}
    waiting: list[tuple[Mapping[str, Any], str]] = [(own, base)]
    while waiting:
        schema, address = waiting.pop()
        for _, reference in references_in(schema):
            wanted = urldefrag(_joined(address, reference)).url
            if wanted in known and wanted not in found:
                found[wanted] = known[wanted]
                waiting.append((known[wanted], str(known[wanted].get("$id", wanted))))
    return found


def references_in(schema: Any, path: Sequence[object] = ()) -> Iterator[tuple[Sequence[object], str]]:
    """Every $ref in a schema, with its path."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield [*path, "$ref"], schema["$ref"]
        for name, inner in schema.items():
            if name not in _VALUES:
                yield from references_in(inner, [*path, name])
    elif isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from references_in(inner, [*path, number])


def _has_own_addresses(schema: Any, *, inside: bool = False) -> bool:
    """Whether a part of a schema has an address of its own."""
    if isinstance(schema, Mapping):
        here = inside and isinstance(schema.get("$id"), str)
        return here or any(_has_own_addresses(inner, inside=True) for inner in schema.values())
    return isinstance(schema, list) and any(_has_own_addresses(inner, inside=True) for inner in schema)


def _resources(events: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Every schema that can be referred to, by its address: its file's name, and its $id where it has one."""
    found = {f"kafkactl:{name}": built_in(name) for name in BUILT_IN_EVENTS}
    addresses = _addresses(events)
    for path in events.values():
        try:
            schema = {"$schema": DIALECT, **parse_schema(schema_text(path), str(path))}
        except SchemaError:  # told where that one is used
            continue
        found[addresses[os.path.abspath(path)]] = schema
        if isinstance(schema.get("$id"), str):
            found[schema["$id"]] = schema
    return found


def _addresses(events: Mapping[str, Path]) -> dict[str, str]:
    """The address of each file, by its absolute path: its place below the directory that holds all of them."""
    paths = {os.path.abspath(path) for path in events.values()}
    room = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
    return {path: _ROOM + quote(os.path.relpath(path, room).replace(os.sep, "/")) for path in paths}
