"""Facts about replicas that are being moved, and about what is left of a throttle that kafkactl set from here."""

from collections.abc import Iterable, Sequence

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.metadata import BrokerSettings
from kafkactl.cluster.reassignments import Reassignments
from kafkactl.cluster.storage import Storage, read_replica_sizes
from kafkactl.cluster.throttles import RATES, read_rates
from kafkactl.doctor.facts import LeftThrottle, MoveFacts
from kafkactl.errors import KafkactlError
from kafkactl.placement.model import ReplicaMove
from kafkactl.replicas.progress import copied
from kafkactl.replicas.saved_plan import moves_right_now, saved_plan
from kafkactl.text.units import is_number

_NO_LIMIT = 2**62  # Kafka's default is the largest of its numbers


def read_move_facts(kafka: Cluster, storage: Storage) -> tuple[MoveFacts, ...]:
    """The partitions that are being moved; none where nobody tells."""
    if not storage.moving:
        return ()
    try:
        with Reassignments(kafka) as reassignments:
            moving = reassignments.listed()
    except KafkactlError:
        return tuple(MoveFacts(place.topic, place.partition) for place in sorted(storage.moving))
    sizes = read_replica_sizes(kafka)
    found = []
    for place, move in moving.items():
        have, want = copied(ReplicaMove(place, move.before, move.after), sizes.of)
        known = not sizes.missing
        found.append(
            MoveFacts(place.topic, place.partition, move.adding, have if known else None, want if known else None)
        )
    return tuple(found)


def with_second_look(kafka: Cluster, moves: Iterable[MoveFacts]) -> tuple[MoveFacts, ...]:
    """The same moves, with what was copied since; not known of those that have ended."""
    with Reassignments(kafka) as reassignments:
        moving = reassignments.listed()
    sizes = read_replica_sizes(kafka)
    found = []
    for move in moves:
        now = moving.get(move.place)
        if now is None:
            found.append(move)
            continue
        have, _ = copied(ReplicaMove(move.place, now.before, now.after), sizes.of)
        grown = None if sizes.missing or move.copied is None else have - move.copied
        found.append(MoveFacts(move.topic, move.partition, move.to, move.copied, move.whole, grown))
    return tuple(found)


def read_left_throttle(kafka: Cluster, storage: Storage, settings: Iterable[BrokerSettings]) -> LeftThrottle | None:
    """What is left of a throttle that a move set and that is not needed now; None for nothing."""
    if storage.moving or "moves" in storage.missing or moves_right_now(kafka.info.id):
        return None
    try:
        saved = saved_plan(kafka.info.id)
    except KafkactlError:
        saved = None
    told = [entry for entry in settings if entry.settings]
    if saved is None or not saved.throttled or saved.rate is None:
        return _of_others(told)
    rates = read_rates(kafka, [entry.broker.id for entry in told if entry.broker.id in saved.rates])
    gone = {
        id
        for id, found in rates.items()
        if not isinstance(found, str) and all(found[key] != ours for key, (_, ours) in saved.rates[id].items())
    }
    left = tuple(sorted(saved.rates.keys() - gone))
    return LeftThrottle(left, tuple(sorted(saved.lists)), saved.rate) if left or saved.lists else None


def _of_others(told: Sequence[BrokerSettings]) -> LeftThrottle | None:
    """Where every broker has the same rate in and out, a move set it: kafkactl's from elsewhere, or another tool's."""
    found = {entry.text(key) for entry in told for key in RATES}
    rate = next(iter(found), "")
    if len(found) != 1 or not is_number(rate) or int(rate) >= _NO_LIMIT:
        return None
    return LeftThrottle(tuple(entry.broker.id for entry in told), (), int(rate), ours=False)
