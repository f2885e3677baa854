"""The settings of a connection for librdkafka, and for kafka-python, which sends requests librdkafka cannot."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from kafkactl.cluster.tokens import amazon_token, bearer_token, is_amazon
from kafkactl.connection import Connection
from kafkactl.errors import ClientConfigError, UnreachableError


def protocol_of(properties: Mapping[str, str]) -> str:
    """The security protocol of a client with these librdkafka properties, in capital letters."""
    return properties.get("security.protocol", "PLAINTEXT").upper()


def uses_tls(properties: Mapping[str, str]) -> bool:
    """Whether a client with these properties speaks TLS."""
    return protocol_of(properties) in ("SSL", "SASL_SSL")


def mechanism_of(properties: Mapping[str, str]) -> str:
    """The SASL mechanism of these properties, in capital letters; "" where there is none, or no login."""
    if not protocol_of(properties).startswith("SASL"):
        return ""
    if is_amazon(properties):
        return "OAUTHBEARER"
    return (properties.get("sasl.mechanism") or properties.get("sasl.mechanisms") or "").upper()


def client_properties(connection: Connection) -> dict[str, Any]:
    """librdkafka's settings for this connection, quiet unless the user asked for its log."""
    properties: dict[str, Any] = {
        # The next of several addresses is tried at once: `localhost` has two, and bootstrap brokers often three.
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 500,
        **connection.properties,
        "bootstrap.servers": connection.address,
    }
    if is_amazon(connection.properties):
        properties |= {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": lambda _: amazon_token(connection.address)}
    if connection.verbose:
        properties |= {"logger": _client_log(), "debug": properties.get("debug", "broker,security")}
    else:
        # librdkafka prints a fatal error at any level, unless somebody takes its log.
        properties |= {"log_level": 0, "logger": _unheard()}
    return properties


def _unheard() -> logging.Logger:
    logger = logging.getLogger("kafkactl.unheard")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    return logger


def _client_log() -> logging.Logger:
    logger = logging.getLogger("kafkactl.client")
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stderr))
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    return logger


def new_client(connection: Connection) -> Any:
    """kafka-python's admin client, connected and quiet. Raises its KafkaError, ValueError or OSError."""
    from kafka.admin import KafkaAdminClient

    logging.getLogger("kafka").addHandler(logging.NullHandler())
    logging.getLogger("kafka").propagate = False
    return KafkaAdminClient(**_configuration(connection))


@contextmanager
def second_client(connection: Connection) -> Iterator[Any]:
    """Such a client while the context lasts. Raises UnreachableError where it gets no connection."""
    from kafka.errors import KafkaError as Refusal

    try:
        client = new_client(connection)
    except ClientConfigError as error:
        raise UnreachableError(error.message, where=error.where, hint=error.hint) from None
    except (Refusal, ValueError, OSError) as error:
        raise UnreachableError(
            f"The request to Kafka at {connection.address} failed: {type(error).__name__}."
        ) from None
    try:
        yield client
    finally:
        client.close()


def _configuration(connection: Connection) -> dict[str, Any]:
    """librdkafka's connection properties in kafka-python's words. Raises ClientConfigError for a store nobody reads."""
    properties, protocol = connection.properties, protocol_of(connection.properties)
    milliseconds = int(connection.timeout * 1000)
    configuration: dict[str, Any] = {
        "bootstrap_servers": list(connection.brokers),
        "client_id": "kafkactl",
        "request_timeout_ms": milliseconds,
        "bootstrap_timeout_ms": milliseconds,
        "security_protocol": protocol,
    }
    if uses_tls(properties):
        from kafkactl.cluster.tls import client_context

        # All that the properties say of TLS: authorities, certificates, revoked ones, what is verified.
        context = client_context(properties, complete=True)
        configuration |= {"ssl_context": context, "ssl_check_hostname": context.check_hostname}
    if mechanism := mechanism_of(properties):
        configuration |= {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": properties.get("sasl.username"),
            "sasl_plain_password": properties.get("sasl.password"),
        }
    if mechanism == "OAUTHBEARER":
        configuration["sasl_oauth_token_provider"] = _token_provider(connection)
    return configuration


def _token_provider(connection: Connection) -> Any:
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]
        """One token: such a client lives for a few requests."""

        @cached_property
        def _made(self) -> str:
            return bearer_token(connection.properties, connection.address, connection.timeout)

        def token(self) -> str:
            return self._made

    return TokenProvider()
