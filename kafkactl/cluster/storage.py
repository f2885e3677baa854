"""What confluent-kafka cannot ask for: sizes on disk, the KRaft quorum, moving replicas.

All of it is optional knowledge: without permission, or on a cluster too old for a request, the rest still works
and the reason is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

from confluent_kafka import KafkaError

from kafkactl.cluster.client import Broker, Cluster
from kafkactl.cluster.kafka_errors import error_text
from kafkactl.cluster.network import unreachable
from kafkactl.cluster.properties import new_client, protocol_of
from kafkactl.topics import Place

NO_ANSWER = "no answer"
_NO_PERMISSION = "no permission"
_TOO_OLD = "the broker does not know it"
_TRIES = 8

T = TypeVar("T")


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
    """Start asking for everything above, in a thread: a broker that hangs takes its time."""
    return cluster.start(_visit, cluster, moves)


def read_storage(cluster: Cluster, future: "Future[Storage]") -> Storage:
    """The answer to `ask_storage`; bounded by the connection's timeout for each request."""
    answer = cluster.gather({0: future}, limit=cluster.connection.timeout * 4)[0]
    if isinstance(answer, KafkaError):
        return Storage(missing=dict.fromkeys(("sizes", "quorum", "moves"), "no answer in time"))
    return answer  # type: ignore[no-any-return]


class ReplicaSizes(NamedTuple):
    """Bytes by broker and partition, and `usable` ones by broker, of those that tell; why not, "" where one tells."""

    of: Mapping[tuple[int, Place], int]
    usable: Mapping[int, int]
    missing: str


def read_replica_sizes(cluster: Cluster) -> ReplicaSizes:
    """The size of each replica, as far as brokers tell."""
    there = [b for b in cluster.info.brokers if not unreachable(b.host, b.port, timeout=0.3)]
    plain = protocol_of(cluster.connection.properties) == "PLAINTEXT"
    answers = _ask_plainly(cluster, there, False) if plain else None
    answers = answers or _ask_with_kafka_python(cluster, there, False)
    found: dict[tuple[int, Place], int] = {}
    usable: dict[int, int] = {}
    for broker in answers.directories:
        room = _sum(entry.get("usable_bytes") for entry in broker["log_dirs"] if not entry["error_code"])
        if room is not None:
            usable[broker["broker"]] = room
        for entry in broker["log_dirs"]:
            if entry["error_code"]:
                answers.missing.setdefault("sizes", _NO_PERMISSION)
                continue
            for topic in entry["topics"]:
                name = topic.get("name") or topic.get("topic")
                for partition in topic["partitions"]:
                    if not partition.get("is_future_key"):
                        key = broker["broker"], Place(name, partition["partition_index"])
                        found[key] = partition.get("partition_size") or 0
    return ReplicaSizes(found, usable, answers.missing.get("sizes", ""))


class Answers:
    """What the brokers have told so far. `missing` says why not, by what was asked for."""

    def __init__(self) -> None:
        self.directories: list[Any] = []
        self.quorum_leader: int | None = None
        self.moving: frozenset[Place] = frozenset()
        self.missing: dict[str, str] = {}


def _visit(cluster: Cluster, with_moves: bool) -> Storage:
    # Each broker by itself: one that is gone must not hide the others' sizes.
    there = [b for b in cluster.info.brokers if not unreachable(b.host, b.port, timeout=0.3)]
    plain = protocol_of(cluster.connection.properties) == "PLAINTEXT"
    answers = _ask_plainly(cluster, there, with_moves) if plain else None
    return _storage(answers or _ask_with_kafka_python(cluster, there, with_moves))


