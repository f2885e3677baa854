"""Facts from Kafka: metadata, settings, offsets, disks, groups. What cannot be read is recorded as missing."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kafkactl.catalog.model import Catalog
from kafkactl.cluster.client import Cluster, bootstrapped, connect
from kafkactl.cluster.identity import identity
from kafkactl.cluster.metadata import BrokerSettings, Topics, mode, read_brokers, read_topics
from kafkactl.cluster.offsets import Range, ranges_of, read_newest, read_time_offsets
from kafkactl.cluster.outage import AdvertisedNowhereError
from kafkactl.cluster.permissions import may_create
from kafkactl.cluster.storage import NO_ANSWER, Storage, ask_storage, read_storage
from kafkactl.connection import DEFAULT_BROKERS, Connection
from kafkactl.doctor.collect_letters import read_letter_facts
from kafkactl.doctor.collect_moves import read_left_throttle, read_move_facts, with_second_look
from kafkactl.doctor.dialling import dial_all
from kafkactl.doctor.facts import BrokerFacts, ClusterFacts, DeclaredTopic, Dial, Facts, PartitionFacts, TopicFacts
from kafkactl.errors import ClientConfigError, ClientRefusal, KafkactlError, RefusedError, UnreachableError
from kafkactl.groups.observation import Observation
from kafkactl.groups.report import thresholds
from kafkactl.groups.sampling import observe
from kafkactl.settings import Target
from kafkactl.topics import SOME_TOPICS, LiveTopic, Place

_DAY = 86_400_000  # ms
_UNKNOWN = Range(None, None)
_LOOPBACK = ("localhost", "127.", "::1")
_SETTINGS = (
    "auto.create.topics.enable",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "default.replication.factor",
    "replica.fetch.max.bytes",
    "message.max.bytes",
    "log.dirs",
    "log.dir",
    "controller.quorum.voters",
)
_TELLING = ("min.insync.replicas", "max.message.bytes", "retention.ms", "retention.bytes", "cleanup.policy")


def of_kafka(target: Target, sample: float, seen: Observation | None = None) -> Facts:
    """The facts of the target cluster; see `collect.collect`. `seen`: the groups, where they were read a moment ago."""
    catalog, connection = target.catalog, target.connection
    missing = {"probe": "--probe not given"}
    bootstrap = _dial_all(connection.brokers, connection)
    brokers, cluster, trouble = None, None, None
    if _any_kafka(bootstrap):
        brokers, cluster, trouble = _cluster(connection, catalog, missing)
    else:
        missing |= dict.fromkeys(("brokers", "cluster"), "Kafka is unreachable")
    if cluster is None:
        missing |= dict.fromkeys(("quorum", "sizes", "moves", "groups", "growth"), missing["cluster"])
    groups = (seen or _groups(connection, sample, missing)) if cluster else None
    if cluster is None:
        missing["topics"] = missing["cluster"]
    else:
        cluster = _with_growth(connection, cluster, sample, missing)
        narrow = cluster.denied or (groups is not None and SOME_TOPICS in groups.now.hidden)
        if narrow and not cluster.topics:
            missing["topics"] = "this user may see no topic"
    declared = _declared(catalog)
    if declared is None:
        missing["declared"] = "no topics.yaml"
    good = _any_kafka(broker.dial for broker in brokers or ()) or trouble is not None
    return Facts(
        taken=int(time.time() * 1000),
        source=connection.source,
        flags=target.flags,
        principal=identity(connection.properties).principal,
        bootstrap=bootstrap,
        elsewhere=() if good else _elsewhere(connection, catalog),
        brokers=brokers,
        cluster=cluster,
        trouble=trouble,
        declared=declared,
        groups=groups,
        thresholds=thresholds(catalog, None),
        missing=missing,
    )


def _with_growth(connection: Connection, cluster: ClusterFacts, sample: float, missing: dict[str, str]) -> ClusterFacts:
    """The cluster, with how many records each partition received during the sample."""
    if not sample:
        missing["growth"] = "no sample taken"
        return cluster
    places = [Place(t.name, p.id) for t in cluster.topics for p in t.partitions if p.end is not None]
    try:
        kafka = connect(connection)
        later = ranges_of(kafka, places)
        moves = with_second_look(kafka, cluster.moves) if cluster.moves else ()
    except KafkactlError as error:
        missing["growth"] = error.message.rstrip(".")
        return cluster

    def grown(topic: TopicFacts, partition: PartitionFacts) -> int | None:
        end = later.get(Place(topic.name, partition.id), _UNKNOWN).end
        return None if end is None or partition.end is None else max(0, end - partition.end)

    return replace(
        cluster,
        topics=tuple(
            replace(topic, partitions=tuple(replace(p, grown=grown(topic, p)) for p in topic.partitions))
            for topic in cluster.topics
        ),
        sampled=sample,
        moves=moves,
    )


def _any_kafka(dials: Iterable[Dial]) -> bool:
    return any(dial.manner == "kafka" for dial in dials)


def _dial_all(addresses: Iterable[str], connection: Connection) -> tuple[Dial, ...]:
    return dial_all(addresses, connection.properties, connection.timeout * 2 / 3)


def _elsewhere(connection: Connection, catalog: Catalog | None) -> tuple[Dial, ...]:
    """Other addresses of this machine where the platform's Kafka may be; other machines are never dialled unasked."""
    known = [DEFAULT_BROKERS]
    for environment in catalog.environments.values() if catalog else ():
        known += environment.brokers
    others = [address for address in dict.fromkeys(known) if address not in connection.brokers]
    return _dial_all([address for address in others if address.startswith(_LOOPBACK)], connection)


