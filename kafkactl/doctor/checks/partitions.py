"""KD4 and KD5: the cluster's brokers, partitions and settings, and what topics.yaml declares. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from kafkactl.doctor.checks.container_remedies import together, with_settings
from kafkactl.doctor.codes import Finding, NotApplicableError, check
from kafkactl.doctor.facts import ClusterFacts, Facts, PartitionFacts, TopicFacts
from kafkactl.text.remedies import Advice, Remedy, kafkactl
from kafkactl.text.units import is_number
from kafkactl.text.words import and_more, many, up_to
from kafkactl.topics import Place, is_internal

_HOUR = 3_600_000  # ms
_DEAD_LETTERS = ("dlq", "dlt", "dead-letter", "dead_letter", "deadletter")


def _cluster(facts: Facts) -> ClusterFacts:
    if facts.cluster is None:
        raise NotApplicableError("no cluster was reached")
    return facts.cluster


def _partitions(facts: Facts) -> Iterator[tuple[TopicFacts, PartitionFacts]]:
    for topic in _cluster(facts).topics:
        for partition in topic.partitions:
            yield topic, partition


@check("KD403")
def no_quorum(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    if cluster.quorum_leader is None:
        raise NotApplicableError("the quorum could not be read")
    if cluster.quorum_leader < 0:
        voters = next((b.settings[_VOTERS] for b in cluster.brokers if b.settings.get(_VOTERS)), "")
        gone = [f"broker {b.id} at {b.dial.address}: {b.dial.why}" for b in cluster.brokers if not b.dial.is_kafka]
        gone += [f"broker {id} is missing" for id in sorted(_missing_brokers(facts))]
        seen = ["DescribeQuorum: no leader", *([f"{_VOTERS}={voters}"] if voters else []), *gone]
        yield Finding("controllers", {}, [("seen", line) for line in seen])


_VOTERS = "controller.quorum.voters"


def _missing_brokers(facts: Facts) -> dict[int, list[str]]:
    """The brokers that hold replicas but are missing, with the partitions they hold a replica of."""
    there = {broker.id for broker in _cluster(facts).brokers}
    missing: dict[int, list[str]] = defaultdict(list)
    for topic, partition in _partitions(facts):
        for replica in partition.replicas:
            if replica not in there:
                missing[replica].append(str(Place(topic.name, partition.id)))
    return missing


@check("KD501")
def broker_missing(facts: Facts) -> Iterator[Finding]:
    there = sorted(broker.id for broker in _cluster(facts).brokers)
    for broker, places in sorted(_missing_brokers(facts).items()):
        have = "has a replica" if len(places) == 1 else "have a replica"
        seen = f"the cluster lists brokers {_ids(there)}; replicas on {broker}: {and_more(places)}"
        yield Finding(str(broker), {"partitions": many(len(places), "partition") + f" {have}"}, [("seen", seen)])


@check("KD502")
def offline(facts: Facts) -> Iterator[Finding]:
    for topic, partition in _partitions(facts):
        if partition.leader is None:
            seen = f"no leader; replicas {_ids(partition.replicas)}, in sync {_ids(partition.isr)}"
            yield Finding(
                str(Place(topic.name, partition.id)), {"replicas": _ids(partition.replicas)}, [("seen", seen)]
            )


def _ids(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids)) or "none"


@check("KD503")
def under_replicated(facts: Facts) -> Iterator[Finding]:
    for topic, partition in _partitions(facts):
        behind = set(partition.replicas) - set(partition.isr) - _coming(facts, topic, partition)
        if behind and partition.leader is not None and not _refuses(facts, topic, partition):
            yield Finding(
                str(Place(topic.name, partition.id)),
                {"isr": len(partition.isr), "replicas": len(partition.replicas)},
                [("seen", f"replicas {_ids(partition.replicas)}, in sync {_ids(partition.isr)}")],
            )


def _min_isr(topic: TopicFacts) -> int:
    text = topic.config.get("min.insync.replicas", "")
    return int(text) if is_number(text) else 1


def _refuses(facts: Facts, topic: TopicFacts, partition: PartitionFacts) -> bool:
    coming = _coming(facts, topic, partition) - set(partition.isr)
    return len(partition.isr) < min(_min_isr(topic), len(set(partition.replicas) - coming))


def _coming(facts: Facts, topic: TopicFacts, partition: PartitionFacts) -> set[int]:
    """The brokers that are just being given a replica: until they have it, nobody counts on it."""
    moves = _cluster(facts).moves
    return {id for move in moves if move.place == Place(topic.name, partition.id) for id in move.to} if moves else set()


@check("KD504")
def under_min_isr(facts: Facts) -> Iterator[Finding]:
    for topic, partition in _partitions(facts):
        if partition.leader is not None and _refuses(facts, topic, partition):
            away = [replica for replica in partition.replicas if replica not in partition.isr]
            yield Finding(
                str(Place(topic.name, partition.id)),
                {"in_sync": many(len(partition.isr), "replica"), "min_isr": _min_isr(topic), "away": _ids(away)},
                [("seen", f"replicas {_ids(partition.replicas)}, in sync {_ids(partition.isr)}")],
            )


@check("KD505")
def min_isr_over_replication(facts: Facts) -> Iterator[Finding]:
    for topic in _cluster(facts).topics:
        replicas = min((len(partition.replicas) for partition in topic.partitions), default=0)
        if not is_internal(topic.name) and 0 < replicas < _min_isr(topic):
            yield Finding(
                topic.name,
                {"replicas": many(replicas, "replica"), "replicas_number": replicas, "min_isr": _min_isr(topic)},
            )


# An internal topic, and the broker setting that says how many replicas it gets.
_INTERNAL = {
    "__consumer_offsets": "offsets.topic.replication.factor",
    "__transaction_state": "transaction.state.log.replication.factor",
}


@check("KD506")
def internal_topic_impossible(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    for topic, setting in _INTERNAL.items():
        wanted = max((int(b.settings[setting]) for b in cluster.brokers if setting in b.settings), default=0)
        if wanted > len(cluster.brokers) and cluster.topic(topic) is None:
            yield Finding(
                topic,
                {
                    "setting": setting,
                    "wanted": wanted,
                    "brokers": len(cluster.brokers),
                    "are": "is 1 broker" if len(cluster.brokers) == 1 else f"are {len(cluster.brokers)} brokers",
                },
                [("seen", f"{many(len(cluster.brokers), 'broker')}; {topic} does not exist")],
                _in_containers(facts, {setting: str(len(cluster.brokers))}),
                severity="error" if topic == "__consumer_offsets" else "warning",
            )


@check("KD507")
def auto_create(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    on = [b.id for b in cluster.brokers if b.settings.get("auto.create.topics.enable") == "true"]
    if on:
        accidents = [t.name for t in cluster.topics if _looks_like_an_accident(t, facts)]
        suspects = f" Possibly created that way: {and_more(accidents)}." if accidents else ""
        heal = _in_containers(facts, {"auto.create.topics.enable": "false"})
        yield Finding("cluster", {"suspects": suspects}, [("seen", f"enabled on broker {_ids(on)}")], heal)


def _in_containers(facts: Facts, values: Mapping[str, str]) -> list[Remedy] | None:
    """Broker settings in the compose file of the brokers' stack; None where the brokers are in no container here."""
    brokers = facts.stack.of_role("broker") if facts.stack else ()
    named = {name.upper().replace(".", "_"): value for name, value in values.items()}
    return together([with_settings(facts, broker, named) for broker in brokers]) or None


