"""Signs in the logs of applications: lines of Kafka's client libraries that say what they lack. Pure.

The wordings are those of the Java client, librdkafka (and what stands on it), kafkajs, sarama, franz-go, kafka-python
and aiokafka. An address may be Kafka's for sure, by the library that names it, or be anything that refused.
"""

import re
from collections.abc import Iterable, Mapping

from kafkactl.containers.model import LogLine
from kafkactl.doctor.signs import Kind, Sign, found_in

_HOST, _PORT = r"[\w.\-]+", r"\d{2,5}"

_PATTERNS: Mapping[Kind, str] = {
    "client-topic": (
        # The Java client; Spring.
        r"Topic (?P<topic1>[\w.\-]+) not present in metadata after"
        r"|with correlation id \d+ : \{.*?(?P<topic2>[\w.\-]+)=UNKNOWN_TOPIC_OR_PARTITION"
        r"|Topic\(s\) \[(?P<topic3>[\w.\-]+)[^\]]*\] is/are not present"
        # librdkafka.
        r"|Subscribed topic not available: (?P<topic4>[\w.\-]+): Broker: Unknown topic"
        r"|Error in metadata reply for topic (?P<topic5>[\w.\-]+) .*Unknown topic"
        # kafka-python, aiokafka.
        r"|Topic (?P<topic6>[\w.\-]+) (?:is not available during auto-create|not found in cluster metadata)"
        # These do not say which one: librdkafka's producer, kafkajs, sarama, franz-go and the Java client's exception.
        r"|Local: Unknown topic|Broker: Unknown topic or partition|does not host this topic-partition"
        r"|topic or partition that does not exist on this broker|UNKNOWN_TOPIC_OR_PARTITION"
        r"|UnknownTopicOrPartitionError"
    ),
    "client-size": (
        r"message is (?P<size1>\d+) bytes when serialized which is larger than (?:(?P<limit1>\d+), which is the "
        r"value of the )?(?P<setting1>max\.request\.size)?"
        r"|message is (?P<size2>\d+) bytes when serialized"
        r"|message larger than the max message size the server will accept|Broker: Message size too large"
        r"|Message was too large, server rejected it|MESSAGE_TOO_LARGE"
        r"|(?:MessageSizeTooLargeError|RecordTooLargeException)(?!.*message is \d)"
        r"|larger than configured (?P<setting2>Producer\.MaxMessageBytes)"
    ),
    "client-security": (
        r"Connection to node -?\d+ \((?P<host1>[\w.\-]*)/?[^)]*:(?P<port1>\d+)\) (?:terminated during authentication"
        r"|failed authentication due to: (?P<why1>[^(]*))"
        r"|(?P<host2>[\w.\-]+):(?P<port2>\d+)/\w+: (?:Disconnected while requesting ApiVersion: might be caused by "
        r"incorrect security\.protocol|SSL handshake failed|SASL authentication error)"
        # Databases fail at SASL in much the same words: only what Kafka's libraries call it counts.
        r"|\bSaslAuthentication(?:Exception|Failed)|KafkaJSSASLAuthenticationError|SASL_AUTHENTICATION_FAILED"
        r"|kafka server: SASL Authentication failed|IllegalSaslState(?:Exception|Error)|UnsupportedSaslMechanism"
        r"|InvalidReceiveException: Invalid receive \(size = (?:352518912|369295617|1213486160)"
    ),
    "kafka-address": (
        # The Java client: node -1 is an address of its own configuration, any other one was sent by a broker.
        rf"Connection to node (?P<node1>-?\d+) \((?P<host1>{_HOST})/[^)]*:(?P<port1>{_PORT})\) could not be established"
        rf"|Connection to node (?P<node2>-?\d+) \(/(?P<host2>{_HOST}):(?P<port2>{_PORT})\) could not be established"
        rf"|Couldn't resolve server (?:\w+://)?(?P<host3>{_HOST}):(?P<port3>{_PORT}) from bootstrap"
        rf"|Error connecting to node (?P<host4>{_HOST}):(?P<port4>{_PORT}) \(id: (?P<node4>-?\d+)"
        # librdkafka.
        rf"|(?P<host5>{_HOST}):(?P<port5>{_PORT})/(?P<node5>bootstrap|\d+): (?:Connect to \S+ failed|Failed to resolve)"
        # kafkajs.
        rf"|\"(?:\[Connection\] )?Connection (?:error|timeout)[^\"]*\",\"broker\":"
        rf"\"(?P<host6>{_HOST}):(?P<port6>{_PORT})\""
        # sarama, franz-go.
        rf"|Failed to connect to broker (?P<host7>{_HOST}):(?P<port7>{_PORT}): dial tcp"
        rf"|unable to open connection to broker.*?addr\"?[=:]\s*\"?(?P<host8>{_HOST}):(?P<port8>{_PORT})"
        # kafka-python.
        rf"|node_id=(?P<node9>\S+) host=(?P<host9>{_HOST}):(?P<port9>{_PORT}) .*"
        r"(?:returned error \d+|DNS|Unable to connect)"
        rf"|DNS lookup failed for (?P<host10>{_HOST}):(?P<port10>{_PORT})"
        # aiokafka.
        rf"|Unable (?:to )?connect to \"(?P<host11>{_HOST}):(?P<port11>{_PORT})\""
        rf"|Unable to bootstrap from \[\('(?P<host12>{_HOST})', (?P<port12>{_PORT})"
        rf"|Unable connect to node with id (?P<node13>\d+): .*\('(?P<host13>{_HOST})', (?P<port13>{_PORT})"
    ),
    "any-address": (
        # Node, Go, Python, Java: whose port it is, the line does not say.
        rf"connect ECONNREFUSED (?:::ffff:)?(?P<host1>{_HOST}|::1):(?P<port1>{_PORT})"
        rf"|dial tcp \[?(?P<host2>{_HOST}|::1)\]?:(?P<port2>{_PORT}): connect: connection refused"
        rf"|Connect call failed \('(?P<host3>{_HOST}|::1)', (?P<port3>{_PORT})"
        rf"|getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?P<host4>{_HOST})(?: {_HOST}:(?P<port4>{_PORT}))?"
        rf"|dial tcp:? lookup (?P<host5>{_HOST})(?: on \S+)?: (?:no such host|server misbehaving|Temporary failure)"
        rf"|UnknownHostException: (?P<host6>{_HOST})"
    ),
}
_COMPILED = {kind: re.compile(pattern) for kind, pattern in _PATTERNS.items()}


def client_signs(lines: Iterable[LogLine]) -> tuple[Sign, ...]:
    """What an application's log says of Kafka; of each kind the last few."""
    return found_in(lines, _COMPILED)