Found = tuple[tuple[BrokerFacts, ...] | None, ClusterFacts | None, ClientRefusal | None]


def _cluster(connection: Connection, catalog: Catalog | None, missing: dict[str, str]) -> Found:
    """The brokers, the cluster, and the client's error, as far as each could be read."""
    try:
        kafka = bootstrapped(connection)
    except AdvertisedNowhereError as error:
        dials = _dial_all([address for _, address in error.brokers], connection)
        brokers = tuple(BrokerFacts(id, dial) for (id, _), dial in zip(error.brokers, dials, strict=True))
        missing["cluster"] = "the brokers are unreachable"
        return brokers, None, None
    except UnreachableError as error:
        missing |= dict.fromkeys(("brokers", "cluster"), "Kafka does not serve this client")
        return None, None, _trouble(error)
    advertised = kafka.info.brokers
    dials = _dial_all([broker.address for broker in advertised], connection)
    brokers = tuple(BrokerFacts(broker.id, dial) for broker, dial in zip(advertised, dials, strict=True))
    if not _any_kafka(dials):
        missing["cluster"] = "the brokers are unreachable"
        return brokers, None, None
    try:
        return brokers, _read(kafka, brokers, catalog, missing), None
    except KafkactlError as error:
        missing["cluster"] = error.message.rstrip(".")
        return brokers, None, _trouble(error)


def _trouble(error: KafkactlError) -> ClientRefusal:
    if isinstance(error, RefusedError):
        return error.refusal
    code = "KD335" if isinstance(error, ClientConfigError) else "KD314"
    return ClientRefusal(code, error.message, error.next_step, error.where)


def without_client(target: Target, error: ClientConfigError | RefusedError) -> Facts:
    """The facts where the client configuration cannot be used: Kafka was not asked."""
    why = "the client configuration cannot be used"
    parts = ("brokers", "cluster", "topics", "quorum", "sizes", "moves", "groups", "growth", "probe")
    return Facts(
        taken=int(time.time() * 1000),
        source="No address was asked.",
        flags=target.flags,
        bootstrap=(),
        trouble=_trouble(error),
        declared=_declared(target.catalog),
        missing=dict.fromkeys(parts, why),
    )


def _groups(connection: Connection, sample: float, missing: dict[str, str]) -> Observation | None:
    try:
        return observe(connect(connection), sample)
    except KafkactlError as error:
        missing["groups"] = f"the groups could not be read: {error.message.rstrip('.')}"
        return None


