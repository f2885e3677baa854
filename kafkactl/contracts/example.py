"""A valid event, made from its contract. Pure but for a fresh id."""

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


def example_of(schema: Mapping[str, Any], type: str, now: datetime) -> dict[str, Any]:
    """An event of this type that happened now: every property that is required, or has an example."""
    found = _value(schema, schema, "")
    event: dict[str, Any] = found if isinstance(found, dict) else {}
    return stamped(event, type, now)


def stamped(event: dict[str, Any], type: str, now: datetime) -> dict[str, Any]:
    """The event with the fields that every one has: its type, an id of its own, and its time."""
    fresh = {
        "event_type": type,
        "event_id": str(uuid.uuid4()),
        "timestamp": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return {**fresh, **{name: value for name, value in event.items() if name not in fresh}}


def _value(schema: Mapping[str, Any], root: Mapping[str, Any], name: str) -> Any:
    schema = _resolved(schema, root)
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or (kind is None and ("properties" in schema or "allOf" in schema)):
        return _object(schema, root)
    if kind == "array":
        least = schema.get("minItems", 0)
        return [_value(schema.get("items", {}), root, name) for _ in range(least if isinstance(least, int) else 0)]
    if kind in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        return max(1, int(low) + 1) if isinstance(low, int | float) else 1
    simple: dict[Any, Any] = {"boolean": True, "null": None}
    return simple.get(kind, _text(schema, name))


def _object(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in schema.get("allOf", ()):
        inner = _value(part, root, "")
        found |= inner if isinstance(inner, dict) else {}
    properties = schema.get("properties", {})
    required = schema.get("required", ())
    for name, inner in properties.items():
        if name in required or (isinstance(inner, Mapping) and "examples" in inner):
            found[name] = _value(inner if isinstance(inner, Mapping) else {}, root, name)
    return found | {name: _text({}, name) for name in required if name not in found}


def _text(schema: Mapping[str, Any], name: str) -> str:
    text = _TEXTS.get(str(schema.get("format")), f"{name or 'text'}-1")
    least = schema.get("minLength", 0)
    return text.ljust(least, "x") if isinstance(least, int) else text


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a $ref within the same file leads to; others are left out."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    found: Any = root
    for step in reference[2:].split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
