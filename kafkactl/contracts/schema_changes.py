"""What a change of a contract breaks: services that read events, or services that write them. Pure.

A reader breaks where an event may now be what it could not be before; a writer where an event that was valid is not any
more. Only what can be told from the two schemas side by side is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Breaks = Literal["readers", "writers", "both", "nobody"]


@dataclass(frozen=True)
class SchemaChange:
    """One difference: where, what, and whom it breaks."""

    path: str
    what: str
    breaks: Breaks


_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("pattern", "format", "const", "multipleOf", "$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else")


def schema_changes(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[SchemaChange]:
    """The differences between two schemas that matter to events."""
    yield from _types(old, new, path)
    yield from _values(old, new, path)
    yield from _limits(old, new, path)
    yield from _properties(old, new, path)
    if isinstance(old.get("items"), Mapping) and isinstance(new.get("items"), Mapping):
        yield from schema_changes(old["items"], new["items"], f"{path}[]" if path else "[]")


def _types(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    before, after = _type_set(old), _type_set(new)
    if before == after:
        return
    words = f"type {_words(before)} becomes {_words(after)}"
    wider = after is None or (before is not None and before < _with_integers(after))
    narrower = before is None or (after is not None and after < _with_integers(before))
    yield SchemaChange(path, words, "readers" if wider else "writers" if narrower else "both")


def _type_set(schema: Mapping[str, Any]) -> frozenset[str] | None:
    kind = schema.get("type")
    if kind is None:
        return None
    return frozenset(kind if isinstance(kind, list) else [kind])


def _with_integers(kinds: frozenset[str]) -> frozenset[str]:
    return kinds | {"integer"} if "number" in kinds else kinds


def _words(kinds: frozenset[str] | None) -> str:
    return "anything" if kinds is None else " or ".join(sorted(kinds))


def _values(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    before, after = old.get("enum"), new.get("enum")
    if before != after:
        gone = [value for value in before or () if after is not None and value not in after]
        come = [value for value in after or () if before is not None and value not in before]
        if after is None or come:
            more = "any value" if after is None else f"new value {', '.join(map(str, come))}"
            yield SchemaChange(path, f"allows {more}", "readers")
        if before is None or gone:
            less = "only some values" if before is None else f"no longer {', '.join(map(str, gone))}"
            yield SchemaChange(path, f"allows {less}", "writers")
    for key in _EXACT:
        if old.get(key) != new.get(key):
            breaks: Breaks = "writers" if key not in old else "readers" if key not in new else "both"
            verb = "added" if key not in old else "removed" if key not in new else "changed"
            yield SchemaChange(path, f"{key} {verb}", breaks)


def _limits(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    for keys, sign in ((_LOWER, 1), (_UPPER, -1)):
        for key in keys:
            before, after = old.get(key), new.get(key)
            if before == after:
                continue
            if before is None or (after is not None and (after - before) * sign > 0):
                yield SchemaChange(path, f"{key} {_or_none(before)} becomes {after}", "writers")
            else:
                yield SchemaChange(path, f"{key} {before} becomes {_or_none(after)}", "readers")


def _or_none(value: Any) -> str:
    return "none" if value is None else str(value)


def _properties(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    before, after = old.get("properties") or {}, new.get("properties") or {}
    had, has = set(old.get("required") or ()), set(new.get("required") or ())
    closed = new.get("additionalProperties") is False
    for name in sorted({*before, *after, *had, *has}):
        place = f"{path}.{name}" if path else name
        if name in before and name not in after:
            yield SchemaChange(place, "removed", "both" if closed else "readers" if name in had else "nobody")
        elif name in after and name not in before and name not in has:
            yield SchemaChange(place, "added, optional", "nobody")
        if name in has and name not in had:
            yield SchemaChange(place, "becomes required", "writers")
        elif name in had and name not in has and name in after:
            yield SchemaChange(place, "is no longer required", "readers")
        if isinstance(before.get(name), Mapping) and isinstance(after.get(name), Mapping):
            yield from schema_changes(before[name], after[name], place)
    open_before, open_after = old.get("additionalProperties", True), new.get("additionalProperties", True)
    if open_before != open_after:
        breaks: Breaks = "writers" if open_after is False else "readers" if open_before is False else "both"
        yield SchemaChange(path, "additionalProperties changed", breaks)
