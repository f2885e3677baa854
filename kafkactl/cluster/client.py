"""The admin client: how it is made, how its answers are awaited, and how an unreachable cluster is detected.

librdkafka keeps a request for its whole timeout when the cluster is gone. Its error events come within
milliseconds, so every wait here listens to them, confirms what they say and gives up at once (design §3).
"""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kafkactl import process
from kafkactl.cluster.kafka_errors import failure, silence, wrong_configuration
from kafkactl.cluster.outage import Link, Patience, diagnose_outage, refused_login
from kafkactl.cluster.properties import client_properties
from kafkactl.cluster.refusals import cannot_log_in
from kafkactl.connection import Connection
from kafkactl.errors import RefusedError, UnreachableError, WaitExpiredError
from kafkactl.text.remedies import kafkactl

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# How long a broker may take for a request that changes something, in seconds, while it shows signs of life.
WORK_LIMIT = 60.0
_SLICE = 0.02
_LOST = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN)


@dataclass(frozen=True)
class Broker:
    """A broker as the cluster advertises it."""

    id: int
    host: str
    port: int
    rack: str | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class ClusterInfo:
    """Who answers. In KRaft `controller` is whichever broker forwards to it (KAFKA-17404), not the active one.

    `operations` are those this user may do on the cluster, in Kafka's words; none where that is not known, and a user
    who may not DESCRIBE the cluster is told of none at all.
    """

    id: str
    controller: int | None
    brokers: tuple[Broker, ...]
    operations: frozenset[str] = frozenset()

    @property
    def addresses(self) -> list[str]:
        """The brokers' advertised addresses."""
        return [broker.address for broker in self.brokers]


class Cluster:
    """One connected cluster. Every request goes through `gather`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.dialled()
        heard: list[Any] = []
        self.admin = AdminClient(_configuration(connection, heard))
        self.link = Link(connection, self.admin, heard)
        self.info = ClusterInfo("", None, ())

    def gather(self, futures: Mapping[K, "Future[Any]"], *, limit: float = WORK_LIMIT) -> dict[K, Any]:
        """Every future's result, or the KafkaError it ended with, by the same keys.

        Raises UnreachableError as soon as the cluster is known to be gone: refused everywhere, or silent for the
        connection's timeout. `limit` (seconds) bounds a wait for a cluster that is alive but slow; what has not
        answered by then is a _TIMED_OUT error.
        """
        patience = Patience(self.link, limit)
        began = time.monotonic()
        try:
            answers = {key: self._result(future, patience, began) for key, future in futures.items()}
        finally:
            self.connection.waited(0)
        if self.connection.verbose:
            self.admin.poll(0)  # only polling lets the client's log out
        if any(isinstance(answer, KafkaError) and answer.code() in _LOST for answer in answers.values()):
            self._raise_if_gone()
        return answers

    def wait(self, future: "Future[Any]", *, limit: float = WORK_LIMIT) -> Any:
        """One future's result. Raises KafkactlError where it ended with an error."""
        result = self.gather({0: future}, limit=limit)[0]
        if isinstance(result, KafkaError):
            raise failure(result)
        return result

    def _result(self, future: "Future[Any]", patience: "Patience", began: float) -> Any:
        while True:
            try:
                return future.result(timeout=0 if patience.over else _SLICE)
            except FutureTimeout:
                self.connection.waited(time.monotonic() - began)
                if future.done() or not patience.check():
                    return KafkaError(KafkaError._TIMED_OUT)
            except KafkaException as error:
                return error.args[0]
            except CancelledError:
                return KafkaError(KafkaError._DESTROY)

    def _raise_if_gone(self) -> None:
        """Raise UnreachableError if a missing answer means that the whole cluster is gone."""
        error = diagnose_outage(self.link, patient=False)
        if error:
            raise error

    def start(self, function: Callable[..., V], *arguments: Any, **options: Any) -> "Future[V]":
        """Run a blocking call as a future, so that it is awaited like any other while the cluster is watched."""
        future: Future[V] = Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments, **options))
            except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
                future.set_exception(error)

        # A daemon thread, so that a hanging call does not keep the process alive.
        threading.Thread(target=run, daemon=True).start()
        return future

    def call(self, function: Callable[..., V], *arguments: Any, **options: Any) -> V:
        """The result of one of librdkafka's blocking calls."""
        return cast("V", self.wait(self.start(function, *arguments, **options)))


