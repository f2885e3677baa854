"""From where to where: offsets of partitions for what a user typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError
from confluent_kafka import TopicPartition as TP
from confluent_kafka.admin import OffsetSpec

from kafkactl.cluster.client import Cluster
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.records.consume import Place

_AGO = re.compile(r"(\d+)(ms|s|m|h|d)")
_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def moment(text: str, now: datetime) -> int:
    """Milliseconds since 1970 from `15m` (ago), `2026-11-22T10:00[:00][Z|+08:00]`, or such milliseconds.

    A time without a zone is in the zone of `now`. Raises UsageError.
    """
    if match := _AGO.fullmatch(text):
        return int(now.timestamp() * 1000) - int(match[1]) * _MS[match[2]]
    if text.isdigit() and len(text) >= 11:
        return int(text)
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time.", hint="Write 15m, 2h, 2026-11-22T10:00, 2026-11-22T10:00Z or …+08:00."
        ) from None
    return int((given if given.tzinfo else given.replace(tzinfo=now.tzinfo)).timestamp() * 1000)


@dataclass(frozen=True)
class Bounds:
    """First and end offset of every partition, as they were when they were asked for."""

    firsts: Mapping[Place, int]
    ends: Mapping[Place, int]


def bounds(cluster: Cluster, places: Sequence[Place], *, uncommitted: bool) -> Bounds:
    """The bounds of these partitions; the end is the last stable offset unless `uncommitted`.

    Raises KafkactlError where a partition's leader does not answer.
    """
    isolation = IsolationLevel.READ_UNCOMMITTED if uncommitted else IsolationLevel.READ_COMMITTED
    first = _ask(cluster, dict.fromkeys(places, OffsetSpec.earliest()), isolation)
    end = _ask(cluster, dict.fromkeys(places, OffsetSpec.latest()), isolation)
    return Bounds(first, end)


def at_time(cluster: Cluster, ends: Mapping[Place, int], milliseconds: int) -> dict[Place, int]:
    """The first offset of each partition whose record is at or after a time; its end where there is none."""
    spec = OffsetSpec.for_timestamp(milliseconds)
    found = _ask(cluster, dict.fromkeys(ends, spec), IsolationLevel.READ_UNCOMMITTED, none=-1)
    return {place: ends[place] if offset < 0 else offset for place, offset in found.items()}


def committed(cluster: Cluster, group: str, places: Sequence[Place]) -> dict[Place, int]:
    """What a group has committed in these partitions. Only looked at: nothing joins and nothing is committed."""
    request = ConsumerGroupTopicPartitions(group, [TP(*place) for place in places])
    answer = cluster.wait(cluster.admin.list_consumer_group_offsets([request])[group])
    return {(tp.topic, tp.partition): tp.offset for tp in answer.topic_partitions if tp.offset >= 0}


_AT_ONCE = 2000  # librdkafka merges the answers pairwise


def _ask(
    cluster: Cluster, specs: Mapping[Place, OffsetSpec], isolation: IsolationLevel, none: int | None = None
) -> dict[Place, int]:
    places = list(specs)
    answers: dict[TP, object] = {}
    for start in range(0, len(places), _AT_ONCE):
        chunk = {TP(*place): specs[place] for place in places[start : start + _AT_ONCE]}
        answers |= cluster.gather(cluster.admin.list_offsets(chunk, isolation_level=isolation, request_timeout=10))
    found: dict[Place, int] = {}
    for tp, answer in answers.items():
        offset = getattr(answer, "offset", None)
        if isinstance(answer, KafkaError) or offset is None or (offset < 0 and offset != none):
            raise KafkactlError(
                f"{tp.topic}[{tp.partition}] has no leader that answers.", hint="See: kafkactl describe --unhealthy"
            )
        found[tp.topic, tp.partition] = offset
    return found
