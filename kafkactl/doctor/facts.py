"""What the doctor knows of a stack at one moment. Pure data: saved and read back, it gives the same findings.

A part that could not be read is None (or empty), and `missing` says why under the part's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from kafkactl.groups.observation import Observation

SCHEMA_VERSION = 1

Manner = Literal["kafka", "unresolved", "refused", "silent", "closes", "http", "tls", "mute", "unreachable"]


@dataclass(frozen=True)
class Dial:
    """What happened when host:port was dialled.

    `manner`: kafka (it speaks Kafka's protocol to us), unresolved (no such name), refused (nobody listens), silent (no
    answer to the attempt to connect: a firewall, a wrong host), closes (accepts, then hangs up), http and tls (it
    speaks that), mute (accepts and says nothing), unreachable (no route). `why` is that in the system's words.
    """

    host: str
    port: int
    manner: Manner
    why: str = ""

    @property
    def address(self) -> str:
        """host:port, as it is typed."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class BrokerFacts:
    """A broker as the cluster's metadata names it, whether its address is any good from here, and how it is set.

    `settings` hold what the checks look at; empty where the broker did not say. Disk figures are in bytes.
    """

    id: int
    dial: Dial
    settings: Mapping[str, str] = field(default_factory=dict)
    disk_total: int | None = None
    disk_usable: int | None = None


@dataclass(frozen=True)
class PartitionFacts:
    """A partition. Offsets are None where no leader answered for them; `newest` is its latest timestamp, in ms."""

    id: int
    leader: int | None
    replicas: tuple[int, ...]
    isr: tuple[int, ...]
    first: int | None = None
    end: int | None = None
    newest: int | None = None


@dataclass(frozen=True)
class TopicFacts:
    """A topic with its settings' values.

    `bytes` is the size of all its replicas, `last_day` how many of its offsets are of the last 24 hours; None where
    nobody said.
    """

    name: str
    partitions: tuple[PartitionFacts, ...]
    config: Mapping[str, str] = field(default_factory=dict)
    bytes: int | None = None
    last_day: int | None = None

    @property
    def records(self) -> int:
        """How many offsets it holds, as far as that is known."""
        return sum(max(0, p.end - p.first) for p in self.partitions if p.end is not None and p.first is not None)


@dataclass(frozen=True)
class ClusterFacts:
    """A cluster that answers. `mode` is KRaft or ZooKeeper, "" where no broker said."""

    id: str
    mode: str
    brokers: tuple[BrokerFacts, ...]
    topics: tuple[TopicFacts, ...]
    quorum_leader: int | None = None  # KRaft: -1 where the controllers have none or do not answer
    denied: Mapping[str, str] = field(default_factory=dict)  # declared topics we may not see, and why

    def topic(self, name: str) -> TopicFacts | None:
        """The topic of this name."""
        return next((topic for topic in self.topics if topic.name == name), None)


@dataclass(frozen=True)
class DeclaredTopic:
    """A topic of topics.yaml, as far as checks look at it."""

    name: str
    partitions: int | None
    replication: int | None
    consumers: Mapping[str, str] = field(default_factory=dict)  # service → its group


@dataclass(frozen=True)
class ProbeStep:
    """One step of the round trip (`--probe`). `reason` says why it failed or was not tried; `ok` is then false."""

    name: str
    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything.

    `bootstrap` are the addresses asked for, dialled; `source` says who named them, `flags` how they were typed on the
    command line ("" where they were not). `elsewhere` are other addresses of this machine where Kafka may be, dialled
    when those asked for are no good. `trouble` is what the client was told where Kafka speaks and does not serve it,
    and what to do then.
    """

    taken: int  # ms since 1970
    source: str
    bootstrap: tuple[Dial, ...]
    brokers: tuple[BrokerFacts, ...] | None = None  # as the metadata names them, dialled
    cluster: ClusterFacts | None = None
    trouble: tuple[str, str] | None = None
    declared: tuple[DeclaredTopic, ...] | None = None
    groups: Observation | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    flags: str = ""
    elsewhere: tuple[Dial, ...] = ()
    probe: tuple[ProbeStep, ...] | None = None
    schema_version: int = SCHEMA_VERSION


def dump(facts: Facts) -> bytes:
    """The facts as one JSON document."""
    return msgspec.json.format(msgspec.json.encode(facts))


def load(text: bytes) -> Facts:
    """Facts as `dump` wrote them. Raises ValueError with what is wrong with them."""
    try:
        facts = msgspec.json.decode(text, type=Facts)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    if facts.schema_version != SCHEMA_VERSION:
        raise ValueError(f"it is of version {facts.schema_version}, and this kafkactl reads version {SCHEMA_VERSION}")
    return facts
