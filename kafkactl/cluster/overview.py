"""What `describe` shows, gathered in as few requests as it takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kafkactl.cluster.client import Broker, Cluster
from kafkactl.cluster.metadata import mode, read_brokers, read_topics
from kafkactl.cluster.offsets import Range, read_ranges
from kafkactl.cluster.storage import Disk, Storage, ask_storage, read_storage
from kafkactl.cluster.visibility import topics_may_hide
from kafkactl.topics import Health, LiveTopic, Place, health, is_internal


@dataclass(frozen=True)
class TopicRow:
    """One topic in the list. None: not known (`span`, its offsets: a leader does not answer; `size`: no permission)."""

    name: str
    live: LiveTopic | None  # None: declared, but not on the cluster or hidden from us
    span: int | None
    size: int | None  # bytes on disk, all replicas
    declared: bool
    state: Health
    words: str


@dataclass(frozen=True)
class BrokerRow:
    """One broker with the partitions it leads and its disk."""

    broker: Broker
    leads: int
    disk: Disk | None
    answers: bool


@dataclass(frozen=True)
class Overview:
    """The cluster, its brokers and its topics. `hidden`: topics asked for by name that this user may not see.

    `partial`: there may be more topics than these, since this user may not describe all.
    """

    id: str
    mode: str
    controller: int | None
    brokers: tuple[BrokerRow, ...]
    topics: tuple[TopicRow, ...]
    ranges: Mapping[Place, Range]
    storage: Storage
    hidden: Mapping[str, str]
    partial: bool = False

    @property
    def narrow(self) -> bool:
        """Whether something may be hidden from this user."""
        return self.partial or bool(self.hidden)


def read_overview(
    cluster: Cluster, declared: Iterable[str], *, internal: bool = False, only: Iterable[str] | None = None
) -> Overview:
    """Everything `describe` needs; `only` limits the topics (not the brokers) to these names."""
    names = dict.fromkeys(declared)
    wanted = None if only is None else set(only)
    asked = ask_storage(cluster)
    topics = read_topics(cluster, [*names, *(wanted or ())], config_of=wanted)
    shown = [
        topic
        for name, topic in sorted(topics.found.items())
        if (internal or not is_internal(name) or wanted) and (wanted is None or name in wanted)
    ]
    ranges = read_ranges(cluster, shown)
    settings = read_brokers(cluster)
    storage = read_storage(cluster, asked)
    moving: dict[str, set[int]] = {}
    for name, id in storage.moving:
        moving.setdefault(name, set()).add(id)
    rows = [_row(topic, ranges, storage, topic.name in names, frozenset(moving.get(topic.name, ()))) for topic in shown]
    if wanted is None:
        rows += [_absent(name, topics.denied) for name in names if name not in topics.found]
    kind = mode(settings)
    leads: dict[int, int] = {}
    for topic in topics.found.values():
        for partition in topic.partitions:
            if partition.leader is not None:
                leads[partition.leader] = leads.get(partition.leader, 0) + 1
    # In KRaft, metadata names any broker as the controller (KAFKA-17404): only the quorum knows the active one.
    controller = storage.quorum_leader if kind != "ZooKeeper" else cluster.info.controller
    silent = {s.broker.id for s in settings if s.why_not == "no answer in time"}
    return Overview(
        id=cluster.info.id,
        mode=kind,
        controller=controller,
        brokers=tuple(
            BrokerRow(b, leads.get(b.id, 0), storage.disks.get(b.id), b.id not in silent) for b in cluster.info.brokers
        ),
        topics=tuple(sorted(rows, key=lambda row: row.name)),
        ranges=ranges,
        storage=storage,
        hidden=topics.denied,
        partial=wanted is None and topics_may_hide(cluster),
    )


def _row(
    topic: LiveTopic, ranges: Mapping[Place, Range], storage: Storage, declared: bool, moving: frozenset[int]
) -> TopicRow:
    counts = [
        ranges[Place(topic.name, p.id)].span if Place(topic.name, p.id) in ranges else None for p in topic.partitions
    ]
    state, words = health(topic, moving)
    return TopicRow(
        name=topic.name,
        live=topic,
        span=None if None in counts else sum(count or 0 for count in counts),
        size=None if "sizes" in storage.missing else storage.replicas_size.get(topic.name, 0),
        declared=declared,
        state=state,
        words=words,
    )


def _absent(name: str, hidden: Mapping[str, str]) -> TopicRow:
    words = f"hidden: {hidden[name]}" if name in hidden else "missing: declared but not on the cluster"
    return TopicRow(name, None, None, None, True, "warning" if name in hidden else "error", words)
