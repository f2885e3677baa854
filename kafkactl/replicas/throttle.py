"""The throttle of a move: set on every broker, held for the replicas that are copied, and taken away at the end.

What was there before is written down before it is changed, so that any later run can put it back. Only what kafkactl
set is taken away: a value that somebody changed meanwhile is theirs.
"""

from collections.abc import Iterable, Sequence

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.throttles import (
    EVERY,
    LISTS,
    RATES,
    add_to_lists,
    await_rates,
    read_lists,
    read_rates,
    set_rates,
    take_from_lists,
)
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.placement.model import ReplicaMove
from kafkactl.replicas.saved_plan import SavedPlan

_LEADERS, _FOLLOWERS = LISTS


def set_throttle(kafka: Cluster, plan: SavedPlan, brokers: Iterable[int]) -> None:
    """Set the plan's rate on brokers that have not got it. Raises KafkactlError if one refuses: nothing is moved then.

    A rate that a broker had before is written down as such, once.
    """
    if plan.rate is None:
        return
    ours = str(plan.rate)
    wanted: dict[int, dict[str, str | None]] = {}
    for id, found in read_rates(kafka, brokers).items():
        if isinstance(found, str):
            raise UnreachableError(f"The throttle of broker {id} cannot be read: {found}.")
        for key in RATES:
            if found[key] == ours:
                continue
            earlier = plan.rates.get(id, {}).get(key)
            plan.rates.setdefault(id, {})[key] = (earlier[0] if earlier else found[key], ours)
            wanted.setdefault(id, {})[key] = ours
    if not wanted:
        return
    plan.keep()
    if failed := set_rates(kafka, wanted):
        id, why = next(iter(failed.items()))
        raise UnreachableError(f"The throttle could not be set on broker {id}: {why}.")
    await_rates(kafka, wanted)


def throttle_moves(kafka: Cluster, plan: SavedPlan, moves: Sequence[ReplicaMove]) -> None:
    """Have the throttle hold for what these moves copy. Raises KafkactlError if that is refused."""
    if plan.rate is None:
        return
    wanted: dict[str, dict[str, set[str]]] = {}
    for move in moves:
        if move.added:
            lists = wanted.setdefault(move.place.topic, {_LEADERS: set(), _FOLLOWERS: set()})
            lists[_LEADERS] |= {f"{move.place.partition}:{id}" for id in move.before}
            lists[_FOLLOWERS] |= {f"{move.place.partition}:{id}" for id in move.added}
    there = read_lists(kafka, sorted(wanted))
    new: dict[str, dict[str, list[str]]] = {}
    for topic, lists in wanted.items():
        for key, entries in lists.items():
            held = there.get(topic, {}).get(key) or frozenset()
            if more := sorted(() if EVERY in held else entries - held):
                new.setdefault(topic, {})[key] = more
                own = plan.lists.setdefault(topic, {}).setdefault(key, [])
                own += [entry for entry in more if entry not in own]
    if not new:
        return
    plan.keep()
    if failed := add_to_lists(kafka, new):
        topic, why = next(iter(failed.items()))
        raise KafkactlError(f"The throttle could not be set on {topic}: {why}.")


def free_moves(kafka: Cluster, plan: SavedPlan) -> list[str]:
    """Take the entries that kafkactl added off the topics' lists; what could not be taken away, in sentences."""
    if not plan.lists:
        return []
    failed = take_from_lists(kafka, plan.lists)
    plan.lists = {topic: keys for topic, keys in plan.lists.items() if topic in failed}
    plan.keep()
    return [f"{topic} still has replicas that are throttled: {why}" for topic, why in sorted(failed.items())]


def remove_throttle(kafka: Cluster, plan: SavedPlan, up: Iterable[int]) -> list[str]:
    """Put back what was there before kafkactl set its throttle, on the brokers that are up; what is left, in sentences.

    The plan keeps what is left, for the next run.
    """
    left = free_moves(kafka, plan)
    there = set(up)
    found = read_rates(kafka, [id for id in plan.rates if id in there])
    wanted: dict[int, dict[str, str | None]] = {}
    for id, now in found.items():
        if isinstance(now, str):
            left.append(f"broker {id} still has it: {now}")
            continue
        back = {key: was for key, (was, ours) in plan.rates[id].items() if now[key] == ours}
        if back:
            wanted[id] = back
        else:
            del plan.rates[id]  # somebody else changed it
    failed = set_rates(kafka, wanted)
    left += [f"broker {id} still has it: {why}" for id, why in sorted(failed.items())]
    for id in wanted.keys() - failed.keys():
        del plan.rates[id]
    await_rates(kafka, {id: rates for id, rates in wanted.items() if id not in failed})
    left += [f"broker {id} is down, and can only be changed through itself" for id in sorted(plan.rates.keys() - there)]
    if not plan.throttled and plan.over:
        plan.forget()
    else:
        plan.keep()
    return left
