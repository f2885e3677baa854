"""KD6: what only two samples of consumer groups show: who is stuck, keeps rebalancing or falls behind. Pure."""

from collections.abc import Iterator

from kafkactl.doctor.checks.consumers import (
    group_severities,
    judged,
    observation,
    offsets,
    or_partial,
    place,
    seen,
    waiting,
    worst_of,
)
from kafkactl.doctor.codes import Finding, NotApplicableError, check
from kafkactl.doctor.facts import Facts
from kafkactl.groups.advice import to_keep_up
from kafkactl.groups.model import Group
from kafkactl.groups.observation import Observation
from kafkactl.groups.reasons import of
from kafkactl.groups.speed import COMMIT_INTERVAL
from kafkactl.groups.verdict import PartitionVerdict, read_rate
from kafkactl.text.words import and_more


@check("KD604")
def stalled(facts: Facts) -> Iterator[Finding]:
    seconds = _sampled(facts)
    if seconds <= COMMIT_INTERVAL:
        raise NotApplicableError(
            f"a sample of {seconds:.0f} s is too short: a consumer may commit only every {COMMIT_INTERVAL:.0f} s"
        )
    yield from or_partial(facts, (_stalled(*found) for found in judged(facts, "STALLED")))


def _stalled(group: Group, partitions: list[PartitionVerdict]) -> Finding:
    worst = worst_of(partitions)
    committed, _, _ = offsets(group, worst)
    record = next(p.waiting for p in group.partitions if p.place == worst.place)
    owner = worst.owner
    return Finding(
        group.id,
        {
            "member": owner.client if owner else "A consumer",
            "places": and_more(map(place, partitions)),
            "seconds": f"{worst.still:.0f}",
            **waiting(partitions),
            "topic": worst.topic,
            "partition": worst.partition,
            "offset": record.offset if record and record.offset is not None else committed,
        },
        [*seen(group, partitions), ("owner", f"{owner.id} at {owner.host}" if owner else "not a member of the group")],
    )


def _sampled(facts: Facts) -> float:
    if not observation(facts).before:
        raise NotApplicableError("no sample taken")
    return observation(facts).seconds


@check("KD605")
def rebalance_loop(facts: Facts) -> Iterator[Finding]:
    seconds, observed = _sampled(facts), observation(facts)
    if not observed.tells_restlessness:
        raise NotApplicableError(f"a sample of {seconds:.0f} s is too short")
    yield from or_partial(facts, _rebalance_loop(observed))


def _rebalance_loop(observed: Observation) -> Iterator[Finding]:
    for name, looks in observed.unrest.items():
        if not observed.restless(name):
            continue
        begun = observed.rebalances.get(name, 0)
        group = observed.now.group(name)
        yield Finding(
            name,
            {"seconds": f"{observed.seconds:.0f}", "share": f"{looks} of {observed.looks}"},
            [
                ("seen", f"{begun} rebalances started during the sample"),
                ("seen", f"members now: {and_more(m.client for m in group.members) or 'none'}" if group else "gone"),
            ],
        )


@check("KD608")
def falling_behind(facts: Facts) -> Iterator[Finding]:
    _sampled(facts)
    yield from or_partial(facts, _falling_behind(facts))


def _falling_behind(facts: Facts) -> Iterator[Finding]:
    severities = group_severities(facts)
    for group, verdict in observation(facts).judged:
        partitions = of(verdict, "SLOW")
        if not partitions:
            continue
        yield Finding(
            group.id,
            {
                "places": and_more(map(place, partitions)),
                "rate_in": f"{sum(partition.rate_in or 0 for partition in partitions):,.0f}",
                "rate_out": f"{read_rate(verdict, partitions):,.0f}",
                **waiting(partitions),
            },
            seen(group, partitions),
            heal=to_keep_up(group, verdict),
            severity=severities.get(group.id),
        )
