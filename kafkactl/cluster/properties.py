"""How a connection is told to librdkafka."""

import logging
import sys
from typing import Any

from kafkactl.settings import Connection


def client_properties(connection: Connection) -> dict[str, Any]:
    """librdkafka's settings for this connection, quiet unless the user asked for its log."""
    properties: dict[str, Any] = {
        # The next of several addresses is tried at once: `localhost` has two, and bootstrap brokers often three.
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 500,
        **connection.properties,
        "bootstrap.servers": connection.address,
    }
    if connection.verbose:
        properties |= {"logger": _client_log(), "debug": properties.get("debug", "broker,security")}
    else:
        properties["log_level"] = 0
    return properties


def _client_log() -> logging.Logger:
    logger = logging.getLogger("kafkactl.client")
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stderr))
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    return logger
