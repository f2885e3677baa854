"""What a broker's container is told, and by what: variables, options of its command, or its image."""

import pytest

from kafkactl.containers.broker_settings import ignored_variables, setting, told_by_what
from tests.test_images import broker


@pytest.mark.parametrize(
    ("image", "command", "environment", "name", "value", "where"),
    [
        ("confluentinc/cp-kafka", "", {"KAFKA_BROKER_ID": "4"}, "BROKER_ID", "4", "KAFKA_BROKER_ID"),
        ("confluentinc/cp-kafka", "", {}, "NODE_ID", "", "KAFKA_NODE_ID"),
        ("bitnami/kafka", "", {"KAFKA_CFG_NODE_ID": "4"}, "NODE_ID", "4", "KAFKA_CFG_NODE_ID"),
        ("bitnami/kafka", "", {"KAFKA_BROKER_ID": "4"}, "BROKER_ID", "4", "KAFKA_BROKER_ID"),
        ("bitnami/kafka", "", {}, "NUM_PARTITIONS", "", "KAFKA_CFG_NUM_PARTITIONS"),
        ("debezium/kafka", "", {"ZOOKEEPER_CONNECT": "zoo:2181"}, "ZOOKEEPER_CONNECT", "zoo:2181", "ZOOKEEPER_CONNECT"),
        ("debezium/kafka", "", {"BROKER_ID": "2", "KAFKA_BROKER_ID": "3"}, "BROKER_ID", "2", "BROKER_ID"),
        ("debezium/kafka", "", {"CLUSTER_ID": "x"}, "PROCESS_ROLES", "broker,controller", "KAFKA_PROCESS_ROLES"),
        ("debezium/kafka", "", {"CLUSTER_ID": "x", "NODE_ROLE": "broker"}, "PROCESS_ROLES", "broker", None),
        ("debezium/kafka", "", {"KAFKA_LOG_DIRS": "/x"}, "LOG_DIRS", "", None),
        ("strimzi/kafka", "kafka-server-start.sh --override broker.id=3", {}, "BROKER_ID", "3", "--override broker.id"),
        ("strimzi/kafka", "kafka-server-start.sh --override broker.id=$ID", {"ID": "3"}, "BROKER_ID", "3", "ID"),
        ("example/own", "kafka-server-start.sh x", {"KAFKA_BROKER_ID": "3"}, "BROKER_ID", "", "--override broker.id"),
        ("example/own", "", {"KAFKA_BROKER_ID": "3"}, "BROKER_ID", "3", "KAFKA_BROKER_ID"),
        ("redpandadata/redpanda", "", {}, "BROKER_ID", "", ""),
    ],
)
def test_what_a_broker_is_told_and_by_what(
    image: str, command: str, environment: dict[str, str], name: str, value: str, where: str | None
) -> None:
    found = broker(image, "sh", "-c", command, **environment)
    assert setting(found, name) == value
    assert where is None or told_by_what(found, name) == where


def test_what_debezium_takes_from_variables_of_its_own_is_told() -> None:
    assert dict(ignored_variables(broker("debezium/kafka", KAFKA_BROKER_ID="2"))) == {"KAFKA_BROKER_ID": "NODE_ID"}
    assert not dict(ignored_variables(broker("debezium/kafka", KAFKA_BROKER_ID="1")))  # what it is anyway
    assert not dict(ignored_variables(broker("debezium/kafka", BROKER_ID="2", KAFKA_BROKER_ID="2")))
