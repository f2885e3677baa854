"""The schema registry: schemas by their ids, and what decodes with each. The only place that asks a registry."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from kafkactl.errors import UnreachableError, UsageError
from kafkactl.registry.address import Registry

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema

T = TypeVar("T")
_SERIALIZED = "serialized"  # Protobuf's descriptors instead of its text
_MOST_REFERENCES = 1_000


class SchemaSource:
    """A schema registry. Raises UsageError where what it takes is not installed, or the address is none."""

    def __init__(self, registry: Registry, seconds: float) -> None:
        try:
            from confluent_kafka.schema_registry import SchemaRegistryClient
        except ImportError:
            raise UsageError(
                "Values of a schema registry take packages that are not installed.",
                hint="pip install 'kafkactl[registry]'",
            ) from None
        logging.getLogger("httpx").setLevel(logging.ERROR)
        given = {"url": registry.url, "timeout": seconds, "max.retries": 0}
        given |= {"basic.auth.user.info": registry.login} if registry.login else {}
        given |= {"ssl.ca.location": registry.authorities} if registry.authorities else {}
        try:
            # One for each form: it keeps a schema by its id, in the form that was asked for first.
            self._clients = {form: SchemaRegistryClient(given) for form in (None, _SERIALIZED)}
        except (ValueError, OSError) as error:
            raise UsageError(f"The schema registry's address or login is not valid: {error}.") from None
        self._registry = registry

    def decoder(self, id: int | None, guid: str | None) -> Callable[[bytes], bytes]:
        """What makes JSON of values with this schema. Raises ValueError, or UnreachableError."""
        schema = self._schema(id, guid)
        kind = (schema.schema_type or "AVRO").upper()
        if kind == "JSON":
            return bytes
        if kind == "AVRO":
            from kafkactl.registry.avro_values import avro_decoder

            return avro_decoder(schema.schema_str or "", self._references(schema, None))
        if kind == "PROTOBUF":
            from kafkactl.registry.protobuf_values import protobuf_decoder

            whole = self._schema(id, guid, _SERIALIZED)
            return protobuf_decoder(whole.schema_str or "", self._references(whole, _SERIALIZED))
        raise ValueError(f"schemas of the kind {kind} are not known here")

    def _schema(self, id: int | None, guid: str | None, form: str | None = None) -> "Schema":
        if guid is not None:
            return self._ask(partial(self._clients[form].get_schema_by_guid, guid, fmt=form))
        return self._ask(partial(self._clients[form].get_schema, id or 0, fmt=form))

    def _references(self, schema: "Schema", form: str | None) -> Mapping[str, str]:
        """The schemas that this one refers to, by their names; those that others refer to first."""
        found: dict[str, str] = {}
        waiting: set[str] = set()

        def collect(referring: "Schema") -> None:
            for reference in referring.references or ():
                name, subject, version = reference.name or "", reference.subject or "", reference.version or 0
                if name in found or name in waiting:
                    continue
                if len(waiting) + len(found) > _MOST_REFERENCES:
                    raise ValueError("its schema refers to too many others")
                waiting.add(name)
                there = self._ask(partial(self._clients[form].get_version, subject, version, fmt=form)).schema
                collect(there)
                found[name] = there.schema_str or ""

        collect(schema)
        return found

    def _ask(self, question: Callable[[], T]) -> T:
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        try:
            return question()
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                raise ValueError("the registry does not have it") from None
            if error.http_status_code in (401, 403):
                raise UnreachableError(f"the schema registry at {self._registry.url} refuses this login") from None
            raise UnreachableError(
                f"the schema registry at {self._registry.url} fails: {error.error_message or error.http_status_code}"
            ) from None
        except Exception as error:  # noqa: BLE001 - its HTTP client has many kinds, and is not always the same one
            raise UnreachableError(
                f"the schema registry at {self._registry.url} does not answer ({type(error).__name__})"
            ) from None
