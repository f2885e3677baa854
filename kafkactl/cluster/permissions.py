"""What this user may do, as far as Kafka tells: operations on the cluster, on topics and on groups.

A user who may not describe something is told nothing of it, not even whether it exists.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaError, TopicCollection
from confluent_kafka.admin import NewTopic

from kafkactl.catalog.model import Topic
from kafkactl.cluster.client import WORK_LIMIT, Cluster
from kafkactl.cluster.kafka_errors import DENIED
from kafkactl.cluster.visibility import no_group_ever

# What nobody may do without Describe: each of these operations includes it (Kafka's AclOperation).
_INCLUDING_DESCRIBE = frozenset({"Describe", "Read", "Write", "Delete", "Alter"})
TOPIC_OPERATIONS = ("Describe", "Read", "Write", "Create", "Delete", "Alter", "DescribeConfigs", "AlterConfigs")
GROUP_OPERATIONS = ("Describe", "Read", "Delete")
CLUSTER_OPERATIONS = (
    "Create",
    "Describe",
    "Alter",
    "DescribeConfigs",
    "AlterConfigs",
    "ClusterAction",
    "IdempotentWrite",
)


@dataclass(frozen=True)
class Permissions:
    """What this user may do with one topic or group: operations in Kafka's words, each allowed, denied or neither.

    What is in neither is not known. `state` is "there", "absent", or "hidden": no permission, or it does not exist.
    """

    name: str
    state: Literal["there", "absent", "hidden"]
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()


def cluster_operations(cluster: Cluster) -> frozenset[str] | None:
    """The operations on the cluster itself; None where they are not told: then Describe is not among them."""
    return frozenset(map(_word, cluster.info.operations)) or None


def on_topics(cluster: Cluster, topics: Iterable[Topic]) -> list[Permissions]:
    """What may be done with each of these topics; for one that is not there, whether it may be created."""
    declared = {topic.name: topic for topic in topics}
    if not declared:
        return []
    asked = cluster.admin.describe_topics(
        TopicCollection(list(declared)), include_authorized_operations=True, request_timeout=WORK_LIMIT
    )
    found = [_topic(name, answer) for name, answer in cluster.gather(asked).items()]
    create = may_create(cluster, [declared[entry.name] for entry in found if entry.state != "there"])
    return [_with_create(entry, create.get(entry.name)) for entry in found]


def _topic(name: str, answer: Any) -> Permissions:
    if isinstance(answer, KafkaError):
        absent = answer.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        if absent:
            return Permissions(name, "absent", frozenset({"Describe"}))
        denied = answer.code() in DENIED
        return Permissions(name, "hidden", denied=_INCLUDING_DESCRIBE if denied else frozenset())
    allowed = frozenset(_word(operation.name) for operation in answer.authorized_operations or ())
    return Permissions(name, "there", allowed, frozenset(TOPIC_OPERATIONS) - allowed)


def may_create(cluster: Cluster, topics: Sequence[Topic]) -> dict[str, bool | None]:
    """Whether each of these topics may be created; None where that is not known.

    Kafka is asked to validate it, and makes nothing.
    """
    if not topics:
        return {}
    new = [NewTopic(topic.name, num_partitions=topic.partitions or -1, replication_factor=-1) for topic in topics]
    futures = cluster.admin.create_topics(new, request_timeout=WORK_LIMIT, validate_only=True)
    return {name: _created(answer) for name, answer in cluster.gather(futures).items()}


def _created(answer: Any) -> bool | None:
    if not isinstance(answer, KafkaError) or answer.code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return True
    return False if answer.code() in DENIED else None


def _with_create(entry: Permissions, create: bool | None) -> Permissions:
    word = frozenset({"Create"})
    return Permissions(
        entry.name,
        entry.state,
        entry.allowed | word if create else entry.allowed,
        entry.denied | word if create is False else entry.denied,
    )


def on_groups(cluster: Cluster, names: Sequence[str]) -> list[Permissions]:
    """What may be done with each of these groups, whether they exist or not."""
    if not names or no_group_ever(cluster):
        return [Permissions(name, "absent") for name in names]
    asked = cluster.admin.describe_consumer_groups(
        list(names), include_authorized_operations=True, request_timeout=cluster.connection.timeout
    )
    return [_group(name, answer) for name, answer in cluster.gather(asked).items()]


def _group(name: str, answer: Any) -> Permissions:
    if isinstance(answer, KafkaError):
        denied = frozenset(GROUP_OPERATIONS) if answer.code() in DENIED else frozenset()
        return Permissions(name, "hidden", denied=denied)
    allowed = frozenset(_word(operation.name) for operation in answer.authorized_operations or ())
    absent = answer.state.name == "DEAD"
    return Permissions(name, "absent" if absent else "there", allowed, frozenset(GROUP_OPERATIONS) - allowed)


def _word(name: str) -> str:
    """DESCRIBE_CONFIGS as Kafka's own tools spell it: DescribeConfigs."""
    return "".join(part.capitalize() for part in name.split("_"))


# What a command needs of each declared topic, there or not, and of each declared group.
NEEDS: Mapping[str, tuple[Mapping[str, tuple[str, ...]], tuple[str, ...]]] = {
    "init-topics": (
        {"there": ("Describe", "DescribeConfigs", "Alter", "AlterConfigs"), "absent": ("Describe", "Create")},
        (),
    ),
    "tail": ({"there": ("Describe", "Read"), "absent": ("Describe", "Read")}, ()),
    "produce": ({"there": ("Describe", "Write"), "absent": ("Describe", "Write")}, ()),
    "lag": ({"there": ("Describe",), "absent": ("Describe",)}, ("Describe",)),
}


def needed(command: str, entry: Permissions, *, group: bool = False) -> tuple[str, ...]:
    """The operations that a command needs of a topic or group; of a hidden one as if it were there."""
    of_topics, of_groups = NEEDS[command]
    return of_groups if group else of_topics["absent" if entry.state == "absent" else "there"]
