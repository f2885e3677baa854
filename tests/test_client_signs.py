"""What applications' logs say of Kafka: lines of each client library, and what the doctor makes of them."""

from dataclasses import replace

import pytest

from kafkactl.containers.model import Container, LogLine
from kafkactl.doctor.checks import CHECKS
from kafkactl.doctor.client_signs import client_signs
from kafkactl.doctor.codes import Told, codes
from kafkactl.doctor.diagnosis import diagnose
from kafkactl.doctor.facts import ClusterFacts, DeclaredTopic, EngineFacts, Facts, StackFacts, TopicFacts
from kafkactl.doctor.signs import signs
from tests.test_doctor import sound
from tests.test_doctor_stack import container

NOW = sound().taken * 1_000_000
LIBRARIES = {
    "java, of its own": (
        "WARN [Consumer clientId=a] Connection to node -1 (localhost/127.0.0.1:9092) could not be established."
        " Node may not be available. (org.apache.kafka.clients.NetworkClient)",
        "kafka-address", {"node": "-1", "host": "localhost", "port": "9092"},
    ),
    "java, sent there": (
        "[AdminClient clientId=a] Connection to node 1001 (/127.0.0.1:9092) could not be established.",
        "kafka-address", {"node": "1001", "host": "127.0.0.1", "port": "9092"},
    ),
    "java, unknown name": (
        "WARN [Producer clientId=p] Couldn't resolve server kafk:9092 from bootstrap.servers as DNS resolution failed",
        "kafka-address", {"host": "kafk", "port": "9092"},
    ),
    "librdkafka": (
        "%3|1.1|FAIL|rdkafka#producer-1| [thrd:localhost:9092/bootstrap]: localhost:9092/bootstrap: Connect to "
        "ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)",
        "kafka-address", {"node": "bootstrap", "host": "localhost", "port": "9092"},
    ),
    "librdkafka, unknown name": (
        "%3|1.1|FAIL|rdkafka#consumer-1| [thrd:kafk:9092/bootstrap]: kafk:9092/bootstrap: Failed to resolve "
        "'kafk:9092': Name or service not known (after 5ms in state CONNECT)",
        "kafka-address", {"node": "bootstrap", "host": "kafk", "port": "9092"},
    ),
    "kafkajs": (
        '{"level":"ERROR","logger":"kafkajs","message":"[Connection] Connection error: connect ECONNREFUSED '
        '127.0.0.1:9092","broker":"localhost:9092","clientId":"app"}',
        "kafka-address", {"host": "localhost", "port": "9092"},
    ),
    "node": ("Error: connect ECONNREFUSED ::1:9092", "any-address", {"host": "::1", "port": "9092"}),
    "node, unknown name": ("getaddrinfo ENOTFOUND kafk", "any-address", {"host": "kafk"}),
    "sarama": (
        "[sarama] Failed to connect to broker kafk:9094: dial tcp: lookup kafk on 127.0.0.11:53: no such host",
        "kafka-address", {"host": "kafk", "port": "9094"},
    ),
    "sarama's error": (
        "kafka: client has run out of available brokers to talk to: dial tcp 127.0.0.1:9092: connect: connection "
        "refused",
        "any-address", {"host": "127.0.0.1", "port": "9092"},
    ),
    "franz-go": (
        "[WARN] unable to open connection to broker; addr: localhost:9092, broker: seed_0, err: dial tcp [::1]:9092: "
        "connect: connection refused",
        "kafka-address", {"host": "localhost", "port": "9092"},
    ),
    "kafka-python": (
        "ERROR:kafka.conn:<BrokerConnection client_id=a, node_id=bootstrap-0 host=localhost:9092 <connecting> [IPv4 "
        "('127.0.0.1', 9092)]>: Connect attempt returned error 111. Disconnecting.",
        "kafka-address", {"node": "bootstrap-0", "host": "localhost", "port": "9092"},
    ),
    "aiokafka": (
        "KafkaConnectionError: Unable to bootstrap from [('localhost', 9092, <AddressFamily.AF_UNSPEC: 0>)]",
        "kafka-address", {"host": "localhost", "port": "9092"},
    ),
    "java, topic": (
        "WARN [Producer clientId=p] The metadata response from the cluster reported a recoverable issue with "
        "correlation id 3 : {ordrs=UNKNOWN_TOPIC_OR_PARTITION} (org.apache.kafka.clients.NetworkClient)",
        "client-topic", {"topic": "ordrs"},
    ),
    "java, older": (
        "WARN Error while fetching metadata with correlation id 3 : {ordrs=UNKNOWN_TOPIC_OR_PARTITION}",
        "client-topic", {"topic": "ordrs"},
    ),
    "java, no metadata": (
        "org.apache.kafka.common.errors.TimeoutException: Topic ordrs not present in metadata after 60000 ms.",
        "client-topic", {"topic": "ordrs"},
    ),
    "spring, topic": (
        "Topic(s) [ordrs] is/are not present and missingTopicsFatal is true", "client-topic", {"topic": "ordrs"},
    ),
    "librdkafka, topic": (
        'KafkaError{code=UNKNOWN_TOPIC_OR_PART,val=3,str="Subscribed topic not available: ordrs: Broker: Unknown topic '
        'or partition"}',
        "client-topic", {"topic": "ordrs"},
    ),
    "kafkajs, topic": (
        '{"level":"ERROR","message":"[Connection] Response Metadata(key: 3, version: 6)","error":"This server does not '
        'host this topic-partition"}',
        "client-topic", {},
    ),
    "sarama, topic": (
        "kafka server: Request was for a topic or partition that does not exist on this broker.", "client-topic", {},
    ),
    "kafka-python, topic": ("Topic ordrs not found in cluster metadata", "client-topic", {"topic": "ordrs"}),
    "java, size": (
        "RecordTooLargeException: The message is 2000088 bytes when serialized which is larger than 1048576, which is "
        "the value of the max.request.size configuration.",
        "client-size", {"size": "2000088", "limit": "1048576", "setting": "max.request.size"},
    ),
    "broker's, size": (
        "The request included a message larger than the max message size the server will accept.", "client-size", {},
    ),
    "librdkafka, size": ("Broker: Message size too large", "client-size", {}),
    "kafka-python, size": (
        "kafka.errors.MessageSizeTooLargeError: [Error 10] MessageSizeTooLargeError: The message is 2000070 bytes when "
        "serialized which is larger than the maximum request size you have configured with the max_request_size "
        "configuration",
        "client-size", {"size": "2000070"},
    ),
    "java, login": (
        "[Producer clientId=p] Connection to node -1 (kafka/172.18.0.3:9094) terminated during authentication. This "
        "may happen due to any of the following reasons",
        "client-security", {"host": "kafka", "port": "9094"},
    ),
    "librdkafka, login": (
        "%3|1.1|FAIL|rdkafka#producer-1| [thrd:kafka:9094/bootstrap]: kafka:9094/bootstrap: Disconnected while "
        "requesting ApiVersion: might be caused by incorrect security.protocol configuration (connecting to a SSL "
        "listener?)",
        "client-security", {"host": "kafka", "port": "9094"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_line_of_a_library_is_understood(name: str) -> None:
    text, kind, found = LIBRARIES[name]
    sign = client_signs([LogLine(NOW, "app", text)])[0]
    assert (sign.kind, sign.found) == (kind, found)


@pytest.mark.parametrize(
    "text",
    [
        "connected to postgres:5432",
        "connection refused by policy",
        "Topic created: orders",
        "listening at 127.0.0.1:9092",
        "SASL is off",
        "FATAL: SASL authentication failed for user postgres",
        "MongoServerError: Authentication failed.",
        "upload refused: Message size too large",
        "the message is 12 bytes",
    ],
)
def test_other_lines_say_nothing(text: str) -> None:
    assert client_signs([LogLine(NOW, "app", text)]) == ()


BROKER = container(
    "kafka", "broker", image="confluentinc/cp-kafka",
    environment={
        "KAFKA_ADVERTISED_LISTENERS": "INTERNAL://kafka:29092,SECURED://kafka:9094,EXTERNAL://localhost:9092",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "INTERNAL:PLAINTEXT,SECURED:SASL_SSL,EXTERNAL:PLAINTEXT",
    },
)  # fmt: skip


def seen(line: str, app: Container, *, topics: tuple[str, ...] = (), declared: tuple[str, ...] = ()) -> Facts:
    """Facts of a stack whose application has just logged this line twice."""
    logged = client_signs([LogLine(NOW - 10**9, "app", line)] * 2)
    stack = StackFacts("x", ("docker", "compose"), (BROKER, app), signs={app.name: logged})
    cluster = ClusterFacts("c", "KRaft", (), tuple(TopicFacts(name, ()) for name in topics))
    named = tuple(DeclaredTopic(name, 1, 1, {}) for name in declared)
    return replace(
        sound(), engine=EngineFacts("unix:///x", ""), stack=stack, cluster=cluster, declared=named, missing={}
    )


def told(facts: Facts) -> list[Told]:
    wanted = ["KD101", "KD105", "KD310", "KD315", "KD316", "KD317"]
    return diagnose(facts, codes(), CHECKS, wanted=wanted).findings("error", "warning")


APP = container("app", "other", image="example/app")
CRASHING = replace(APP, status="restarting", restarts=9, exit_code=1)


@pytest.mark.parametrize("app", [APP, CRASHING], ids=["running", "crashing"])
@pytest.mark.parametrize("name", LIBRARIES)
def test_what_a_library_says_is_the_cause(name: str, app: Container) -> None:
    text, kind, found = LIBRARIES[name]
    heads = told(seen(text, app))
    code = {"client-topic": "KD315", "client-size": "KD316", "client-security": "KD317"}.get(kind, "KD310")
    assert [head.code for head in heads] == [code], [head.headline for head in heads]
    for word in found.values():
        assert word in str(heads) or word.isdigit() or word in ("bootstrap", "bootstrap-0", "-1")
    assert heads[0].heal


def test_what_is_over_is_not_told() -> None:
    text = LIBRARIES["java, topic"][0]
    assert told(seen(text, APP, topics=("ordrs",))) == []  # it is there by now
    assert told(seen(text, APP, declared=("ordrs",))) == []  # KD513 says so
    late = replace(seen(text, APP), taken=sound().taken + 600_000)
    assert told(late) == []  # it was ten minutes ago


def test_an_address_elsewhere_is_nobodys_mistake() -> None:
    for host in ("kafka.example.com", "10.0.0.7"):
        assert told(seen(f"Connection to node -1 ({host}/10.0.0.7:9092) could not be established.", APP)) == []
    assert told(seen("connect ECONNREFUSED 127.0.0.1:5432", APP)) == []
    assert told(seen("getaddrinfo ENOTFOUND postgres", APP)) == []
    assert told(seen("dial tcp 127.0.0.1:9093: connect: connection refused", APP)) == []  # Alertmanager's
    shared = replace(APP, networks=())  # network_mode: service:kafka
    assert told(seen(LIBRARIES["librdkafka"][0], shared)) == []


def test_a_misspelt_topic_gets_its_name() -> None:
    (head,) = told(seen(LIBRARIES["java, topic"][0], APP, topics=("orders", "__consumer_offsets")))
    assert head.headline == "payment-app uses ordrs, which does not exist."
    assert "orders exists" in str(head.heal[0])


def test_a_listener_says_what_it_wants() -> None:
    (head,) = told(seen(LIBRARIES["java, login"][0], APP))
    assert head.headline == "payment-app is refused at kafka:9094: the listener SECURED there is SASL_SSL."
    assert "security.protocol=SASL_SSL" in str(head.heal[0])
    assert "kafka:29092" in str(head.heal[1])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("KAFKA_ADVERTISED_LISTENERS is required.", {"name": "KAFKA_ADVERTISED_LISTENERS"}),
        ('Error: environment variable "KAFKA_PROCESS_ROLES" is not set', {"name": "KAFKA_PROCESS_ROLES"}),
        ('Missing required configuration "process.roles" which has no default value.', {"name": "process.roles"}),
        ("kafka 12:00:00.00 ERROR ==> The KAFKA_CFG_LISTENERS environment variable does not",
         {"why": "The KAFKA_CFG_LISTENERS environment variable does not"}),
    ],
)  # fmt: skip
def test_what_an_image_requires(line: str, found: dict[str, str]) -> None:
    (sign,) = [sign for sign in signs([LogLine(0, "kafka", line)]) if sign.kind == "required"]
    assert sign.found == found
