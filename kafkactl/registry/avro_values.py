"""Avro values as JSON."""

import io
import struct
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType

# What fastavro raises for schemas that are none, and for bytes that lead it anywhere.
_ANY = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
)


def avro_decoder(schema: str, references: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """What makes JSON of a value with this schema. `references` are the schemas that it refers to, by their names,
    those that others refer to first.

    Raises ValueError for a schema that is none; the decoder, for a value that was not written with it.
    """
    names: dict[str, Any] = {}
    try:
        for text in references.values():
            parse_schema(msgspec.json.decode(text), named_schemas=names)
        parsed = parse_schema(msgspec.json.decode(schema), named_schemas=names)
    except (*_ANY, RecursionError, SchemaParseException, UnknownType) as error:
        raise ValueError(f"its schema is not valid Avro ({error})") from None

    def decode(payload: bytes) -> bytes:
        source = io.BytesIO(payload)
        try:
            value = schemaless_reader(source, parsed, None)
        except (*_ANY, MemoryError, RecursionError):
            raise ValueError("it was not written with that schema") from None
        if source.tell() != len(payload):
            raise ValueError("it was not written with that schema: bytes are left over")
        return msgspec.json.encode(value, enc_hook=str)

    return decode