def _configuration(connection: Connection, heard: list[Any]) -> dict[str, Any]:
    setup = max(1000, int(connection.timeout * 600))  # librdkafka takes no less than a second
    return {
        "socket.connection.setup.timeout.ms": setup,
        "client.id": "kafkactl",
        **client_properties(connection),
        "error_cb": heard.append,
    }


def unconnected(connection: Connection) -> Cluster:
    """A cluster to which no request was sent yet.

    Raises UsageError for an invalid property, RefusedError for a login without what it takes.
    """
    if refusal := cannot_log_in(connection.properties):
        raise RefusedError(refusal, connection.source)
    try:
        return Cluster(connection)
    except KafkaException as error:
        raise wrong_configuration(error, connection) from None


def connect(connection: Connection) -> Cluster:
    """A cluster that has answered. Raises UnreachableError if it does not, UsageError for an invalid property."""
    cluster = unconnected(connection)
    described = cluster.wait(
        cluster.admin.describe_cluster(include_authorized_operations=True, request_timeout=WORK_LIMIT)
    )
    cluster.info = ClusterInfo(
        id=described.cluster_id,
        controller=described.controller.id if described.controller else None,
        brokers=tuple(
            sorted((Broker(n.id, n.host, n.port, n.rack or None) for n in described.nodes), key=lambda b: b.id)
        ),
        operations=frozenset(operation.name for operation in described.authorized_operations or ()),
    )
    return cluster


def wait_for(
    connection: Connection, seconds: float, brokers: int = 1, waiting: Callable[[str], None] = lambda _: None
) -> Cluster:
    """Like `connect`, but retries for so many seconds, until at least `brokers` brokers are up.

    For commands that start together with their broker. `waiting` receives each new reason to wait. Raises
    WaitExpiredError with the last reason, RefusedError at once.
    """
    told = ""
    if seconds <= 0:
        return connect(connection)
    deadline = time.monotonic() + seconds
    while True:
        try:
            cluster = connect(connection)
            have = len(cluster.info.brokers)
            if have >= brokers:
                return cluster
            reason = f"{have} of {brokers} brokers are up"
        except RefusedError:
            raise
        except UnreachableError as error:
            reason = error.message.rstrip(".")
        if reason != told:
            waiting(reason)
            told = reason
        if time.monotonic() >= deadline:
            raise WaitExpiredError(
                f"Waited {seconds:g} s for Kafka: {reason}.",
                where=connection.source,
                hint=kafkactl("doctor", note="Wait longer with --wait, or find out what is wrong"),
            )
        process.collect_garbage()
        time.sleep(min(0.2, max(0.0, deadline - time.monotonic())))


def bootstrapped(connection: Connection) -> Cluster:
    """A cluster of which only the list of brokers was read; neither controller nor brokers were asked.

    Raises UnreachableError if the bootstrap does not serve this client, UsageError for an invalid property.
    """
    cluster = unconnected(connection)
    metadata = _metadata(cluster)
    brokers = sorted((Broker(b.id, b.host, b.port) for b in metadata.brokers.values()), key=lambda broker: broker.id)
    cluster.info = ClusterInfo(metadata.cluster_id, metadata.controller_id, tuple(brokers))
    return cluster


def _metadata(cluster: Cluster) -> Any:
    # gather() would judge the advertised addresses as well, and librdkafka's own wait hides why it is refused.
    future = cluster.start(cluster.admin.list_topics, timeout=cluster.connection.timeout)
    seen = 0
    while not future.done():
        events = cluster.link.events()
        for event in events[seen:]:
            if error := refused_login(cluster.link, event):
                raise error
        seen = len(events)
        time.sleep(0.005)
    try:
        return future.result()
    except KafkaException:
        raise diagnose_outage(cluster.link, patient=False) or silence(cluster.connection) from None
