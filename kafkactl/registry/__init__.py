"""Values that a schema registry describes: Avro, Protobuf and JSON, decoded for people to read."""

from typing import TYPE_CHECKING

from kafkactl.settings import Target

if TYPE_CHECKING:
    from kafkactl.registry.decoding import Decoding


def decoding_of(target: Target) -> "Decoding | None":
    """What makes records of this cluster readable; None where it has no schema registry. Raises UsageError."""
    if not target.registry[0]:
        return None
    from kafkactl.registry.address import registry_of
    from kafkactl.registry.decoding import Decoding
    from kafkactl.registry.schema_source import SchemaSource

    return Decoding(SchemaSource(registry_of(target), target.connection.timeout))
