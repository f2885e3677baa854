"""Reassignments: which partitions are being given other replicas, and starting and cancelling them.

Kafka's controller keeps the list; librdkafka can neither read nor change it, so kafka-python does (library-facts §1).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.properties import new_client
from kafkactl.errors import ClientConfigError, KafkactlError, NotPermittedError, UnreachableError
from kafkactl.topics import Place

T = TypeVar("T")

_AT_ONCE = 500  # partitions in a request
_PAUSE = 0.3  # seconds between tries
_FOR_GOOD = ("Authentication", "Unsupported", "IncompatibleBroker")  # what no second try changes


class Moving(NamedTuple):
    """A partition whose replicas are being changed. `replicas` are all that it has for now."""

    replicas: tuple[int, ...]
    adding: tuple[int, ...]
    removing: tuple[int, ...]

    @property
    def after(self) -> tuple[int, ...]:
        """The replicas that it is to have."""
        return tuple(id for id in self.replicas if id not in self.removing)

    @property
    def before(self) -> tuple[int, ...]:
        """The replicas that it had."""
        return tuple(id for id in self.replicas if id not in self.adding)


class Reassignments:
    """The controller's list, over one connection while the context lasts. `patience` (seconds) rides out a restart.

    Each call raises UnreachableError where no broker answers for so long, NotPermittedError without the permission.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.patience = cluster.connection.timeout
        self._client: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def listed(self) -> dict[Place, Moving]:
        """Every partition that is being moved, whoever began it."""
        answer = self._ask(lambda client: client.list_partition_reassignments(), "Describe on the cluster")
        return {
            Place(at.topic, at.partition): Moving(
                tuple(moving["replicas"]), tuple(moving["adding_replicas"]), tuple(moving["removing_replicas"])
            )
            for at, moving in sorted(answer.items())
        }

    def start(self, wanted: Mapping[Place, Sequence[int]]) -> dict[Place, str]:
        """Give partitions these replicas; why not, for those that were refused."""
        return self._change({place: list(replicas) for place, replicas in wanted.items()})

    def cancel(self, places: Sequence[Place]) -> dict[Place, str]:
        """Go back to the replicas from before; why not, for those that were refused. One that is over is none."""
        return self._change(dict.fromkeys(places))

    def _change(self, wanted: Mapping[Place, Sequence[int] | None]) -> dict[Place, str]:
        from kafka import TopicPartition

        refused = {}
        entries = list(wanted.items())
        for at in range(0, len(entries), _AT_ONCE):
            request = {TopicPartition(*place): replicas for place, replicas in entries[at : at + _AT_ONCE]}
            answer = self._ask(partial(_alter, request), "Alter on the cluster")
            for place, error in answer.items():
                if error is not None and error.__name__ != "NoReassignmentInProgressError":
                    refused[Place(place.topic, place.partition)] = _words(error)
        return refused

    def _ask(self, question: Callable[[Any], T], needed: str) -> T:
        from kafka.errors import ClusterAuthorizationFailedError
        from kafka.errors import KafkaError as Refusal

        deadline = time.monotonic() + self.patience
        while True:
            try:
                if self._client is None:
                    self._client = new_client(self._cluster.connection)
                return question(self._client)
            except ClusterAuthorizationFailedError:
                raise NotPermittedError(f"No permission to move replicas (needs {needed}).") from None
            except ClientConfigError as error:
                raise UnreachableError(error.message, where=error.where, hint=error.hint) from None
            except (Refusal, ValueError, OSError, RuntimeError) as error:
                self._close()  # it may have asked a broker that is down, and would again
                name = type(error).__name__.removesuffix("Error")
                if time.monotonic() > deadline or any(word in name for word in _FOR_GOOD):
                    raise UnreachableError(
                        f"Kafka at {self._cluster.connection.address} did not answer about reassignments: {name}."
                    ) from None
            time.sleep(_PAUSE)

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _alter(request: Mapping[Any, Sequence[int] | None], client: Any) -> Any:
    return client.alter_partition_reassignments(request)


def _words(error: Any) -> str:
    return _REFUSALS.get(error.__name__) or f"Kafka refused it: {error.__name__.removesuffix('Error')}"


_REFUSALS = {
    "UnknownTopicOrPartitionError": "the topic no longer exists",
    "InvalidReplicationAssignmentError": "a broker of the new replicas is not there",
    "ClusterAuthorizationFailedError": "no permission (needs Alter on the cluster)",
}


def refused_all(refused: Mapping[Place, str]) -> KafkactlError:
    """One error for partitions that Kafka refused to move."""
    place, why = next(iter(refused.items()))
    more = f" and {len(refused) - 1:,} more" if len(refused) > 1 else ""
    return KafkactlError(f"{place}{more} could not be moved: {why}.")
