"""Facts, collected once: dialling, metadata, settings, offsets, disks. What cannot be read is said to be missing."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaException

from kafkactl.catalog.model import Catalog
from kafkactl.cluster import Cluster, connect, network
from kafkactl.cluster.brokers import BrokerSettings, mode, read_brokers
from kafkactl.cluster.offsets import Range, read_newest, read_ranges, read_time_offsets
from kafkactl.cluster.storage import Storage, ask_storage, read_storage
from kafkactl.cluster.topics import read_topics
from kafkactl.doctor.facts import (
    BrokerFacts,
    ClusterFacts,
    DeclaredTopic,
    Dial,
    Facts,
    PartitionFacts,
    TopicFacts,
)
from kafkactl.errors import KafkactlError
from kafkactl.groups.observation import Observation
from kafkactl.groups.observe import observe
from kafkactl.settings import Connection
from kafkactl.topics import LiveTopic, Place

_DAY = 86_400_000  # ms
_UNKNOWN = Range(None, None)
_CONNECT = 1.0  # seconds for a TCP connection, and as much for an answer on it
_SETTINGS = (
    "auto.create.topics.enable",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "default.replication.factor",
    "replica.fetch.max.bytes",
    "message.max.bytes",
    "log.dirs",
    "log.dir",
    "broker.session.timeout.ms",
)
_TELLING = ("min.insync.replicas", "max.message.bytes", "retention.ms", "retention.bytes", "cleanup.policy")
_SPEECH = {
    "kafka": "it speaks Kafka",
    "closes": "it accepts a connection and closes it",
    "http": "it speaks HTTP",
    "tls": "it wants TLS",
    "mute": "it accepts a connection and says nothing",
}


def collect(connection: Connection, catalog: Catalog | None, sample: float = 0.0) -> Facts:
    """What there is to know of the cluster this connection means, and of what topics.yaml declares.

    With `sample` (seconds) groups are looked at twice, so far apart.
    """
    missing: dict[str, str] = {}
    bootstrap = _dial_all([network.split(address) for address in connection.brokers], connection)
    brokers, cluster, trouble = None, None, None
    if not any(dial.manner == "kafka" for dial in bootstrap):
        missing |= dict.fromkeys(("brokers", "cluster"), "Kafka can't be reached")
    else:
        brokers, cluster, trouble = _cluster(connection, catalog, missing)
    groups = _groups(connection, sample, missing) if cluster else None
    if cluster is None:
        missing["groups"] = missing["cluster"]
    declared = _declared(catalog)
    if declared is None:
        missing["declared"] = "no topics.yaml"
    return Facts(
        taken=int(time.time() * 1000),
        source=connection.source,
        bootstrap=bootstrap,
        brokers=brokers,
        cluster=cluster,
        trouble=trouble,
        declared=declared,
        groups=groups,
        missing=missing,
    )


def _dial_all(addresses: Sequence[tuple[str, int]], connection: Connection) -> tuple[Dial, ...]:
    encrypted = "SSL" in connection.properties.get("security.protocol", "").upper()
    with ThreadPoolExecutor(max(1, len(addresses))) as pool:
        return tuple(pool.map(lambda address: _dial(address[0], address[1], encrypted), addresses))


def _dial(host: str, port: int, encrypted: bool) -> Dial:
    state, why = network.reach(host, port, _CONNECT)
    if state != "open":
        return Dial(host, port, state, why)
    found = network.speech(host, port, _CONNECT)
    if found == "tls" and encrypted:
        return Dial(host, port, "kafka", "it wants TLS, as this client does")
    return Dial(host, port, found, _SPEECH[found])


Found = tuple[tuple[BrokerFacts, ...] | None, ClusterFacts | None, tuple[str, str] | None]


def _cluster(connection: Connection, catalog: Catalog | None, missing: dict[str, str]) -> Found:
    """The brokers, the cluster and what the client was told, as far as each goes."""
    kafka = Cluster(connection)
    try:
        metadata = kafka.admin.list_topics(timeout=connection.timeout)
    except KafkaException as error:
        missing |= dict.fromkeys(("brokers", "cluster"), "Kafka does not serve this client")
        return None, None, _trouble(connection, error)
    advertised = sorted(metadata.brokers.values(), key=lambda broker: broker.id)
    dials = _dial_all([(broker.host, broker.port) for broker in advertised], connection)
    brokers = tuple(BrokerFacts(broker.id, dial) for broker, dial in zip(advertised, dials, strict=True))
    if not any(dial.manner == "kafka" for dial in dials):
        missing["cluster"] = "the brokers can't be reached"
        return brokers, None, None
    try:
        kafka = connect(connection)
        return brokers, _read(kafka, brokers, catalog, missing), None
    except KafkactlError as error:
        missing["cluster"] = error.message.rstrip(".")
        return brokers, None, (error.message, error.hint)


def _groups(connection: Connection, sample: float, missing: dict[str, str]) -> Observation | None:
    try:
        return observe(connect(connection), sample)
    except KafkactlError as error:
        missing["groups"] = f"the groups could not be read: {error.message.rstrip('.')}"
        return None


def _trouble(connection: Connection, error: KafkaException) -> tuple[str, str]:
    """What a client is told that connects: the words of our own diagnosis, where it has some."""
    try:
        connect(connection)
    except KafkactlError as told:
        return told.message, told.hint
    return f"Kafka does not answer this client: {error.args[0].str()}.", "kafkactl describe --verbose"


def _read(
    kafka: Cluster, brokers: tuple[BrokerFacts, ...], catalog: Catalog | None, missing: dict[str, str]
) -> ClusterFacts:
    asked = ask_storage(kafka)
    declared = catalog.topics if catalog else ()
    topics = read_topics(kafka, declared)
    ranges = read_ranges(kafka, topics.found.values())
    filled = [place for place, range in ranges.items() if range.records]
    now = int(time.time() * 1000)
    newest, day = read_newest(kafka, filled), read_time_offsets(kafka, filled, now - _DAY)
    settings = read_brokers(kafka)
    storage = read_storage(kafka, asked)
    missing |= {name: f"{name} could not be read: {why}" for name, why in storage.missing.items()}
    kind = mode(settings)
    return ClusterFacts(
        id=kafka.info.id,
        mode=kind,
        brokers=_with_settings(brokers, settings, storage),
        topics=tuple(_topic(topic, ranges, newest, day, storage) for _, topic in sorted(topics.found.items())),
        quorum_leader=None if kind == "ZooKeeper" else storage.quorum_leader,
        denied=topics.denied,
    )


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
            newest=newest.get((topic.name, p.id)),
        )
        for p in topic.partitions
        for found in [ranges.get((topic.name, p.id), _UNKNOWN)]
    )
    config = {key: value.value or "" for key, value in (topic.config or {}).items() if key in _TELLING}
    size = None if "sizes" in storage.missing else storage.replicas_size.get(topic.name, 0)
    return TopicFacts(topic.name, partitions, config, size, _last_day(topic.name, partitions, day))


def _last_day(name: str, partitions: Iterable[PartitionFacts], day: Mapping[Place, int | None]) -> int | None:
    """How many offsets are of the last 24 hours; None where a partition did not say."""
    total = 0
    for partition in partitions:
        place = (name, partition.id)
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
