"""KD5: replicas that are being moved, throttles that were left, internal topics with too few replicas. Pure."""

from collections.abc import Iterator

from kafkactl.doctor.codes import Finding, NotApplicableError, check
from kafkactl.doctor.facts import ClusterFacts, Facts
from kafkactl.text.remedies import Advice, kafkactl
from kafkactl.text.words import and_more, many, size
from kafkactl.topics import OFFSETS_TOPIC, TRANSACTIONS_TOPIC

_ELSEWHERE = Advice(
    f"type `{kafkactl('replicas move').text}` where the move was begun, or kafka-reassign-partitions --verify with its "
    "file: they remove it"
)
_LONG_SECONDS = 10.0  # between two looks: a slow throttle lets a batch through only every few seconds


def _cluster(facts: Facts) -> ClusterFacts:
    if facts.cluster is None:
        raise NotApplicableError("no cluster was reached")
    return facts.cluster


@check("KD515")
def throttle_left(facts: Facts) -> Iterator[Finding]:
    left = _cluster(facts).left_throttle
    if left is not None:
        ids = and_more(left.brokers)
        who = f"{'Broker' if len(left.brokers) == 1 else 'Brokers'} {ids}" if left.brokers else and_more(left.topics)
        are = "is" if len(left.brokers or left.topics) == 1 else "are"
        down = [str(id) for id in left.brokers if id not in {broker.id for broker in _cluster(facts).brokers}]
        seen = [("seen", f"down, and can only be changed through itself: {and_more(down)}")] if down else []
        values = {"who": who, "are": are, "rate": f"{size(left.rate)}/s"}
        whose = " by a move of kafkactl's" if left.ours else ""
        yield Finding("throttle", {**values, "whose": whose}, seen, None if left.ours else [_ELSEWHERE])


@check("KD516")
def move_stands_still(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    there = {broker.id for broker in cluster.brokers}
    for move in cluster.moves:
        gone = [id for id in move.to if id not in there]
        still = cluster.sampled >= _LONG_SECONDS and move.grown == 0 and (move.copied or 0) < (move.whole or 0)
        if not gone and not still:
            continue
        why = f"broker {and_more(gone)} is down" if gone else f"nothing was copied in {cluster.sampled:.0f} s"
        yield Finding(str(move.place), {"to": and_more(move.to) or "other brokers", "why": why})


@check("KD517")
def internal_replication(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    declared = max((topic.replication or 0 for topic in facts.declared or ()), default=0)
    wanted = min(declared, len(cluster.brokers))
    for name, what in ((OFFSETS_TOPIC, "consumer group"), (TRANSACTIONS_TOPIC, "transaction")):
        topic = cluster.topic(name)
        fewest = min((len(partition.replicas) for partition in topic.partitions), default=0) if topic else 0
        if 0 < fewest < wanted:
            values = {"actual": many(fewest, "replica"), "wanted": wanted, "declared": declared, "what": what}
            yield Finding(name, values)
