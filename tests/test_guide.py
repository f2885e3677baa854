"""README.zh-CN.md is the platform's guide: its chapters are kept, and its facts are those of the repository's files."""

import re

import pytest
import yaml

from tests.conftest import REPOSITORY

GUIDE = (REPOSITORY / "README.zh-CN.md").read_text(encoding="utf-8")
CHAPTERS = {
    "快速开始": ("1. 启动 Kafka", "2. 检查 Kafka 状态", "3. 初始化 Topics", "4. 测试 Kafka"),
    "Topics 说明": (
        "支付相关 Topics", "订单相关 Topics", "账务相关 Topics", "风控相关 Topics", "通知相关 Topics",
        "Saga 分布式事务", "其他 Topics",
    ),
    "在服务中使用 Kafka": ("1. 使用 pkg/kafka 包", "2. 发送消息", "3. 消费消息", "4. Bootstrap 框架集成"),
    "监控和管理": ("1. Kafka UI (推荐)", "2. 命令行工具", "3. Prometheus 监控"),
    "配置说明": ("环境变量", "Docker Compose 端口", "监听器配置", "性能配置"),
    "故障排查": (
        "1. Kafka 启动失败", "2. 无法连接 Kafka", "3. 消息发送失败", "4. 消费者 Lag 过高", "5. 查看 Kafka 日志",
    ),
    "最佳实践": ("1. 消息设计", "2. 幂等性保证", "3. 错误处理", "4. 监控告警"),
    "相关资源": (),
    "联系支持": (),
}  # fmt: skip
# What topics.yaml has a name for, and the guide a word.
WORDS = {"*": "所有服务", "saga-participants": "所有 Saga 参与者", "kafka-connect": "Kafka Connect"}


def test_every_chapter_and_section_of_the_guide_is_there_in_its_order() -> None:
    without_blocks = re.sub(r"^```.*?^```$", "", GUIDE, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^##(#?) (.+)$", without_blocks, re.MULTILINE)
    wanted = [("", "目录")]
    for chapter, sections in CHAPTERS.items():
        wanted += [("", chapter), *(("#", section) for section in sections)]
    assert headings == wanted


def test_its_topics_are_those_of_topics_yaml() -> None:
    catalog = yaml.safe_load((REPOSITORY / "topics.yaml").read_text(encoding="utf-8"))
    declared = {
        name: (
            str(topic.get("partitions", catalog["defaults"]["partitions"])),
            topic["description"],
            ", ".join(WORDS.get(service, service) for service in topic["producers"]),
            ", ".join(topic["consumers"]),
        )
        for name, topic in catalog["topics"].items()
    }
    rows = re.findall(r"^\| `([\w.]+)` \| (\d+) \| (.*?) \| (.*?) \| (.*?) \|$", GUIDE, re.MULTILINE)
    assert {name: tuple(cells) for name, *cells in rows} == declared
    assert [name for name, *_ in rows] == list(declared)


@pytest.mark.parametrize(
    ("row", "service", "port"),
    [
        ("Zookeeper", "zookeeper", "42181:2181"),
        ("Kafka (内部)", "kafka", "40092:9092"),
        ("Kafka (外部)", "kafka", "40093:9093"),
        ("Kafka UI", "kafka-ui", "40080:8080"),
        ("Kafka Exporter", "kafka-exporter", "40308:9308"),
    ],
)
def test_its_ports_are_those_of_the_compose_file(row: str, service: str, port: str) -> None:
    outer, inner = port.split(":")
    assert re.search(rf"^\| {re.escape(row)} \| {inner} \| {outer} \|", GUIDE, re.MULTILINE)
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    published = [re.sub(r"\$\{\w+:-(\d+)\}", r"\1", entry) for entry in compose["services"][service]["ports"]]
    assert f"127.0.0.1:{port}" in published


@pytest.mark.parametrize(
    ("told", "variable", "value"),
    [
        ("默认 3 个分区", "KAFKA_NUM_PARTITIONS", 3),
        ("**副本因子**: 1 ", "KAFKA_DEFAULT_REPLICATION_FACTOR", 1),
        ("(168 小时)", "KAFKA_LOG_RETENTION_HOURS", 168),
        ("512MB", "KAFKA_HEAP_OPTS", "-Xms512m -Xmx512m"),
        ("**网络线程**: 3", "KAFKA_NUM_NETWORK_THREADS", 3),
        ("**IO 线程**: 8", "KAFKA_NUM_IO_THREADS", 8),
    ],
)
def test_its_settings_are_those_of_the_compose_file(told: str, variable: str, value: object) -> None:
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    assert told in GUIDE
    assert compose["services"]["kafka"]["environment"][variable] == value


def test_its_advice_for_production_is_that_of_topics_yaml() -> None:
    catalog = yaml.safe_load((REPOSITORY / "topics.yaml").read_text(encoding="utf-8"))
    production = catalog["environments"]["production"]
    assert production["defaults"] == {"partitions": 6, "replication": 3, "config": {"min.insync.replicas": 2}}
    assert production["topics"] == {"audit.logs": {"partitions": 12}}
    assert production["protected"]
    for told in ("副本 3，分区 6", "`audit.logs` 分区 12", "`min.insync.replicas: 2`", "受保护"):
        assert told in GUIDE