def _looks_like_an_accident(topic: TopicFacts, facts: Facts) -> bool:
    from kafkactl.text.suggest import closest

    if is_internal(topic.name) or topic.span or len(topic.partitions) > 1 or facts.declared is None:
        return False
    declared = {entry.name for entry in facts.declared}
    return topic.name not in declared and closest(topic.name, declared, 0.85) is not None


@check("KD508")
def size_chain(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    setting = "replica.fetch.max.bytes"
    smallest = min((int(b.settings[setting]) for b in cluster.brokers if setting in b.settings), default=None)
    if smallest is None:
        raise NotApplicableError("no broker reported its settings")
    for topic in cluster.topics:
        most = topic.config.get("max.message.bytes", "")
        # 12 bytes are Kafka's own allowance: the defaults are 1 MiB and 1 MiB and 12.
        if is_number(most) and int(most) > smallest + 12 and any(len(p.replicas) > 1 for p in topic.partitions):
            yield Finding(topic.name, {"topic_bytes": most, "setting": setting, "other_bytes": smallest})


@check("KD509")
def future_timestamp(facts: Facts) -> Iterator[Finding]:
    for topic, partition in _partitions(facts):
        if partition.newest is not None and partition.newest > facts.taken + _HOUR:
            ahead = partition.newest - facts.taken
            days = ahead // (24 * _HOUR)
            since = datetime.fromtimestamp((facts.taken + _HOUR) / 1000, UTC)
            yield Finding(
                str(Place(topic.name, partition.id)),
                {
                    "topic": topic.name,
                    "partition": partition.id,
                    "ahead": many(days, "day") if days else many(ahead // _HOUR, "hour"),
                    "since": f"{since:%Y-%m-%dT%H:%MZ}",
                },
                [("seen", f"its latest timestamp is {partition.newest} ms")],
            )


_HOT = 3  # times the mean of the topic's other partitions
_ENOUGH = 100  # records in a sample before anything is reported


@check("KD510")
def hot_partition(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    for topic in cluster.topics:
        grown = {partition.id: partition.grown or 0 for partition in topic.partitions}
        total = sum(grown.values())
        hottest = max(grown, key=lambda id: grown[id], default=None)
        if hottest is None or total < _ENOUGH or len(grown) < 2 or is_internal(topic.name):
            continue
        others = (total - grown[hottest]) / (len(grown) - 1)
        if grown[hottest] > _HOT * others:
            yield Finding(
                f"{topic.name}[{hottest}]",
                {
                    "topic": topic.name,
                    "partition": hottest,
                    "share": 100 * grown[hottest] // total,
                    "rate": f"{grown[hottest] / cluster.sampled:,.0f}",
                    "mean": f"{others / cluster.sampled:,.0f}",
                },
                [("seen", f"{many(grown[hottest], 'record')} of {total:,} in {cluster.sampled:g} s")],
            )


@check("KD511")
def leader_skew(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    if len(cluster.brokers) < 2:
        raise NotApplicableError("only one broker")
    led = [(t, p) for t, p in _partitions(facts) if p.leader is not None]
    elsewhere = [p for _, p in led if p.leader != p.replicas[0] and p.replicas[0] in p.isr]
    if elsewhere:
        busiest, most = Counter(p.leader for _, p in led).most_common(1)[0]
        are = "is" if len(elsewhere) == 1 else "are"
        values = {"count": many(len(elsewhere), "partition"), "are": are, "busiest": busiest, "most": most}
        yield Finding("cluster", {**values, "all": len(led)})


@check("KD512")
def dead_letters(facts: Facts) -> Iterator[Finding]:
    for topic in _cluster(facts).topics:
        words = topic.name.casefold()
        known = topic.letters
        if known is None:
            if topic.span and not is_internal(topic.name) and any(word in words for word in _DEAD_LETTERS):
                yield Finding(topic.name, {"records": up_to(topic.span), "more": ""})
        elif known.pending != 0:
            latest = " with ".join(filter(None, (f"from {known.source}" if known.source else "", known.error)))
            more = f"; the latest is {latest}" if latest else ""
            records = f"{up_to(topic.span if known.pending is None else known.pending)}"
            seen = [("seen", f"which of them were replayed is not known: {known.missing}")] if known.missing else []
            yield Finding(topic.name, {"records": records, "more": more}, seen)


@check("KD513")
def topic_missing(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    there = {topic.name for topic in cluster.topics} | set(cluster.denied)
    missing = [topic.name for topic in facts.declared or () if topic.name not in there]
    if missing:
        values = {
            "list": many(len(missing), "topic"),
            "do": "does" if len(missing) == 1 else "do",
            "names": and_more(missing),
        }
        heal: list[Remedy] | None = None
        if cluster.may_create is False:
            user = facts.principal or "this user"
            what = Advice(f"have Create on {and_more(missing)}, or on the cluster, granted to {user}, then")
            heal = [what, kafkactl("init-topics", note="creates them")]
        yield Finding(missing[0] if len(missing) == 1 else f"{len(missing)} topics", values, heal=heal, blocks=False)


@check("KD514")
def topic_drift(facts: Facts) -> Iterator[Finding]:
    cluster = _cluster(facts)
    for declared in facts.declared or ():
        topic = cluster.topic(declared.name)
        if topic is None:
            continue
        have = len(topic.partitions)
        if declared.partitions is not None and have != declared.partitions:
            fewer = Advice(f"partitions cannot be removed: declare {have}, or recreate the topic")
            note = "adds them; keys will then map to different partitions"
            more = kafkactl("init-topics", options=["--allow", "partitions"], note=note)
            heal = [_DIFF, more if have < declared.partitions else fewer]
            yield Finding(topic.name, {"actual": many(have, "partition"), "declared": declared.partitions}, heal=heal)
        sizes = [len(partition.replicas) for partition in topic.partitions] or [0]
        fewest, most = min(sizes), max(sizes)
        if declared.replication is not None and (fewest, most) != (declared.replication, declared.replication):
            note = f"moves replicas; or declare replication: {fewest}"
            moved = kafkactl("init-topics", options=["--allow", "replication"], note=note)
            more_brokers = Advice(f"declare replication: {fewest}, or add brokers: there are {len(cluster.brokers)}")
            heal = [_DIFF, moved if declared.replication <= len(cluster.brokers) else more_brokers]
            actual = many(fewest, "replica") if fewest == most else f"{fewest} to {most} replicas"
            yield Finding(topic.name, {"actual": actual, "declared": declared.replication}, heal=heal)


_DIFF = kafkactl("diff", note="shows everything that differs")
