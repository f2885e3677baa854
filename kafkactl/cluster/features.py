"""What the brokers' release is, as far as Kafka tells: it names no version, only the features it supports."""

from typing import Any

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.properties import new_client
from kafkactl.errors import KafkactlError


def supported_metadata_version(cluster: Cluster) -> int:
    """The newest metadata.version that the asked broker supports; 0 where that is not told (ZooKeeper)."""
    from kafka.errors import KafkaError as Refusal

    try:
        admin: Any = new_client(cluster.connection)
    except (KafkactlError, Refusal, ValueError, OSError):
        return 0
    try:
        found = admin.describe_features().get("metadata.version", {})
        return int(found["supported"][1])
    except (Refusal, ValueError, OSError, KeyError, TypeError, IndexError, AttributeError):
        return 0
    finally:
        admin.close()
