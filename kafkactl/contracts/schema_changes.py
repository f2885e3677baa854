"""What a change of a contract breaks: services that read events, or services that write them. Pure.

A reader breaks where an event may now be what it could not be before; a writer where an event that was valid is not any
more. What cannot be told from the two schemas side by side counts as breaking both. By custom, two changes break nobody
although a schema alone does not say so: a field that is added and optional, and an optional one that is named no more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Breaks = Literal["readers", "writers", "both", "nobody"]


@dataclass(frozen=True)
class SchemaChange:
    """One difference: where, what, and whom it breaks."""

    path: str
    what: str
    breaks: Breaks


_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Each of these takes events away, whatever else is there. What it says is not looked into.
_NARROWING = (
    "pattern", "format", "multipleOf", "uniqueItems", "$ref", "$dynamicRef", "anyOf", "oneOf", "not", "contains",
    "propertyNames", "dependentRequired", "dependentSchemas", "dependencies",
)  # fmt: skip
# What these do depends on others beside them.
_ENTANGLED = ("if", "then", "else", "prefixItems", "minContains", "maxContains", "unevaluatedItems")
# What says nothing, as if it were not there.
_IDLE: Mapping[str, Any] = {
    "uniqueItems": False, "minLength": 0, "minItems": 0, "minProperties": 0, "required": [], "properties": {},
    "patternProperties": {}, "allOf": [], "dependentRequired": {}, "dependentSchemas": {}, "items": True,
    "unevaluatedItems": True, "unevaluatedProperties": True,
}  # fmt: skip
_ANYTHING: Mapping[str, Any] = {}
_NOTHING: Mapping[str, Any] = {"not": {}}

Schema = Mapping[str, Any]


def schema_changes(old: Schema, new: Schema) -> list[SchemaChange]:
    """The differences between two schemas that matter to events; their $refs inlined, but for those in a circle."""
    return list(dict.fromkeys(_changes(old, new, "", (False, False))))


def _changes(old: Any, new: Any, path: str, closed: tuple[bool, bool]) -> Iterator[SchemaChange]:
    """`closed` is whether fields that are not named are refused further up, before and after."""
    old, new = _plain(old), _plain(new)
    if _same(old, new) and closed[0] == closed[1]:
        return
    yield from _types(old, new, path)
    yield from _values(old, new, path)
    yield from _limits(old, new, path)
    for key in (*_NARROWING, *_ENTANGLED):
        if not _same(old.get(key), new.get(key)) or (key in old) != (key in new):
            verb = "added" if key not in old else "removed" if key not in new else "changed"
            breaks: Breaks = "writers" if key not in old else "readers" if key not in new else "both"
            yield SchemaChange(path, f"{key} {verb}", "both" if key in _ENTANGLED else breaks)
    yield from _changes(old.get("items", _ANYTHING), new.get("items", _ANYTHING), f"{path}[]", (False, False))
    inside = (
        closed[0] or old.get("unevaluatedProperties") is False,
        closed[1] or new.get("unevaluatedProperties") is False,
    )
    yield from _properties(old, new, path, inside)
    yield from _parts(old.get("allOf", ()), new.get("allOf", ()), path, inside)


def _plain(schema: Any) -> Schema:
    """A schema as an object, without what says nothing."""
    if not isinstance(schema, Mapping):
        return _NOTHING if schema is False else _ANYTHING
    return {key: value for key, value in schema.items() if not (key in _IDLE and _same(value, _IDLE[key]))}


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON Schema: 1 is 1.0, and is not true."""
    return _canonical(one) == _canonical(other)


def _canonical(value: Any) -> bytes:
    return msgspec.json.encode(_whole(value), order="sorted")


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(inner) for key, inner in value.items()}
    return list(map(_whole, value)) if isinstance(value, list) else value


def _types(old: Schema, new: Schema, path: str) -> Iterator[SchemaChange]:
    before, after = _type_set(old), _type_set(new)
    if before == after:
        return
    wider = after is None or (before is not None and before < after)
    narrower = before is None or (after is not None and after < before)
    breaks: Breaks = "readers" if wider else "writers" if narrower else "both"
    yield SchemaChange(path, f"type {_type_words(old)} becomes {_type_words(new)}", breaks)


def _type_set(schema: Schema) -> frozenset[str] | None:
    kind = schema.get("type")
    if kind is None:
        return None
    kinds = frozenset(kind if isinstance(kind, list) else [kind])
    return kinds | {"integer"} if "number" in kinds else kinds


def _type_words(schema: Schema) -> str:
    kind = schema.get("type", "anything")
    return " or ".join(sorted(kind)) if isinstance(kind, list) else str(kind)


