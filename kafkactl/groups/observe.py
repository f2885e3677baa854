"""Groups over some time: two samples, and how restless they were in between."""

import time
from collections.abc import Callable

from confluent_kafka import ConsumerGroupState, ConsumerGroupType

from kafkactl.cluster.client import Cluster, connect
from kafkactl.groups.facts import Scope, read_groups
from kafkactl.groups.observation import Observation, unrest
from kafkactl.groups.waiting import with_waiting

_LOOK = 0.5  # seconds between two looks at the states of all groups


def observe(
    cluster: Cluster,
    seconds: float = 0.0,
    pause: Callable[[float], None] = time.sleep,
    *,
    scope: Scope | None = None,
    times: bool = False,
) -> Observation:
    """The groups; with `seconds` also how they were so long before.

    Where offsets wait and nothing moves, the record that waits is looked for; with `times` wherever offsets wait, for
    its time. Raises KafkactlError where Kafka answers
    nothing at all; who does not answer otherwise is named in the samples' `missing`.
    """
    if seconds <= 0:
        return Observation(with_waiting(cluster, read_groups(cluster, scope, committed=True), times=times))
    before = read_groups(cluster, scope, committed=True)
    looks = _look(cluster, seconds, pause)
    # With a client of its own: brokers may have been restarted in between (librdkafka#4605).
    now = read_groups(connect(cluster.connection), scope, committed=True)
    seen, begun = unrest(looks)
    return Observation(with_waiting(cluster, now, before, times=times), before, len(looks), seen, begun)


def _look(cluster: Cluster, seconds: float, pause: Callable[[float], None]) -> list[frozenset[str]]:
    """The groups that were rebalancing, in each look of those seconds. A look is one small request a broker."""
    until = time.monotonic() + seconds
    looks = []
    while (left := until - time.monotonic()) > 0:
        pause(min(_LOOK, left))
        listing = cluster.wait(cluster.admin.list_consumer_groups(request_timeout=cluster.connection.timeout))
        looks.append(frozenset(group.group_id for group in listing.valid if _restless(group.state, group.type)))
    return looks


def _restless(state: ConsumerGroupState, kind: ConsumerGroupType) -> bool:
    if state == ConsumerGroupState.UNKNOWN:  # Assigning and Reconciling of KIP-848
        return bool(kind == ConsumerGroupType.CONSUMER)
    return state in (ConsumerGroupState.PREPARING_REBALANCING, ConsumerGroupState.COMPLETING_REBALANCING)
