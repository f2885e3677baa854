"""What the bootstrap address answers by itself, also where none of the brokers it names can be reached."""

import time
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from kafkactl.cluster.client import Broker, Cluster, ClusterInfo, unconnected
from kafkactl.cluster.diagnose import diagnose
from kafkactl.cluster.words import refused, silent
from kafkactl.settings import Connection


def bootstrapped(connection: Connection) -> Cluster:
    """A cluster whose brokers are known, and nothing else of it: neither controller nor brokers were asked.

    Raises UnreachableError where the bootstrap does not serve this client, UsageError where a property is wrong.
    """
    cluster = unconnected(connection)
    metadata = _metadata(cluster)
    brokers = sorted((Broker(b.id, b.host, b.port) for b in metadata.brokers.values()), key=lambda broker: broker.id)
    cluster.info = ClusterInfo(metadata.cluster_id, metadata.controller_id, tuple(brokers))
    return cluster


def _metadata(cluster: Cluster) -> Any:
    # gather() would judge the advertised addresses as well, and librdkafka's own wait hides why it is refused.
    future = cluster.start(cluster.admin.list_topics, timeout=cluster.connection.timeout)
    while not future.done():
        for event in cluster.events():
            if event.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
                raise refused(cluster.connection, event.str())
        time.sleep(0.005)
    try:
        return future.result()
    except KafkaException:
        raise diagnose(cluster, patient=False) or silent(cluster.connection) from None
