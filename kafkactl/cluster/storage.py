"""What confluent-kafka cannot ask for: sizes on disk, the KRaft quorum, moving replicas. Asked with kafka-python.

All of it is optional knowledge: without permission, or on a cluster too old for a request, the rest still works
and the reason is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from confluent_kafka import KafkaError

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.network import unreachable
from kafkactl.cluster.properties import new_client
from kafkactl.topics import Place

NO_ANSWER = "no answer"
_TRIES = 8


@dataclass(frozen=True)
class Disk:
    """One broker's log directories together, in bytes; None where the broker is too old to say."""

    total: int | None
    usable: int | None
    used_by_topics: int


@dataclass(frozen=True)
class Storage:
    """Sizes, quorum and reassignments. `missing` says for each what could not be read ("sizes", "quorum", "moves").

    `sizes` are bytes of a partition's largest replica, by (topic, partition); `replicas_size` of all its replicas.
    """

    sizes: Mapping[Place, int] = field(default_factory=dict)
    replicas_size: Mapping[str, int] = field(default_factory=dict)
    disks: Mapping[int, Disk] = field(default_factory=dict)
    quorum_leader: int | None = None
    moving: frozenset[Place] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)


def ask_storage(cluster: Cluster, *, moves: bool = True) -> "Future[Storage]":
    """Start asking for everything above, in a thread: kafka-python takes its time to be imported."""
    return cluster.start(_visit, cluster, moves)


def read_storage(cluster: Cluster, future: "Future[Storage]") -> Storage:
    """The answer to `ask_storage`; bounded by the connection's timeout for each request."""
    answer = cluster.gather({0: future}, limit=cluster.connection.timeout * 4)[0]
    if isinstance(answer, KafkaError):
        return Storage(missing=dict.fromkeys(("sizes", "quorum", "moves"), "no answer in time"))
    return answer  # type: ignore[no-any-return]


def _visit(cluster: Cluster, with_moves: bool) -> Storage:
    from kafka.errors import KafkaConnectionError
    from kafka.errors import KafkaError as Refusal

    missing: dict[str, str] = {}
    try:
        admin = new_client(cluster.connection)
    except (Refusal, ValueError, OSError) as error:
        return Storage(missing=dict.fromkeys(("sizes", "quorum", "moves"), _words(error)))

    def ask(what: str, question: Callable[[], Any]) -> Any:
        for _ in range(_TRIES):
            try:
                answer = question()
            except KafkaConnectionError as error:
                # kafka-python asks any broker it has heard of, also one that is down: the next one may be another.
                missing[what] = _words(error)
            except (Refusal, ValueError, OSError) as error:
                missing[what] = _words(error)
                return None
            else:
                missing.pop(what, None)
                return answer
        return None

    try:
        # Each broker by itself: one that is gone must not hide the others' sizes.
        there = [b for b in cluster.info.brokers if not unreachable(b.host, b.port, timeout=0.3)]
        directories = [
            entry for b in there for entry in ask("sizes", partial(admin.describe_log_dirs, brokers=[b.id])) or ()
        ]
        if directories:
            missing.pop("sizes", None)  # of some brokers
        quorum = ask("quorum", admin.describe_metadata_quorum)
        moves = ask("moves", admin.list_partition_reassignments) if with_moves else None
    finally:
        admin.close()
    return _storage(directories, quorum, moves or {}, missing)


def _words(error: Exception) -> str:
    name = type(error).__name__
    if "Authorization" in name:
        return "no permission"
    return (
        NO_ANSWER if any(word in name for word in ("Connection", "Timeout", "TimedOut")) else name.removesuffix("Error")
    )


def _storage(directories: list[Any], quorum: Any, moves: Mapping[Any, Any], missing: dict[str, str]) -> Storage:
    sizes: dict[Place, int] = {}
    replicas: dict[str, int] = defaultdict(int)
    disks: dict[int, Disk] = {}
    for broker in directories:
        readable = [entry for entry in broker["log_dirs"] if not entry["error_code"]]
        if not readable:
            missing.setdefault("sizes", "no permission")
            continue
        used = 0
        for topic in (topic for entry in readable for topic in entry["topics"]):
            name = topic.get("name") or topic.get("topic")
            for partition in topic["partitions"]:
                size = partition.get("partition_size") or 0
                used += size
                if partition.get("is_future_key"):
                    continue
                key = Place(name, partition["partition_index"])
                sizes[key] = max(size, sizes.get(key, 0))
                replicas[name] += size
        disks[broker["broker"]] = Disk(
            _sum(entry.get("total_bytes") for entry in readable),
            _sum(entry.get("usable_bytes") for entry in readable),
            used,
        )
    leader = quorum["topics"][0]["partitions"][0]["leader_id"] if quorum and quorum.get("topics") else None
    moving = frozenset(Place(tp.topic, tp.partition) for tp in moves)
    return Storage(sizes, dict(replicas), disks, leader, moving, missing)


def _sum(values: Any) -> int | None:
    known = [value for value in values if value is not None and value >= 0]
    return sum(known) if known else None
