"""A valid event, made from its contract. Pure but for a fresh id."""

import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_TEXTS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "email": "a@example.com",
    "uuid": str(uuid.UUID(int=1)),
}


def example_of(schema: Mapping[str, Any], type: str, now: datetime, *, fixed: bool = True) -> dict[str, Any]:
    """An event of this type that happened now: every property that is required, or has an example.

    The $refs of `schema` are inlined. Where the type is not `fixed`, one that the contract names comes before it.
    """
    found = _value(schema, "")
    event: dict[str, Any] = found if isinstance(found, dict) else {}
    if not fixed and _names_a_type(schema):
        type = event.get("event_type", type)
    fresh = fresh_fields(type, now)
    return fresh | {name: value for name, value in event.items() if name not in fresh}


def fresh_fields(type: str, now: datetime) -> dict[str, str]:
    """The fields that every event has: its type, an id of its own, and its time."""
    return {
        "event_type": type,
        "event_id": str(uuid.uuid4()),
        "timestamp": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _names_a_type(schema: Mapping[str, Any]) -> bool:
    parts = [schema, *(part for part in schema.get("allOf", ()) if isinstance(part, Mapping))]
    properties = [part.get("properties", {}).get("event_type") for part in parts]
    return any(isinstance(found, Mapping) and {"const", "enum"} & found.keys() for found in properties)


def _value(schema: Any, name: str) -> Any:
    if not isinstance(schema, Mapping):
        return _text({}, name)
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or (kind is None and {"properties", "required", "allOf"} & schema.keys()):
        return _object(schema)
    for choice in ("anyOf", "oneOf"):
        if schema.get(choice):
            return _value(
                {**{key: value for key, value in schema.items() if key != choice}, **_mapping(schema[choice][0])}, name
            )
    return _of_kind(kind, schema, name)


def _mapping(schema: Any) -> Mapping[str, Any]:
    return schema if isinstance(schema, Mapping) else {}


def _of_kind(kind: Any, schema: Mapping[str, Any], name: str) -> Any:
    if kind == "array":
        return [_value(schema.get("items", {}), name) for _ in range(min(schema.get("minItems", 0), _MOST_ITEMS))]
    if kind in ("integer", "number"):
        return _number(schema)
    return {"boolean": True, "null": None}.get(kind, _text(schema, name))


_MOST_ITEMS = 100


def _number(schema: Mapping[str, Any]) -> Any:
    """1, or the number next to it that the limits allow."""
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    low = max(low, schema.get("exclusiveMinimum", -math.inf) + 1)
    high = min(high, schema.get("exclusiveMaximum", math.inf) - 1)
    step = schema.get("multipleOf", 1)
    wanted = min(max(1, low), high)
    return wanted if wanted % step == 0 else math.ceil(wanted / step) * step


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in [*schema.get("allOf", ()), *schema.get("anyOf", ())[:1], *schema.get("oneOf", ())[:1]]:
        inner = _value({"type": "object", **_mapping(part)}, "")
        found |= inner if isinstance(inner, dict) else {}
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    for name, inner in properties.items():
        wanted = name in required or (isinstance(inner, Mapping) and "examples" in inner)
        if wanted or (name in found and _mapping(inner)):  # another part may require it, and know less of it
            found[name] = _value(inner, name)
    return found | {name: _text({}, name) for name in required if name not in found}


def _text(schema: Mapping[str, Any], name: str) -> str:
    text = _TEXTS.get(str(schema.get("format")), f"{name or 'text'}-1")
    text = text.ljust(min(schema.get("minLength", 0), _LONGEST_TEXT), "x")
    return text[: schema.get("maxLength", len(text))]


_LONGEST_TEXT = 10_000
