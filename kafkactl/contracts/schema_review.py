"""The schema files of topics.yaml, reviewed as a whole: for lint."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kafkactl.catalog.model import Position, Problem
from kafkactl.contracts.schema_files import SchemaError, load_file, parse_schema, schema_text
from kafkactl.contracts.schema_places import place_in
from kafkactl.text.suggest import closest

# Where schemas are inside a schema: below names of our own, in a list, or as the value itself.
_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    "additionalProperties", "unevaluatedProperties", "propertyNames", "items", "unevaluatedItems", "contains", "not",
    "if", "then", "else", "contentSchema",
)  # fmt: skip
_KEYWORDS = frozenset(
    {
        *_BY_NAME, *_LISTED, *_SINGLE, "$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$comment",
        "$vocabulary", "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
        "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains",
        "minContains", "maxProperties", "minProperties", "required", "dependentRequired", "title", "description",
        "default", "deprecated", "readOnly", "writeOnly", "examples", "format", "contentEncoding", "contentMediaType",
    }
)  # fmt: skip


def schema_problems(events: Mapping[str, Path]) -> list[Problem]:
    """What is wrong in these files: errors, and warnings of words that JSON Schema does not know and ignores."""
    found: set[Problem] = set()
    for path in dict.fromkeys(events.values()):
        try:
            load_file(path, events)
            text = schema_text(path)
        except SchemaError as error:
            found |= set(error.problems)
            continue
        readable = text.decode()
        for way, word in _slips(parse_schema(text, str(path))):
            message = f'"{way[-1]}" is no keyword of JSON Schema, and ignored. Did you mean "{word}"?'
            place = Position(str(path), *place_in(readable, way, key=True))
            found.add(Problem(place, message, warning=True))
    return sorted(found)


def _slips(schema: Any, path: Sequence[object] = ()) -> Iterator[tuple[Sequence[object], str]]:
    """Keys that are no keywords and look like slips of one, each with that one."""
    if not isinstance(schema, Mapping):
        return
    for key, inner in schema.items():
        way = [*path, key]
        if key not in _KEYWORDS and (word := closest(key, _KEYWORDS)):
            yield way, word
        elif key in _BY_NAME and isinstance(inner, Mapping):
            for name, part in inner.items():
                yield from _slips(part, [*way, name])
        elif key in _LISTED and isinstance(inner, list):
            for number, part in enumerate(inner):
                yield from _slips(part, [*way, number])
        elif key in _SINGLE:
            yield from _slips(inner, way)
