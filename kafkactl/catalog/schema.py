"""The JSON Schema of topics.yaml, for editors: made from the table of keys that the reader follows."""

import re
from collections.abc import Mapping
from typing import Any

from kafkactl.catalog import keys
from kafkactl.catalog.configs import CONFIGS, ConfigKind
from kafkactl.catalog.keys import TOPIC_NAME
from kafkactl.topics import LONGEST_NAME, OWN_PREFIX

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_TIME = r"^(infinite|-1|[0-9]+( ?(ms|s|m|h|d|w))?)$"
_SIZE = r"^(infinite|-1|[0-9]+( ?(B|bytes|KiB|MiB|GiB|TiB))?)$"
_TOPIC_NAME = rf"^(?!__)(?!{re.escape(OWN_PREFIX)})(?!\.{{1,2}}$){TOPIC_NAME}$"
_ADDRESS = r"^.+:[0-9]{1,5}$"


def json_schema() -> Schema:
    """The schema, draft 2020-12. Checks across the whole file (that a dlq exists …) are left to lint."""
    return {
        "$schema": DIALECT,
        "title": "topics.yaml",
        "description": "The topics of a Kafka cluster, declared for kafkactl.",
        **_schema(keys.ROOT),
        "type": "object",
        "$defs": {"values": _section(keys.VALUES), "configs": _configs(), "topic_name": _topic_name()},
    }


def _schema(kind: keys.Kind) -> Schema:
    schema: Schema
    match kind:
        case keys.Section():
            schema = {"$ref": "#/$defs/values"} if kind.keys is keys.VALUES else _section(kind.keys)
        case keys.Named():
            names = {"propertyNames": {"$ref": "#/$defs/topic_name"}} if kind.names == "topic" else {}
            schema = {"type": ["object", "null"], **names, "additionalProperties": _schema(kind.each)}
        case keys.Texts():
            schema = {"type": ["array", "null"], "items": _item(kind.items), "uniqueItems": True}
        case keys.Configs():
            schema = {"$ref": "#/$defs/configs"}
        case keys.Whole():
            schema = {"type": "integer", "minimum": kind.low, "maximum": kind.high}
        case keys.Flag():
            schema = {"type": "boolean"}
        case keys.Retention():
            schema = {"anyOf": [{"type": "integer", "minimum": -1}, {"type": "string", "pattern": _TIME}]}
        case keys.Url():
            schema = {"type": "string", "pattern": f"^{keys.URL}$"}
        case keys.Text():
            # A number such as 2024 is the text its writer typed.
            schema = {"type": ["string", "number", "boolean"]}
    return schema


def _section(known: Mapping[str, keys.Key]) -> Schema:
    required = [name for name, key in known.items() if key.required]
    return {
        "type": "object" if required else ["object", "null"],
        "properties": {name: _described(key) for name, key in known.items()},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _described(key: keys.Key) -> Schema:
    schema = {"description": key.description, **_schema(key.kind)}
    if key.required and isinstance(key.kind, keys.Texts):
        schema |= {"type": "array", "minItems": 1}
    return schema


def _item(rule: keys.ItemRule) -> Schema:
    match rule:
        case "topic":
            return {"$ref": "#/$defs/topic_name"}
        case "address":
            return {"type": "string", "pattern": _ADDRESS}
        case _:
            return {"type": ["string", "number", "boolean"]}


def _topic_name() -> Schema:
    return {"type": ["string", "number"], "pattern": _TOPIC_NAME, "maxLength": LONGEST_NAME}


def _configs() -> Schema:
    return {
        "type": ["object", "null"],
        "properties": {name: _config(config) for name, config in CONFIGS.items()},
        "additionalProperties": {"type": ["string", "number", "boolean", "array"]},
    }


def _config(config: ConfigKind) -> Schema:
    number = {"type": "integer", "minimum": config.low, "maximum": config.high}
    digits = {"type": "string", "pattern": "^-?[0-9]+$"}
    schema: Schema
    match config.kind:
        case "time":
            schema = {"anyOf": [number, {"type": "string", "pattern": _TIME}]}
        case "size":
            schema = {"anyOf": [number, {"type": "string", "pattern": _SIZE}]}
        case "count":
            schema = {"anyOf": [number, digits]}
        case "ratio":
            schema = {"type": ["number", "string"], "minimum": config.low, "maximum": config.high}
        case "flag":
            schema = {"enum": [True, False, "true", "false"]}
        case "choice":
            schema = {"enum": list(config.choices)}
        case "choices":
            one = "|".join(config.choices)
            texts = {"type": "string", "pattern": f"^(({one})(, ?({one}))*)?$"}
            schema = {"anyOf": [texts, {"type": "array", "items": {"enum": list(config.choices)}}]}
        case "replicas":
            schema = {"type": ["string", "array"]}
        case "text":
            schema = {"type": ["string", "number"]}
    return schema
