"""topics.yaml of this repository against the tables of the platform's guide."""

from pathlib import Path

import pytest

from kafkactl.catalog.file import load_catalog
from kafkactl.catalog.model import Catalog
from tests.conftest import REPOSITORY

GUIDE = """
payment.created | 3 | 支付创建事件 | payment-gateway | analytics, notification
payment.success | 3 | 支付成功事件 | payment-gateway | accounting, analytics, notification
payment.failed | 3 | 支付失败事件 | payment-gateway | analytics, notification
payment.refund.created | 3 | 退款创建事件 | payment-gateway | analytics
payment.refund.success | 3 | 退款成功事件 | payment-gateway | accounting, analytics, notification
payment.refund.failed | 3 | 退款失败事件 | payment-gateway | analytics, notification
order.created | 3 | 订单创建事件 | order-service | analytics
order.updated | 3 | 订单更新事件 | order-service | analytics, notification
order.cancelled | 3 | 订单取消事件 | order-service | accounting, analytics
order.completed | 3 | 订单完成事件 | order-service | accounting, analytics, notification
accounting.transaction.created | 3 | 账务交易创建 | accounting-service | analytics
accounting.balance.updated | 3 | 余额更新 | accounting-service | analytics, notification
accounting.settlement.created | 3 | 结算创建 | settlement-service | analytics
accounting.settlement.completed | 3 | 结算完成 | settlement-service | accounting, notification
risk.check.started | 3 | 风控检查开始 | risk-service | analytics
risk.check.completed | 3 | 风控检查完成 | risk-service | analytics
risk.alert.high | 3 | 高风险告警 | risk-service | notification, admin-service
risk.alert.critical | 3 | 严重风险告警 | risk-service | notification, admin-service
notification.email | 3 | 邮件通知 | 所有服务 | notification-service
notification.sms | 3 | 短信通知 | 所有服务 | notification-service
notification.webhook | 3 | Webhook 通知 | 所有服务 | notification-service
saga.payment.start | 3 | 支付 Saga 开始 | payment-gateway | order-service, channel-adapter
saga.payment.compensate | 3 | 支付 Saga 补偿 | 所有 Saga 参与者 | payment-gateway
analytics.events | 3 | 分析事件 | 所有服务 | analytics-service
audit.logs | 6 | 审计日志 | 所有服务 | admin-service, analytics-service
dlq.payment | 1 | 支付死信队列 | Kafka Connect | admin-service
dlq.notification | 1 | 通知死信队列 | Kafka Connect | admin-service
"""
SPELT = {"所有服务": "*", "所有 Saga 参与者": "saga-participants", "Kafka Connect": "kafka-connect"}
ROWS = [[cell.strip() for cell in line.split("|")] for line in GUIDE.strip().splitlines()]
WEEK = {"retention.ms": "604800000"}


def platform(environment: str | None = None) -> Catalog:
    return load_catalog(REPOSITORY / "topics.yaml", environment)


def test_the_guide_names_27_topics() -> None:
    assert list(platform().topics) == [row[0] for row in ROWS]
    assert len(ROWS) == 27


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
@pytest.mark.parametrize("environment", [None, "local"])
def test_every_topic_is_as_the_guide_says(environment: str | None, row: list[str]) -> None:
    name, partitions, description, producers, consumers = row
    topic = platform(environment).topics[name]
    assert (topic.partitions, topic.replication, topic.config) == (int(partitions), 1, WEEK)
    assert topic.description == description
    assert topic.producers == (SPELT.get(producers, producers),)
    assert topic.consumers == tuple(consumers.split(", "))
    assert topic.event == ("payment" if name.startswith("payment.") else None if name.startswith("dlq.") else "base")
    family = name.partition(".")[0]
    assert topic.dlq == (f"dlq.{family}" if family in ("payment", "notification") else None)


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_every_topic_has_its_production_values(name: str) -> None:
    topic = platform("production").topics[name]
    partitions = {"audit.logs": 12, "dlq.payment": 1, "dlq.notification": 1}.get(name, 6)
    assert topic.partitions == partitions
    assert topic.replication == 3
    assert topic.config == {**WEEK, "min.insync.replicas": "2"}


def test_the_environments() -> None:
    environments = platform().environments
    assert environments["local"].brokers == ("localhost:40093",)
    assert not environments["local"].protected
    production = environments["production"]
    assert production.protected
    assert len(production.brokers) == 3
    assert production.client_config == REPOSITORY / "production.properties"


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("notification", "notification-group"),
        ("notification-service", "notification-group"),
        ("analytics-service", "analytics-group"),
        ("accounting-service", "accounting-group"),
        ("payment-gateway", "payment-gateway-group"),
        ("unheard-of", "unheard-of-group"),
    ],
)
def test_services_by_both_their_names(name: str, group: str) -> None:
    assert platform().service(name).group == group


def test_every_service_named_is_declared() -> None:
    catalog = platform()
    known = set(catalog.services) | {alias for service in catalog.services.values() for alias in service.aliases}
    named = {word for topic in catalog.topics.values() for word in (*topic.producers, *topic.consumers)}
    assert named - {"*"} <= known
    assert not catalog.warnings


def test_values_that_are_the_default_are_left_out() -> None:
    text = (REPOSITORY / "topics.yaml").read_text(encoding="utf-8").partition("\ntopics:\n")[2]
    said = [line.strip() for line in text.splitlines() if "partitions:" in line or "replication:" in line]
    assert said == ["partitions: 6", "partitions: 1", "partitions: 1"]
    assert "retention" not in text


def test_positions_are_those_of_the_names() -> None:
    path = Path(REPOSITORY / "topics.yaml")
    lines = path.read_text(encoding="utf-8").splitlines()
    for topic in load_catalog(path).topics.values():
        assert lines[topic.position.line - 1] == f"  {topic.name}:"
        assert topic.position.column == 3
