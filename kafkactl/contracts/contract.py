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


_NO_JSON = (Violation("", "is not JSON"),)
_TOMBSTONE = (Violation("", "is null (a tombstone)"),)
_TOO_DEEP = (Violation("", "is nested too deeply to be checked"),)  # the validator goes down 255 levels

_decode = msgspec.json.Decoder().decode


def decoded_event(value: bytes) -> tuple[Any, Sequence[Violation]]:
    """What a record's value says, and why that is not known."""
    try:
        return _decode(value), ()
    except RecursionError:
        return None, _TOO_DEEP
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, _NO_JSON


class Contract:
    """`name` as topics.yaml has it, `schema` as its file has it. Made by `schema_files.load_contract`.

    `inlined` is the schema with what its $refs lead to in their places; those that lead in a circle are left.
    """

    def __init__(self, name: str, schema: Mapping[str, Any], validator: Any, inlined: Mapping[str, Any]) -> None:
        self.name = name
        self.schema = schema
        self.inlined = inlined
        self._validator = validator
        paths = list(dict.fromkeys(_whole_numbers(inlined)))
        self._whole = [path[0] for path in paths if len(path) == 1]
        self._whole_inside = [path for path in paths if len(path) > 1]

    def violations(self, value: bytes | None) -> Sequence[Violation]:
        """How a record's value breaks the contract; nothing where it does not."""
        if value is None:
            return _TOMBSTONE
        event, unknown = decoded_event(value)
        return unknown or self.violations_of(event)

    def violations_of(self, event: Any) -> Sequence[Violation]:
        """As `violations`, for an event that was decoded."""
        found: list[Violation] = []
        if type(event) is dict:  # of a million events each call counts: this is no generator
            for name in self._whole:
                if type(event.get(name)) is float:
                    found.append(Violation(name, _FRACTION))
            if self._whole_inside:
                found += self._fractions_inside(event)
        try:
            if self._validator.is_valid(event):
                return found
            errors = list(self._validator.iter_errors(event))
        except ValueError:
            return _TOO_DEEP
        seen = {violation.path for violation in found}
        return [*found, *(violation for error in errors for violation in _told(error) if violation.path not in seen)]

    def _fractions_inside(self, event: Any) -> Iterator[Violation]:
        for path in self._whole_inside:
            there = event
            for step in path:
                there = there.get(step) if type(there) is dict else None
            if type(there) is float:
                yield Violation(".".join(path), _FRACTION)


# 12.0 is a whole number to JSON Schema, and none to Go, Java or Protobuf.
_FRACTION = "must be a whole number, not one with a point"


def _whole_numbers(schema: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of properties that are whole numbers and nothing else."""
    if not isinstance(schema, Mapping):
        return
    properties = schema.get("properties")
    for name, inner in properties.items() if isinstance(properties, Mapping) else ():
        yield from _whole_numbers(inner, (*path, name))
    for part in schema.get("allOf") or ():
        yield from _whole_numbers(part, path)
    if path and schema.get("type") == "integer":
        yield path


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


_WORDS = {
    "anyOf": "is none of what the contract allows",
    "OneOfNotValid": "is none of what the contract allows",
    "OneOfMultipleValid": "is several of what the contract allows one of",
    "not": "is what the contract rules out",
    "falseSchema": "is not allowed",
    "contains": "lacks an item that the contract asks for",
    "uniqueItems": "has the same item twice",
    "unevaluatedItems": "has more items than the contract knows",
    "propertyNames": "has a field whose name breaks the contract",
    "backtrackLimitExceeded": "takes too long to be compared with the contract's pattern",
}


def _told(error: Any) -> Iterator[Violation]:
    """The library's error in our words. What it says of a value's own parts is left out."""
    path = [str(step) for step in error.instance_path]
    keyword, wanted = error.kind.name, error.kind.value
    match keyword:
        case "additionalProperties" | "unevaluatedProperties":
            for name in wanted:
                yield Violation(".".join([*path, str(name)]), "is not in the contract")
            return
        case "required":
            path, reason = [*path, str(wanted)], "is missing"
        case "type":
            wanted_kinds = map(str, wanted if isinstance(wanted, list) else [wanted])
            kinds = [_KINDS.get(kind, kind) for kind in wanted_kinds]
            reason = f"must be {' or '.join(kinds)}, not {_kind_of(error.instance)}"
        case "format":
            reason = f"is no valid {wanted}"
        case "pattern":
            reason = f"does not match {wanted}"
        case "const":
            reason = f"must be {msgspec.json.encode(wanted).decode()}"
        case "minLength" if error.instance == "":
            reason = "is empty"
        case _:
            reason = (
                _WORDS.get(keyword) or _WORDS.get(type(error.kind).__name__) or _of_the_library(error.message, keyword)
            )
    yield Violation(".".join(path), reason)


def _of_the_library(message: str, keyword: str) -> str:
    """A message that says nothing of the value but that it is one: "MASK is longer than 5 characters"."""
    rest = message.removeprefix(MASK).lstrip()
    return rest if rest != message and MASK not in rest else f"breaks the contract's {keyword}"


MASK = "\x00"  # stands for the value in the library's messages
