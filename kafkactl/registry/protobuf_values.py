"""Protobuf values as JSON, without compiled classes: by the descriptors that the registry keeps."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from google.protobuf import descriptor_pb2, json_format, message_factory
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from kafkactl.registry.wire_format import message_path

# Protobuf's own files, which nobody registers; those that others import first.
_WELL_KNOWN = (
    "any", "source_context", "type", "api", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers",
)  # fmt: skip


def protobuf_decoder(schema: str, references: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """What makes JSON of a value with this schema: a file's descriptor, serialized and in base64. `references` are the
    files that it imports, by their names, those that others import first.

    Raises ValueError for a schema that is none; the decoder, for a value that was not written with it.
    """
    pool = DescriptorPool()
    try:
        for name in _WELL_KNOWN:
            pool.AddSerializedFile(_own_file(name))
        for name, text in references.items():
            _add(pool, text, name)
        file = pool.FindFileByName(_add(pool, schema, "kafkactl.proto"))
    except (AttributeError, DecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its schema is not valid Protobuf ({error})") from None

    @cache
    def message_class(path: tuple[int, ...]) -> Any:
        return message_factory.GetMessageClass(_at(file, path))

    def decode(payload: bytes) -> bytes:
        path, rest = message_path(payload)
        try:
            message = message_class(tuple(path))()
            message.ParseFromString(rest)
            text = json_format.MessageToJson(
                message, preserving_proto_field_name=True, indent=None, ensure_ascii=False, descriptor_pool=pool
            )
        except (DecodeError, IndexError, json_format.Error, TypeError):
            raise ValueError("it was not written with that schema") from None
        return text.encode()

    return decode


@cache
def _own_file(name: str) -> bytes:
    module = import_module(f"google.protobuf.{name}_pb2")
    return bytes(module.DESCRIPTOR.serialized_pb)


def _add(pool: DescriptorPool, text: str, name: str) -> str:
    """Put a file into the pool, under the name that others import it by; that name."""
    file = descriptor_pb2.FileDescriptorProto.FromString(b64decode(text, validate=True))
    file.name = name
    pool.Add(file)
    return name


def _at(file: FileDescriptor, path: tuple[int, ...]) -> Descriptor:
    """The message at these indexes: of the file, then of each message."""
    message: Descriptor = list(file.message_types_by_name.values())[path[0]]
    for index in path[1:]:
        message = message.nested_types[index]
    return message
