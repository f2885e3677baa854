"""Every call to a Kafka cluster: the only room that makes an admin client. Errors leave it as KafkactlError."""

from kafkactl.cluster.client import Broker, Cluster, ClusterInfo, connect, wait_for

__all__ = ["Broker", "Cluster", "ClusterInfo", "connect", "wait_for"]