def _values(old: Schema, new: Schema, path: str) -> Iterator[SchemaChange]:
    before, after = _allowed(old), _allowed(new)
    if before is None and after is None:
        return
    come = None if after is None else [text for key, text in after.items() if before is not None and key not in before]
    gone = None if before is None else [text for key, text in before.items() if after is not None and key not in after]
    if come is None or come:
        yield SchemaChange(path, f"allows {_listed('new value', come)}", "readers")
    if gone is None or gone:
        less = "only some values" if gone is None else f"no longer {', '.join(gone)}"
        yield SchemaChange(path, f"allows {less}", "writers")


def _listed(noun: str, values: Sequence[str] | None) -> str:
    return "any value" if values is None else f"{noun} {', '.join(values)}"


def _allowed(schema: Schema) -> dict[bytes, str] | None:
    """The values that enum and const allow, each as it is shown; None for any."""
    lists = [schema["enum"]] if isinstance(schema.get("enum"), list) else []
    lists += [[schema["const"]]] if "const" in schema else []
    if not lists:
        return None
    first, *others = ({_canonical(value): _shown(value) for value in values} for values in lists)
    return {key: text for key, text in first.items() if all(key in other for other in others)}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _limits(old: Schema, new: Schema, path: str) -> Iterator[SchemaChange]:
    for keys, sign in ((_LOWER, 1), (_UPPER, -1)):
        for key in keys:
            before, after = old.get(key), new.get(key)
            if before == after:
                continue
            stricter = before is None or (after is not None and (after - before) * sign > 0)
            words = f"{key} {'none' if before is None else before} becomes {'none' if after is None else after}"
            yield SchemaChange(path, words, "writers" if stricter else "readers")


def _parts(old: Sequence[Any], new: Sequence[Any], path: str, closed: tuple[bool, bool]) -> Iterator[SchemaChange]:
    """Schemas that all hold: the first ones with each other, then those that came or went."""
    for number in range(max(len(old), len(new))):
        before = old[number] if number < len(old) else _ANYTHING
        after = new[number] if number < len(new) else _ANYTHING
        yield from _changes(before, after, path, closed)


def _properties(old: Schema, new: Schema, path: str, closed: tuple[bool, bool]) -> Iterator[SchemaChange]:
    before, after = old.get("properties", {}), new.get("properties", {})
    had, has = set(old.get("required", ())), set(new.get("required", ()))
    others = _plain(old.get("additionalProperties", _ANYTHING)), _plain(new.get("additionalProperties", _ANYTHING))
    shut = closed[0] or others[0] == _NOTHING, closed[1] or others[1] == _NOTHING
    for name in sorted({*before, *after, *had, *has}):
        place = f"{path}.{name}" if path else name
        if name in has and name not in had:
            yield SchemaChange(place, "becomes required", "writers")
        elif name in had and name not in has and (name in after or name not in before):
            yield SchemaChange(place, "is no longer required", "readers")
        if name in before and name in after:
            yield from _changes(before[name], after[name], place, (False, False))
        elif name in before:
            yield SchemaChange(place, "removed", _removed(shut[1], name in had and name not in has))
            yield from () if shut[1] or not others[1] else _changes(before[name], others[1], place, (False, False))
        elif name in after:
            if shut[0] or name not in has:
                optional = "" if name in has else ", optional"
                yield SchemaChange(place, f"added{optional}", "readers" if shut[0] else "nobody")
            yield from () if shut[0] or not others[0] else _changes(others[0], after[name], place, (False, False))
    yield from _unnamed(old, new, path, others)
    if closed[0] != closed[1] and (before or after or not path):
        breaks: Breaks = "writers" if closed[1] else "readers"
        yield SchemaChange(path, f"fields that are not named are {'refused' if closed[1] else 'allowed'} now", breaks)


def _removed(shut: bool, required: bool) -> Breaks:
    if shut:
        return "both" if required else "writers"
    return "readers" if required else "nobody"


def _unnamed(old: Schema, new: Schema, path: str, others: tuple[Schema, Schema]) -> Iterator[SchemaChange]:
    """Fields that are not named: patterns of names, and all others."""
    before, after = old.get("patternProperties", {}), new.get("patternProperties", {})
    for pattern in sorted({*before, *after}):
        place = f"{path}./{pattern}/" if path else f"/{pattern}/"
        if pattern in before and pattern in after:
            yield from _changes(before[pattern], after[pattern], place, (False, False))
        else:
            yield SchemaChange(place, "removed" if pattern in before else "added", "both")
    place = f"{path}.*" if path else "*"
    if _NOTHING in others and others[0] != others[1]:
        breaks: Breaks = "writers" if others[1] == _NOTHING else "readers"
        yield SchemaChange(path, f"additionalProperties {'refused' if others[1] == _NOTHING else 'allowed'}", breaks)
    else:
        yield from _changes(*others, place, (False, False))
    one, other = (schema.get("unevaluatedProperties") for schema in (old, new))
    if not _same(one, other) and False not in (one, other):
        yield SchemaChange(place, "unevaluatedProperties changed", "both")
