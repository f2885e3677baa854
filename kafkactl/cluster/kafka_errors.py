"""Kafka's and librdkafka's errors in words for people."""

import re
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from kafkactl.connection import Connection
from kafkactl.errors import ClientConfigError, KafkactlError, NotPermittedError, UnreachableError


def failure(error: Any, what: str = "") -> KafkactlError:
    """A KafkaError as an error for people."""
    if error.code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
        return UnreachableError(
            f"{what or 'The cluster'} did not answer in time.", hint="To wait longer: --timeout 30s"
        )
    kind = NotPermittedError if error.code() in DENIED else KafkactlError
    return kind(f"{what + ': ' if what else ''}{error_text(error)}")


DENIED = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)


def error_text(error: Any) -> str:
    """Why a request failed, in our own words where Kafka's do not help."""
    return _WORDS.get(error.code()) or error.str() or error.name()


_WORDS: dict[int, str] = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "no permission for this topic",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "no permission for this on the cluster",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "no permission for this group",
    KafkaError.MSG_SIZE_TOO_LARGE: "larger than the topic allows (max.message.bytes)",
    KafkaError._TIMED_OUT: "no answer in time",
    KafkaError._MSG_TIMED_OUT: "no acknowledgement in time",
    KafkaError._UNKNOWN_TOPIC: "the topic no longer exists",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "the topic no longer exists",
}


def silence(connection: Connection) -> UnreachableError:
    """The peer behaves like Kafka, but answers none of our requests."""
    return UnreachableError(
        f"Kafka at {connection.address} has not answered for {connection.timeout:g} s.",
        where=connection.source,
        hint="The broker may hang or be overloaded. To wait longer: --timeout 30s",
    )


def wrong_configuration(error: KafkaException, connection: Connection) -> ClientConfigError:
    """The error for a property that the client library refuses, or a file that it cannot use: it names the line."""
    from kafkactl.cluster.tls import unusable_file

    why = unusable_file(connection.properties) or error.args[0].str()
    named = re.search(r'property:? "([^"]+)"', why) or re.match(r"([\w.]+):", why)
    place = connection.origins.get(named[1], "") if named else ""
    return ClientConfigError(
        f"The client configuration is invalid: {why}.",
        where=f"At {place}." if place else "",
        hint="See --client-config.",
    )
