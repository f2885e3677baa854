"""One contract: a JSON Schema (draft 2020-12) that is compiled once and asked for each event."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True)
class Violation:
    """Where in an event, and how, it breaks its contract. Values are never quoted: they may be secret."""

    path: str  # dotted: metadata.items.0; "" for the whole value
    reason: str

    @property
    def text(self) -> str:
        return f"{self.path} {self.reason}" if self.path else self.reason


NOT_JSON = (Violation("", "is not JSON"),)
_TOMBSTONE = (Violation("", "is null (a tombstone)"),)


class Contract:
    """`name` as topics.yaml has it, `schema` as its file has it. Made by `schema_files.load_contract`."""

    def __init__(self, name: str, schema: Mapping[str, Any], validator: Any) -> None:
        self.name = name
        self.schema = schema
        self._validator = validator
        self._whole = list(_whole_numbers(schema))

    def violations(self, value: bytes | None) -> Sequence[Violation]:
        """How a record's value breaks the contract; nothing where it does not."""
        if value is None:
            return _TOMBSTONE
        try:
            event = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return NOT_JSON
        return self.violations_of(event)

    def violations_of(self, event: Any) -> Sequence[Violation]:
        """As `violations`, for an event that was decoded."""
        found = list(self._fractions(event)) if self._whole else []
        if self._validator.is_valid(event):
            return found
        seen = {violation.path for violation in found}
        return [
            *found,
            *(v for error in self._validator.iter_errors(event) if (v := _violation(error)).path not in seen),
        ]

    def _fractions(self, event: Any) -> Iterator[Violation]:
        """Whole numbers that are written with a point: 12.0 is one to JSON Schema, and none to Go, Java or Protobuf."""
        for path in self._whole:
            there = event
            for step in path:
                there = there.get(step) if type(there) is dict else None
            if type(there) is float:
                yield Violation(".".join(path), "must be a whole number, not one with a point")


def _whole_numbers(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of properties that are whole numbers and nothing else."""
    properties = schema.get("properties")
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if isinstance(inner, dict):
            if inner.get("type") == "integer":
                yield (*path, name)
            yield from _whole_numbers(inner, (*path, name))


_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    for kind, word in ((int, "a whole number"), (float, "a number"), (str, "text"), (dict, "an object")):
        if isinstance(value, kind):
            return word
    return "a list"


def _violation(error: Any) -> Violation:
    path = [str(step) for step in error.instance_path]
    keyword, wanted = error.kind.name, error.kind.value
    match keyword:
        case "required":
            return Violation(".".join([*path, str(wanted)]), "is missing")
        case "type":
            wanted_kinds = map(str, wanted if isinstance(wanted, list) else [wanted])
            kinds = [_KINDS.get(kind, kind) for kind in wanted_kinds]
            reason = f"must be {' or '.join(kinds)}, not {_kind_of(error.instance)}"
        case "format":
            reason = f"is no valid {wanted}"
        case "pattern":
            reason = f"does not match {wanted}"
        case "minLength" if error.instance == "":
            reason = "is empty"
        case "additionalProperties":
            reason = f"has {', '.join(map(str, wanted))}, which the contract does not know"
        case _:
            reason = str(error.message).replace(MASK, "it", 1).removeprefix("it ")
    return Violation(".".join(path), reason)


MASK = "\x00"  # stands for the value in the library's messages