def _read(
    kafka: Cluster, brokers: tuple[BrokerFacts, ...], catalog: Catalog | None, missing: dict[str, str]
) -> ClusterFacts:
    asked = ask_storage(kafka)
    topics = read_topics(kafka, catalog.topics if catalog else (), limit=kafka.connection.timeout * 2)
    if topics.found and all(topic.config is None for topic in topics.found.values()):
        missing["settings"] = "the topics' settings could not be read"
    # Unreachable brokers are not asked: each such request would take its whole timeout.
    there = [broker.id for broker in brokers if broker.dial.manner == "kafka"]
    ranges = ranges_of(
        kafka, [Place(t.name, p.id) for t in topics.found.values() for p in t.partitions if p.leader in there]
    )
    filled = [place for place, range in ranges.items() if range.span]
    now = int(time.time() * 1000)
    newest, day = read_newest(kafka, filled), read_time_offsets(kafka, filled, now - _DAY)
    settings = read_brokers(kafka, there)
    storage = read_storage(kafka, asked)
    missing |= {name: f"{name} could not be read: {why}" for name, why in storage.missing.items()}
    kind = mode(settings)
    if kind == "ZooKeeper":
        missing["quorum"] = "ZooKeeper, not KRaft"
    facts = [_topic(topic, ranges, newest, day, storage) for _, topic in sorted(topics.found.items())]
    letters = read_letter_facts(kafka, topics.found, facts, catalog)
    return ClusterFacts(
        id=kafka.info.id,
        mode=kind,
        brokers=_with_settings(brokers, settings, storage),
        topics=tuple(replace(topic, letters=letters.get(topic.name)) for topic in facts),
        quorum_leader=_quorum_leader(kind, storage, missing),
        denied=topics.denied,
        may_create=_may_create(kafka, catalog, topics),
        moves=read_move_facts(kafka, storage),
        left_throttle=read_left_throttle(kafka, storage, settings),
    )


def _may_create(kafka: Cluster, catalog: Catalog | None, topics: Topics) -> bool | None:
    known = topics.found.keys() | topics.denied.keys()
    missing = [topic for name, topic in (catalog.topics if catalog else {}).items() if name not in known]
    return next(iter(may_create(kafka, missing[:1]).values()), None)


def _quorum_leader(kind: str, storage: Storage, missing: dict[str, str]) -> int | None:
    """-1 also if the brokers answer everything but this: then no controller answers them."""
    if kind == "ZooKeeper":
        return None
    if storage.missing.get("quorum") == NO_ANSWER and "sizes" not in storage.missing:
        missing.pop("quorum", None)
        return -1
    return storage.quorum_leader


def _with_settings(
    brokers: Iterable[BrokerFacts], settings: Iterable[BrokerSettings], storage: Storage
) -> tuple[BrokerFacts, ...]:
    told = {entry.broker.id: entry for entry in settings}
    disks = storage.disks
    return tuple(
        BrokerFacts(
            broker.id,
            broker.dial,
            {name: text for name in _SETTINGS if broker.id in told and (text := told[broker.id].text(name))},
            disks[broker.id].total if broker.id in disks else None,
            disks[broker.id].usable if broker.id in disks else None,
        )
        for broker in brokers
    )


def _topic(
    topic: LiveTopic,
    ranges: Mapping[Place, Range],
    newest: Mapping[Place, int | None],
    day: Mapping[Place, int | None],
    storage: Storage,
) -> TopicFacts:
    partitions = tuple(
        PartitionFacts(
            id=p.id,
            leader=p.leader,
            replicas=p.replicas,
            isr=p.isr,
            first=found.first,
            end=found.end,
            newest=newest.get(Place(topic.name, p.id)),
        )
        for p in topic.partitions
        for found in [ranges.get(Place(topic.name, p.id), _UNKNOWN)]
    )
    config = {key: value.value or "" for key, value in (topic.config or {}).items() if key in _TELLING}
    size = None if "sizes" in storage.missing else storage.replicas_size.get(topic.name, 0)
    return TopicFacts(topic.name, partitions, config, size, _last_day(topic.name, partitions, day))


def _last_day(name: str, partitions: Iterable[PartitionFacts], day: Mapping[Place, int | None]) -> int | None:
    """How many offsets were written in the last 24 hours; None if a partition did not answer."""
    total = 0
    for partition in partitions:
        place = Place(name, partition.id)
        if place not in day:
            continue
        start = day[place]
        if start is None or partition.end is None:
            return None
        total += max(0, partition.end - start) if start >= 0 else 0
    return total


def _declared(catalog: Catalog | None) -> tuple[DeclaredTopic, ...] | None:
    if catalog is None:
        return None
    return tuple(
        DeclaredTopic(
            topic.name,
            topic.partitions,
            topic.replication,
            {service: catalog.service(service).group for service in topic.consumers if service != "*"},
        )
        for topic in catalog.topics.values()
    )
