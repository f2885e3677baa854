"""The steps that prove a cluster: each needs some of those before it, and a failure stops only what needs it."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError
from confluent_kafka import TopicPartition as TP
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType

from kafkactl.cluster.changes import wait_for_leaders
from kafkactl.cluster.client import Broker, Cluster, connect
from kafkactl.cluster.kafka_errors import DENIED, error_text, failure
from kafkactl.cluster.metadata import read_topics
from kafkactl.cluster.network import unreachable
from kafkactl.cluster.offsets import read_ranges
from kafkactl.cluster.outage import Patience
from kafkactl.errors import ExitCode, KafkactlError, NotPermittedError
from kafkactl.probe.comparison import percentile
from kafkactl.probe.model import Order, StepResult
from kafkactl.probe.roundtrip import Echo, Load, Written, write
from kafkactl.text.remedies import kafkactl
from kafkactl.text.words import and_more
from kafkactl.topics import LiveTopic, health

SCRATCH_PREFIX = "kafkactl-test-"


class Proof:
    """One run of the steps. `clean` removes everything it creates on the cluster, and is safe to call twice."""

    def __init__(
        self,
        order: Order,
        before_writing: Callable[[Cluster], None] = lambda _: None,
        starting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.order = order
        self._starting = starting
        self.run = secrets.token_hex(4)
        self._before_writing = before_writing
        self._cluster: Cluster | None = None
        self._topic = order.topic or f"{SCRATCH_PREFIX}{self.run}"
        self._made_topic = self._made_group = False
        self._partitions: tuple[int, ...] = ()
        self._written = Written()
        self._echo: Echo | None = None
        self._figures: Mapping[str, float] | None = None

    def steps(self) -> Iterator[StepResult]:
        """Run the steps in order, yielding each result as it is known."""
        failed: set[str] = set()
        for key, needs, name, action in self._plan():
            blocked = sorted(failed & set(needs))
            if blocked:
                failed.add(key)
                yield StepResult(key, name(), "skipped", reason=f"needs: {', '.join(blocked)}")
                continue
            result = self._run(key, name, action)
            if result.state == "error":
                failed.add(key)
            yield result

    def _plan(self) -> list[tuple[str, tuple[str, ...], Callable[[], str], Callable[[], None]]]:
        address, declared = self.order.connection.address, len(self.order.declared)
        scratch = self.order.topic is None
        steps: list[tuple[str, tuple[str, ...], Callable[[], str], Callable[[], None]]] = [
            ("bootstrap", (), lambda: f"reach {address}", self._connect),
            ("brokers", ("bootstrap",), lambda: f"reach every advertised broker{self._broker_count()}", self._brokers),
            ("metadata", ("bootstrap",), lambda: f"cluster metadata{self._cluster_id()}", self._metadata),
        ]
        if declared:
            text = f"{declared:,} declared topics exist and have leaders"
            steps.append(("declared", ("metadata",), lambda: text, self._declared))
        topic_text = (
            "create a scratch topic with a leader on every broker" if scratch else f"topic {self._topic} has leaders"
        )
        steps += [
            ("topic", ("brokers", "metadata"), lambda: topic_text, self._make_topic),
            ("write", ("topic",), self._write_text, self._write),
            ("read", ("write",), self._read_text, self._read),
            ("group", ("topic",), lambda: "commit and read a group's offset", self._group),
        ]
        return steps

    def _run(self, key: str, name: Callable[[], str], action: Callable[[], None]) -> StepResult:
        self._figures = None
        self._starting(name())
        start = time.monotonic()
        try:
            action()
        except KafkactlError as error:
            taken = time.monotonic() - start
            text = " ".join(filter(None, [error.message, error.where]))
            error.flags = self.order.flags
            denied = isinstance(error, NotPermittedError)
            return StepResult(
                key, name(), "error", taken, text, error.next_step, self._figures, error.exit_code, denied
            )
        return StepResult(key, name(), "ok", time.monotonic() - start, figures=self._figures)

    @property
    def cluster(self) -> Cluster:
        assert self._cluster is not None
        return self._cluster

    def _broker_count(self) -> str:
        return f" ({len(self.cluster.info.brokers)})" if self._cluster else ""

    def _cluster_id(self) -> str:
        return f": {self.cluster.info.id}" if self._cluster else ""

    def _connect(self) -> None:
        self._cluster = connect(self.order.connection)

    def _brokers(self) -> None:
        bad = [text for broker in self.cluster.info.brokers if (text := self._unreachable(broker))]
        if bad:
            raise KafkactlError("; ".join(bad))
        # A request that only this broker can answer: an open port is not yet a broker.
        futures = {
            broker.address: next(
                iter(
                    self.cluster.admin.describe_configs(
                        [ConfigResource(ResourceType.BROKER, str(broker.id))],
                        request_timeout=self.order.connection.timeout * 0.8,
                    ).values()
                )
            )
            for broker in self.cluster.info.brokers
        }
        answers = self.cluster.gather(futures, limit=self.order.connection.timeout)
        silent = [
            address
            for address, answer in answers.items()
            if isinstance(answer, KafkaError) and answer.code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT)
        ]
        if silent:
            raise KafkactlError(f"no answer from {', '.join(silent)}")

    def _unreachable(self, broker: Broker) -> str:
        why = unreachable(broker.host, broker.port, min(1.0, self.order.connection.timeout))
        return f"broker {broker.id} at {broker.address}: {why}" if why else ""

    def _metadata(self) -> None:
        if not self.cluster.info.brokers:
            raise KafkactlError("the cluster lists no brokers")
        self._topics = read_topics(self.cluster, self.order.declared, config_of=())

    def _declared(self) -> None:
        bad = [
            f"{name}: {self._topics.denied[name]}" if name in self._topics.denied else f"{name}: {why}"
            for name in self.order.declared
            if (why := _trouble(self._topics.found.get(name)))
        ]
        if bad:
            denied = all(name in self._topics.denied for name in self.order.declared if name not in self._topics.found)
            words = f"{and_more(bad, separator='; ')}."
            if denied and self._topics.denied:
                raise NotPermittedError(words, hint=kafkactl("whoami", note="To see what this user may do"))
            raise KafkactlError(words, hint=kafkactl("init-topics", note="To create missing topics"))

    def _make_topic(self) -> None:
        self._before_writing(self.cluster)
        if self.order.topic is None:
            self._create_scratch()
        topic = self._find_topic()
        self._partitions = tuple(p.id for p in topic.partitions)
        self._starts = self._ends_of(topic)

    def _find_topic(self) -> LiveTopic:
        # Any broker may be asked, and some learn of a new topic later than others.
        deadline = time.monotonic() + (min(5.0, self.order.timeout) if self._made_topic else 0.0)
        while True:
            topics = read_topics(self.cluster, [self._topic], config_of=())
            if self._topic in topics.denied:
                raise NotPermittedError(f"{self._topic}: {topics.denied[self._topic]}.")
            topic = topics.found.get(self._topic)
            why = _trouble(topic)
            if topic is not None and not why:
                return topic
            if time.monotonic() >= deadline:
                raise KafkactlError(f"{self._topic}: {why}.")
            time.sleep(0.02)

    def _create_scratch(self) -> None:
        ids = [broker.id for broker in self.cluster.info.brokers]
        replication = min(3, len(ids))
        assignment = [
            [ids[(first + replica) % len(ids)] for replica in range(replication)] for first in range(max(3, len(ids)))
        ]
        topic = NewTopic(
            self._topic,
            num_partitions=len(assignment),
            replica_assignment=assignment,
            config={"min.insync.replicas": str(min(2, replication)), "retention.ms": "3600000"},
        )
        self._made_topic = True  # from here on it may exist, whatever the answer says
        asked = self.cluster.admin.create_topics([topic], request_timeout=self.order.timeout)
        answer = self.cluster.gather(asked, limit=self.order.timeout)[self._topic]
        if isinstance(answer, KafkaError):
            # A broker's own error, unlike the client's, says that nothing was made; but for one.
            self._made_topic = answer.code() < 0 or answer.code() == KafkaError.REQUEST_TIMED_OUT
            error = failure(answer)
            if isinstance(error, NotPermittedError):
                error.message = "no permission (needs Create on the topic or on the cluster)"
                error.hint = "To test a topic that this user may write and read: --topic"
            raise error
        wait_for_leaders(self.cluster, [self._topic], self.order.timeout)

    def _ends_of(self, topic: LiveTopic) -> dict[int, int]:
        # The leader of a new topic may not know yet that it is one.
        deadline = time.monotonic() + min(5.0, self.order.timeout)
        while True:
            ranges = read_ranges(self.cluster, [topic])
            unknown = [str(p) for (_, p), found in ranges.items() if found.end is None]
            if not unknown:
                return {p: found.end for (_, p), found in ranges.items() if found.end is not None}
            if time.monotonic() > deadline:
                raise KafkactlError(f"{topic.name}: no end offset for partition {', '.join(unknown)}")
            time.sleep(0.02)

    def _load(self) -> Load:
        return Load(self.run, self._topic, self._partitions, self.order.count, self.order.size, self.order.timeout)

    def _write_text(self) -> str:
        total = f"{self.order.count * len(self._partitions):,} " if self._partitions else ""
        where = f"{len(self._partitions)} partitions" if self._partitions else "every partition"
        return f"write {total}records to {where}, acks=all"

    def _write(self) -> None:
        self._echo = Echo(self.cluster, self._load(), self._starts, self._written.sent_at)
        try:
            write(self.cluster, self._load(), self._written)
        finally:
            self._figures = _percentiles(self._written.latencies)

    def _read_text(self) -> str:
        if self._echo is None or self._echo.denied or not self._written.acknowledged:
            return "read them back"
        return f"read {len(self._echo.received):,} back: {self._echo.judged(self._written).words()}"

    def _read(self) -> None:
        assert self._echo is not None
        topic = self._find_topic()
        patience = Patience(self.cluster.link, self.order.timeout)
        reached = self._echo.reach(self._ends_of(topic), patience)
        self._echo.close()
        self._figures = _percentiles(self._echo.latencies)
        if self._echo.denied:
            raise NotPermittedError(self._echo.error)
        if self._echo.error or not reached:
            raise KafkactlError(self._echo.error or f"the end was not reached in {self.order.timeout:g} s")
        verdict = self._echo.judged(self._written)
        if not verdict.good:
            raise KafkactlError(f"{verdict.expected:,} were acknowledged, {verdict.received:,} came back")

    def _group(self) -> None:
        group = f"{SCRATCH_PREFIX}{self.run}"
        wanted = TP(self._topic, self._partitions[0], self._starts[self._partitions[0]] + 1)
        self._made_group = True
        deadline = time.monotonic() + self.order.timeout
        while True:
            asked = self.cluster.admin.alter_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group, [wanted])], request_timeout=_COMMIT_SECONDS
            )
            answer = self.cluster.gather(asked)[group]
            error = answer if isinstance(answer, KafkaError) else answer.topic_partitions[0].error
            if error is None:
                break
            # The first commit on a new cluster makes __consumer_offsets, whose leaders take a moment.
            if error.code() not in _COORDINATOR_SOON or time.monotonic() > deadline:
                # A broker's own refusal says that no group was made.
                self._made_group = error.code() not in DENIED
                raise failure(error, "the commit failed")
            time.sleep(0.05)
        request = ConsumerGroupTopicPartitions(group, [TP(self._topic, wanted.partition)])
        committed = self.cluster.wait(self.cluster.admin.list_consumer_group_offsets([request])[group])
        found = committed.topic_partitions[0].offset
        if found != wanted.offset:
            raise KafkactlError(f"offset {wanted.offset} was committed, but {found} came back")

    def clean(self) -> StepResult | None:
        """Remove what was made. None where nothing was."""
        if self._echo is not None:
            self._echo.close()
        if self._cluster is None or not (self._made_topic or self._made_group):
            return None
        start, left = time.monotonic(), []
        if self._made_group:
            group = f"{SCRATCH_PREFIX}{self.run}"
            answer = self._remove(self.cluster.admin.delete_consumer_groups, group, KafkaError.GROUP_ID_NOT_FOUND)
            left += [f"group {group}: {answer}"] if answer else []
        if self._made_topic:
            answer = self._remove(self.cluster.admin.delete_topics, self._topic, KafkaError.UNKNOWN_TOPIC_OR_PART)
            left += [f"topic {self._topic}: {answer}"] if answer else []
        self._made_topic = self._made_group = False
        taken = time.monotonic() - start
        if left:
            return StepResult(
                "clean", "clean up", "error", taken, f"could not remove: {'; '.join(left)}", exit_code=ExitCode.FOUND
            )
        return StepResult(
            "clean", "scratch topic and group removed" if self.order.topic is None else "group removed", "ok", taken
        )

    def _remove(self, delete: Callable[..., dict[str, object]], name: str, absent: int) -> str:
        """Why `name` could not be deleted; "" if it is gone."""
        try:
            answer = self.cluster.gather(delete([name], request_timeout=10.0), limit=10)[name]  # type: ignore[arg-type]
        except KafkactlError as error:
            return error.message
        return error_text(answer) if isinstance(answer, KafkaError) and answer.code() != absent else ""


# librdkafka asks three times in 0.3 s for a group's coordinator, and then leaves the request to its timeout: a cluster
# that takes longer to make __consumer_offsets would be waited for in vain. So each try is short.
_COMMIT_SECONDS = 2.0
_COORDINATOR_SOON = (
    KafkaError._TIMED_OUT,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)


def _trouble(topic: LiveTopic | None) -> str:
    if topic is None:
        return "does not exist"
    state, words = health(topic)
    return words if state == "error" else ""


def _percentiles(seconds: Mapping[tuple[int, int], float]) -> Mapping[str, float] | None:
    """p50, p95 and p99, without the first record of each partition, which waits for connections to be made."""
    steady = [taken for (_, number), taken in seconds.items() if number] or list(seconds.values())
    return {f"p{share}": percentile(steady, share / 100) for share in (50, 95, 99)} if steady else None
