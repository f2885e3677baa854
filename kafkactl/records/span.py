"""From where to where: offsets of partitions for what a user typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.offsets import NO_SUCH_TIME, ranges_of, read_time_offsets
from kafkactl.errors import KafkactlError, UsageError
from kafkactl.topics import Place

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
    """First and end offset of every partition, as they were when they were asked for.

    `silent` are those whose leader did not answer, or that have none: they are not among the others.
    """

    firsts: Mapping[Place, int]
    ends: Mapping[Place, int]
    silent: frozenset[Place] = frozenset()


def bounds(cluster: Cluster, places: Sequence[Place], *, uncommitted: bool) -> Bounds:
    """The bounds of these partitions; the end is the last stable offset unless `uncommitted`."""
    firsts: dict[Place, int] = {}
    ends: dict[Place, int] = {}
    for place, found in ranges_of(cluster, places, committed=not uncommitted).items():
        if found.first is not None and found.end is not None:
            firsts[place], ends[place] = found.first, found.end
    return Bounds(firsts, ends, frozenset(places) - frozenset(ends))


def at_time(cluster: Cluster, ends: Mapping[Place, int], milliseconds: int) -> dict[Place, int]:
    """The first offset of each partition whose record is at or after a time; its end where there is none.

    Raises KafkactlError where a leader does not answer.
    """
    found: dict[Place, int] = {}
    for place, offset in read_time_offsets(cluster, ends, milliseconds).items():
        if offset is None:
            raise KafkactlError(f"The leader of {name(place)} does not answer.", hint=HINT)
        found[place] = ends[place] if offset == NO_SUCH_TIME else min(offset, ends[place])
    return found


HINT = "See: kafkactl describe --unhealthy"


def name(place: Place) -> str:
    """A partition as people write it: payment.created[2]."""
    return f"{place[0]}[{place[1]}]"