def _ask_plainly(cluster: Cluster, there: Sequence[Broker], with_moves: bool) -> Answers | None:
    """None where a broker is too old to be asked so."""
    from kafkactl.cluster.wire import RefusedRequestError, UnknownToBrokerError, Wire

    answers = Answers()
    answers.missing = dict.fromkeys(("sizes", "quorum", *(("moves",) if with_moves else ())), NO_ANSWER)
    open_questions = set(answers.missing) - {"sizes"}

    def ask(what: str, question: Callable[[], T]) -> T | None:
        """What any one broker can answer, who asks the controller; None where this one did not."""
        if what not in open_questions:
            return None
        try:
            answer = question()
        except (TimeoutError, RefusedRequestError) as error:
            answers.missing[what] = _refusal(error)
            if answers.missing[what] == NO_ANSWER:  # the broker waits for a controller, as any other would
                open_questions.remove(what)
            return None
        except UnknownToBrokerError:
            answers.missing[what] = _TOO_OLD
            return None
        open_questions.remove(what)
        del answers.missing[what]
        return answer

    for broker in there:
        try:
            with Wire(broker.host, broker.port, cluster.connection.timeout) as wire:
                try:
                    answers.directories.append({"broker": broker.id, "log_dirs": wire.log_dirs()})
                except RefusedRequestError as error:
                    answers.missing["sizes"] = _refusal(error)
                if (leader := ask("quorum", wire.quorum_leader)) is not None:
                    answers.quorum_leader = leader
                if moves := ask("moves", wire.moves):
                    answers.moving = frozenset(Place(*place) for place in moves)
        except UnknownToBrokerError:
            return None
        except (OSError, RefusedRequestError):
            continue
    if answers.directories:
        answers.missing.pop("sizes", None)  # of some brokers
    return answers


def _refusal(error: Exception) -> str:
    code = getattr(error, "code", KafkaError.REQUEST_TIMED_OUT)
    if code == KafkaError.CLUSTER_AUTHORIZATION_FAILED:
        return _NO_PERMISSION
    return NO_ANSWER if code == KafkaError.REQUEST_TIMED_OUT else error_text(KafkaError(code))


def _ask_with_kafka_python(cluster: Cluster, there: Sequence[Broker], with_moves: bool) -> Answers:
    from kafka.errors import KafkaConnectionError
    from kafka.errors import KafkaError as Refusal

    answers = Answers()
    missing = answers.missing
    try:
        admin = new_client(cluster.connection)
    except (Refusal, ValueError, OSError) as error:
        missing |= dict.fromkeys(("sizes", "quorum", "moves"), _words(error))
        return answers

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
        answers.directories += [
            entry for b in there for entry in ask("sizes", partial(admin.describe_log_dirs, brokers=[b.id])) or ()
        ]
        if answers.directories:
            missing.pop("sizes", None)  # of some brokers
        quorum = ask("quorum", admin.describe_metadata_quorum)
        if quorum and quorum.get("topics"):
            answers.quorum_leader = quorum["topics"][0]["partitions"][0]["leader_id"]
        moves = ask("moves", admin.list_partition_reassignments) if with_moves else None
        answers.moving = frozenset(Place(tp.topic, tp.partition) for tp in moves or ())
    finally:
        admin.close()
    return answers


def _words(error: Exception) -> str:
    name = type(error).__name__
    if "Authorization" in name:
        return _NO_PERMISSION
    return (
        NO_ANSWER if any(word in name for word in ("Connection", "Timeout", "TimedOut")) else name.removesuffix("Error")
    )


def _storage(answers: Answers) -> Storage:
    sizes: dict[Place, int] = {}
    replicas: dict[str, int] = defaultdict(int)
    disks: dict[int, Disk] = {}
    for broker in answers.directories:
        readable = [entry for entry in broker["log_dirs"] if not entry["error_code"]]
        if not readable:
            answers.missing.setdefault("sizes", _NO_PERMISSION)
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
    return Storage(sizes, dict(replicas), disks, answers.quorum_leader, answers.moving, answers.missing)


def _sum(values: Any) -> int | None:
    known = [value for value in values if value is not None and value >= 0]
    return sum(known) if known else None
